//! Types for running a field in either API.

use apollo_compiler::resolvers::{FieldError, ResolveInfo};
use serde_json::{Map, Value};

use super::engine::Extras;
use store::values::ValueError;
use store::{Code, StoreError};

/// The given arguments of an operation.
pub type Arguments = Map<String, Value>;

/// Failure of an operation. `Display` is the text after `Exception while fetching data (/path) : `.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error("{0}")]
    Invalid(String),
}

impl RunError {
    /// Returns true if the store is overloaded, or a message to or from it is too large.
    pub fn is_overload(&self) -> bool {
        matches!(self, RunError::Store(error) if error.code == Code::ResourceExhausted)
    }

    /// Returns the error for an argument, or a member of one, that must not be null but can be omitted.
    pub fn null(name: &str) -> RunError {
        RunError::Invalid(format!("{name} cannot be null"))
    }
}

/// Returns the error of a field.
pub fn failed(error: &RunError) -> FieldError {
    FieldError {
        message: error.to_string(),
    }
}

/// Returns the error of a field that reads rows, and records an overload.
pub fn query_failed(error: &RunError, extras: &Extras) -> FieldError {
    if error.is_overload() {
        extras.overload();
    }
    failed(error)
}

/// Converts the arguments of a field to JSON.
pub fn arguments(info: &ResolveInfo<'_>) -> Arguments {
    let arguments = info.arguments().iter();
    let pairs = arguments.map(|(name, value)| {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        (name.as_str().to_owned(), value)
    });
    pairs.collect()
}
