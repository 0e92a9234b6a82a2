//! CQL values from GraphQL's, and back: scalars as everywhere in GraphQL, the rest by the type of the column.

use scylla::cluster::metadata::{CollectionType, ColumnType};
use scylla::value::CqlValue;
use serde_json::{Map, Value};

use super::{names, types};
use crate::graphql::run::RunError;
use crate::graphql::scalars;

/// Reads a value; null is null.
///
/// # Errors
/// For a value that does not fit.
pub fn read(value: &Value, typ: &ColumnType<'_>) -> Result<Option<CqlValue>, RunError> {
    if value.is_null() {
        return Ok(None);
    }
    if let Some(element) = types::element(typ) {
        let items = items(value, element)?;
        return Ok(Some(match typ {
            ColumnType::Vector { .. } => CqlValue::Vector(items),
            ColumnType::Collection {
                typ: CollectionType::Set(_),
                ..
            } => CqlValue::Set(items),
            _ => CqlValue::List(items),
        }));
    }
    if let Some((key, item)) = types::entry(typ) {
        let entries = list(value).iter().map(|entry| {
            let member = |name| entry.get(name).unwrap_or(&Value::Null);
            Ok((inner(member("key"), key)?, inner(member("value"), item)?))
        });
        return Ok(Some(CqlValue::Map(
            entries.collect::<Result<_, RunError>>()?,
        )));
    }
    Ok(Some(match typ {
        ColumnType::Native(native) => scalars::read(value, native).map_err(RunError::Invalid)?,
        ColumnType::Tuple(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(at, typ)| member(value, &format!("item{at}"), typ));
            CqlValue::Tuple(items.collect::<Result<_, _>>()?)
        }
        ColumnType::UserDefinedType { definition, .. } => {
            let fields = definition.field_types.iter().map(|(field, typ)| {
                let value = member(value, &names::column(field), typ)?;
                Ok((field.to_string(), value))
            });
            CqlValue::UserDefinedType {
                keyspace: definition.keyspace.to_string(),
                name: definition.name.to_string(),
                fields: fields.collect::<Result<_, RunError>>()?,
            }
        }
        _ => return Err(RunError::Invalid("Unsupported CQL type".to_owned())),
    }))
}

fn member(value: &Value, name: &str, typ: &ColumnType<'_>) -> Result<Option<CqlValue>, RunError> {
    read(value.get(name).unwrap_or(&Value::Null), typ)
}

/// A single value stands for a list of it.
fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn items(value: &Value, element: &ColumnType<'_>) -> Result<Vec<CqlValue>, RunError> {
    list(value)
        .iter()
        .map(|value| inner(value, element))
        .collect()
}

fn inner(value: &Value, typ: &ColumnType<'_>) -> Result<CqlValue, RunError> {
    let refused = || RunError::Invalid("null is not supported inside collections".to_owned());
    read(value, typ)?.ok_or_else(refused)
}

/// Reads the values of an `in`, as the one list that its marker takes.
///
/// # Errors
/// For a value that does not fit.
pub fn read_list(value: &Value, typ: &ColumnType<'_>) -> Result<Option<CqlValue>, RunError> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(CqlValue::List(items(value, typ)?)))
}

/// What was sent, in the form in which it is answered.
pub fn echo(value: Option<&CqlValue>, typ: &ColumnType<'_>) -> Value {
    value.map_or(Value::Null, |value| written(value, typ, &echo))
}

/// A value from Cassandra: what is empty is null.
pub fn write(value: Option<&CqlValue>, typ: &ColumnType<'_>) -> Value {
    match value {
        None => Value::Null,
        Some(CqlValue::List(items) | CqlValue::Set(items)) if items.is_empty() => Value::Null,
        Some(CqlValue::Map(entries)) if entries.is_empty() => Value::Null,
        Some(CqlValue::Empty) => Value::Null,
        Some(value) => written(value, typ, &write),
    }
}

type Write<'a> = &'a dyn Fn(Option<&CqlValue>, &ColumnType<'_>) -> Value;

fn written(value: &CqlValue, typ: &ColumnType<'_>, write: Write<'_>) -> Value {
    match (value, typ) {
        (CqlValue::List(items) | CqlValue::Set(items) | CqlValue::Vector(items), typ) => {
            let Some(element) = types::element(typ) else {
                return Value::Null;
            };
            Value::Array(
                items
                    .iter()
                    .map(|item| write(Some(item), element))
                    .collect(),
            )
        }
        (CqlValue::Map(entries), typ) => {
            let Some((key_type, value_type)) = types::entry(typ) else {
                return Value::Null;
            };
            let entries = entries.iter().map(|(key, value)| {
                let mut entry = Map::new();
                entry.insert("key".to_owned(), write(Some(key), key_type));
                entry.insert("value".to_owned(), write(Some(value), value_type));
                Value::Object(entry)
            });
            Value::Array(entries.collect())
        }
        (CqlValue::Tuple(items), ColumnType::Tuple(item_types)) => {
            let items = items.iter().zip(item_types).enumerate();
            let items =
                items.map(|(at, (item, typ))| (format!("item{at}"), write(item.as_ref(), typ)));
            Value::Object(items.collect())
        }
        (
            CqlValue::UserDefinedType { fields, .. },
            ColumnType::UserDefinedType { definition, .. },
        ) => {
            let members = definition.field_types.iter().map(|(field, typ)| {
                let value = fields.iter().find(|(name, _)| name == field);
                let value = value.and_then(|(_, value)| value.as_ref());
                (names::column(field), write(value, typ))
            });
            Value::Object(members.collect())
        }
        (value, ColumnType::Native(native)) => scalars::write(value, native),
        _ => Value::Null,
    }
}
