//! Responses: JSON, names, values.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

pub use bridge::response::{data, empty, json, json_text};

/// Returns `{"name": …}`, the response to most schema changes.
pub fn name(status: StatusCode, name: &str) -> Response {
    json(status, &json!({ "name": name }))
}

/// Returns a value as [`data`] does, and converts its marks to lone surrogates.
pub fn marked_data(raw: bool, value: &Value) -> Response {
    let text = bridge::with_lone_surrogates(&value.to_string());
    let body = if raw {
        text
    } else {
        format!("{{\"data\":{text}}}")
    };
    json_text(StatusCode::OK, body)
}
