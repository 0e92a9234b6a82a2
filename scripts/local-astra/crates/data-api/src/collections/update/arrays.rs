//! `$push`, `$addToSet`, `$pop`.

use super::locate::{Place, find, find_or_create};
use super::wrong_target;
use crate::error::ApiError;
use crate::json::Json;
use crate::json::compare::is_same;

pub fn push(
    document: &mut Json,
    path: &str,
    values: &[Json],
    position: Option<i64>,
) -> Result<bool, ApiError> {
    let mut place = find_or_create(document, path)?;
    let array = array_at(&mut place, "$push", path)?;
    let length = array.len();
    let start = match position {
        None => length,
        Some(position) => {
            let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
            if position < 0 {
                length.saturating_sub(distance)
            } else {
                distance.min(length)
            }
        }
    };
    array.splice(start..start, values.iter().cloned());
    Ok(true)
}

pub fn add_to_set(document: &mut Json, path: &str, values: &[Json]) -> Result<bool, ApiError> {
    let mut place = find_or_create(document, path)?;
    let array = array_at(&mut place, "$addToSet", path)?;
    let length = array.len();
    for value in values {
        if !array.iter().any(|old| is_same(old, value)) {
            array.push(value.clone());
        }
    }
    Ok(array.len() > length)
}

pub fn pop(document: &mut Json, path: &str, first: bool) -> Result<bool, ApiError> {
    let Some(mut place) = find(document, path)? else {
        return Ok(false);
    };
    match place.value_mut() {
        None => Ok(false),
        Some(Json::Array(values)) if values.is_empty() => Ok(false),
        Some(Json::Array(values)) => {
            if first {
                values.remove(0);
            } else {
                values.pop();
            }
            Ok(true)
        }
        Some(other) => Err(wrong_target("$pop", "Array", path, other)),
    }
}

/// The array at a place; a missing one is made.
fn array_at<'a>(
    place: &'a mut Place<'_>,
    operator: &str,
    path: &str,
) -> Result<&'a mut Vec<Json>, ApiError> {
    if place.value().is_none() {
        place.replace(Json::Array(Vec::new()));
    }
    match place.value_mut() {
        Some(Json::Array(values)) => Ok(values),
        Some(other) => Err(wrong_target(operator, "Array", path, other)),
        None => Err(wrong_target(operator, "Array", path, &Json::Null)),
    }
}
