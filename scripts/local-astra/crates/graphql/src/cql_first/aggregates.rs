//! The `_…_function` fields of a table: calls of CQL's aggregates, whose values must fit the field.

use scylla::cluster::metadata::NativeType;
use scylla::value::CqlValue;
use serde_json::Value;

use super::{names, sdl};
use crate::run::RunError;
use crate::scalars;
use store::cql::{self, Expression};
use store::types::quote;
use store::{Rows, Table};

const CALLS: [&str; 5] = ["count", "avg", "min", "max", "sum"];

/// Returns the aggregate field of a name.
pub fn function(name: &str) -> Option<&'static str> {
    let mut all = sdl::FUNCTIONS.iter();
    all.find(|(field, _)| *field == name)
        .map(|(field, _)| *field)
}

/// An aggregate field.
#[derive(Debug)]
pub struct Aggregate {
    field: &'static str,
    call: Call,
}

#[derive(Debug)]
enum Call {
    /// Function and column.
    Known(&'static str, String),
    /// An unknown function, for which no query is sent to Cassandra. A real Stargate reads the column that has the name
    /// of the alias instead; without such a column each row fails.
    Unknown { name: String, alias: Option<String> },
}

impl Aggregate {
    /// Reads the arguments of a field.
    ///
    /// # Errors
    /// A known function without exactly one column.
    pub fn read(
        table: &Table,
        field: &'static str,
        alias: Option<&str>,
        name: &Value,
        args: &Value,
    ) -> Result<Aggregate, RunError> {
        let name = name.as_str().unwrap_or_default();
        let known = CALLS.iter().find(|known| known.eq_ignore_ascii_case(name));
        let Some(function) = known else {
            let (name, alias) = (name.to_owned(), alias.map(str::to_owned));
            let call = Call::Unknown { name, alias };
            return Ok(Aggregate { field, call });
        };
        let columns: Vec<&str> = match args {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            Value::String(single) => vec![single],
            _ => Vec::new(),
        };
        let [column] = columns.as_slice() else {
            return Err(RunError::Invalid(format!(
                "The {function} function takes only one argument, but more arguments: [{}] were provided.",
                columns.join(", ")
            )));
        };
        let mut all = table.columns.iter();
        let found = all.find(|found| names::column(&found.name) == *column).ok_or_else(|| {
            RunError::Invalid(format!(
                "The column name: {column} provided for the {function} function does not exists."
            ))
        })?;
        let call = Call::Known(function, found.name.clone());
        Ok(Aggregate { field, call })
    }

    /// Returns the call, with the name of the field as an alias, so that it does not collide with a column.
    pub fn selector(&self) -> Option<Expression> {
        match &self.call {
            Call::Known(function, column) => {
                let (column, alias) = (quote(column), quote(self.field));
                Some(cql::raw(format!("{function}({column}) AS {alias}")))
            }
            Call::Unknown { .. } => None,
        }
    }

    /// Returns the field and its value in a row.
    ///
    /// # Errors
    /// A missing value, one of another kind than the field's, or an unknown function.
    pub fn field_value(
        &self,
        rows: &Rows,
        row: &[Option<CqlValue>],
    ) -> Result<(String, Value), RunError> {
        let mut columns = rows.columns.iter().zip(row);
        let found = match &self.call {
            Call::Known(..) => columns.rfind(|((name, _), _)| name == self.field),
            Call::Unknown { name, alias: None } => {
                return Err(RunError::Invalid(format!(
                    "The aggregation function: {name} is not supported."
                )));
            }
            Call::Unknown {
                alias: Some(alias), ..
            } => {
                let found = columns.find(|((name, _), _)| name == alias);
                let missing = || RunError::Invalid(format!("Column '{alias}' does not exist"));
                Some(found.ok_or_else(missing)?)
            }
        };
        let value = found.and_then(|(_, value)| value.as_ref());
        Ok((self.field.to_owned(), converted(self.field, value)?))
    }
}

/// Converts a value. Integers can have any type if they are in range. Other numbers must have the field's type.
fn converted(field: &str, value: Option<&CqlValue>) -> Result<Value, RunError> {
    let (value, native) = fitting(field, value).ok_or_else(|| {
        let received = value.map_or("NULL".to_owned(), |value| format!("{value:?}"));
        RunError::Invalid(format!("{received} is no value of {field}"))
    })?;
    Ok(scalars::write(&value, &native))
}

fn fitting(field: &str, value: Option<&CqlValue>) -> Option<(CqlValue, NativeType)> {
    let value = value?;
    let native = match (field, value) {
        ("_double_function", CqlValue::Double(_)) => NativeType::Double,
        ("_float_function", CqlValue::Float(_)) => NativeType::Float,
        ("_decimal_function", CqlValue::Decimal(_)) => NativeType::Decimal,
        ("_varint_function", CqlValue::Varint(_)) => NativeType::Varint,
        _ => {
            let integer = integer(value)?;
            return Some(match field {
                "_int_function" => (CqlValue::Int(integer.try_into().ok()?), NativeType::Int),
                "_bigint_function" => (CqlValue::BigInt(integer), NativeType::BigInt),
                "_smallint_function" => (
                    CqlValue::SmallInt(integer.try_into().ok()?),
                    NativeType::SmallInt,
                ),
                "_tinyint_function" => (
                    CqlValue::TinyInt(integer.try_into().ok()?),
                    NativeType::TinyInt,
                ),
                _ => return None,
            });
        }
    };
    Some((value.clone(), native))
}

/// Returns the value of a type that Stargate stores in 64 bits.
fn integer(value: &CqlValue) -> Option<i64> {
    Some(match value {
        CqlValue::TinyInt(value) => i64::from(*value),
        CqlValue::SmallInt(value) => i64::from(*value),
        CqlValue::Int(value) => i64::from(*value),
        CqlValue::BigInt(value) => *value,
        CqlValue::Counter(value) => value.0,
        CqlValue::Timestamp(value) => value.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use scylla::cluster::metadata::ColumnType;
    use scylla::value::{CqlTimestamp, CqlVarint};
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_pass_for_each_other_in_range() {
        for (field, value, wanted) in [
            ("_int_function", CqlValue::BigInt(2), json!(2)),
            ("_bigint_function", CqlValue::Int(3), json!("3")),
            ("_smallint_function", CqlValue::BigInt(-4), json!(-4)),
            ("_tinyint_function", CqlValue::SmallInt(5), json!(5)),
            (
                "_bigint_function",
                CqlValue::Timestamp(CqlTimestamp(6)),
                json!("6"),
            ),
            ("_double_function", CqlValue::Double(1.5), json!(1.5)),
            (
                "_varint_function",
                CqlValue::Varint(CqlVarint::from_signed_bytes_be_slice(&[7])),
                json!("7"),
            ),
        ] {
            assert_eq!(converted(field, Some(&value)).unwrap(), wanted, "{field}");
        }
        for (field, value) in [
            ("_int_function", Some(CqlValue::BigInt(1 << 31))),
            ("_tinyint_function", Some(CqlValue::Int(128))),
            ("_int_function", Some(CqlValue::Text("5".to_owned()))),
            ("_int_function", None),
            ("_double_function", Some(CqlValue::Int(1))),
            ("_double_function", Some(CqlValue::Float(1.0))),
            ("_float_function", Some(CqlValue::Double(1.0))),
            ("_decimal_function", Some(CqlValue::Int(1))),
            ("_varint_function", Some(CqlValue::BigInt(1))),
        ] {
            assert!(converted(field, value.as_ref()).is_err(), "{field}");
        }
    }
    #[test]
    fn an_unknown_function_reads_the_column_of_its_alias() {
        let table = Table {
            keyspace: "ks".to_owned(),
            name: "t".to_owned(),
            columns: Vec::new(),
            default_time_to_live: 0,
            comment: String::new(),
            indexes: Vec::new(),
            is_view: false,
        };
        let rows = Rows {
            columns: vec![
                ("title".to_owned(), ColumnType::Native(NativeType::Text)),
                ("pages".to_owned(), ColumnType::Native(NativeType::Int)),
            ],
            ..Rows::default()
        };
        let row = [
            Some(CqlValue::Text("Saga".to_owned())),
            Some(CqlValue::Int(7)),
        ];
        let value_of = |alias| {
            let (name, args) = (json!("nope"), json!(["a", "b"]));
            let read = Aggregate::read(&table, "_int_function", alias, &name, &args).unwrap();
            assert_eq!(read.selector(), None);
            read.field_value(&rows, &row)
        };
        let found = value_of(Some("pages")).unwrap();
        assert_eq!(found, ("_int_function".to_owned(), json!(7)));
        for alias in [None, Some("title"), Some("x")] {
            assert!(value_of(alias).is_err(), "{alias:?}");
        }
    }
}
