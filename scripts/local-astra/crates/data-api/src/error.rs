//! Errors of a response, including those of Cassandra.

use scylla::errors::DbError;
use uuid::Uuid;

use super::codes::Code;
use super::json::Json;
use store::StoreError;

/// An error, or a warning.
#[derive(Clone, Debug)]
pub struct ApiError {
    pub code: Code,
    pub message: String,
    /// The ids of the documents that it is about, if it is about some.
    pub documents: Vec<Json>,
}

impl ApiError {
    pub fn new(code: Code, message: impl Into<String>) -> ApiError {
        ApiError {
            code,
            message: message.into(),
            documents: Vec::new(),
        }
    }

    /// The error, with the id of the document that it is about.
    pub fn about(mut self, id: Option<Json>) -> ApiError {
        self.documents = id.into_iter().collect();
        self
    }

    /// The error as it stands in `errors` or `warnings`.
    pub fn to_json(&self) -> Json {
        let mut shown = Json::object([
            ("id", Json::text(Uuid::new_v4().to_string())),
            ("family", Json::text(self.code.family())),
            ("scope", Json::text(self.code.scope())),
            ("errorCode", Json::text(self.code.name())),
            ("title", Json::text(self.code.title())),
            ("message", Json::text(&self.message)),
        ]);
        if let Json::Object(members) = &mut shown
            && !self.documents.is_empty()
        {
            let ids = self.documents.iter().cloned().collect();
            members.insert("documentIds".to_owned(), ids);
        }
        shown
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        let code = match &error.cassandra {
            Some(cassandra) => code_of(cassandra),
            None => match error.code {
                store::Code::Unauthenticated => Code::UnauthenticatedRequest,
                store::Code::PermissionDenied => Code::UnauthorizedAccess,
                store::Code::Unavailable => Code::FailedToConnectToDatabase,
                store::Code::DeadlineExceeded => Code::TimeoutReadingData,
                _ => Code::UnexpectedDriverError,
            },
        };
        if code == Code::UnauthenticatedRequest {
            let message = "The token is not valid.\n\nSend a valid token in the header Token.";
            return ApiError::new(code, message);
        }
        let message = format!("The database refused the request: {}", error.message);
        ApiError::new(code, message)
    }
}

fn code_of(error: &DbError) -> Code {
    match error {
        DbError::Unauthorized => Code::UnauthorizedAccess,
        DbError::AuthenticationError => Code::UnauthenticatedRequest,
        DbError::SyntaxError => Code::UnsupportedDatabaseQuery,
        DbError::Invalid => Code::InvalidDatabaseQuery,
        DbError::Unavailable { .. } | DbError::IsBootstrapping | DbError::Overloaded => {
            Code::UnavailableDatabase
        }
        DbError::ReadTimeout { .. } => Code::TimeoutReadingData,
        DbError::WriteTimeout { .. } => Code::TimeoutWritingData,
        DbError::ReadFailure { .. } => Code::FailedReadRequest,
        DbError::WriteFailure { .. } => Code::FailedWriteRequest,
        DbError::TruncateError => Code::FailedTruncation,
        _ => Code::UnexpectedDriverError,
    }
}
