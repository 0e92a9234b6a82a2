//! Access to Cassandra for all interfaces: logins, one snapshot of the schema, and Cassandra's errors.
//!
//! - [`session`]: a role's login and the statements it runs
//! - [`driver`]: the session of the driver
//! - [`events`]: schema changes announced by the nodes; [`frame`]: frames of the protocol
//! - [`schema`]: keyspaces, tables, types, indexes
//! - [`types`]: CQL type texts and quoted names; [`cql`]: statements on rows
//! - [`values`]: CQL values as JSON and as text
//! - [`records`]: data that the engines have no place for
//! - [`lexer`]: the tokens of a statement
//! - [`limits`]: names that Cassandra accepts and then fails on
//! - [`error`]: Cassandra's errors

pub mod cql;
mod driver;
pub mod error;
mod events;
pub mod frame;
pub mod lexer;
pub mod limits;
#[cfg(test)]
mod properties;
pub mod records;
pub mod schema;
mod session;
pub mod types;
pub mod values;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt;
use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::{Consistency, SerialConsistency};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::timeout;

pub use driver::Session;
pub use error::{Code, StoreError};
pub use events::Login;
pub use schema::{Column, ColumnKind, Index, Keyspace, Schema, Table, UserType};
pub use session::{Page, RoleSession, Rows};

/// Interval of polling the schema version, in addition to the events, which are delayed by a lost connection.
const SCHEMA_POLL: Duration = Duration::from_secs(1);
/// Deadline of a statement, as in Stargate's bridge.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The store of all interfaces. Clones are cheap.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    nodes: Vec<SocketAddr>,
    /// A superuser's session, for reading the schema and for operations that no token is allowed.
    admin: Session,
    schema: watch::Sender<Arc<Schema>>,
    /// Number of schema changes that the nodes have announced.
    announced: watch::Sender<u64>,
    /// Value of `announced` before the snapshot was read.
    read: AtomicU64,
    reading: tokio::sync::Mutex<()>,
}

impl Store {
    /// Opens the store on running Cassandra nodes, reads the schema, and follows it with the superuser's login.
    ///
    /// # Errors
    /// Cassandra's, if the schema cannot be read.
    pub async fn open(
        nodes: Vec<SocketAddr>,
        admin: Session,
        login: Login,
    ) -> Result<Store, StoreError> {
        let schema = Arc::new(schema::read(&admin).await?);
        let store = Store {
            inner: Arc::new(Inner {
                nodes,
                admin,
                schema: watch::Sender::new(schema),
                announced: watch::Sender::new(0),
                read: AtomicU64::new(0),
                reading: tokio::sync::Mutex::new(()),
            }),
        };
        for node in store.nodes() {
            let weak = Arc::downgrade(&store.inner);
            let changed = move || weak.upgrade().map(|inner| inner.announce()).is_some();
            tokio::spawn(events::follow(*node, login.clone(), changed));
        }
        tokio::spawn(keep_current(Arc::downgrade(&store.inner)));
        Ok(store)
    }

    /// Returns the last snapshot of the schema, which may miss the latest change.
    pub fn schema(&self) -> Arc<Schema> {
        self.inner.schema.borrow().clone()
    }

    /// Returns the schema with all announced changes. Reads it only if there are any.
    pub async fn current(&self) -> Result<Arc<Schema>, StoreError> {
        if self.inner.is_current() {
            return Ok(self.schema());
        }
        let _reading = self.inner.reading.lock().await;
        if self.inner.is_current() {
            return Ok(self.schema());
        }
        self.read().await
    }

    /// Returns a receiver that is notified of each schema change.
    pub fn watch_schema(&self) -> watch::Receiver<Arc<Schema>> {
        self.inner.schema.subscribe()
    }

    /// Reads the schema again if a change was announced or its version differs.
    pub async fn refresh(&self) -> Result<Arc<Schema>, StoreError> {
        let _reading = self.inner.reading.lock().await;
        let known = self.schema();
        if self.inner.is_current() && schema::version(&self.inner.admin).await? == known.version {
            return Ok(known);
        }
        self.read().await
    }

    /// Reads the schema. A node announces a change before it has the new version, so after an announcement the schema
    /// is read regardless of the version.
    async fn read(&self) -> Result<Arc<Schema>, StoreError> {
        let announced = *self.inner.announced.borrow();
        let mut read = schema::read(&self.inner.admin).await?;
        let known = self.schema();
        for (name, keyspace) in &mut read.keyspaces {
            // Unchanged keyspaces stay the same object, for caches that depend on it.
            if let Some(same) = known.keyspaces.get(name).filter(|old| *old == keyspace) {
                *keyspace = Arc::clone(same);
            }
        }
        let read = Arc::new(read);
        self.inner.schema.send_if_modified(|schema| {
            *schema = Arc::clone(&read);
            read.keyspaces != known.keyspaces
        });
        self.inner.read.store(announced, Ordering::SeqCst);
        Ok(read)
    }

    /// Returns the superuser's session, for tokens and roles and for operations that no token is allowed.
    pub fn admin(&self) -> &Session {
        &self.inner.admin
    }

    /// Returns the addresses of Cassandra's nodes.
    pub fn nodes(&self) -> &[SocketAddr] {
        &self.inner.nodes
    }
}

impl Inner {
    fn announce(&self) {
        self.announced.send_modify(|announced| *announced += 1);
    }

    fn is_current(&self) -> bool {
        *self.announced.borrow() == self.read.load(Ordering::SeqCst)
    }
}

/// Reads the schema after each change, even without a request for it.
async fn keep_current(inner: Weak<Inner>) {
    let Some(mut announced) = inner.upgrade().map(|inner| inner.announced.subscribe()) else {
        return;
    };
    while let Some(inner) = inner.upgrade() {
        let store = Store { inner };
        // A failed read is repeated at the next turn. Until then, requests report the problem.
        let _ = store.refresh().await;
        drop(store);
        // Ends with the store, which drops the sender.
        if let Ok(Err(_)) = timeout(SCHEMA_POLL, announced.changed()).await {
            return;
        }
    }
}

/// Opens a login without schema metadata, because all interfaces share the snapshot.
///
/// # Errors
/// [`Code::Unauthenticated`] if Cassandra rejects the login.
pub async fn connect(
    nodes: &[SocketAddr],
    user: &str,
    password: &SecretString,
    keyspace: Option<&str>,
) -> Result<Session, StoreError> {
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::Serial))
        .request_timeout(Some(STATEMENT_LIMIT))
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes_addr(nodes)
        .user(user, password.expose_secret())
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(CONNECT_LIMIT)
        .pool_size(PoolSize::PerHost(std::num::NonZeroUsize::MIN))
        .fetch_schema_metadata(false);
    if let Some(keyspace) = keyspace {
        builder = builder.use_keyspace(keyspace, true);
    }
    Ok(builder.build().boxed().await?.into())
}
