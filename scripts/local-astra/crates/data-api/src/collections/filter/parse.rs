//! Filters as they are written.

use super::super::extended::{self, Extension};
use super::super::path::has_valid_escapes;
use super::super::shred::lexical_is_off;
use crate::codes::Code;
use crate::error::ApiError;
use crate::filter::{Condition, Group, MAX_VALUES, Operator, Part, Relation, invalid};
use crate::json::{Decimal, Json, Members};

/// Reads a filter, and pushes its negations down.
///
/// # Errors
/// A filter that is invalid for any collection.
pub fn read(filter: Option<&Json>) -> Result<Group, ApiError> {
    let filter = Group::read(filter, &add_member)?;
    check(&filter)?;
    filter.normalized()
}

fn add_member(group: &mut Group, name: &str, value: &Json) -> Result<(), ApiError> {
    let is_special = name == "$vector" || name == "$vectorize";
    match value {
        Json::Object(members) => add_operators(group, name, value, members),
        _ if is_special => Err(only_exists(name)),
        Json::Array(_) => Err(invalid(format!(
            "'{name}' cannot be compared with an array: write {{\"$eq\": [...]}}"
        ))),
        scalar => add(group, name, Operator::Eq, scalar.clone()),
    }
}

/// `{path: {operator: value, ...}}`, or a whole object that the path has to equal.
fn add_operators(
    group: &mut Group,
    path: &str,
    whole: &Json,
    members: &Members,
) -> Result<(), ApiError> {
    for (name, value) in members {
        let Some(operator) = Operator::named(name) else {
            if name == "$match" {
                check_path(path)?;
                return Err(invalid(format!(
                    "'$match' can only be used with '$lexical', not '{path}'"
                )));
            }
            let extension = Extension::named(name);
            if extension.is_none() && name.starts_with('$') {
                let text =
                    format!("Unsupported filter operator '{name}'.\n\nUse a supported operator.");
                return Err(ApiError::new(Code::FilterUnsupportedOperator, text));
            }
            let value = match extension {
                Some(extension) if path != "_id" => extended_value(extension, value)?,
                Some(_) => whole.clone(),
                None if path == "_id" => whole.clone(),
                None => plain(whole)?,
            };
            return add(group, path, Operator::Eq, value);
        };
        check_path(path)?;
        let value = match (path, operator) {
            ("_id", Operator::Exists) => value.clone(),
            ("_id", _) => value.clone(),
            _ => plain(value)?,
        };
        let ranges = [Operator::Gt, Operator::Gte, Operator::Lt, Operator::Lte];
        if ranges.contains(&operator) && !is_comparable(path, &value) {
            return Err(invalid(format!(
                "'{name}' needs a date, a number, a text or a boolean"
            )));
        }
        add(group, path, operator, value)?;
    }
    Ok(())
}

fn is_comparable(path: &str, value: &Json) -> bool {
    match value {
        Json::Null | Json::Array(_) => false,
        Json::Object(_) => path == "_id" || extended::date(value).is_some(),
        _ => true,
    }
}

fn add(group: &mut Group, path: &str, operator: Operator, value: Json) -> Result<(), ApiError> {
    check_path(path)?;
    if ["$vector", "$vectorize"].contains(&path) && operator != Operator::Exists {
        return Err(only_exists(path));
    }
    let (operator, value) = match (operator, value) {
        (Operator::Exists, Json::Bool(false)) => (Operator::ExistsNot, Json::Bool(true)),
        other => other,
    };
    let path = path.to_owned();
    group.conditions.push(Condition {
        path,
        part: Part::Whole,
        operator,
        value,
    });
    Ok(())
}

fn check_path(path: &str) -> Result<(), ApiError> {
    match path {
        "" => Err(invalid("a path cannot be empty")),
        "$vector" | "$vectorize" => Ok(()),
        "$lexical" => Err(lexical_is_off()),
        path if path.starts_with('$') => {
            Err(invalid(format!("the path '{path}' cannot start with '$'")))
        }
        path if !has_valid_escapes(path) => Err(invalid(format!(
            "the path '{path}' is not valid: '&' must be followed by '&' or '.'"
        ))),
        _ => Ok(()),
    }
}

/// A value without wrappers, but for dates.
fn plain(value: &Json) -> Result<Json, ApiError> {
    match value {
        Json::Array(values) => values.iter().map(plain).collect(),
        Json::Object(members) => {
            if let Some((name, inner)) = extended::looks_extended(value) {
                return match Extension::named(name) {
                    None => Err(invalid(format!("invalid use of '{name}'"))),
                    Some(Extension::Date) if extended::date(value).is_none() => {
                        Err(invalid("$date has to be milliseconds since the epoch"))
                    }
                    Some(extension) => extended_value(extension, inner),
                };
            }
            let members = members.iter();
            let plain = members.map(|(name, value)| Ok((name.clone(), plain(value)?)));
            plain
                .collect::<Result<Members, ApiError>>()
                .map(Json::Object)
        }
        scalar => Ok(scalar.clone()),
    }
}

fn extended_value(extension: Extension, value: &Json) -> Result<Json, ApiError> {
    let read = match extension {
        Extension::Date => {
            let time = value.as_number().and_then(Decimal::as_i64);
            time.map(extended::date_json)
        }
        extension => extension.text(value).map(Json::Text),
    };
    read.ok_or_else(|| {
        let (name, wanted) = (extension.name(), extension.wanted());
        let text =
            format!("Bad JSON Extension value to shred: '{name}' has to be {wanted}, not {value}.");
        ApiError::new(Code::ShredBadEjsonValue, text)
    })
}

fn check(group: &Group) -> Result<(), ApiError> {
    let ids = group.all().iter().filter(|c| c.path == "_id").count();
    if ids > 1 {
        let text = "A filter can have only one condition on '_id'.\n\nUse '$in' for several ids.";
        return Err(ApiError::new(Code::FilterMultipleIdFilter, text));
    }
    group.groups.iter().try_for_each(check)?;
    let mut conditions = group.conditions.iter();
    conditions.try_for_each(|condition| check_condition(condition, group.relation))
}

fn check_condition(condition: &Condition, relation: Relation) -> Result<(), ApiError> {
    let Condition {
        path,
        operator,
        value,
        ..
    } = condition;
    if path == "_id" && relation == Relation::Or {
        return Err(invalid("'_id' cannot be used within '$or'"));
    }
    match (operator, value) {
        (Operator::In | Operator::Nin, Json::Array(values)) if values.len() > MAX_VALUES => Err(
            invalid(format!("'$in' and '$nin' take at most {MAX_VALUES} values")),
        ),
        (Operator::In | Operator::Nin, Json::Array(_)) => Ok(()),
        (Operator::In | Operator::Nin, _) => Err(invalid("'$in' and '$nin' need an array")),
        (Operator::Exists | Operator::ExistsNot, Json::Bool(_)) => Ok(()),
        (Operator::Exists | Operator::ExistsNot, _) => Err(invalid("'$exists' needs a boolean")),
        (Operator::All, Json::Array(values)) if values.is_empty() => {
            Err(invalid("'$all' needs at least one value"))
        }
        (Operator::All, Json::Array(_)) => Ok(()),
        (Operator::All, _) => Err(invalid("'$all' needs an array")),
        (Operator::Size, Json::Number(size)) if path != "_id" => {
            if size.is_negative() || !size.is_whole() {
                return Err(invalid(format!(
                    "'$size' needs an integer of at least 0, not {size}"
                )));
            }
            Ok(())
        }
        (Operator::Size, _) => Err(invalid("'$size' needs an integer")),
        _ => Ok(()),
    }
}

fn only_exists(path: &str) -> ApiError {
    invalid(format!("'{path}' can only be used with '$exists'"))
}
