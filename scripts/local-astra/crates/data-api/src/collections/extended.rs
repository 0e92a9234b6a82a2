//! Extended JSON: objects of one member that stand for a date, a UUID, an ObjectId or bytes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::json::Json;

/// The kinds of extended values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    Date,
    Binary,
    ObjectId,
    Uuid,
}

impl Extension {
    /// The kind of a member's name.
    pub fn named(name: &str) -> Option<Extension> {
        match name {
            "$date" => Some(Extension::Date),
            "$binary" => Some(Extension::Binary),
            "$objectId" => Some(Extension::ObjectId),
            "$uuid" => Some(Extension::Uuid),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Extension::Date => "$date",
            Extension::Binary => "$binary",
            Extension::ObjectId => "$objectId",
            Extension::Uuid => "$uuid",
        }
    }

    /// The description of a valid value, for messages.
    pub fn wanted(self) -> &'static str {
        match self {
            Extension::Date => "milliseconds since the epoch",
            Extension::Binary => "a text in base64",
            Extension::ObjectId => "an ObjectId of 24 hexadecimal digits",
            Extension::Uuid => "a UUID of 36 characters",
        }
    }

    /// The text of an ObjectId or a UUID, in lower case; `None` if it is none.
    pub fn text(self, value: &Json) -> Option<String> {
        let text = value.as_text()?;
        match self {
            Extension::ObjectId => {
                let is_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_id.then(|| text.to_ascii_lowercase())
            }
            Extension::Uuid => java_uuid(text),
            Extension::Date | Extension::Binary => None,
        }
    }
}

/// An object of one member whose name begins with a dollar.
pub fn looks_extended(value: &Json) -> Option<(&str, &Json)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, value) = members.first()?;
    name.starts_with('$').then_some((name, value))
}

/// An extended value of a known kind.
pub fn known(value: &Json) -> Option<(Extension, &Json)> {
    let (name, value) = looks_extended(value)?;
    Some((Extension::named(name)?, value))
}

/// The milliseconds of `{"$date": ...}`.
pub fn date(value: &Json) -> Option<i64> {
    match known(value)? {
        (Extension::Date, value) => value.as_number()?.as_i64(),
        _ => None,
    }
}

/// `{"$date": milliseconds}`
pub fn date_json(milliseconds: i64) -> Json {
    Json::object([("$date", Json::integer(milliseconds))])
}

/// The floats of base64 text: four bytes each, the highest first.
pub fn floats(text: &str) -> Option<Vec<f32>> {
    let bytes = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .ok()?;
    let chunks = bytes.chunks_exact(4);
    if !chunks.remainder().is_empty() {
        return None;
    }
    let floats = chunks.map(|chunk| f32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
    Some(floats.collect())
}

/// Java's `UUID.fromString` takes groups with fewer digits than they have.
fn java_uuid(text: &str) -> Option<String> {
    if text.len() > 36 {
        return None;
    }
    let groups: Vec<&str> = text.split('-').collect();
    let widths = [8, 4, 4, 4, 12];
    if groups.len() != widths.len() {
        return None;
    }
    let groups: Option<Vec<String>> = groups
        .iter()
        .zip(widths)
        .map(|(group, width)| {
            let is_hex = (1..=width).contains(&group.len())
                && group.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| format!("{:0>width$}", group.to_ascii_lowercase()))
        })
        .collect();
    Some(groups?.join("-"))
}
