//! Errors of the REST API: the four members of every error body.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::response;
use store::StoreError;
use store::values::ValueError;

/// An error response. `Display` is the `description` of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RestError {
    #[error(
        "Role unauthorized for operation: Missing token, expecting one in the X-Cassandra-Token header."
    )]
    MissingToken,
    /// Cassandra's error, through Stargate's bridge.
    #[error("{}", bridge::described(.0))]
    Store(#[from] StoreError),
    #[error("Unauthorized keyspace: {0}")]
    HiddenKeyspace(String),
    #[error("Unauthorized table: {keyspace}.{table}")]
    HiddenTable { keyspace: String, table: String },
    /// A required part of the request is missing.
    #[error("Request invalid: {0}.")]
    Invalid(&'static str),
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    NotFound(String),
    /// An unhandled Java exception in Stargate.
    #[error("{0}")]
    Exception(String),
    #[error("HTTP 400 Bad Request")]
    BadBody,
    #[error("HTTP 404 Not Found")]
    BadNumber,
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
}

impl RestError {
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

    fn status(&self) -> StatusCode {
        match self {
            RestError::MissingToken
            | RestError::HiddenKeyspace(_)
            | RestError::HiddenTable { .. } => StatusCode::UNAUTHORIZED,
            RestError::Store(error) => bridge::status(error.code),
            RestError::Invalid(_) | RestError::BadRequest(_) | RestError::BadBody => {
                StatusCode::BAD_REQUEST
            }
            RestError::NotFound(_) | RestError::BadNumber | RestError::UnknownPath => {
                StatusCode::NOT_FOUND
            }
            RestError::Exception(_) => StatusCode::INTERNAL_SERVER_ERROR,
            RestError::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            RestError::WrongContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            RestError::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            RestError::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let status = self.status();
        let grpc_status = match &self {
            RestError::Store(error) => Value::String(error.code.to_string()),
            _ => Value::Null,
        };
        let body = json!({
            "description": self.to_string(),
            "code": status.as_u16(),
            "grpcStatus": grpc_status,
            "internalTxId": null,
        });
        match self {
            // The only response that is sent outside the API proper, with another content type.
            RestError::MissingToken => {
                response::typed(status, "application/json", body.to_string())
            }
            _ => response::json(status, &body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Code;

    async fn parts(error: RestError) -> (StatusCode, String, Value) {
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
        let (status, content_type, body) = parts(RestError::MissingToken).await;
        assert_eq!(
            (status.as_u16(), content_type.as_str()),
            (401, "application/json")
        );
        assert_eq!(body["grpcStatus"], Value::Null);
    }
}
