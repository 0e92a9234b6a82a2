//! `deleteOne`, `deleteMany`, `findOneAndDelete`.

use futures::StreamExt;

use super::Collection;
use super::filter::Parsed;
use super::modify::concurrent;
use super::projection::Projection;
use super::reading::{Document, Documents};
use super::target::{Target, first};
use crate::codes::Code;
use crate::command::{Command, missing};
use crate::error::ApiError;
use crate::json::Json;
use crate::response::Response;
use store::{Page, cql};

/// Attempts to delete a document that other writers change at the same time.
const TRIES: usize = 3;
/// Documents that one `deleteMany` deletes.
const MANY: usize = 20;
/// Documents that are deleted at once.
const TOGETHER: usize = 8;

/// `deleteOne`
pub async fn one(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    if command.field("filter").is_none_or(Json::is_null) {
        return Err(missing("command.filter"));
    }
    let deleted = delete_target(collection, command, false).await?;
    Ok(Response::default().with_status("deletedCount", count(usize::from(deleted.is_some()))))
}

/// `findOneAndDelete`
pub async fn find_and_delete(
    collection: &Collection,
    command: &Command,
) -> Result<Response, ApiError> {
    let projection = Projection::read(command.field("projection"))?;
    let deleted = delete_target(collection, command, true).await?;
    let deleted_count = count(usize::from(deleted.is_some()));
    let document = deleted.map(|document| document.projected(&projection));
    Ok(Response::document(document.transpose()?).with_status("deletedCount", deleted_count))
}

async fn delete_target(
    collection: &Collection,
    command: &Command,
    is_returned: bool,
) -> Result<Option<Document>, ApiError> {
    let target = Target::read(collection, command)?;
    let Some(document) = target.find(collection).await? else {
        return Ok(None);
    };
    if is_returned {
        // What cannot be read is not deleted.
        document.json()?;
    }
    delete(collection, &target.parsed, document).await
}

/// Deletes a document that was found; `None` if it is gone, or does not fit any more.
async fn delete(
    collection: &Collection,
    parsed: &Parsed,
    document: Document,
) -> Result<Option<Document>, ApiError> {
    let mut document = document;
    for _ in 0..TRIES {
        if collection.delete(&document.key, document.tx_id).await? {
            return Ok(Some(document));
        }
        match first(collection, &parsed.of_document(&document.key)).await? {
            Some(again) => document = again,
            None => return Ok(None),
        }
    }
    Err(concurrent())
}

/// `deleteMany`: twenty documents, or all of them if there is no filter.
pub async fn many(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let parsed = Parsed::read(command.field("filter"), collection)?;
    if parsed.is_empty() {
        let truncate = cql::truncate(&collection.keyspace, &collection.name);
        collection.query(truncate, Page::first(1)).await?;
        return Ok(Response::default().with_status("deletedCount", Json::integer(-1)));
    }
    let mut documents = Documents::new(collection, &parsed.filter, None, MANY + 1);
    let mut found = documents.next(MANY + 1).await?;
    let more = found.len() > MANY;
    found.truncate(MANY);
    let deletes = found
        .into_iter()
        .map(|(_, document)| delete(collection, &parsed, document));
    let deleted: Vec<Result<Option<Document>, ApiError>> = futures::stream::iter(deletes)
        .buffered(TOGETHER)
        .collect()
        .await;
    let (mut deleted_count, mut errors) = (0, Vec::new());
    for outcome in deleted {
        match outcome {
            Ok(Some(_)) => deleted_count += 1,
            Ok(None) => {}
            Err(error) if error.code == Code::FailedConcurrentOperations => errors.push(error),
            Err(error) => return Err(error),
        }
    }
    let response = Response {
        errors,
        ..Response::default().with_status("deletedCount", count(deleted_count))
    };
    Ok(if more {
        response.with_status("moreData", Json::Bool(true))
    } else {
        response
    })
}

fn count(count: usize) -> Json {
    Json::integer(i64::try_from(count).unwrap_or(i64::MAX))
}
