//! CQL values from JSON.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use scylla::value::{Counter, CqlTimestamp, CqlValue, CqlVarint};
use serde_json::Value;

use super::json_out::java_text;
use super::numbers::{self, JsonNumber};
use super::text_in::{self, from_text};
use super::{Maps, ValueError};

/// Reads a JSON value of a row: null is null, a text is read as [`from_text`] does, all else as [`from_json_strictly`]
/// does.
///
/// # Errors
/// [`ValueError`] if the value does not fit the type.
pub fn from_json(
    value: &Value,
    typ: &ColumnType<'_>,
    maps: Maps,
) -> Result<Option<CqlValue>, ValueError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => from_text(text, typ, maps).map(Some),
        other => from_json_strictly(other, typ, maps).map(Some),
    }
}

/// Reads a JSON value of the kind that the type requires, as inside a collection: a text is not accepted as a number.
/// Null fits only a text, which becomes `null`.
///
/// # Errors
/// [`ValueError`] if the value does not fit the type.
pub fn from_json_strictly(
    value: &Value,
    typ: &ColumnType<'_>,
    maps: Maps,
) -> Result<CqlValue, ValueError> {
    let wrong = || ValueError::kind(value, typ);
    match (typ, value) {
        (ColumnType::Native(native), value) => scalar(value, native, typ, maps),
        (ColumnType::Collection { typ: kind, .. }, value) => match (kind, value, maps) {
            (CollectionType::List(element), Value::Array(values), _) => {
                Ok(CqlValue::List(each(values, element, maps)?))
            }
            (CollectionType::Set(element), Value::Array(values), _) => {
                Ok(CqlValue::Set(each(values, element, maps)?))
            }
            (CollectionType::Map(key_type, value_type), Value::Object(members), Maps::Compact) => {
                let mut pairs = Vec::with_capacity(members.len());
                for (key, value) in members {
                    let key = from_json_strictly(&Value::String(key.clone()), key_type, maps)?;
                    pairs.push((key, from_json_strictly(value, value_type, maps)?));
                }
                Ok(CqlValue::Map(pairs))
            }
            (CollectionType::Map(key_type, value_type), Value::Array(entries), Maps::Entries) => {
                let mut pairs = Vec::with_capacity(entries.len());
                for entry in entries {
                    let members = entry
                        .as_object()
                        .ok_or_else(|| ValueError::kind(entry, typ))?;
                    if members.len() != 2 {
                        return Err(ValueError::MapEntrySize);
                    }
                    let key = members.get("key").ok_or(ValueError::MapEntryKey)?;
                    let value = members.get("value").ok_or(ValueError::MapEntryValue)?;
                    let key = from_json_strictly(key, key_type, maps)?;
                    pairs.push((key, from_json_strictly(value, value_type, maps)?));
                }
                Ok(CqlValue::Map(pairs))
            }
            _ => Err(wrong()),
        },
        (ColumnType::Vector { typ, dimensions }, Value::Array(values)) => {
            if values.len() != usize::from(*dimensions) {
                return Err(ValueError::VectorSize {
                    wanted: usize::from(*dimensions),
                    found: values.len(),
                });
            }
            Ok(CqlValue::Vector(each(values, typ, maps)?))
        }
        (ColumnType::Tuple(types), Value::Array(values)) => {
            if values.len() != types.len() {
                return Err(ValueError::TupleSize {
                    wanted: types.len(),
                    found: values.len(),
                });
            }
            let fields = values.iter().zip(types);
            let fields = fields.map(|(value, typ)| from_json_strictly(value, typ, maps).map(Some));
            Ok(CqlValue::Tuple(fields.collect::<Result<_, _>>()?))
        }
        (ColumnType::UserDefinedType { definition, .. }, Value::Object(members)) => {
            let known = |name: &str| definition.field_types.iter().any(|(n, _)| n == name);
            if let Some(unknown) = members.keys().find(|name| !known(name)) {
                return Err(ValueError::NoField {
                    udt: definition.name.to_string(),
                    field: unknown.clone(),
                });
            }
            let mut fields = Vec::with_capacity(definition.field_types.len());
            for (name, typ) in &definition.field_types {
                let value = members.get(name.as_ref());
                let value = value.map(|value| from_json_strictly(value, typ, maps));
                fields.push((name.to_string(), value.transpose()?));
            }
            Ok(CqlValue::UserDefinedType {
                keyspace: definition.keyspace.to_string(),
                name: definition.name.to_string(),
                fields,
            })
        }
        _ => Err(wrong()),
    }
}

fn each(values: &[Value], typ: &ColumnType<'_>, maps: Maps) -> Result<Vec<CqlValue>, ValueError> {
    let values = values.iter();
    values
        .map(|value| from_json_strictly(value, typ, maps))
        .collect()
}

fn scalar(
    value: &Value,
    native: &NativeType,
    typ: &ColumnType<'_>,
    maps: Maps,
) -> Result<CqlValue, ValueError> {
    let wrong = || ValueError::kind(value, typ);
    Ok(match (native, value) {
        (NativeType::Ascii, value) => CqlValue::Ascii(java_text(value)),
        (NativeType::Text, value) => CqlValue::Text(java_text(value)),
        (NativeType::Boolean, Value::Bool(value)) => CqlValue::Boolean(*value),
        (
            NativeType::Uuid
            | NativeType::Timeuuid
            | NativeType::Inet
            | NativeType::Timestamp
            | NativeType::Date
            | NativeType::Time
            | NativeType::Duration
            | NativeType::Blob,
            Value::String(text),
        ) => text_in::read(text, typ, maps)?,
        (_, Value::Number(number)) => {
            let number = JsonNumber::read(number);
            match native {
                NativeType::Int => CqlValue::Int(number.to_i32()),
                NativeType::SmallInt => CqlValue::SmallInt(number.to_i32() as i16),
                NativeType::TinyInt => CqlValue::TinyInt(number.to_i32() as i8),
                NativeType::BigInt => CqlValue::BigInt(number.to_i64()),
                NativeType::Counter => CqlValue::Counter(Counter(number.to_i64())),
                NativeType::Float => CqlValue::Float(number.to_f32()),
                NativeType::Double => CqlValue::Double(number.to_f64()),
                NativeType::Varint => {
                    let integer = number
                        .to_big()
                        .ok_or_else(|| ValueError::Fraction(number.text()))?;
                    CqlValue::Varint(CqlVarint::from(integer))
                }
                NativeType::Decimal => {
                    let decimal = numbers::read_decimal(&number.text());
                    CqlValue::Decimal(decimal.ok_or_else(|| ValueError::Fraction(number.text()))?)
                }
                NativeType::Timestamp => match number {
                    JsonNumber::Long(millis) => CqlValue::Timestamp(CqlTimestamp(millis)),
                    _ => return Err(wrong()),
                },
                _ => return Err(wrong()),
            }
        }
        _ => return Err(wrong()),
    })
}
