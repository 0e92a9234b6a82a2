//! Code shared by Stargate's HTTP services: reading requests, writing responses, and reporting errors of the bridge
//! behind them (recorded).
//!
//! - [`message`]: the size limit of statements and of pages of rows; [`response`]: responses
//! - [`text`]: texts as Java reads them

mod message;
pub mod response;
mod text;

pub use message::{BatchSize, check_rows, check_statement};
pub use text::{
    decoded, is_encoded, lossy, mark_lone_surrogates, parameters, with_lone_surrogates,
    without_lone_surrogates,
};

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, StatusCode};

use store::{Code, StoreError};

/// Returns true if a header, `Content-Type` or `Accept`, allows JSON. Stargate checks both in every request, with or
/// without a body; a missing header allows JSON.
pub fn is_json(headers: &HeaderMap, name: &HeaderName) -> bool {
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

/// The `description` of an error: its kind, its codes, and Cassandra's own words.
pub fn described(error: &StoreError) -> String {
    let StoreError { code, message, .. } = error;
    let (kind, status) = (kind(*code), status(*code).as_u16());
    format!("{kind} (Status.Code.{code}->{status}): {code}: {message}")
}

/// The HTTP status of an error.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::FailedPrecondition => StatusCode::BAD_REQUEST,
        Code::AlreadyExists => StatusCode::CONFLICT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::PermissionDenied | Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Unavailable => StatusCode::BAD_GATEWAY,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Aborted | Code::Internal | Code::ResourceExhausted | Code::Unknown => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn kind(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "Invalid argument for gRPC operation",
        Code::FailedPrecondition => "Invalid state or argument(s) for gRPC operation",
        Code::AlreadyExists => "Resource already exists",
        Code::NotFound => "Unknown gRPC operation",
        Code::PermissionDenied => "Unauthorized gRPC operation",
        Code::Unauthenticated => "Unauthenticated gRPC operation",
        Code::Unavailable => "gRPC service unavailable",
        Code::Unimplemented => "Unimplemented gRPC operation",
        Code::DeadlineExceeded => "gRPC service timeout",
        Code::Aborted | Code::Internal | Code::ResourceExhausted | Code::Unknown => {
            "Unhandled gRPC failure"
        }
    }
}

/// The scheme through which a client reached a door, for URLs in responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::ACCEPT;

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
}
