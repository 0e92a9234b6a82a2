//! Records of local Astra that the engines have no place for: databases, roles, tokens, users, tenants.
//!
//! They are stored in Cassandra, in one table of a separate keyspace that no interface shows and no token can read. A
//! record is JSON, with its kind and id as the key.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::driver::Session;
use super::error::{Code, StoreError};

/// The keyspace of the records.
pub const KEYSPACE: &str = "local_astra";

/// A value stored under an id.
pub trait Record: Serialize + DeserializeOwned {
    /// Kind of the record. Records of a kind are listed together.
    const KIND: &'static str;
    /// Identifies the record among those of its kind.
    fn id(&self) -> String;
}

/// Creates the keyspace and its table, unless they exist.
pub async fn prepare(admin: &Session, replicas: u8) -> Result<(), StoreError> {
    let keyspace = format!(
        "CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = \
         {{'class': 'SimpleStrategy', 'replication_factor': {replicas}}}"
    );
    admin.query_unpaged(keyspace, ()).await?;
    let table = format!(
        "CREATE TABLE IF NOT EXISTS {KEYSPACE}.records \
         (kind text, id text, body text, PRIMARY KEY (kind, id))"
    );
    admin.query_unpaged(table, ()).await?;
    Ok(())
}

/// Returns all records of a kind, by id.
///
/// # Errors
/// Cassandra's own; [`Code::Internal`] for an unreadable record.
pub async fn all<R: Record>(admin: &Session) -> Result<Vec<R>, StoreError> {
    let cql = format!("SELECT body FROM {KEYSPACE}.records WHERE kind = ?");
    let result = admin.query_unpaged(cql, (R::KIND,)).await?;
    let result = result.into_rows_result().map_err(unreadable::<R>)?;
    let rows = result.rows::<(String,)>().map_err(unreadable::<R>)?;
    rows.map(|row| {
        let (body,) = row.map_err(unreadable::<R>)?;
        serde_json::from_str(&body).map_err(unreadable::<R>)
    })
    .collect()
}

/// Returns the record with this id, if it exists.
///
/// # Errors
/// See [`all`].
pub async fn get<R: Record>(admin: &Session, id: &str) -> Result<Option<R>, StoreError> {
    let cql = format!("SELECT body FROM {KEYSPACE}.records WHERE kind = ? AND id = ?");
    let result = admin.query_unpaged(cql, (R::KIND, id)).await?;
    let result = result.into_rows_result().map_err(unreadable::<R>)?;
    let row = result
        .maybe_first_row::<(String,)>()
        .map_err(unreadable::<R>)?;
    row.map(|(body,)| serde_json::from_str(&body).map_err(unreadable::<R>))
        .transpose()
}

/// Stores a record. Replaces one with the same id.
pub async fn put<R: Record>(admin: &Session, record: &R) -> Result<(), StoreError> {
    let body = serde_json::to_string(record).map_err(unreadable::<R>)?;
    let cql = format!("INSERT INTO {KEYSPACE}.records (kind, id, body) VALUES (?, ?, ?)");
    admin
        .query_unpaged(cql, (R::KIND, record.id(), body))
        .await?;
    Ok(())
}

/// Deletes the record with this id.
pub async fn delete<R: Record>(admin: &Session, id: &str) -> Result<(), StoreError> {
    let cql = format!("DELETE FROM {KEYSPACE}.records WHERE kind = ? AND id = ?");
    admin.query_unpaged(cql, (R::KIND, id)).await?;
    Ok(())
}

fn unreadable<R: Record>(error: impl std::fmt::Display) -> StoreError {
    let what = R::KIND;
    StoreError::new(Code::Internal, format!("a record of a {what}: {error}"))
}
