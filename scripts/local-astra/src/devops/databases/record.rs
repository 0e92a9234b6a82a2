//! A database as it is kept.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::{Uuid, uuid};

use crate::settings::{DATABASE_CLOUD, DATABASE_ID, DATABASE_NAME, DATABASE_REGION, USER_ID};
use crate::store::records::Record;

/// The first database, which every local Astra has.
pub const FIRST: Uuid = uuid!("10ca1a57-7a00-4000-8000-000000000001");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatabaseRecord {
    pub id: Uuid,
    pub name: String,
    /// AWS, GCP or AZURE.
    pub cloud: String,
    pub region: String,
    pub capacity_units: u32,
    /// `vector`, or nothing.
    pub db_type: Option<String>,
    /// A user's id, or the client id of the token that made it.
    pub owner: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339, when it was.
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
    /// The one that is there after a first start.
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
}

/// Where in its life a database is. Those that Astra has besides, a local one never reaches.
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
    /// Stays so until somebody asks for something else.
    pub fn rests(self) -> bool {
        matches!(self, Status::Active | Status::Terminated | Status::Error)
    }

    /// Reachable over its bundle.
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

/// This second, RFC 3339.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now);
    // The format has every date of the next 7973 years.
    now.format(&Rfc3339).unwrap_or_default()
}
