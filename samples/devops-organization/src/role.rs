//! With `--create-role`: a role and a token come and go.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::SecretString;

use crate::request::{Refused, fetch, refusal, send};
use crate::wait::{Now, until};
use crate::{Role, cleanup, request};

/// How often we look whether a new token works, and for how long.
const PAUSE: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(60);

/// A new token. This answer is the only one that ever has it; its other secret we do not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    client_id: String,
    token: String,
}

#[derive(Deserialize)]
struct Tokens {
    clients: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    client_id: String,
    roles: Option<Vec<String>>,
}

/// Steps 4 to 8.
pub async fn create_and_delete(
    http: &Client,
    url: &str,
    organization: &str,
    name: &str,
) -> Result<()> {
    let roles = format!("{url}/organizations/roles");
    let make = create_role(http, &roles, organization, name);
    let story = async {
        let role = find(http, &roles, name).await?;
        let role = role.context("the new role is not listed")?;
        change_description(http, &format!("{roles}/{}", role.id), organization, name).await?;
        let token = create_token(http, url, &role.id).await?;
        try_token(url, &roles, &token).await
    };
    let undo = revoke_and_delete(http, url, &roles, name);
    let thing = format!(
        "role {name} and its token, which DELETE {url}/clientIdSecrets/<client id> and DELETE {roles}/<its id> remove"
    );
    cleanup::around(make, story, undo, &thing).await
}

/// A role that lacks one of these resources logs in, but can do nothing with databases.
fn role(organization: &str, name: &str, description: &str) -> Value {
    let organization = format!("drn:astra:org:{organization}");
    json!({
        "name": name,
        "policy": {
            "description": description,
            "effect": "allow",
            "actions": ["org-db-view"],
            "resources": [
                organization,
                format!("{organization}:db:*"),
                format!("{organization}:db:*:keyspace:*"),
                format!("{organization}:db:*:keyspace:*:table:*"),
            ],
        },
    })
}

async fn create_role(http: &Client, roles: &str, organization: &str, name: &str) -> Result<()> {
    let body = role(organization, name, "Views databases");
    let made: Role = fetch(http.post(roles).json(&body)).await?;
    println!(
        "4. Created role {name}, which may view databases: the id is {}",
        made.id
    );
    Ok(())
}

async fn change_description(
    http: &Client,
    url: &str,
    organization: &str,
    name: &str,
) -> Result<()> {
    let body = role(organization, name, "Views databases, nothing else");
    send(http.put(url).json(&body)).await?;
    let Role { policy, .. } = fetch(http.get(url)).await?;
    let policy = match policy.as_str() {
        Some(text) => serde_json::from_str(text)?,
        None => policy,
    };
    let description = policy["description"].as_str().unwrap_or("none");
    println!("5. Changed its description, read again: {description}");
    Ok(())
}

async fn create_token(http: &Client, url: &str, role: &str) -> Result<SecretString> {
    let body = json!({ "roles": [role] });
    let made: Token = fetch(http.post(format!("{url}/clientIdSecrets")).json(&body)).await?;
    println!(
        "6. Created a token with that role: client id {}",
        made.client_id
    );
    Ok(made.token.into())
}

/// It can do what its role allows, perhaps a moment later, and nothing else.
async fn try_token(url: &str, roles: &str, token: &SecretString) -> Result<()> {
    let limited = request::client(token)?;
    let databases = format!("{url}/databases");
    until("the new token works", PAUSE, LIMIT, async || {
        let Err(error) = send(limited.get(&databases)).await else {
            return Ok(Now::Done(()));
        };
        let refused: Refused = error.downcast()?;
        match refused.status.as_u16() {
            401 | 403 => Ok(Now::NotYet(refused.said)),
            _ => Err(refused.into()),
        }
    })
    .await?;
    let Refused { status, said, .. } = refusal(limited.get(roles)).await?;
    let expected = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
    ensure!(
        expected,
        "the roles were refused, but with {status}, {said}"
    );
    println!("7. It lists the databases, but is refused the roles: {status}, {said}");
    Ok(())
}

/// By its name, which no other has: the answer that told its id may be lost.
async fn find(http: &Client, roles: &str, name: &str) -> Result<Option<Role>> {
    let all: Vec<Role> = fetch(http.get(roles)).await?;
    Ok(all.into_iter().find(|role| role.name == name))
}

/// The tokens of the role, however many there are, then the role.
async fn revoke_and_delete(http: &Client, url: &str, roles: &str, name: &str) -> Result<()> {
    let Some(role) = find(http, roles, name).await? else {
        return Ok(()); // It was never made.
    };
    let tokens = format!("{url}/clientIdSecrets");
    let all: Tokens = fetch(http.get(&tokens)).await?;
    let mut revoked = 0;
    for token in all.clients.unwrap_or_default() {
        if token.roles.is_some_and(|roles| roles == [role.id.as_str()]) {
            send(http.delete(format!("{tokens}/{}", token.client_id))).await?;
            revoked += 1;
        }
    }
    send(http.delete(format!("{roles}/{}", role.id))).await?;
    println!("8. Revoked tokens: {revoked}, deleted role {name}");
    Ok(())
}
