//! The token that the flag creates, and a wait with a limit.

use std::io::{Write, stderr, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde::Deserialize;
use shared::{ExposeSecret, SecretString};

use crate::http::{self, fetch, send};

#[derive(Deserialize)]
struct Tokens {
    clients: Option<Vec<Token>>,
}

/// The response that creates a token is the only one with the token. Its `secret` is deliberately not deserialized.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    client_id: String,
    roles: Option<Vec<String>>,
    token: Option<String>,
}

pub async fn create(http: &Client, url: &str, role: &str) -> Result<SecretString> {
    let tokens = http.post(format!("{url}/clientIdSecrets"));
    let created = fetch(tokens.json(&serde_json::json!({ "roles": [role] }))).await;
    let created: Token = created.context("cannot create a token; revoke it if it is listed")?;
    let id = shared::printable(&created.client_id);
    _ = writeln!(stdout(), "6. Created a token for the role: client id {id}");
    Ok(created.token.context("a response without a token")?.into())
}

/// Shows that a token can do what its role allows, perhaps some seconds later, and nothing else.
pub async fn show_rights(token: &SecretString, url: &str) -> Result<()> {
    let bearer = format!("Bearer {}", token.expose_secret());
    let http = http::client("Authorization", &bearer)?;
    wait_until("the new token", 60, 0, async || {
        let status = http.get(format!("{url}/databases")).send().await?.status();
        let is_known = [200, 401, 403].contains(&status.as_u16());
        ensure!(is_known, "{status} from {url}/databases");
        Ok(status == 200)
    })
    .await?;
    let roles = format!("{url}/organizations/roles");
    let status = http.get(&roles).send().await?.status();
    ensure!(status == 401 || status == 403, "{status} from {roles}");
    let rights = "The token can list databases; listing roles is denied";
    _ = writeln!(stdout(), "7. {rights}: {status}");
    Ok(())
}

pub async fn revoke_all(http: &Client, tokens: &str, role: &str) -> Result<usize> {
    let all: Tokens = fetch(http.get(tokens)).await?;
    let mut revoked = 0;
    for token in all.clients.unwrap_or_default() {
        if token.roles.is_some_and(|roles| roles == [role]) {
            send(http.delete(format!("{tokens}/{}", token.client_id))).await?;
            revoked += 1;
        }
    }
    Ok(revoked)
}

/// Checks a condition every five seconds. An error is final unless a check succeeded in the last `patience` seconds.
pub async fn wait_until(
    what: &str,
    limit: u64,
    patience: u64,
    mut check: impl AsyncFnMut() -> Result<bool>,
) -> Result<u64> {
    let (start, mut responded) = (Instant::now(), 0);
    loop {
        let checked = check().await;
        let passed = start.elapsed().as_secs();
        match checked {
            Ok(true) => return Ok(passed),
            Ok(false) => {
                _ = writeln!(stderr(), "Waiting for {what}, {passed} s of {limit}");
                responded = passed;
            }
            Err(error) if passed >= responded + patience => return Err(error),
            Err(error) => _ = writeln!(stderr(), "{error:#}"),
        }
        ensure!(passed < limit, "gave up on {what} after {passed} s");
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}
