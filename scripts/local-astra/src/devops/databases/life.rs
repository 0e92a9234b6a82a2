//! The life of a database: what happens by itself after a call was answered.
//!
//! The status is kept before its work begins, so that after a crash the work is done again: it is all made
//! "if not exists", and dropped "if exists".

use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;

use super::super::DevOps;
use super::keyspaces;
use super::record::{DatabaseRecord, Status, now};
use crate::access::{KeyspaceState, OwnedKeyspace};
use crate::bundle::Database;
use crate::store::types::quote;
use crate::store::{StoreError, records};

/// How long PENDING, INITIALIZING and TERMINATING take, and MAINTENANCE: waiting is real, and short.
const STEP: Duration = Duration::from_secs(2);
const MAINTENANCE: Duration = Duration::from_secs(3);
/// How often a step that failed is tried again.
const TRIES: u32 = 5;

/// Leads a database on until it rests.
pub fn start(devops: &DevOps, id: Uuid) {
    let devops = devops.clone();
    tokio::spawn(async move {
        let mut tries = 0;
        loop {
            match step(&devops, id).await {
                Ok(true) => tries = 0,
                Ok(false) => return,
                Err(error) => {
                    eprintln!("database {id}: {error}");
                    tries += 1;
                    if tries == TRIES {
                        return give_up(&devops, id).await;
                    }
                }
            }
        }
    });
}

/// From one status to the next. Gives false for a status in which a database rests.
async fn step(devops: &DevOps, id: Uuid) -> Result<bool, StoreError> {
    let admin = devops.inner.store.admin();
    let Some(mut record) = records::get::<DatabaseRecord>(admin, &id.to_string()).await? else {
        return Ok(false);
    };
    match record.status {
        Status::Pending => {
            sleep(STEP).await;
            record.status = Status::Initializing;
        }
        Status::Initializing => {
            sleep(STEP).await;
            change_keyspaces(devops, &record).await?;
            record.status = Status::Active;
        }
        Status::Maintenance => {
            sleep(MAINTENANCE).await;
            change_keyspaces(devops, &record).await?;
            record.status = Status::Active;
        }
        Status::Terminating => {
            sleep(STEP).await;
            change_keyspaces(devops, &record).await?;
            record.status = Status::Terminated;
            record.terminated = Some(now());
        }
        Status::Active | Status::Terminated | Status::Error => return Ok(false),
    }
    if record.status == Status::Active {
        // Before the status says so: whoever reads ACTIVE finds the bundle's doors open.
        publish(devops, &record).await?;
    }
    records::put(admin, &record).await?;
    // What comes after a rest is another call's, which leads on by itself: two would undo each other's steps.
    Ok(!record.status.rests())
}

/// Makes the keyspaces that are to come, and drops those that are to go: all, when the database goes.
async fn change_keyspaces(devops: &DevOps, record: &DatabaseRecord) -> Result<(), StoreError> {
    let admin = devops.inner.store.admin();
    let owned = records::all::<OwnedKeyspace>(admin).await?;
    for mut keyspace in owned.into_iter().filter(|k| k.database == record.id) {
        let name = quote(&keyspace.name);
        let goes = record.status == Status::Terminating || keyspace.state == KeyspaceState::Going;
        if goes {
            let cql = format!("DROP KEYSPACE IF EXISTS {name}");
            admin.query_unpaged(cql, ()).await?;
            records::delete::<OwnedKeyspace>(admin, &keyspace.name).await?;
        } else if keyspace.state == KeyspaceState::Coming {
            let cql = format!(
                "CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = \
                 {{'class': 'SimpleStrategy', 'replication_factor': {}}}",
                devops.inner.replicas
            );
            admin.query_unpaged(cql, ()).await?;
            keyspace.state = KeyspaceState::There;
            records::put(admin, &keyspace).await?;
        }
    }
    devops.inner.store.refresh().await?;
    devops.inner.grants.apply().await
}

/// Opens the bundle's doors to a database, with what its bundle tells.
///
/// # Errors
/// Cassandra's own.
pub async fn publish(devops: &DevOps, record: &DatabaseRecord) -> Result<(), StoreError> {
    let keyspaces = keyspaces::of(devops, record).await?;
    let database = Database {
        keyspace: keyspaces.into_iter().next().unwrap_or_default(),
    };
    devops.inner.publish(record.id, Some(database));
    Ok(())
}

/// A database that was never made is in ERROR; one that was there is ACTIVE again, without the change.
async fn give_up(devops: &DevOps, id: Uuid) {
    let admin = devops.inner.store.admin();
    let given_up = async {
        let Some(mut record) = records::get::<DatabaseRecord>(admin, &id.to_string()).await? else {
            return Ok(());
        };
        record.status = match record.status {
            Status::Maintenance => Status::Active,
            _ => Status::Error,
        };
        records::put(admin, &record).await
    };
    if let Err::<(), StoreError>(error) = given_up.await {
        eprintln!("database {id}: {error}; goes on at the next start");
    }
}
