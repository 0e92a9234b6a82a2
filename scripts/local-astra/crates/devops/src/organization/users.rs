//! `/organizations/users`: the members of the organization. They receive no mail and cannot log in here.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::DevOps;
use super::super::error::{DevOpsError, json_answer};
use super::super::request::{Caller, json};
use super::{RolesError, known_roles, require, role_names};
use access::built_in::ORGANIZATION_ADMINISTRATOR;
use settings::{ORGANIZATION_ID, ORGANIZATION_NAME, USER_EMAIL, USER_ID};
use store::records;
use store::records::Record;
use store::{Store, StoreError};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    id: Uuid,
    email: String,
    /// `active` or `invited`.
    status: String,
    roles: Vec<Uuid>,
}

impl Record for User {
    const KIND: &'static str = "user";

    fn id(&self) -> String {
        self.id.to_string()
    }
}

/// Creates the first user, unless it exists.
pub async fn ensure_first(store: &Store) -> Result<(), StoreError> {
    if records::get::<User>(store.admin(), USER_ID)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let user = User {
        id: Uuid::try_parse(USER_ID).unwrap_or_default(),
        email: USER_EMAIL.to_owned(),
        status: "active".to_owned(),
        roles: vec![ORGANIZATION_ADMINISTRATOR],
    };
    records::put(store.admin(), &user).await
}

/// Returns an errors object, which these requests use, unlike those for roles and tokens.
fn bad(why: impl Into<String>) -> DevOpsError {
    DevOpsError::BadRequest(why.into())
}

async fn roles_of(devops: &DevOps, body: &Map<String, Value>) -> Result<Vec<Uuid>, DevOpsError> {
    let roles = known_roles(devops, &role_ids(body)?).await;
    roles.map_err(|error| match error {
        RolesError::Empty => bad(error.to_string()),
        RolesError::Unknown(_) => DevOpsError::NotFound(error.to_string()),
        RolesError::Store(error) => error.into(),
    })
}

fn shown(user: &User, names: &[(Uuid, String)]) -> Value {
    // Deleted roles are not shown.
    let role = |id: &Uuid| names.iter().find(|(known, _)| known == id);
    let roles: Vec<Value> = user
        .roles
        .iter()
        .filter_map(role)
        .map(|(id, name)| json!({"ID": id, "Name": name}))
        .collect();
    json!({"UserID": user.id, "Email": user.email, "Status": user.status, "Roles": roles})
}

/// `GET`
pub async fn list(State(devops): State<DevOps>, caller: Caller) -> Result<Response, DevOpsError> {
    require(&caller, "org-user-read")?;
    let names = role_names(&devops).await?;
    let users: Vec<Value> = records::all::<User>(devops.inner.logins.admin())
        .await?
        .iter()
        .map(|user| shown(user, &names))
        .collect();
    let body = json!({"OrgID": ORGANIZATION_ID, "OrgName": ORGANIZATION_NAME, "Users": users});
    Ok(json_answer(StatusCode::OK, body))
}

async fn find(devops: &DevOps, id: &str) -> Result<User, DevOpsError> {
    let user = records::get(devops.inner.logins.admin(), &id.to_ascii_lowercase()).await?;
    user.ok_or_else(|| DevOpsError::NotFound(format!("there is no user {id}")))
}

/// `GET /{id}`
pub async fn one(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-user-read")?;
    let user = find(&devops, &id).await?;
    let names = role_names(&devops).await?;
    Ok(json_answer(StatusCode::OK, shown(&user, &names)))
}

/// Reads a body whose member names clients send in any case.
fn members(body: &Bytes) -> Result<Map<String, Value>, DevOpsError> {
    let body: Map<String, Value> = json(body, bad)?;
    let lower = |(name, value): (String, Value)| (name.to_ascii_lowercase(), value);
    Ok(body.into_iter().map(lower).collect())
}

fn role_ids(body: &Map<String, Value>) -> Result<Vec<String>, DevOpsError> {
    let roles = body.get("roles").cloned().unwrap_or_default();
    serde_json::from_value(roles).map_err(|error| bad(format!("roles: {error}")))
}

/// `PUT`: invites a user, or invites one again with other roles.
pub async fn invite(
    State(devops): State<DevOps>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-user-write")?;
    let body = members(&body)?;
    let text = |name| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("orgid") != ORGANIZATION_ID {
        return Err(bad("orgID is not the id of this organization"));
    }
    let email = text("email");
    let parts = email.split_once('@');
    if !parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) {
        return Err(bad("email is no address"));
    }
    let roles = roles_of(&devops, &body).await?;
    let _changing = devops.inner.changing.lock().await;
    let admin = devops.inner.logins.admin();
    let mut users = records::all::<User>(admin).await?.into_iter();
    let known = users.find(|user| user.email.eq_ignore_ascii_case(email));
    if known.as_ref().is_some_and(|user| user.status == "active") {
        return Err(bad("this user is a member already"));
    }
    let user = User {
        id: known.map_or_else(Uuid::new_v4, |user| user.id),
        email: email.to_owned(),
        status: "invited".to_owned(),
        roles,
    };
    records::put(admin, &user).await?;
    Ok(StatusCode::OK.into_response())
}

/// `DELETE /{id}`
pub async fn remove(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-user-write")?;
    let _changing = devops.inner.changing.lock().await;
    let user = find(&devops, &id).await?;
    if user.id.to_string() == USER_ID {
        return Err(bad("the first user stays: an organization needs one"));
    }
    records::delete::<User>(devops.inner.logins.admin(), &user.id.to_string()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `PUT /{id}/roles`
pub async fn set_roles(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, DevOpsError> {
    require(&caller, "org-user-write")?;
    let _changing = devops.inner.changing.lock().await;
    let mut user = find(&devops, &id).await?;
    user.roles = roles_of(&devops, &members(&body)?).await?;
    records::put(devops.inner.logins.admin(), &user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
