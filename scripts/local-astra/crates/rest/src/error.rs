//! Errors of the REST API.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::response;
use bridge::BridgeError;
use store::StoreError;
use store::values::ValueError;

/// An error response. `Display` is the `description` of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RestError {
    /// An error that other services report alike.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error("Unauthorized table: {keyspace}.{table}")]
    HiddenTable { keyspace: String, table: String },
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    NotFound(String),
}

impl RestError {
    /// The error for a required part of the request that is missing.
    pub fn invalid(text: &str) -> RestError {
        BridgeError::invalid(text).into()
    }

    /// The error for an unhandled Java exception in Stargate.
    pub fn exception(text: impl Into<String>) -> RestError {
        BridgeError::Exception(text.into()).into()
    }

    /// The error for a value that does not fit its column.
    pub fn value(table: &str, column: &str, error: &ValueError) -> RestError {
        RestError::BadRequest(format!(
            "Failed to deserialize field '{table}.{column}', problem: {error}"
        ))
    }

    /// Adds the context to an error about the request's values.
    pub fn within(self, what: &str) -> RestError {
        match self {
            RestError::BadRequest(problem) => {
                RestError::BadRequest(format!("{what}, problem: {problem}"))
            }
            other => other,
        }
    }
}

impl From<StoreError> for RestError {
    fn from(error: StoreError) -> RestError {
        RestError::Bridge(error.into())
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let description = self.to_string();
        let status = match self {
            RestError::Bridge(error) => return error.into_response(),
            RestError::HiddenTable { .. } => StatusCode::UNAUTHORIZED,
            RestError::BadRequest(_) => StatusCode::BAD_REQUEST,
            RestError::NotFound(_) => StatusCode::NOT_FOUND,
        };
        response::json(status, &bridge::error_body(status, &description))
    }
}
