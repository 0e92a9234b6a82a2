//! The databases of an Astra organization over the DevOps API: HTTP and JSON, so `reqwest` is all it takes.
//!
//! Set ASTRA_ORG_TOKEN, ASTRA_DB_ID and ASTRA_DB_REGION (README.md tells how), then
//! `cargo run -p devops-database-sample`; with no Astra account, `cargo local run devops-database-sample`.
//! It only reads, and writes one file; `--force` lets it write over an existing one. The story it tells:
//!
//! 1. Databases, 1: local (10ca1a57-7a00-4000-8000-000000000001, us-east1, ACTIVE)
//! 2. Database local: keyspaces samples, samples_graphql_first; regions us-east1
//! 3. Serverless regions, 25: us-east-1 (AWS), us-east-2 (AWS), us-west-2 (AWS) ...
//! 4. Wrote .../secure-connect-local.zip: 13476 bytes, for its owner only
//!
//! With `--create-keyspace`, which takes some seconds:
//!
//! 5. Created keyspace rust_sample_1795648184022191_40213
//! 6. ACTIVE again after 4 s, and the keyspace is there
//! 7. Deleted keyspace rust_sample_1795648184022191_40213 (also after an error or Ctrl-C)
//!
//! With `--create-db`, which takes minutes on Astra and may cost:
//!
//! 8. Created database rust_sample_1795648184022191_40213: the id is 09b10aa8-ff58-453c-a30c-275b64f95e75
//! 9. ACTIVE after 5 s
//! 10. Terminated database 09b10aa8-ff58-453c-a30c-275b64f95e75 (also after an error or Ctrl-C)
//! 11. Gone after 5 s

mod bundle;
mod cleanup;
mod database;
mod flags;
mod keyspace;
mod request;
mod wait;

use anyhow::Result;
use request::fetch;
use reqwest::Client;
use serde::Deserialize;

/// A database, the parts that we show. Its status stays a string: there may be ones that nobody wrote down.
#[derive(Deserialize)]
struct Database {
    id: String,
    status: String,
    info: Info,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    #[serde(default)]
    name: String,
    /// Absent or `null` while there is none.
    keyspaces: Option<Vec<String>>,
    cloud_provider: Option<String>,
    region: Option<String>,
    datacenters: Option<Vec<Datacenter>>,
}

/// One for each region of a database.
#[derive(Deserialize)]
struct Datacenter {
    region: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    name: String,
    cloud_provider: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let flags = flags::read(&["--create-keyspace", "--create-db", "--force"])?;
    let astra = shared::DevopsDatabase::from_env()?;
    let http = request::client(&astra.token)?;
    let databases = format!("{}/v2/databases", astra.url);
    let ours = format!("{databases}/{}", astra.database_id);
    list_databases(&http, &databases).await?;
    let database = show_database(&http, &ours).await?;
    list_regions(&http, &astra.url).await?;
    let file = match astra.bundle_path {
        Some(path) => path,
        None => bundle::default_path(&database.info.name),
    };
    let link = bundle::link(&http, &ours, &astra.region).await?;
    bundle::save(&link, &file, flags.contains("--force")).await?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_{run}_{}", std::process::id());
    if flags.contains("--create-keyspace") {
        keyspace::create_and_delete(&http, &ours, &name).await?;
    }
    if flags.contains("--create-db") {
        database::create_and_terminate(&http, &databases, &name, &database.info).await?;
    }
    Ok(())
}

async fn list_databases(http: &Client, databases: &str) -> Result<()> {
    let all = database::all(http, databases).await?;
    let shown = all.iter().map(|Database { id, status, info }| {
        let region = info.region.as_deref().unwrap_or("no region");
        format!("{} ({id}, {region}, {status})", info.name)
    });
    let shown: Vec<String> = shown.collect();
    println!("1. Databases, {}: {}", all.len(), shown.join(", "));
    Ok(())
}

async fn show_database(http: &Client, ours: &str) -> Result<Database> {
    let database: Database = fetch(http.get(ours)).await?;
    let info = &database.info;
    let keyspaces = info.keyspaces.as_deref().unwrap_or_default().join(", ");
    let regions = info.datacenters.iter().flatten();
    let regions: Vec<&str> = regions.map(|one| one.region.as_str()).collect();
    let regions = regions.join(", ");
    println!(
        "2. Database {}: keyspaces {keyspaces}; regions {regions}",
        info.name
    );
    Ok(database)
}

async fn list_regions(http: &Client, url: &str) -> Result<()> {
    let all: Vec<Region> = fetch(http.get(format!("{url}/v2/regions/serverless"))).await?;
    let shown = all.iter().take(3).map(
        |Region {
             name,
             cloud_provider,
         }| { format!("{name} ({})", cloud_provider.as_deref().unwrap_or("?")) },
    );
    let shown: Vec<String> = shown.collect();
    println!(
        "3. Serverless regions, {}: {} ...",
        all.len(),
        shown.join(", ")
    );
    Ok(())
}
