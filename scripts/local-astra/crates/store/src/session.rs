//! A login of one Cassandra role, with prepared statements and paging.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use scylla::cluster::metadata::ColumnType;
use scylla::errors::{BadQuery, ExecutionError};
use scylla::response::PagingState;
use scylla::response::query_result::QueryResult;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};
use secrecy::SecretString;

use super::driver::Session;
use super::error::is_unreadable_notice;
use super::{Code, Schema, Store, StoreError, connect, limits, values};

/// Maximum number of prepared statements per login.
const PREPARED: usize = 500;
/// Maximum length of a cached statement in bytes. Longer ones probably contain literal values and are not repeated.
const PREPARED_LENGTH: usize = 16 * 1024;

/// A login of one Cassandra role, which runs every statement.
pub struct RoleSession {
    store: Store,
    role: String,
    driver: Session,
    prepared: Mutex<Prepared>,
}

/// Statements prepared under one schema, by text.
#[derive(Default)]
struct Prepared {
    schema: Arc<Schema>,
    statements: HashMap<String, PreparedStatement>,
}

/// Size and start of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Number of rows, at least 1.
    pub size: i32,
    /// The paging state of the previous page; `None` for the first.
    pub state: Option<Vec<u8>>,
}

impl Page {
    /// Returns the first page, of at most `size` rows.
    pub fn first(size: i32) -> Page {
        Page { size, state: None }
    }
}

/// A page of rows. Without columns if the statement returns no rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<(String, ColumnType<'static>)>,
    pub rows: Vec<Vec<Option<CqlValue>>>,
    /// The paging state for the next page; `None` at the end.
    pub page_state: Option<Vec<u8>>,
}

impl Rows {
    /// Reads a result of the driver, for callers that run statements with their own options.
    ///
    /// # Errors
    /// [`Code::Internal`] for an unreadable result.
    pub fn read(result: QueryResult, page_state: Option<Vec<u8>>) -> Result<Rows, StoreError> {
        if !result.is_rows() {
            return Ok(Rows::default());
        }
        let unreadable = |error: String| StoreError::new(Code::Internal, error);
        let result = result
            .into_rows_result()
            .map_err(|error| unreadable(error.to_string()))?;
        let columns: Vec<(String, ColumnType<'static>)> = result
            .column_specs()
            .iter()
            .map(|spec| (spec.name().to_owned(), spec.typ().clone().into_owned()))
            .collect();
        let rows = result
            .rows::<Row>()
            .map_err(|error| unreadable(error.to_string()))?
            .map(|row| {
                let row = row.map_err(|error| unreadable(error.to_string()))?;
                let cells = row.columns.into_iter().zip(&columns);
                cells
                    .map(|(value, (_, typ))| value.map(|value| read_cell(value, typ)).transpose())
                    .collect()
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Rows {
            columns,
            rows,
            page_state,
        })
    }
}

/// Reads a value. As in Stargate, an error text contains the code twice.
fn read_cell(value: CqlValue, typ: &ColumnType<'_>) -> Result<CqlValue, StoreError> {
    let refused = |text| StoreError::new(Code::Unknown, format!("{}: {text}", Code::Unknown));
    values::filled(value, typ).map_err(refused)
}

impl RoleSession {
    /// Logs in. `keyspace` is the keyspace of unqualified names.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] if Cassandra rejects the login; its error for a keyspace that does not exist.
    pub async fn open(
        store: Store,
        role: &str,
        password: &SecretString,
        keyspace: Option<&str>,
    ) -> Result<RoleSession, StoreError> {
        let driver = connect(store.nodes(), role, password, keyspace).await?;
        Ok(RoleSession {
            store,
            role: role.to_owned(),
            driver,
            prepared: Mutex::default(),
        })
    }

    /// Returns the name of the Cassandra role.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Returns the store that this login belongs to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the driver's session, for interfaces that need more than a page of rows.
    pub fn driver(&self) -> &Session {
        &self.driver
    }

    /// Prepares a statement of a client, once per text and schema: a table that was dropped and recreated may have
    /// other types.
    ///
    /// # Errors
    /// Those of [`limits::check`], and Cassandra's own.
    pub async fn prepare(&self, cql: &str) -> Result<PreparedStatement, StoreError> {
        limits::check(cql)?;
        self.prepared(cql).await
    }

    async fn prepared(&self, cql: &str) -> Result<PreparedStatement, StoreError> {
        let schema = self.store.current().await?;
        let known = |prepared: &Prepared| {
            let is_same = Arc::ptr_eq(&prepared.schema, &schema);
            is_same.then(|| prepared.statements.get(cql).cloned())?
        };
        if let Some(statement) = known(&self.lock_prepared()) {
            return Ok(statement);
        }
        let statement = self.driver.prepare(cql).await?;
        if cql.len() > PREPARED_LENGTH {
            return Ok(statement);
        }
        let mut prepared = self.lock_prepared();
        if !Arc::ptr_eq(&prepared.schema, &schema) || prepared.statements.len() >= PREPARED {
            *prepared = Prepared {
                schema,
                statements: HashMap::new(),
            };
        }
        prepared
            .statements
            .insert(cql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn lock_prepared(&self) -> std::sync::MutexGuard<'_, Prepared> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one statement, prepared once, at LOCAL_QUORUM, and returns one page of its result.
    ///
    /// # Errors
    /// Cassandra's own; [`Code::InvalidArgument`] for values that do not fit the statement.
    pub async fn query(
        &self,
        cql: &str,
        values: Vec<Option<CqlValue>>,
        page: Page,
    ) -> Result<Rows, StoreError> {
        let state = match page.state {
            Some(state) => PagingState::new_from_raw_bytes(state),
            None => PagingState::start(),
        };
        let mut statement = self.prepared(cql).await?;
        statement.set_page_size(page.size.max(1));
        let executed = self
            .driver
            .execute_single_page(&statement, &values, state.clone())
            .await;
        let (result, next) = match executed {
            // The values were not sent: the statement may have been prepared for a table of that name with other
            // types.
            Err(ExecutionError::BadQuery(BadQuery::SerializationError(_))) => {
                let mut statement = self.driver.prepare(cql).await?;
                statement.set_page_size(page.size.max(1));
                self.driver
                    .execute_single_page(&statement, values, state)
                    .await?
            }
            executed => executed?,
        };
        let next = match next.into_paging_control_flow() {
            std::ops::ControlFlow::Continue(next) => next.as_bytes_slice().map(|b| b.to_vec()),
            std::ops::ControlFlow::Break(()) => None,
        };
        Rows::read(result, next)
    }

    /// Runs a statement that changes the schema, and returns the new schema.
    ///
    /// # Errors
    /// Those of [`limits::check`], and Cassandra's own.
    pub async fn change_schema(&self, cql: &str) -> Result<Arc<Schema>, StoreError> {
        limits::check(cql)?;
        match self.driver.query_unpaged(cql, ()).await {
            Err(error) if !is_unreadable_notice(&error) => Err(error.into()),
            _ => self.store.refresh().await,
        }
    }
}

impl fmt::Debug for RoleSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleSession")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
