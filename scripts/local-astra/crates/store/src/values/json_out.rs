//! CQL values as JSON.

use std::borrow::Cow;

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use scylla::value::CqlValue;
use serde_json::{Map, Value};

use super::numbers::{self, JsonNumber};
use super::{Maps, blob, duration, inet, time};

/// Converts a value to JSON. A null collection becomes an empty one, a null user-defined type an empty object,
/// depending on `typ`.
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
            let fields = fields.iter().enumerate();
            let fields =
                fields.map(|(at, field)| to_json(field.as_ref(), item_type(typ, at), maps));
            Value::Array(fields.collect())
        }
        CqlValue::UserDefinedType { fields, .. } => {
            let fields = fields.iter().map(|(name, value)| {
                let value = to_json(value.as_ref(), field_type(typ, name), maps);
                (name.clone(), value)
            });
            Value::Object(fields.collect())
        }
        // The enum is open. An empty value of a type without empty values is null.
        _ => Value::Null,
    }
}

/// Type for a null of unknown type, which remains null.
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

fn entry_type<'a>(typ: &'a ColumnType<'a>) -> (&'a ColumnType<'a>, &'a ColumnType<'a>) {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::Map(key, value),
            ..
        } => (key, value),
        _ => (&UNKNOWN, &UNKNOWN),
    }
}

fn item_type<'a>(typ: &'a ColumnType<'a>, at: usize) -> &'a ColumnType<'a> {
    match typ {
        ColumnType::Tuple(types) => types.get(at).unwrap_or(&UNKNOWN),
        _ => &UNKNOWN,
    }
}

fn field_type<'a>(typ: &'a ColumnType<'a>, name: &str) -> &'a ColumnType<'a> {
    match typ {
        ColumnType::UserDefinedType { definition, .. } => {
            let mut types = definition.field_types.iter();
            types
                .find(|(field, _)| field == name)
                .map_or(&UNKNOWN, |(_, typ)| typ)
        }
        _ => &UNKNOWN,
    }
}

fn map(pairs: &[(CqlValue, CqlValue)], typ: &ColumnType<'_>, maps: Maps) -> Value {
    let (key_type, value_type) = entry_type(typ);
    let pairs = pairs
        .iter()
        .map(|(key, value)| (key, to_json(Some(value), value_type, maps)));
    match maps {
        Maps::Compact => {
            let members = pairs.map(|(key, value)| (name(Some(key), key_type, maps), value));
            Value::Object(members.collect())
        }
        Maps::Entries => {
            let entries = pairs.map(|(key, value)| {
                let key = to_json(Some(key), key_type, maps);
                let entry = [("key".to_owned(), key), ("value".to_owned(), value)];
                Value::Object(entry.into_iter().collect())
            });
            Value::Array(entries.collect())
        }
    }
}

/// Formats a value as the name of a member: Java's `toString` of Stargate's object. Therefore an address begins with a
/// slash, and a time has its shortest form, also inside other values.
fn name(value: Option<&CqlValue>, typ: &ColumnType<'_>, maps: Maps) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    let object = |members: Vec<String>| format!("{{{}}}", members.join(", "));
    match value {
        Some(CqlValue::Inet(address)) => format!("/{}", inet::text(address)),
        Some(CqlValue::Time(time)) => time::time_name(*time),
        Some(CqlValue::Decimal(decimal)) => numbers::decimal_text(decimal),
        Some(CqlValue::List(values) | CqlValue::Set(values) | CqlValue::Vector(values)) => {
            let element = element_type(typ);
            let values = values.iter();
            list(
                values
                    .map(|value| name(Some(value), &element, maps))
                    .collect(),
            )
        }
        Some(CqlValue::Tuple(fields)) => {
            let fields = fields.iter().enumerate();
            let fields = fields.map(|(at, field)| name(field.as_ref(), item_type(typ, at), maps));
            list(fields.collect())
        }
        Some(CqlValue::Map(pairs)) => {
            let (key_type, value_type) = entry_type(typ);
            let pairs = pairs.iter().map(|(key, value)| {
                let key = name(Some(key), key_type, maps);
                (key, name(Some(value), value_type, maps))
            });
            match maps {
                Maps::Compact => {
                    object(pairs.map(|(key, value)| format!("{key}={value}")).collect())
                }
                Maps::Entries => list(
                    pairs
                        .map(|(key, value)| format!("{{key={key}, value={value}}}"))
                        .collect(),
                ),
            }
        }
        Some(CqlValue::UserDefinedType { fields, .. }) => {
            let fields = fields.iter().map(|(field, value)| {
                let text = name(value.as_ref(), field_type(typ, field), maps);
                format!("{field}={text}")
            });
            object(fields.collect())
        }
        other => java_text(&to_json(other, typ, maps)),
    }
}

/// Formats a JSON value as Java prints the object it becomes: `5`, `1.0`, `[a, 1]`, `{k=v}`.
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
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}={}", java_text(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::from;

    #[test]
    fn times_are_as_jackson_writes_them_and_names_as_java_prints_them() {
        for (cql, text, wanted) in [
            ("time", "08:30", r#""08:30:00""#),
            ("time", "08:30:00.5", r#""08:30:00.5""#),
            ("list<time>", "['08:30']", r#"["08:30:00"]"#),
            (
                "map<text, time>",
                "{a: '08:30:00.04'}",
                r#"{"a":"08:30:00.04"}"#,
            ),
            (
                "map<time, int>",
                "{'08:30': 1, '01:02:03.04': 2}",
                r#"{"08:30":1,"01:02:03.040":2}"#,
            ),
            (
                "map<frozen<list<inet>>, time>",
                "{['10.0.0.1', '::1']: '08:30'}",
                r#"{"[/10.0.0.1, /0:0:0:0:0:0:0:1]":"08:30:00"}"#,
            ),
            (
                "map<frozen<map<time, inet>>, int>",
                "{{'08:30': '10.0.0.1'}: 1}",
                r#"{"{08:30=/10.0.0.1}":1}"#,
            ),
            (
                "map<frozen<tuple<time, double>>, int>",
                "{('08:30:00.5', 1): 1, ('08:30'): 2}",
                r#"{"[08:30:00.500, 1.0]":1,"[08:30, null]":2}"#,
            ),
            (
                "map<double, decimal>",
                "{5e-324: 1e3, 1: 1.50}",
                r#"{"4.9E-324":1E+3,"1.0":1.50}"#,
            ),
        ] {
            assert_eq!(from(cql, text).as_deref(), Ok(wanted), "{text}");
        }
    }
}
