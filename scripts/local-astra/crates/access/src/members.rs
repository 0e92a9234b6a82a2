//! Records of tokens with their roles, and the rights that follow. Cassandra's roles cannot store policies.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::policy::{Policy, Rights};
use super::{built_in, roles};
use store::records;
use store::records::Record;
use store::{Session, StoreError};

/// A custom role, in addition to the built-in ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CustomRole {
    pub id: Uuid,
    pub name: String,
    pub policy: Policy,
    /// RFC 3339.
    pub updated: String,
    /// Client id of the token that made the update.
    pub updated_by: String,
}

impl Record for CustomRole {
    const KIND: &'static str = "role";

    fn id(&self) -> String {
        self.id.to_string()
    }
}

/// A token, without its secret. A Cassandra role has the same name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRecord {
    pub client_id: String,
    pub roles: Vec<Uuid>,
    /// RFC 3339.
    pub generated_on: String,
    #[serde(default)]
    pub description: String,
}

impl Record for TokenRecord {
    const KIND: &'static str = "token";

    fn id(&self) -> String {
        self.client_id.clone()
    }
}

impl Rights {
    /// Returns the rights of a Cassandra role.
    pub async fn of(admin: &Session, role: &str) -> Result<Rights, StoreError> {
        if roles::is_superuser(admin, role).await? {
            return Ok(Rights::Everything);
        }
        match records::get::<TokenRecord>(admin, role).await? {
            Some(token) => Rights::of_token(admin, &token).await,
            None => Ok(Rights::GrantsOnly),
        }
    }

    /// Returns the rights of a token from its roles. Deleted roles add none.
    pub async fn of_token(admin: &Session, token: &TokenRecord) -> Result<Rights, StoreError> {
        let mut policies = Vec::new();
        for id in &token.roles {
            let built_in = built_in::all().find(|(known, ..)| known == id);
            let policy = match built_in {
                Some((_, _, policy)) => Some(policy),
                None => records::get::<CustomRole>(admin, &id.to_string())
                    .await?
                    .map(|role| role.policy),
            };
            policies.extend(policy);
        }
        Ok(Rights::ByPolicy(policies))
    }
}
