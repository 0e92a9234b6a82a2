//! The streaming tenants of the organization: the data that Pulsar does not store.

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Logins, Target};
use settings::streaming::{Claims, KeyError, StreamingKeys};
use settings::token::Token;
use settings::{CLUSTER, ORGANIZATION_ID, TENANT, TENANT_CLOUD, TENANT_REGION};
use store::records;
use store::records::Record;
use store::{Code, Store, StoreError};

/// A tenant. Pulsar stores which roles have access.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TenantRecord {
    pub id: Uuid,
    pub name: String,
    /// Lower case.
    pub cloud: String,
    /// Without dashes.
    pub region: String,
    pub cluster: String,
    #[serde(default)]
    pub email: String,
    /// The claims of its tokens, starting with the first. Equal claims result in equal tokens.
    pub tokens: Vec<Claims>,
}

impl Record for TenantRecord {
    const KIND: &'static str = "tenant";

    fn id(&self) -> String {
        self.name.clone()
    }
}

impl TenantRecord {
    /// Creates the record of a new tenant, with its first token.
    pub fn new(
        name: &str,
        cloud: &str,
        region: &str,
        cluster: &str,
        token: Claims,
    ) -> TenantRecord {
        TenantRecord {
            id: Uuid::new_v4(),
            name: name.to_owned(),
            cloud: cloud.to_owned(),
            region: region.to_owned(),
            cluster: cluster.to_owned(),
            email: String::new(),
            tokens: vec![token],
        }
    }

    /// Returns the roles with full access to this tenant.
    pub fn roles(&self) -> Vec<String> {
        self.tokens.iter().map(|token| token.sub.clone()).collect()
    }
}

/// Stores the record of the first tenant, which is created when Pulsar first starts, unless it exists.
///
/// # Errors
/// Cassandra's own; [`Code::Internal`] if its token cannot be read.
pub async fn ensure_first_tenant(store: &Store, keys: &StreamingKeys) -> Result<(), StoreError> {
    let admin = store.admin();
    if records::get::<TenantRecord>(admin, TENANT).await?.is_some() {
        return Ok(());
    }
    let unreadable =
        |error: KeyError| StoreError::new(Code::Internal, format!("{TENANT}: {error}"));
    let token = keys.first(ORGANIZATION_ID, TENANT).map_err(unreadable)?;
    let record = TenantRecord::new(TENANT, TENANT_CLOUD, TENANT_REGION, CLUSTER, token);
    records::put(admin, &record).await
}

/// Returns true if an Astra token (`AstraCS:...`) can use the admin API of a tenant, which Astra allows since February
/// 2024: the tenant belongs to the organization, and a role of the token manages streaming. Always false without
/// logins, which need Cassandra.
///
/// # Errors
/// Cassandra does not respond. An invalid token is not an error.
pub async fn may_administer(
    logins: Option<&Logins>,
    token: &Token,
    tenant: &str,
) -> Result<bool, StoreError> {
    let Some(logins) = logins else {
        return Ok(false);
    };
    let session = match logins.session(token.text().expose_secret()).await {
        Ok(session) => session,
        Err(error) if error.code == Code::Unauthenticated => return Ok(false),
        Err(error) => return Err(error),
    };
    let allowed = session
        .rights()
        .allow("org-stream-manage", Target::Organization);
    Ok(allowed
        && records::get::<TenantRecord>(logins.admin(), tenant)
            .await?
            .is_some())
}
