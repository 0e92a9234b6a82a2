//! `/clientIdSecrets` and `/tokens`. A token is a role in Cassandra, and its secret is returned only once.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::error::{DevOpsError, json_answer};
use super::super::request::{Caller, Parameters, json};
use super::super::{DevOps, now};
use super::{RolesError, bad, known_roles, require, unknown};
use access::TokenRecord;
use settings::ORGANIZATION_ID;
use settings::token::{Credentials, Token};
use store::{StoreError, records};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewToken {
    #[serde(default)]
    roles: Vec<String>,
    org_id: Option<String>,
    token_expiry: Option<String>,
    /// The Astra CLI sends `null` for none.
    description: Option<String>,
}

/// `GET`: without secrets, which are not stored.
pub async fn list(State(devops): State<DevOps>, caller: Caller) -> Result<Response, DevOpsError> {
    require(&caller, "org-token-read")?;
    let tokens = records::all::<TokenRecord>(devops.inner.logins.admin()).await?;
    let clients: Vec<Value> = tokens
        .iter()
        .map(|token| {
            json!({
                "clientId": token.client_id,
                "roles": token.roles,
                "generatedOn": token.generated_on,
                "description": token.description,
            })
        })
        .collect();
    Ok(json_answer(StatusCode::OK, json!({"clients": clients})))
}

/// `POST`
pub async fn create(
    State(devops): State<DevOps>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-token-write")?;
    let body: NewToken = json(&body, bad)?;
    if body
        .org_id
        .is_some_and(|id| !id.is_empty() && id != ORGANIZATION_ID)
    {
        return Err(bad("orgId is not the id of this organization"));
    }
    if body.token_expiry.is_some_and(|at| !at.is_empty()) {
        let why = "Local Astra's tokens do not expire: leave tokenExpiry out, and revoke them";
        return Err(DevOpsError::NotServed(why.to_owned()));
    }
    let _changing = devops.inner.changing.lock().await;
    let roles = known_roles(&devops, &body.roles)
        .await
        .map_err(|error| match error {
            RolesError::Empty => bad(error.to_string()),
            RolesError::Unknown(id) => unknown("role", &id),
            RolesError::Store(error) => error.into(),
        })?;
    let failed = |what: &str| DevOpsError::Failed(what.to_owned());
    let credentials = Credentials::generate().map_err(|error| failed(&error.to_string()))?;
    let token = Token::of(&credentials.client_id, &credentials.secret)
        .ok_or_else(|| failed("a new client id is none"))?;
    let record = TokenRecord {
        client_id: credentials.client_id,
        roles,
        generated_on: now(),
        description: body.description.unwrap_or_default(),
    };
    let admin = devops.inner.logins.admin();
    // A role without a record would have no policy. Until then it has no grants, and its token is unknown.
    access::create_role(admin, &token, false).await?;
    records::put(admin, &record).await?;
    devops.inner.grants.apply().await?;
    let shown = json!({
        "clientId": record.client_id,
        "secret": credentials.secret.expose_secret(),
        "orgId": ORGANIZATION_ID,
        "roles": record.roles,
        "token": token.text().expose_secret(),
        "generatedOn": record.generated_on,
        "description": record.description,
    });
    Ok(json_answer(StatusCode::OK, shown))
}

/// `DELETE /{clientId}`
pub async fn revoke(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(client_id): Path<String>,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-token-write")?;
    if client_id == devops.inner.own_token {
        let why = "this is local Astra's own token, which its settings name: it stays";
        return Err(DevOpsError::Text(StatusCode::FORBIDDEN, why.to_owned()));
    }
    let _changing = devops.inner.changing.lock().await;
    let admin = devops.inner.logins.admin();
    if records::get::<TokenRecord>(admin, &client_id)
        .await?
        .is_none()
    {
        return Err(unknown("token with client id", &client_id));
    }
    end(&devops, &client_id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /tokens?clientId=`. The spec does not define how the id is passed.
pub async fn revoke_by_parameter(
    devops: State<DevOps>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Response, DevOpsError> {
    let client_id = parameters.text("clientId").unwrap_or_default().to_owned();
    revoke(devops, caller, Path(client_id)).await
}

/// Revokes a token everywhere: in Cassandra, in its nodes' caches, in open logins and tunnels.
async fn end(devops: &DevOps, client_id: &str) -> Result<(), StoreError> {
    let admin = devops.inner.logins.admin();
    access::drop_role(admin, client_id).await?;
    let cleared = access::clear_caches(admin).await;
    devops.inner.logins.close_role(client_id);
    devops.inner.bundles.close_role(client_id);
    cleared?;
    records::delete::<TokenRecord>(admin, client_id).await
}
