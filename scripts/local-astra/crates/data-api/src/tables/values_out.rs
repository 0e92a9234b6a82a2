//! Values as JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigInt;
use scylla::value::{CqlDuration, CqlValue};

use crate::json::{Decimal, Json};
use store::values::numbers::{double_text, single_text};
use store::values::{inet, time};

const SECOND: u64 = 1_000_000_000;

/// Converts a value to JSON. Null and empty collections are `None`.
pub fn to_json(value: &CqlValue) -> Option<Json> {
    Some(match value {
        CqlValue::Ascii(text) | CqlValue::Text(text) => Json::text(text),
        CqlValue::Boolean(value) => Json::Bool(*value),
        CqlValue::TinyInt(number) => Json::integer(*number),
        CqlValue::SmallInt(number) => Json::integer(*number),
        CqlValue::Int(number) => Json::integer(*number),
        CqlValue::BigInt(number) => Json::integer(*number),
        CqlValue::Counter(counter) => Json::integer(counter.0),
        CqlValue::Varint(number) => {
            let bytes = number.as_signed_bytes_be_slice();
            Json::Number(Decimal::whole(BigInt::from_signed_bytes_be(bytes)))
        }
        CqlValue::Decimal(decimal) => Json::Number(Decimal::from_cql(decimal).stripped()),
        CqlValue::Float(number) => float_json(number.is_finite(), &single_text(*number)),
        CqlValue::Double(number) => float_json(number.is_finite(), &double_text(*number)),
        CqlValue::Blob(bytes) => Json::object([("$binary", Json::text(STANDARD.encode(bytes)))]),
        CqlValue::Uuid(uuid) => Json::text(uuid.to_string()),
        CqlValue::Timeuuid(uuid) => Json::text(uuid.to_string()),
        CqlValue::Inet(address) => Json::text(inet::text(address)),
        CqlValue::Date(date) => Json::text(time::date_text(*date)),
        CqlValue::Time(value) => Json::text(time::time_name(*value)),
        CqlValue::Timestamp(timestamp) => Json::text(time::timestamp_text(*timestamp)),
        CqlValue::Duration(duration) => Json::text(duration_text(duration)),
        CqlValue::List(values) | CqlValue::Set(values) if values.is_empty() => return None,
        CqlValue::List(values) | CqlValue::Set(values) | CqlValue::Vector(values) => {
            values.iter().map(or_null).collect()
        }
        CqlValue::Map(pairs) if pairs.is_empty() => return None,
        CqlValue::Map(pairs) => map(pairs),
        CqlValue::UserDefinedType { fields, .. } => {
            let fields = fields.iter().filter_map(|(name, value)| {
                let value = value.as_ref().and_then(to_json)?;
                Some((name.clone(), value))
            });
            Json::Object(fields.collect())
        }
        // No column with tuples is read, and the enum is open.
        _ => return None,
    })
}

fn or_null(value: &CqlValue) -> Json {
    to_json(value).unwrap_or(Json::Null)
}

/// A map with texts as keys is an object, another one a list of pairs.
fn map(pairs: &[(CqlValue, CqlValue)]) -> Json {
    let members = pairs.iter().map(|(key, value)| match key {
        CqlValue::Text(key) | CqlValue::Ascii(key) => Some((key.clone(), or_null(value))),
        _ => None,
    });
    if let Some(members) = members.collect() {
        return Json::Object(members);
    }
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| Json::Array(vec![or_null(key), or_null(value)]))
        .collect()
}

/// Formats a float as Java does; NaN and the infinities are texts.
fn float_json(is_finite: bool, text: &str) -> Json {
    if is_finite {
        Json::Number(Decimal::of_float_text(text))
    } else {
        Json::text(text)
    }
}

/// Formats a float as Java does.
pub fn float(number: f32) -> Json {
    float_json(number.is_finite(), &single_text(number))
}

/// A duration in ISO 8601.
fn duration_text(duration: &CqlDuration) -> String {
    let negative = duration.months < 0 || duration.days < 0 || duration.nanoseconds < 0;
    let months = duration.months.unsigned_abs();
    let nanoseconds = duration.nanoseconds.unsigned_abs();
    let seconds = nanoseconds / SECOND;
    let mut date = String::new();
    let dates = [
        (months / 12, 'Y'),
        (months % 12, 'M'),
        (duration.days.unsigned_abs(), 'D'),
    ];
    for (number, unit) in dates.into_iter().filter(|(number, _)| *number > 0) {
        date.push_str(&format!("{number}{unit}"));
    }
    let mut clock = String::new();
    let clocks = [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M')];
    for (number, unit) in clocks.into_iter().filter(|(number, _)| *number > 0) {
        clock.push_str(&format!("{number}{unit}"));
    }
    match (seconds % 60, nanoseconds % SECOND) {
        (0, 0) => {}
        (seconds, 0) => clock.push_str(&format!("{seconds}S")),
        (seconds, fraction) => {
            let fraction = format!("{fraction:09}");
            clock.push_str(&format!("{seconds}.{}S", fraction.trim_end_matches('0')));
        }
    }
    let sign = if negative { "-" } else { "" };
    match (date.is_empty(), clock.is_empty()) {
        (true, true) => "PT0S".to_owned(),
        (_, true) => format!("{sign}P{date}"),
        (_, false) => format!("{sign}P{date}T{clock}"),
    }
}
