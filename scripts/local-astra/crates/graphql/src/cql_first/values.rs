//! Conversion of GraphQL values to CQL and back: scalars as in all GraphQL APIs, the rest by the type of the column.

use scylla::cluster::metadata::{CollectionType, ColumnType};
use scylla::value::CqlValue;
use serde_json::{Map, Value};

use super::{names, types};
use crate::run::RunError;
use crate::scalars;
use crate::variables::list;

/// Reads a value; null remains null.
///
/// # Errors
/// The value does not fit.
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
            // A member may be null, but as in Stargate it has to be there.
            if value
                .as_object()
                .is_none_or(|given| given.len() < items.len())
            {
                let text = format!("Expected {} members of the tuple", items.len());
                return Err(RunError::Invalid(text));
            }
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

/// Reads the values of an `in` as one list, for its single marker.
///
/// # Errors
/// A value does not fit.
pub fn read_list(value: &Value, typ: &ColumnType<'_>) -> Result<Option<CqlValue>, RunError> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(CqlValue::List(items(value, typ)?)))
}

/// Converts a value for a response. An empty collection remains empty where Cassandra stores it, which is only the case
/// inside frozen types.
pub fn write(value: Option<&CqlValue>, typ: &ColumnType<'_>) -> Value {
    let is_list = || types::element(typ).is_some() || types::entry(typ).is_some();
    match value {
        Some(CqlValue::Empty) if is_list() => Value::Array(Vec::new()),
        None | Some(CqlValue::Empty) => Value::Null,
        Some(value) => written(value, typ),
    }
}

fn written(value: &CqlValue, typ: &ColumnType<'_>) -> Value {
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

#[cfg(test)]
mod tests {
    use scylla::cluster::metadata::NativeType;
    use serde_json::json;

    use super::*;

    fn list(element: ColumnType<'static>) -> ColumnType<'static> {
        ColumnType::Collection {
            frozen: true,
            typ: CollectionType::List(Box::new(element)),
        }
    }

    #[test]
    fn an_empty_collection_is_no_null() {
        let int = ColumnType::Native(NativeType::Int);
        for (given, typ) in [
            (json!([]), list(int.clone())),
            (json!([[], [1]]), list(list(int.clone()))),
        ] {
            let read = read(&given, &typ).unwrap();
            assert_eq!(write(read.as_ref(), &typ), given);
        }
        let empty = Some(CqlValue::Empty);
        assert_eq!(write(empty.as_ref(), &list(int.clone())), json!([]));
        assert_eq!(write(empty.as_ref(), &int), Value::Null);
    }

    #[test]
    fn a_tuple_has_all_of_its_members() {
        let int = ColumnType::Native(NativeType::Int);
        let typ = ColumnType::Tuple(vec![int.clone(), int]);
        assert!(read(&json!({"item0": 5, "item1": null}), &typ).is_ok());
        for given in [json!({"item0": 5}), json!({})] {
            assert!(read(&given, &typ).is_err(), "{given}");
        }
    }
}
