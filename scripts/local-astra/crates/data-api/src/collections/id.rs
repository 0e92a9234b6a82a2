//! Ids of documents, as JSON and as the key of a row.

use std::time::{SystemTime, UNIX_EPOCH};

use scylla::value::CqlValue;
use uuid::Uuid;

use super::extended::{self, Extension};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Decimal, Json};

/// The id of a document. A UUID or ObjectId and an equal text are one key.
#[derive(Clone, Debug)]
pub enum Id {
    Text(String),
    Number(Decimal),
    Bool(bool),
    Null,
    Date(i64),
    Extended(Extension, String),
}

/// The key of a row: the type of the id, and its text.
pub type Key = (i8, String);

impl Id {
    /// Reads the `_id` of a document or a filter.
    ///
    /// # Errors
    /// For a value that cannot be an id.
    pub fn read(value: &Json) -> Result<Id, ApiError> {
        let bad_type = |reason: String| {
            ApiError::new(
                Code::ShredBadDocidType,
                format!("Bad type for '_id' field: {reason}."),
            )
        };
        match value {
            Json::Null => Ok(Id::Null),
            Json::Bool(value) => Ok(Id::Bool(*value)),
            Json::Number(number) => Ok(Id::Number(number.clone())),
            Json::Text(text) if text.is_empty() => {
                let text = "Bad value for '_id' field: an empty text is not allowed.";
                Err(ApiError::new(Code::ShredBadDocidValue, text))
            }
            Json::Text(text) => Ok(Id::Text(text.clone())),
            Json::Object(_) | Json::Array(_) => {
                let Some((extension, inner)) = extended::known(value) else {
                    let found = value.type_name();
                    return Err(bad_type(format!(
                        "an id is a text, number, boolean, date, UUID, ObjectId or null, not {found}: {value}"
                    )));
                };
                let wanted = extension.wanted();
                let id = match extension {
                    Extension::Date => extended::date(value).map(Id::Date),
                    kind => kind.text(inner).map(|text| Id::Extended(kind, text)),
                };
                id.ok_or_else(|| bad_type(format!("{} has to be {wanted}", extension.name())))
            }
        }
    }

    /// A new id of a collection's type.
    pub fn generate(id_type: Option<&str>) -> Json {
        let uuid = |uuid: Uuid| Json::object([("$uuid", Json::text(uuid.to_string()))]);
        match id_type {
            Some("objectId") => Json::object([("$objectId", Json::text(new_object_id()))]),
            Some("uuid") => uuid(Uuid::new_v4()),
            Some("uuidv6") => uuid(new_uuid_v6()),
            Some("uuidv7") => uuid(new_uuid_v7()),
            _ => Json::text(Uuid::new_v4().to_string()),
        }
    }

    pub fn to_json(&self) -> Json {
        match self {
            Id::Text(text) => Json::text(text),
            Id::Number(number) => Json::Number(number.clone()),
            Id::Bool(value) => Json::Bool(*value),
            Id::Null => Json::Null,
            Id::Date(milliseconds) => extended::date_json(*milliseconds),
            Id::Extended(extension, text) => Json::object([(extension.name(), Json::text(text))]),
        }
    }

    pub fn key(&self) -> Key {
        match self {
            Id::Text(text) | Id::Extended(_, text) => (1, text.clone()),
            Id::Number(number) => (2, number.to_string()),
            Id::Bool(value) => (3, value.to_string()),
            Id::Null => (4, "null".to_owned()),
            Id::Date(milliseconds) => (5, milliseconds.to_string()),
        }
    }

    /// Returns true if both are the same id in the same form.
    pub fn is_same(&self, other: &Id) -> bool {
        let form = |id: &Id| match id {
            Id::Extended(extension, _) => Some(*extension),
            _ => None,
        };
        form(self) == form(other) && self.key() == other.key()
    }
}

/// A key as a value of its column.
pub fn key_value(key: &Key) -> CqlValue {
    let (typ, text) = key;
    CqlValue::Tuple(vec![
        Some(CqlValue::TinyInt(*typ)),
        Some(CqlValue::Text(text.clone())),
    ])
}

/// The key in a column; `None` for a row that has another.
pub fn read_key(value: Option<CqlValue>) -> Option<Key> {
    let Some(CqlValue::Tuple(parts)) = value else {
        return None;
    };
    let mut parts = parts.into_iter();
    match (parts.next()??, parts.next()??) {
        (CqlValue::TinyInt(typ), CqlValue::Text(text)) => Some((typ, text)),
        _ => None,
    }
}

fn milliseconds() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds, then random bits: twelve bytes.
fn new_object_id() -> String {
    let seconds = milliseconds() / 1000;
    let random = Uuid::new_v4().simple().to_string();
    format!("{:08x}{}", seconds & 0xffff_ffff, &random[..16])
}

/// Time first, from the highest bits on, with random bits after it.
fn new_uuid_v6() -> Uuid {
    const TO_1582: u64 = 0x01B2_1DD2_1381_4000;
    let ticks = milliseconds().wrapping_mul(10_000).wrapping_add(TO_1582);
    let (high, low) = ((ticks >> 12) & 0xffff_ffff_ffff, ticks & 0xfff);
    with_version(u128::from(high) << 80 | u128::from(low) << 64, 6)
}

fn new_uuid_v7() -> Uuid {
    let random = Uuid::new_v4().as_u128();
    let time = u128::from(milliseconds() & 0xffff_ffff_ffff) << 80;
    with_version(time | (random >> 48 & 0xfff) << 64, 7)
}

/// The upper half as given, with version and variant; the lower half is random.
fn with_version(upper: u128, version: u128) -> Uuid {
    let random = Uuid::new_v4().as_u128() & 0x3fff_ffff_ffff_ffff;
    let variant = 2u128 << 62;
    Uuid::from_u128(upper | version << 76 | variant | random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::reader;

    fn id(text: &str) -> Result<Id, &'static str> {
        Id::read(&reader::read(text).unwrap().unwrap()).map_err(|error| error.code.name())
    }

    #[test]
    fn ids_have_keys() {
        for (text, key) in [
            ("\"a\"", (1, "a")),
            ("5", (2, "5")),
            ("5.0", (2, "5")),
            ("true", (3, "true")),
            ("null", (4, "null")),
            (r#"{"$date":-1}"#, (5, "-1")),
            (
                r#"{"$uuid":"018E75FF-3a07-7b08-bb91-aa566c5abaa6"}"#,
                (1, "018e75ff-3a07-7b08-bb91-aa566c5abaa6"),
            ),
            (
                r#"{"$objectId":"65fd9b52d7fabba03349d013"}"#,
                (1, "65fd9b52d7fabba03349d013"),
            ),
        ] {
            assert_eq!(id(text).unwrap().key(), (key.0, key.1.to_owned()), "{text}");
        }
        for (text, code) in [
            ("\"\"", "SHRED_BAD_DOCID_VALUE"),
            ("[1]", "SHRED_BAD_DOCID_TYPE"),
            ("{}", "SHRED_BAD_DOCID_TYPE"),
            (r#"{"$date":1.5}"#, "SHRED_BAD_DOCID_TYPE"),
            (r#"{"$uuid":"x"}"#, "SHRED_BAD_DOCID_TYPE"),
            (r#"{"$x":1}"#, "SHRED_BAD_DOCID_TYPE"),
        ] {
            assert_eq!(id(text).unwrap_err(), code, "{text}");
        }
    }

    #[test]
    fn generated_ids_have_their_types() {
        for (typ, version) in [("uuid", 4), ("uuidv6", 6), ("uuidv7", 7)] {
            let id = Id::generate(Some(typ));
            let text = id.get("$uuid").and_then(Json::as_text).unwrap();
            let uuid = Uuid::parse_str(text).unwrap();
            assert_eq!(
                (uuid.get_version_num(), uuid.get_variant()),
                (version, uuid::Variant::RFC4122)
            );
            assert!(Id::read(&id).is_ok());
        }
        assert!(Id::read(&Id::generate(Some("objectId"))).is_ok());
    }
}
