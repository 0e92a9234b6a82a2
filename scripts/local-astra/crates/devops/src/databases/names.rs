//! The names of a database's keyspaces, and those that are free. In Cassandra a name belongs to one database only.

use super::super::DevOps;
use super::super::error::DevOpsError;
use super::record::{DatabaseRecord, FIRST};
use access::OwnedKeyspace;
use settings::KEYSPACE;
use store::schema::is_system;
use store::{StoreError, records};

/// Returns the names of the keyspaces, the first one first. As on Astra, a keyspace is listed as soon as it was
/// requested, although it exists only when the database is ACTIVE again.
pub async fn of(devops: &DevOps, record: &DatabaseRecord) -> Result<Vec<String>, StoreError> {
    let admin = devops.inner.logins.admin();
    let mut owned = records::all::<OwnedKeyspace>(admin).await?;
    let schema = devops.inner.logins.refresh().await?;
    let mut names = Vec::new();
    if record.id == FIRST {
        // Keyspaces without an owner were created over CQL, or at the first start.
        let free = |name: &&String| !is_system(name) && !owned.iter().any(|k| k.name == **name);
        names.extend(schema.keyspaces.keys().filter(free).cloned());
        names.sort_by_key(|name| name != KEYSPACE);
    }
    owned.retain(|keyspace| keyspace.database == record.id);
    owned.sort_by_key(|keyspace| keyspace.position);
    names.extend(owned.into_iter().map(|keyspace| keyspace.name));
    Ok(names)
}

/// Rejects a name that is invalid or already taken.
///
/// # Errors
/// [`DevOpsError::Unprocessable`], and Cassandra's own.
pub async fn check_free(devops: &DevOps, name: &str) -> Result<(), DevOpsError> {
    let bytes = name.as_bytes();
    let word = bytes
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if !word || !bytes.first().is_some_and(u8::is_ascii_alphabetic) || bytes.len() > 48 {
        return Err(DevOpsError::Unprocessable(format!(
            "{name:?} is no name for a keyspace: a letter, then letters, digits and underscores, 48 in all"
        )));
    }
    if is_system(name) || name == records::KEYSPACE || name.starts_with("system_") {
        let why = format!("{name} is a keyspace of the system");
        return Err(DevOpsError::Unprocessable(why));
    }
    let admin = devops.inner.logins.admin();
    let owner = records::get::<OwnedKeyspace>(admin, name).await?;
    let there = devops
        .inner
        .logins
        .refresh()
        .await?
        .keyspaces
        .contains_key(name);
    if owner.is_none() && !there {
        return Ok(());
    }
    let database = owner.map_or(FIRST, |keyspace| keyspace.database);
    Err(DevOpsError::Unprocessable(format!(
        "keyspace {name} is taken by database {database}: the databases of local Astra share one \
         Cassandra, so a keyspace name belongs to one of them"
    )))
}
