//! The databases of an organization and the regions for them.

use anyhow::Result;
use reqwest::Client;
use serde::Deserialize;
use shared::printable;

use crate::http::fetch;

/// A database. Its status is a string, because Astra adds new ones.
#[derive(Deserialize)]
pub struct Database {
    pub id: String,
    pub status: String,
    pub info: Info,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    #[serde(default)]
    pub name: String,
    pub keyspaces: Option<Vec<String>>,
    pub cloud_provider: Option<String>,
    pub region: Option<String>,
    datacenters: Option<Vec<Datacenter>>,
}

#[derive(Deserialize)]
struct Datacenter {
    region: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    name: String,
    cloud_provider: String,
}

/// Returns all databases. Each page starts after the last database of the page before it.
pub async fn list(http: &Client, databases: &str) -> Result<Vec<Database>> {
    let mut all: Vec<Database> = Vec::new();
    for _ in 0..100 {
        let last = all.last().map(|database| &database.id);
        let query = (("limit", 100), ("starting_after", last));
        let page: Vec<Database> = fetch(http.get(databases).query(&query)).await?;
        let is_last = page.len() < 100;
        all.extend(page);
        if is_last {
            break;
        }
    }
    Ok(all)
}

pub async fn show_all(http: &Client, databases: &str) -> Result<()> {
    let all = list(http, databases).await?;
    let shown = join(all.iter().map(|Database { id, status, info }| {
        let region = info.region.as_deref().unwrap_or("no region");
        format!("{} ({id}, {region}, {status})", info.name)
    }));
    let s = if all.len() == 1 { "" } else { "s" };
    println!("1. Found {} database{s}: {shown}", all.len());
    Ok(())
}

pub async fn show(http: &Client, database: &str) -> Result<Info> {
    let Database { info, .. } = fetch(http.get(database)).await?;
    let name = printable(&info.name);
    let keyspaces = join(info.keyspaces.iter().flatten());
    let regions = join(info.datacenters.iter().flatten().map(|one| &one.region));
    println!("2. Database {name}: keyspaces {keyspaces}; regions {regions}");
    Ok(info)
}

pub async fn show_regions(http: &Client, url: &str) -> Result<()> {
    let all: Vec<Region> = fetch(http.get(format!("{url}/v2/regions/serverless"))).await?;
    let first = all.iter().take(3);
    let first = join(first.map(|region| format!("{} ({})", region.name, region.cloud_provider)));
    println!("3. Found {} serverless regions: {first} ...", all.len());
    Ok(())
}

/// Puts texts from the server on one line.
fn join(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let texts: Vec<String> = texts.map(|text| printable(text.as_ref())).collect();
    texts.join(", ")
}
