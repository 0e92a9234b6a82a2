//! Searches for the documents of a collection, or the parts of one document, that match conditions.
//!
//! - [`filter`]: the parameter `where`
//! - [`condition`]: operators and values
//! - [`plan`]: the statements that find candidates, and the checks of each candidate
//! - [`stream`]: rows of many documents, page by page
//! - [`parts`]: the search in one document
//! - [`page_state`]

mod condition;
mod filter;
mod page_state;
mod parts;
mod plan;
#[cfg(test)]
mod properties;
mod stream;

pub use parts::search_document;

use axum::http::StatusCode;
use axum::response::Response;
use futures::future::try_join_all;
use serde_json::{Map, Value};

use self::filter::{Expression, Negation};
use self::page_state::AfterDocument;
use self::plan::{Candidates, Plan};
use super::assemble::{Arrays, Padding, assemble};
use super::collections::Collection;
use super::error::DocumentError;
use super::path::below;
use super::profile::Profile;
use super::request::{self, Address};
use super::response::Wrapper;
use super::rows;
use bridge::{Caller, Parameters};

/// Default and maximum number of documents per page.
const PAGE_SIZE: i32 = 3;
const MAX_PAGE_SIZE: i32 = 20;

/// `GET …/collections/{collection}`
pub async fn search(
    caller: Caller,
    address: Address,
    parameters: Parameters,
) -> Result<Response, DocumentError> {
    let page_size = match request::number(&parameters, "page-size")? {
        Some(..=0) => {
            return Err(DocumentError::invalid(
                "the minimum number of documents to return is one",
            ));
        }
        Some(size) if size > MAX_PAGE_SIZE => {
            return Err(DocumentError::invalid(
                "the max number of documents to return is 20",
            ));
        }
        size => size.unwrap_or(PAGE_SIZE),
    };
    let collection = Collection::existing(&caller, &address).await?;
    let profile = Profile::new(&parameters);
    let expression = match parameters.text("where") {
        Some(text) => Expression::read(text, &[], Negation::Opposites)?,
        None => None,
    };
    let fields = below(&[], request::fields(&parameters)?);
    let state = parameters.text("page-state");
    let found = find(
        &collection,
        Plan::of(expression),
        page_size,
        state,
        &profile,
    )
    .await?;
    let rows = found.ids.iter();
    let rows = rows.map(|id| rows::of_document(&collection, id, &profile, "LoadProperties"));
    let rows = try_join_all(rows).await?;
    let mut padding = Padding::default();
    let mut documents = Map::new();
    // One that has gone in the meantime is left out.
    for (id, rows) in found
        .ids
        .iter()
        .zip(rows)
        .filter(|(_, rows)| !rows.is_empty())
    {
        let document = assemble(&rows, &fields, Arrays::AsArrays, &mut padding)?;
        documents.insert(id.clone(), document);
    }
    let wrapper = Wrapper {
        page_state: found.page_state,
        data: Some(Value::Object(documents)),
        profile: profile.json(),
        ..Wrapper::default()
    };
    Ok(wrapper.into_response(StatusCode::OK, parameters.flag("raw")))
}

/// A page of documents.
struct Found {
    ids: Vec<String>,
    page_state: Option<String>,
}

async fn find(
    collection: &Collection,
    plan: Plan,
    page_size: i32,
    state: Option<&str>,
    profile: &Profile,
) -> Result<Found, DocumentError> {
    let Plan { lead, checks } = plan;
    let streams = lead.streams();
    let after = state
        .map(|state| AfterDocument::read(state, streams))
        .transpose()?;
    let position = after.as_ref().map(|after| &after.position);
    let mut candidates = Candidates::new(lead, collection, profile, page_size, position)?;
    if let Some(after) = &after {
        candidates.resume(&after.progress);
    }
    let wanted = usize::try_from(page_size).unwrap_or_default();
    let mut ids = Vec::new();
    loop {
        // As many at once as a page has: they are checked side by side.
        let mut some = Vec::new();
        while some.len() < wanted {
            match candidates.next().await? {
                Some(candidate) => some.push(candidate),
                None => break,
            }
        }
        let is_end = some.len() < wanted;
        let checked = some.iter().map(async |candidate| {
            for check in &checks {
                if !check
                    .holds(collection, &candidate.position.id, profile)
                    .await?
                {
                    return Ok::<_, DocumentError>(false);
                }
            }
            Ok(true)
        });
        let checked = try_join_all(checked).await?;
        let count = some.len();
        for (at, (candidate, holds)) in some.into_iter().zip(checked).enumerate() {
            if !holds {
                continue;
            }
            ids.push(candidate.position.id.clone());
            if ids.len() < wanted {
                continue;
            }
            let has_more = at + 1 < count || candidates.has_more(&candidate.progress).await?;
            let after = AfterDocument {
                position: candidate.position,
                progress: candidate.progress,
            };
            let page_state = has_more.then(|| after.write());
            return Ok(Found { ids, page_state });
        }
        if is_end {
            return Ok(Found {
                ids,
                page_state: None,
            });
        }
    }
}
