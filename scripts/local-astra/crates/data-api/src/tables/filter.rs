//! Filters on tables: as they are written, and as tests of a row.

use super::Table;
use super::row_tests::{Comparison, Filter, Subject, Test};
use super::types::{ApiType, Support};
use super::values_in::{Misfit, read, read_element};
use crate::codes::Code;
use crate::collections::extended::{self, Extension};
use crate::error::ApiError;
use crate::filter::{Condition, Group, MAX_VALUES, Operator, Part, Relation, bad_type, invalid};
use crate::json::{Json, Members};
use store::Column;

impl Table {
    /// Reads the filter of a command, with its negations pushed down. No filter, and null, have no conditions.
    ///
    /// # Errors
    /// For an invalid filter.
    pub fn read_filter(&self, filter: Option<&Json>) -> Result<Group, ApiError> {
        let read_member = |group: &mut Group, name: &str, value: &Json| match value {
            Json::Object(members) => self.add_object(group, name, members),
            Json::Array(_) => Err(invalid(format!(
                "'{name}' cannot be compared with an array"
            ))),
            scalar => {
                add(group, name, Part::Whole, Operator::Eq, scalar.clone());
                Ok(())
            }
        };
        let filter = Group::read(filter, &read_member)?.normalized()?;
        filter.all().into_iter().try_for_each(require_supported)?;
        Ok(filter)
    }

    fn add_object(&self, group: &mut Group, name: &str, members: &Members) -> Result<(), ApiError> {
        let column = self.column(name);
        match column.map(|column| ApiType::of(&column.typ)) {
            Some(ApiType::Map(..)) => add_map(group, name, members),
            Some(typ) if typ.is_collection() => {
                members.iter().try_for_each(|(operator, values)| {
                    add_of_collection(group, name, Part::Values, operator, values)
                })
            }
            _ => self.add_operators(group, name, members),
        }
    }

    /// `{column: {operator: value, ...}}`, or a value in an object: `{"$binary": ...}`.
    fn add_operators(
        &self,
        group: &mut Group,
        name: &str,
        members: &Members,
    ) -> Result<(), ApiError> {
        for (operator, value) in members {
            if operator == "$match" {
                return Err(self.no_text_index(name, value));
            }
            let Some(operator) = Operator::named(operator) else {
                if Extension::named(operator).is_none() && operator.starts_with('$') {
                    let text = format!("Unsupported filter operator '{operator}'.");
                    return Err(ApiError::new(Code::FilterUnsupportedOperator, text));
                }
                let whole = Json::Object(members.clone());
                add(group, name, Part::Whole, Operator::Eq, plain(&whole)?);
                return Ok(());
            };
            check_operand(operator, value)?;
            let (operator, value) = match (operator, value) {
                (Operator::Exists, Json::Bool(false)) => (Operator::ExistsNot, Json::Bool(true)),
                (operator, value) => (operator, plain(value)?),
            };
            add(group, name, Part::Whole, operator, value);
        }
        Ok(())
    }

    fn no_text_index(&self, name: &str, value: &Json) -> ApiError {
        if value.as_text().is_none() {
            return invalid("'$match' needs a text");
        }
        if self.column(name).is_none() {
            return self.unknown_filter_columns(&[name]);
        }
        let text = format!("The column {name} has no text index: '$match' cannot be used on it.");
        ApiError::new(Code::CannotLexicalFilterNonIndexedColumns, text)
    }

    /// The error of a filter on columns that the table lacks.
    pub fn unknown_filter_columns(&self, names: &[&str]) -> ApiError {
        let text = format!(
            "The filter has the unknown columns {}.\n\n{}",
            super::messages::list(names),
            self.defined_columns()
        );
        ApiError::new(Code::UnknownColumnsInFilter, text)
    }

    /// The tests of a group whose columns all exist.
    ///
    /// # Errors
    /// For values that do not fit their columns, and for columns that no filter can be on.
    pub fn tests(&self, group: &Group) -> Result<Filter, ApiError> {
        let conditions = group.conditions.iter().map(|condition| {
            let column = self
                .column(&condition.path)
                .ok_or_else(|| self.unknown_filter_columns(&[&condition.path]))?;
            self.tests_of(condition, column)
        });
        let groups = group.groups.iter().map(|group| self.tests(group));
        let parts = conditions
            .chain(groups)
            .collect::<Result<Vec<Filter>, ApiError>>()?;
        Ok(match group.relation {
            Relation::Or => Filter::any(parts),
            Relation::And | Relation::Not => Filter::all(parts),
        })
    }

    fn tests_of(&self, condition: &Condition, column: &Column) -> Result<Filter, ApiError> {
        let values = condition.value.as_array().unwrap_or_default();
        let one = std::slice::from_ref(&condition.value);
        let (values, comparison, all) = match condition.operator {
            Operator::Eq => (one, Comparison::Eq, true),
            Operator::Ne => (one, Comparison::Ne, true),
            Operator::Gt => (one, Comparison::Gt, true),
            Operator::Gte => (one, Comparison::Gte, true),
            Operator::Lt => (one, Comparison::Lt, true),
            Operator::Lte => (one, Comparison::Lte, true),
            Operator::In => (values, Comparison::Eq, false),
            Operator::Nin => (values, Comparison::Ne, true),
            Operator::All => (values, Comparison::Eq, true),
            Operator::NotAll => (values, Comparison::Ne, false),
            // Refused before.
            _ => return Err(unresolved()),
        };
        let tests = values
            .iter()
            .map(|value| {
                let test = self.test(column, condition.part, comparison, value)?;
                Ok(Filter::Test(test))
            })
            .collect::<Result<Vec<Filter>, ApiError>>()?;
        Ok(if all {
            Filter::all(tests)
        } else {
            Filter::any(tests)
        })
    }

    fn test(
        &self,
        column: &Column,
        part: Part,
        comparison: Comparison,
        value: &Json,
    ) -> Result<Test, ApiError> {
        let misfit = |misfit: Misfit| self.invalid_filter_value(column, &misfit);
        let (subject, value) = match (ApiType::of(&column.typ), part) {
            (ApiType::List(element) | ApiType::Set(element), Part::Values)
            | (ApiType::Map(_, element), Part::Values) => (
                Subject::Element,
                read_element(value, element).map_err(misfit)?,
            ),
            (ApiType::Map(key, _), Part::Keys) => {
                (Subject::Key, read_element(value, key).map_err(misfit)?)
            }
            (ApiType::Map(key, element), Part::Entries) => {
                let [key_json, value] = value.as_array().unwrap_or_default() else {
                    return Err(bad_pairs(&column.name));
                };
                let key = read_element(key_json, key).map_err(misfit)?;
                (
                    Subject::Entry(key),
                    read_element(value, element).map_err(misfit)?,
                )
            }
            (ApiType::Unsupported, _) => {
                let text = format!(
                    "The type of the column {} is not supported in a filter.",
                    column.name
                );
                return Err(ApiError::new(Code::UnsupportedColumnsInDocument, text));
            }
            _ => {
                let read = read(value, &column.typ).map_err(misfit)?;
                let supported = Support::of(&column.typ).filter;
                let read = read.filter(|_| supported).ok_or_else(|| {
                    let name = &column.name;
                    let text = format!("The column {name} cannot be compared with {value}.");
                    ApiError::new(Code::InvalidDatabaseQuery, text)
                })?;
                (Subject::Value, read)
            }
        };
        Ok(Test {
            column: column.name.clone(),
            subject,
            comparison,
            value,
        })
    }

    fn invalid_filter_value(&self, column: &Column, misfit: &str) -> ApiError {
        let text = format!(
            "A value in the filter does not fit the column {}: {misfit}.\n\n{}",
            column.name,
            self.defined_columns()
        );
        ApiError::new(Code::InvalidFilterColumnValues, text)
    }
}

fn add(group: &mut Group, name: &str, part: Part, operator: Operator, value: Json) {
    group.conditions.push(Condition {
        path: name.to_owned(),
        part,
        operator,
        value,
    });
}

/// `{column: {"$keys": {...}, "$values": {...}, "$in": [[key, value], ...]}}`
fn add_map(group: &mut Group, name: &str, members: &Members) -> Result<(), ApiError> {
    for (member, value) in members {
        let part = match member.to_ascii_lowercase().as_str() {
            "$keys" => Part::Keys,
            "$values" => Part::Values,
            _ => {
                add_of_collection(group, name, Part::Entries, member, value)?;
                continue;
            }
        };
        let Json::Object(operators) = value else {
            return Err(bad_collection(format!(
                "'{member}' of the map '{name}' needs an object with an operator"
            )));
        };
        for (operator, values) in operators {
            add_of_collection(group, name, part, operator, values)?;
        }
    }
    Ok(())
}

fn add_of_collection(
    group: &mut Group,
    name: &str,
    part: Part,
    operator: &str,
    values: &Json,
) -> Result<(), ApiError> {
    let known = match operator {
        "$in" => Operator::In,
        "$nin" => Operator::Nin,
        "$all" => Operator::All,
        _ => {
            return Err(bad_collection(format!(
                "the operator '{operator}' cannot be used on '{name}': use $all, $in or $nin"
            )));
        }
    };
    let Json::Array(list) = values else {
        if part == Part::Entries {
            return Err(bad_pairs(name));
        }
        return Err(bad_collection(format!(
            "'{operator}' on '{name}' needs an array"
        )));
    };
    let is_pair = |value: &Json| value.as_array().is_some_and(|pair| pair.len() == 2);
    if part == Part::Entries && !list.iter().all(is_pair) {
        return Err(bad_pairs(name));
    }
    check_operand(known, values)?;
    add(group, name, part, known, plain(values)?);
    Ok(())
}

/// Checks what an operator needs, whatever the column.
fn check_operand(operator: Operator, value: &Json) -> Result<(), ApiError> {
    let problem = match (operator, value) {
        (Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte, value) => match value {
            Json::Number(_) | Json::Text(_) | Json::Bool(_) => return Ok(()),
            value if extended::known(value).is_some() => return Ok(()),
            _ => "a range needs a number, a text or a boolean",
        },
        (Operator::In | Operator::Nin, Json::Array(values)) if values.len() <= MAX_VALUES => {
            return Ok(());
        }
        (Operator::In | Operator::Nin, Json::Array(_)) => {
            "'$in' and '$nin' take at most 100 values"
        }
        (Operator::In | Operator::Nin, _) => "'$in' and '$nin' need an array",
        (Operator::Exists, Json::Bool(_)) => return Ok(()),
        (Operator::Exists, _) => "'$exists' needs a boolean",
        (Operator::All, Json::Array(values)) if !values.is_empty() => return Ok(()),
        (Operator::All, _) => "'$all' needs an array with at least one value",
        (Operator::Size, Json::Number(size)) if size.is_whole() && !size.is_negative() => {
            return Ok(());
        }
        (Operator::Size, _) => "'$size' needs an integer of at least 0",
        _ => return Ok(()),
    };
    Err(invalid(problem))
}

/// A value whose extensions are plain texts, but for bytes and dates.
fn plain(value: &Json) -> Result<Json, ApiError> {
    match (value, extended::looks_extended(value)) {
        (Json::Array(values), _) => values.iter().map(plain).collect(),
        (_, None) => Ok(value.clone()),
        (_, Some((name, inner))) => match Extension::named(name) {
            None => Err(invalid(format!("invalid use of '{name}'"))),
            Some(Extension::Binary | Extension::Date) => Ok(value.clone()),
            Some(extension) => extension.text(inner).map(Json::Text).ok_or_else(|| {
                let wanted = extension.wanted();
                let text =
                    format!("Bad JSON Extension value to shred: '{name}' has to be {wanted}.");
                ApiError::new(Code::ShredBadEjsonValue, text)
            }),
        },
    }
}

/// Rejects conditions that tables do not support.
fn require_supported(condition: &Condition) -> Result<(), ApiError> {
    if condition.part != Part::Whole {
        return Ok(());
    }
    let is_date = |value: &Json| matches!(extended::known(value), Some((Extension::Date, _)));
    match (condition.operator, &condition.value) {
        (Operator::In | Operator::Nin, Json::Array(_)) => Ok(()),
        (
            Operator::Eq
            | Operator::Ne
            | Operator::Gt
            | Operator::Gte
            | Operator::Lt
            | Operator::Lte,
            value,
        ) => match value {
            Json::Null | Json::Array(_) => Err(unresolved()),
            value if is_date(value) => Err(unresolved()),
            Json::Object(_) if extended::known(value).is_none() => Err(bad_type(format!(
                "an object cannot be compared with the column '{}'",
                condition.path
            ))),
            _ => Ok(()),
        },
        _ => Err(unresolved()),
    }
}

fn unresolved() -> ApiError {
    let text = "A condition of the filter is not supported by tables: null, dates as $date, $exists, $size, and $all on a scalar.";
    ApiError::new(Code::InternalServerError, text)
}

fn bad_collection(reason: String) -> ApiError {
    let text = format!("The filter on a list, set or map is not valid: {reason}.");
    ApiError::new(Code::InvalidMapSetListFilter, text)
}

fn bad_pairs(name: &str) -> ApiError {
    bad_collection(format!(
        "entries of the map '{name}' must be a list of pairs"
    ))
}
