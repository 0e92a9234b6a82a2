//! CQL values as JSON.

use std::borrow::Cow;

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use scylla::value::CqlValue;
use serde_json::{Map, Value};

use super::numbers::{self, JsonNumber};
use super::{Maps, blob, duration, inet, time};

/// A value of a column as JSON. A null collection is an empty one, a null user-defined type an empty object;
/// `typ` says what a null stands for.
pub fn to_json(value: Option<&CqlValue>, typ: &ColumnType<'_>, maps: Maps) -> Value {
    let Some(value) = value else {
        return null(typ, maps);
    };
    let each = |values: &[CqlValue]| {
        let typ = element_type(typ);
        let values = values.iter().map(|value| to_json(Some(value), &typ, maps));
        Value::Array(values.collect())
    };
    match value {
        CqlValue::Ascii(text) | CqlValue::Text(text) => Value::String(text.clone()),
        CqlValue::Boolean(value) => Value::Bool(*value),
        CqlValue::TinyInt(value) => Value::from(*value),
        CqlValue::SmallInt(value) => Value::from(*value),
        CqlValue::Int(value) => Value::from(*value),
        CqlValue::BigInt(value) => Value::from(*value),
        CqlValue::Counter(value) => Value::String(value.0.to_string()),
        CqlValue::Varint(value) => {
            let bytes = value.as_signed_bytes_be_slice();
            numbers::number(&num_bigint::BigInt::from_signed_bytes_be(bytes).to_string())
        }
        CqlValue::Decimal(value) => numbers::number(&numbers::decimal_text(value)),
        CqlValue::Float(value) => numbers::number(&numbers::single_text(*value)),
        CqlValue::Double(value) => numbers::number(&numbers::double_text(*value)),
        CqlValue::Uuid(value) => Value::String(value.to_string()),
        CqlValue::Timeuuid(value) => Value::String(value.to_string()),
        CqlValue::Blob(bytes) => Value::String(blob::to_base64(bytes)),
        CqlValue::Inet(address) => Value::String(inet::text(address)),
        CqlValue::Date(date) => Value::String(time::date_text(*date)),
        CqlValue::Time(time) => Value::String(time::time_text(*time)),
        CqlValue::Timestamp(timestamp) => Value::String(time::timestamp_text(*timestamp)),
        CqlValue::Duration(value) => Value::String(duration::text(value)),
        CqlValue::List(values) | CqlValue::Set(values) | CqlValue::Vector(values) => each(values),
        CqlValue::Map(pairs) => map(pairs, typ, maps),
        CqlValue::Tuple(fields) => {
            let types: &[ColumnType<'_>] = match typ {
                ColumnType::Tuple(types) => types,
                _ => &[],
            };
            let fields = fields.iter().enumerate();
            let fields = fields.map(|(at, field)| {
                to_json(field.as_ref(), types.get(at).unwrap_or(&UNKNOWN), maps)
            });
            Value::Array(fields.collect())
        }
        CqlValue::UserDefinedType { fields, .. } => {
            let types: &[_] = match typ {
                ColumnType::UserDefinedType { definition, .. } => &definition.field_types,
                _ => &[],
            };
            let fields = fields.iter().map(|(name, value)| {
                let typ = types
                    .iter()
                    .find(|(n, _)| n == name)
                    .map_or(&UNKNOWN, |(_, t)| t);
                (name.clone(), to_json(value.as_ref(), typ, maps))
            });
            Value::Object(fields.collect())
        }
        // The enum is open; an empty value of a type that has none is nothing.
        _ => Value::Null,
    }
}

/// For a null whose type is not known: it stays null.
const UNKNOWN: ColumnType<'static> = ColumnType::Native(NativeType::Blob);

fn null(typ: &ColumnType<'_>, maps: Maps) -> Value {
    match typ {
        ColumnType::Collection { typ, .. } => match (typ, maps) {
            (CollectionType::Map(..), Maps::Compact) => Value::Object(Map::new()),
            _ => Value::Array(Vec::new()),
        },
        ColumnType::UserDefinedType { .. } => Value::Object(Map::new()),
        _ => Value::Null,
    }
}

fn element_type<'a>(typ: &'a ColumnType<'a>) -> Cow<'a, ColumnType<'a>> {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::List(element) | CollectionType::Set(element),
            ..
        }
        | ColumnType::Vector { typ: element, .. } => Cow::Borrowed(element),
        _ => Cow::Owned(UNKNOWN),
    }
}

fn map(pairs: &[(CqlValue, CqlValue)], typ: &ColumnType<'_>, maps: Maps) -> Value {
    let (key_type, value_type): (&ColumnType<'_>, &ColumnType<'_>) = match typ {
        ColumnType::Collection {
            typ: CollectionType::Map(key, value),
            ..
        } => (key, value),
        _ => (&UNKNOWN, &UNKNOWN),
    };
    let pairs = pairs.iter().map(|(key, value)| {
        let json = to_json(Some(key), key_type, maps);
        (key, json, to_json(Some(value), value_type, maps))
    });
    match maps {
        Maps::Compact => {
            let members = pairs.map(|(key, json, value)| match key {
                // Jackson has no words for an address as a member's name and takes Java's.
                CqlValue::Inet(_) => (format!("/{}", java_text(&json)), value),
                CqlValue::Decimal(decimal) => (numbers::decimal_text(decimal), value),
                _ => (java_text(&json), value),
            });
            Value::Object(members.collect())
        }
        Maps::Entries => {
            let entries = pairs.map(|(_, key, value)| {
                let entry = [("key".to_owned(), key), ("value".to_owned(), value)];
                Value::Object(entry.into_iter().collect())
            });
            Value::Array(entries.collect())
        }
    }
}

/// A JSON value as Java prints what it made of it: `5`, `1.0`, `[a, 1]`, `{k=v}`.
pub(super) fn java_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => JsonNumber::read(number).text(),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(java_text).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| format!("{name}={}", java_text(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}
