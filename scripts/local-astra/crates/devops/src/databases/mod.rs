//! Databases: `/databases`, `/regions`. All of them share one Cassandra.
//!
//! - [`record`]: the stored form of a database; [`view`]: its JSON form
//! - [`life`]: transitions between statuses in the background
//! - [`create`]: creation of a database
//! - [`keyspaces`]: creation and removal of its keyspaces; [`names`]: their names
//! - [`links`]: links to its secure connect bundle
//! - [`regions`]: the available regions

mod create;
mod keyspaces;
mod life;
mod links;
mod names;
mod record;
mod regions;
mod view;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;

use super::DevOps;
use super::error::{DevOpsError, json_answer};
use super::request::{Caller, Parameters};
use access::Target;
pub use record::now;
use record::{DatabaseRecord, FIRST, Status};
use store::{StoreError, records};

/// Maximum number of databases.
const LIMIT: usize = 100;
/// Default page size of the list.
const PAGE: usize = 25;

pub fn router() -> Router<DevOps> {
    Router::new()
        .route("/databases", get(list).post(create::create))
        .route("/databases/{id}", get(show))
        .route("/databases/{id}/terminate", post(terminate))
        .route(
            "/databases/{id}/keyspaces/{keyspace}",
            post(keyspaces::add).delete(keyspaces::remove),
        )
        .route("/databases/{id}/secureBundleURL", post(links::links))
        .route(
            "/databases/{id}/datacenters",
            get(datacenters).post(one_region),
        )
        .route("/databases/{id}/park", post(classic_only))
        .route("/databases/{id}/unpark", post(classic_only))
        .route("/databases/{id}/resize", post(classic_only))
        .route("/databases/{id}/resetPassword", post(classic_only))
        .route("/availableRegions", get(regions::available))
        .route("/regions/serverless", get(regions::serverless))
}

/// Returns the route of bundle links.
pub fn downloads() -> Router<DevOps> {
    Router::new().route("/secure-bundles/{id}/{file}", get(links::download))
}

/// Creates the first database if it does not exist, publishes all open ones, and resumes pending transitions.
pub async fn resume(devops: &DevOps) -> Result<(), StoreError> {
    let admin = devops.inner.logins.admin();
    if records::get::<DatabaseRecord>(admin, &FIRST.to_string())
        .await?
        .is_none()
    {
        records::put(admin, &DatabaseRecord::first()).await?;
    }
    for record in records::all::<DatabaseRecord>(admin).await? {
        if record.status.is_open() {
            life::publish(devops, &record).await?;
        }
        life::start(devops, record.id);
    }
    Ok(())
}

/// Finds a database by the id in a path.
async fn one(devops: &DevOps, id: &str) -> Result<DatabaseRecord, DevOpsError> {
    let record = records::get(devops.inner.logins.admin(), &id.to_ascii_lowercase()).await?;
    record.ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> DevOpsError {
    DevOpsError::NotFound(format!("there is no database {id}"))
}

fn wrong_state(record: &DatabaseRecord, what: &str) -> DevOpsError {
    let (name, status) = (&record.name, record.status);
    DevOpsError::WrongState(format!(
        "database {name} is {status} and {what}: wait until it is ACTIVE"
    ))
}

/// `GET /databases?include&provider&limit&starting_after`: oldest first.
async fn list(
    State(devops): State<DevOps>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Response, DevOpsError> {
    if !caller.may_somewhere("org-db-view") {
        return Err(DevOpsError::Forbidden);
    }
    let wanted = Wanted::read(&parameters)?;
    let mut databases = records::all::<DatabaseRecord>(devops.inner.logins.admin()).await?;
    databases.retain(|database| caller.may("org-db-view", Target::Database(database.id)));
    databases.sort_by(|a, b| (&a.created, a.id).cmp(&(&b.created, b.id)));
    let from = match parameters.text("starting_after") {
        None => 0,
        Some(id) => {
            let at = databases.iter().position(|d| d.id.to_string() == id);
            let at = at.ok_or_else(|| {
                DevOpsError::BadRequest(format!("starting_after: there is no database {id}"))
            })?;
            at + 1
        }
    };
    let page = databases[from..]
        .iter()
        .filter(|database| wanted.fits(database));
    let mut shown = Vec::new();
    for database in page.take(wanted.limit) {
        shown.push(view(&devops, &caller, database).await?);
    }
    Ok(json_answer(StatusCode::OK, Value::Array(shown)))
}

async fn view(
    devops: &DevOps,
    caller: &Caller,
    record: &DatabaseRecord,
) -> Result<Value, DevOpsError> {
    let keyspaces = names::of(devops, record).await?;
    Ok(view::database(
        &devops.inner,
        &caller.base,
        record,
        &keyspaces,
    ))
}

/// `GET /databases/{id}`
async fn show(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, DevOpsError> {
    let record = one(&devops, &id).await?;
    caller.require("org-db-view", Target::Database(record.id))?;
    let shown = view(&devops, &caller, &record).await?;
    Ok(json_answer(StatusCode::OK, shown))
}

/// `GET /databases/{id}/datacenters`
async fn datacenters(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, DevOpsError> {
    let record = one(&devops, &id).await?;
    caller.require("org-db-view", Target::Database(record.id))?;
    let mut all = Vec::new();
    if record.status.is_alive() || parameters.flag("all") {
        all.push(view::datacenter(&devops.inner, &caller.base, &record));
    }
    Ok(json_answer(StatusCode::OK, Value::Array(all)))
}

/// `POST /databases/{id}/terminate`
async fn terminate(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, DevOpsError> {
    let _changing = devops.inner.changing.lock().await;
    let mut record = one(&devops, &id).await?;
    caller.require("org-db-terminate", Target::Database(record.id))?;
    if record.id == FIRST {
        let why = "local Astra keeps its first database, which its settings name";
        return Err(DevOpsError::WrongState(why.to_owned()));
    }
    if !matches!(record.status, Status::Active | Status::Error) {
        return Err(wrong_state(&record, "cannot be terminated"));
    }
    record.status = Status::Terminating;
    records::put(devops.inner.logins.admin(), &record).await?;
    devops.inner.publish(record.id, None);
    life::start(&devops, record.id);
    Ok(StatusCode::ACCEPTED.into_response())
}

/// `POST /databases/{id}/datacenters`
async fn one_region(_: Caller) -> DevOpsError {
    let why = "Local Astra's databases have one region: all regions are this machine";
    DevOpsError::NotServed(why.to_owned())
}

/// Handles requests for Classic databases, which a serverless one rejects.
async fn classic_only(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, DevOpsError> {
    let record = one(&devops, &id).await?;
    caller.require("org-db-view", Target::Database(record.id))?;
    let why = "this call is for Classic databases; this one is serverless";
    Err(DevOpsError::BadRequest(why.to_owned()))
}

/// Filter and limit of a list.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    include: Include,
    cloud: Option<String>,
    limit: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Include {
    NonTerminated,
    All,
    /// A status in lower case.
    Only(String),
}

/// Statuses that the list accepts as a filter. Local databases never have most of them.
const STATUSES: &[&str] = &[
    "active",
    "error",
    "hibernated",
    "hibernating",
    "initializing",
    "maintenance",
    "parked",
    "parking",
    "pending",
    "prepared",
    "preparing",
    "resizing",
    "resuming",
    "suspended",
    "suspending",
    "terminated",
    "terminating",
    "unparking",
];

impl Wanted {
    /// Reads the parameters in the forms of the spec and of its clients: any case, `non_terminated`, and a limit over
    /// 100.
    fn read(parameters: &Parameters) -> Result<Wanted, DevOpsError> {
        let bad = |name: &str, value: &str| {
            DevOpsError::BadRequest(format!("{name}={value} is none of its values"))
        };
        let include = match parameters.text("include") {
            None => Include::NonTerminated,
            Some(text) => match text.to_ascii_lowercase().replace('_', "").as_str() {
                "nonterminated" => Include::NonTerminated,
                "all" => Include::All,
                status if STATUSES.contains(&status) => Include::Only(status.to_owned()),
                _ => return Err(bad("include", text)),
            },
        };
        let cloud = match parameters.text("provider") {
            None => None,
            Some(text) => match text.to_ascii_uppercase().as_str() {
                "ALL" => None,
                cloud @ ("AWS" | "GCP" | "AZURE") => Some(cloud.to_owned()),
                _ => return Err(bad("provider", text)),
            },
        };
        let limit = match parameters.text("limit") {
            None => PAGE,
            Some(text) => match text.parse() {
                Ok(limit @ 1..) => limit,
                _ => return Err(bad("limit", text)),
            },
        };
        Ok(Wanted {
            include,
            cloud,
            limit,
        })
    }

    fn fits(&self, database: &DatabaseRecord) -> bool {
        let status = match &self.include {
            Include::All => true,
            Include::NonTerminated => database.status.is_alive(),
            Include::Only(status) => database.status.text().eq_ignore_ascii_case(status),
        };
        status
            && self
                .cloud
                .as_ref()
                .is_none_or(|cloud| *cloud == database.cloud)
    }
}
