//! How Stargate's HTTP services tell a refusal of the bridge behind them (recorded): REST and Document alike.

use axum::http::StatusCode;

use crate::store::{Code, StoreError};

/// The `description` of a refusal: what kind, its codes, and Cassandra's own words.
pub fn described(error: &StoreError) -> String {
    let StoreError { code, message, .. } = error;
    let (kind, status) = (kind(*code), status(*code).as_u16());
    format!("{kind} (Status.Code.{code}->{status}): {code}: {message}")
}

/// The HTTP status of a refusal.
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
