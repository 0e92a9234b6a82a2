//! `updateOne`, `updateMany`, `findOneAndUpdate`, `findOneAndReplace`.

use super::filter::Parsed;
use super::find::next_page;
use super::id::Id;
use super::position::PageState;
use super::projection::Projection;
use super::reading::{Document, Documents};
use super::shred::{Shredded, shred};
use super::target::{Target, first};
use super::update::Update;
use super::{Collection, PAGE};
use crate::codes::Code;
use crate::command::{Command, invalid_value};
use crate::error::ApiError;
use crate::json::Json;
use crate::response::Response;

/// Attempts to write a document that other writers change at the same time.
const TRIES: usize = 3;

/// `updateOne`
pub async fn update_one(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let update = Update::read(command.field("update"), collection)?;
    let changed = change(collection, command, &update).await?;
    Ok(changed.counted(Response::default()))
}

/// `findOneAndUpdate`
pub async fn find_and_update(
    collection: &Collection,
    command: &Command,
) -> Result<Response, ApiError> {
    let update = Update::read(command.field("update"), collection)?;
    find_and_change(collection, command, &update).await
}

/// `findOneAndReplace`
pub async fn find_and_replace(
    collection: &Collection,
    command: &Command,
) -> Result<Response, ApiError> {
    let replacement = command.field("replacement").unwrap_or(&Json::Null);
    let update = Update::replacement(replacement, collection)?;
    find_and_change(collection, command, &update).await
}

async fn find_and_change(
    collection: &Collection,
    command: &Command,
    update: &Update,
) -> Result<Response, ApiError> {
    let after = match command.text_option("returnDocument") {
        None | Some("before") => false,
        Some("after") => true,
        Some(other) => {
            let reason = "must be 'before' or 'after'";
            return Err(invalid_value(
                "command.options.returnDocument",
                other,
                reason,
            ));
        }
    };
    let projection = Projection::read(command.field("projection"))?;
    let mut changed = change(collection, command, update).await?;
    let document = if after {
        changed.after.take()
    } else {
        changed.before.take()
    };
    let document = document.map(|mut document| {
        projection.apply(&mut document);
        document
    });
    Ok(changed.counted(Response::document(document)))
}

/// The outcome of a command on one document.
#[derive(Default)]
struct Changed {
    matched: usize,
    modified: usize,
    upserted: Option<Json>,
    before: Option<Json>,
    after: Option<Json>,
}

impl Changed {
    fn counted(self, response: Response) -> Response {
        let response = match self.upserted {
            Some(id) => response.with_status("upsertedId", id),
            None => response,
        };
        let count = |count: usize| Json::integer(i64::try_from(count).unwrap_or(i64::MAX));
        response
            .with_status("matchedCount", count(self.matched))
            .with_status("modifiedCount", count(self.modified))
    }
}

async fn change(
    collection: &Collection,
    command: &Command,
    update: &Update,
) -> Result<Changed, ApiError> {
    let target = Target::read(collection, command)?;
    let Some(document) = target.find(collection).await? else {
        return if command.flag("upsert") {
            upsert(collection, &target.parsed, update).await
        } else {
            Ok(Changed::default())
        };
    };
    let json = document.json()?;
    let written = write(collection, &target.parsed, update, document, json).await?;
    let (before, after, modified) = match written {
        Written::Changed { before, after } => (Some(before), Some(after), 1),
        Written::Same(document) => (Some(document.clone()), Some(document), 0),
        Written::Gone => (None, None, 0),
    };
    Ok(Changed {
        matched: 1,
        modified,
        upserted: None,
        before,
        after,
    })
}

async fn upsert(
    collection: &Collection,
    parsed: &Parsed,
    update: &Update,
) -> Result<Changed, ApiError> {
    let mut document = parsed.new_document()?;
    update.apply(&mut document, true)?;
    let shredded = shredded(&document, collection)?;
    if !collection.insert(&shredded).await? {
        // Another writer made the document at the same time: it is changed as any other.
        let found = first(collection, &parsed.of_document(&shredded.id.key())).await?;
        let Some(found) = found else {
            let text = format!(
                "A document with the _id {} already exists.",
                shredded.id.to_json()
            );
            return Err(ApiError::new(Code::DocumentAlreadyExists, text));
        };
        let json = found.json()?;
        let written = write(collection, parsed, update, found, json).await?;
        let mut changed = Changed {
            matched: 1,
            ..Changed::default()
        };
        match written {
            Written::Changed { before, after } => {
                changed.modified = 1;
                (changed.before, changed.after) = (Some(before), Some(after));
            }
            Written::Same(document) => {
                (changed.before, changed.after) = (Some(document.clone()), Some(document));
            }
            Written::Gone => {}
        }
        return Ok(changed);
    }
    Ok(Changed {
        upserted: Some(shredded.id.to_json()),
        after: Some(Json::Object(shredded.document)),
        ..Changed::default()
    })
}

/// The columns of a changed document. Its faults are those of the update, not of a document that was sent.
fn shredded(document: &Json, collection: &Collection) -> Result<Shredded, ApiError> {
    let shredded = shred(document, &collection.definition).map_err(|error| error.about(None))?;
    if collection.definition.vector.is_some()
        && let Some(vector) = &shredded.vector
    {
        collection.require_vector(vector)?;
    }
    Ok(shredded)
}

/// The outcome for a document that was found.
enum Written {
    Changed {
        before: Json,
        after: Json,
    },
    Same(Json),
    /// It was deleted meanwhile, or does not fit any more.
    Gone,
}

/// Writes a document that was found, with its contents.
async fn write(
    collection: &Collection,
    parsed: &Parsed,
    update: &Update,
    mut document: Document,
    mut before: Json,
) -> Result<Written, ApiError> {
    for _ in 0..TRIES {
        let mut changed = before.clone();
        if !update.apply(&mut changed, false)? {
            return Ok(Written::Same(before));
        }
        let shredded = shredded(&changed, collection)?;
        if collection.update(&shredded, document.tx_id).await? {
            return Ok(Written::Changed {
                before,
                after: Json::Object(shredded.document),
            });
        }
        let filter = parsed.of_document(&document.key);
        match first(collection, &filter).await? {
            Some(again) => {
                before = again.json()?;
                document = again;
            }
            None => return Ok(Written::Gone),
        }
    }
    Err(concurrent())
}

/// The error of a document that others kept changing.
pub fn concurrent() -> ApiError {
    let text = "The document was changed by other requests at the same time, again and again.\n\nSend the command again.";
    ApiError::new(Code::FailedConcurrentOperations, text)
}

/// `updateMany`: one page.
pub async fn update_many(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let update = Update::read(command.field("update"), collection)?;
    let parsed = Parsed::read(command.field("filter"), collection)?;
    let state = command
        .text_option("pageState")
        .map(PageState::read)
        .transpose()?;
    let after = state.as_ref().map(|state| &state.after);
    let mut documents = Documents::new(collection, &parsed.filter, after, PAGE);
    let found = documents.next(PAGE).await?;
    if found.is_empty() && state.is_none() && command.flag("upsert") {
        let changed = upsert(collection, &parsed, &update).await?;
        return Ok(changed.counted(Response::default()));
    }
    let next = next_page(&found, PAGE, None);
    let mut changed = Changed {
        matched: found.len(),
        ..Changed::default()
    };
    // All are read before the first is changed.
    let found = found.into_iter().map(|(_, document)| {
        let json = document.json()?;
        Ok((document, json))
    });
    let found = found.collect::<Result<Vec<_>, ApiError>>()?;
    let mut errors = Vec::new();
    for (document, json) in found {
        let id = json.get("_id").and_then(|id| Id::read(id).ok());
        match write(collection, &parsed, &update, document, json).await {
            Ok(Written::Changed { .. }) => changed.modified += 1,
            Ok(Written::Same(_) | Written::Gone) => {}
            Err(error) if error.code == Code::FailedConcurrentOperations => {
                errors.push(error.about(id.map(|id| id.to_json())));
            }
            Err(error) => return Err(error),
        }
    }
    let response = Response {
        errors,
        ..changed.counted(Response::default())
    };
    Ok(match next {
        Some(next) => response
            .with_status("moreData", Json::Bool(true))
            .with_status("nextPageState", Json::Text(next.text())),
        None => response,
    })
}
