//! Databases, keyspaces and secure connect bundles over Astra's DevOps API, with nothing but `reqwest`.
//!
//! 1. List the databases
//! 2. Show the keyspaces and regions of one database
//! 3. List the regions for serverless databases
//! 4. Download the secure connect bundle, unless its file exists (`--force` replaces it)
//! 5. With `--create-keyspace`: create a keyspace
//! 6. Wait until the database is ACTIVE again
//! 7. Delete the keyspace, also after an error or Ctrl-C
//! 8. With `--create-db`, which may incur charges: create a database
//! 9. Wait until it is ACTIVE
//! 10. Terminate it, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_ORG_TOKEN`, `ASTRA_DB_ID`, `ASTRA_DB_REGION`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p devops-database-sample -- --create-keyspace
//! cargo local run devops-database-sample    # without an Astra account
//! ```

mod bundle;
mod create;
mod database;
mod http;

use std::ffi::OsString;

use anyhow::{Result, bail};
use create::create_and_remove;
use database::{Database, Info};
use reqwest::Client;
use serde_json::json;
use shared::{DevopsDatabase, ExposeSecret, StopSignal};

const FLAGS: [&str; 3] = ["--create-keyspace", "--create-db", "--force"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let flags: Vec<_> = std::env::args_os().skip(1).collect();
    let is_unknown = |flag: &&OsString| FLAGS.iter().all(|known| flag != known);
    if let Some(flag) = flags.iter().find(is_unknown) {
        bail!("unknown flag {flag:?}; known are {}", FLAGS.join(", "));
    }
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let astra = DevopsDatabase::from_env()?;
    let bearer = format!("Bearer {}", astra.token.expose_secret());
    let http = http::client("Authorization", &bearer)?;
    let databases = format!("{}/v2/databases", astra.url);
    let url = format!("{databases}/{}", astra.database_id);
    let info = tokio::select! {
        info = read(&http, &astra, &url, has("--force")) => info?,
        stopped = &mut stop => return Err(stopped.into()),
    };

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_{run}_{}", std::process::id());
    if has("--create-keyspace") {
        use_keyspace(&http, &url, &name, &mut stop).await?;
    }
    if has("--create-db") {
        use_database(&http, &databases, &name, &info, &mut stop).await?;
    }
    Ok(())
}

async fn read(http: &Client, astra: &DevopsDatabase, url: &str, force: bool) -> Result<Info> {
    database::show_all(http, &format!("{}/v2/databases", astra.url)).await?;
    let info = database::show(http, url).await?;
    database::show_regions(http, &astra.url).await?;
    let link = bundle::link(http, url, &astra.region).await?;
    let default = bundle::default_path(&info.name);
    bundle::save(&link, astra.bundle_path.as_ref().unwrap_or(&default), force).await?;
    Ok(info)
}

async fn use_keyspace(
    http: &Client,
    database: &str,
    name: &str,
    stop: &mut StopSignal,
) -> Result<()> {
    let url = format!("{database}/keyspaces/{name}");
    let find = async || {
        let Database { status, info, .. } = http::fetch(http.get(database)).await?;
        let exists = info.keyspaces.iter().flatten().any(|other| other == name);
        // In MAINTENANCE its keyspaces change.
        Ok((exists || status == "MAINTENANCE").then(|| (status, http.delete(&url))))
    };
    let steps = ["5. Created", "6. ACTIVE", "7. Deleted"];
    let (what, how) = (format!("keyspace {name}"), format!("DELETE {url}"));
    create_and_remove(steps, (&what, &how), http.post(&url), find, stop).await
}

async fn use_database(
    http: &Client,
    databases: &str,
    name: &str,
    like: &Info,
    stop: &mut StopSignal,
) -> Result<()> {
    let create = http.post(databases).json(&json!({
        "name": name,
        "keyspace": name,
        "cloudProvider": like.cloud_provider,
        "region": like.region,
        "tier": "serverless",
        "capacityUnits": 1,
    }));
    let find = async || {
        let all = database::list(http, databases).await?;
        let found = all.into_iter().find(|database| database.info.name == name);
        let terminate = |id| http.post(format!("{databases}/{id}/terminate"));
        Ok(found.map(|Database { id, status, .. }| (status, terminate(id))))
    };
    let steps = ["8. Created", "9. ACTIVE", "10. Terminated"];
    let what = format!("database {name}");
    let how = format!("POST {databases}/<its id>/terminate");
    create_and_remove(steps, (&what, &how), create, find, stop).await
}
