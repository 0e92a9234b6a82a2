//! Responses: JSON, names, rows.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use scylla::value::CqlValue;
use serde_json::{Map, Value, json};

use super::error::RestError;
use store::Rows;
use store::values::{Maps, to_json};

const JSON: &str = "application/json;charset=UTF-8";

/// Returns a JSON value.
pub fn json(status: StatusCode, body: &Value) -> Response {
    typed(status, JSON, body.to_string())
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

/// Returns `{"name": …}`, the response to most schema changes.
pub fn name(status: StatusCode, name: &str) -> Response {
    json(status, &json!({ "name": name }))
}

/// Returns a value in the member `data`, or alone if `raw`.
pub fn data(raw: bool, value: Value) -> Response {
    let body = if raw { value } else { json!({ "data": value }) };
    json(StatusCode::OK, &body)
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

/// Returns a page of rows and the page state of the next one, or only the rows if `raw`.
///
/// # Errors
/// A counter that exceeds 32 bits, which Stargate cannot read.
pub fn rows(raw: bool, rows: &Rows, maps: Maps) -> Result<Response, RestError> {
    let counters = rows.rows.iter().flatten().filter_map(|value| match value {
        Some(CqlValue::Counter(counter)) => Some(counter.0),
        _ => None,
    });
    for counter in counters {
        if i32::try_from(counter).is_err() {
            let range = format!("{} to {}", i32::MIN, i32::MAX);
            let message = format!("Valid range for int is {range}, got {counter}");
            return Err(RestError::Exception(message));
        }
    }
    let data: Vec<Value> = rows
        .rows
        .iter()
        .map(|row| object(rows, row, maps))
        .collect();
    if raw {
        return Ok(json(StatusCode::OK, &Value::Array(data)));
    }
    let mut body = Map::new();
    body.insert("count".to_owned(), Value::from(data.len()));
    if let Some(state) = &rows.page_state {
        let state = base64::engine::general_purpose::STANDARD.encode(state);
        body.insert("pageState".to_owned(), Value::String(state));
    }
    body.insert("data".to_owned(), Value::Array(data));
    Ok(json(StatusCode::OK, &Value::Object(body)))
}

fn object(rows: &Rows, row: &[Option<scylla::value::CqlValue>], maps: Maps) -> Value {
    let columns = rows.columns.iter().zip(row);
    let members =
        columns.map(|((name, typ), value)| (name.clone(), to_json(value.as_ref(), typ, maps)));
    Value::Object(members.collect())
}
