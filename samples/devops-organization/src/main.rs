//! The users, roles and tokens of an Astra organization over the DevOps API: HTTP and JSON, so `reqwest` is all
//! it takes.
//!
//! Set ASTRA_ORG_TOKEN (README.md tells how), then `cargo run -p devops-organization-sample`; with no Astra
//! account, `cargo local run devops-organization-sample`. It only reads. The story it tells:
//!
//! 1. Current organization: 10ca1a57-7a00-4000-8000-00000000000a
//! 2. Users of Local Astra, 1: y***@localhost (active)
//! 3. Roles, 16: Organization Administrator, Database Administrator, Billing Admin, ...
//!
//! With `--create-role`:
//!
//! 4. Created role rust_sample_1795648167863622_40213, which may view databases: the id is 51801de9-9e01-4406-b3b2-0fc811939a55
//! 5. Changed its description, read again: Views databases, nothing else
//! 6. Created a token with that role: client id xURbb1bcusJW4eEAA8SZydcP
//! 7. It lists the databases, but is refused the roles: 403 Forbidden, no role of this token allows org-role-read
//! 8. Revoked tokens: 1, deleted role rust_sample_1795648167863622_40213 (also after an error or Ctrl-C)

mod cleanup;
mod flags;
mod request;
mod role;
mod wait;

use anyhow::Result;
use request::fetch;
use reqwest::Client;
use serde::Deserialize;

#[derive(Deserialize)]
struct Organization {
    id: String,
}

/// The API writes these keys with capitals, its specification without: we read both.
#[derive(Deserialize)]
struct Members {
    #[serde(rename = "OrgName", alias = "orgName")]
    organization: Option<String>,
    #[serde(rename = "Users", alias = "users")]
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "Email", alias = "email")]
    email: String,
    #[serde(rename = "Status", alias = "status")]
    status: String,
}

#[derive(Deserialize)]
struct Role {
    #[serde(rename = "ID", alias = "id")]
    id: String,
    #[serde(rename = "Name", alias = "name")]
    name: String,
    /// An object, or a string with that object's JSON in it.
    #[serde(rename = "Policy", alias = "policy", default)]
    policy: serde_json::Value,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let flags = flags::read(&["--create-role"])?;
    let astra = shared::DevopsOrganization::from_env()?;
    let url = format!("{}/v2", astra.url);
    let http = request::client(&astra.token)?;
    let organization = current_organization(&http, &url).await?;
    list_users(&http, &url).await?;
    list_roles(&http, &url).await?;

    if flags.contains("--create-role") {
        let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
        let name = format!("rust_sample_{run}_{}", std::process::id());
        role::create_and_delete(&http, &url, &organization, &name).await?;
    }
    Ok(())
}

async fn current_organization(http: &Client, url: &str) -> Result<String> {
    let Organization { id } = fetch(http.get(format!("{url}/currentOrg"))).await?;
    println!("1. Current organization: {id}");
    Ok(id)
}

async fn list_users(http: &Client, url: &str) -> Result<()> {
    let all: Members = fetch(http.get(format!("{url}/organizations/users"))).await?;
    let shown = all.users.iter();
    let shown = shown.map(|User { email, status }| format!("{} ({status})", masked(email)));
    let shown: Vec<String> = shown.collect();
    let organization = all.organization.as_deref().unwrap_or("the organization");
    println!(
        "2. Users of {organization}, {}: {}",
        shown.len(),
        shown.join(", ")
    );
    Ok(())
}

/// An address as others may see it: its first letter and its host.
fn masked(email: &str) -> String {
    let host = email.rsplit_once('@').map_or("***", |(_, host)| host);
    let first = email.chars().next().filter(|first| *first != '@');
    format!("{}***@{host}", first.map(String::from).unwrap_or_default())
}

async fn list_roles(http: &Client, url: &str) -> Result<()> {
    let all: Vec<Role> = fetch(http.get(format!("{url}/organizations/roles"))).await?;
    let names: Vec<&str> = all.iter().map(|role| role.name.as_str()).collect();
    println!("3. Roles, {}: {}", names.len(), names.join(", "));
    Ok(())
}
