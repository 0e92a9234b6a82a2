//! Requests: the names and the path in the URL, the parameters and the body of the Document API.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::DocumentError;
use super::path::field_path;
use access::{Interface, Logins};
use bridge::{Body, BridgeError, Caller, Parameters, Scheme, first_json};

/// State of the Document API.
#[derive(Clone)]
pub struct Documents(pub Logins);

impl FromRequestParts<Documents> for Caller {
    type Rejection = BridgeError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Documents,
    ) -> Result<Caller, BridgeError> {
        let mut segments = parts.uri.path().split('/');
        let namespace = segments
            .find(|segment| *segment == "namespaces")
            .and_then(|_| segments.next());
        let namespace = namespace.map(decode).filter(|n| !n.is_empty());
        Caller::new(&parts.headers, &state.0, Interface::Document, namespace)
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
    type Rejection = BridgeError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, BridgeError> {
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
    fn read(path: &str) -> Result<Address, BridgeError> {
        let mut segments = path.split('/').skip(1).map(decode);
        let mut next = || segments.next().unwrap_or_default();
        next(); // "namespaces"
        let namespace = next();
        next(); // "collections"
        let (collection, id) = (next(), next());
        let path: Vec<String> = segments.collect();
        if !is_word(&namespace) || !(is_word(&collection) || collection.is_empty()) {
            return Err(BridgeError::UnknownPath);
        }
        if path.iter().any(String::is_empty) {
            return Err(BridgeError::NotFound);
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

/// Returns the time to live of a document in seconds.
///
/// # Errors
/// It is not a number, or less than one.
pub fn ttl(parameters: &Parameters) -> Result<Option<i32>, BridgeError> {
    match number(parameters, "ttl")? {
        Some(..=0) => Err(BridgeError::invalid("TTL value must be a positive integer")),
        ttl => Ok(ttl),
    }
}

/// Returns a parameter as a 32-bit number.
///
/// # Errors
/// [`BridgeError::NotFound`] if it is not one.
pub fn number(parameters: &Parameters, name: &str) -> Result<Option<i32>, BridgeError> {
    let text = parameters.text(name);
    let number = text.map(|text| text.parse().map_err(|_| BridgeError::NotFound));
    number.transpose()
}

/// Parses the parameter `fields`: dotted paths, split.
///
/// # Errors
/// It is not a JSON array of texts.
pub fn fields(parameters: &Parameters) -> Result<Vec<Vec<String>>, DocumentError> {
    let Some(text) = parameters.text("fields") else {
        return Ok(Vec::new());
    };
    let json = first_json(text).map_err(|_| {
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

/// Parses a body as any JSON.
///
/// # Errors
/// `missing` for an empty body, [`BridgeError::BadRequest`] for invalid JSON.
pub fn json(body: &Body, missing: &str) -> Result<Value, BridgeError> {
    if body.0.is_empty() {
        return Err(BridgeError::invalid(missing));
    }
    let text = str::from_utf8(&body.0).map_err(|_| BridgeError::BadRequest)?;
    first_json(text).map_err(|_| BridgeError::BadRequest)
}

/// Parses a body as an object of the API, and ignores unknown members.
///
/// # Errors
/// Those of [`json`], and separate errors for an empty body and for null.
pub fn object<T: DeserializeOwned>(body: &Body) -> Result<T, BridgeError> {
    let missing = "payload not provided";
    match json(body, missing)? {
        Value::Null => Err(BridgeError::invalid(missing)),
        value @ Value::Object(_) => {
            serde_json::from_value(value).map_err(|_| BridgeError::BadRequest)
        }
        _ => Err(BridgeError::BadRequest),
    }
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
                matches!(Address::read(url), Err(BridgeError::UnknownPath)),
                "{url}"
            );
        }
        for url in [
            "/namespaces/ks/collections/c/d/a/",
            "/namespaces/ks/collections/c/d/a//b",
        ] {
            assert!(
                matches!(Address::read(url), Err(BridgeError::NotFound)),
                "{url}"
            );
        }
    }

    #[test]
    fn parameters_are_read_as_stargate_does() {
        let uri = "/?page-size=many&ttl=0&where=&x=7".parse().unwrap();
        let parameters = Parameters::read(&uri).unwrap();
        assert_eq!(number(&parameters, "x").unwrap(), Some(7));
        assert_eq!(number(&parameters, "where").unwrap(), None);
        let refused = number(&parameters, "page-size");
        assert!(matches!(refused, Err(BridgeError::NotFound)));
        assert!(matches!(ttl(&parameters), Err(BridgeError::Invalid(_))));
    }
}
