//! `value` and `filter` as the conditions of a WHERE or an IF.

use scylla::value::CqlValue;
use serde_json::{Map, Value};

use super::{names, types, values};
use crate::run::RunError;
use store::types::quote;
use store::{Column, Table};

/// Relations in CQL, with their bound values.
#[derive(Default)]
pub struct Relations {
    cql: Vec<String>,
    pub values: Vec<Option<CqlValue>>,
}

impl Relations {
    /// Joins the relations by AND, after a keyword; empty if there are none.
    pub fn clause(&self, keyword: &str) -> String {
        match self.cql.as_slice() {
            [] => String::new(),
            relations => format!(" {keyword} {}", relations.join(" AND ")),
        }
    }

    /// Adds a relation without a value, such as EXISTS.
    pub fn push_plain(&mut self, cql: &str) {
        self.cql.push(cql.to_owned());
    }

    /// Adds `column = ?`.
    pub fn push_equal(&mut self, column: &str, value: Option<CqlValue>) {
        self.push(format!("{} = ?", quote(column)), value);
    }

    fn push(&mut self, cql: String, value: Option<CqlValue>) {
        self.cql.push(cql);
        self.values.push(value);
    }

    /// Adds every operator of every column of a filter. A filter can be null, but its members cannot.
    ///
    /// # Errors
    /// A value does not fit.
    pub fn push_filter(&mut self, table: &Table, filter: &Value) -> Result<(), RunError> {
        for (column, operators) in members(table, filter) {
            let operators = operators
                .as_object()
                .ok_or_else(|| RunError::null(&column.name))?;
            for (operator, value) in operators {
                self.push_operator(column, operator, value)?;
            }
        }
        Ok(())
    }

    fn push_operator(
        &mut self,
        column: &Column,
        operator: &str,
        value: &Value,
    ) -> Result<(), RunError> {
        let name = quote(&column.name);
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
                self.values.push(values::read(member("key"), key_type)?);
                let value = values::read(member("value"), value_type)?;
                self.push(format!("{name}[?] = ?"), value);
                return Ok(());
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
        self.push(format!("{name} {operator} ?"), value);
        Ok(())
    }
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
