//! A page of rows as a response.

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use scylla::value::CqlValue;
use serde_json::{Map, Value};

use super::error::RestError;
use super::response;
use store::Rows;
use store::values::{Maps, to_json};

/// Returns a page of rows and the page state of the next one, or only the rows if `raw`.
///
/// # Errors
/// A counter that exceeds 32 bits, which Stargate cannot read.
pub fn response(raw: bool, rows: &Rows, maps: Maps) -> Result<Response, RestError> {
    let counters = rows.rows.iter().flatten().filter_map(|value| match value {
        Some(CqlValue::Counter(counter)) => Some(counter.0),
        _ => None,
    });
    for counter in counters {
        if i32::try_from(counter).is_err() {
            let range = format!("{} to {}", i32::MIN, i32::MAX);
            let message = format!("Valid range for int is {range}, got {counter}");
            return Err(RestError::exception(message));
        }
    }
    let data: Vec<Value> = rows
        .rows
        .iter()
        .map(|row| object(rows, row, maps))
        .collect();
    if raw {
        return Ok(response::json(StatusCode::OK, &Value::Array(data)));
    }
    let mut body = Map::new();
    body.insert("count".to_owned(), Value::from(data.len()));
    if let Some(state) = &rows.page_state {
        let state = base64::engine::general_purpose::STANDARD.encode(state);
        body.insert("pageState".to_owned(), Value::String(state));
    }
    body.insert("data".to_owned(), Value::Array(data));
    Ok(response::json(StatusCode::OK, &Value::Object(body)))
}

fn object(rows: &Rows, row: &[Option<CqlValue>], maps: Maps) -> Value {
    let columns = rows.columns.iter().zip(row);
    let members =
        columns.map(|((name, typ), value)| (name.clone(), to_json(value.as_ref(), typ, maps)));
    Value::Object(members.collect())
}
