//! The built-in functions: `$push`, `$pop` and `$set`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::collections::{Collection, scalar_text};
use super::error::DocumentError;
use super::json_schema;
use super::path::{field_path, split_plainly, stored_one, stored_path};
use super::profile::Profile;
use super::read::{missing, part};
use super::request::{self, Address};
use super::response::{self, Wrapper};
use super::shred::shred_at;
use super::update::{replace_part, ttl_of};
use super::write::{Delete, Write};
use bridge::{Body, BridgeError, Caller, Parameters};

#[derive(Deserialize)]
struct Call {
    operation: Option<Value>,
    /// `Some(Null)` if the request contains null, `None` if the member is missing.
    #[serde(default, deserialize_with = "sent")]
    value: Option<Value>,
}

fn sent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Clone, Copy)]
enum Function {
    Push,
    Pop,
    Set,
}

/// `POST …/{id}[/{path}]/function`
pub async fn call(
    caller: Caller,
    mut address: Address,
    parameters: Parameters,
    body: Body,
) -> Result<Response, DocumentError> {
    if address.path.pop().as_deref() != Some("function") {
        let response = BridgeError::WrongMethod.into_response();
        return Ok(response::allowed(
            response,
            "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
        ));
    }
    let call: Call = request::object(&body)?;
    let operation = scalar_text(call.operation)?.unwrap_or_default();
    let function = match operation.as_str() {
        "$push" => Function::Push,
        "$pop" => Function::Pop,
        "$set" => Function::Set,
        blank if blank.trim().is_empty() => {
            return Err(DocumentError::invalid(
                "`operation` is required for function execution",
            ));
        }
        _ => {
            return Err(DocumentError::invalid(
                "available built-in functions are [$pop, $push, $set]",
            ));
        }
    };
    let profile = Profile::new(&parameters);
    let collection = Collection::existing(&caller, &address).await?;
    let data = match function {
        Function::Push => push(&collection, &address, call.value, &profile).await?,
        Function::Pop => pop(&collection, &address, &profile).await?,
        Function::Set => set(&collection, &address, call.value, &profile).await?,
    };
    let wrapper = Wrapper {
        document_id: Some(address.id),
        data: Some(data),
        profile: profile.json(),
        ..Wrapper::default()
    };
    Ok(wrapper.into_response(StatusCode::OK, parameters.flag("raw")))
}

/// Appends a value to the array at the path, and returns the new array.
async fn push(
    collection: &Collection,
    address: &Address,
    value: Option<Value>,
    profile: &Profile,
) -> Result<Value, DocumentError> {
    let mut array = array(collection, address, "push to", profile).await?;
    array.push(value.unwrap_or(Value::Null));
    let array = Value::Array(array);
    rewrite(collection, address, &array, profile).await?;
    Ok(array)
}

/// Removes the last element of the array at the path, and returns it.
async fn pop(
    collection: &Collection,
    address: &Address,
    profile: &Profile,
) -> Result<Value, DocumentError> {
    let mut array = array(collection, address, "pop from", profile).await?;
    let last = array
        .pop()
        .ok_or_else(|| DocumentError::refused("No data available to pop."))?;
    rewrite(collection, address, &Value::Array(array), profile).await?;
    Ok(last)
}

async fn array(
    collection: &Collection,
    address: &Address,
    what: &str,
    profile: &Profile,
) -> Result<Vec<Value>, DocumentError> {
    let found = part(collection, &address.id, &address.path, Vec::new(), profile).await?;
    match found {
        None => Err(missing(address)),
        Some(Value::Array(array)) => Ok(array),
        Some(other) => Err(DocumentError::Refused(format!(
            "The path provided to {what} has no array, found {other}."
        ))),
    }
}

async fn rewrite(
    collection: &Collection,
    address: &Address,
    array: &Value,
    profile: &Profile,
) -> Result<(), DocumentError> {
    let ttl = ttl_of(collection, &address.id, profile).await?;
    let path = stored_path(&address.path)?;
    replace_part(collection, &address.id, path, array, ttl, profile).await
}

/// Replaces the values at dotted paths, and returns null.
async fn set(
    collection: &Collection,
    address: &Address,
    value: Option<Value>,
    profile: &Profile,
) -> Result<Value, DocumentError> {
    let ttl = ttl_of(collection, &address.id, profile).await?;
    json_schema::refuse_partial_update(collection)?;
    let base = stored_path(&address.path)?;
    let value = value.ok_or_else(|| {
        DocumentError::exception(
            "Cannot invoke \"com.fasterxml.jackson.databind.JsonNode.fieldNames()\" because \
             \"payload\" is null"
                .to_owned(),
        )
    })?;
    let Value::Object(values) = value else {
        return Err(DocumentError::refused(
            "Using dotted-path JSON processing requires a JSON object at root",
        ));
    };
    let write = Write {
        id: &address.id,
        deletes: deleted(&values, &base)?,
        rows: set_rows(&values, &base)?,
        ttl,
        description: "ASYNC SET",
    };
    write.run(collection, profile).await?;
    Ok(Value::Null)
}

/// Reads the paths to delete. A period after a backslash does not split a path.
fn deleted(values: &Map<String, Value>, base: &[String]) -> Result<Vec<Delete>, DocumentError> {
    let delete = |path: &String| Ok(Delete::Below([base, &field_path(path)?].concat()));
    values.keys().map(delete).collect()
}

/// Reads the values to write. Every period splits a path.
fn set_rows(
    values: &Map<String, Value>,
    base: &[String],
) -> Result<Vec<super::shred::Leaf>, DocumentError> {
    let mut rows = Vec::new();
    for (path, value) in values {
        let mut segments = base.to_vec();
        for segment in split_plainly(path, '.') {
            segments.push(stored_one(segment)?);
        }
        rows.extend(shred_at(value, &segments)?);
    }
    Ok(rows)
}
