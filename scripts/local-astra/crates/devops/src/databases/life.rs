//! The life cycle of a database: work in the background after a response.
//!
//! The status is stored before its work begins, so that the work is repeated after a crash: everything is created "if
//! not exists" and dropped "if exists".

use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;

use super::super::DevOps;
use super::names;
use super::record::{DatabaseRecord, Status, now};
use access::{KeyspaceState, OwnedKeyspace};
use bundle::Database;
use store::types::quote;
use store::{StoreError, records};

/// Duration of PENDING, INITIALIZING and TERMINATING, and of MAINTENANCE. Short, but clients have to wait.
const STEP: Duration = Duration::from_secs(2);
const MAINTENANCE: Duration = Duration::from_secs(3);
/// Number of attempts for a step.
const TRIES: u32 = 5;

/// Runs the steps of a database until its status is stable.
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

/// Advances to the next status. Returns false if the status is stable.
async fn step(devops: &DevOps, id: Uuid) -> Result<bool, StoreError> {
    let admin = devops.inner.logins.admin();
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
        // Before the status changes: a client that reads ACTIVE can use the bundle.
        publish(devops, &record).await?;
    }
    records::put(admin, &record).await?;
    // Stop at a stable status. The next request starts its own task, and two tasks would undo each other's steps.
    Ok(!record.status.rests())
}

/// Creates and drops the keyspaces that were requested; drops all if the database is being terminated.
async fn change_keyspaces(devops: &DevOps, record: &DatabaseRecord) -> Result<(), StoreError> {
    let admin = devops.inner.logins.admin();
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
    devops.inner.logins.refresh().await?;
    devops.inner.grants.apply().await
}

/// Publishes a database to the services of its bundle, with the contents of the bundle.
pub async fn publish(devops: &DevOps, record: &DatabaseRecord) -> Result<(), StoreError> {
    let keyspaces = names::of(devops, record).await?;
    let database = Database {
        keyspace: keyspaces.into_iter().next().unwrap_or_default(),
    };
    devops.inner.publish(record.id, Some(database));
    Ok(())
}

/// Ends a failed operation: a new database is set to ERROR, an existing one to ACTIVE without the change.
async fn give_up(devops: &DevOps, id: Uuid) {
    let admin = devops.inner.logins.admin();
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
