//! Errors of the Document API.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::response;
use bridge::BridgeError;
use store::{Code, StoreError};

/// An error response. `Display` is the `description` of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DocumentError {
    /// An error that other services report alike.
    #[error(transparent)]
    Bridge(#[from] BridgeError),

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
        BridgeError::invalid(text).into()
    }

    /// Returns the error for an unhandled Java exception in Stargate.
    pub fn exception(text: impl Into<String>) -> DocumentError {
        BridgeError::Exception(text.into()).into()
    }

    /// Returns the error for an invalid page state.
    pub fn page_state() -> DocumentError {
        StoreError::new(Code::Internal, "Invalid value for the paging state").into()
    }
}

impl From<StoreError> for DocumentError {
    fn from(error: StoreError) -> DocumentError {
        DocumentError::Bridge(error.into())
    }
}

impl IntoResponse for DocumentError {
    fn into_response(self) -> Response {
        use DocumentError as E;
        let description = self.to_string();
        let status = match &self {
            E::Bridge(error) => return error.clone().into_response(),
            E::CollectionName(_)
            | E::NotACollection { .. }
            | E::NoUpgrade
            | E::ArrayLength
            | E::ArrayPath(_)
            | E::Depth
            | E::Refused(_)
            | E::PartialUpdate
            | E::InvalidJson(_) => StatusCode::BAD_REQUEST,
            E::NoNamespace(_)
            | E::UnknownNamespace(_)
            | E::UnknownCollection(_)
            | E::NoDocument(_)
            | E::NoPath { .. }
            | E::NoJsonSchema => StatusCode::NOT_FOUND,
            E::NamespaceExists(_) | E::CollectionExists(_) => StatusCode::CONFLICT,
            E::JsonSchemaProcessing => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = bridge::error_body(status, &description);
        // Most errors of the Document service itself have no charset, unlike those of its framework.
        match self {
            E::NamespaceExists(_)
            | E::CollectionExists(_)
            | E::NoDocument(_)
            | E::NoPath { .. } => response::json(status, &body),
            _ => response::typed(status, "application/json", body.to_string()),
        }
    }
}
