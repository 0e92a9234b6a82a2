//! The role that the flag creates.

use std::io::{Write, stdout};
use std::time::Instant;

use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{fetch, send};
use crate::token::{self, wait_until};

#[derive(Deserialize)]
pub struct Role {
    #[serde(rename = "ID", alias = "id")]
    pub id: String,
    #[serde(rename = "Name", alias = "name")]
    pub name: String,
    /// An object, or a string that contains its JSON.
    #[serde(rename = "Policy", alias = "policy", default)]
    policy: Value,
}

/// A role that can view databases. Without one of these resources its tokens can do nothing with databases.
pub fn body(organization: &str, name: &str) -> Value {
    let resources = ["", ":db:*", ":db:*:keyspace:*", ":db:*:keyspace:*:table:*"];
    json!({
        "name": name,
        "policy": {
            "description": "Views databases",
            "effect": "allow",
            "actions": ["org-db-view"],
            "resources": resources.map(|part| format!("drn:astra:org:{organization}{part}")),
        },
    })
}

/// Returns the id of the new role.
pub async fn create(http: &Client, url: &str, body: &Value) -> Result<String> {
    let roles = http.post(format!("{url}/organizations/roles"));
    let Role { id, .. } = fetch(roles.json(body)).await?;
    Ok(id)
}

pub async fn change_description(http: &Client, url: &str, id: &str, mut body: Value) -> Result<()> {
    let url = format!("{url}/organizations/roles/{id}");
    body["policy"]["description"] = json!("Views databases, nothing else");
    send(http.put(&url).json(&body)).await?;
    let Role { policy, .. } = fetch(http.get(url)).await?;
    let policy = match policy {
        Value::String(json) => serde_json::from_str(&json)?,
        object => object,
    };
    let description = &policy["description"];
    _ = writeln!(stdout(), "5. Changed its description: {description}");
    Ok(())
}

/// Deletes the role and its tokens. Searches by name, because the response to the create can be lost.
pub async fn delete(http: &Client, url: &str, name: &str, mut may_appear: bool) -> Result<()> {
    let roles = format!("{url}/organizations/roles");
    let tokens = format!("{url}/clientIdSecrets");
    let start = Instant::now();
    let deleted = wait_until("the role", 60, 45, async || {
        let all: Vec<Role> = fetch(http.get(&roles)).await?;
        let Some(role) = all.into_iter().find(|role| role.name == name) else {
            return Ok(!may_appear || start.elapsed().as_secs() >= 10);
        };
        may_appear = false;
        let revoked = token::revoke_all(http, &tokens, &role.id).await?;
        send(http.delete(format!("{roles}/{}", role.id))).await?;
        _ = writeln!(
            stdout(),
            "8. Revoked tokens: {revoked}, deleted role {name}"
        );
        Ok(true)
    });
    let how = format!("DELETE {tokens}/<client id> and DELETE {roles}/<its id> remove them");
    let left = format!("role {name} and its token may be left behind; {how}");
    deleted.await.map(drop).context(left)
}
