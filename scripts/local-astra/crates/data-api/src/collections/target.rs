//! The documents that a command is about.

use super::Collection;
use super::filter::{Filter, Parsed};
use super::reading::{Document, Documents, by_position};
use super::sort::{self, Sort};
use super::vector::nearest;
use crate::command::Command;
use crate::error::ApiError;

/// The filter and the sort of a command on one document.
pub struct Target {
    pub parsed: Parsed,
    sort: Sort,
}

impl Target {
    /// Reads filter and sort.
    ///
    /// # Errors
    /// An invalid filter or sort.
    pub fn read(collection: &Collection, command: &Command) -> Result<Target, ApiError> {
        Ok(Target {
            parsed: Parsed::read(command.field("filter"), collection)?,
            sort: Sort::read(command.field("sort"), collection)?,
        })
    }

    /// The first document.
    pub async fn find(&self, collection: &Collection) -> Result<Option<Document>, ApiError> {
        let filter = &self.parsed.filter;
        let positions = match &self.sort {
            Sort::None => return first(collection, filter).await,
            Sort::By(by) => sort::first(collection, filter, by, 0, 1).await?,
            Sort::Vector(vector) => {
                let mut nearest = nearest(collection, filter, vector, 1, false).await?;
                return Ok(nearest.pop().map(|(document, _)| document));
            }
        };
        let mut documents = by_position(collection, positions).await?;
        Ok(documents.pop().map(|(_, document)| document))
    }
}

/// The first document of a filter.
pub async fn first(collection: &Collection, filter: &Filter) -> Result<Option<Document>, ApiError> {
    let mut documents = Documents::new(collection, filter, None, 1);
    let found = documents.next(1).await?.pop();
    Ok(found.map(|(_, document)| document))
}
