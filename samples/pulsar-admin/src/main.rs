//! Namespaces, topics and subscriptions over the Pulsar admin API of Astra Streaming, with nothing but `reqwest`.
//!
//! 1. List the namespaces of the tenant
//! 2. Show that a wrong token is rejected
//! 3. Create a namespace
//! 4. Create a topic
//! 5. List the topics of the namespace
//! 6. Create a subscription at the earliest message
//! 7. Read the statistics of the topic
//! 8. Delete the topic, also after an error or Ctrl-C
//! 9. Delete the namespace, likewise
//!
//! # Prerequisites
//!
//! `ASTRA_STREAMING_NAME`, `ASTRA_STREAMING_PULSAR_TOKEN`, `ASTRA_STREAMING_WEBSERVICE_URL`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p pulsar-admin-sample
//! cargo local run pulsar-admin-sample    # without an Astra account
//! ```

mod http;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use http::{fetch, send};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use shared::ExposeSecret;

/// Statistics of a topic; the response has some forty fields more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    msg_in_counter: u64,
    subscriptions: BTreeMap<String, Subscription>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    /// Messages that are not acknowledged yet.
    msg_backlog: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = shared::PulsarAdmin::from_env()?;
    let bearer = format!("Bearer {}", astra.token.expose_secret());
    let http = http::client("Authorization", &bearer)?;
    let tenant = format!("{}/admin/v2/namespaces/{}", astra.url, astra.tenant);
    tokio::select! {
        checked = check_tenant(&http, &tenant) => checked?,
        stopped = &mut stop => return Err(stopped.into()),
    }

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_namespace_{run}_{}", std::process::id());
    let namespace = format!("{tenant}/{name}");
    let topics = format!("{}/admin/v2/persistent/{}/{name}", astra.url, astra.tenant);
    create_namespace(&http, &namespace, &name).await?;
    let story = match create_topic(&http, &topics).await {
        Ok(()) => tokio::select! {
            story = use_topic(&http, &topics) => story,
            stopped = &mut stop => Err(stopped.into()),
        },
        failed => failed,
    };
    let deleted = delete_namespace(&http, &namespace, &topics)
        .await
        .with_context(|| format!("cannot delete namespace {name}"));
    if let (Err(_), Err(error)) = (&story, &deleted) {
        eprintln!("{error:#}");
    }
    story.and(deleted)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn check_tenant(http: &Client, tenant: &str) -> Result<()> {
    let namespaces: Vec<String> = fetch(http.get(tenant)).await?;
    println!("1. Namespaces: {}", namespaces.join(", "));
    let wrong = http.get(tenant).bearer_auth("wrong");
    println!("2. Wrong token: {}", wrong.send().await?.status());
    Ok(())
}

async fn create_namespace(http: &Client, namespace: &str, name: &str) -> Result<()> {
    let created = send(http.put(namespace)).await;
    created.with_context(|| format!("cannot create namespace {name}; delete it if it exists"))?;
    println!("3. Created namespace {name}");
    Ok(())
}

async fn create_topic(http: &Client, topics: &str) -> Result<()> {
    send(http.put(format!("{topics}/orders"))).await?;
    println!("4. Created topic orders");
    Ok(())
}

async fn use_topic(http: &Client, topics: &str) -> Result<()> {
    let listed: Vec<String> = fetch(http.get(topics)).await?;
    println!("5. Topics: {}", listed.join(", "));

    // Without a position the subscription would start at the next message.
    let earliest = json!({ "ledgerId": -1, "entryId": -1 });
    let billing = format!("{topics}/orders/subscription/billing");
    send(http.put(billing).json(&earliest)).await?;
    println!("6. Created subscription billing");

    let stats: Stats = fetch(http.get(format!("{topics}/orders/stats"))).await?;
    let billing = stats.subscriptions.get("billing");
    let backlog = billing.context("no statistics of billing")?.msg_backlog;
    let messages = stats.msg_in_counter;
    println!("7. Statistics: {messages} messages, backlog {backlog}");
    Ok(())
}

/// A namespace has to be empty, so the topic, if it was created, is deleted first.
async fn delete_namespace(http: &Client, namespace: &str, topics: &str) -> Result<()> {
    let left: Vec<String> = fetch(http.get(topics)).await?;
    if !left.is_empty() {
        send(http.delete(format!("{topics}/orders"))).await?;
        println!("8. Deleted topic orders");
    }
    send(http.delete(namespace)).await?;
    println!("9. Deleted the namespace");
    Ok(())
}
