//! PUT, PATCH and DELETE of a document, or of the value at a path in it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::collections::Collection;
use super::error::DocumentError;
use super::json_schema;
use super::path::stored_path;
use super::profile::Profile;
use super::request::{self, Address};
use super::response::{self, Wrapper};
use super::rows::Select;
use super::shred::{shred, shred_at};
use super::write::{self, Delete, PATCH_ARRAY, Write};
use bridge::{Body, Caller, Parameters};
use store::Page;

/// `PUT …/{id}[/{path}]`
pub async fn replace(
    caller: Caller,
    address: Address,
    parameters: Parameters,
    body: Body,
) -> Result<Response, DocumentError> {
    let profile = Profile::new(&parameters);
    if address.path.is_empty() {
        let ttl = request::ttl(&parameters)?;
        let document = request::json(&body, "payload must not be empty")?;
        let collection = Collection::ensured(&caller, &address).await?;
        replace_part(
            &collection,
            &address.id,
            Vec::new(),
            &document,
            ttl,
            &profile,
        )
        .await?;
    } else {
        let part = request::json(&body, "payload must not be empty")?;
        let ttl = automatic_ttl(&caller, &address, &parameters, &profile).await?;
        let path = stored_path(&address.path)?;
        let collection = Collection::ensured(&caller, &address).await?;
        replace_part(&collection, &address.id, path, &part, ttl, &profile).await?;
    }
    Ok(written(address.id, &profile))
}

/// Replaces the value at a path in a document; without a path, the document.
///
/// # Errors
/// An invalid value, and Cassandra's own.
pub async fn replace_part(
    collection: &Collection,
    id: &str,
    path: Vec<String>,
    part: &Value,
    ttl: Option<i32>,
    profile: &Profile,
) -> Result<(), DocumentError> {
    let rows = shredded(collection, &path, part)?;
    let write = Write {
        id,
        deletes: vec![Delete::Below(path)],
        rows,
        ttl,
        description: "ASYNC UPDATE",
    };
    write.run(collection, profile).await
}

/// `PATCH …/{id}[/{path}]`: replaces the members in the body, each as a whole. Others are kept.
pub async fn patch(
    caller: Caller,
    address: Address,
    parameters: Parameters,
    body: Body,
) -> Result<Response, DocumentError> {
    let profile = Profile::new(&parameters);
    let part = request::json(&body, "payload must not be empty")?;
    let ttl = automatic_ttl(&caller, &address, &parameters, &profile).await?;
    let path = stored_path(&address.path)?;
    match &part {
        Value::Array(_) => return Err(DocumentError::refused(PATCH_ARRAY)),
        Value::Object(members) if members.is_empty() => {
            return Err(DocumentError::refused(
                "A patch operation must be done with a non-empty JSON object.",
            ));
        }
        _ => {}
    }
    let collection = Collection::ensured(&caller, &address).await?;
    let rows = shredded(&collection, &path, &part)?;
    let write = Write {
        id: &address.id,
        deletes: Delete::before_patch(&path, &rows)?,
        rows,
        ttl,
        description: "ASYNC PATCH",
    };
    write.run(&collection, &profile).await?;
    Ok(written(address.id, &profile))
}

/// Converts JSON at a path to rows, validated against the collection's JSON schema.
fn shredded(
    collection: &Collection,
    path: &[String],
    json: &Value,
) -> Result<Vec<super::shred::Leaf>, DocumentError> {
    if path.is_empty() {
        json_schema::validate(collection, json)?;
        shred(json)
    } else {
        json_schema::refuse_partial_update(collection)?;
        shred_at(json, path)
    }
}

/// `DELETE …/{id}[/{path}]`, which also succeeds if nothing exists there.
pub async fn delete(
    caller: Caller,
    address: Address,
    parameters: Parameters,
) -> Result<Response, DocumentError> {
    let collection = Collection::existing(&caller, &address).await?;
    let path = stored_path(&address.path)?;
    write::delete(&collection, &address.id, path, &Profile::new(&parameters)).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

fn written(id: String, profile: &Profile) -> Response {
    let wrapper = Wrapper {
        document_id: Some(id),
        profile: profile.json(),
        ..Wrapper::default()
    };
    wrapper.into_response(StatusCode::OK, false)
}

/// Returns the time to live for a part. With `ttl-auto=true` it is that of the document.
async fn automatic_ttl(
    caller: &Caller,
    address: &Address,
    parameters: &Parameters,
    profile: &Profile,
) -> Result<Option<i32>, DocumentError> {
    if !parameters.flag("ttl-auto") {
        return Ok(None);
    }
    // Before the collection is created: for a missing one Cassandra reports an error.
    let collection = Collection::unchecked(caller, address).await?;
    ttl_of(&collection, &address.id, profile).await
}

/// Returns the remaining time to live of a document's first row in seconds; `None` if it does not expire.
pub async fn ttl_of(
    collection: &Collection,
    id: &str,
    profile: &Profile,
) -> Result<Option<i32>, DocumentError> {
    let select = Select::ttl().of_document(id);
    let rows = select
        .page(collection, Page::first(1), profile, "root")
        .await?;
    let first = rows.rows.into_iter().next();
    Ok(
        match first.and_then(|row| row.into_iter().next()).flatten() {
            Some(scylla::value::CqlValue::Int(seconds)) => Some(seconds),
            _ => None,
        },
    )
}
