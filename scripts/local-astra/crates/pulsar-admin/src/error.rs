//! Errors of the admin API, in the format of the proxy in front of Pulsar on Astra
//! (<https://github.com/datastax/burnell>).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use engines::pulsar::AdminError;
use store::StoreError;

/// Errors of the proxy. Pulsar's own errors are passed through unchanged.
#[derive(Debug, thiserror::Error)]
pub enum PulsarAdminError {
    /// No token, or one that was not signed with these keys.
    #[error("failed to obtain subject")]
    NoSubject,
    /// Another tenant, a deleted tenant, or a request that is reserved for the operator of a cluster.
    #[error("Unauthorized")]
    Unauthorized,
    #[error("over the quota limit")]
    Quota,
    #[error("the path of this request cannot be read: {0}")]
    Path(&'static str),
    #[error("the body of this request has more than {0} bytes")]
    TooLarge(usize),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    NotServed(String),
    #[error(
        "Pulsar is not running. Run `cargo local up --pulsar` to start it; `cargo local status` shows what is running"
    )]
    NotRunning,
    #[error("Pulsar's response has more than {0} bytes")]
    AnswerTooLarge(usize),
    #[error("proxy failure: {0}")]
    Pulsar(#[from] AdminError),
    #[error("proxy failure: {0}")]
    Store(#[from] StoreError),
}

impl IntoResponse for PulsarAdminError {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        let json = |status: StatusCode, key: &str| {
            (status, Json(json!({key: self.to_string()}))).into_response()
        };
        match &self {
            PulsarAdminError::NoSubject | PulsarAdminError::Unauthorized => {
                (StatusCode::UNAUTHORIZED, text).into_response()
            }
            PulsarAdminError::Quota => (StatusCode::PAYMENT_REQUIRED, text).into_response(),
            PulsarAdminError::Path(_) => json(StatusCode::BAD_REQUEST, "reason"),
            PulsarAdminError::TooLarge(_) => json(StatusCode::PAYLOAD_TOO_LARGE, "reason"),
            PulsarAdminError::NotFound(_) => json(StatusCode::NOT_FOUND, "reason"),
            PulsarAdminError::NotServed(_) => json(StatusCode::NOT_IMPLEMENTED, "reason"),
            PulsarAdminError::NotRunning
            | PulsarAdminError::Pulsar(AdminError::Away(_))
            | PulsarAdminError::Store(_) => json(StatusCode::SERVICE_UNAVAILABLE, "reason"),
            PulsarAdminError::AnswerTooLarge(_) | PulsarAdminError::Pulsar(_) => {
                json(StatusCode::INTERNAL_SERVER_ERROR, "error")
            }
        }
    }
}
