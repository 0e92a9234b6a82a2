//! JSON documents over Astra's Stargate Document API, with nothing but `reqwest`.
//!
//! 1. Check that the namespace, which is a keyspace, exists
//! 2. Show that a wrong token is rejected
//! 3. Create a collection
//! 4. Post a document; the server chooses its id
//! 5. Put two documents under ids of your own
//! 6. Read a document
//! 7. Search, page by page
//! 8. Patch a part of a document, and read that part
//! 9. Delete a document
//! 10. Delete the collection, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_ID`, `ASTRA_DB_REGION`, `ASTRA_DB_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p document-sample
//! cargo local run document-sample    # without an Astra account
//! ```

mod http;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use http::{fetch, send};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::ExposeSecret;

#[derive(Debug, Deserialize, Serialize)]
struct Person {
    name: String,
    age: u32,
    address: BTreeMap<String, String>,
}

/// A page of documents by id. Pass `page_state` to get the next page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: BTreeMap<String, Person>,
    page_state: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = shared::Document::from_env()?;
    let http = http::client("X-Cassandra-Token", astra.token.expose_secret())?;
    let namespace = format!("{}/v2/schemas/namespaces/{}", astra.url, astra.keyspace);
    tokio::select! {
        checked = check_namespace(&http, &namespace) => checked?,
        stopped = &mut stop => return Err(stopped.into()),
    }

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_person_{run}_{}", std::process::id());
    let collections = format!("{}/v2/namespaces/{}/collections", astra.url, astra.keyspace);
    let people = format!("{collections}/{name}");
    create_collection(&http, &collections, &name).await?;
    let story = tokio::select! {
        story = use_collection(&http, &people) => story,
        stopped = &mut stop => Err(stopped.into()),
    }
    .with_context(|| format!("check that collection {name} is gone; a late write may restore it"));
    let deleted = delete_collection(&http, &people, &name).await;
    if let (Err(_), Err(error)) = (&story, &deleted) {
        eprintln!("{error:#}");
    }
    story.and(deleted)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn check_namespace(http: &Client, url: &str) -> Result<()> {
    send(http.get(url)).await?;
    println!("1. Found the namespace");
    let wrong = http.get(url).header("X-Cassandra-Token", "wrong");
    println!("2. Wrong token: {}", wrong.send().await?.status());
    Ok(())
}

async fn create_collection(http: &Client, collections: &str, name: &str) -> Result<()> {
    let created = send(http.post(collections).json(&json!({ "name": name }))).await;
    created.with_context(|| format!("cannot create collection {name}; delete it if it exists"))?;
    println!("3. Created collection {name}");
    Ok(())
}

async fn use_collection(http: &Client, people: &str) -> Result<()> {
    let ada = person("Ada", 36, "London", "UK");
    let posted: BTreeMap<String, String> = fetch(http.post(people).json(&ada)).await?;
    println!("4. Posted Ada: {posted:?}");

    let (p1, p2) = (format!("{people}/p1"), format!("{people}/p2"));
    send(http.put(&p1).json(&person("Grace", 45, "New York", "US"))).await?;
    send(http.put(&p2).json(&person("Alan", 41, "Wilmslow", "UK"))).await?;
    println!("5. Put Grace as p1 and Alan as p2");

    let person: Person = fetch(http.get(format!("{p1}?raw=true"))).await?;
    println!("6. Read p1: {person:?}");

    let condition = json!({ "age": { "$gte": 40 } });
    let (mut found, mut page_state) = (Vec::new(), None);
    for _ in 0..10 {
        let query = (("where", condition.to_string()), ("page-state", page_state));
        let page: Page = fetch(http.get(format!("{people}?page-size=1")).query(&query)).await?;
        found.extend(page.data.into_values().map(|person| person.name));
        let Some(next) = page.page_state else { break };
        page_state = Some(next);
    }
    println!("7. Found, one document per page: {}", found.join(", "));

    // The path may point inside the document. Fields missing from the patch are kept.
    let url = format!("{p1}/address?raw=true");
    send(http.patch(&url).json(&json!({ "city": "Arlington" }))).await?;
    let address: BTreeMap<String, String> = fetch(http.get(&url)).await?;
    println!("8. Patched p1: {address:?}");

    send(http.delete(&p2)).await?;
    let read = http.get(&p2).send().await?;
    println!("9. Deleted p2, read again: {}", read.status());
    Ok(())
}

fn person(name: &str, age: u32, city: &str, country: &str) -> serde_json::Value {
    json!({ "name": name, "age": age, "address": { "city": city, "country": country } })
}

async fn delete_collection(http: &Client, people: &str, name: &str) -> Result<()> {
    let deleted = send(http.delete(people)).await;
    deleted.with_context(|| format!("cannot delete collection {name}"))?;
    println!("10. Deleted collection {name}");
    Ok(())
}
