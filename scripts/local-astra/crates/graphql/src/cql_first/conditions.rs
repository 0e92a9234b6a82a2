//! `value` and `filter` as the conditions of a WHERE or an IF.

use serde_json::{Map, Value};

use super::{names, types, values};
use crate::run::RunError;
use store::cql::{self, Expression};
use store::{Column, Table};

/// Returns every operator of every column of a filter as a condition. A filter can be null, but its members cannot.
///
/// # Errors
/// A value does not fit.
pub fn read(table: &Table, filter: &Value) -> Result<Vec<Expression>, RunError> {
    let mut conditions = Vec::new();
    for (column, operators) in members(table, filter) {
        let operators = operators
            .as_object()
            .ok_or_else(|| RunError::null(&column.name))?;
        for (operator, value) in operators {
            conditions.push(condition(column, operator, value)?);
        }
    }
    Ok(conditions)
}

fn condition(column: &Column, operator: &str, value: &Value) -> Result<Expression, RunError> {
    let typ = &column.typ;
    let entry = types::entry(typ);
    let (operator, value) = match operator {
        "in" => ("IN", values::read_list(value, typ)?),
        "contains" => {
            let inner = types::element(typ).or(entry.map(|(_, value)| value));
            ("CONTAINS", values::read(value, inner.unwrap_or(typ))?)
        }
        "containsKey" => {
            let key = entry.map_or(typ, |(key, _)| key);
            ("CONTAINS KEY", values::read(value, key)?)
        }
        "containsEntry" if value.is_null() => return Err(RunError::null(operator)),
        "containsEntry" => {
            let (key_type, value_type) = entry.unwrap_or((typ, typ));
            let member = |name| value.get(name).unwrap_or(&Value::Null);
            let key = values::read(member("key"), key_type)?;
            let value = values::read(member("value"), value_type)?;
            return Ok(cql::entry(&column.name, key).op("=", value));
        }
        other => {
            let operator = match other {
                "notEq" => "!=",
                "gt" => ">",
                "gte" => ">=",
                "lt" => "<",
                "lte" => "<=",
                _ => "=",
            };
            (operator, values::read(value, typ)?)
        }
    };
    Ok(cql::column(&column.name).op(operator, value))
}

/// Returns the members of an input object of a table, with their columns.
pub fn members<'a>(
    table: &'a Table,
    value: &'a Value,
) -> impl Iterator<Item = (&'a Column, &'a Value)> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let given = value.as_object().unwrap_or(&NONE);
    let found = |name: &str| {
        let mut columns = table.columns.iter();
        columns.find(|column| names::column(&column.name) == name)
    };
    given
        .iter()
        .filter_map(move |(name, value)| Some((found(name)?, value)))
}
