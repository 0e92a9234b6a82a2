//! Errors of the Document API: the four members of every error body.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::response;
use store::{Code, StoreError};

/// An error response. `Display` is the `description` of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DocumentError {
    // The token
    #[error(
        "Role unauthorized for operation: Missing token, expecting one in the X-Cassandra-Token header."
    )]
    MissingToken,
    #[error("Unauthorized keyspace: {0}")]
    HiddenNamespace(String),
    /// Cassandra's error, through Stargate's bridge.
    #[error("{}", bridge::described(.0))]
    Store(#[from] StoreError),

    // The frame
    /// A missing or invalid parameter or body.
    #[error("Request invalid: {0}.")]
    Invalid(String),
    #[error("HTTP 400 Bad Request")]
    BadBody,
    /// An unknown path, or a parameter that is not a number.
    #[error("HTTP 404 Not Found")]
    NotFound,
    /// An invalid name of a namespace or collection in the path.
    #[error("Unable to find matching target resource method")]
    UnknownPath,
    #[error("HTTP 405 Method Not Allowed")]
    WrongMethod,
    #[error("HTTP 413 Request Entity Too Large")]
    BodyTooLarge,
    #[error("The content-type header value did not match the value in @Consumes")]
    WrongContentType,
    #[error("The accept header value did not match the value in @Produces")]
    NotAcceptable,
    /// An unhandled Java exception in Stargate.
    #[error("{0}")]
    Exception(String),

    // Namespaces and collections
    #[error("Namespace {0} does not exist.")]
    NoNamespace(String),
    #[error("Create failed: namespace {0} already exists.")]
    NamespaceExists(String),
    #[error("Unknown namespace {0}, you must create it first.")]
    UnknownNamespace(String),
    #[error("Collection '{0}' not found.")]
    UnknownCollection(String),
    #[error("Create failed: collection {0} already exists.")]
    CollectionExists(String),
    #[error(
        "Could not create collection {0}, it has invalid characters. Valid characters are alphanumeric and underscores."
    )]
    CollectionName(String),
    #[error(
        "The database table {namespace}.{table} is not a Documents collection. Accessing arbitrary tables via the Documents API is not permitted."
    )]
    NotACollection { namespace: String, table: String },
    #[error("The collection cannot be upgraded in given manner.")]
    NoUpgrade,

    // Documents
    #[error("A document with the id {0} does not exist.")]
    NoDocument(String),
    #[error(
        "A path [{path}] in a document with the id {id}, or the document itself, does not exist."
    )]
    NoPath { id: String, path: String },
    #[error("Max array length of {} exceeded.", super::layout::MAX_ARRAY_LENGTH)]
    ArrayLength,
    #[error("Array path {0} is not valid.")]
    ArrayPath(String),
    #[error("Max depth of {} exceeded.", super::layout::MAX_DEPTH)]
    Depth,
    /// An invalid body, condition, selection or JSON schema, in Stargate's words.
    #[error("{0}")]
    Refused(String),

    // JSON schemas
    #[error("The JSON schema is not set for the collection.")]
    NoJsonSchema,
    #[error(
        "When a collection has a JSON schema, partial updates of documents are disallowed for performance reasons."
    )]
    PartialUpdate,
    #[error("Invalid JSON: [{0}]")]
    InvalidJson(String),
    #[error("Processing a JSON schema validation failed for a given document.")]
    JsonSchemaProcessing,
}

impl DocumentError {
    /// Returns an error in Stargate's words.
    pub fn refused(text: impl Into<String>) -> DocumentError {
        DocumentError::Refused(text.into())
    }

    /// Returns the error for an invalid parameter or body.
    pub fn invalid(text: impl Into<String>) -> DocumentError {
        DocumentError::Invalid(text.into())
    }

    /// Returns the error for an invalid page state.
    pub fn page_state() -> DocumentError {
        StoreError::new(Code::Internal, "Invalid value for the paging state").into()
    }

    fn status(&self) -> StatusCode {
        use DocumentError as E;
        match self {
            E::MissingToken | E::HiddenNamespace(_) => StatusCode::UNAUTHORIZED,
            E::Store(error) => bridge::status(error.code),
            E::Invalid(_)
            | E::BadBody
            | E::CollectionName(_)
            | E::NotACollection { .. }
            | E::NoUpgrade
            | E::ArrayLength
            | E::ArrayPath(_)
            | E::Depth
            | E::Refused(_)
            | E::PartialUpdate
            | E::InvalidJson(_) => StatusCode::BAD_REQUEST,
            E::NotFound
            | E::UnknownPath
            | E::NoNamespace(_)
            | E::UnknownNamespace(_)
            | E::UnknownCollection(_)
            | E::NoDocument(_)
            | E::NoPath { .. }
            | E::NoJsonSchema => StatusCode::NOT_FOUND,
            E::NamespaceExists(_) | E::CollectionExists(_) => StatusCode::CONFLICT,
            E::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            E::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            E::WrongContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            E::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            E::Exception(_) | E::JsonSchemaProcessing => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns false for errors of the Document service itself, which have no charset, and true for those of its
    /// framework.
    fn has_charset(&self) -> bool {
        use DocumentError as E;
        matches!(
            self,
            E::HiddenNamespace(_)
                | E::Store(_)
                | E::Invalid(_)
                | E::BadBody
                | E::NotFound
                | E::UnknownPath
                | E::WrongMethod
                | E::BodyTooLarge
                | E::WrongContentType
                | E::NotAcceptable
                | E::Exception(_)
                | E::NamespaceExists(_)
                | E::CollectionExists(_)
                | E::NoDocument(_)
                | E::NoPath { .. }
        )
    }
}

impl IntoResponse for DocumentError {
    fn into_response(self) -> Response {
        let status = self.status();
        let grpc_status = match &self {
            DocumentError::Store(error) => Value::String(error.code.to_string()),
            _ => Value::Null,
        };
        let body = json!({
            "description": self.to_string(),
            "code": status.as_u16(),
            "grpcStatus": grpc_status,
            "internalTxId": null,
        });
        if self.has_charset() {
            response::json(status, &body)
        } else {
            response::typed(status, "application/json", body.to_string())
        }
    }
}

/// The error for an unknown path below the namespaces.
pub async fn not_found() -> DocumentError {
    DocumentError::NotFound
}

/// The error for an unsupported method of a path.
pub async fn wrong_method() -> DocumentError {
    DocumentError::WrongMethod
}
