//! Collections and their documents.
//!
//! - [`schema`]: collections are created, listed, deleted; [`definition`]: their settings; [`layout`]: their tables
//! - [`find`], [`insert`], [`modify`], [`delete`], [`count`]: the commands on documents
//! - [`filter`]: filters as conditions on columns; [`plan`]: which statement finds, what is checked above it;
//!   [`stream`]: rows in the order of tokens; [`reading`]: documents of rows
//! - [`sort`], [`vector`]: sorts in memory and by similarity; [`projection`] and [`indexing`]: parts of documents,
//!   by their [`layers`]
//! - [`update`]: the operators of updates
//! - [`shred`]: a document as columns; [`id`], [`path`], [`hash`], [`extended`]: what columns are made of

mod count;
mod definition;
mod delete;
pub mod extended;
mod filter;
mod find;
mod hash;
mod id;
mod indexing;
mod insert;
mod layers;
mod layout;
mod limits;
mod modify;
mod path;
mod plan;
mod position;
mod projection;
#[cfg(test)]
mod properties;
mod reading;
pub mod schema;
mod shred;
mod sort;
mod stream;
mod target;
mod update;
mod vector;
mod writing;

use std::sync::Arc;

use super::caller::Caller;
use super::command::Command;
use super::error::ApiError;
use super::keyspaces::reranking_is_off;
use super::response::Response;
use access::TokenSession;
use store::cql::{self, Expression, Statement};
use store::{Page, Rows, Table};

use definition::Definition;
pub use definition::{Metric, SOURCE_MODELS};
pub use layout::is_collection;
pub use schema::CreationLocks;
pub use shred::{vector_of, vector_value};

/// Documents of a page.
const PAGE: usize = 50;

/// A collection, and the login that works on it.
pub struct Collection {
    session: Arc<TokenSession>,
    keyspace: String,
    name: String,
    definition: Definition,
}

impl Collection {
    /// The collection behind a table; `None` for a table that is none.
    ///
    /// # Errors
    /// For a table that is a collection, but whose settings cannot be read.
    pub fn of(session: Arc<TokenSession>, table: &Table) -> Result<Option<Collection>, ApiError> {
        let definition = Definition::of(table)?;
        Ok(definition.map(|definition| Collection {
            session,
            keyspace: table.keyspace.clone(),
            name: table.name.clone(),
            definition,
        }))
    }

    fn select(&self, selectors: impl IntoIterator<Item = Expression>) -> Statement {
        cql::select(&self.keyspace, &self.name, selectors)
    }

    /// Lets Cassandra check that the token can read the collection, with a statement that finds no document.
    async fn require_readable(&self) -> Result<(), ApiError> {
        let select = self.select([cql::column(layout::KEY)]);
        let none = select.filter([cql::raw(format!("{} IN ()", layout::KEY))]);
        self.query(none, Page::first(1)).await.map(drop)
    }

    /// Runs a statement on the collection.
    async fn query(&self, statement: Statement, page: Page) -> Result<Rows, ApiError> {
        let Statement { cql, values } = statement;
        Ok(self.session.query(&cql, values, page).await?)
    }
}

/// Runs a command on a collection.
pub async fn run(
    caller: &Caller<'_>,
    collection: &Collection,
    command: &Command,
) -> Result<Response, ApiError> {
    match command.name {
        "insertOne" => insert::one(collection, command).await,
        "insertMany" => insert::many(collection, command).await,
        "find" => find::many(collection, command).await,
        "findOne" => find::one(collection, command).await,
        "countDocuments" => count::count(collection, command).await,
        "estimatedDocumentCount" => count::estimate(caller, collection).await,
        "updateOne" => modify::update_one(collection, command).await,
        "updateMany" => modify::update_many(collection, command).await,
        "findOneAndUpdate" => modify::find_and_update(collection, command).await,
        "findOneAndReplace" => modify::find_and_replace(collection, command).await,
        "deleteOne" => delete::one(collection, command).await,
        "deleteMany" => delete::many(collection, command).await,
        "findOneAndDelete" => delete::find_and_delete(collection, command).await,
        _ => Err(reranking_is_off()),
    }
}
