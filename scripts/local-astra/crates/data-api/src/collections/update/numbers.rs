//! `$inc`, `$mul`, `$min`, `$max`.

use std::cmp::Ordering;

use super::super::limits::exceeded;
use super::locate::find_or_create;
use super::wrong_target;
use crate::error::ApiError;
use crate::json::compare::in_order;
use crate::json::{Decimal, Json};

pub fn add(document: &mut Json, path: &str, number: &Decimal) -> Result<bool, ApiError> {
    let mut place = find_or_create(document, path)?;
    let sum = match place.value() {
        None => number.clone(),
        Some(Json::Number(_)) if number.is_integer() && number.is_zero() => return Ok(false),
        Some(Json::Number(old)) => {
            let sum = old.add(number);
            if sum.is_same(old) {
                return Ok(false);
            }
            sum
        }
        Some(other) => return Err(wrong_target("$inc", "Number", path, other)),
    };
    place.replace(Json::Number(sum));
    Ok(true)
}

pub fn multiply(document: &mut Json, path: &str, number: &Decimal) -> Result<bool, ApiError> {
    let mut place = find_or_create(document, path)?;
    let product = match place.value() {
        None => Decimal::zero(),
        Some(Json::Number(old)) if old.is_identical(&Decimal::zero()) => return Ok(false),
        Some(Json::Number(old)) => {
            let product = old
                .multiply(number)
                .ok_or_else(|| exceeded("a number's exponent is out of range"))?;
            if product.is_identical(old) {
                return Ok(false);
            }
            product
        }
        Some(other) => return Err(wrong_target("$mul", "Number", path, other)),
    };
    place.replace(Json::Number(product));
    Ok(true)
}

/// Replaces a value that compares like this to the new one.
pub fn replace_if(
    document: &mut Json,
    path: &str,
    value: &Json,
    order: Ordering,
) -> Result<bool, ApiError> {
    let mut place = find_or_create(document, path)?;
    if place
        .value()
        .is_some_and(|old| in_order(old, value) != order)
    {
        return Ok(false);
    }
    place.replace(value.clone());
    Ok(true)
}
