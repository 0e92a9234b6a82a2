//! Comparison of JSON values: as nodes, and in the order of sorts.

use std::cmp::Ordering;

use super::Json;

/// Returns true if both are the same value, with members in the same order.
pub fn is_same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Null, Json::Null) => true,
        (Json::Bool(left), Json::Bool(right)) => left == right,
        (Json::Number(left), Json::Number(right)) => left.is_same(right),
        (Json::Text(left), Json::Text(right)) => left == right,
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Json::Object(left), Json::Object(right)) => {
            let mut pairs = left.iter().zip(right);
            left.len() == right.len()
                && pairs.all(|((name, l), (other, r))| name == other && is_same(l, r))
        }
        _ => false,
    }
}

/// The order of values: null, number, text, object, array, boolean; then by value.
pub fn in_order(left: &Json, right: &Json) -> Ordering {
    match (left, right) {
        (Json::Bool(left), Json::Bool(right)) => left.cmp(right),
        (Json::Number(left), Json::Number(right)) => left.cmp_value(right),
        (Json::Text(left), Json::Text(right)) => texts_in_order(left, right),
        (Json::Array(left), Json::Array(right)) => {
            let pairs = left.iter().zip(right);
            let mut orders = pairs.map(|(l, r)| in_order(l, r));
            let first = orders.find(|order| order.is_ne());
            first.unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        (Json::Object(left), Json::Object(right)) => {
            let pairs = left.iter().zip(right);
            let mut orders = pairs.map(|((name, l), (other, r))| {
                texts_in_order(name, other).then_with(|| in_order(l, r))
            });
            let first = orders.find(|order| order.is_ne());
            first.unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

/// Java orders texts by UTF-16 units.
pub fn texts_in_order(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

fn rank(value: &Json) -> u8 {
    match value {
        Json::Null => 1,
        Json::Number(_) => 2,
        Json::Text(_) => 3,
        Json::Object(_) => 4,
        Json::Array(_) => 5,
        Json::Bool(_) => 6,
    }
}
