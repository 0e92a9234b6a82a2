//! Requests: the token and its login, the query parameters, the body.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::error::BridgeError;
use super::text::{decoded, is_encoded, lossy, without_lone_surrogates};
use access::{Interface, Logins, TokenSession};
use store::StoreError;

/// Maximum size of a body, as in Quarkus.
pub const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// Returns the header with the token.
///
/// # Errors
/// [`BridgeError::MissingToken`]
pub fn token(headers: &HeaderMap) -> Result<&HeaderValue, BridgeError> {
    headers
        .get("x-cassandra-token")
        .ok_or(BridgeError::MissingToken)
}

/// Rejects a request without a token before all other checks. The token itself is checked by [`Caller::session`].
pub async fn require_token(headers: HeaderMap, request: Request, next: Next) -> Response {
    match token(&headers) {
        Ok(_) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The sender of a request. As in Stargate, the token is checked by the login, which follows the checks of the request.
pub struct Caller {
    pub logins: Logins,
    token: String,
    interface: Interface,
    /// The keyspace in the path, if any.
    keyspace: Option<String>,
}

impl Caller {
    /// Reads the headers of a request.
    ///
    /// # Errors
    /// A content type other than JSON, and a token that is missing or not a text.
    pub fn new(
        headers: &HeaderMap,
        logins: &Logins,
        interface: Interface,
        keyspace: Option<String>,
    ) -> Result<Caller, BridgeError> {
        if !is_json(headers, &CONTENT_TYPE) {
            return Err(BridgeError::WrongContentType);
        }
        if !is_json(headers, &ACCEPT) {
            return Err(BridgeError::NotAcceptable);
        }
        let token = token(headers)?.to_str();
        let token = token.map_err(|_| StoreError::invalid_token())?;
        Ok(Caller {
            logins: logins.clone(),
            token: token.to_owned(),
            interface,
            keyspace,
        })
    }

    /// Returns the login of the request's token.
    ///
    /// # Errors
    /// The token is invalid, or does not open the interface.
    pub async fn session(&self) -> Result<Arc<TokenSession>, BridgeError> {
        let session = self.logins.session(&self.token).await?;
        match &self.keyspace {
            Some(keyspace) => session.require_in(self.interface, keyspace).await?,
            None => session.require(self.interface)?,
        }
        Ok(session)
    }
}

/// Returns true if a header, `Content-Type` or `Accept`, allows JSON. Stargate checks both in every request, with or
/// without a body; a missing header allows JSON.
fn is_json(headers: &HeaderMap, name: &HeaderName) -> bool {
    let given = headers.get_all(name).iter();
    let mut types = given.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let is_json = |given: &str| {
        let essence = given.split(';').next().unwrap_or_default().trim();
        ["application/json", "application/*", "*/*"]
            .iter()
            .any(|known| essence.eq_ignore_ascii_case(known))
    };
    !headers.contains_key(name) || types.any(is_json)
}

/// The query parameters. The first of several with the same name counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = BridgeError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Parameters, BridgeError> {
        Parameters::read(&parts.uri)
    }
}

impl Parameters {
    /// Reads the parameters of a URL.
    ///
    /// # Errors
    /// [`BridgeError::BadRequest`] if one of them is incorrectly encoded.
    pub fn read(uri: &Uri) -> Result<Parameters, BridgeError> {
        let query = uri.query().unwrap_or_default();
        if !is_encoded(query) {
            return Err(BridgeError::BadRequest);
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decoded(&text.replace('+', " "));
            (plain(name), plain(value))
        });
        Ok(Parameters(pairs.collect()))
    }

    /// Returns a parameter, which may be empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns a parameter; `None` if it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// Returns true only for `true`, case-insensitively.
    pub fn flag(&self, name: &str) -> bool {
        self.given(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The body of a request.
pub struct Body(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = BridgeError;

    async fn from_request(request: Request, state: &S) -> Result<Body, BridgeError> {
        let body = Bytes::from_request(request, state).await;
        let bytes = body.map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => BridgeError::BodyTooLarge,
            _ => BridgeError::BadRequest,
        })?;
        Ok(Body(bytes))
    }
}

impl Body {
    /// Decodes the body as Java does.
    pub fn text(&self) -> Cow<'_, str> {
        lossy(&self.0)
    }
}

/// Parses the first JSON value of a text and ignores the rest, as Jackson does.
///
/// # Errors
/// A sentence about the problem. An empty text is an error, too.
pub fn first_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = without_lone_surrogates(text);
    let mut values = serde_json::Deserializer::from_str(&text).into_iter();
    match values.next() {
        Some(value) => value.map_err(|error| error.to_string()),
        None => Err("No content to map due to end-of-input".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_allows_json() {
        let allows = |text: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(text))]);
            is_json(&headers, &ACCEPT)
        };
        assert!(is_json(&HeaderMap::new(), &ACCEPT));
        for text in [
            "application/json; charset=utf-8",
            "*/*",
            "text/html, application/*;q=0.8",
        ] {
            assert!(allows(text), "{text}");
        }
        for text in ["text/plain", "application/xml, text/html", ""] {
            assert!(!allows(text), "{text}");
        }
    }

    fn read(query: &str) -> Result<Parameters, BridgeError> {
        Parameters::read(&format!("/?{query}").parse().unwrap())
    }

    #[test]
    fn parameters_are_read_as_from_a_form() {
        for (query, wanted) in [
            (
                "a=b+c&d=%2B&e&f=",
                &[("a", "b c"), ("d", "+"), ("e", ""), ("f", "")][..],
            ),
            ("a=%ff&&b=%22", &[("a", "\u{fffd}"), ("b", "\"")]),
        ] {
            let pairs = wanted.iter();
            let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(read(query).unwrap(), Parameters(pairs.collect()));
        }
        for query in ["a=%zz", "a=%", "a=%4", "%2=a"] {
            assert!(
                matches!(read(query), Err(BridgeError::BadRequest)),
                "{query}"
            );
        }
    }

    #[test]
    fn the_first_parameter_of_a_name_counts_even_if_it_is_empty() {
        let parameters = read("a=&a=b&c=d&c=e").unwrap();
        assert_eq!(
            (parameters.given("a"), parameters.text("a")),
            (Some(""), None)
        );
        assert_eq!(
            (parameters.given("c"), parameters.text("c")),
            (Some("d"), Some("d"))
        );
        assert_eq!((parameters.given("x"), parameters.text("x")), (None, None));
    }

    #[test]
    fn only_true_is_true() {
        for (query, wanted) in [
            ("raw=true", true),
            ("raw=TRUE", true),
            ("raw=maybe", false),
            ("raw=1", false),
            ("raw=", false),
            ("", false),
            ("raw=true&raw=false", true),
        ] {
            assert_eq!(read(query).unwrap().flag("raw"), wanted, "{query}");
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
