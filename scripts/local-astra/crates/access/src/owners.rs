//! The database that each keyspace belongs to. Several databases share one Cassandra.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use settings::DATABASE_ID;
use store::records;
use store::records::Record;
use store::{Session, StoreError};

/// A keyspace that the DevOps API has created, or is creating or dropping.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnedKeyspace {
    pub name: String,
    pub database: Uuid,
    /// Position among the database's keyspaces, from 0.
    pub position: usize,
    pub state: KeyspaceState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyspaceState {
    /// Being created. The name is already taken.
    Coming,
    There,
    /// Being dropped.
    Going,
}

impl Record for OwnedKeyspace {
    const KIND: &'static str = "keyspace";

    fn id(&self) -> String {
        self.name.clone()
    }
}

/// The owners of all keyspaces.
pub struct Owners(HashMap<String, Uuid>);

impl Owners {
    /// Reads the owners from the records.
    pub async fn read(admin: &Session) -> Result<Owners, StoreError> {
        let owned = records::all::<OwnedKeyspace>(admin).await?;
        let owned = owned.into_iter().map(|k| (k.name, k.database));
        Ok(Owners(owned.collect()))
    }

    /// Returns the database of one keyspace; see [`Owners::of`].
    pub async fn of_one(admin: &Session, keyspace: &str) -> Result<Uuid, StoreError> {
        let owned = records::get::<OwnedKeyspace>(admin, keyspace).await?;
        let owned = owned.into_iter().map(|k| (k.name, k.database));
        Ok(Owners(owned.collect()).of(keyspace))
    }

    /// Returns the database of a keyspace. A keyspace created without the DevOps API (by the operator over CQL) belongs
    /// to the first database.
    pub fn of(&self, keyspace: &str) -> Uuid {
        let first = || Uuid::try_parse(DATABASE_ID).unwrap_or_default();
        self.0.get(keyspace).copied().unwrap_or_else(first)
    }
}
