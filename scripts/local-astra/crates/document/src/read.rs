//! Reading of a document, or a part of it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::assemble::{self, Arrays, Padding, assemble};
use super::collections::Collection;
use super::error::DocumentError;
use super::path::{below, patterns, stored_path};
use super::profile::Profile;
use super::request::{self, Address};
use super::response::Wrapper;
use super::rows::Select;
use super::search;
use bridge::{Caller, Parameters};

/// `GET …/{id}[/{path}]`: a search in the document if there is `where` or `page-size`, otherwise the document.
pub async fn read(
    caller: Caller,
    address: Address,
    parameters: Parameters,
) -> Result<Response, DocumentError> {
    let page_size = request::number(&parameters, "page-size")?;
    if page_size.is_some_and(|size| size < 1) {
        return Err(DocumentError::invalid(
            "the minimum number of results to return is one",
        ));
    }
    let collection = Collection::existing(&caller, &address).await?;
    if page_size.is_some() || parameters.text("where").is_some() {
        return search::search_document(&collection, address, &parameters, page_size).await;
    }
    let profile = Profile::new(&parameters);
    let fields = request::fields(&parameters)?;
    let found = part(&collection, &address.id, &address.path, fields, &profile).await?;
    let data = found.ok_or_else(|| missing(&address))?;
    let wrapper = Wrapper {
        document_id: Some(address.id),
        data: Some(data),
        profile: profile.json(),
        ..Wrapper::default()
    };
    Ok(wrapper.into_response(StatusCode::OK, parameters.flag("raw")))
}

/// Returns the value at a path in a document, or `None` if it does not exist. `fields` are relative to the path.
///
/// # Errors
/// An invalid path, and Cassandra's own.
pub async fn part(
    collection: &Collection,
    id: &str,
    path: &[String],
    fields: Vec<Vec<String>>,
    profile: &Profile,
) -> Result<Option<Value>, DocumentError> {
    let stored = stored_path(path)?;
    let patterns = patterns(&stored);
    let select = Select::rows().of_document(id).below(&patterns)?;
    let rows = select.all(collection, profile, "GetFullDocument").await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let fields = below(&patterns, fields);
    let document = assemble(&rows, &fields, Arrays::AsArrays, &mut Padding::default())?;
    Ok(assemble::at(&document, path)?.cloned())
}

/// The error for a missing document or path.
pub fn missing(address: &Address) -> DocumentError {
    let id = address.id.clone();
    if address.path.is_empty() {
        DocumentError::NoDocument(id)
    } else {
        let path = address.path.join(", ");
        DocumentError::NoPath { id, path }
    }
}
