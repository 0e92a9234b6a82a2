//! Filters and updates evaluated plainly, on JSON alone.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// Splits a path into its names.
pub fn segments(path: &str) -> Vec<String> {
    let marked = path.replace("&&", "\u{1}").replace("&.", "\u{2}");
    let names = marked.split('.');
    names
        .map(|name| name.replace('\u{1}', "&").replace('\u{2}', "."))
        .collect()
}

/// The value at a path. A scalar has nothing below it, and so has a date.
pub fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    segments(path)
        .iter()
        .try_fold(document, |value, name| match value {
            Value::Object(members) if !is_date(value) => members.get(name),
            Value::Array(values) => {
                let index: usize = name
                    .parse()
                    .ok()
                    .filter(|index: &usize| index.to_string() == *name)?;
                values.get(index)
            }
            _ => None,
        })
}

fn is_date(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|members| members.len() == 1 && members.contains_key("$date"))
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_number()
        .and_then(|number| number.as_str().parse().ok())
}

/// Returns true if both are equal, comparing numbers by value and members in order.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => number(left) == number(right),
        (Value::Array(l), Value::Array(r)) => {
            l.len() == r.len() && l.iter().zip(r).all(|(l, r)| equal(l, r))
        }
        (Value::Object(l), Value::Object(r)) => {
            l.len() == r.len()
                && l.iter()
                    .zip(r)
                    .all(|((n, l), (m, r))| n == m && equal(l, r))
        }
        _ => left == right,
    }
}

/// Returns true if a document matches a filter. The negation of a range is the opposite range.
pub fn fits(document: &Value, filter: &Value, negated: bool) -> bool {
    let parts: Vec<bool> = filter
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| match name.as_str() {
            "$and" => value
                .as_array()
                .unwrap()
                .iter()
                .all(|part| fits(document, part, negated)),
            "$or" => value
                .as_array()
                .unwrap()
                .iter()
                .any(|part| fits(document, part, negated)),
            "$not" => fits(document, value, !negated),
            path => condition(at(document, path), value, negated),
        })
        .collect();
    if negated {
        parts.into_iter().any(|fits| fits)
    } else {
        parts.into_iter().all(|fits| fits)
    }
}

fn condition(found: Option<&Value>, wanted: &Value, negated: bool) -> bool {
    let operator = wanted
        .as_object()
        .filter(|_| !is_date(wanted))
        .and_then(|members| members.iter().next());
    let Some((operator, operand)) = operator else {
        return has(found, wanted) != negated;
    };
    let values = || operand.as_array().unwrap().iter();
    let range = |holds: fn(Ordering) -> bool| {
        let order = found.and_then(|found| order(found, operand));
        order.is_some_and(|order| holds(order) != negated)
    };
    match operator.as_str() {
        "$eq" => has(found, operand) != negated,
        "$ne" => has(found, operand) == negated,
        "$gt" => range(Ordering::is_gt),
        "$gte" => range(Ordering::is_ge),
        "$lt" => range(Ordering::is_lt),
        "$lte" => range(Ordering::is_le),
        "$in" => values().any(|value| is_or_has(found, value)) != negated,
        "$nin" => values().any(|value| is_or_has(found, value)) == negated,
        "$exists" => (found.is_some() == operand.as_bool().unwrap()) != negated,
        "$size" => {
            let size = found
                .and_then(Value::as_array)
                .map(|values| values.len().to_string());
            (size == Some(operand.to_string())) != negated
        }
        "$all" => values().all(|value| is_or_has(found, value)) != negated,
        other => panic!("{other}"),
    }
}

/// Equality, also with an element; null is only null itself.
fn has(found: Option<&Value>, wanted: &Value) -> bool {
    match (found, wanted) {
        (Some(found), Value::Null) => found.is_null(),
        (Some(found), Value::Array(_)) => equal(found, wanted),
        (found, wanted) => is_or_has(found, wanted),
    }
}

fn is_or_has(found: Option<&Value>, wanted: &Value) -> bool {
    found.is_some_and(|found| {
        let elements = found.as_array().into_iter().flatten();
        equal(found, wanted) || elements.into_iter().any(|element| equal(element, wanted))
    })
}

/// Compares values of one type; `None` for others.
fn order(found: &Value, wanted: &Value) -> Option<Ordering> {
    if is_date(found) && is_date(wanted) {
        return number(&found["$date"])?.partial_cmp(&number(&wanted["$date"])?);
    }
    match (found, wanted) {
        (Value::Number(_), Value::Number(_)) => number(found)?.partial_cmp(&number(wanted)?),
        // Arrays and objects have hashes among the texts: these are not compared here.
        (Value::String(found), Value::String(wanted)) => {
            Some(found.as_bytes().cmp(wanted.as_bytes()))
        }
        (Value::Bool(found), Value::Bool(wanted)) => Some(found.cmp(wanted)),
        _ => None,
    }
}

/// Returns true if a filter compares a text with a range, which also compares hashes of arrays and objects.
pub fn has_text_range(filter: &Value) -> bool {
    match filter {
        Value::Object(members) => members.iter().any(|(name, value)| {
            let range = ["$gt", "$gte", "$lt", "$lte"].contains(&name.as_str());
            range && value.is_string() || has_text_range(value)
        }),
        Value::Array(values) => values.iter().any(has_text_range),
        _ => false,
    }
}

/// Returns the document after an update; `None` if the update is an error.
pub fn updated(document: &Value, update: &Value) -> Option<Value> {
    let (operator, operands) = update.as_object()?.iter().next()?;
    let (path, operand) = operands.as_object()?.iter().next()?;
    let path = segments(path);
    let mut new = document.clone();
    let old = lookup(&new, &path).cloned();
    match operator.as_str() {
        "$set" => put(&mut new, &path, operand.clone())?,
        "$unset" => {
            remove(&mut new, &path);
        }
        "$inc" | "$mul" => {
            let old = old.clone().filter(|_| reachable(&new, &path));
            let sum = match (&old, operator.as_str()) {
                (None, "$inc") => operand.clone(),
                (None, _) => json!(0),
                (Some(old), operator) => {
                    let (old, operand) = (number(old)?, number(operand)?);
                    json!(if operator == "$inc" {
                        old + operand
                    } else {
                        old * operand
                    })
                }
            };
            put(&mut new, &path, sum)?;
        }
        "$min" | "$max" => {
            let wanted = if operator == "$min" {
                Ordering::Greater
            } else {
                Ordering::Less
            };
            if old.is_none_or(|old| sorted(&old, operand) == wanted) {
                put(&mut new, &path, operand.clone())?;
            } else if !reachable(&new, &path) {
                return None;
            }
        }
        "$push" | "$addToSet" => {
            let each = operand.get("$each").and_then(Value::as_array).cloned();
            // A date alone is taken for a modifier.
            if is_date(operand) {
                return None;
            }
            let each = each.unwrap_or_else(|| vec![operand.clone()]);
            let mut array = match old {
                None => Vec::new(),
                Some(Value::Array(array)) => array,
                Some(_) => return None,
            };
            for value in each {
                if operator == "$push" || !array.iter().any(|old| same_kind(old, &value)) {
                    array.push(value);
                }
            }
            put(&mut new, &path, Value::Array(array))?;
        }
        "$pop" => match old {
            None => {}
            Some(Value::Array(array)) if array.is_empty() => {}
            Some(Value::Array(mut array)) => {
                if operand == &json!(1) {
                    drop(array.pop());
                } else {
                    drop(array.remove(0));
                }
                put(&mut new, &path, Value::Array(array))?;
            }
            Some(_) => return None,
        },
        "$rename" => {
            if old.is_some() {
                let parent = lookup(&new, &path[..path.len() - 1]);
                if parent.is_some_and(Value::is_array) {
                    return None;
                }
                remove(&mut new, &path);
                let target = segments(operand.as_str()?);
                let holder = lookup(&new, &target[..target.len() - 1]);
                if holder.is_some_and(Value::is_array) {
                    return None;
                }
                put(&mut new, &target, old?)?;
            }
        }
        other => panic!("{other}"),
    }
    is_valid(&new).then_some(new)
}

/// Returns false if an object has further members beside a date.
fn is_valid(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            (members.len() == 1 || !members.contains_key("$date")) && members.values().all(is_valid)
        }
        Value::Array(values) => values.iter().all(is_valid),
        _ => true,
    }
}

fn same_kind(left: &Value, right: &Value) -> bool {
    equal(left, right)
}

fn index(name: &str) -> Option<usize> {
    name.parse()
        .ok()
        .filter(|index: &usize| index.to_string() == name)
}

fn lookup<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, name| match value {
        Value::Object(members) => members.get(name),
        Value::Array(values) => values.get(index(name)?),
        _ => None,
    })
}

/// Returns true if a value can be stored at the path.
fn reachable(document: &Value, path: &[String]) -> bool {
    put(&mut document.clone(), path, Value::Null).is_some()
}

fn put(document: &mut Value, path: &[String], value: Value) -> Option<()> {
    let (name, rest) = path.split_first()?;
    let slot = match document {
        Value::Object(members) => members.entry(name.clone()).or_insert_with(|| missing(rest)),
        Value::Array(values) => {
            let index = index(name)?;
            if index >= values.len() {
                values.resize(index, Value::Null);
                values.push(missing(rest));
            }
            &mut values[index]
        }
        _ => return None,
    };
    if rest.is_empty() {
        *slot = value;
        return Some(());
    }
    put(slot, rest, value)
}

fn missing(rest: &[String]) -> Value {
    if rest.is_empty() {
        Value::Null
    } else {
        Value::Object(Map::new())
    }
}

fn remove(document: &mut Value, path: &[String]) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    match document {
        Value::Object(members) if rest.is_empty() => drop(members.shift_remove(name)),
        Value::Object(members) => {
            if let Some(value) = members.get_mut(name) {
                remove(value, rest);
            }
        }
        Value::Array(values) => {
            if let Some(value) = index(name).and_then(|index| values.get_mut(index)) {
                if rest.is_empty() {
                    *value = Value::Null
                } else {
                    remove(value, rest)
                }
            }
        }
        _ => {}
    }
}

/// The order of `$min` and `$max`.
fn sorted(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Object(_) => 4,
        Value::Array(_) => 5,
        Value::Bool(_) => 6,
    };
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => number(left).partial_cmp(&number(right)).unwrap(),
        (Value::String(l), Value::String(r)) => l.encode_utf16().cmp(r.encode_utf16()),
        (Value::Bool(l), Value::Bool(r)) => l.cmp(r),
        (Value::Array(l), Value::Array(r)) => {
            let mut orders = l.iter().zip(r).map(|(l, r)| sorted(l, r));
            orders
                .find(|order| order.is_ne())
                .unwrap_or_else(|| l.len().cmp(&r.len()))
        }
        (Value::Object(l), Value::Object(r)) => {
            let pairs = l.iter().zip(r);
            let mut orders = pairs.map(|((n, l), (m, r))| n.cmp(m).then_with(|| sorted(l, r)));
            orders
                .find(|order| order.is_ne())
                .unwrap_or_else(|| l.len().cmp(&r.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}
