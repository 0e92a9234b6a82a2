//! Streaming: tenants of the one Pulsar, and their tokens. See
//! <https://docs.datastax.com/en/astra-streaming/apis/index.html>.
//!
//! - [`clusters`]: providers, regions and clusters; all of them stand for this machine
//! - [`tenants`]: tenants of Pulsar, each with a record
//! - [`tokens`]: JWTs, each a role of its tenant
//! - [`error`][]: errors

mod clusters;
mod error;
mod tenants;
mod tokens;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{delete, get, post};

use super::DevOps;
use super::request::Caller;
use access::{Target, TenantRecord};
use engines::pulsar::Admin;
use error::StreamingError;
use settings::ORGANIZATION_ID;
use store::records;

/// Header with the cluster of a tenant, in requests about that tenant.
const CLUSTER_HEADER: &str = "x-datastax-pulsar-cluster";

/// Returns the routes below `/v2`.
pub fn router() -> Router<DevOps> {
    Router::new()
        .route("/streaming/providers", get(clusters::providers))
        .route("/streaming/serverless-regions", get(clusters::regions))
        .route("/streaming/clusters", get(clusters::list))
        .route(
            "/streaming/clusters/orgs/{organization}",
            get(clusters::dedicated),
        )
        .route(
            "/streaming/tenants",
            get(tenants::list).post(tenants::create),
        )
        .route(
            "/streaming/tenants/{tenant}",
            get(tenants::one).head(tenants::is_taken),
        )
        .route(
            "/streaming/orgs/{organization}/tenants",
            get(tenants::list_of),
        )
        .route(
            "/streaming/orgs/{organization}/tenants/{tenant}",
            get(tenants::one_of),
        )
        .route(
            "/streaming/tenants/{tenant}/clusters/{cluster}",
            delete(tenants::delete),
        )
        .route("/streaming/tenants/{tenant}/limits", get(tenants::limits))
        .route(
            "/streaming/tenants/{tenant}/tokens",
            get(tokens::list).post(tokens::create),
        )
        .route(
            "/streaming/tenants/{tenant}/tokens/{id}",
            get(tokens::one).delete(tokens::revoke),
        )
}

/// Returns the routes below `/v3`.
pub fn router_v3() -> Router<DevOps> {
    Router::new().route(
        "/streaming/tenants/{tenant}/tokens",
        post(tokens::create_v3),
    )
}

/// Returns Pulsar's client if the caller can manage streaming.
fn admitted(devops: &DevOps, caller: &Caller) -> Result<Admin, StreamingError> {
    if !caller.may("org-stream-manage", Target::Organization) {
        return Err(StreamingError::Forbidden);
    }
    let pulsar = devops.inner.pulsar.admin.borrow().clone();
    pulsar.ok_or(StreamingError::NotRunning)
}

/// Rejects an organization other than the caller's.
fn own_organization(organization: &str) -> Result<(), StreamingError> {
    if organization == ORGANIZATION_ID {
        Ok(())
    } else {
        Err(StreamingError::Forbidden)
    }
}

/// Finds the record of a tenant that also exists in Pulsar.
async fn find(
    devops: &DevOps,
    pulsar: &Admin,
    tenant: &str,
) -> Result<TenantRecord, StreamingError> {
    let record = records::get::<TenantRecord>(devops.inner.logins.admin(), tenant)
        .await?
        .ok_or(StreamingError::NoTenant)?;
    match pulsar.tenant(tenant).await? {
        Some(_) => Ok(record),
        None => Err(StreamingError::NoTenant),
    }
}

/// Finds the tenant of a request whose header names its cluster.
async fn find_on_cluster(
    devops: &DevOps,
    pulsar: &Admin,
    tenant: &str,
    headers: &HeaderMap,
) -> Result<TenantRecord, StreamingError> {
    let cluster = headers.get(CLUSTER_HEADER);
    let cluster = cluster.ok_or_else(|| {
        StreamingError::BadRequest(
            "the header X-DataStax-Pulsar-Cluster is missing: it names the tenant's cluster"
                .to_owned(),
        )
    })?;
    let record = find(devops, pulsar, tenant).await?;
    if cluster.as_bytes() == record.cluster.as_bytes() {
        Ok(record)
    } else {
        Err(StreamingError::NoTenant)
    }
}
