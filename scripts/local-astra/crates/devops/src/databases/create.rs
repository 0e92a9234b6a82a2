//! `POST /databases`: creation of a database.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use uuid::Uuid;

use super::super::DevOps;
use super::super::error::DevOpsError;
use super::super::request::{Caller, json};
use super::record::{DatabaseRecord, Status, now};
use super::{LIMIT, life, names, regions};
use access::{KeyspaceState, OwnedKeyspace, Target};
use store::records;

/// The keyspace of a database if the request contains none.
const DEFAULT_KEYSPACE: &str = "default_keyspace";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDatabase {
    name: Option<String>,
    keyspace: Option<String>,
    cloud_provider: Option<String>,
    tier: Option<String>,
    capacity_units: Option<u32>,
    region: Option<String>,
    db_type: Option<String>,
}

impl NewDatabase {
    /// Returns the database and its first keyspace.
    fn read(self, owner: &str) -> Result<(DatabaseRecord, String), DevOpsError> {
        let bad = |why: String| Err(DevOpsError::Unprocessable(why));
        let missing = |name: &str| DevOpsError::Unprocessable(format!("{name} is missing"));
        let name = self.name.filter(|name| !name.trim().is_empty());
        let name = name.ok_or_else(|| missing("name"))?;
        if name.chars().count() > 50 || name.chars().any(char::is_control) {
            return bad("a name has at most 50 characters, none of them a control".to_owned());
        }
        let cloud = self
            .cloud_provider
            .ok_or_else(|| missing("cloudProvider"))?
            .to_ascii_uppercase();
        let region = self.region.ok_or_else(|| missing("region"))?;
        if regions::find(&cloud, &region).is_none() {
            return bad(format!(
                "there is no region {region} in cloud {cloud}: GET /v2/regions/serverless lists them"
            ));
        }
        let tier = self.tier.ok_or_else(|| missing("tier"))?;
        if tier != "serverless" {
            return bad(format!(
                "tier {tier}: local Astra has serverless databases only"
            ));
        }
        let capacity_units = self
            .capacity_units
            .ok_or_else(|| missing("capacityUnits"))?;
        if !(1..=100).contains(&capacity_units) {
            return bad(format!(
                "capacityUnits {capacity_units} is not from 1 to 100"
            ));
        }
        if let Some(other) = self.db_type.as_deref().filter(|t| *t != "vector") {
            return bad(format!("dbType {other}: the only one is vector"));
        }
        let keyspace = self.keyspace.filter(|name| !name.is_empty());
        let record = DatabaseRecord {
            id: Uuid::new_v4(),
            name,
            cloud,
            region,
            capacity_units,
            db_type: self.db_type,
            owner: owner.to_owned(),
            created: now(),
            terminated: None,
            status: Status::Pending,
        };
        Ok((
            record,
            keyspace.unwrap_or_else(|| DEFAULT_KEYSPACE.to_owned()),
        ))
    }
}

pub async fn create(
    State(devops): State<DevOps>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, DevOpsError> {
    caller.require("org-db-create", Target::Organization)?;
    let new: NewDatabase = json(&body, DevOpsError::BadRequest)?;
    let (record, keyspace) = new.read(caller.client_id())?;
    let _changing = devops.inner.changing.lock().await;
    let admin = devops.inner.logins.admin();
    let all = records::all::<DatabaseRecord>(admin).await?;
    if all
        .iter()
        .filter(|database| database.status.is_alive())
        .count()
        >= LIMIT
    {
        let why = format!("local Astra has at most {LIMIT} databases");
        return Err(DevOpsError::Unprocessable(why));
    }
    names::check_free(&devops, &keyspace).await?;
    let keyspace = OwnedKeyspace {
        name: keyspace,
        database: record.id,
        position: 0,
        state: KeyspaceState::Coming,
    };
    records::put(admin, &keyspace).await?;
    records::put(admin, &record).await?;
    life::start(&devops, record.id);
    Ok((StatusCode::CREATED, [(LOCATION, record.id.to_string())]).into_response())
}
