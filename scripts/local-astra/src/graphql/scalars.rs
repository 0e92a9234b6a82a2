//! Stargate's scalars: JSON as CQL values, and back.

use scylla::cluster::metadata::{ColumnType, NativeType};
use scylla::value::{Counter, CqlDate, CqlTime, CqlTimestamp, CqlTimeuuid, CqlValue, CqlVarint};
use serde_json::Value;
use uuid::Uuid;

use crate::store::values::numbers::{self, JsonNumber};
use crate::store::values::{Maps, from_base64, from_text, time, to_json};

/// The CQL type of a scalar of Stargate's, by its GraphQL name.
pub fn by_name(name: &str) -> Option<NativeType> {
    Some(match name {
        "Ascii" => NativeType::Ascii,
        "BigInt" => NativeType::BigInt,
        "Blob" => NativeType::Blob,
        "Counter" => NativeType::Counter,
        "Date" => NativeType::Date,
        "Decimal" => NativeType::Decimal,
        "Duration" => NativeType::Duration,
        "Float32" => NativeType::Float,
        "Inet" => NativeType::Inet,
        "SmallInt" => NativeType::SmallInt,
        "Time" => NativeType::Time,
        "Timestamp" => NativeType::Timestamp,
        "TimeUuid" => NativeType::Timeuuid,
        "TinyInt" => NativeType::TinyInt,
        "Uuid" => NativeType::Uuid,
        "Varint" => NativeType::Varint,
        _ => return None,
    })
}

/// Reads a value.
///
/// # Errors
/// A sentence for a value that does not fit.
pub fn read(value: &Value, native: &NativeType) -> Result<CqlValue, String> {
    match value {
        Value::String(text) => read_text(text, native),
        Value::Number(number) => read_number(number, native),
        Value::Bool(flag) if *native == NativeType::Boolean => Ok(CqlValue::Boolean(*flag)),
        other => Err(format!("Cannot read {other} as {native:?}")),
    }
}

fn read_text(text: &str, native: &NativeType) -> Result<CqlValue, String> {
    let as_cql = || {
        from_text(text, &ColumnType::Native(native.clone()), Maps::Compact)
            .map_err(|error| error.to_string())
    };
    let integer = || text.parse::<i64>().map_err(|_| "Invalid format".to_owned());
    Ok(match native {
        NativeType::Text => CqlValue::Text(text.to_owned()),
        NativeType::Ascii if text.is_ascii() => CqlValue::Ascii(text.to_owned()),
        NativeType::Ascii => return Err("String contains non-ASCII characters".to_owned()),
        NativeType::BigInt => CqlValue::BigInt(integer()?),
        NativeType::Counter => CqlValue::Counter(Counter(integer()?)),
        NativeType::Uuid if text == "uuid()" => CqlValue::Uuid(Uuid::new_v4()),
        NativeType::Uuid => CqlValue::Uuid(read_uuid(text)?),
        NativeType::Timeuuid if text == "now()" => {
            CqlValue::Timeuuid(CqlTimeuuid::from(time_uuid()))
        }
        NativeType::Timeuuid => {
            let uuid = read_uuid(text)?;
            if uuid.get_version_num() != 1 {
                return Err("Not a Type 1 (time-based) UUID".to_owned());
            }
            CqlValue::Timeuuid(CqlTimeuuid::from(uuid))
        }
        NativeType::Blob => CqlValue::Blob(from_base64(text).map_err(|error| error.to_string())?),
        NativeType::Timestamp => CqlValue::Timestamp(read_timestamp(text)?),
        NativeType::Date => CqlValue::Date(time::read_date(text).map_err(|_| {
            "Couldn't parse literal, expected ISO-8601 extended local date format (YYYY-MM-DD)"
                .to_owned()
        })?),
        NativeType::Varint
        | NativeType::Decimal
        | NativeType::Inet
        | NativeType::Time
        | NativeType::Duration => as_cql()?,
        _ => return Err(format!("Cannot read '{text}' as {native:?}")),
    })
}

fn read_number(number: &serde_json::Number, native: &NativeType) -> Result<CqlValue, String> {
    let text = number.to_string();
    let integer = || -> Result<i64, String> {
        let read = numbers::read_integer(&text);
        let read = read.ok_or_else(|| "Expected an integer literal".to_owned())?;
        i64::try_from(read).map_err(|_| "Out of bounds".to_owned())
    };
    let double = || JsonNumber::read(number).to_f64();
    let out_of_range = |_| "Out of range".to_owned();
    Ok(match native {
        NativeType::Int => CqlValue::Int(i32::try_from(integer()?).map_err(out_of_range)?),
        NativeType::SmallInt => {
            CqlValue::SmallInt(i16::try_from(integer()?).map_err(out_of_range)?)
        }
        NativeType::TinyInt => CqlValue::TinyInt(i8::try_from(integer()?).map_err(out_of_range)?),
        NativeType::BigInt => CqlValue::BigInt(integer()?),
        NativeType::Counter => CqlValue::Counter(Counter(integer()?)),
        NativeType::Varint => {
            let read = numbers::read_integer(&text);
            let read = read.ok_or_else(|| "Expected an integer literal".to_owned())?;
            CqlValue::Varint(CqlVarint::from(read))
        }
        NativeType::Double => CqlValue::Double(double()),
        NativeType::Float => CqlValue::Float(JsonNumber::read(number).to_f32()),
        NativeType::Timestamp => CqlValue::Timestamp(CqlTimestamp(integer()?)),
        NativeType::Time => CqlValue::Time(CqlTime(integer()?)),
        // The number of the day, where 1970-01-01 is 2^31.
        NativeType::Date => {
            CqlValue::Date(CqlDate(u32::try_from(integer()?).map_err(out_of_range)?))
        }
        // An ID may be sent as a number, but no number is one.
        NativeType::Uuid => CqlValue::Uuid(read_uuid(&text)?),
        _ => return Err(format!("Cannot read {text} as {native:?}")),
    })
}

/// A new time UUID, as Cassandra's `now()` makes them.
pub fn time_uuid() -> Uuid {
    // No address of this machine: a random one, as RFC 4122 allows.
    let random = Uuid::new_v4().into_bytes();
    let node = [
        random[0] | 1,
        random[1],
        random[2],
        random[3],
        random[4],
        random[5],
    ];
    Uuid::now_v1(&node)
}

fn read_uuid(text: &str) -> Result<Uuid, String> {
    // Only the form with dashes: the crate knows others.
    let dashed = text.len() == 36;
    let read = Uuid::parse_str(text).ok().filter(|_| dashed);
    read.ok_or_else(|| format!("Invalid UUID string: {text}"))
}

/// A date, or a date and time with `T` or a blank, each with or without a zone; without one it is UTC.
fn read_timestamp(text: &str) -> Result<CqlTimestamp, String> {
    let refused = || format!("Cannot parse Timestamp value {text}");
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(CqlTimestamp(millis));
    }
    let date = text.get(..10).ok_or_else(refused)?;
    let rest = &text[10..];
    let clock = rest.strip_prefix(['T', ' ']).unwrap_or("");
    if !rest.is_empty() && clock.is_empty() {
        return Err(refused());
    }
    let zone = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone);
    let clock = match clock.len() {
        0 => "00:00:00".to_owned(),
        // Without seconds.
        5 => format!("{clock}:00"),
        _ => clock.to_owned(),
    };
    let zone = if zone.is_empty() { "Z" } else { zone };
    time::read_timestamp(&format!("{date}T{clock}{zone}")).map_err(|_| refused())
}

/// Writes a value.
pub fn write(value: &CqlValue, native: &NativeType) -> Value {
    match value {
        CqlValue::BigInt(value) => Value::String(value.to_string()),
        CqlValue::Varint(_) | CqlValue::Decimal(_) => {
            match to_json(
                Some(value),
                &ColumnType::Native(native.clone()),
                Maps::Compact,
            ) {
                Value::Number(number) => Value::String(number.to_string()),
                other => other,
            }
        }
        CqlValue::Time(time) => {
            let seconds = time.0.div_euclid(1_000_000_000);
            let nanos = time.0.rem_euclid(1_000_000_000);
            Value::String(format!(
                "{:02}:{:02}:{:02}.{nanos:09}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            ))
        }
        CqlValue::Timestamp(timestamp) => {
            let text = time::timestamp_text(*timestamp);
            // Always three digits after the second.
            let text = match text.contains('.') {
                true => text,
                false => text.replace('Z', ".000Z"),
            };
            Value::String(text)
        }
        other => to_json(
            Some(other),
            &ColumnType::Native(native.clone()),
            Maps::Compact,
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_are_read_and_written_in_their_own_forms() {
        for (native, given, wanted) in [
            (
                NativeType::BigInt,
                json!("9007199254740993"),
                json!("9007199254740993"),
            ),
            (NativeType::BigInt, json!(5), json!("5")),
            (NativeType::Counter, json!(5), json!("5")),
            (NativeType::Double, json!(9), json!(9.0)),
            (NativeType::Decimal, json!("1.50"), json!("1.50")),
            (
                NativeType::Varint,
                json!("12345678901234567890123"),
                json!("12345678901234567890123"),
            ),
            (
                NativeType::Time,
                json!("00:00:01"),
                json!("00:00:01.000000000"),
            ),
            (
                NativeType::Timestamp,
                json!("2020-01-02T03:04:05Z"),
                json!("2020-01-02T03:04:05.000Z"),
            ),
            (
                NativeType::Timestamp,
                json!("2020-01-02 03:04+01:00"),
                json!("2020-01-02T02:04:00.000Z"),
            ),
            (
                NativeType::Timestamp,
                json!("2020-01-02"),
                json!("2020-01-02T00:00:00.000Z"),
            ),
            (
                NativeType::Date,
                json!(2_147_483_649_u32),
                json!("1970-01-02"),
            ),
            (NativeType::Inet, json!("::1"), json!("0:0:0:0:0:0:0:1")),
            (NativeType::Blob, json!("AQI="), json!("AQI=")),
        ] {
            let read = read(&given, &native).unwrap_or_else(|error| panic!("{given}: {error}"));
            let written = write(&read, &native);
            // Numbers keep the text that they were written with.
            assert_eq!(written.to_string(), wanted.to_string(), "{given}");
        }
        for (native, given) in [
            (NativeType::Decimal, json!(1.5)),
            (NativeType::Uuid, json!("nope")),
            (
                NativeType::Timeuuid,
                json!("00000000-0000-4000-8000-000000000001"),
            ),
            (NativeType::SmallInt, json!(40_000)),
            (NativeType::Ascii, json!("é")),
            (NativeType::Timestamp, json!("é123456789")),
            (NativeType::Int, json!("5")),
            (NativeType::Boolean, json!([true])),
        ] {
            assert!(read(&given, &native).is_err(), "{given}");
        }
    }
}
