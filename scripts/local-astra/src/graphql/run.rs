//! What running a field needs, whichever API it belongs to.

use apollo_compiler::resolvers::ResolveInfo;
use serde_json::{Map, Value};

use crate::store::StoreError;
use crate::store::values::ValueError;

/// The arguments of an operation: only those that were given.
pub type Arguments = Map<String, Value>;

/// Why an operation failed. `Display` is what follows `Exception while fetching data (/path) : `.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error("{0}")]
    Invalid(String),
}

/// The arguments of a field in our own types.
pub fn arguments(info: &ResolveInfo<'_>) -> Arguments {
    let arguments = info.arguments().iter();
    let pairs = arguments.map(|(name, value)| {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        (name.as_str().to_owned(), value)
    });
    pairs.collect()
}
