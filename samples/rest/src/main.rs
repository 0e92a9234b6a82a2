//! Tables and rows over Astra's Stargate REST API, with nothing but `reqwest`.
//!
//! 1. Check that the keyspace exists
//! 2. Show that a wrong token is rejected
//! 3. Create a table
//! 4. Insert two rows
//! 5. Read a row by its primary key
//! 6. Search, page by page
//! 7. Update a column
//! 8. Delete the row
//! 9. Drop the table, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_ID`, `ASTRA_DB_REGION`, `ASTRA_DB_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p rest-sample
//! cargo local run rest-sample    # without an Astra account
//! ```

mod http;

use anyhow::{Context, Result};
use http::{fetch, send};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::ExposeSecret;

#[derive(Debug, Deserialize, Serialize)]
struct User {
    first: String,
    last: String,
    color: String,
}

/// A page of rows. Pass `page_state` to get the next page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<User>,
    page_state: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = shared::Rest::from_env()?;
    let http = http::client("X-Cassandra-Token", astra.token.expose_secret())?;
    let (api, keyspace) = (format!("{}/v2", astra.url), astra.keyspace);
    let schema = format!("{api}/schemas/keyspaces/{keyspace}");
    tokio::select! {
        checked = check_keyspace(&http, &schema) => checked?,
        stopped = &mut stop => return Err(stopped.into()),
    }
    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let table = format!("rust_sample_users_{run}_{}", std::process::id());
    let rows = format!("{api}/keyspaces/{keyspace}/{table}");
    create_table(&http, &schema, &table).await?;
    let story = tokio::select! {
        story = use_table(&http, &rows) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let dropped = drop_table(&http, &schema, &table).await;
    if let (Err(_), Err(error)) = (&story, &dropped) {
        eprintln!("{error:#}");
    }
    story.and(dropped)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn check_keyspace(http: &Client, schema: &str) -> Result<()> {
    send(http.get(schema)).await?;
    println!("1. Found the keyspace");
    let wrong = http.get(schema).header("X-Cassandra-Token", "wrong");
    println!("2. Wrong token: {}", wrong.send().await?.status());
    Ok(())
}

async fn create_table(http: &Client, schema: &str, table: &str) -> Result<()> {
    let body = json!({
        "name": table,
        "columnDefinitions": [
            { "name": "first", "typeDefinition": "text" },
            { "name": "last", "typeDefinition": "text" },
            { "name": "color", "typeDefinition": "text" },
        ],
        "primaryKey": { "partitionKey": ["first"], "clusteringKey": ["last"] },
    });
    let created = send(http.post(format!("{schema}/tables")).json(&body)).await;
    created.with_context(|| format!("cannot create table {table}; drop it if it exists"))?;
    println!("3. Created table {table}");
    Ok(())
}

async fn use_table(http: &Client, rows: &str) -> Result<()> {
    for (first, last, color) in [("Ada", "Lovelace", "blue"), ("Grace", "Hopper", "red")] {
        let user = json!({ "first": first, "last": last, "color": color });
        send(http.post(rows).json(&user)).await?;
    }
    println!("4. Inserted Ada Lovelace and Grace Hopper");

    // The primary key is part of the URL, one segment per column.
    let ada = format!("{rows}/Ada/Lovelace");
    println!("5. Read by key: {:?}", read_users(http, &ada).await?);

    let condition = json!({ "first": { "$in": ["Ada", "Grace"] } });
    let (mut found, mut page_state) = (Vec::new(), None);
    for _ in 0..10 {
        let query = (("where", condition.to_string()), ("page-state", page_state));
        let page: Page = fetch(http.get(format!("{rows}?page-size=1")).query(&query)).await?;
        found.extend(page.data.into_iter().map(|user| user.first));
        page_state = page.page_state;
        if page_state.is_none() {
            break;
        }
    }
    println!("6. Found, one row per page: {}", found.join(", "));

    send(http.patch(&ada).json(&json!({ "color": "green" }))).await?;
    println!("7. Updated: {:?}", read_users(http, &ada).await?);

    send(http.delete(&ada)).await?;
    println!("8. Deleted, left: {:?}", read_users(http, &ada).await?);
    Ok(())
}

async fn read_users(http: &Client, url: &str) -> Result<Vec<User>> {
    Ok(fetch::<Page>(http.get(url)).await?.data)
}

async fn drop_table(http: &Client, schema: &str, table: &str) -> Result<()> {
    let dropped = send(http.delete(format!("{schema}/tables/{table}"))).await;
    dropped.with_context(|| format!("cannot drop table {table}"))?;
    println!("9. Dropped table {table}");
    Ok(())
}
