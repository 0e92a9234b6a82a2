//! The DevOps API v2: the control plane, acting on the real engines.
//!
//! - [`databases`]: databases, their keyspaces, bundles and regions
//! - [`organization`]: users, roles and tokens
//! - [`streaming`]: tenants of Pulsar and their tokens
//! - [`request`]: the caller and the parameters; [`error`]: errors
//!
//! Statuses and bodies follow the specs of `api.astra.datastax.com`, its official clients and their recorded responses.
//! Everything else returns 501.

mod databases;
mod error;
mod organization;
#[cfg(test)]
mod properties;
mod request;
mod streaming;

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::{DefaultBodyLimit, OriginalUri, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use access::{Grants, Logins, ensure_first_tenant};
use bundle::{Bundles, Catalog, Database};
pub use databases::now;
use engines::pulsar::Admin;
use error::DevOpsError;
use settings::layout::{Layout, Ports, PulsarPorts};
use settings::secrets::Secrets;
use settings::streaming::StreamingKeys;
use store::StoreError;

const BODY_LIMIT: usize = 1024 * 1024;

/// The control plane. Clones are cheap.
#[derive(Clone)]
pub struct DevOps {
    inner: Arc<Inner>,
}

/// Dependencies of streaming.
pub struct Pulsar {
    /// Pulsar's admin client, while Pulsar is running.
    pub admin: watch::Receiver<Option<Admin>>,
    /// The keys that sign the tokens of its tenants.
    pub keys: Arc<StreamingKeys>,
    pub ports: PulsarPorts,
}

struct Inner {
    logins: Logins,
    pulsar: Pulsar,
    grants: Grants,
    bundles: Bundles,
    catalog: watch::Sender<Catalog>,
    /// Serializes operations that read and then write.
    changing: Mutex<()>,
    ports: Ports,
    replicas: u8,
    /// The client id of the application token, which cannot be revoked.
    own_token: String,
    /// The role of the first tenant's first token, which cannot be revoked either.
    own_tenant_role: String,
    /// Signs bundle links, which therefore remain valid after a restart.
    link_key: hmac::Key,
}

impl DevOps {
    /// Opens the control plane. Resumes the operations that were in progress when the previous process
    /// ended.
    pub async fn open(
        logins: Logins,
        grants: Grants,
        bundles: Bundles,
        catalog: watch::Sender<Catalog>,
        pulsar: Pulsar,
        layout: &Layout,
        secrets: &Secrets,
    ) -> Result<DevOps, StoreError> {
        let key = format!("bundle links {}", secrets.admin.expose_secret());
        let devops = DevOps {
            inner: Arc::new(Inner {
                logins,
                pulsar,
                grants,
                bundles,
                catalog,
                changing: Mutex::default(),
                ports: layout.ports.clone(),
                replicas: layout.nodes,
                own_token: secrets.application.client_id.clone(),
                own_tenant_role: secrets.tenant_role.clone(),
                link_key: hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
            }),
        };
        let inner = &devops.inner;
        organization::ensure_first(&inner.logins).await?;
        ensure_first_tenant(&inner.logins, &inner.pulsar.keys).await?;
        databases::resume(&devops).await?;
        Ok(devops)
    }
}

impl Inner {
    /// Updates a database in the catalog of the metadata service and the SNI proxy, or removes it.
    fn publish(&self, id: Uuid, database: Option<Database>) {
        let gone = database.is_none();
        self.catalog.send_modify(|catalog| {
            let databases: &mut HashMap<Uuid, Database> = &mut catalog.databases;
            match database {
                Some(database) => databases.insert(id, database),
                None => databases.remove(&id),
            };
        });
        if gone {
            self.bundles.close_database(id);
        }
    }
}

/// Returns the routes below `/v2` and `/v3`, and the downloads that responses link to.
pub fn router(devops: DevOps) -> Router {
    let api = Router::new()
        .merge(databases::router())
        .merge(organization::router())
        .merge(streaming::router());
    let complete = |api: Router<DevOps>| {
        api.fallback(not_served)
            .method_not_allowed_fallback(async || DevOpsError::WrongMethod)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(middleware::from_fn(check_path))
            .with_state(devops.clone())
    };
    Router::new()
        .nest("/v2", complete(api))
        .nest("/v3", complete(streaming::router_v3()))
        .merge(databases::downloads().with_state(devops))
}

/// Rejects a path that is not UTF-8 before the router does, whose text has no shape of Astra's.
async fn check_path(request: Request, next: Next) -> Result<Response, DevOpsError> {
    match percent_decode_str(request.uri().path()).decode_utf8() {
        Ok(_) => Ok(next.run(request).await),
        Err(_) => Err(DevOpsError::BadRequest("the path is not UTF-8".to_owned())),
    }
}

async fn not_served(OriginalUri(path): OriginalUri, request: Request) -> DevOpsError {
    DevOpsError::NotServed(format!(
        "Local Astra does not serve {} {}. Its README lists what it serves.",
        request.method(),
        path.path()
    ))
}
