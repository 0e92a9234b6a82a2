//! Finds a table, and says what is missing in the words of the call.
//!
//! Stargate keeps keyspaces as it has seen them last. A call for rows or for a change of a column is built from what
//! it knows; only if that can be built does it find out that the table has changed, and builds again. So a column that
//! was added just before is unknown until something else has looked at the table. Calls that show the schema look
//! first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::RestError;
use crate::store::{Keyspace, Schema, Store, Table, TokenSession};

/// State of the REST API: the store, and the last keyspaces it has seen.
#[derive(Clone)]
pub struct Rest {
    pub store: Store,
    seen: Arc<Mutex<HashMap<String, Arc<Keyspace>>>>,
}

impl Rest {
    pub fn new(store: Store) -> Rest {
        Rest {
            store,
            seen: Arc::default(),
        }
    }

    /// Takes note of keyspaces as they are now.
    pub fn see(&self, keyspaces: impl IntoIterator<Item = Arc<Keyspace>>) {
        let keyspaces = keyspaces.into_iter();
        self.lock_seen()
            .extend(keyspaces.map(|keyspace| (keyspace.name.clone(), keyspace)));
    }

    /// Takes note of a keyspace as it is now, or that it is gone.
    fn note(&self, name: &str, now: Option<&Arc<Keyspace>>) {
        match now {
            Some(now) => self.see([Arc::clone(now)]),
            None => drop(self.lock_seen().remove(name)),
        }
    }

    fn lock_seen(&self) -> MutexGuard<'_, HashMap<String, Arc<Keyspace>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The form of the error about a missing table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// 400, the keyspace in quotes: what reads the table to build a statement.
    BadRequest,
    /// 400, the keyspace without quotes: what is about the table's schema.
    BadSchemaRequest,
    /// 404: the table itself is asked for.
    NotFound,
}

/// Builds what a statement needs from its table, as Stargate knows it. Whether the caller may use the table,
/// Cassandra says. Materialized views are no tables to Stargate.
///
/// # Errors
/// 400 for a table that is not there, after one more look at Cassandra's schema; those of `build`.
pub async fn build<T>(
    rest: &Rest,
    keyspace: &str,
    name: &str,
    build: impl Fn(&Table) -> Result<T, RestError>,
) -> Result<T, RestError> {
    let seen = rest.lock_seen().get(keyspace).cloned();
    if let Some(seen) = seen
        && let Some(table) = find(&seen, name)
    {
        let built = build(&table)?;
        let schema = rest.store.current().await?;
        if schema
            .keyspaces
            .get(keyspace)
            .is_some_and(|now| Arc::ptr_eq(now, &seen))
        {
            return Ok(built);
        }
    }
    let table = table(rest, keyspace, name, Missing::BadRequest).await?;
    build(&table)
}

/// A table as it is now.
async fn table(
    rest: &Rest,
    keyspace: &str,
    name: &str,
    missing: Missing,
) -> Result<Arc<Table>, RestError> {
    let found = |schema: &Schema| find(schema.keyspaces.get(keyspace)?, name);
    let mut schema = rest.store.current().await?;
    if found(&schema).is_none() {
        schema = rest.store.refresh().await?;
    }
    rest.note(keyspace, schema.keyspaces.get(keyspace));
    found(&schema).ok_or_else(|| not_found(&schema, keyspace, name, missing))
}

/// A table as it is now, for calls that show the schema: the caller has to be one who may see the keyspace.
///
/// # Errors
/// 400 or 404 by `missing`, after one more look at Cassandra's schema, and 401.
pub async fn visible_table(
    rest: &Rest,
    session: &TokenSession,
    keyspace: &str,
    name: &str,
    missing: Missing,
) -> Result<Arc<Table>, RestError> {
    let found = table(rest, keyspace, name, missing).await?;
    if may_see(session, keyspace).await? {
        return Ok(found);
    }
    Err(RestError::HiddenTable {
        keyspace: keyspace.to_owned(),
        table: name.to_owned(),
    })
}

/// A keyspace as it is now, for calls that show it.
///
/// # Errors
/// Cassandra's own.
pub async fn keyspace(rest: &Rest, name: &str) -> Result<Option<Arc<Keyspace>>, RestError> {
    let found = unnoted_keyspace(&rest.store, name).await?;
    rest.note(name, found.as_ref());
    Ok(found)
}

/// As [`keyspace`], for calls after which Stargate knows no more of the keyspace than before. Looks at Cassandra's schema
/// once more if it is not in the snapshot.
///
/// # Errors
/// Cassandra's own.
pub async fn unnoted_keyspace(
    store: &Store,
    name: &str,
) -> Result<Option<Arc<Keyspace>>, RestError> {
    if let Some(keyspace) = store.current().await?.keyspaces.get(name) {
        return Ok(Some(Arc::clone(keyspace)));
    }
    let schema = store.refresh().await?;
    Ok(schema.keyspaces.get(name).cloned())
}

/// May the caller see this keyspace?
///
/// # Errors
/// Cassandra's own.
pub async fn may_see(session: &TokenSession, keyspace: &str) -> Result<bool, RestError> {
    let visible = session.visible_keyspaces().await?;
    Ok(visible.iter().any(|seen| seen.name == keyspace))
}

/// The refusal of calls that need a keyspace.
pub fn no_keyspace(name: &str) -> RestError {
    RestError::BadRequest(format!("Keyspace '{name}' not found"))
}

fn find(keyspace: &Keyspace, name: &str) -> Option<Arc<Table>> {
    let table = keyspace.tables.get(name)?;
    (!table.is_view).then(|| Arc::clone(table))
}

fn not_found(schema: &Schema, keyspace: &str, name: &str, missing: Missing) -> RestError {
    if !schema.keyspaces.contains_key(keyspace) {
        return no_keyspace(keyspace);
    }
    match missing {
        Missing::BadRequest => RestError::BadRequest(format!(
            "Table '{name}' not found (in keyspace '{keyspace}')"
        )),
        Missing::BadSchemaRequest => {
            RestError::BadRequest(format!("Table '{name}' not found (in keyspace {keyspace})"))
        }
        Missing::NotFound => {
            RestError::NotFound(format!("Table '{name}' not found (in keyspace {keyspace})"))
        }
    }
}
