//! A producer and a consumer on a Pulsar topic of Astra Streaming, with the `pulsar` crate.
//!
//! Set ASTRA_STREAMING_NAME, ASTRA_STREAMING_PULSAR_TOKEN, ASTRA_STREAMING_BROKER_URL and
//! ASTRA_STREAMING_WEBSERVICE_URL (README.md tells how), then `cargo run -p pulsar-client-sample`; with no Astra
//! account, `cargo local run pulsar-client-sample`. The story it tells:
//!
//! 1. Connected to pulsar+ssl://localhost:6651, topics in rust-samples/default: 0
//! 2. Created topic persistent://rust-samples/default/rust_sample_topic_1795517143324898_40213
//! 3. Sent Hello World as message 5:0
//! 4. Sent {"sensor":"kitchen","celsius":21.5} as message 5:1
//! 5. Subscribed as rust_sample_subscription, at the earliest message
//! 6. Received and acknowledged: Hello World
//! 7. Received and acknowledged: Reading { sensor: "kitchen", celsius: 21.5 }
//! 8. Unsubscribed and closed
//! 9. Deleted topic persistent://rust-samples/default/rust_sample_topic_1795517143324898_40213 (also after an error or Ctrl-C)

mod cleanup;
mod connect;
mod request;

use anyhow::{Context, Result};
use connect::{Broker, Consumer, Producer, within};
use futures::TryStreamExt;
use pulsar::consumer::InitialPosition;
use pulsar::message::proto::command_get_topics_of_namespace::Mode;
use pulsar::{ConsumerOptions, SubType};
use reqwest::Client;
use serde::{Deserialize, Serialize};

const SUBSCRIPTION: &str = "rust_sample_subscription";

/// What the second message carries, as JSON.
#[derive(Debug, Deserialize, Serialize)]
struct Reading {
    sensor: String,
    celsius: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let astra = shared::PulsarClient::from_env()?;
    let pulsar = connect::connect(&astra.broker_url, &astra.token).await?;
    let namespace = format!("{}/default", astra.tenant);
    look_around(&pulsar, &astra.broker_url, &namespace).await?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("{namespace}/rust_sample_topic_{run}_{}", std::process::id());
    let topic = format!("persistent://{name}");
    let http = request::client(&astra.token)?;
    let url = format!("{}/admin/v2/persistent/{name}", astra.admin_url);
    let make = create_topic(&http, &url, &topic);
    let story = async {
        send_messages(&pulsar, &topic).await?;
        let mut consumer = subscribe(&pulsar, &topic).await?;
        receive_messages(&mut consumer).await?;
        within("Unsubscribing", consumer.unsubscribe()).await?;
        within("Closing the consumer", consumer.close()).await?;
        println!("8. Unsubscribed and closed");
        Ok(())
    };
    let undo = delete_topic(&http, &url, &topic);
    cleanup::around(make, story, undo, &format!("topic {topic}")).await
}

async fn look_around(pulsar: &Broker, url: &str, namespace: &str) -> Result<()> {
    let ask = pulsar.get_topics_of_namespace(namespace.into(), Mode::Persistent);
    let topics = within(&format!("Listing the topics of {namespace}"), ask).await?;
    let count = topics.len();
    println!("1. Connected to {url}, topics in {namespace}: {count}");
    Ok(())
}

/// Over the admin API: on Astra no topic makes itself.
async fn create_topic(http: &Client, url: &str, topic: &str) -> Result<()> {
    request::send(http.put(url)).await?;
    println!("2. Created topic {topic}");
    Ok(())
}

async fn send_messages(pulsar: &Broker, topic: &str) -> Result<()> {
    let producer = pulsar.producer().with_topic(topic).build();
    let mut producer = within("Making a producer", producer).await?;
    let id = send(&mut producer, "Hello World").await?;
    println!("3. Sent Hello World as message {id}");
    let (sensor, celsius) = ("kitchen".into(), 21.5);
    let json = serde_json::to_string(&Reading { sensor, celsius })?;
    let id = send(&mut producer, &json).await?;
    println!("4. Sent {json} as message {id}");
    within("Closing the producer", producer.close()).await
}

/// The first future hands the message over, the second waits for the broker's receipt.
async fn send(producer: &mut Producer, text: &str) -> Result<String> {
    let sent = async { producer.send_non_blocking(text).await?.await };
    let receipt = within("Sending", sent).await?;
    let id = receipt.message_id.context("a receipt without id")?;
    Ok(format!("{}:{}", id.ledger_id, id.entry_id))
}

/// A new subscription starts at the latest message unless told otherwise: it would never see ours.
async fn subscribe(pulsar: &Broker, topic: &str) -> Result<Consumer> {
    let earliest = ConsumerOptions::default().with_initial_position(InitialPosition::Earliest);
    let consumer = pulsar
        .consumer()
        .with_topic(topic)
        .with_subscription(SUBSCRIPTION)
        .with_subscription_type(SubType::Exclusive)
        .with_options(earliest);
    let consumer = within("Subscribing", consumer.build()).await?;
    println!("5. Subscribed as {SUBSCRIPTION}, at the earliest message");
    Ok(consumer)
}

async fn receive_messages(consumer: &mut Consumer) -> Result<()> {
    let text = String::from_utf8(receive(consumer).await?)?;
    println!("6. Received and acknowledged: {text}");
    let reading: Reading = serde_json::from_slice(&receive(consumer).await?)?;
    println!("7. Received and acknowledged: {reading:?}");
    Ok(())
}

/// Waits for the next message, at most 30 seconds. What is not acknowledged comes again.
async fn receive(consumer: &mut Consumer) -> Result<Vec<u8>> {
    let message = within("Receiving", consumer.try_next()).await?;
    let message = message.context("the consumer has ended")?;
    within("Acknowledging", consumer.ack(&message)).await?;
    Ok(message.deserialize())
}

/// With `force`, because after an error a producer or consumer of ours may still be connected.
async fn delete_topic(http: &Client, url: &str, topic: &str) -> Result<()> {
    request::delete(http.delete(format!("{url}?force=true"))).await?;
    println!("9. Deleted topic {topic}");
    Ok(())
}
