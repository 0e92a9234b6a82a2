//! The driver's session, with boxed futures.

use std::ops::Deref;

use futures::FutureExt;
use futures::future::BoxFuture;
use scylla::client::session;
use scylla::errors::{ExecutionError, PrepareError};
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::batch::BatchValues;
use scylla::serialize::row::SerializeRow;
use scylla::statement::Statement;
use scylla::statement::batch::Batch;
use scylla::statement::prepared::PreparedStatement;

/// A session of the driver, whose methods it repeats with boxed futures.
///
/// The driver's own futures become part of each future that awaits them. For every handler, rustc then proves anew that
/// the whole of it is `Send`: 10 of the 13 seconds that the crate `rest` took to compile.
pub struct Session(session::Session);

impl Session {
    /// Runs a statement that is not repeated, and reads all of its rows; see [`session::Session::query_unpaged`].
    pub fn query_unpaged<'a>(
        &'a self,
        statement: impl Into<Statement>,
        values: impl SerializeRow + Send + Sync + 'a,
    ) -> BoxFuture<'a, Result<QueryResult, ExecutionError>> {
        self.0.query_unpaged(statement.into(), values).boxed()
    }

    /// Prepares a statement; see [`session::Session::prepare`].
    pub fn prepare(
        &self,
        statement: impl Into<Statement>,
    ) -> BoxFuture<'_, Result<PreparedStatement, PrepareError>> {
        self.0.prepare(statement.into()).boxed()
    }

    /// Runs a prepared statement, and reads all of its rows; see [`session::Session::execute_unpaged`].
    pub fn execute_unpaged<'a>(
        &'a self,
        prepared: &'a PreparedStatement,
        values: impl SerializeRow + Send + Sync + 'a,
    ) -> BoxFuture<'a, Result<QueryResult, ExecutionError>> {
        self.0.execute_unpaged(prepared, values).boxed()
    }

    /// Runs a prepared statement, and reads the page after `state`; see [`session::Session::execute_single_page`].
    pub fn execute_single_page<'a>(
        &'a self,
        prepared: &'a PreparedStatement,
        values: impl SerializeRow + Send + Sync + 'a,
        state: PagingState,
    ) -> BoxFuture<'a, Result<(QueryResult, PagingStateResponse), ExecutionError>> {
        self.0.execute_single_page(prepared, values, state).boxed()
    }

    /// Runs statements as one batch; see [`session::Session::batch`].
    pub fn batch<'a>(
        &'a self,
        batch: &'a Batch,
        values: impl BatchValues + Send + Sync + 'a,
    ) -> BoxFuture<'a, Result<QueryResult, ExecutionError>> {
        self.0.batch(batch, values).boxed()
    }
}

impl From<session::Session> for Session {
    fn from(session: session::Session) -> Session {
        Session(session)
    }
}

impl Deref for Session {
    type Target = session::Session;

    fn deref(&self) -> &session::Session {
        &self.0
    }
}
