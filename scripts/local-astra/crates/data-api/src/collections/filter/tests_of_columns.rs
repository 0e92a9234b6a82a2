//! Conditions as tests of columns: the same columns that the real server's statements name.

use super::super::id::Id;
use super::super::layout::{BOOLS, CONTAINS, EXIST, NULLS, NUMBERS, SIZES, TEXTS, TIMES};
use super::super::{extended, hash};
use super::{Comparison, Filter, Scalar, Test};
use crate::codes::Code;
use crate::error::ApiError;
use crate::filter::{Condition, Group, Operator, Relation};
use crate::json::Json;

/// The tests of a group whose negations are pushed down.
///
/// # Errors
/// For values that an operator does not take.
pub fn of(group: &Group) -> Result<Filter, ApiError> {
    let conditions = group.conditions.iter().map(of_condition);
    let groups = group.groups.iter().map(of);
    let all = conditions
        .chain(groups)
        .collect::<Result<Vec<Filter>, ApiError>>()?;
    Ok(match group.relation {
        Relation::Or => Filter::Any(all),
        Relation::And | Relation::Not => Filter::All(all),
    })
}

fn of_condition(condition: &Condition) -> Result<Filter, ApiError> {
    let Condition {
        path,
        operator,
        value,
        ..
    } = condition;
    let is_positive = !matches!(
        operator,
        Operator::Ne | Operator::Nin | Operator::ExistsNot | Operator::NotAll | Operator::NotSize
    );
    match operator {
        Operator::Exists | Operator::ExistsNot => Ok(in_set(EXIST, path.clone(), is_positive)),
        Operator::Size | Operator::NotSize => {
            let size = value.as_number().and_then(|size| size.to_i64());
            let size = size
                .and_then(|size| i32::try_from(size).ok())
                .unwrap_or(i32::MAX);
            Ok(entry(SIZES, path, Scalar::Size(size), is_positive))
        }
        _ if path == "_id" => of_id(*operator, value),
        Operator::Eq | Operator::Ne => match value {
            Json::Null => Ok(in_set(NULLS, path.clone(), is_positive)),
            value => equality(path, value, is_positive),
        },
        Operator::In | Operator::Nin => {
            let values = value.as_array().unwrap_or_default().iter();
            let tests = values
                .map(|value| element_equality(path, value, is_positive))
                .collect::<Result<_, _>>()?;
            Ok(if is_positive {
                Filter::Any(tests)
            } else {
                Filter::All(tests)
            })
        }
        Operator::All | Operator::NotAll => {
            let values = value.as_array().unwrap_or_default().iter();
            let tests = values
                .map(|value| {
                    let hash = hash_of_operand(value)?;
                    Ok(in_set(CONTAINS, format!("{path} {hash}"), is_positive))
                })
                .collect::<Result<_, ApiError>>()?;
            Ok(if is_positive {
                Filter::All(tests)
            } else {
                Filter::Any(tests)
            })
        }
        other => {
            let range = comparison(*other).map(|comparison| range(path, comparison, value));
            Ok(range.unwrap_or(Filter::Any(Vec::new())))
        }
    }
}

fn of_id(operator: Operator, value: &Json) -> Result<Filter, ApiError> {
    let values = || value.as_array().unwrap_or_default().iter();
    match operator {
        Operator::Eq => Ok(Filter::Test(Test::Keys(vec![Id::read(value)?.key()]))),
        Operator::In => {
            let keys = values().map(|value| Ok(Id::read(value)?.key()));
            Ok(Filter::Test(Test::Keys(
                keys.collect::<Result<_, ApiError>>()?,
            )))
        }
        Operator::Ne => other_id(value),
        Operator::Nin => values()
            .map(other_id)
            .collect::<Result<_, _>>()
            .map(Filter::All),
        _ => {
            let Some(comparison) = comparison(operator) else {
                let text = "This operator cannot be used on '_id'.";
                return Err(ApiError::new(Code::InternalServerError, text));
            };
            let plain = match Id::read(value)? {
                Id::Extended(_, text) => Json::Text(text),
                id => id.to_json(),
            };
            Ok(range("_id", comparison, &plain))
        }
    }
}

fn comparison(operator: Operator) -> Option<Comparison> {
    match operator {
        Operator::Gt => Some(Comparison::Greater),
        Operator::Gte => Some(Comparison::GreaterOrEqual),
        Operator::Lt => Some(Comparison::Less),
        Operator::Lte => Some(Comparison::LessOrEqual),
        _ => None,
    }
}

fn other_id(value: &Json) -> Result<Filter, ApiError> {
    match Id::read(value)? {
        Id::Text(text) | Id::Extended(_, text) => {
            Ok(entry(TEXTS, "_id", Scalar::Text(text), false))
        }
        Id::Number(number) => Ok(entry(NUMBERS, "_id", Scalar::Number(number), false)),
        _ => {
            let text = format!(
                "Unsupported filter data type: '_id' cannot be compared with {value} by '$ne' or '$nin'."
            );
            Err(ApiError::new(Code::FilterUnsupportedDataType, text))
        }
    }
}

/// Equality with a scalar, also of an element; with a whole array or object.
fn equality(path: &str, value: &Json, is_positive: bool) -> Result<Filter, ApiError> {
    match extended::date(value) {
        Some(time) => {
            let hash = hash::of_date(time);
            Ok(in_set(CONTAINS, format!("{path} {hash}"), is_positive))
        }
        None => element_equality(path, value, is_positive),
    }
}

fn element_equality(path: &str, value: &Json, is_positive: bool) -> Result<Filter, ApiError> {
    let hash = hash_of_operand(value)?;
    Ok(match value {
        Json::Array(_) | Json::Object(_) => entry(TEXTS, path, Scalar::Text(hash), is_positive),
        _ => in_set(CONTAINS, format!("{path} {hash}"), is_positive),
    })
}

/// The real server has no hash for a date within a list or an object.
fn hash_of_operand(value: &Json) -> Result<String, ApiError> {
    if has_date(value) {
        let text = "A date within a list or an object cannot be compared.";
        return Err(ApiError::new(Code::InternalServerError, text));
    }
    Ok(hash::of(value))
}

fn has_date(value: &Json) -> bool {
    extended::date(value).is_some()
        || match value {
            Json::Array(values) => values.iter().any(has_date),
            Json::Object(members) => members.values().any(has_date),
            _ => false,
        }
}

fn range(path: &str, comparison: Comparison, value: &Json) -> Filter {
    let value = match (extended::date(value), value) {
        (Some(time), _) => Scalar::Time(time),
        (None, Json::Bool(value)) => Scalar::Bool(*value),
        (None, Json::Number(number)) => Scalar::Number(number.clone()),
        (None, Json::Text(text)) => Scalar::Text(text.clone()),
        // Other values are refused before.
        (None, _) => return Filter::Any(Vec::new()),
    };
    Filter::Test(Test::Range {
        path: path.to_owned(),
        comparison,
        value,
    })
}

fn in_set(column: &'static str, element: String, holds: bool) -> Filter {
    Filter::Test(Test::Set {
        column,
        element,
        holds,
    })
}

fn entry(column: &'static str, path: &str, value: Scalar, equals: bool) -> Filter {
    Filter::Test(Test::Entry {
        column,
        path: path.to_owned(),
        value,
        equals,
    })
}

impl Scalar {
    /// The map that holds values of this kind.
    pub fn column(&self) -> &'static str {
        match self {
            Scalar::Bool(_) => BOOLS,
            Scalar::Number(_) => NUMBERS,
            Scalar::Text(_) => TEXTS,
            Scalar::Time(_) => TIMES,
            Scalar::Size(_) => SIZES,
        }
    }
}
