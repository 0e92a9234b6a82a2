//! Creation and removal of a database's keyspaces. They exist in Cassandra.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::super::DevOps;
use super::super::error::DevOpsError;
use super::super::request::Caller;
use super::record::{DatabaseRecord, Status};
use super::{life, names, one, wrong_state};
use access::{KeyspaceState, OwnedKeyspace, Owners, Target};
use store::schema::is_system;
use store::{StoreError, records};

/// `POST /databases/{id}/keyspaces/{keyspace}`. The keyspace exists once the database is ACTIVE again.
pub async fn add(
    State(devops): State<DevOps>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, DevOpsError> {
    let _changing = devops.inner.changing.lock().await;
    let mut record = one(&devops, &id).await?;
    if !caller.may("db-keyspace-create", Target::Keyspace(record.id, &name)) {
        caller.require("db-all-keyspace-create", Target::Database(record.id))?;
    }
    if record.status != Status::Active {
        return Err(wrong_state(&record, "takes no keyspace now"));
    }
    names::check_free(&devops, &name).await?;
    let admin = devops.inner.logins.admin();
    let others = records::all::<OwnedKeyspace>(admin).await?.into_iter();
    let others = others.filter(|keyspace| keyspace.database == record.id);
    let keyspace = OwnedKeyspace {
        name,
        database: record.id,
        position: others
            .map(|keyspace| keyspace.position + 1)
            .max()
            .unwrap_or(0),
        state: KeyspaceState::Coming,
    };
    records::put(admin, &keyspace).await?;
    maintain(&devops, &mut record).await?;
    Ok(StatusCode::CREATED.into_response())
}

/// `DELETE /databases/{id}/keyspaces/{keyspace}`. The keyspace is gone once the database is ACTIVE again.
pub async fn remove(
    State(devops): State<DevOps>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, DevOpsError> {
    let _changing = devops.inner.changing.lock().await;
    let mut record = one(&devops, &id).await?;
    caller.require("db-keyspace-drop", Target::Keyspace(record.id, &name))?;
    if record.status != Status::Active {
        return Err(wrong_state(&record, "drops no keyspace now"));
    }
    let admin = devops.inner.logins.admin();
    let there = devops
        .inner
        .logins
        .refresh()
        .await?
        .keyspaces
        .contains_key(&name);
    let owner = Owners::read(admin).await?.of(&name);
    if is_system(&name) || !there || owner != record.id {
        // No such keyspace in this database.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let known = records::get::<OwnedKeyspace>(admin, &name).await?;
    let keyspace = OwnedKeyspace {
        position: known.map_or(0, |keyspace| keyspace.position),
        name,
        database: record.id,
        state: KeyspaceState::Going,
    };
    records::put(admin, &keyspace).await?;
    maintain(&devops, &mut record).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn maintain(devops: &DevOps, record: &mut DatabaseRecord) -> Result<(), StoreError> {
    record.status = Status::Maintenance;
    records::put(devops.inner.logins.admin(), record).await?;
    life::start(devops, record.id);
    Ok(())
}
