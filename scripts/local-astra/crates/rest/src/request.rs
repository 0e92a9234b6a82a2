//! Requests: the token, the names in the path, the parameters, the body.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, RawPathParams, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::RestError;
use super::lookup::Rest;
use access::{Interface, Logins, TokenSession};
use store::StoreError;
use store::values::Maps;

const TOKEN: &str = "x-cassandra-token";

/// Stargate's default page size.
const PAGE_SIZE: i32 = 100;

/// Rejects a request without a token before all other checks. The token itself is checked by [`Caller::session`].
pub async fn require_token(headers: HeaderMap, request: Request, next: Next) -> Response {
    if headers.contains_key(TOKEN) {
        next.run(request).await
    } else {
        RestError::MissingToken.into_response()
    }
}

/// The sender of a request. As in Stargate, the token is checked by the login, which follows the checks of the request.
pub struct Caller {
    logins: Logins,
    token: String,
    /// The keyspace in the path, if any.
    keyspace: Option<String>,
}

impl Caller {
    /// Returns the login of the request's token.
    ///
    /// # Errors
    /// The token is invalid.
    pub async fn session(&self) -> Result<Arc<TokenSession>, RestError> {
        let session = self.logins.session(&self.token).await?;
        match &self.keyspace {
            Some(keyspace) => session.require_in(Interface::Rest, keyspace).await?,
            None => session.require(Interface::Rest)?,
        }
        Ok(session)
    }
}

impl FromRequestParts<Rest> for Caller {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> Result<Caller, RestError> {
        if !bridge::is_json(&parts.headers, &CONTENT_TYPE) {
            return Err(RestError::WrongContentType);
        }
        if !bridge::is_json(&parts.headers, &ACCEPT) {
            return Err(RestError::NotAcceptable);
        }
        let token = parts.headers.get(TOKEN).ok_or(RestError::MissingToken)?;
        let token = token.to_str().map_err(|_| StoreError::invalid_token())?;
        let token = token.to_owned();
        let names = RawPathParams::from_request_parts(parts, rest).await.ok();
        let mut names = names.iter().flatten();
        let keyspace = names.find(|(name, _)| *name == "keyspace");
        Ok(Caller {
            logins: rest.logins.clone(),
            token,
            keyspace: keyspace.map(|(_, keyspace)| keyspace.to_owned()),
        })
    }
}

/// The decoded names in the path.
pub struct Names<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Names<T> {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Names<T>, RestError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        let Path(names) = path.map_err(|_| RestError::BadBody)?;
        Ok(Names(names))
    }
}

/// The query parameters. The first of several with the same name counts.
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Parameters, RestError> {
        let parameters = bridge::parameters(&parts.uri);
        parameters.map(Parameters).ok_or(RestError::BadBody)
    }
}

impl Parameters {
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns true only for `true`, case-insensitively.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the form of maps: compact, unless `compactMapData` is set to another value than true.
    pub fn maps(&self) -> Maps {
        match self.text("compactMapData") {
            Some(_) if !self.flag("compactMapData") => Maps::Entries,
            _ => Maps::Compact,
        }
    }

    /// Returns the number of rows per page. Zero and negative numbers select the default.
    ///
    /// # Errors
    /// [`RestError::BadNumber`] if it is not a 32-bit number.
    pub fn page_size(&self) -> Result<i32, RestError> {
        let Some(text) = self.text("page-size") else {
            return Ok(PAGE_SIZE);
        };
        let size: i32 = text.parse().map_err(|_| RestError::BadNumber)?;
        Ok(if size > 0 { size } else { PAGE_SIZE })
    }
}

/// The body of a request.
pub struct Body(pub Bytes);

impl FromRequest<Rest> for Body {
    type Rejection = RestError;

    async fn from_request(request: Request, rest: &Rest) -> Result<Body, RestError> {
        let body = Bytes::from_request(request, rest).await;
        let bytes = body.map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => RestError::BodyTooLarge,
            _ => RestError::BadBody,
        })?;
        Ok(Body(bytes))
    }
}

impl Body {
    /// Parses the first JSON value of the body, and ignores the rest.
    ///
    /// # Errors
    /// A sentence about the problem. An empty body is an error, too.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        first_json(&self.text())
    }

    /// Decodes the body as Java does.
    pub fn text(&self) -> Cow<'_, str> {
        bridge::lossy(&self.0)
    }

    /// Parses the body as an object of the API.
    ///
    /// # Errors
    /// [`RestError::BadBody`] for invalid JSON or members of the wrong kind, and a separate error for an empty body.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        let missing = RestError::Invalid("must not be null");
        if self.0.is_empty() {
            return Err(missing);
        }
        let body: Option<T> = self.json().map_err(|_| RestError::BadBody)?;
        body.ok_or(missing)
    }
}

/// Parses the first JSON value of a text and ignores the rest, as Jackson does.
///
/// # Errors
/// A sentence about the problem.
pub fn first_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = bridge::without_lone_surrogates(text);
    let mut values = serde_json::Deserializer::from_str(&text).into_iter();
    match values.next() {
        Some(value) => value.map_err(|error| error.to_string()),
        None => Err("No content to map due to end-of-input".to_owned()),
    }
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

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        let pairs = pairs.iter();
        Parameters(
            pairs
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn only_true_is_true() {
        for (text, wanted) in [
            ("true", true),
            ("TRUE", true),
            ("maybe", false),
            ("1", false),
            ("", false),
        ] {
            assert_eq!(parameters(&[("raw", text)]).flag("raw"), wanted, "{text}");
        }
        assert!(!parameters(&[]).flag("raw"));
        assert!(parameters(&[("raw", "true"), ("raw", "false")]).flag("raw"));
    }

    #[test]
    fn maps_are_compact_unless_told() {
        assert_eq!(parameters(&[]).maps(), Maps::Compact);
        assert_eq!(
            parameters(&[("compactMapData", "True")]).maps(),
            Maps::Compact
        );
        assert_eq!(
            parameters(&[("compactMapData", "maybe")]).maps(),
            Maps::Entries
        );
    }

    #[test]
    fn a_page_size_is_a_number_or_not_found() {
        for (text, wanted) in [("3", 3), ("0", 100), ("-1", 100), ("2147483647", i32::MAX)] {
            assert_eq!(
                parameters(&[("page-size", text)]).page_size().unwrap(),
                wanted
            );
        }
        for text in ["many", "", "1.5", "2147483648"] {
            let refused = parameters(&[("page-size", text)]).page_size();
            assert!(matches!(refused, Err(RestError::BadNumber)), "{text}");
        }
    }

    #[test]
    fn what_follows_the_first_value_is_not_read() {
        let value: Value = first_json("{\"a\": 1} and more").unwrap();
        assert_eq!(value["a"], 1);
        for bad in ["", "  ", "{\"a\":1,", "{bad", "nope"] {
            assert!(first_json::<Value>(bad).is_err(), "{bad}");
        }
    }
}
