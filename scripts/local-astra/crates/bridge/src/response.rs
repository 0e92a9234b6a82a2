//! Responses: JSON values and other bodies.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

const JSON: &str = "application/json;charset=UTF-8";

/// Returns a JSON value.
pub fn json(status: StatusCode, body: &Value) -> Response {
    json_text(status, body.to_string())
}

/// Returns a JSON text unchanged.
pub fn json_text(status: StatusCode, body: impl Into<Body>) -> Response {
    typed(status, JSON, body)
}

/// Returns a body with the given content type.
pub fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = empty(status);
    *response.body_mut() = body.into();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Returns a response without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Returns a value in the member `data`, or alone if `raw`.
pub fn data(raw: bool, value: Value) -> Response {
    let body = if raw { value } else { json!({ "data": value }) };
    json(StatusCode::OK, &body)
}
