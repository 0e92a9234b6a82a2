//! Finds tables, and reports missing ones in the words of each call.
//!
//! Stargate caches keyspaces. It builds statements on rows and changes of columns from the cached table. Only if that
//! succeeds does it detect that the table has changed, and builds the statement again. Therefore a newly added column
//! is unknown until another call has read the table. Calls that show the schema always read it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::RestError;
use access::{Logins, TokenSession};
use store::{Keyspace, Schema, Table};

/// State of the REST API: the logins, and the last keyspaces it has seen.
#[derive(Clone)]
pub struct Rest {
    pub logins: Logins,
    seen: Arc<Mutex<HashMap<String, Arc<Keyspace>>>>,
}

impl Rest {
    pub fn new(logins: Logins) -> Rest {
        Rest {
            logins,
            seen: Arc::default(),
        }
    }

    /// Updates the cached keyspaces.
    pub fn see(&self, keyspaces: impl IntoIterator<Item = Arc<Keyspace>>) {
        let keyspaces = keyspaces.into_iter();
        self.lock_seen()
            .extend(keyspaces.map(|keyspace| (keyspace.name.clone(), keyspace)));
    }

    /// Updates a cached keyspace, or removes it.
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
    /// 400 with the keyspace in quotes, for calls that build a statement from the table.
    BadRequest,
    /// 400 with the keyspace without quotes, for calls about the table's schema.
    BadSchemaRequest,
    /// 404, for calls about the table itself.
    NotFound,
}

/// Builds a statement from the cached table. Cassandra checks the caller's permissions. As in Stargate, materialized
/// views are not tables.
///
/// # Errors
/// 400 for a missing table, after Cassandra's schema was read again; those of `build`.
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
        let schema = rest.logins.current().await?;
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

/// Returns the current state of a table.
async fn table(
    rest: &Rest,
    keyspace: &str,
    name: &str,
    missing: Missing,
) -> Result<Arc<Table>, RestError> {
    let found = |schema: &Schema| find(schema.keyspaces.get(keyspace)?, name);
    let mut schema = rest.logins.current().await?;
    if found(&schema).is_none() {
        schema = rest.logins.refresh().await?;
    }
    rest.note(keyspace, schema.keyspaces.get(keyspace));
    found(&schema).ok_or_else(|| not_found(&schema, keyspace, name, missing))
}

/// Returns the current state of a table, for calls that show the schema. The keyspace must be visible to the caller.
///
/// # Errors
/// 400 or 404 by `missing`, after Cassandra's schema was read again, and 401.
pub async fn visible_table(
    rest: &Rest,
    session: &TokenSession,
    keyspace: &str,
    name: &str,
    missing: Missing,
) -> Result<Arc<Table>, RestError> {
    let found = table(rest, keyspace, name, missing).await?;
    if session.can_see(keyspace).await? {
        return Ok(found);
    }
    Err(RestError::HiddenTable {
        keyspace: keyspace.to_owned(),
        table: name.to_owned(),
    })
}

/// Returns the current state of a keyspace, for calls that show it.
pub async fn keyspace(rest: &Rest, name: &str) -> Result<Option<Arc<Keyspace>>, RestError> {
    let found = unnoted_keyspace(&rest.logins, name).await?;
    rest.note(name, found.as_ref());
    Ok(found)
}

/// Returns the current state of a keyspace without updating the cache, as some of Stargate's calls do. Reads
/// Cassandra's schema again if the snapshot does not contain it.
pub async fn unnoted_keyspace(
    logins: &Logins,
    name: &str,
) -> Result<Option<Arc<Keyspace>>, RestError> {
    if let Some(keyspace) = logins.current().await?.keyspaces.get(name) {
        return Ok(Some(Arc::clone(keyspace)));
    }
    let schema = logins.refresh().await?;
    Ok(schema.keyspaces.get(name).cloned())
}

/// The error of calls that require a keyspace.
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
