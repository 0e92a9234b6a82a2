//! Errors of the GraphQL addresses before execution, with two forms of bodies, as recorded.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::engine::Rejection;
use super::first::deployed::Unusable;
use super::java_json;
use bridge::BridgeError;
use store::StoreError;

/// An error response. `Display` is the `description` or the only `message` of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphqlError {
    /// An error that other services report alike.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error("No default keyspace defined")]
    NoDefaultKeyspace,
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

impl IntoResponse for GraphqlError {
    fn into_response(self) -> Response {
        let message = self.to_string();
        let status = match &self {
            GraphqlError::Bridge(error) => return error.clone().into_response(),
            GraphqlError::Hidden => StatusCode::UNAUTHORIZED,
            GraphqlError::BadRequest(_) => StatusCode::BAD_REQUEST,
            GraphqlError::NoDefaultKeyspace => StatusCode::NOT_FOUND,
            GraphqlError::NotServed(_) => StatusCode::NOT_IMPLEMENTED,
            GraphqlError::Invalid(_) => StatusCode::OK,
            GraphqlError::NoKeyspace
            | GraphqlError::Keyspace(_)
            | GraphqlError::Unusable(_)
            | GraphqlError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = match self {
            GraphqlError::Invalid(errors) => json!({ "errors": errors }),
            GraphqlError::Unusable(unusable) => with_extensions(&message, unusable.extensions()),
            _ => with_extensions(&message, Map::new()),
        };
        json_response(status, &body)
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

/// Returns a JSON body with Stargate's content type.
pub fn json_response(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json;charset=UTF-8")];
    (status, headers, java_json::text(body)).into_response()
}
