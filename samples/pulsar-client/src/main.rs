//! A producer and a consumer on Astra Streaming, with the `pulsar` crate.
//!
//! 1. Create a topic over the admin API
//! 2. Connect to the broker
//! 3. Send a text
//! 4. Send JSON
//! 5. Subscribe at the earliest message
//! 6. Receive the text and acknowledge it
//! 7. Receive the JSON into a struct and acknowledge it
//! 8. Unsubscribe and close the consumer
//! 9. Delete the topic, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_STREAMING_NAME`, `ASTRA_STREAMING_PULSAR_TOKEN`, `ASTRA_STREAMING_BROKER_URL`,
//! `ASTRA_STREAMING_WEBSERVICE_URL`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p pulsar-client-sample
//! cargo local run pulsar-client-sample    # without an Astra account
//! ```

mod connect;
mod http;

use anyhow::{Context, Result};
use connect::{connect, within};
use futures::TryStreamExt;
use pulsar::consumer::InitialPosition;
use pulsar::{Consumer, ConsumerOptions, SubType, TokioExecutor};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use shared::ExposeSecret;

#[derive(Debug, Deserialize, Serialize)]
struct Reading {
    sensor: String,
    celsius: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = shared::PulsarClient::from_env()?;
    let bearer = format!("Bearer {}", astra.token.expose_secret());
    let http = http::client("Authorization", &bearer)?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_topic_{run}_{}", std::process::id());
    let topic = format!("persistent://{}/default/{name}", astra.tenant);
    let url = format!("{}/admin/v2/{}", astra.admin_url, topic.replace("://", "/"));
    create_topic(&http, &url, &topic).await?;
    let story = tokio::select! {
        story = use_topic(&astra, &topic) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let deleted = delete_topic(&http, &url, &topic).await;
    if let (Err(_), Err(error)) = (&story, &deleted) {
        eprintln!("{error:#}");
    }
    story.and(deleted)?;
    Ok(stop.check()?) // a signal during the clean-up
}

/// On Astra no topic is created automatically, and the broker's protocol cannot create one.
async fn create_topic(http: &Client, url: &str, topic: &str) -> Result<()> {
    let created = http::send(http.put(url)).await;
    created.with_context(|| format!("cannot create topic {topic}; delete it if it exists"))?;
    println!("1. Created topic {topic}");
    Ok(())
}

async fn use_topic(astra: &shared::PulsarClient, topic: &str) -> Result<()> {
    let pulsar = connect(astra).await?;
    println!("2. Connected to {}", astra.broker_url);

    let producer = pulsar.producer().with_topic(topic).build();
    let mut producer = within(30, "create a producer", producer).await?;
    let (sensor, celsius) = ("kitchen".into(), 21.5);
    let json = serde_json::to_string(&Reading { sensor, celsius })?;
    for (step, text) in [(3, "Hello World"), (4, &json)] {
        // The first future hands the message over, the second waits for the broker's receipt.
        let sent = async { producer.send_non_blocking(text).await?.await };
        let id = within(30, "send", sent).await?.message_id;
        let id = id.context("the receipt has no message id")?;
        println!(
            "{step}. Sent {text} as message {}:{}",
            id.ledger_id, id.entry_id
        );
    }

    // A new subscription starts at the latest message by default and would receive nothing.
    let earliest = ConsumerOptions::default().with_initial_position(InitialPosition::Earliest);
    let consumer = pulsar
        .consumer()
        .with_topic(topic)
        .with_subscription("rust_sample_subscription")
        .with_subscription_type(SubType::Exclusive)
        .with_options(earliest);
    let mut consumer = within(30, "subscribe", consumer.build()).await?;
    println!("5. Subscribed at the earliest message");

    let text = String::from_utf8(receive(&mut consumer).await?)?;
    println!("6. Received and acknowledged: {text}");
    let json = serde_json::from_slice(&receive(&mut consumer).await?);
    let reading: Reading = json.ok().context("the second message is not a reading")?;
    println!("7. Received and acknowledged: {reading:?}");

    within(30, "unsubscribe", consumer.unsubscribe()).await?;
    within(30, "close the consumer", consumer.close()).await?;
    println!("8. Unsubscribed and closed");
    Ok(())
}

/// Waits for the next message. One that is not acknowledged is delivered again.
async fn receive(consumer: &mut Consumer<Vec<u8>, TokioExecutor>) -> Result<Vec<u8>> {
    let message = within(10, "receive", consumer.try_next()).await?;
    let message = message.context("the consumer was closed")?;
    within(30, "acknowledge", consumer.ack(&message)).await?;
    Ok(message.deserialize())
}

/// With `force`, because after an error or Ctrl-C the producer or the consumer is still connected.
async fn delete_topic(http: &Client, url: &str, topic: &str) -> Result<()> {
    let deleted = http::send(http.delete(format!("{url}?force=true"))).await;
    deleted.with_context(|| format!("cannot delete topic {topic}"))?;
    println!("9. Deleted topic {topic}");
    Ok(())
}
