//! Runs statements as the token's role, individually or in one logged batch.

use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::{Consistency, SerialConsistency};
use scylla::value::CqlValue;

use super::run::RunError;
use access::TokenSession;
use bridge::BatchSize;
use store::cql::Statement;
use store::{Page, Rows, StoreError};

/// Options of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub consistency: Consistency,
    pub serial_consistency: SerialConsistency,
}

impl Default for Options {
    /// Stargate's defaults.
    fn default() -> Options {
        Options::new(None, None)
    }
}

impl Options {
    /// Returns the given levels, or Stargate's defaults.
    pub fn new(
        consistency: Option<Consistency>,
        serial_consistency: Option<SerialConsistency>,
    ) -> Options {
        Options {
            consistency: consistency.unwrap_or(Consistency::LocalQuorum),
            serial_consistency: serial_consistency.unwrap_or(SerialConsistency::Serial),
        }
    }
}

/// Reads one page of rows.
///
/// # Errors
/// Cassandra's own, and for more than a message of the bridge holds.
pub async fn read(
    statement: Statement,
    options: Options,
    session: &TokenSession,
    page: Page,
) -> Result<Rows, StoreError> {
    bridge::check_statement(&statement.cql, &statement.values)?;
    let mut prepared = session.prepare(&statement.cql).await?;
    prepared.set_consistency(options.consistency);
    prepared.set_page_size(page.size);
    let state = page
        .state
        .map_or_else(PagingState::start, PagingState::new_from_raw_bytes);
    let driver = session.driver();
    let executed = driver.execute_single_page(&prepared, statement.values, state);
    let (result, next) = executed.await?;
    let next = match next {
        PagingStateResponse::HasMorePages { state } => {
            state.as_bytes_slice().map(|bytes| bytes.to_vec())
        }
        PagingStateResponse::NoMorePages => None,
    };
    let rows = Rows::read(result, next)?;
    bridge::check_rows(&rows)?;
    Ok(rows)
}

/// Runs a statement that changes rows.
///
/// # Errors
/// Cassandra's own, and for more than a message of the bridge holds.
pub async fn run(
    statement: Statement,
    options: Options,
    session: &TokenSession,
) -> Result<Outcome, StoreError> {
    bridge::check_statement(&statement.cql, &statement.values)?;
    let mut prepared = session.prepare(&statement.cql).await?;
    prepared.set_consistency(options.consistency);
    prepared.set_serial_consistency(Some(options.serial_consistency));
    let driver = session.driver();
    let result = driver.execute_unpaged(&prepared, statement.values).await?;
    Ok(Outcome::of(Rows::read(result, None)?))
}

/// The message of all fields of an `@atomic` mutation whose batch was not run.
pub const ABORTED: &str =
    "@atomic mutation aborted because one of the operations failed (see other errors for details)";

/// Runs statements as one logged batch. As in Stargate, its write time is 0 (measured), so it does not overwrite any
/// existing value.
///
/// # Errors
/// Cassandra's own, and for more than a message of the bridge holds.
pub async fn run_batch(
    statements: Vec<Statement>,
    options: Options,
    session: &TokenSession,
) -> Result<Outcome, RunError> {
    if statements.is_empty() {
        return Ok(Outcome::Applied);
    }
    let mut batch = Batch::new(BatchType::Logged);
    batch.set_consistency(options.consistency);
    batch.set_serial_consistency(Some(options.serial_consistency));
    batch.set_timestamp(Some(0));
    let mut values = Vec::with_capacity(statements.len());
    let mut size = BatchSize::default();
    for statement in statements {
        size.add(&statement.cql, &statement.values)?;
        batch.append_statement(session.prepare(&statement.cql).await?);
        values.push(statement.values);
    }
    let driver = session.driver();
    let result = driver.batch(&batch, values).await;
    let result = result.map_err(StoreError::from)?;
    Ok(Outcome::of(Rows::read(result, None)?))
}

/// Outcome of a statement that changes rows.
#[derive(Clone, Debug)]
pub enum Outcome {
    Applied,
    /// A condition did not hold. Contains the current rows.
    Refused(Rows),
}

impl Outcome {
    fn of(rows: Rows) -> Outcome {
        let column = rows
            .columns
            .iter()
            .position(|(name, _)| name == "[applied]");
        let applied = match (rows.rows.first(), column) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(row), Some(column)) => {
                matches!(row.get(column), Some(Some(CqlValue::Boolean(true))))
            }
        };
        if applied {
            Outcome::Applied
        } else {
            Outcome::Refused(rows)
        }
    }
}
