//! The login of a token: one Cassandra role, with prepared statements and paging.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use scylla::client::caching_session::CachingSession;
use scylla::client::session::Session;
use scylla::cluster::metadata::ColumnType;
use scylla::errors::{BadQuery, ExecutionError};
use scylla::response::PagingState;
use scylla::response::query_result::QueryResult;
use scylla::statement::Statement;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};

use super::error::is_unreadable_notice;
use super::schema::is_system;
use super::{Code, Keyspace, Schema, Store, StoreError, limits, values};
use crate::access::{self, Interface, Owners, Rights, Target, Token};

/// Maximum number of prepared statements per login.
const PREPARED: usize = 500;
/// Maximum length of a cached statement in bytes. Longer ones probably contain literal values and are not repeated.
const PREPARED_LENGTH: usize = 16 * 1024;

/// A login. Every statement runs as the token's Cassandra role.
pub struct TokenSession {
    store: Store,
    role: String,
    rights: Rights,
    driver: CachingSession,
    prepared: Mutex<Prepared>,
    opened: Instant,
    /// Milliseconds after `opened`.
    last_used: AtomicU64,
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

impl TokenSession {
    pub(super) async fn open(
        store: Store,
        token: Token,
        session: Session,
    ) -> Result<TokenSession, StoreError> {
        let rights = Rights::of(store.admin(), token.client_id()).await?;
        Ok(TokenSession {
            store,
            role: token.client_id().to_owned(),
            rights,
            driver: CachingSession::from(session, PREPARED),
            prepared: Mutex::default(),
            opened: Instant::now(),
            last_used: AtomicU64::new(0),
        })
    }

    /// Returns the name of the Cassandra role: the token's client id.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Returns true for the operator's token, and false for application tokens.
    pub fn is_superuser(&self) -> bool {
        matches!(self.rights, Rights::Everything)
    }

    /// Returns the token's permissions beyond those checked by Cassandra.
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// Rejects a token whose roles do not open an interface.
    ///
    /// # Errors
    /// [`Code::PermissionDenied`]
    pub fn require(&self, interface: Interface) -> Result<(), StoreError> {
        if self.rights.open(interface) {
            return Ok(());
        }
        let action = interface.action();
        let message = format!("No role of this token allows {action} on any database");
        Err(StoreError::new(Code::PermissionDenied, message))
    }

    /// Rejects a token whose roles do not open an interface to the database of a keyspace. Cassandra's own keyspaces
    /// belong to all databases.
    ///
    /// # Errors
    /// [`Code::PermissionDenied`], and Cassandra's own.
    pub async fn require_in(&self, interface: Interface, keyspace: &str) -> Result<(), StoreError> {
        self.require(interface)?;
        if self.rights.open_to_all(interface) || is_system(keyspace) {
            return Ok(());
        }
        let database = Owners::of_one(self.store.admin(), keyspace).await?;
        if self.rights.open_to(interface, database) {
            return Ok(());
        }
        let action = interface.action();
        let message =
            format!("No role of this token allows {action} on the database of keyspace {keyspace}");
        Err(StoreError::new(Code::PermissionDenied, message))
    }

    /// Returns the driver's session, for interfaces that need more than a page of rows.
    pub fn driver(&self) -> &CachingSession {
        &self.driver
    }

    /// Prepares a statement, once per text and schema: a table that was dropped and recreated may have other types.
    ///
    /// # Errors
    /// Those of [`limits::check`], and Cassandra's own.
    pub async fn prepare(&self, cql: &str) -> Result<PreparedStatement, StoreError> {
        self.used();
        limits::check(cql)?;
        let schema = self.store.current().await?;
        let known = |prepared: &Prepared| {
            let is_same = Arc::ptr_eq(&prepared.schema, &schema);
            is_same.then(|| prepared.statements.get(cql).cloned())?
        };
        if let Some(statement) = known(&self.lock_prepared()) {
            return Ok(statement);
        }
        let statement = self.driver.get_session().prepare(cql).await?;
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
        self.used();
        let statement = Statement::new(cql).with_page_size(page.size.max(1));
        let state = match page.state {
            Some(state) => PagingState::new_from_raw_bytes(state),
            None => PagingState::start(),
        };
        let prepared = self
            .driver
            .execute_single_page(statement.clone(), &values, state.clone())
            .await;
        let (result, next) = match prepared {
            // The values were not sent: the statement may have been prepared for a table of that name with other
            // types.
            Err(ExecutionError::BadQuery(BadQuery::SerializationError(_))) => {
                let session = self.driver.get_session();
                let statement = session.prepare(statement).await?;
                session
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
        self.used();
        limits::check(cql)?;
        match self.driver.get_session().query_unpaged(cql, ()).await {
            Err(error) if !is_unreadable_notice(&error) => Err(error.into()),
            _ => self.store.refresh().await,
        }
    }

    /// Returns the keyspaces visible to this role: its own, and Cassandra's.
    pub async fn visible_keyspaces(&self) -> Result<Vec<Arc<Keyspace>>, StoreError> {
        self.used();
        let schema = self.store.current().await?;
        let all = schema.keyspaces.values();
        if self.is_superuser() {
            return Ok(all.cloned().collect());
        }
        let admin = self.store.admin();
        let granted = access::granted_keyspaces(admin, &self.role).await?;
        let owners = Owners::read(admin).await?;
        let described = |name: &str| {
            let target = Target::Keyspace(owners.of(name), name);
            self.rights.allow("db-keyspace-describe", target)
        };
        Ok(all
            .filter(|keyspace| {
                keyspace.is_system()
                    || granted.contains(&keyspace.name)
                    || described(&keyspace.name)
            })
            .cloned()
            .collect())
    }

    pub(super) fn used(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_used.store(now, Ordering::Relaxed);
    }

    pub(super) fn idle(&self) -> Duration {
        let last = Duration::from_millis(self.last_used.load(Ordering::Relaxed));
        self.opened.elapsed().saturating_sub(last)
    }
}

impl fmt::Debug for TokenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSession")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
