//! `updateOne`, which creates a missing row.

use scylla::cluster::metadata::{CollectionType, ColumnType};
use scylla::value::CqlValue;

use super::Table;
use super::delete::reject_sort;
use super::insert::Codes;
use super::messages::list;
use super::types::{ApiType, Support};
use super::values_in::read;
use super::warnings::require_row;
use crate::codes::Code;
use crate::command::Command;
use crate::error::ApiError;
use crate::json::{Json, Members};
use crate::response::Response;
use crate::update::{read_operators, unsupported};
use store::cql::{self, Expression};
use store::{Column, Page};

/// The operators of tables.
const OPERATORS: [&str; 4] = ["$set", "$unset", "$push", "$pullAll"];
/// The operators that only collections have.
const OF_COLLECTIONS: [&str; 9] = [
    "$addToSet",
    "$currentDate",
    "$inc",
    "$max",
    "$min",
    "$mul",
    "$pop",
    "$rename",
    "$setOnInsert",
];

/// A part of an update.
struct Assignment<'a> {
    column: &'a Column,
    cql: Expression,
}

/// `updateOne`
pub async fn one(table: &Table, command: &Command) -> Result<Response, ApiError> {
    reject_sort(table, command, Code::UnsupportedSortForTableUpdateCommand)?;
    let assignments = table.assignments(command.field("update"))?;
    let filter = table.read_filter(command.field("filter"))?;
    require_row(table, &filter)?;
    let update = cql::update(&table.meta.keyspace, &table.meta.name)
        .set(assignments.into_iter().map(|set| set.cql))
        .filter(table.conditions(&filter)?);
    table.query(update, Page::first(1)).await?;
    // Cassandra does not report whether the row existed.
    let response = Response::default().with_status("matchedCount", Json::integer(1));
    Ok(response.with_status("modifiedCount", Json::integer(1)))
}

impl Table {
    fn assignments(&self, update: Option<&Json>) -> Result<Vec<Assignment<'_>>, ApiError> {
        let mut assignments = Vec::new();
        for (operator, operands) in read_operators(update, &OPERATORS, check_operator)? {
            assignments.extend(self.of_operator(operator, operands)?);
        }
        let given = update.and_then(Json::as_object);
        let given = given.into_iter().flat_map(Members::keys);
        let others = given.filter(|name| !OPERATORS.contains(&name.as_str()));
        let others: Vec<&String> = others.collect();
        let (code, problem) = if !others.is_empty() {
            let code = Code::UnsupportedUpdateOperationsForTable;
            (
                code,
                format!("Tables do not have the operators {}", list(others)),
            )
        } else if assignments.is_empty() {
            let code = Code::MissingUpdateOperations;
            (code, "The update is empty".to_owned())
        } else if let Some(column) = assigned_twice(&assignments) {
            let code = Code::UnsupportedOverlappingUpdateOperations;
            (
                code,
                format!("The update has more than one operator on {column}"),
            )
        } else if let Some(key) = assignments.iter().find(|set| self.is_key(&set.column.name)) {
            let text = format!(
                "The column {} is part of the primary key and cannot be updated.\n\n{}",
                key.column.name,
                self.defined_keys()
            );
            let code = Code::UnsupportedUpdateForPrimaryKeyColumns;
            return Err(ApiError::new(code, text));
        } else {
            return Ok(assignments);
        };
        let known = OPERATORS.join(", ");
        let text = format!("{problem}.\n\nThe operators of tables are: {known}.");
        Err(ApiError::new(code, text))
    }

    fn of_operator(
        &self,
        operator: &str,
        operands: &Members,
    ) -> Result<Vec<Assignment<'_>>, ApiError> {
        let codes = Codes {
            unknown: Code::UnknownColumnsInUpdate,
            unsupported: Code::UnsupportedUpdateOperator,
            invalid: Code::InvalidUpdateColumnValues,
            vectorize: Code::VectorizeWithoutDefinitionInUpdate,
        };
        let supports = |support: Support| match operator {
            "$set" | "$unset" => support.set,
            _ => support.push,
        };
        let set = |column, value: Option<CqlValue>| Assignment {
            column,
            cql: cql::equal(&column.name, value),
        };
        match operator {
            "$set" => {
                let values = self.read_values(operands, codes, supports)?;
                Ok(values
                    .into_iter()
                    .map(|(column, value)| set(column, value))
                    .collect())
            }
            "$unset" => {
                self.require_columns(operands, codes, supports)?;
                let columns = operands.keys().filter_map(|name| self.column(name));
                Ok(columns.map(|column| set(column, None)).collect())
            }
            operator => {
                let known = operands.iter();
                let pushes = operator == "$push";
                let changes = known
                    .filter_map(|(name, operand)| {
                        let column = self.column(name)?;
                        let is_map = match ApiType::of(&column.typ) {
                            ApiType::Map(..) => true,
                            typ if typ.is_collection() => false,
                            _ => return None,
                        };
                        let change = match (pushes, is_map) {
                            (true, true) => pushed_entries(operand),
                            (true, false) => pushed_elements(operand),
                            (false, _) => Ok(operand.clone()),
                        };
                        Some(change.map(|change| (name, column, change)))
                    })
                    .collect::<Result<Vec<_>, ApiError>>()?;
                self.require_columns(operands, codes, supports)?;
                let sign = if pushes { "+" } else { "-" };
                let changes = changes.into_iter().map(|(name, column, change)| {
                    let typ = if pushes {
                        &column.typ
                    } else {
                        &removed_type(&column.typ)
                    };
                    let value = read(&change, typ).map_err(|misfit| {
                        let text = format!("A value does not fit the column {name}: {misfit}.");
                        ApiError::new(codes.invalid, text)
                    })?;
                    let cql = cql::change(name, sign, value);
                    Ok(Assignment { column, cql })
                });
                changes.collect()
            }
        }
    }
}

fn assigned_twice<'a>(assignments: &'a [Assignment<'_>]) -> Option<&'a str> {
    let twice = assignments.iter().enumerate().find(|(place, set)| {
        let mut before = assignments[..*place].iter();
        before.any(|other| other.column.name == set.column.name)
    });
    twice.map(|(_, set)| set.column.name.as_str())
}

/// The type of the operand of `$pullAll`: for a map, a set of its keys.
fn removed_type(typ: &ColumnType<'static>) -> ColumnType<'static> {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::Map(key, _),
            ..
        } => ColumnType::Collection {
            frozen: false,
            typ: CollectionType::Set(key.clone()),
        },
        typ => typ.clone(),
    }
}

/// The elements that `$push` adds to a list or set: one, or those of `$each`.
fn pushed_elements(operand: &Json) -> Result<Json, ApiError> {
    match operand {
        Json::Array(_) => Err(bad_push("use $each for more than one element")),
        Json::Object(members) if members.contains_key("$each") => Ok(each(members)?.clone()),
        element => Ok(Json::Array(vec![element.clone()])),
    }
}

/// The entries that `$push` adds to a map, as pairs.
fn pushed_entries(operand: &Json) -> Result<Json, ApiError> {
    let entry = |value: &Json| match value {
        Json::Array(pair) => {
            let is_nested = |value: &Json| matches!(value, Json::Array(_) | Json::Object(_));
            if pair.iter().any(is_nested) {
                return Err(bad_push("use $each for more than one entry"));
            }
            if pair.len() != 2 {
                return Err(bad_push("an entry as an array has a key and a value"));
            }
            Ok(value.clone())
        }
        Json::Object(members) => match members.first() {
            Some((key, value)) if members.len() == 1 => {
                Ok(Json::Array(vec![Json::text(key), value.clone()]))
            }
            _ => Err(bad_push("use $each for more than one entry")),
        },
        _ => Err(bad_push("an entry of a map is an object or a pair")),
    };
    match operand {
        Json::Object(members) if members.contains_key("$each") => {
            let entries = each(members)?.as_array().unwrap_or_default();
            entries.iter().map(entry).collect()
        }
        one => Ok(Json::Array(vec![entry(one)?])),
    }
}

fn each(members: &Members) -> Result<&Json, ApiError> {
    match members.get("$each") {
        _ if members.len() != 1 => Err(bad_push("$each stands alone")),
        Some(each @ Json::Array(_)) => Ok(each),
        _ => Err(bad_push("$each needs an array")),
    }
}

fn check_operator(operator: &str) -> Result<(), ApiError> {
    if OPERATORS.contains(&operator) || OF_COLLECTIONS.contains(&operator) {
        return Ok(());
    }
    Err(unsupported(format!("unknown operator '{operator}'")))
}

fn bad_push(reason: &str) -> ApiError {
    let text = format!("The use of $push is not valid: {reason}.");
    ApiError::new(Code::InvalidPushOperatorUsage, text)
}
