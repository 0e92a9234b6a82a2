//! The address of a request as Stargate's server processes it: normalized, correctly encoded, and of limited length.
//!
//! Vert.x removes dots and double slashes from a path and decodes characters that need no encoding. RESTEasy removes
//! matrix parameters and ignores a trailing slash, except for templates of the Document API that end with a name.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Maximum length of a request line without its line end: Quarkus's default, which Stargate's services keep. See
/// `quarkus.http.limits.max-initial-line-length` at <https://quarkus.io/guides/all-config>.
const LINE_LIMIT: usize = 4096;
/// Characters of a path that are percent-encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Normalizes the address of a request to one of Stargate's interfaces. Other requests are unchanged.
///
/// # Errors
/// The response to an address that is too long or incorrectly encoded.
pub fn read(request: Request) -> Result<Request, Box<Response>> {
    let Some(path) = stargate_path(request.uri().path()) else {
        return Ok(request);
    };
    let line = format!("{} {} HTTP/1.1", request.method(), request.uri());
    if line.len() > LINE_LIMIT {
        return Err(Box::new(StatusCode::URI_TOO_LONG.into_response()));
    }
    if !bridge::is_encoded(request.uri().path()) {
        let refused = (StatusCode::BAD_REQUEST, "Bad Request");
        return Err(Box::new(refused.into_response()));
    }
    let whole = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    Ok(with_target(request, &whole))
}

fn with_target(mut request: Request<Body>, target: &str) -> Request<Body> {
    let mut parts = request.uri().clone().into_parts();
    // A path of encoded segments is always valid.
    parts.path_and_query = PathAndQuery::try_from(target).ok().or(parts.path_and_query);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        request.extensions_mut().remove::<OriginalUri>();
    }
    request
}

/// Normalizes the path of one of Stargate's interfaces. `None` for other paths.
fn stargate_path(path: &str) -> Option<String> {
    let mut segments: Vec<Cow<'_, str>> = Vec::new();
    let mut ends_with_slash = false;
    for segment in path.strip_prefix('/')?.split('/') {
        let segment = segment.split(';').next().unwrap_or_default();
        let segment = normal(segment);
        ends_with_slash = matches!(segment.as_ref(), "" | "." | "..");
        match segment.as_ref() {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let known: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    let is_document = match known.as_slice() {
        ["api", "rest", "v2", "namespaces", rest @ ..] => !matches!(
            rest,
            [_, "collections"] | [_, "collections", _, "json-schema"]
        ),
        ["api", "rest", "v2", ..] | ["api", "graphql" | "graphql-schema" | "graphql-admin", ..] => {
            false
        }
        _ => return None,
    };
    let end = if is_document && ends_with_slash {
        "/"
    } else {
        ""
    };
    Some(format!("/{}{end}", segments.join("/")))
}

/// Decodes the characters of a segment that need no encoding, and replaces invalid UTF-8.
fn normal(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let bytes: Vec<u8> = percent_decode_str(segment).collect();
    let text = bridge::lossy(&bytes);
    match text.as_ref() {
        dots @ ("." | "..") => Cow::Owned(dots.to_owned()),
        text => Cow::Owned(utf8_percent_encode(text, ENCODED).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;

    #[test]
    fn paths_are_normal() {
        for (path, wanted) in [
            (
                "/api/rest/v2/keyspaces/ks/t/",
                "/api/rest/v2/keyspaces/ks/t",
            ),
            (
                "/api/rest/v2//keyspaces//ks/t//",
                "/api/rest/v2/keyspaces/ks/t",
            ),
            ("/api//graphql/ks/", "/api/graphql/ks"),
            ("/api/graphql/", "/api/graphql"),
            ("/api/graphql/%6bs;x=1", "/api/graphql/ks"),
            (
                "/api/rest/v2/keyspaces/ks/t;x/a;y=1/b",
                "/api/rest/v2/keyspaces/ks/t/a/b",
            ),
            (
                "/api/rest/v2/keyspaces/ks/t/./a/../b",
                "/api/rest/v2/keyspaces/ks/t/b",
            ),
            (
                "/api/rest/v2/keyspaces/ks/t/%2e%2E/u",
                "/api/rest/v2/keyspaces/ks/u",
            ),
            (
                "/api/rest/v2/keyspaces/ks/t/a%2Fb%3Bc",
                "/api/rest/v2/keyspaces/ks/t/a%2Fb%3Bc",
            ),
            (
                "/api/rest/v2/keyspaces/ks/t/%ff%C3%A9",
                "/api/rest/v2/keyspaces/ks/t/%EF%BF%BD%C3%A9",
            ),
            (
                "/api/rest/v2/schemas/namespaces/ks/",
                "/api/rest/v2/schemas/namespaces/ks",
            ),
            (
                "/api/rest/v2/namespaces/ks/collections/",
                "/api/rest/v2/namespaces/ks/collections",
            ),
            (
                "/api/rest/v2/namespaces/ks/collections/c/json-schema/",
                "/api/rest/v2/namespaces/ks/collections/c/json-schema",
            ),
            (
                "/api/rest/v2/namespaces/ks/collections/c/",
                "/api/rest/v2/namespaces/ks/collections/c/",
            ),
            (
                "/api/rest/v2/namespaces/ks/collections//c/d//a//",
                "/api/rest/v2/namespaces/ks/collections/c/d/a/",
            ),
            ("/api/rest/v2/namespaces/ks/", "/api/rest/v2/namespaces/ks/"),
        ] {
            assert_eq!(stargate_path(path).as_deref(), Some(wanted), "{path}");
        }
        for path in [
            "/v2/databases/",
            "/admin/v2//tenants",
            "/api/json/v1/",
            "/stargate.Stargate/ExecuteQuery",
            "*",
        ] {
            assert_eq!(stargate_path(path), None, "{path}");
        }
    }

    fn ask(uri: &str) -> Result<String, StatusCode> {
        let request = Request::builder().method(Method::GET).uri(uri);
        let read = read(request.body(Body::empty()).unwrap());
        read.map(|request| request.uri().to_string())
            .map_err(|refused| refused.status())
    }

    #[test]
    fn addresses_are_of_limited_length_and_well_encoded() {
        let long = |length: usize| format!("/api/rest/v2/x?y={}", "a".repeat(length));
        let most = LINE_LIMIT - "GET /api/rest/v2/x?y= HTTP/1.1".len();
        assert!(ask(&long(most)).is_ok());
        assert_eq!(ask(&long(most + 1)), Err(StatusCode::URI_TOO_LONG));
        assert!(ask(&format!("/v2/databases?x={}", "a".repeat(8000))).is_ok());
        for path in ["/api/rest/v2/%zz", "/api/rest/v2/a%", "/api/graphql/%4"] {
            assert_eq!(ask(path), Err(StatusCode::BAD_REQUEST), "{path}");
        }
        let query = ask("/api/rest/v2//keyspaces/?where=%7B%7D");
        assert_eq!(query.unwrap(), "/api/rest/v2/keyspaces?where=%7B%7D");
    }
}
