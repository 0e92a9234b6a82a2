//! Cassandra's errors in terms shared by all interfaces: a gRPC code and Cassandra's own words.
//!
//! The mapping of errors to codes is that of Stargate's bridge (recorded, and `ExceptionHandler` of its gRPC module).

use std::fmt;

use scylla::errors::{
    BadQuery, ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind,
    CqlResultParseError, DbError, ExecutionError, MetadataError, NewSessionError, PrepareError,
    RequestAttemptError, UseKeyspaceError,
};

/// The gRPC status codes that Stargate uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Code::Aborted => "ABORTED",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Internal => "INTERNAL",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::NotFound => "NOT_FOUND",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::Unavailable => "UNAVAILABLE",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Unknown => "UNKNOWN",
        })
    }
}

/// A failed statement or login.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct StoreError {
    pub code: Code,
    /// Cassandra's own text, if any. Never contains a token.
    pub message: String,
    /// Cassandra's error with its details, if any.
    pub cassandra: Option<DbError>,
}

impl StoreError {
    pub fn new(code: Code, message: impl Into<String>) -> StoreError {
        StoreError {
            code,
            message: message.into(),
            cassandra: None,
        }
    }

    /// The error for a token that is unknown, malformed or empty.
    pub fn invalid_token() -> StoreError {
        StoreError::new(Code::Unauthenticated, "Invalid token")
    }

    fn from_cassandra(error: &DbError, message: &str) -> StoreError {
        StoreError {
            code: code_of(error),
            message: message.to_owned(),
            cassandra: Some(error.clone()),
        }
    }
}

/// Returns true if a change of the schema is done, and only Cassandra's notice of it cannot be read: it is no UTF-8 for
/// a type whose name is not ASCII.
pub fn is_unreadable_notice(error: &ExecutionError) -> bool {
    matches!(
        error,
        ExecutionError::LastAttemptError(RequestAttemptError::CqlResultParseError(
            CqlResultParseError::SchemaChangeParseError(_)
        ))
    )
}

fn code_of(error: &DbError) -> Code {
    match error {
        DbError::SyntaxError | DbError::Invalid => Code::InvalidArgument,
        DbError::AlreadyExists { .. } => Code::AlreadyExists,
        DbError::Unauthorized => Code::PermissionDenied,
        DbError::AuthenticationError => Code::Unauthenticated,
        DbError::ConfigError | DbError::FunctionFailure { .. } => Code::FailedPrecondition,
        DbError::Unavailable { .. } | DbError::IsBootstrapping => Code::Unavailable,
        DbError::Overloaded => Code::ResourceExhausted,
        DbError::ReadTimeout { .. } | DbError::WriteTimeout { .. } => Code::DeadlineExceeded,
        DbError::ReadFailure { .. } | DbError::WriteFailure { .. } | DbError::TruncateError => {
            Code::Aborted
        }
        DbError::ServerError | DbError::ProtocolError | DbError::Unprepared { .. } => {
            Code::Internal
        }
        _ => Code::Unknown,
    }
}

impl From<ExecutionError> for StoreError {
    fn from(error: ExecutionError) -> StoreError {
        let attempt = match &error {
            ExecutionError::LastAttemptError(attempt)
            | ExecutionError::PrepareError(PrepareError::AllAttemptsFailed {
                first_attempt: attempt,
                ..
            })
            | ExecutionError::UseKeyspaceError(UseKeyspaceError::RequestError(attempt)) => attempt,
            ExecutionError::BadQuery(BadQuery::SerializationError(cause)) => {
                return StoreError::new(Code::InvalidArgument, cause.to_string());
            }
            ExecutionError::BadQuery(cause) => {
                return StoreError::new(Code::InvalidArgument, cause.to_string());
            }
            ExecutionError::RequestTimeout(_) => {
                return StoreError::new(Code::DeadlineExceeded, error.to_string());
            }
            _ => return StoreError::new(Code::Unavailable, error.to_string()),
        };
        match attempt {
            RequestAttemptError::DbError(cassandra, message) => {
                StoreError::from_cassandra(cassandra, message)
            }
            RequestAttemptError::SerializationError(cause) => {
                StoreError::new(Code::InvalidArgument, cause.to_string())
            }
            other => StoreError::new(Code::Unavailable, other.to_string()),
        }
    }
}

impl From<PrepareError> for StoreError {
    fn from(error: PrepareError) -> StoreError {
        ExecutionError::from(error).into()
    }
}

impl From<NewSessionError> for StoreError {
    /// Converts an error of a login: bad credentials are an invalid token; all else means that Cassandra is
    /// unreachable.
    fn from(error: NewSessionError) -> StoreError {
        if let NewSessionError::MetadataError(MetadataError::ConnectionPoolError(
            ConnectionPoolError::Broken {
                last_connection_error: ConnectionError::ConnectionSetupRequestError(cause),
            },
        )) = &error
            && let ConnectionSetupRequestErrorKind::DbError(DbError::AuthenticationError, _) =
                &cause.error
        {
            return StoreError::invalid_token();
        }
        if let NewSessionError::UseKeyspaceError(UseKeyspaceError::RequestError(
            RequestAttemptError::DbError(cassandra, message),
        )) = &error
        {
            return StoreError::from_cassandra(cassandra, message);
        }
        // The driver rejects an invalid keyspace name.
        if let NewSessionError::UseKeyspaceError(UseKeyspaceError::BadKeyspaceName(cause)) = &error
        {
            return StoreError::new(Code::InvalidArgument, cause.to_string());
        }
        StoreError::new(Code::Unavailable, error.to_string())
    }
}
