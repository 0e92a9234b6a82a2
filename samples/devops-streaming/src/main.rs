//! The streaming tenants of an Astra organization over the DevOps API: HTTP and JSON, so `reqwest` is all it takes.
//!
//! Set ASTRA_ORG_TOKEN (README.md tells how), then `cargo run -p devops-streaming-sample`; with no Astra account,
//! `cargo local run devops-streaming-sample`. It only reads. The story it tells:
//!
//! 1. Providers: aws (useast1, uswest2, useast2), azure (westus2, eastus, australiaeast), gcp (...)
//! 2. Tenants, 1: rust-samples on pulsar-aws-useast1 (active)
//!
//! With `--create-tenant`, which may cost:
//!
//! 3. Created tenant rust-sample-1795659315490604-40213 on pulsar-aws-useast1
//! 4. It is listed after 0 s: broker pulsar+ssl://localhost:31763, web service https://localhost:26233
//! 5. Its tokens, 1: 22fe652e95
//! 6. Its limits: 20 namespaces, 100 topics in each
//! 7. Deleted tenant rust-sample-1795659315490604-40213 (also after an error or Ctrl-C)
//! 8. Gone after 0 s: its name is free

mod cleanup;
mod flags;
mod request;
mod tenant;
mod wait;

use std::collections::BTreeMap;

use anyhow::Result;
use request::fetch;
use reqwest::Client;
use serde::Deserialize;

/// A tenant, the parts that we show. The answer has its `pulsarToken` too, which is nobody's to see: not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tenant {
    #[serde(rename = "tenantName")]
    name: String,
    /// Deleting takes this one, never a name built from cloud and region.
    #[serde(rename = "clusterName")]
    cluster: String,
    #[serde(default)]
    status: String,
    broker_service_url: Option<String>,
    web_service_url: Option<String>,
}

/// Cloud and its regions, which have no dashes here.
type Providers = BTreeMap<String, Vec<String>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let flags = flags::read(&["--create-tenant"])?;
    let astra = shared::DevopsStreaming::from_env()?;
    let http = request::client(&astra.token)?;
    let url = format!("{}/v2/streaming", astra.url);
    let providers = list_providers(&http, &url).await?;
    list_tenants(&http, &url).await?;

    if flags.contains("--create-tenant") {
        let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
        let name = format!("rust-sample-{run}-{}", std::process::id());
        // What is asked of a tenant's own cluster goes to the streaming API.
        let clusters = format!("{}/v2/streaming", astra.streaming_url);
        tenant::create_and_delete(&http, &url, &clusters, &providers, &name).await?;
    }
    Ok(())
}

async fn list_providers(http: &Client, url: &str) -> Result<Providers> {
    let all: Providers = fetch(http.get(format!("{url}/providers"))).await?;
    let shown = all.iter();
    let shown = shown.map(|(cloud, regions)| format!("{cloud} ({})", regions.join(", ")));
    println!("1. Providers: {}", shown.collect::<Vec<_>>().join(", "));
    Ok(all)
}

async fn all_tenants(http: &Client, url: &str) -> Result<Vec<Tenant>> {
    let all: Option<Vec<Tenant>> = fetch(http.get(format!("{url}/tenants"))).await?;
    Ok(all.unwrap_or_default())
}

async fn list_tenants(http: &Client, url: &str) -> Result<()> {
    let all = all_tenants(http, url).await?;
    let shown = all.iter();
    let shown = shown.map(|one| format!("{} on {} ({})", one.name, one.cluster, one.status));
    let shown = shown.collect::<Vec<_>>().join(", ");
    println!("2. Tenants, {}: {shown}", all.len());
    Ok(())
}
