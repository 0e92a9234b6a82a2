//! Requests: the names in the path, the parameters and the body of the REST API.

use axum::extract::{FromRequestParts, Path, RawPathParams};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::lookup::Rest;
use access::Interface;
use bridge::{Body, BridgeError, Caller, Parameters, first_json};
use store::values::Maps;

/// Stargate's default page size.
const PAGE_SIZE: i32 = 100;

impl FromRequestParts<Rest> for Caller {
    type Rejection = BridgeError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Caller, BridgeError> {
        let names = RawPathParams::from_request_parts(parts, rest).await.ok();
        let mut names = names.iter().flatten();
        let keyspace = names.find(|(name, _)| *name == "keyspace");
        let keyspace = keyspace.map(|(_, keyspace)| keyspace.to_owned());
        Caller::new(&parts.headers, &rest.logins, Interface::Rest, keyspace)
    }
}

/// The decoded names in the path.
pub struct Names<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Names<T> {
    type Rejection = BridgeError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Names<T>, BridgeError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        let Path(names) = path.map_err(|_| BridgeError::BadRequest)?;
        Ok(Names(names))
    }
}

/// Returns the form of maps: compact, unless `compactMapData` is set to another value than true.
pub fn maps(parameters: &Parameters) -> Maps {
    match parameters.given("compactMapData") {
        Some(_) if !parameters.flag("compactMapData") => Maps::Entries,
        _ => Maps::Compact,
    }
}

/// Returns the number of rows per page. Zero and negative numbers select the default.
///
/// # Errors
/// [`BridgeError::NotFound`] if it is not a 32-bit number.
pub fn page_size(parameters: &Parameters) -> Result<i32, BridgeError> {
    let Some(text) = parameters.given("page-size") else {
        return Ok(PAGE_SIZE);
    };
    let size: i32 = text.parse().map_err(|_| BridgeError::NotFound)?;
    Ok(if size > 0 { size } else { PAGE_SIZE })
}

/// Parses a body as an object of the API.
///
/// # Errors
/// [`BridgeError::BadRequest`] for invalid JSON or members of the wrong kind, and a separate error for an empty body.
pub fn object<T: DeserializeOwned>(body: &Body) -> Result<T, BridgeError> {
    let missing = || BridgeError::invalid("must not be null");
    if body.0.is_empty() {
        return Err(missing());
    }
    let object: Option<T> = first_json(&body.text()).map_err(|_| BridgeError::BadRequest)?;
    object.ok_or_else(missing)
}

/// Reads a text. Like Jackson, accepts any scalar.
pub fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        scalar @ (Value::Bool(_) | Value::Number(_)) => Ok(Some(scalar.to_string())),
        _ => Err(serde::de::Error::custom("a text is wanted")),
    }
}

/// Reads a boolean. Like Jackson, accepts integers, the texts of `true` and `false`, and null for false.
pub fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(false),
        Value::Bool(value) => Ok(value),
        Value::Number(number) if number.is_i64() => Ok(number.as_i64() != Some(0)),
        Value::String(text) => match text.as_str() {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" | "" => Ok(false),
            _ => Err(serde::de::Error::custom("true or false is wanted")),
        },
        _ => Err(serde::de::Error::custom("true or false is wanted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        Parameters::read(&format!("/?{query}").parse().unwrap()).unwrap()
    }

    #[test]
    fn maps_are_compact_unless_told() {
        for (query, wanted) in [
            ("", Maps::Compact),
            ("compactMapData=True", Maps::Compact),
            ("compactMapData=maybe", Maps::Entries),
            ("compactMapData=", Maps::Entries),
        ] {
            assert_eq!(maps(&parameters(query)), wanted, "{query}");
        }
    }

    #[test]
    fn a_page_size_is_a_number_or_not_found() {
        let page_size = |text| page_size(&parameters(&format!("page-size={text}")));
        for (text, wanted) in [("3", 3), ("0", 100), ("-1", 100), ("2147483647", i32::MAX)] {
            assert_eq!(page_size(text).unwrap(), wanted);
        }
        for text in ["many", "", "1.5", "2147483648"] {
            assert!(
                matches!(page_size(text), Err(BridgeError::NotFound)),
                "{text}"
            );
        }
    }
}
