//! `insertOne` and `insertMany`.

use futures::StreamExt;

use super::Collection;
use super::shred::{Shredded, shred};
use crate::codes::Code;
use crate::command::{Command, invalid_value};
use crate::error::ApiError;
use crate::json::{Json, Members};
use crate::response::Response;

const MAX_DOCUMENTS: usize = 100;
/// Documents that are inserted at once.
const TOGETHER: usize = 8;

/// `insertOne`
pub async fn one(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let document = command.field("document").unwrap_or(&Json::Null);
    let outcomes = insert(collection, std::slice::from_ref(document), true).await?;
    Ok(inserted(outcomes))
}

/// `insertMany`
pub async fn many(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let documents = command
        .field("documents")
        .and_then(Json::as_array)
        .unwrap_or_default();
    if documents.is_empty() || documents.len() > MAX_DOCUMENTS {
        let reason = format!("must have 1 to {MAX_DOCUMENTS} documents");
        let found = format!("(a list of {})", documents.len());
        return Err(invalid_value("command.documents", found, &reason));
    }
    let outcomes = insert(collection, documents, command.flag("ordered")).await?;
    Ok(if command.flag("returnDocumentResponses") {
        responses(outcomes)
    } else {
        inserted(outcomes)
    })
}

/// The outcome for one document, with its id.
enum Outcome {
    Inserted(Json),
    Failed(ApiError),
    Skipped(Option<Json>),
}

async fn insert(
    collection: &Collection,
    documents: &[Json],
    ordered: bool,
) -> Result<Vec<Outcome>, ApiError> {
    for document in documents {
        check_special_members(collection, document)?;
    }
    let definition = &collection.definition;
    let shredded: Vec<_> = documents
        .iter()
        .map(|document| shred(document, definition))
        .collect();
    let has_vector = |document: &&Shredded| document.vector.is_some();
    if definition.vector.is_none()
        && shredded
            .iter()
            .flatten()
            .any(|document| has_vector(&document))
    {
        return Err(collection.no_vectors());
    }
    if !ordered {
        let outcomes = shredded
            .into_iter()
            .map(|shredded| insert_one(collection, shredded));
        return Ok(futures::stream::iter(outcomes)
            .buffered(TOGETHER)
            .collect()
            .await);
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut failed = false;
    for shredded in shredded {
        let outcome = if failed {
            Outcome::Skipped(id_of(&shredded))
        } else {
            insert_one(collection, shredded).await
        };
        failed |= matches!(outcome, Outcome::Failed(_));
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Members that local Astra cannot serve fail the command, not the document.
fn check_special_members(collection: &Collection, document: &Json) -> Result<(), ApiError> {
    match document.get("$hybrid") {
        None | Some(Json::Null | Json::Text(_) | Json::Object(_)) => {}
        Some(other) => {
            let found = other.type_name();
            let text = format!("$hybrid must be a text or an object, not {found}.");
            return Err(ApiError::new(Code::HybridFieldUnsupportedValueType, text));
        }
    }
    let texts = [document.get("$vectorize"), document.get("$hybrid")];
    if texts.into_iter().flatten().any(|text| !text.is_null()) {
        return Err(collection.no_embedding_service());
    }
    Ok(())
}

fn id_of(shredded: &Result<Shredded, ApiError>) -> Option<Json> {
    match shredded {
        Ok(shredded) => Some(shredded.id.to_json()),
        Err(error) => error.documents.first().cloned(),
    }
}

async fn insert_one(collection: &Collection, shredded: Result<Shredded, ApiError>) -> Outcome {
    let document = match shredded {
        Ok(document) => document,
        Err(error) => return Outcome::Failed(error),
    };
    let id = document.id.to_json();
    if let Some(vector) = &document.vector
        && let Err(error) = collection.require_vector(vector)
    {
        return Outcome::Failed(error.about(Some(id)));
    }
    match collection.insert(&document).await {
        Ok(true) => Outcome::Inserted(id),
        Ok(false) => {
            let text = format!("A document with the _id {id} already exists.");
            let error = ApiError::new(Code::DocumentAlreadyExists, text);
            Outcome::Failed(error.about(Some(id)))
        }
        Err(error) => Outcome::Failed(error.about(Some(id))),
    }
}

fn inserted(outcomes: Vec<Outcome>) -> Response {
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Outcome::Inserted(id) => ids.push(id),
            Outcome::Failed(error) => errors.push(error),
            Outcome::Skipped(_) => {}
        }
    }
    Response {
        errors,
        ..Response::default().with_status("insertedIds", Json::Array(ids))
    }
}

fn responses(outcomes: Vec<Outcome>) -> Response {
    let mut errors = Vec::new();
    let response = |outcome| {
        let (id, status) = match outcome {
            Outcome::Inserted(id) => (Some(id), "OK"),
            Outcome::Skipped(id) => (id, "SKIPPED"),
            Outcome::Failed(error) => {
                let id = error.documents.first().cloned();
                errors.push(error);
                (id, "ERROR")
            }
        };
        let mut response = Members::new();
        if let Some(id) = id {
            response.insert("_id".to_owned(), id);
        }
        response.insert("status".to_owned(), Json::text(status));
        if status == "ERROR" {
            let index = i64::try_from(errors.len()).unwrap_or(1) - 1;
            response.insert("errorsIdx".to_owned(), Json::integer(index));
        }
        Json::Object(response)
    };
    let responses = outcomes.into_iter().map(response).collect();
    Response {
        errors,
        ..Response::default().with_status("documentResponses", responses)
    }
}
