//! The address of a request as Stargate's server sees it: normal, well encoded, and of limited length.
//!
//! Vert.x takes dots and double slashes out of a path and decodes what needs no encoding; RESTEasy takes matrix
//! parameters out and passes over a slash at the end, except at the Document API's templates that end with a name.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::bridge;

/// The longest first line of a request, without its end.
const LINE_LIMIT: usize = 4096;
/// What a path needs no encoding for.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request to one of Stargate's interfaces with the address as they see it. Others stay as they are.
///
/// # Errors
/// The response to an address that is too long or badly encoded.
pub fn read(request: Request) -> Result<Request, Response> {
    let Some(path) = stargate_path(request.uri().path()) else {
        return Ok(request);
    };
    let line = format!("{} {} HTTP/1.1", request.method(), request.uri());
    if line.len() > LINE_LIMIT {
        return Err(StatusCode::URI_TOO_LONG.into_response());
    }
    if !bridge::is_encoded(request.uri().path()) {
        return Err((StatusCode::BAD_REQUEST, "Bad Request").into_response());
    }
    let whole = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    Ok(with_target(request, &whole))
}

fn with_target(mut request: Request<Body>, target: &str) -> Request<Body> {
    let mut parts = request.uri().clone().into_parts();
    // A path that is made of encoded segments is one.
    parts.path_and_query = PathAndQuery::try_from(target).ok().or(parts.path_and_query);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        request.extensions_mut().remove::<OriginalUri>();
    }
    request
}

/// The normal form of a path of one of Stargate's interfaces; nothing for another path.
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

/// A segment with nothing encoded that needs no encoding, and nothing in it that is no UTF-8.
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
