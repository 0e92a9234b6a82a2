//! Streaming tenants of an organization over Astra's DevOps API, with nothing but `reqwest`.
//!
//! 1. List the clouds and regions that have Pulsar
//! 2. List the tenants
//! 3. With `--create-tenant`, which may incur charges: create a tenant
//! 4. Wait until it is active, show the URLs that the Pulsar samples need
//! 5. List the ids of its tokens
//! 6. Show its limits
//! 7. Delete it, also after an error or Ctrl-C
//! 8. Wait until it is gone
//!
//! # Prerequisites
//!
//! `ASTRA_ORG_TOKEN`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p devops-streaming-sample -- --create-tenant
//! cargo local run devops-streaming-sample    # without an Astra account
//! ```

mod delete;
mod http;
mod tenant;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Write, stderr};

use anyhow::{Context, Result, bail};
use http::fetch;
use reqwest::Client;
use serde::Deserialize;
use shared::{ExposeSecret, printable};

/// Clouds and their regions, which have no dashes here.
type Clouds = BTreeMap<String, Vec<String>>;

/// Its `pulsarToken` is a secret, so it is deliberately not deserialized.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tenant {
    #[serde(rename = "tenantName")]
    name: String,
    #[serde(rename = "clusterName")]
    cluster: String,
    #[serde(default)]
    status: String,
    broker_service_url: Option<String>,
    web_service_url: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let flags: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(flag) = flags.iter().find(|flag| *flag != "--create-tenant") {
        bail!("unknown flag {flag:?}; known is --create-tenant");
    }
    let astra = shared::DevopsStreaming::from_env()?;
    let bearer = format!("Bearer {}", astra.token.expose_secret());
    let http = http::client("Authorization", &bearer)?;
    let url = format!("{}/v2/streaming", astra.url);
    let clouds = tokio::select! {
        clouds = show_clouds_and_tenants(&http, &url) => clouds?,
        stopped = &mut stop => return Err(stopped.into()),
    };
    if flags.is_empty() {
        return Ok(());
    }

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust-sample-{run}-{}", std::process::id());
    // A signal has to wait for the response: only what exists can be deleted.
    let created = tenant::create(&http, &url, &clouds, &name).await;
    // After a rejection (4xx) there is nothing to delete; in all other cases it may be listed later.
    let may_appear = !matches!(&created, Err(error) if error.to_string().starts_with('4'));
    let story = async {
        created.context(format!(
            "cannot create tenant {name}; delete it if it exists"
        ))?;
        let cluster = tenant::wait_until_active(&http, &url, &name).await?;
        let url = format!("{}/v2/streaming/tenants/{name}", astra.streaming_url);
        tenant::show_tokens(&http, &url, &cluster).await?;
        tenant::show_limits(&http, &url, &cluster).await
    };
    let story = tokio::select! {
        biased; // an error of the create comes first
        story = story => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let deleted = delete::delete_tenant(&http, &url, &name, may_appear).await;
    if let (Err(_), Err(error)) = (&story, &deleted) {
        _ = writeln!(stderr(), "{error:#}");
    }
    story.and(deleted)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn show_clouds_and_tenants(http: &Client, url: &str) -> Result<Clouds> {
    let clouds: Clouds = fetch(http.get(format!("{url}/providers"))).await?;
    let shown = clouds.iter();
    let shown = join(shown.map(|(cloud, regions)| format!("{cloud} ({})", regions.join(", "))));
    println!("1. Clouds and regions: {shown}");

    let all = list(http, url).await?;
    let s = if all.len() == 1 { "" } else { "s" };
    let shown = all.iter();
    let shown = join(shown.map(|one| format!("{} on {} ({})", one.name, one.cluster, one.status)));
    println!("2. Found {} tenant{s}: {shown}", all.len());
    Ok(clouds)
}

async fn list(http: &Client, url: &str) -> Result<Vec<Tenant>> {
    let all: Option<_> = fetch(http.get(format!("{url}/tenants"))).await?;
    Ok(all.unwrap_or_default())
}

async fn find(http: &Client, url: &str, name: &str) -> Result<Option<Tenant>> {
    let all = list(http, url).await?;
    Ok(all.into_iter().find(|tenant| tenant.name == name))
}

/// Puts texts from the server on one line.
fn join(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.map(|text| printable(&text)).collect();
    texts.join(", ")
}
