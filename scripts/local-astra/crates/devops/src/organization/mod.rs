//! The organization: `/currentOrg`, its users, roles and tokens.
//!
//! - [`users`]: its members; they cannot log in here
//! - [`roles`]: the permissions of tokens
//! - [`tokens`]: each one a role in Cassandra

mod roles;
mod tokens;
mod users;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, put};
use serde_json::json;
use uuid::Uuid;

use super::DevOps;
use super::error::{DevOpsError, json_answer};
use super::request::Caller;
use access::{CustomRole, Target, built_in};
use settings::ORGANIZATION_ID;
use store::{StoreError, records};
pub use users::ensure_first;

pub fn router() -> Router<DevOps> {
    Router::new()
        .route("/currentOrg", get(current))
        .route("/organizations/users", get(users::list).put(users::invite))
        .route(
            "/organizations/users/{id}",
            get(users::one).delete(users::remove),
        )
        .route("/organizations/users/{id}/roles", put(users::set_roles))
        .route("/organizations/roles", get(roles::list).post(roles::create))
        .route(
            "/organizations/roles/{id}",
            get(roles::one).put(roles::update).delete(roles::delete),
        )
        .route("/clientIdSecrets", get(tokens::list).post(tokens::create))
        .route("/clientIdSecrets/{id}", delete(tokens::revoke))
        // The same by older and newer names.
        .route("/clientIdSecret/{id}", delete(tokens::revoke))
        .route(
            "/tokens",
            get(tokens::list)
                .post(tokens::create)
                .delete(tokens::revoke_by_parameter),
        )
        .route("/tokens/{id}", delete(tokens::revoke))
}

/// `GET /currentOrg`: allowed with any valid token.
async fn current(_: Caller) -> Response {
    json_answer(StatusCode::OK, json!({"id": ORGANIZATION_ID}))
}

/// Rejects a caller whose roles do not allow an action on the organization, with 403 and a text.
fn require(caller: &Caller, action: &str) -> Result<(), DevOpsError> {
    if caller.may(action, Target::Organization) {
        return Ok(());
    }
    let why = format!("no role of this token allows {action}");
    Err(DevOpsError::Text(StatusCode::FORBIDDEN, why))
}

fn bad(why: impl Into<String>) -> DevOpsError {
    DevOpsError::Text(StatusCode::BAD_REQUEST, why.into())
}

fn unknown(what: &str, id: &str) -> DevOpsError {
    DevOpsError::Text(StatusCode::NOT_FOUND, format!("there is no {what} {id}"))
}

/// Returns id and name of every role, the built-in ones first.
async fn role_names(devops: &DevOps) -> Result<Vec<(Uuid, String)>, StoreError> {
    let custom = records::all::<CustomRole>(devops.inner.logins.admin()).await?;
    let built_in = built_in::all().map(|(id, name, _)| (id, name.to_owned()));
    let custom = custom.into_iter().map(|role| (role.id, role.name));
    Ok(built_in.chain(custom).collect())
}

/// An invalid list of roles. Requests for tokens and for users report it in different formats.
#[derive(Debug, thiserror::Error)]
enum RolesError {
    #[error("roles: at least one is needed, by its id")]
    Empty,
    #[error("there is no role {0}")]
    Unknown(String),
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Parses ids of roles, all of which must exist.
async fn known_roles(devops: &DevOps, ids: &[String]) -> Result<Vec<Uuid>, RolesError> {
    if ids.is_empty() {
        return Err(RolesError::Empty);
    }
    let known = role_names(devops).await?;
    let mut roles = Vec::new();
    for id in ids {
        let found = known
            .iter()
            .find(|(known, _)| known.to_string() == id.to_ascii_lowercase());
        let (id, _) = found.ok_or_else(|| RolesError::Unknown(id.clone()))?;
        if !roles.contains(id) {
            roles.push(*id);
        }
    }
    Ok(roles)
}
