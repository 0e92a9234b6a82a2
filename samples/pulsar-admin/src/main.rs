//! Namespaces, topics and subscriptions of an Astra Streaming tenant, over Pulsar's admin API. It is HTTP and JSON,
//! so `reqwest` is all it takes.
//!
//! Set ASTRA_STREAMING_NAME, ASTRA_STREAMING_PULSAR_TOKEN and ASTRA_STREAMING_WEBSERVICE_URL (README.md tells how),
//! then `cargo run -p pulsar-admin-sample`; with no Astra account, `cargo local run pulsar-admin-sample`. The story
//! it tells:
//!
//! 1. Namespaces of tenant rust-samples: rust-samples/default
//! 2. Wrong token: 401 Unauthorized, failed to obtain subject
//! 3. Created namespace rust-samples/rust_sample_namespace_1795517143324898_40213
//! 4. Created topic orders
//! 5. Topics there: persistent://rust-samples/rust_sample_namespace_1795517143324898_40213/orders
//! 6. Created subscription billing, at the earliest message
//! 7. Stats: 0 messages came in, 0 bytes are stored, backlog of billing: 0
//! 8. Deleted topic orders
//! 9. Deleted namespace rust-samples/rust_sample_namespace_1795517143324898_40213 (8 and 9 also after an error or Ctrl-C)

mod cleanup;
mod request;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use request::{Refused, delete, fetch, send};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

const TOPIC: &str = "orders";
const SUBSCRIPTION: &str = "billing";

/// What we read of a topic's stats; there are some forty fields more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    msg_in_counter: u64,
    storage_size: u64,
    subscriptions: BTreeMap<String, Subscription>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    /// Messages not yet acknowledged.
    msg_backlog: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let astra = shared::PulsarAdmin::from_env()?;
    let api = format!("{}/admin/v2", astra.url);
    let http = request::client(&astra.token)?;
    let namespaces = format!("{api}/namespaces/{}", astra.tenant);
    list_namespaces(&http, &namespaces, &astra.tenant).await?;
    try_wrong_token(&http, &namespaces).await?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let (tenant, process) = (&astra.tenant, std::process::id());
    let ours = format!("{tenant}/rust_sample_namespace_{run}_{process}");
    let namespace = format!("{api}/namespaces/{ours}");
    let topics = format!("{api}/persistent/{ours}");
    let topic = format!("{topics}/{TOPIC}");
    let make = create_namespace(&http, &namespace, &ours);
    let story = async {
        create_topic(&http, &topic).await?;
        list_topics(&http, &topics).await?;
        create_subscription(&http, &topic).await?;
        read_stats(&http, &topic).await
    };
    let undo = delete_all(&http, &topic, &namespace, &ours);
    cleanup::around(make, story, undo, &format!("namespace {ours}")).await
}

async fn list_namespaces(http: &Client, url: &str, tenant: &str) -> Result<()> {
    let names: Vec<String> = fetch(http.get(url)).await?;
    println!("1. Namespaces of tenant {tenant}: {}", names.join(", "));
    Ok(())
}

async fn try_wrong_token(http: &Client, url: &str) -> Result<()> {
    let error = send(http.get(url).bearer_auth("wrong")).await.err();
    let refused: Refused = error.context("a wrong token works")?.downcast()?;
    ensure!(refused.status == 401, refused);
    println!("2. Wrong token: {}, {}", refused.status, refused.said);
    Ok(())
}

async fn create_namespace(http: &Client, url: &str, name: &str) -> Result<()> {
    send(http.put(url)).await?;
    println!("3. Created namespace {name}");
    Ok(())
}

async fn create_topic(http: &Client, url: &str) -> Result<()> {
    send(http.put(url)).await?;
    println!("4. Created topic {TOPIC}");
    Ok(())
}

async fn list_topics(http: &Client, url: &str) -> Result<()> {
    let topics: Vec<String> = fetch(http.get(url)).await?;
    println!("5. Topics there: {}", topics.join(", "));
    Ok(())
}

/// Without a body, it would see only messages that come after it was made.
async fn create_subscription(http: &Client, topic: &str) -> Result<()> {
    let earliest = json!({ "ledgerId": -1, "entryId": -1 });
    let url = format!("{topic}/subscription/{SUBSCRIPTION}");
    send(http.put(url).json(&earliest)).await?;
    println!("6. Created subscription {SUBSCRIPTION}, at the earliest message");
    Ok(())
}

async fn read_stats(http: &Client, topic: &str) -> Result<()> {
    let stats: Stats = fetch(http.get(format!("{topic}/stats"))).await?;
    let billing = stats.subscriptions.get(SUBSCRIPTION);
    let backlog = billing
        .context("the subscription is not there")?
        .msg_backlog;
    let (messages, bytes) = (stats.msg_in_counter, stats.storage_size);
    println!(
        "7. Stats: {messages} messages came in, {bytes} bytes are stored, backlog of {SUBSCRIPTION}: {backlog}"
    );
    Ok(())
}

/// Prints at the end: with nobody to read it, `println!` panics. Only an empty namespace can be deleted.
async fn delete_all(http: &Client, topic: &str, namespace: &str, name: &str) -> Result<()> {
    delete(http.delete(topic)).await?;
    delete(http.delete(namespace)).await?;
    println!("8. Deleted topic {TOPIC}");
    println!("9. Deleted namespace {name}");
    Ok(())
}
