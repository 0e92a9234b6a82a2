//! What all interfaces stand on: one login a token, one snapshot of the schema, and Cassandra's errors.
//!
//! - [`session`]: a token's login and the statements it runs
//! - [`events`]: changes of the schema, as the nodes announce them
//! - [`schema`]: keyspaces, tables, types, indexes
//! - [`types`]: CQL type texts and quoted names
//! - [`values`]: CQL values as JSON and as text
//! - [`records`]: what the engines do not keep themselves
//! - [`lexer`]: the words of a statement
//! - [`limits`]: names that Cassandra takes and cannot keep
//! - [`error`]: what Cassandra refuses

pub mod error;
mod events;
pub mod lexer;
pub mod limits;
pub mod records;
pub mod schema;
mod session;
pub mod types;
pub mod values;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::{Consistency, SerialConsistency};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, watch};
use tokio::time::timeout;

pub use error::{Code, StoreError};
pub use events::Login;
pub use schema::{Column, ColumnKind, Index, Keyspace, Schema, Table, UserType};
pub use session::{Page, Rows, TokenSession};

use crate::access::Token;

/// How often the schema version is asked for beside the events, which a lost connection keeps back.
const SCHEMA_POLL: Duration = Duration::from_secs(1);
/// A token that is not used for this long is logged out.
const IDLE: Duration = Duration::from_secs(600);
/// The deadline of a statement, as Stargate's bridge has it.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The one store behind all interfaces. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    nodes: Vec<SocketAddr>,
    /// A superuser's session, for reading the schema and for what no token may do.
    admin: Session,
    schema: watch::Sender<Arc<Schema>>,
    /// How many changes of the schema the nodes have announced.
    announced: watch::Sender<u64>,
    /// How many of them had been announced before the snapshot was read.
    read: AtomicU64,
    reading: tokio::sync::Mutex<()>,
    sessions: Mutex<HashMap<SessionKey, Arc<OnceCell<Arc<TokenSession>>>>>,
}

/// A hash of the whole token, so that a known client id with a wrong rest never meets an open session.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SessionKey {
    token: Vec<u8>,
    keyspace: Option<String>,
}

impl Store {
    /// Opens the store on running Cassandra nodes, reads the schema, and follows it with the superuser's login.
    ///
    /// # Errors
    /// Cassandra's, when the schema cannot be read.
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
                sessions: Mutex::default(),
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

    /// The schema as it was read last, maybe before the newest change.
    pub fn schema(&self) -> Arc<Schema> {
        self.inner.schema.borrow().clone()
    }

    /// The schema with all changes that the nodes have announced. Costs nothing when there are none.
    ///
    /// # Errors
    /// Cassandra's own.
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

    /// Follows the schema; the receiver is told of each change.
    pub fn watch_schema(&self) -> watch::Receiver<Arc<Schema>> {
        self.inner.schema.subscribe()
    }

    /// Reads the schema again if a change was announced or its version is another one.
    ///
    /// # Errors
    /// Cassandra's own.
    pub async fn refresh(&self) -> Result<Arc<Schema>, StoreError> {
        let _reading = self.inner.reading.lock().await;
        let known = self.schema();
        if self.inner.is_current() && schema::version(&self.inner.admin).await? == known.version {
            return Ok(known);
        }
        self.read().await
    }

    /// Reads the schema. A node announces a change before it has the new version, so an announced change is read
    /// whatever the version says.
    async fn read(&self) -> Result<Arc<Schema>, StoreError> {
        let announced = *self.inner.announced.borrow();
        let mut read = schema::read(&self.inner.admin).await?;
        let known = self.schema();
        for (name, keyspace) in &mut read.keyspaces {
            // What did not change stays the same object, for those who build on a keyspace.
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

    /// The superuser's session, for `access` and for what no token may do.
    pub fn admin(&self) -> &Session {
        &self.inner.admin
    }

    /// The addresses of Cassandra's nodes.
    pub fn nodes(&self) -> &[SocketAddr] {
        &self.inner.nodes
    }

    /// Logs in with a token, or finds the login that is open. This is the only check of a token.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] for anything but a valid token, [`Code::Unavailable`] without Cassandra.
    pub async fn session(&self, token: &str) -> Result<Arc<TokenSession>, StoreError> {
        self.session_in(token, None).await
    }

    /// As [`Store::session`], with a keyspace that unqualified names refer to.
    ///
    /// # Errors
    /// Those of [`Store::session`], and Cassandra's for a keyspace that does not exist.
    pub async fn session_in(
        &self,
        token: &str,
        keyspace: Option<&str>,
    ) -> Result<Arc<TokenSession>, StoreError> {
        let parsed = Token::parse(token).ok_or_else(StoreError::invalid_token)?;
        let key = SessionKey {
            token: parsed.digest(),
            keyspace: keyspace.map(str::to_owned),
        };
        let cell = Arc::clone(self.lock_sessions().entry(key.clone()).or_default());
        let made = cell.get_or_try_init(|| self.login(parsed, keyspace)).await;
        match made {
            Ok(session) => {
                session.used();
                Ok(Arc::clone(session))
            }
            Err(error) => {
                let mut sessions = self.lock_sessions();
                if sessions.get(&key).is_some_and(|cell| !cell.initialized()) {
                    sessions.remove(&key);
                }
                Err(error)
            }
        }
    }

    async fn login(
        &self,
        token: Token,
        keyspace: Option<&str>,
    ) -> Result<Arc<TokenSession>, StoreError> {
        let (nodes, role) = (&self.inner.nodes, token.client_id());
        let session = connect(nodes, role, token.password(), keyspace).await?;
        let session = TokenSession::open(self.clone(), token, session).await?;
        Ok(Arc::new(session))
    }

    /// Ends the logins of a role: what it could do before, it can't any more.
    pub fn close_role(&self, role: &str) {
        // A login that is under way may be this role's: whose request came before has it, and nobody after.
        self.lock_sessions()
            .retain(|_, cell| cell.get().is_some_and(|session| session.role() != role));
    }

    fn close_idle(&self) {
        self.lock_sessions()
            .retain(|_, cell| cell.get().is_none_or(|session| session.idle() < IDLE));
    }

    fn lock_sessions(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<SessionKey, Arc<OnceCell<Arc<TokenSession>>>>> {
        self.inner
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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

/// Reads the schema after each change, also when no request asks for it, and logs idle tokens out.
async fn keep_current(inner: Weak<Inner>) {
    let Some(mut announced) = inner.upgrade().map(|inner| inner.announced.subscribe()) else {
        return;
    };
    while let Some(inner) = inner.upgrade() {
        let store = Store { inner };
        // A failed read is tried again at the next turn; requests meanwhile say what is wrong.
        let _ = store.refresh().await;
        store.close_idle();
        drop(store);
        // Ends with the store: its sender is gone then.
        if let Ok(Err(_)) = timeout(SCHEMA_POLL, announced.changed()).await {
            return;
        }
    }
}

/// One login, without schema metadata of its own: the snapshot serves all.
///
/// # Errors
/// [`Code::Unauthenticated`] when Cassandra refuses the login.
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
    Ok(builder.build().await?)
}
