//! The JSON schema of a collection, kept in the comment of its table, and documents held against it.

use axum::http::StatusCode;
use axum::response::Response;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError};
use serde_json::{Value, json};

use super::answer;
use super::collections::Collection;
use super::error::DocumentError;
use super::request::{Address, Body, Caller};

/// `GET …/collections/{collection}/json-schema`
pub async fn get(caller: Caller, address: Address) -> Result<Response, DocumentError> {
    let collection = Collection::existing(&caller, &address).await?;
    let schema = of(&collection).ok_or(DocumentError::NoJsonSchema)?;
    Ok(answer::json(StatusCode::OK, &json!({ "schema": schema })))
}

/// `PUT …/collections/{collection}/json-schema`
pub async fn put(caller: Caller, address: Address, body: Body) -> Result<Response, DocumentError> {
    let schema = body.json("json schema not provided")?;
    let collection = Collection::existing(&caller, &address).await?;
    check(&schema)?;
    let wrapped = json!({ "schema": schema });
    // A table option takes no bound value.
    let comment = wrapped.to_string().replace('\'', "''");
    let alter = format!(
        "ALTER TABLE {} WITH comment = '{comment}'",
        collection.table()
    );
    collection.session.change_schema(&alter).await?;
    Ok(answer::json(StatusCode::OK, &wrapped))
}

/// The schema of a collection. A comment that is something else is none.
fn of(collection: &Collection) -> Option<Value> {
    let mut comment: Value = serde_json::from_str(&collection.comment).ok()?;
    comment.get_mut("schema").map(Value::take)
}

/// Is this a schema?
fn check(schema: &Value) -> Result<(), DocumentError> {
    if !schema.is_object() {
        return Err(DocumentError::Refused(format!(
            "[error]: JSON value is of type {}, not a JSON Schema (expected an object); ",
            kind_of(schema)
        )));
    }
    let validator = jsonschema::draft4::meta::validator();
    let errors = validator.iter_errors(schema);
    let texts: String = errors.map(|error| format!("[error]: {error}; ")).collect();
    if texts.is_empty() {
        Ok(())
    } else {
        Err(DocumentError::Refused(texts))
    }
}

/// Holds a document against the schema of its collection, if it has one.
///
/// # Errors
/// [`DocumentError::InvalidJson`] for a document that does not fit.
pub fn validate(collection: &Collection, document: &Value) -> Result<(), DocumentError> {
    let Some(mut schema) = of(collection) else {
        return Ok(());
    };
    // Whatever the schema calls itself, it is read as draft 4.
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    let validator = jsonschema::options()
        .with_draft(Draft::Draft4)
        .build(&schema)
        .map_err(|_| DocumentError::JsonSchemaProcessing)?;
    let errors: Vec<String> = validator.iter_errors(document).map(|e| text(&e)).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(DocumentError::InvalidJson(errors.join(", ")))
    }
}

/// Refuses to write a part of a document in a collection that has a schema.
///
/// # Errors
/// [`DocumentError::PartialUpdate`]
pub fn refuse_partial_update(collection: &Collection) -> Result<(), DocumentError> {
    match of(collection) {
        Some(_) => Err(DocumentError::PartialUpdate),
        None => Ok(()),
    }
}

/// What does not fit, in the words of Stargate's validator where they are known.
fn text(error: &ValidationError<'_>) -> String {
    let found = error.instance();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("object has missing required properties ([{property}])")
        }
        ValidationErrorKind::Type { kind } => {
            let allowed: Vec<String> = match kind {
                TypeKind::Single(kind) => vec![format!("\"{kind}\"")],
                TypeKind::Multiple(kinds) => {
                    kinds.iter().map(|kind| format!("\"{kind}\"")).collect()
                }
            };
            format!(
                "instance type ({}) does not match any allowed primitive type (allowed: [{}])",
                kind_of(found),
                allowed.join(",")
            )
        }
        ValidationErrorKind::Minimum { limit } => format!(
            "numeric instance is lower than the required minimum (minimum: {limit}, found: {found})"
        ),
        ValidationErrorKind::Maximum { limit } => format!(
            "numeric instance is greater than the required maximum (maximum: {limit}, found: {found})"
        ),
        ValidationErrorKind::MaxLength { limit } => format!(
            "string {found} is too long (length: {}, maximum allowed: {limit})",
            length(found)
        ),
        ValidationErrorKind::MinLength { limit } => format!(
            "string {found} is too short (length: {}, required minimum: {limit})",
            length(found)
        ),
        _ => error.to_string(),
    }
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.to_string().contains(['.', 'e', 'E']) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
