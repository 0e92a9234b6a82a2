//! Users, roles and tokens of an organization over Astra's DevOps API, with nothing but `reqwest`.
//!
//! 1. Show the current organization
//! 2. List its users, with masked addresses
//! 3. List its roles
//! 4. With `--create-role`: create a role that can only view databases
//! 5. Change its description and read it back
//! 6. Create a token with that role
//! 7. Show what the token can do and what is denied
//! 8. Revoke the token and delete the role, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_ORG_TOKEN`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p devops-organization-sample -- --create-role
//! cargo local run devops-organization-sample    # without an Astra account
//! ```

mod http;
mod role;
mod token;

use std::ffi::OsString;
use std::io::{Write, stderr, stdout};

use anyhow::{Context, Result, bail};
use http::fetch;
use reqwest::Client;
use role::Role;
use serde::Deserialize;
use shared::{ExposeSecret, printable};

#[derive(Deserialize)]
struct Organization {
    id: String,
}

/// The API writes these names with capitals, its specification without.
#[derive(Deserialize)]
struct Members {
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let flags: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(flag) = flags.iter().find(|flag| *flag != "--create-role") {
        bail!("unknown flag {flag:?}; known is --create-role");
    }
    let astra = shared::DevopsOrganization::from_env()?;
    let bearer = format!("Bearer {}", astra.token.expose_secret());
    let http = http::client("Authorization", &bearer)?;
    let url = format!("{}/v2", astra.url);
    let organization = tokio::select! {
        id = show_organization(&http, &url) => id?,
        stopped = &mut stop => return Err(stopped.into()),
    };
    if flags.is_empty() {
        return Ok(());
    }

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_{run}_{}", std::process::id());
    let body = role::body(&organization, &name);
    // A signal has to wait for a create: only what exists can be removed.
    let created = role::create(&http, &url, &body).await;
    // After a rejection (4xx) there is nothing to remove; in all other cases it may be listed later.
    let may_appear = !matches!(&created, Err(error) if error.to_string().starts_with('4'));
    let story = async {
        let id = created.context(format!("cannot create role {name}; delete it if it exists"))?;
        _ = writeln!(
            stdout(),
            "4. Created role {name} with id {}",
            printable(&id)
        );
        tokio::select! {
            changed = role::change_description(&http, &url, &id, body) => changed?,
            stopped = &mut stop => return Err(stopped.into()),
        }
        let token = token::create(&http, &url, &id).await?;
        tokio::select! {
            shown = token::show_rights(&token, &url) => shown,
            stopped = &mut stop => Err(stopped.into()),
        }
    };
    let story = story.await;
    let deleted = role::delete(&http, &url, &name, may_appear).await;
    if let (Err(_), Err(error)) = (&story, &deleted) {
        _ = writeln!(stderr(), "{error:#}");
    }
    story.and(deleted)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn show_organization(http: &Client, url: &str) -> Result<String> {
    let Organization { id } = fetch(http.get(format!("{url}/currentOrg"))).await?;
    println!("1. Current organization: {}", printable(&id));

    let Members { users } = fetch(http.get(format!("{url}/organizations/users"))).await?;
    let s = if users.len() == 1 { "" } else { "s" };
    let shown = join(users.iter().map(masked));
    println!("2. Found {} user{s}: {shown}", users.len());

    let roles: Vec<Role> = fetch(http.get(format!("{url}/organizations/roles"))).await?;
    let shown = join(roles.iter().map(|role| role.name.clone()));
    println!("3. Found {} roles: {shown}", roles.len());
    Ok(id)
}

/// Returns the first letter and the host of an address.
fn masked(User { email, status }: &User) -> String {
    let (name, host) = email.rsplit_once('@').unwrap_or_default();
    let first: String = name.chars().take(1).collect();
    format!("{first}***@{host} ({status})")
}

/// Puts texts from the server on one line.
fn join(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.map(|text| printable(&text)).collect();
    texts.join(", ")
}
