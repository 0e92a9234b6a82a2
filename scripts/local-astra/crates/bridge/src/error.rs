//! Errors that Stargate's HTTP services report alike, and the four members of every error body.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::response;
use store::{Code, StoreError};

/// An error of a request. `Display` is the `description` of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BridgeError {
    #[error(
        "Role unauthorized for operation: Missing token, expecting one in the X-Cassandra-Token header."
    )]
    MissingToken,
    /// Cassandra's error, through Stargate's bridge.
    #[error("{} (Status.Code.{}->{}): {}", kind(.0.code), .0.code, status(.0.code).as_u16(), .0)]
    Store(#[from] StoreError),
    #[error("Unauthorized keyspace: {0}")]
    HiddenKeyspace(String),
    /// A required part of the request is missing or invalid.
    #[error("Request invalid: {0}.")]
    Invalid(String),
    #[error("HTTP 400 Bad Request")]
    BadRequest,
    /// An unknown path, or a parameter that is not a number.
    #[error("HTTP 404 Not Found")]
    NotFound,
    #[error("Unable to find matching target resource method")]
    UnknownPath,
    #[error("HTTP 405 Method Not Allowed")]
    WrongMethod,
    #[error("The content-type header value did not match the value in @Consumes")]
    WrongContentType,
    #[error("The accept header value did not match the value in @Produces")]
    NotAcceptable,
    #[error("HTTP 413 Request Entity Too Large")]
    BodyTooLarge,
    /// An unhandled Java exception in Stargate.
    #[error("{0}")]
    Exception(String),
}

impl BridgeError {
    /// Returns the error for a missing or invalid part of the request.
    pub fn invalid(text: impl Into<String>) -> BridgeError {
        BridgeError::Invalid(text.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            BridgeError::MissingToken | BridgeError::HiddenKeyspace(_) => StatusCode::UNAUTHORIZED,
            BridgeError::Store(error) => status(error.code),
            BridgeError::Invalid(_) | BridgeError::BadRequest => StatusCode::BAD_REQUEST,
            BridgeError::NotFound | BridgeError::UnknownPath => StatusCode::NOT_FOUND,
            BridgeError::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            BridgeError::WrongContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BridgeError::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            BridgeError::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BridgeError::Exception(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for BridgeError {
    fn into_response(self) -> Response {
        let status = self.status();
        let code = match &self {
            BridgeError::Store(error) => Some(error.code),
            _ => None,
        };
        let body = body(status, &self.to_string(), code);
        match self {
            // The only response that is sent outside the API proper, with another content type.
            BridgeError::MissingToken => {
                response::typed(status, "application/json", body.to_string())
            }
            _ => response::json(status, &body),
        }
    }
}

/// Returns the body of an error that one of the services reports in words of its own.
pub fn error_body(status: StatusCode, description: &str) -> Value {
    body(status, description, None)
}

fn body(status: StatusCode, description: &str, code: Option<Code>) -> Value {
    json!({
        "description": description,
        "code": status.as_u16(),
        "grpcStatus": code.map(|code| code.to_string()),
        "internalTxId": null,
    })
}

fn status(code: Code) -> StatusCode {
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn parts(error: BridgeError) -> (StatusCode, String, Value) {
        let response = error.into_response();
        let status = response.status();
        let content_type = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = axum::body::to_bytes(response.into_body(), 1 << 16)
            .await
            .unwrap();
        (status, content_type, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn each_code_has_its_status_and_words() {
        for (code, status, prefix) in [
            (
                Code::InvalidArgument,
                400,
                "Invalid argument for gRPC operation",
            ),
            (
                Code::FailedPrecondition,
                400,
                "Invalid state or argument(s) for gRPC operation",
            ),
            (Code::AlreadyExists, 409, "Resource already exists"),
            (Code::NotFound, 404, "Unknown gRPC operation"),
            (Code::PermissionDenied, 401, "Unauthorized gRPC operation"),
            (Code::Unauthenticated, 401, "Unauthenticated gRPC operation"),
            (Code::Unavailable, 502, "gRPC service unavailable"),
            (Code::Unimplemented, 501, "Unimplemented gRPC operation"),
            (Code::DeadlineExceeded, 504, "gRPC service timeout"),
            (Code::Aborted, 500, "Unhandled gRPC failure"),
        ] {
            let (got, content_type, body) = parts(StoreError::new(code, "why").into()).await;
            assert_eq!(got.as_u16(), status);
            assert_eq!(content_type, "application/json;charset=UTF-8");
            let description = format!("{prefix} (Status.Code.{code}->{status}): {code}: why");
            let wanted = json!({
                "description": description, "code": status, "grpcStatus": code.to_string(), "internalTxId": null,
            });
            assert_eq!(body, wanted);
        }
    }

    #[tokio::test]
    async fn the_missing_token_has_another_content_type() {
        let (status, content_type, body) = parts(BridgeError::MissingToken).await;
        assert_eq!(
            (status.as_u16(), content_type.as_str()),
            (401, "application/json")
        );
        assert_eq!(body["grpcStatus"], Value::Null);
    }
}
