//! Tables of any origin: created here, over CQL, REST or GraphQL.
//!
//! - [`schema`]: tables are created, listed, dropped; [`definition`]: columns and keys as they are written;
//!   [`alter`], [`indexes`], [`udt`]: changes of tables, indexes, types
//! - [`types`]: types of columns as the API describes them; [`values_in`], [`values_out`]: values from and as JSON;
//!   [`compare`]: their order
//! - [`insert`], [`update`], [`delete`], [`find`]: the commands on rows
//! - [`filter`]: filters as conditions on columns; [`row_tests`]: their tests of a row; [`plan`]: which statements
//!   find rows; [`stream`]: rows in the order of the database; [`page`]: the start of the next page; [`warnings`]:
//!   filters that are slow or rejected
//! - [`sort`], [`projection`]: order and columns of a response; [`messages`]: lists of names in errors

mod alter;
mod compare;
mod definition;
mod delete;
mod filter;
mod find;
mod indexes;
mod insert;
mod messages;
mod page;
mod plan;
mod projection;
mod row_tests;
mod schema;
mod sort;
mod stream;
mod types;
mod udt;
mod update;
mod values_in;
mod values_out;
mod warnings;

use std::sync::Arc;

use super::caller::Caller;
use super::command::Command;
use super::error::ApiError;
use super::response::Response;
use access::TokenSession;
use store::cql::{self, Expression, Statement};
use store::types::{quote, quote_in};
use store::{Column, ColumnKind, Page, Rows, StoreError};

use indexes::IndexTarget;

/// Rows of a page.
const PAGE: usize = 50;

/// A table, and the login that works on it.
pub struct Table {
    session: Arc<TokenSession>,
    meta: Arc<store::Table>,
}

impl Table {
    pub fn new(session: Arc<TokenSession>, meta: Arc<store::Table>) -> Table {
        Table { session, meta }
    }

    /// `"keyspace"."name"`
    fn quoted(&self) -> String {
        quote_in(&self.meta.keyspace, &self.meta.name)
    }

    fn select(&self, selectors: impl IntoIterator<Item = Expression>) -> Statement {
        cql::select(&self.meta.keyspace, &self.meta.name, selectors)
    }

    /// `keyspace.name`, for messages.
    fn shown(&self) -> String {
        format!("{}.{}", self.meta.keyspace, self.meta.name)
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.meta.column(name)
    }

    fn is_key(&self, name: &str) -> bool {
        self.key().any(|column| column.name == name)
    }

    /// The columns of the primary key, in their order.
    fn key(&self) -> impl Iterator<Item = &Column> {
        let is_key = |column: &&Column| {
            matches!(
                column.kind,
                ColumnKind::PartitionKey | ColumnKind::Clustering
            )
        };
        self.meta.columns.iter().filter(is_key)
    }

    fn indexes(&self) -> impl Iterator<Item = IndexTarget<'_>> {
        self.meta.indexes.iter().filter_map(IndexTarget::of)
    }

    /// Lets Cassandra check that the token can read the table, with a statement that finds no row.
    async fn require_readable(&self) -> Result<(), ApiError> {
        let partition = || self.meta.partition_key().map(|column| &column.name);
        let none = partition().map(|name| cql::raw(format!("{} IN ()", quote(name))));
        let columns = partition().map(|name| cql::column(name));
        let select = self.select(columns).filter(none);
        self.query(select, Page::first(1)).await.map(drop)
    }

    /// Runs a statement on the table.
    async fn query(&self, statement: Statement, page: Page) -> Result<Rows, ApiError> {
        let Statement { cql, values } = statement;
        Ok(self.session.query(&cql, values, page).await?)
    }
}

/// Runs a command at a keyspace, which exists.
pub async fn run_at_keyspace(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    match command.name {
        "createTable" => schema::create(caller, keyspace, command).await,
        "dropTable" => schema::drop_table(caller, keyspace, command).await,
        "dropIndex" => indexes::drop_index(caller, keyspace, command).await,
        "createType" => udt::create(caller, keyspace, command).await,
        "alterType" => udt::alter(caller, keyspace, command).await,
        "dropType" => udt::drop_type(caller, keyspace, command).await,
        "listTypes" => udt::list(caller, keyspace, command.flag("explain")).await,
        _ => schema::list(caller, keyspace, command.flag("explain")).await,
    }
}

/// Runs a command on a table.
pub async fn run(
    caller: &Caller<'_>,
    table: &Table,
    command: &Command,
) -> Result<Response, ApiError> {
    match command.name {
        "insertOne" => insert::one(table, command).await,
        "insertMany" => insert::many(table, command).await,
        "find" => find::many(table, command).await,
        "findOne" => find::one(table, command).await,
        "updateOne" => update::one(table, command).await,
        "deleteOne" => delete::one(table, command).await,
        "deleteMany" => delete::many(table, command).await,
        "createIndex" => indexes::create(caller, table, command).await,
        "createVectorIndex" => indexes::create_vector(caller, table, command).await,
        "alterTable" => alter::alter(caller, table, command).await,
        _ => Ok(indexes::list(table, command.flag("explain"))),
    }
}

/// The response to a change of the schema: a refusal of Cassandra is `ok: 0` beside its error. `named` is the error of the
/// API for it, if it has one.
fn changed<T>(
    changed: Result<T, StoreError>,
    named: impl FnOnce(&StoreError) -> Option<ApiError>,
) -> Response {
    match changed {
        Ok(_) => Response::ok(),
        Err(error) => {
            // A message about permissions contains names, which may read like another problem.
            let is_denied = error.code == store::Code::PermissionDenied;
            let named = (!is_denied).then(|| named(&error)).flatten();
            let error = named.unwrap_or_else(|| error.into());
            let response = Response::default().with_status("ok", super::json::Json::integer(0));
            Response {
                errors: vec![error],
                ..response
            }
        }
    }
}
