//! The logins of tokens: a Cassandra role's session, with the rights of the token.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{Interface, Owners, Rights, Target, granted_keyspaces};
use settings::token::Token;
use store::schema::is_system;
use store::{Code, Keyspace, RoleSession, Store, StoreError};

/// Idle time after which a token is logged out.
const IDLE: Duration = Duration::from_secs(600);
/// Time for which a permission is remembered. Cassandra remembers permissions for twice this time. A change of a role in
/// the DevOps API closes the login.
const REMEMBERED: Duration = Duration::from_secs(1);

/// The store, and the logins of all tokens. Clones are cheap.
#[derive(Clone)]
pub struct Logins {
    store: Store,
    open: Arc<Mutex<Open>>,
}

type Open = HashMap<Key, Arc<OnceCell<Arc<TokenSession>>>>;

/// A hash of the whole token, so that a known client id with a wrong secret never matches an open session.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    token: Vec<u8>,
    keyspace: Option<String>,
}

/// The login of a token. Every statement runs as the token's Cassandra role.
pub struct TokenSession {
    session: RoleSession,
    rights: Rights,
    /// The database of each keyspace.
    owners: Recent<Uuid>,
    /// The keyspaces that this token can see.
    visible: Recent<()>,
    opened: Instant,
    /// Milliseconds after `opened`.
    last_used: AtomicU64,
}

impl Logins {
    pub fn new(store: Store) -> Logins {
        Logins {
            store,
            open: Arc::default(),
        }
    }

    /// Logs in with a token, or returns its open login. This is the only check of a token.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] for anything but a valid token, [`Code::Unavailable`] if Cassandra is unreachable.
    pub async fn session(&self, token: &str) -> Result<Arc<TokenSession>, StoreError> {
        self.session_in(token, None).await
    }

    /// Logs in with a keyspace for unqualified names; see [`Logins::session`].
    ///
    /// # Errors
    /// Those of [`Logins::session`], and Cassandra's for a keyspace that does not exist.
    pub async fn session_in(
        &self,
        token: &str,
        keyspace: Option<&str>,
    ) -> Result<Arc<TokenSession>, StoreError> {
        let parsed = Token::parse(token).ok_or_else(StoreError::invalid_token)?;
        let key = Key {
            token: parsed.digest(),
            keyspace: keyspace.map(str::to_owned),
        };
        let cell = Arc::clone(self.lock().entry(key.clone()).or_default());
        let opened = cell.get_or_try_init(|| self.login(parsed, keyspace)).await;
        match opened {
            Ok(session) => {
                session.used();
                Ok(Arc::clone(session))
            }
            Err(error) => {
                let mut open = self.lock();
                if open.get(&key).is_some_and(|cell| !cell.initialized()) {
                    open.remove(&key);
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
        self.close_idle();
        let (role, password) = (token.client_id(), token.password());
        let session = RoleSession::open(self.store.clone(), role, password, keyspace).await?;
        let rights = Rights::of(self.store.admin(), role).await?;
        Ok(Arc::new(TokenSession {
            session,
            rights,
            owners: Recent::default(),
            visible: Recent::default(),
            opened: Instant::now(),
            last_used: AtomicU64::new(0),
        }))
    }

    /// Closes the logins of a role, so that earlier permissions no longer apply.
    pub fn close_role(&self, role: &str) {
        // A login in progress may be this role's. Earlier requests may still get it, later ones do not.
        self.lock()
            .retain(|_, cell| cell.get().is_some_and(|session| session.role() != role));
    }

    fn close_idle(&self) {
        self.lock()
            .retain(|_, cell| cell.get().is_none_or(|session| session.idle() < IDLE));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Logins {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TokenSession {
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
        let database = match self.owners.get(keyspace) {
            Some(database) => database,
            None => {
                // Before its owner, because a keyspace has an owner before it exists.
                let exists = self.store().schema().keyspaces.contains_key(keyspace);
                let database = Owners::of_one(self.store().admin(), keyspace).await?;
                if exists {
                    self.owners.put(keyspace, database);
                }
                database
            }
        };
        if self.rights.open_to(interface, database) {
            return Ok(());
        }
        let action = interface.action();
        let message =
            format!("No role of this token allows {action} on the database of keyspace {keyspace}");
        Err(StoreError::new(Code::PermissionDenied, message))
    }

    /// Returns the keyspaces visible to this role: its own, and Cassandra's.
    pub async fn visible_keyspaces(&self) -> Result<Vec<Arc<Keyspace>>, StoreError> {
        let schema = self.store().current().await?;
        let all = schema.keyspaces.values();
        if self.is_superuser() {
            return Ok(all.cloned().collect());
        }
        let admin = self.store().admin();
        let granted = granted_keyspaces(admin, self.role()).await?;
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

    /// Returns true if this role can see a keyspace: see [`TokenSession::visible_keyspaces`].
    pub async fn can_see(&self, keyspace: &str) -> Result<bool, StoreError> {
        let schema = self.store().current().await?;
        if !schema.keyspaces.contains_key(keyspace) {
            return Ok(false);
        }
        if self.is_superuser() || self.visible.get(keyspace).is_some() {
            return Ok(true);
        }
        let visible = self.visible_keyspaces().await?;
        let is_visible = visible.iter().any(|visible| visible.name == keyspace);
        if is_visible {
            self.visible.put(keyspace, ());
        }
        Ok(is_visible)
    }

    fn used(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_used.store(now, Ordering::Relaxed);
    }

    fn idle(&self) -> Duration {
        let last = Duration::from_millis(self.last_used.load(Ordering::Relaxed));
        self.opened.elapsed().saturating_sub(last)
    }
}

/// Recently read values per keyspace.
struct Recent<T>(Mutex<HashMap<String, (Instant, T)>>);

impl<T: Copy> Recent<T> {
    fn get(&self, keyspace: &str) -> Option<T> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, value) = recent.get(keyspace)?;
        (read.elapsed() < REMEMBERED).then_some(*value)
    }

    fn put(&self, keyspace: &str, value: T) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, (read, _)| read.elapsed() < REMEMBERED);
        recent.insert(keyspace.to_owned(), (Instant::now(), value));
    }
}

impl<T> Default for Recent<T> {
    fn default() -> Recent<T> {
        Recent(Mutex::default())
    }
}

impl Deref for TokenSession {
    type Target = RoleSession;

    fn deref(&self) -> &RoleSession {
        &self.session
    }
}

impl fmt::Debug for TokenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}
