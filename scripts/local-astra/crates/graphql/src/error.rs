//! Errors of the GraphQL addresses before execution, with two forms of bodies, as recorded.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::engine::Rejection;
use super::first::deployed::Unusable;
use super::java_json;
use store::{Code, StoreError};

/// An error response. `Display` is the `description` or the only `message` of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphqlError {
    #[error(
        "Role unauthorized for operation: Missing token, expecting one in the X-Cassandra-Token header."
    )]
    MissingToken,
    /// The login failed.
    #[error("{} (Status.Code.{}->{}): {}", prefix(.0.code), .0.code, status(.0.code).as_u16(), .0)]
    Login(StoreError),
    #[error("HTTP 400 Bad Request")]
    BadBody,
    #[error("Unable to find matching target resource method")]
    UnknownPath,
    #[error("No default keyspace defined")]
    NoDefaultKeyspace,
    #[error("HTTP 405 Method Not Allowed")]
    WrongMethod,
    #[error("HTTP 413 Request Entity Too Large")]
    BodyTooLarge,
    #[error("The content-type header value did not match the value in @Consumes")]
    WrongContentType,
    /// The query is missing or given twice.
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    NotServed(&'static str),
    /// The keyspace is not visible to the role.
    #[error("Not authorized")]
    Hidden,
    /// An unknown keyspace.
    #[error("Unexpected error while accessing keyspace: HTTP 404 Not Found")]
    NoKeyspace,
    /// Cassandra's error while the schema of a keyspace is read.
    #[error("Unexpected error while accessing keyspace: {0}")]
    Keyspace(StoreError),
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// GraphQL errors of the request, returned with 200.
    #[error("the request does not fit the schema")]
    Invalid(Vec<Value>),
    #[error("{0}")]
    Internal(String),
}

impl From<Rejection> for GraphqlError {
    fn from(rejection: Rejection) -> GraphqlError {
        match rejection {
            Rejection::Errors(errors) => GraphqlError::Invalid(errors),
            Rejection::NoOperation => GraphqlError::Internal("Internal server error".to_owned()),
            Rejection::Failed(message) => GraphqlError::Internal(message),
        }
    }
}

impl GraphqlError {
    fn status(&self) -> StatusCode {
        match self {
            GraphqlError::MissingToken | GraphqlError::Hidden => StatusCode::UNAUTHORIZED,
            GraphqlError::Login(error) => status(error.code),
            GraphqlError::BadBody | GraphqlError::BadRequest(_) => StatusCode::BAD_REQUEST,
            GraphqlError::UnknownPath | GraphqlError::NoDefaultKeyspace => StatusCode::NOT_FOUND,
            GraphqlError::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            GraphqlError::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            GraphqlError::WrongContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            GraphqlError::NotServed(_) => StatusCode::NOT_IMPLEMENTED,
            GraphqlError::Invalid(_) => StatusCode::OK,
            GraphqlError::NoKeyspace
            | GraphqlError::Keyspace(_)
            | GraphqlError::Unusable(_)
            | GraphqlError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(&self) -> Value {
        let message = self.to_string();
        let object = |grpc_status: Value| {
            json!({
                "description": message, "code": self.status().as_u16(),
                "grpcStatus": grpc_status, "internalTxId": null,
            })
        };
        match self {
            GraphqlError::MissingToken
            | GraphqlError::BadBody
            | GraphqlError::UnknownPath
            | GraphqlError::WrongMethod
            | GraphqlError::BodyTooLarge
            | GraphqlError::WrongContentType => object(Value::Null),
            GraphqlError::Login(error) => object(Value::String(error.code.to_string())),
            GraphqlError::Invalid(errors) => json!({ "errors": errors }),
            GraphqlError::Unusable(unusable) => with_extensions(&message, unusable.extensions()),
            _ => with_extensions(&message, Map::new()),
        }
    }
}

fn with_extensions(message: &str, mut extensions: Map<String, Value>) -> Value {
    if extensions.is_empty() {
        return json!({"errors": [{ "message": message }]});
    }
    let classification = json!("DataFetchingException");
    extensions.insert("classification".to_owned(), classification);
    json!({"errors": [{"message": message, "extensions": extensions}]})
}

impl IntoResponse for GraphqlError {
    fn into_response(self) -> Response {
        let (status, body) = (self.status(), self.body());
        match self {
            // The one answer that comes from before the API proper, with another content type.
            GraphqlError::MissingToken => {
                let headers = [(CONTENT_TYPE, "application/json")];
                (status, headers, body.to_string()).into_response()
            }
            _ => json_response(status, &body),
        }
    }
}

/// Returns a JSON body with Stargate's content type.
pub fn json_response(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json;charset=UTF-8")];
    (status, headers, java_json::text(body)).into_response()
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated | Code::PermissionDenied => StatusCode::UNAUTHORIZED,
        Code::Unavailable => StatusCode::BAD_GATEWAY,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn prefix(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => "Unauthenticated gRPC operation",
        Code::PermissionDenied => "Unauthorized gRPC operation",
        Code::Unavailable => "gRPC service unavailable",
        Code::DeadlineExceeded => "gRPC service timeout",
        _ => "Unhandled gRPC failure",
    }
}
