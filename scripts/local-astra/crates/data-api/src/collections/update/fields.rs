//! `$set`, `$setOnInsert`, `$unset`, `$rename`, `$currentDate`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::extended::date_json;
use super::locate::{Place, bad_path, find, find_or_create};
use crate::error::ApiError;
use crate::json::Json;
use crate::json::compare::is_same;

pub fn set(document: &mut Json, path: &str, value: &Json) -> Result<bool, ApiError> {
    let mut place = find_or_create(document, path)?;
    if place.value().is_some_and(|old| is_same(old, value)) {
        return Ok(false);
    }
    place.replace(value.clone());
    Ok(true)
}

pub fn set_current_date(document: &mut Json, path: &str) -> Result<bool, ApiError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    set(document, path, &date_json(now))
}

pub fn unset(document: &mut Json, path: &str) -> Result<bool, ApiError> {
    let removed = find(document, path)?.and_then(|mut place| place.remove());
    Ok(removed.is_some())
}

pub fn rename(document: &mut Json, path: &str, target: &str) -> Result<bool, ApiError> {
    let Some(mut source) = find(document, path)? else {
        return Ok(false);
    };
    let Some(value) = source.remove() else {
        return Ok(false);
    };
    if matches!(source, Place::Element(..)) {
        return Err(bad_path(format!(
            "$rename does not take an element of an array ('{path}')"
        )));
    }
    let mut place = find_or_create(document, target)?;
    if matches!(place, Place::Element(..)) {
        return Err(bad_path(format!(
            "$rename does not make an element of an array ('{target}')"
        )));
    }
    place.replace(value);
    Ok(true)
}
