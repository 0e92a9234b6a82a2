//! The tenant that the flag creates: steps 3 to 6.
//! It writes with `writeln!` and ignores errors, because `println!` panics when the output is closed.

use std::io::{Write, stdout};

use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::printable;

use crate::delete::wait_until;
use crate::http::fetch;
use crate::{Clouds, Tenant, find, join};

/// The payload of a token, without the token itself.
#[derive(Deserialize)]
struct Token {
    #[serde(rename = "tokenid")]
    id: String,
}

/// Creates a tenant in the first region of the first cloud.
pub async fn create(http: &Client, url: &str, clouds: &Clouds, name: &str) -> Result<()> {
    let (cloud, regions) = clouds.iter().next().context("no cloud has Pulsar")?;
    let tenants = http.post(format!("{url}/tenants")).json(&json!({
        "tenantName": name,
        "cloudProvider": cloud,
        "cloudRegion": regions.first(),
        "userEmail": "rust-sample@example.com",
    }));
    let Tenant { cluster, .. } = fetch(tenants).await?;
    let cluster = printable(&cluster);
    _ = writeln!(stdout(), "3. Created tenant {name} on {cluster}");
    Ok(())
}

/// Returns the name of its cluster.
pub async fn wait_until_active(http: &Client, url: &str, name: &str) -> Result<String> {
    let mut active = None;
    let seconds = wait_until("the tenant", 120, 0, async || {
        let found = find(http, url, name).await?;
        active = found.filter(|tenant| tenant.status == "active");
        Ok(active.is_some())
    });
    let seconds = seconds.await?;
    let tenant: Tenant = active.context("no tenant")?;
    let broker = tenant.broker_service_url.unwrap_or_default();
    let web_service = tenant.web_service_url.unwrap_or_default();
    let urls = printable(&format!("broker {broker}, web service {web_service}"));
    _ = writeln!(stdout(), "4. Active after {seconds} s: {urls}");
    Ok(tenant.cluster)
}

pub async fn show_tokens(http: &Client, tenant: &str, cluster: &str) -> Result<()> {
    let tokens = http.get(format!("{tenant}/tokens"));
    let tokens: Vec<Token> = fetch(tokens.header("X-DataStax-Pulsar-Cluster", cluster)).await?;
    let ids = join(tokens.into_iter().map(|token| token.id));
    _ = writeln!(stdout(), "5. Ids of its tokens: {ids}");
    Ok(())
}

pub async fn show_limits(http: &Client, tenant: &str, cluster: &str) -> Result<()> {
    let limits = http.get(format!("{tenant}/limits"));
    let limits: Value = fetch(limits.header("X-DataStax-Pulsar-Cluster", cluster)).await?;
    let topics = &limits["topic_per_namespace_limit"];
    let limits = format!(
        "{} namespaces, {topics} topics in each",
        limits["namespace_limit"]
    );
    _ = writeln!(stdout(), "6. Its limits: {limits}");
    Ok(())
}
