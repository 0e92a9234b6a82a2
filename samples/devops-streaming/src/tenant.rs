//! With `--create-tenant`: a tenant comes and goes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{select, signal::ctrl_c};

use crate::request::{Refused, fetch, send};
use crate::wait::{Now, until};
use crate::{Providers, Tenant, all_tenants, cleanup};

const PAUSE: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(120);
/// Cleaning up after Ctrl-C has a limit of its own, a little longer.
const DELETE_LIMIT: Duration = Duration::from_secs(50);

/// What a list of tokens tells: not the tokens.
#[derive(Deserialize)]
struct Token {
    #[serde(rename = "tokenid")]
    id: String,
}

/// Steps 3 to 8. `clusters` is the base URL of what a tenant's own cluster answers.
pub async fn create_and_delete(
    http: &Client,
    url: &str,
    clusters: &str,
    providers: &Providers,
    name: &str,
) -> Result<()> {
    let make = create(http, url, providers, name);
    let story = async {
        let tenant = wait_until_listed(http, url, name).await?;
        let ours = format!("{clusters}/tenants/{name}");
        list_tokens(of(&tenant, http.get(format!("{ours}/tokens")))).await?;
        show_limits(of(&tenant, http.get(format!("{ours}/limits")))).await
    };
    let undo = delete(http, url, name);
    let thing =
        format!("tenant {name}, which DELETE {url}/tenants/{name}/clusters/<its cluster> removes");
    cleanup::around(make, story, undo, &thing).await?;
    select! {
        gone = wait_until_gone(http, url, name) => gone,
        Ok(()) = ctrl_c() => bail!("Stopped by Ctrl-C. Tenant {name} goes by itself."),
    }
}

/// A request that the tenant's cluster answers.
fn of(tenant: &Tenant, request: RequestBuilder) -> RequestBuilder {
    request.header("X-DataStax-Pulsar-Cluster", &tenant.cluster)
}

/// In the first region of the first provider. Names are unique in the whole cluster: 409 if another has it.
async fn create(http: &Client, url: &str, providers: &Providers, name: &str) -> Result<()> {
    let mut places = providers.iter();
    let place = places.find_map(|(cloud, regions)| Some((cloud, regions.first()?)));
    let (cloud, region) = place.context("no provider has a region")?;
    let body = json!({
        "tenantName": name,
        "cloudProvider": cloud,
        "cloudRegion": region,
        "userEmail": "rust-sample@example.com",
    });
    let made: Tenant = fetch(http.post(format!("{url}/tenants")).json(&body)).await?;
    println!("3. Created tenant {name} on {}", made.cluster);
    Ok(())
}

async fn find(http: &Client, url: &str, name: &str) -> Result<Option<Tenant>> {
    let all = all_tenants(http, url).await?;
    Ok(all.into_iter().find(|tenant| tenant.name == name))
}

/// The two URLs are what the Pulsar samples need.
async fn wait_until_listed(http: &Client, url: &str, name: &str) -> Result<Tenant> {
    let start = Instant::now();
    let tenant = until("the tenant comes", PAUSE, LIMIT, async || {
        Ok(match find(http, url, name).await? {
            Some(tenant) if tenant.status == "active" => Now::Done(tenant),
            Some(tenant) => Now::NotYet(tenant.status),
            None => Now::NotYet("not listed".into()),
        })
    })
    .await?;
    println!(
        "4. It is listed after {} s: broker {}, web service {}",
        start.elapsed().as_secs(),
        tenant.broker_service_url.as_deref().unwrap_or("not told"),
        tenant.web_service_url.as_deref().unwrap_or("not told")
    );
    Ok(tenant)
}

async fn list_tokens(request: RequestBuilder) -> Result<()> {
    let all: Vec<Token> = fetch(request).await?;
    let ids: Vec<&str> = all.iter().map(|token| token.id.as_str()).collect();
    println!("5. Its tokens, {}: {}", ids.len(), ids.join(", "));
    Ok(())
}

async fn show_limits(request: RequestBuilder) -> Result<()> {
    let limits: Value = fetch(request).await?;
    println!(
        "6. Its limits: {} namespaces, {} topics in each",
        limits["namespace_limit"], limits["topic_per_namespace_limit"]
    );
    Ok(())
}

/// There is no delete without the cluster, which the list tells. 409 while something still uses the tenant.
async fn delete(http: &Client, url: &str, name: &str) -> Result<()> {
    until("deleting the tenant", PAUSE, DELETE_LIMIT, async || {
        let Some(Tenant { cluster, .. }) = find(http, url, name).await? else {
            return Ok(Now::Done(())); // It was never made.
        };
        let tenant = format!("{url}/tenants/{name}/clusters/{cluster}");
        let Err(error) = send(http.delete(tenant)).await else {
            return Ok(Now::Done(()));
        };
        let refused: Refused = error.downcast()?;
        match refused.status.as_u16() {
            404 => Ok(Now::Done(())),
            409 => Ok(Now::NotYet(refused.said)),
            _ => Err(refused.into()),
        }
    })
    .await?;
    println!("7. Deleted tenant {name}");
    Ok(())
}

/// HEAD says whether a name is taken (200) or free (404).
async fn wait_until_gone(http: &Client, url: &str, name: &str) -> Result<()> {
    let start = Instant::now();
    until("the tenant goes", PAUSE, LIMIT, async || {
        let Err(error) = send(http.head(format!("{url}/tenants/{name}"))).await else {
            return Ok(Now::NotYet("there".into()));
        };
        let refused: Refused = error.downcast()?;
        match refused.status.as_u16() {
            404 => Ok(Now::Done(())),
            _ => Err(refused.into()),
        }
    })
    .await?;
    println!(
        "8. Gone after {} s: its name is free",
        start.elapsed().as_secs()
    );
    Ok(())
}
