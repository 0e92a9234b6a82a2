//! Finds a table in the snapshot of the schema, and says what is missing in the words of the call.

use std::sync::Arc;

use super::error::RestError;
use crate::store::{Keyspace, Schema, Store, Table, TokenSession};

/// What a call says of a table that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// 400, the keyspace in quotes: what reads the table to build a statement.
    BadRequest,
    /// 400, the keyspace without quotes: what is about the table's schema.
    BadSchemaRequest,
    /// 404: the table itself is asked for.
    NotFound,
}

/// Finds a table that a statement is about. Whether the caller may use it, Cassandra says. Materialized views
/// are no tables to Stargate.
///
/// # Errors
/// 400 or 404 by `missing`, after one more look at Cassandra's schema.
pub async fn table(
    store: &Store,
    keyspace: &str,
    name: &str,
    missing: Missing,
) -> Result<Arc<Table>, RestError> {
    if let Some(table) = find(&store.schema(), keyspace, name) {
        return Ok(table);
    }
    let schema = store.refresh().await?;
    find(&schema, keyspace, name).ok_or_else(|| not_found(&schema, keyspace, name, missing))
}

/// As [`table`], for calls that show the schema: the caller has to be one who may see the keyspace.
///
/// # Errors
/// Those of [`table`], and 401.
pub async fn visible_table(
    store: &Store,
    session: &TokenSession,
    keyspace: &str,
    name: &str,
    missing: Missing,
) -> Result<Arc<Table>, RestError> {
    let found = table(store, keyspace, name, missing).await?;
    if may_see(session, keyspace).await? {
        return Ok(found);
    }
    Err(RestError::HiddenTable {
        keyspace: keyspace.to_owned(),
        table: name.to_owned(),
    })
}

/// Finds a keyspace, after one more look at Cassandra's schema if it is not in the snapshot.
///
/// # Errors
/// Cassandra's own.
pub async fn keyspace(store: &Store, name: &str) -> Result<Option<Arc<Keyspace>>, RestError> {
    if let Some(keyspace) = store.schema().keyspaces.get(name) {
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

fn find(schema: &Schema, keyspace: &str, name: &str) -> Option<Arc<Table>> {
    let table = schema.table(keyspace, name)?;
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
