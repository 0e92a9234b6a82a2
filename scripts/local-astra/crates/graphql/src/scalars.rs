//! Stargate's scalars: conversion from JSON to CQL values and back.

use scylla::cluster::metadata::{ColumnType, NativeType};
use scylla::value::{Counter, CqlDate, CqlTime, CqlTimestamp, CqlTimeuuid, CqlValue, CqlVarint};
use serde_json::Value;
use uuid::Uuid;

use store::values::numbers;
use store::values::numbers::JsonNumber;
use store::values::{Maps, from_base64, from_text, time, to_json};

const DAY_NANOS: i64 = 86_400_000_000_000;

/// Returns the CQL type of a Stargate scalar, given its GraphQL name.
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

/// Returns the definition of a scalar in SDL, with a description if Stargate has one.
pub fn definition(name: &str) -> String {
    let described = match name {
        "Ascii" => "A CQL `ascii`: a text of ASCII characters, others are an error.",
        "BigInt" => "A CQL `bigint`: an integer of 64 bits.",
        "Blob" => "A CQL `blob`: bytes in Base64, such as \"yv4=\".",
        "Counter" => "A CQL `counter`: an integer of 64 bits.",
        "Date" => {
            "A CQL `date`: a text such as \"2020-10-21\", or the number of the day, where 1970-01-01 is 2147483648."
        }
        "Decimal" => "A CQL `decimal`: a text such as \"1.5\" or \"1e-3\", of any precision.",
        "Duration" => "A CQL `duration`: a text such as \"1h4m48s20ms\".",
        "Float32" => {
            "A CQL `float`: a number of 32 bits. Other numbers are converted, which costs digits or makes them infinite."
        }
        "Inet" => {
            "A CQL `inet`: an IP address such as \"127.0.0.1\" or \"::1\", or a name that the server looks up."
        }
        "SmallInt" => "A CQL `smallint`: an integer of 16 bits, others are an error.",
        "Time" => {
            "A CQL `time`: a text such as \"10:15:30.123456789\", or the nanoseconds since midnight."
        }
        "Timestamp" => {
            "A CQL `timestamp`: a text such as \"2011-02-03 04:05+0000\", or the milliseconds since 1970 in UTC."
        }
        "TimeUuid" => "A CQL `timeuuid`: a text such as \"fe86cad0-1965-11eb-84e6-ab660d2e8c9e\".",
        "TinyInt" => "A CQL `tinyint`: an integer of 8 bits, others are an error.",
        "Uuid" => "A CQL `uuid`: a text such as \"fe86cad0-1965-11eb-84e6-ab660d2e8c9e\".",
        "Varint" => "A CQL `varint`: an integer of any size.",
        _ => return format!("scalar {name}\n"),
    };
    // A text of JSON is one of GraphQL.
    format!("{}\nscalar {name}\n", Value::from(described))
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
        let read =
            numbers::read_integer(&text).ok_or_else(|| "Expected an integer literal".to_owned())?;
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
            let read = numbers::read_integer(&text)
                .ok_or_else(|| "Expected an integer literal".to_owned())?;
            CqlValue::Varint(CqlVarint::from(read))
        }
        // graphql-java goes by BigDecimal, which has no negative zero.
        NativeType::Double => CqlValue::Double(double() + 0.0),
        NativeType::Float => CqlValue::Float(JsonNumber::read(number).to_f32()),
        NativeType::Timestamp => CqlValue::Timestamp(CqlTimestamp(integer()?)),
        NativeType::Time => match integer()? {
            nanos @ 0..DAY_NANOS => CqlValue::Time(CqlTime(nanos)),
            _ => return Err("Out of range".to_owned()),
        },
        // The number of the day, where 1970-01-01 is 2^31.
        NativeType::Date => {
            CqlValue::Date(CqlDate(u32::try_from(integer()?).map_err(out_of_range)?))
        }
        // An ID may be sent as a number, but no number is one.
        NativeType::Uuid => CqlValue::Uuid(read_uuid(&text)?),
        _ => return Err(format!("Cannot read {text} as {native:?}")),
    })
}

/// Generates a time UUID as Cassandra's `now()` does.
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

/// Parses as Java does: groups can be shorter than usual.
fn read_uuid(text: &str) -> Result<Uuid, String> {
    let read = from_text(text, &ColumnType::Native(NativeType::Uuid), Maps::Compact);
    match read {
        // Quotes are CQL's.
        Ok(CqlValue::Uuid(uuid)) if !text.starts_with('\'') => Ok(uuid),
        _ => Err(format!("Invalid UUID string: {text}")),
    }
}

fn read_timestamp(text: &str) -> Result<CqlTimestamp, String> {
    timestamp(text).ok_or_else(|| format!("Cannot parse Timestamp value {text}"))
}

/// Parses a date, or a date and time with `T` or a blank, each with an optional zone (default: UTC). As in Java's
/// `SimpleDateFormat`, no number needs leading zeros, and the number after the point is milliseconds, not a fraction.
fn timestamp(text: &str) -> Option<CqlTimestamp> {
    let (year, rest) = digits(text)?;
    let (month, rest) = digits(rest.strip_prefix('-')?)?;
    let (day, mut rest) = digits(rest.strip_prefix('-')?)?;
    let plus = if year > 9999 { "+" } else { "" };
    let date = time::read_date(&format!("{plus}{year:04}-{month:02}-{day:02}")).ok()?;
    if year == 0 {
        return None;
    }
    let (mut hour, mut minute, mut second, mut millis) = (0, 0, 0, 0);
    // A blank may also come before a zone.
    if let Some((first, clock)) = rest.strip_prefix(['T', ' ']).and_then(digits) {
        hour = first;
        (minute, rest) = digits(clock.strip_prefix(':')?)?;
        if let Some(clock) = rest.strip_prefix(':') {
            (second, rest) = digits(clock)?;
            if let Some(clock) = rest.strip_prefix('.') {
                (millis, rest) = digits(clock)?;
            }
        }
    }
    if hour > 23 || minute > 59 || second > 59 || millis > 999 {
        return None;
    }
    let minutes = hour * 60 + minute - zone(rest)?;
    let days = i64::from(date.0) - (1 << 31);
    let seconds = (days * 24 * 60 + minutes) * 60 + second;
    Some(CqlTimestamp(seconds * 1000 + millis))
}

/// Splits a number of any length from the rest.
fn digits(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    // More is no year of a timestamp.
    let number = number.parse::<i32>().ok()?;
    Some((i64::from(number), rest))
}

/// Parses a zone after a time, in minutes east of Greenwich: `Z` or an offset, or after a blank `UTC`, `GMT` or an
/// offset. Java supports more names.
fn zone(text: &str) -> Option<i64> {
    let Some(named) = text.strip_prefix(' ') else {
        return match text {
            "" | "Z" => Some(0),
            offset => signed(offset, |text| match (text.len(), text.split_once(':')) {
                (2, None) => Some((text, "00")),
                (5, Some((hours, minutes))) => Some((hours, minutes)),
                _ => four(text),
            }),
        };
    };
    let upper = named.to_ascii_uppercase();
    match upper.strip_prefix("GMT") {
        Some("") => Some(0),
        Some(offset) => signed(offset, |text| text.split_once(':')),
        None if upper == "UTC" => Some(0),
        None => signed(named, four),
    }
}

/// `hhmm`
fn four(text: &str) -> Option<(&str, &str)> {
    (text.len() == 4).then_some(text)?.split_at_checked(2)
}

/// Parses a sign, and hours and minutes split by `split`.
fn signed(offset: &str, split: impl Fn(&str) -> Option<(&str, &str)>) -> Option<i64> {
    let east = offset.strip_prefix('+');
    let (hours, minutes) = split(east.or(offset.strip_prefix('-'))?)?;
    let is_short = hours.len() <= 2 && minutes.len() == 2;
    let ((hours, no_more), (minutes, end)) = (digits(hours)?, digits(minutes)?);
    let is_whole = no_more.is_empty() && end.is_empty();
    if !is_short || !is_whole || hours > 23 || minutes > 59 {
        return None;
    }
    let minutes = hours * 60 + minutes;
    Some(if east.is_some() { minutes } else { -minutes })
}

/// Writes a value.
pub fn write(value: &CqlValue, native: &NativeType) -> Value {
    match value {
        CqlValue::BigInt(value) => Value::String(value.to_string()),
        CqlValue::Decimal(decimal) => Value::String(numbers::decimal_text(decimal)),
        CqlValue::Varint(_) => {
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
            let text = if text.contains('.') {
                text
            } else {
                text.replace('Z', ".000Z")
            };
            Value::String(text)
        }
        CqlValue::Double(double) => numbers::number(&numbers::double_text(double + 0.0)),
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
                NativeType::Uuid,
                json!("1-2-3-4-5"),
                json!("00000001-0002-0003-0004-000000000005"),
            ),
            (NativeType::Decimal, json!("1e10"), json!("1E+10")),
            (NativeType::Decimal, json!("0.0000001"), json!("1E-7")),
            (
                NativeType::Time,
                json!(86_399_999_999_999_i64),
                json!("23:59:59.999999999"),
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
            (NativeType::Time, json!(-1)),
            (NativeType::Time, json!(86_400_000_000_000_i64)),
            (NativeType::Int, json!("5")),
            (NativeType::Boolean, json!([true])),
        ] {
            assert!(read(&given, &native).is_err(), "{given}");
        }
    }

    #[test]
    fn timestamps_are_read_as_by_java() {
        for (given, wanted) in [
            ("2020-01-02", "2020-01-02T00:00:00.000Z"),
            ("2020-1-2", "2020-01-02T00:00:00.000Z"),
            ("2020-01-02Z", "2020-01-02T00:00:00.000Z"),
            ("2020-01-02+0100", "2020-01-01T23:00:00.000Z"),
            ("2020-01-02 GMT", "2020-01-02T00:00:00.000Z"),
            ("2020-01-02 03:04", "2020-01-02T03:04:00.000Z"),
            ("2020-01-02T3:4", "2020-01-02T03:04:00.000Z"),
            ("2020-01-02 03:04 UTC", "2020-01-02T03:04:00.000Z"),
            ("2020-01-02 03:04 gmt-1:30", "2020-01-02T04:34:00.000Z"),
            ("2020-01-02 03:04:05 +0100", "2020-01-02T02:04:05.000Z"),
            ("2020-01-02T03:04:05+01", "2020-01-02T02:04:05.000Z"),
            ("2020-01-02T03:04:05.1", "2020-01-02T03:04:05.001Z"),
            ("2020-01-02T03:04:05.12Z", "2020-01-02T03:04:05.012Z"),
            ("2020-01-02T03:04:05.678-01:00", "2020-01-02T04:04:05.678Z"),
        ] {
            let read = read(&json!(given), &NativeType::Timestamp).unwrap();
            assert_eq!(write(&read, &NativeType::Timestamp), wanted, "{given}");
        }
        for given in [
            "",
            "é123456789",
            "1296705900000",
            "2020-01",
            "2020-02-30",
            "2020-13-01",
            "0-01-01",
            "2020-01-02T",
            "2020-01-02T03",
            "2020-01-02T24:00",
            "2020-01-02T03:60",
            "2020-01-02T03:04:05.",
            "2020-01-02T03:04:05.123456Z",
            "2020-01-02T03:04 Z",
            "2020-01-02T03:04+1",
            "2020-01-02T03:04+24:00",
            "2020-01-02T03:04+01:0",
            "2020-01-02T03:04 GMT+1",
            "2020-01-02 03:04+é1",
            "99999999999-01-01",
        ] {
            assert!(
                read(&json!(given), &NativeType::Timestamp).is_err(),
                "{given}"
            );
        }
    }
}
