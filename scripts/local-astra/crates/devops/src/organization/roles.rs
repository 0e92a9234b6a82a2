//! `/organizations/roles`: named policies. A change takes effect at once for every token with the role.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::error::{DevOpsError, json_answer};
use super::super::request::{Caller, json};
use super::super::{DevOps, now};
use super::{bad, require, role_names, unknown};
use access::{CustomRole, Policy, Rights, TokenRecord, built_in};
use settings::ORGANIZATION_ID;
use store::{StoreError, records};

#[derive(Deserialize)]
struct NewRole {
    #[serde(alias = "Name")]
    name: String,
    #[serde(alias = "Policy")]
    policy: Policy,
}

impl NewRole {
    fn read(body: &Bytes) -> Result<NewRole, DevOpsError> {
        let body: NewRole = json(body, bad)?;
        if body.name.trim().is_empty() {
            return Err(bad("a role needs a name"));
        }
        match body.policy.problem() {
            Some(problem) => Err(bad(problem)),
            None => Ok(body),
        }
    }
}

fn shown_built_in(id: Uuid, name: &str, policy: &Policy) -> Value {
    json!({"ID": id, "Name": name, "Type": "default", "Policy": policy})
}

fn shown(role: &CustomRole) -> Value {
    json!({
        "OrgID": ORGANIZATION_ID,
        "ID": role.id,
        "Name": role.name,
        "Type": "custom",
        "Policy": role.policy,
        "LastUpdateDateTime": role.updated,
        "LastUpdateUserID": role.updated_by,
    })
}

/// `GET`
pub async fn list(State(devops): State<DevOps>, caller: Caller) -> Result<Response, DevOpsError> {
    require(&caller, "org-role-read")?;
    let mut custom = records::all::<CustomRole>(devops.inner.logins.admin()).await?;
    custom.sort_by(|a, b| a.name.cmp(&b.name));
    let built_in = built_in::all().map(|(id, name, policy)| shown_built_in(id, name, &policy));
    let all = built_in.chain(custom.iter().map(shown)).collect();
    Ok(json_answer(StatusCode::OK, Value::Array(all)))
}

/// `GET /{id}`
pub async fn one(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-role-read")?;
    let body = match find(&devops, &id).await? {
        Found::BuiltIn(id, name, policy) => shown_built_in(id, name, &policy),
        Found::Custom(role) => shown(&role),
    };
    Ok(json_answer(StatusCode::OK, body))
}

enum Found {
    BuiltIn(Uuid, &'static str, Policy),
    Custom(CustomRole),
}

async fn find(devops: &DevOps, id: &str) -> Result<Found, DevOpsError> {
    let id = id.to_ascii_lowercase();
    if let Some((id, name, policy)) = built_in::all().find(|(known, ..)| known.to_string() == id) {
        return Ok(Found::BuiltIn(id, name, policy));
    }
    let role = records::get::<CustomRole>(devops.inner.logins.admin(), &id).await?;
    role.map(Found::Custom).ok_or_else(|| unknown("role", &id))
}

/// Finds a role that can be changed.
async fn find_custom(devops: &DevOps, id: &str) -> Result<CustomRole, DevOpsError> {
    match find(devops, id).await? {
        Found::Custom(role) => Ok(role),
        Found::BuiltIn(_, name, _) => Err(bad(format!(
            "{name} is built in: it can be neither changed nor deleted"
        ))),
    }
}

/// Returns true if another role has that name. Clients find roles by name case-insensitively.
async fn is_taken(devops: &DevOps, name: &str, but: Option<Uuid>) -> Result<bool, StoreError> {
    let names = role_names(devops).await?;
    Ok(names
        .iter()
        .any(|(id, known)| Some(*id) != but && known.eq_ignore_ascii_case(name)))
}

/// `POST`
pub async fn create(
    State(devops): State<DevOps>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-role-write")?;
    let body = NewRole::read(&body)?;
    let _changing = devops.inner.changing.lock().await;
    if is_taken(&devops, &body.name, None).await? {
        let why = format!("there is a role {} already", body.name);
        return Err(DevOpsError::Text(StatusCode::CONFLICT, why));
    }
    let role = CustomRole {
        id: Uuid::new_v4(),
        name: body.name,
        policy: body.policy,
        updated: now(),
        updated_by: caller.client_id().to_owned(),
    };
    records::put(devops.inner.logins.admin(), &role).await?;
    Ok(json_answer(StatusCode::CREATED, shown(&role)))
}

/// `PUT /{id}`
pub async fn update(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-role-write")?;
    let body = NewRole::read(&body)?;
    let _changing = devops.inner.changing.lock().await;
    let mut role = find_custom(&devops, &id).await?;
    if is_taken(&devops, &body.name, Some(role.id)).await? {
        return Err(bad(format!("there is another role {}", body.name)));
    }
    role.name = body.name;
    role.policy = body.policy;
    role.updated = now();
    role.updated_by = caller.client_id().to_owned();
    records::put(devops.inner.logins.admin(), &role).await?;
    changed(&devops, role.id).await?;
    Ok(json_answer(StatusCode::OK, shown(&role)))
}

/// `DELETE /{id}`: its tokens remain, without its permissions.
pub async fn delete(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-role-delete")?;
    let _changing = devops.inner.changing.lock().await;
    let role = find_custom(&devops, &id).await?;
    records::delete::<CustomRole>(devops.inner.logins.admin(), &role.id.to_string()).await?;
    changed(&devops, role.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Applies a change of a role to all open logins. A CQL connection stays open if the role still allows it: Cassandra
/// checks the grants of each statement.
async fn changed(devops: &DevOps, role: Uuid) -> Result<(), StoreError> {
    let admin = devops.inner.logins.admin();
    // Open logins have the old rights, so they are closed even if the grants could not be changed.
    let applied = devops.inner.grants.apply().await;
    let tokens = records::all::<TokenRecord>(admin).await?;
    for token in tokens.iter().filter(|token| token.roles.contains(&role)) {
        devops.inner.logins.close_role(&token.client_id);
        match Rights::of_token(admin, token).await {
            Ok(rights) => devops.inner.bundles.change_role(&token.client_id, rights),
            Err(_) => devops.inner.bundles.close_role(&token.client_id),
        }
    }
    applied
}
