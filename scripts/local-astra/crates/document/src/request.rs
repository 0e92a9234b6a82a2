//! Requests: the token, the names and the path in the URL, the parameters, the body.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::DocumentError;
use super::path::field_path;
use super::profile::Profile;
use access::{Interface, Logins, TokenSession};
use bridge::Scheme;
use store::StoreError;

const TOKEN: &str = "x-cassandra-token";

/// Rejects a request without a token before all other checks.
pub async fn require_token(headers: HeaderMap, request: Request, next: Next) -> Response {
    if headers.contains_key(TOKEN) {
        next.run(request).await
    } else {
        DocumentError::MissingToken.into_response()
    }
}

/// The sender of a request. As in Stargate, the token is checked by the login, which follows the checks of the request.
pub struct Caller {
    pub logins: Logins,
    token: String,
    /// The namespace in the path, if any.
    namespace: Option<String>,
}

impl Caller {
    /// Returns the login of the request's token.
    ///
    /// # Errors
    /// The token is invalid.
    pub async fn session(&self) -> Result<Arc<TokenSession>, DocumentError> {
        let session = self.logins.session(&self.token).await?;
        match &self.namespace {
            Some(namespace) => session.require_in(Interface::Document, namespace).await?,
            None => session.require(Interface::Document)?,
        }
        Ok(session)
    }
}

impl FromRequestParts<Logins> for Caller {
    type Rejection = DocumentError;

    async fn from_request_parts(parts: &mut Parts, logins: &Logins) -> Result<Self, DocumentError> {
        if !bridge::is_json(&parts.headers, &CONTENT_TYPE) {
            return Err(DocumentError::WrongContentType);
        }
        if !bridge::is_json(&parts.headers, &ACCEPT) {
            return Err(DocumentError::NotAcceptable);
        }
        let token = parts
            .headers
            .get(TOKEN)
            .ok_or(DocumentError::MissingToken)?
            .to_str()
            .map_err(|_| StoreError::invalid_token())?;
        let mut segments = parts.uri.path().split('/');
        let namespace = segments
            .find(|segment| *segment == "namespaces")
            .and_then(|_| segments.next());
        Ok(Caller {
            logins: logins.clone(),
            token: token.to_owned(),
            namespace: namespace.map(decode).filter(|n| !n.is_empty()),
        })
    }
}

/// The decoded names in the URL: `/namespaces/{namespace}/collections[/{collection}[/{id}[/{path}]]]`. Parsed from the
/// raw URL, so that an encoded slash is part of a name.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    pub namespace: String,
    /// Empty where the URL ends before it.
    pub collection: String,
    /// Empty where the URL ends before it.
    pub id: String,
    /// The segments below the document, as written.
    pub path: Vec<String>,
    /// The whole URL without its parameters, for `Location`.
    pub url: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = DocumentError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, DocumentError> {
        let mut address = Address::read(parts.uri.path())?;
        let Ok(Url(url)) = Url::from_request_parts(parts, state).await;
        address.url = url;
        Ok(address)
    }
}

/// The URL of a request as the client sent it, without parameters.
pub struct Url(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Url {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let OriginalUri(whole) = OriginalUri::from_request_parts(parts, state).await?;
        // Without a scheme or a host the URL is relative to the request.
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = whole.authority().map(Authority::as_str).or(host);
        let scheme = parts.extensions.get::<Scheme>();
        let base = match (scheme, host) {
            (Some(scheme), Some(host)) => format!("{}://{host}", scheme.name()),
            _ => String::new(),
        };
        Ok(Url(format!("{base}{}", whole.path())))
    }
}

impl Address {
    fn read(path: &str) -> Result<Address, DocumentError> {
        let mut segments = path.split('/').skip(1).map(decode);
        let mut next = || segments.next().unwrap_or_default();
        next(); // "namespaces"
        let namespace = next();
        next(); // "collections"
        let (collection, id) = (next(), next());
        let path: Vec<String> = segments.collect();
        if !is_word(&namespace) || !(is_word(&collection) || collection.is_empty()) {
            return Err(DocumentError::UnknownPath);
        }
        if path.iter().any(String::is_empty) {
            return Err(DocumentError::NotFound);
        }
        Ok(Address {
            namespace,
            collection,
            id,
            path,
            url: String::new(),
        })
    }
}

/// Decodes one segment, and drops matrix parameters after a semicolon, which no path uses.
fn decode(segment: &str) -> String {
    bridge::decoded(segment.split(';').next().unwrap_or_default())
}

/// Returns true for letters, digits and underscores, the characters of valid names of namespaces and collections.
pub fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The query parameters. The first of several with the same name counts; an empty one counts as missing.
#[derive(Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = DocumentError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, DocumentError> {
        let parameters = bridge::parameters(&parts.uri);
        parameters.map(Parameters).ok_or(DocumentError::BadBody)
    }
}

impl Parameters {
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Returns true only for `true`, case-insensitively.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub fn raw(&self) -> bool {
        self.flag("raw")
    }

    /// Returns a profile, which records the statements if the client requests it.
    pub fn profile(&self) -> Profile {
        Profile::new(self.flag("profile"))
    }

    /// Returns the time to live of a document in seconds.
    ///
    /// # Errors
    /// It is not a number, or less than one.
    pub fn ttl(&self) -> Result<Option<i32>, DocumentError> {
        match self.number("ttl")? {
            Some(..=0) => Err(DocumentError::invalid(
                "TTL value must be a positive integer",
            )),
            ttl => Ok(ttl),
        }
    }

    /// Returns a 32-bit number.
    ///
    /// # Errors
    /// [`DocumentError::NotFound`] if it is not one.
    pub fn number(&self, name: &str) -> Result<Option<i32>, DocumentError> {
        let text = self.text(name);
        let number = text.map(|text| text.parse().map_err(|_| DocumentError::NotFound));
        number.transpose()
    }

    /// Parses the parameter `fields`: dotted paths, split.
    ///
    /// # Errors
    /// It is not a JSON array of texts.
    pub fn fields(&self) -> Result<Vec<Vec<String>>, DocumentError> {
        let Some(text) = self.text("fields") else {
            return Ok(Vec::new());
        };
        let json = first_json(text.as_bytes()).ok_or_else(|| {
            DocumentError::refused(
                "The `fields` parameter expects a valid JSON array containing field names.",
            )
        })?;
        let Value::Array(fields) = json else {
            return Err(DocumentError::Refused(format!(
                "`fields` must be a JSON array, found {json}"
            )));
        };
        let paths = fields.iter().map(|field| match field {
            Value::String(field) => field_path(field),
            other => Err(DocumentError::Refused(format!(
                "Each field must be a string, found {other}"
            ))),
        });
        paths.collect()
    }
}

/// The body of a request.
pub struct Body(Bytes);

impl FromRequest<Logins> for Body {
    type Rejection = DocumentError;

    async fn from_request(request: Request, logins: &Logins) -> Result<Self, DocumentError> {
        let body = Bytes::from_request(request, logins).await;
        let bytes = body.map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => DocumentError::BodyTooLarge,
            _ => DocumentError::BadBody,
        })?;
        Ok(Body(bytes))
    }
}

impl Body {
    /// Parses the body as any JSON.
    ///
    /// # Errors
    /// `missing` for an empty body, [`DocumentError::BadBody`] for invalid JSON.
    pub fn json(&self, missing: &str) -> Result<Value, DocumentError> {
        if self.0.is_empty() {
            return Err(DocumentError::invalid(missing));
        }
        first_json(&self.0).ok_or(DocumentError::BadBody)
    }

    /// Parses the body as an object of the API, and ignores unknown members.
    ///
    /// # Errors
    /// Those of [`Body::json`], and separate errors for an empty body and for null.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, DocumentError> {
        let missing = "payload not provided";
        match self.json(missing)? {
            Value::Null => Err(DocumentError::invalid(missing)),
            value @ Value::Object(_) => {
                serde_json::from_value(value).map_err(|_| DocumentError::BadBody)
            }
            _ => Err(DocumentError::BadBody),
        }
    }
}

/// Parses the first JSON value of a text, and ignores the rest, as Stargate does.
pub fn first_json(text: &[u8]) -> Option<Value> {
    let text = bridge::without_lone_surrogates(std::str::from_utf8(text).ok()?);
    serde_json::Deserializer::from_str(&text)
        .into_iter()
        .next()?
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_after_the_url_is_split() {
        let address =
            Address::read("/namespaces/ks/collections/c/my%20b%C3%BCch+1/a%2Fb/%5B0%5D;x=1")
                .unwrap();
        assert_eq!(address.namespace, "ks");
        assert_eq!(address.collection, "c");
        assert_eq!(address.id, "my büch+1");
        assert_eq!(address.path, ["a/b", "[0]"]);
        let address = Address::read("/namespaces/ks/collections/c/%FF/[0]").unwrap();
        assert_eq!((address.id.as_str(), address.path.len()), ("\u{fffd}", 1));
    }

    #[test]
    fn what_is_no_name_is_no_path() {
        for url in [
            "/namespaces/a-b/collections",
            "/namespaces/ks/collections/a%22b/d",
        ] {
            assert!(
                matches!(Address::read(url), Err(DocumentError::UnknownPath)),
                "{url}"
            );
        }
        for url in [
            "/namespaces/ks/collections/c/d/a/",
            "/namespaces/ks/collections/c/d/a//b",
        ] {
            assert!(
                matches!(Address::read(url), Err(DocumentError::NotFound)),
                "{url}"
            );
        }
    }

    #[test]
    fn parameters_are_read_as_stargate_does() {
        let pairs = [
            ("raw", "TRUE"),
            ("page-size", "many"),
            ("ttl", "0"),
            ("where", ""),
            ("x", "7"),
        ];
        let parameters = Parameters(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
        assert!(parameters.raw());
        assert!(!parameters.flag("profile"));
        assert_eq!(parameters.text("where"), None);
        assert_eq!(parameters.number("x").unwrap(), Some(7));
        assert!(matches!(
            parameters.number("page-size"),
            Err(DocumentError::NotFound)
        ));
        assert!(matches!(parameters.ttl(), Err(DocumentError::Invalid(_))));
    }
}
