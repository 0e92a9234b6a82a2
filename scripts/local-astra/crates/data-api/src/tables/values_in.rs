//! Values from JSON. Stricter than the other interfaces: nothing is cut, and a text is no number.

use std::cell::Cell;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType, UserDefinedType};
use scylla::value::{CqlTimestamp, CqlValue, CqlVarint};

use super::types::{ApiType, cql_definition};
use crate::collections::extended;
use crate::collections::extended::Extension;
use crate::json::{Decimal, Json, Members};
use store::values::{duration, inet, time, uuid};

/// Base64 of MIME and URLs, with or without padding.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The reason why a value does not fit a type.
pub type Misfit = String;

/// Reads a value of a column; null is none.
///
/// # Errors
/// For a value that does not fit the type.
pub fn read(value: &Json, typ: &ColumnType<'static>) -> Result<Option<CqlValue>, Misfit> {
    match value {
        Json::Null => Ok(None),
        value => read_some(value, typ).map(Some),
    }
}

fn read_some(value: &Json, typ: &ColumnType<'static>) -> Result<CqlValue, Misfit> {
    match typ {
        ColumnType::Native(native) => read_scalar(value, native),
        ColumnType::Collection { typ: kind, .. } => match (kind, value) {
            (CollectionType::List(element), Json::Array(values)) => {
                read_all(values, element).map(CqlValue::List)
            }
            (CollectionType::Set(element), Json::Array(values)) => {
                read_all(values, element).map(CqlValue::Set)
            }
            (CollectionType::Map(key, element), value) => {
                read_map(value, key, element).map(CqlValue::Map)
            }
            _ => Err(no_fit(value, typ)),
        },
        ColumnType::Vector { dimensions, .. } => read_vector(value, *dimensions),
        ColumnType::UserDefinedType { definition, .. } => read_fields(value, definition),
        _ => Err(no_fit(value, typ)),
    }
}

/// A value of a user-defined type: an object, or a list of pairs.
fn read_fields(value: &Json, typ: &UserDefinedType<'static>) -> Result<CqlValue, Misfit> {
    let members = match value {
        Json::Object(members) => members.clone(),
        Json::Array(pairs) => {
            let pairs = pairs.iter().map(|pair| match pair.as_array() {
                Some([Json::Text(name), value]) => Ok((name.clone(), value.clone())),
                _ => Err("fields as a list need pairs of a name and a value".to_owned()),
            });
            pairs.collect::<Result<Members, Misfit>>()?
        }
        other => {
            let found = other.type_name();
            return Err(format!("the type {} cannot be read from {found}", typ.name));
        }
    };
    let known = |name: &str| typ.field_types.iter().any(|(known, _)| known == name);
    if let Some(unknown) = members.keys().find(|name| !known(name)) {
        return Err(format!("the type {} has no field '{unknown}'", typ.name));
    }
    let fields = typ.field_types.iter().map(|(name, typ)| {
        let value = members.get(name.as_ref());
        let value = value.map(|value| read(value, typ)).transpose()?;
        Ok((name.to_string(), value.flatten()))
    });
    Ok(CqlValue::UserDefinedType {
        keyspace: typ.keyspace.to_string(),
        name: typ.name.to_string(),
        fields: fields.collect::<Result<_, Misfit>>()?,
    })
}

fn read_all(values: &[Json], typ: &ColumnType<'static>) -> Result<Vec<CqlValue>, Misfit> {
    values
        .iter()
        .map(|value| read_element(value, typ))
        .collect()
}

/// Reads an element of a collection.
///
/// # Errors
/// For null, and for a value that does not fit the type.
pub fn read_element(value: &Json, typ: &ColumnType<'static>) -> Result<CqlValue, Misfit> {
    read(value, typ)?.ok_or_else(|| "a collection cannot have null".to_owned())
}

/// A map: an object, or a list of pairs. An empty list is no map, only an empty object is:
/// <https://github.com/stargate/data-api/issues/2005>
fn read_map(
    value: &Json,
    key: &ColumnType<'static>,
    element: &ColumnType<'static>,
) -> Result<Vec<(CqlValue, CqlValue)>, Misfit> {
    let pair =
        |name: &Json, value: &Json| Ok((read_element(name, key)?, read_element(value, element)?));
    match value {
        Json::Object(members) => {
            let pairs = members.iter();
            pairs
                .map(|(name, value)| pair(&Json::text(name), value))
                .collect()
        }
        Json::Array(pairs) if !pairs.is_empty() => {
            let pairs = pairs.iter().map(|entry| match entry.as_array() {
                Some([name, value]) => pair(name, value),
                _ => Err("a map as a list needs pairs of a key and a value".to_owned()),
            });
            pairs.collect()
        }
        Json::Array(_) => Err("an empty map is {}, not []".to_owned()),
        other => Err(format!("a map cannot be read from {}", other.type_name())),
    }
}

fn read_vector(value: &Json, dimensions: u16) -> Result<CqlValue, Misfit> {
    let floats: Vec<f32> = match (value, extended::known(value)) {
        (Json::Array(values), _) => {
            let floats = values.iter().map(|value| {
                let float = value.as_number().map(Decimal::to_f32);
                float.ok_or_else(|| format!("a vector needs numbers, not {}", value.type_name()))
            });
            floats.collect::<Result<_, Misfit>>()?
        }
        (_, Some((Extension::Binary, binary))) => {
            let floats = binary.as_text().and_then(extended::floats);
            floats.ok_or("$binary of a vector must be floats of 4 bytes in base64")?
        }
        (other, _) => {
            return Err(format!(
                "a vector cannot be read from {}",
                other.type_name()
            ));
        }
    };
    if floats.len() != usize::from(dimensions) {
        let found = floats.len();
        return Err(format!(
            "the vector needs {dimensions} numbers, and has {found}"
        ));
    }
    Ok(CqlValue::Vector(
        floats.into_iter().map(CqlValue::Float).collect(),
    ))
}

fn read_scalar(value: &Json, native: &NativeType) -> Result<CqlValue, Misfit> {
    let misfit = || no_fit(value, &ColumnType::Native(native.clone()));
    let text = || value.as_text().ok_or_else(misfit);
    match native {
        NativeType::Text => Ok(CqlValue::Text(text()?.to_owned())),
        NativeType::Ascii => {
            let text = text()?;
            let ascii = text.is_ascii().then(|| CqlValue::Ascii(text.to_owned()));
            ascii.ok_or_else(|| "the text has characters that are not ASCII".to_owned())
        }
        NativeType::Boolean => value.as_bool().map(CqlValue::Boolean).ok_or_else(misfit),
        NativeType::TinyInt => whole(value)?
            .try_into()
            .map(CqlValue::TinyInt)
            .map_err(out_of_range),
        NativeType::SmallInt => whole(value)?
            .try_into()
            .map(CqlValue::SmallInt)
            .map_err(out_of_range),
        NativeType::Int => whole(value)?
            .try_into()
            .map(CqlValue::Int)
            .map_err(out_of_range),
        NativeType::BigInt => Ok(CqlValue::BigInt(whole(value)?)),
        NativeType::Varint => {
            let number = value.as_number().ok_or_else(misfit)?;
            let bytes = number
                .to_integer_bytes()
                .ok_or("the number has a fraction")?;
            Ok(CqlValue::Varint(CqlVarint::from_signed_bytes_be(bytes)))
        }
        NativeType::Decimal => {
            let number = value.as_number().ok_or_else(misfit)?;
            let decimal = number.to_cql().ok_or("the exponent is out of range")?;
            Ok(CqlValue::Decimal(decimal))
        }
        NativeType::Double => match value {
            Json::Number(number) => Ok(CqlValue::Double(number.to_f64())),
            value => Ok(CqlValue::Double(not_a_number(value)?)),
        },
        NativeType::Float => match value {
            Json::Number(number) => Ok(CqlValue::Float(number.to_f32())),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "NaN and the infinities are the same"
            )]
            value => Ok(CqlValue::Float(not_a_number(value)? as f32)),
        },
        NativeType::Blob => match extended::known(value) {
            Some((Extension::Binary, Json::Text(text))) => {
                let bytes = DECODER
                    .decode(text.replace(['\r', '\n'], ""))
                    .map_err(|_| "$binary must be base64".to_owned())?;
                Ok(CqlValue::Blob(bytes))
            }
            _ => Err(misfit()),
        },
        NativeType::Date => parsed(text()?, "YYYY-MM-DD", |text| {
            time::read_date(text).ok().map(CqlValue::Date)
        }),
        NativeType::Time => parsed(text()?, "HH:mm:ss[.fraction]", |text| {
            time::read_time(text).ok().map(CqlValue::Time)
        }),
        NativeType::Timestamp => match extended::known(value) {
            Some((Extension::Date, Json::Number(milliseconds))) => {
                let milliseconds = milliseconds.to_i64().ok_or_else(misfit)?;
                Ok(CqlValue::Timestamp(CqlTimestamp(milliseconds)))
            }
            _ => parsed(text()?, "YYYY-MM-DDTHH:mm:ss[.fraction]Z", |text| {
                time::read_timestamp(&without_nanoseconds(text))
                    .ok()
                    .map(CqlValue::Timestamp)
            }),
        },
        NativeType::Duration => parsed(text()?, "1h30m or PT1H30M", |text| {
            duration::read(text).map(CqlValue::Duration)
        }),
        NativeType::Uuid => parsed(text()?, "a UUID", |text| {
            uuid::read(text).map(CqlValue::Uuid)
        }),
        NativeType::Timeuuid => parsed(text()?, "a UUID", |text| {
            uuid::read(text).map(|uuid| CqlValue::Timeuuid(uuid.into()))
        }),
        NativeType::Inet => parsed(text()?, "an address", |text| {
            inet::read(text).map(CqlValue::Inet)
        }),
        // Counters are read only.
        _ => Err(misfit()),
    }
}

fn parsed(
    text: &str,
    wanted: &str,
    read: impl FnOnce(&str) -> Option<CqlValue>,
) -> Result<CqlValue, Misfit> {
    read(text).ok_or_else(|| format!("the text '{text}' is not {wanted}"))
}

/// Removes the digits after the microseconds, which `read_timestamp` does not accept.
fn without_nanoseconds(text: &str) -> String {
    let digits = Cell::new(0);
    let in_fraction = Cell::new(false);
    let kept = text.chars().filter(|c| {
        if in_fraction.get() && c.is_ascii_digit() {
            digits.set(digits.get() + 1);
            // Ten digits are more than Java reads.
            return digits.get() <= 6 || digits.get() > 9;
        }
        in_fraction.set(*c == '.');
        true
    });
    kept.collect()
}

fn whole(value: &Json) -> Result<i64, Misfit> {
    let number = value.as_number();
    let number =
        number.ok_or_else(|| format!("a number cannot be read from {}", value.type_name()))?;
    if !number.is_whole() {
        return Err("the number has a fraction".to_owned());
    }
    number.to_i64().ok_or_else(|| out_of_range(()))
}

fn out_of_range<E>(_: E) -> Misfit {
    "the number is out of range".to_owned()
}

fn not_a_number(value: &Json) -> Result<f64, Misfit> {
    match value.as_text() {
        Some("NaN") => Ok(f64::NAN),
        Some("Infinity") => Ok(f64::INFINITY),
        Some("-Infinity") => Ok(f64::NEG_INFINITY),
        _ => Err("only \"NaN\", \"Infinity\" and \"-Infinity\" are numbers as texts".to_owned()),
    }
}

fn no_fit(value: &Json, typ: &ColumnType<'static>) -> Misfit {
    let found = value.type_name();
    match ApiType::of(typ) {
        ApiType::Unsupported => format!("{found} does not fit {}", cql_definition(typ)),
        _ => format!("{found} does not fit {}", super::types::api_name(typ)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::values_out::to_json;
    use super::*;
    use crate::json::reader;
    use store::types::{TypeName, UserTypes};

    fn read_text(cql: &str, json: &str) -> Result<String, Misfit> {
        let fields = vec![
            ("street".to_owned(), TypeName::Native(NativeType::Text)),
            ("no".to_owned(), TypeName::Native(NativeType::Int)),
        ];
        let types = UserTypes {
            keyspace: "ks",
            fields: [("addr".to_owned(), fields)].into(),
        };
        let typ = TypeName::parse(cql).unwrap().resolve(&types).unwrap();
        let json = reader::read(json).unwrap().unwrap();
        let value = read(&json, &typ)?;
        Ok(value
            .and_then(|value| to_json(&value))
            .map_or("nothing".to_owned(), |v| v.to_string()))
    }

    #[test]
    fn values_come_back_as_they_are_printed() {
        for (cql, json, wanted) in [
            ("int", "5", "5"),
            ("int", "5.0", "5"),
            ("int", "1e3", "1000"),
            ("int", "null", "nothing"),
            ("tinyint", "-128", "-128"),
            ("bigint", "9223372036854775807", "9223372036854775807"),
            (
                "varint",
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("varint", "1e3", "1000"),
            ("decimal", "123456789.987654321", "123456789.987654321"),
            ("decimal", "1.50", "1.5"),
            ("double", "1.5e300", "1.5E+300"),
            ("double", "2", "2.0"),
            ("double", "\"NaN\"", "\"NaN\""),
            ("float", "\"-Infinity\"", "\"-Infinity\""),
            ("float", "1.25", "1.25"),
            ("text", "\"'quoted'\"", "\"'quoted'\""),
            ("blob", r#"{"$binary":"AQID"}"#, r#"{"$binary":"AQID"}"#),
            ("date", "\"2024-02-29\"", "\"2024-02-29\""),
            ("time", "\"12:34:56.789\"", "\"12:34:56.789\""),
            ("time", "\"12:34\"", "\"12:34\""),
            ("time", "\"12:34:00.5\"", "\"12:34:00.500\""),
            (
                "timestamp",
                "\"2024-05-01T10:00:00.123456789Z\"",
                "\"2024-05-01T10:00:00.123Z\"",
            ),
            ("timestamp", r#"{"$date":0}"#, "\"1970-01-01T00:00:00Z\""),
            ("duration", "\"1h30m\"", "\"PT1H30M\""),
            ("duration", "\"P1Y2M3DT4H5M6S\"", "\"P1Y2M3DT4H5M6S\""),
            ("duration", "\"-1mo5ns\"", "\"-P1MT0.000000005S\""),
            ("duration", "\"0s\"", "\"PT0S\""),
            ("inet", "\"127.0.0.1\"", "\"127.0.0.1\""),
            ("vector<float, 2>", "[1, 0.5]", "[1.0,0.5]"),
            ("vector<float, 1>", r#"{"$binary":"P4AAAA=="}"#, "[1.0]"),
            ("list<int>", "[2,1,2]", "[2,1,2]"),
            ("list<int>", "[]", "nothing"),
            ("map<text, int>", r#"{"a":1}"#, r#"{"a":1}"#),
            ("map<text, int>", r#"[["a",1]]"#, r#"{"a":1}"#),
            ("map<text, int>", "{}", "nothing"),
            ("map<int, int>", "{}", "nothing"),
            (
                "map<int, text>",
                r#"[[1,"a"],[2,"b"]]"#,
                r#"[[1,"a"],[2,"b"]]"#,
            ),
            (
                "frozen<addr>",
                r#"{"no":1,"street":"Main"}"#,
                r#"{"street":"Main","no":1}"#,
            ),
            ("frozen<addr>", r#"[["no",1]]"#, r#"{"no":1}"#),
            ("frozen<addr>", r#"{"street":null}"#, "{}"),
        ] {
            assert_eq!(read_text(cql, json).as_deref(), Ok(wanted), "{cql} {json}");
        }
    }

    #[test]
    fn other_values_are_rejected() {
        for (cql, json) in [
            ("int", "\"5\""),
            ("int", "1.5"),
            ("int", "2147483648"),
            ("int", "true"),
            ("tinyint", "128"),
            ("bigint", "9223372036854775808"),
            ("varint", "1.5"),
            ("decimal", "\"1.5\""),
            ("double", "\"1.5\""),
            ("boolean", "\"true\""),
            ("boolean", "1"),
            ("text", "5"),
            ("ascii", "\"ä\""),
            ("blob", "\"AQID\""),
            ("blob", r#"{"$binary":"?"}"#),
            ("date", "\"2024-13-01\""),
            ("timestamp", "\"yesterday\""),
            ("timestamp", r#"{"$date":"0"}"#),
            ("duration", "\"soon\""),
            ("uuid", "\"nope\""),
            ("counter", "1"),
            ("vector<float, 2>", "[1]"),
            ("vector<float, 2>", "[1,\"2\"]"),
            ("vector<float, 2>", "\"text\""),
            ("list<int>", "[null]"),
            ("list<int>", "5"),
            ("set<int>", "{\"a\":1}"),
            ("map<text, int>", "[1,2]"),
            ("map<text, int>", "[]"),
            ("map<int, int>", "[]"),
            ("map<text, int>", r#"[["a",1,2]]"#),
            ("map<int, int>", r#"{"1":1}"#),
            ("frozen<addr>", r#"{"zip":1}"#),
            ("frozen<addr>", r#"{"no":"1"}"#),
            ("tuple<int, int>", "[1,2]"),
        ] {
            assert!(read_text(cql, json).is_err(), "{cql} {json}");
        }
    }
}
