//! Errors: the status code, Cassandra's words, and the details in a binary trailer.

use prost::Message;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError, WriteType};
use scylla::statement::Consistency;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use super::proto::google::rpc;
use super::proto::stargate as proto;
use store::StoreError;

/// Error of a call.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// Rejected without a request to Cassandra.
    #[error("{1}")]
    Refused(Code, String),
    /// Rejected by Cassandra, or by the login.
    #[error("{}", .0.message)]
    Store(#[from] StoreError),
}

impl GrpcError {
    pub fn invalid(message: impl Into<String>) -> GrpcError {
        GrpcError::Refused(Code::InvalidArgument, message.into())
    }

    pub fn code(&self) -> Code {
        match self {
            GrpcError::Refused(code, _) => *code,
            GrpcError::Store(error) => match error.code {
                store::Code::Aborted => Code::Aborted,
                store::Code::AlreadyExists => Code::AlreadyExists,
                store::Code::DeadlineExceeded => Code::DeadlineExceeded,
                store::Code::FailedPrecondition => Code::FailedPrecondition,
                store::Code::Internal => Code::Internal,
                store::Code::InvalidArgument => Code::InvalidArgument,
                store::Code::NotFound => Code::NotFound,
                store::Code::PermissionDenied => Code::PermissionDenied,
                store::Code::ResourceExhausted => Code::ResourceExhausted,
                store::Code::Unauthenticated => Code::Unauthenticated,
                store::Code::Unavailable => Code::Unavailable,
                store::Code::Unimplemented => Code::Unimplemented,
                store::Code::Unknown => Code::Unknown,
            },
        }
    }

    /// Returns the status for a message in a stream. Stargate uses the text of an exception as the reason. Stargate's
    /// own exceptions begin with the code, so the message contains it twice (recorded).
    pub fn into_stream_status(self) -> rpc::Status {
        let code = name(self.code());
        let reason = match &self {
            GrpcError::Refused(_, message) => format!("{code}: {message}"),
            GrpcError::Store(error) => error.message.clone(),
        };
        let message = format!("{code}: {reason}");
        let info = rpc::ErrorInfo {
            reason,
            ..rpc::ErrorInfo::default()
        };
        rpc::Status {
            code: self.code() as i32,
            message,
            details: vec![prost_types::Any {
                type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
                value: info.encode_to_vec(),
            }],
        }
    }
}

impl From<ExecutionError> for GrpcError {
    fn from(error: ExecutionError) -> GrpcError {
        match error {
            // The driver cannot read a type, so the whole response is lost.
            ExecutionError::LastAttemptError(RequestAttemptError::CqlResultParseError(cause)) => {
                GrpcError::Refused(Code::Unimplemented, cause.to_string())
            }
            error => GrpcError::Store(error.into()),
        }
    }
}

impl From<GrpcError> for Status {
    fn from(error: GrpcError) -> Status {
        let mut trailers = MetadataMap::new();
        if let GrpcError::Store(StoreError {
            cassandra: Some(cassandra),
            ..
        }) = &error
            && let Some((key, detail)) = detail(cassandra)
        {
            trailers.insert_bin(key, MetadataValue::from_bytes(&detail));
        }
        Status::with_metadata(error.code(), error.to_string(), trailers)
    }
}

/// Returns the trailer of an error. Its key is the message's full name in lower case with `-bin`.
fn detail(error: &DbError) -> Option<(&'static str, Vec<u8>)> {
    Some(match error {
        DbError::AlreadyExists { keyspace, table } => {
            let detail = proto::AlreadyExists {
                keyspace: keyspace.clone(),
                table: table.clone(),
            };
            ("stargate.alreadyexists-bin", detail.encode_to_vec())
        }
        DbError::Unavailable {
            consistency,
            required,
            alive,
        } => {
            let detail = proto::Unavailable {
                consistency: number(*consistency),
                required: *required,
                alive: *alive,
            };
            ("stargate.unavailable-bin", detail.encode_to_vec())
        }
        DbError::ReadTimeout {
            consistency,
            received,
            required,
            data_present,
        } => {
            let detail = proto::ReadTimeout {
                consistency: number(*consistency),
                received: *received,
                block_for: *required,
                data_present: *data_present,
            };
            ("stargate.readtimeout-bin", detail.encode_to_vec())
        }
        DbError::WriteTimeout {
            consistency,
            received,
            required,
            write_type,
        } => {
            let detail = proto::WriteTimeout {
                consistency: number(*consistency),
                received: *received,
                block_for: *required,
                write_type: kind(write_type),
            };
            ("stargate.writetimeout-bin", detail.encode_to_vec())
        }
        DbError::ReadFailure {
            consistency,
            received,
            required,
            numfailures,
            data_present,
        } => {
            let detail = proto::ReadFailure {
                consistency: number(*consistency),
                received: *received,
                block_for: *required,
                num_failures: *numfailures,
                data_present: *data_present,
            };
            ("stargate.readfailure-bin", detail.encode_to_vec())
        }
        DbError::WriteFailure {
            consistency,
            received,
            required,
            numfailures,
            write_type,
        } => {
            let detail = proto::WriteFailure {
                consistency: number(*consistency),
                received: *received,
                block_for: *required,
                num_failures: *numfailures,
                write_type: kind(write_type),
            };
            ("stargate.writefailure-bin", detail.encode_to_vec())
        }
        DbError::FunctionFailure {
            keyspace,
            function,
            arg_types,
        } => {
            let detail = proto::FunctionFailure {
                keyspace: keyspace.clone(),
                function: function.clone(),
                arg_types: arg_types.clone(),
            };
            ("stargate.functionfailure-bin", detail.encode_to_vec())
        }
        // CasWriteUnknown exists since native protocol 5; in 4, which the driver uses, it is a write timeout.
        _ => return None,
    })
}

/// Returns the protocol's number of a consistency level, which is also gRPC's.
fn number(consistency: Consistency) -> i32 {
    i32::from(consistency as u16)
}

fn kind(write_type: &WriteType) -> String {
    write_type.as_str().to_owned()
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
