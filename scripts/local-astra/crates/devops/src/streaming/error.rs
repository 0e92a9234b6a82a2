//! Errors of streaming. Their form follows <https://docs.datastax.com/en/astra-streaming/apis/index.html>.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use engines::pulsar::AdminError;
use settings::streaming;
use store::{Code, StoreError};

/// An error response. The text is the `reason` of the body.
#[derive(Debug, thiserror::Error)]
pub enum StreamingError {
    #[error("the token has no role that may manage streaming (org-stream-manage)")]
    Forbidden,
    #[error("{0}")]
    BadRequest(String),
    #[error("tenant not found")]
    NoTenant,
    #[error("token not found")]
    NoToken,
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Unprocessable(String),
    #[error("{0}")]
    NotServed(String),
    #[error(
        "Pulsar is not running. Run `cargo local up --pulsar` to start it; `cargo local status` shows what is running"
    )]
    NotRunning,
    #[error("{0}")]
    Pulsar(#[from] AdminError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Sign(#[from] streaming::KeyError),
}

impl StreamingError {
    fn status(&self) -> StatusCode {
        match self {
            StreamingError::Forbidden => StatusCode::UNAUTHORIZED,
            StreamingError::BadRequest(_) => StatusCode::BAD_REQUEST,
            StreamingError::NoTenant | StreamingError::NoToken => StatusCode::NOT_FOUND,
            StreamingError::Conflict(_) => StatusCode::CONFLICT,
            StreamingError::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            StreamingError::NotServed(_) => StatusCode::NOT_IMPLEMENTED,
            StreamingError::NotRunning | StreamingError::Pulsar(AdminError::Away(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            StreamingError::Store(error)
                if matches!(error.code, Code::Unavailable | Code::DeadlineExceeded) =>
            {
                StatusCode::SERVICE_UNAVAILABLE
            }
            StreamingError::Pulsar(_) | StreamingError::Store(_) | StreamingError::Sign(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl IntoResponse for StreamingError {
    fn into_response(self) -> Response {
        (self.status(), Json(json!({"reason": self.to_string()}))).into_response()
    }
}
