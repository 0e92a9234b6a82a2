//! The stored form of a database.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::{Uuid, uuid};

use settings::{DATABASE_CLOUD, DATABASE_ID, DATABASE_NAME, DATABASE_REGION, USER_ID};
use store::records::Record;

/// The first database, which exists in every local Astra.
pub const FIRST: Uuid = uuid!("10ca1a57-7a00-4000-8000-000000000001");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatabaseRecord {
    pub id: Uuid,
    pub name: String,
    /// AWS, GCP or AZURE.
    pub cloud: String,
    pub region: String,
    pub capacity_units: u32,
    /// `vector` or `None`.
    pub db_type: Option<String>,
    /// A user's id, or the client id of the token that created it.
    pub owner: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339; `None` if it is not terminated.
    pub terminated: Option<String>,
    pub status: Status,
}

impl Record for DatabaseRecord {
    const KIND: &'static str = "database";

    fn id(&self) -> String {
        self.id.to_string()
    }
}

impl DatabaseRecord {
    /// Returns the database that exists after a first start.
    pub fn first() -> DatabaseRecord {
        debug_assert_eq!(DATABASE_ID, FIRST.to_string());
        DatabaseRecord {
            id: FIRST,
            name: DATABASE_NAME.to_owned(),
            cloud: DATABASE_CLOUD.to_owned(),
            region: DATABASE_REGION.to_owned(),
            capacity_units: 1,
            db_type: None,
            owner: USER_ID.to_owned(),
            created: now(),
            terminated: None,
            status: Status::Active,
        }
    }

    /// Returns the id of the only data center.
    pub fn datacenter_id(&self) -> String {
        format!("{}-1", self.id)
    }
}

/// Status of a database. Local databases never have Astra's other statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Pending,
    Initializing,
    Active,
    Maintenance,
    Terminating,
    Terminated,
    Error,
}

impl Status {
    /// Returns true for a status that changes only on request.
    pub fn rests(self) -> bool {
        matches!(self, Status::Active | Status::Terminated | Status::Error)
    }

    /// Returns true if the database is reachable through its bundle.
    pub fn is_open(self) -> bool {
        matches!(self, Status::Active | Status::Maintenance)
    }

    pub fn is_alive(self) -> bool {
        self != Status::Terminated
    }

    pub fn text(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Initializing => "INITIALIZING",
            Status::Active => "ACTIVE",
            Status::Maintenance => "MAINTENANCE",
            Status::Terminating => "TERMINATING",
            Status::Terminated => "TERMINATED",
            Status::Error => "ERROR",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Returns the current time in seconds, RFC 3339.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now);
    // The format has every date of the next 7973 years.
    now.format(&Rfc3339).unwrap_or_default()
}
