//! Many messages through Pulsar, beside the same with Pulsar's Python client.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;
use pulsar::consumer::InitialPosition;
use pulsar::{Authentication, Consumer, ConsumerOptions, Pulsar, TokioExecutor};
use tokio::time::timeout;

use crate::figures::{Figure, middle, waited};

const ROUNDS: usize = 3;
const MESSAGES: usize = 100_000;
/// Bytes of a message.
const SIZE: usize = 1_000;
/// Messages that wait for their receipt, in both languages. Neither sends batches.
const PENDING: usize = 1_000;
/// Neither direction takes longer, nor any request.
const LIMIT: Duration = Duration::from_secs(60);

/// Sends the messages to a new topic and receives and acknowledges all of them, in turns with `python`, the command of
/// a program that does the same.
///
/// # Errors
/// When one of the two fails.
pub async fn measure(
    settings: &HashMap<String, String>,
    python: impl Fn() -> Command,
) -> Result<Vec<Figure>> {
    let mut times = [const { [Vec::new(), Vec::new()] }; 2];
    // The first round warms the JVM up, and is not counted.
    for round in 0..=ROUNDS {
        let rust = rust(settings).await?;
        let python = timed_python(&mut python())?;
        if round > 0 {
            for (kept, measured) in times.iter_mut().flatten().zip([rust, python].concat()) {
                kept.push(measured);
            }
        }
    }
    let [[send, receive], [python_send, python_receive]] = times.map(|side| side.map(middle));
    let pair = |what, rust: Duration, python: Duration| {
        let ratio = rust.as_secs_f64() / python.as_secs_f64();
        Figure::new(
            format!("{MESSAGES} messages of {SIZE} bytes, {what}"),
            format!("{rust:.2?}, Python {python:.2?}: {ratio:.2}"),
            "1",
        )
    };
    Ok(vec![
        pair("sent", send, python_send),
        pair("received", receive, python_receive),
    ])
}

async fn rust(settings: &HashMap<String, String>) -> Result<[Duration; 2]> {
    let setting = |name: &str| settings.get(name).with_context(|| name.to_owned());
    let token = setting("ASTRA_STREAMING_PULSAR_TOKEN")?;
    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
    let tenant = setting("ASTRA_STREAMING_NAME")?;
    let name = format!("persistent/{tenant}/default/bench_{run}");
    let topic = name.replacen('/', "://", 1);
    let url = format!(
        "{}/admin/v2/{name}",
        setting("ASTRA_STREAMING_WEBSERVICE_URL")?
    );
    let http = reqwest::Client::builder().timeout(LIMIT).build()?;
    let created = http.put(&url).bearer_auth(token).send().await?;
    created.error_for_status()?;
    let pulsar = Pulsar::builder(setting("ASTRA_STREAMING_BROKER_URL")?, TokioExecutor)
        .with_auth(Authentication {
            name: "token".to_owned(),
            data: token.clone().into_bytes(),
        })
        .with_outbound_channel_size(PENDING)
        .build()
        .await?;
    let (sent, ()) = waited(async { timeout(LIMIT, send(&pulsar, &topic)).await? }).await?;
    let (received, ()) = waited(async { timeout(LIMIT, receive(&pulsar, &topic)).await? }).await?;
    let deleted = http.delete(format!("{url}?force=true")).bearer_auth(token);
    deleted.send().await?.error_for_status()?;
    Ok([sent, received])
}

async fn send(pulsar: &Pulsar<TokioExecutor>, topic: &str) -> Result<()> {
    let mut producer = pulsar.producer().with_topic(topic).build().await?;
    let message = vec![b'x'; SIZE];
    let mut receipts = FuturesUnordered::new();
    for _ in 0..MESSAGES {
        receipts.push(producer.send_non_blocking(message.as_slice()).await?);
        if receipts.len() == PENDING {
            receipts.try_next().await?;
        }
    }
    while receipts.try_next().await?.is_some() {}
    Ok(())
}

async fn receive(pulsar: &Pulsar<TokioExecutor>, topic: &str) -> Result<()> {
    let earliest = ConsumerOptions::default().with_initial_position(InitialPosition::Earliest);
    let consumer = pulsar.consumer().with_topic(topic).with_options(earliest);
    let mut consumer: Consumer<Vec<u8>, _> = consumer.with_subscription("bench").build().await?;
    for _ in 0..MESSAGES {
        let message = consumer.try_next().await?;
        let message = message.context("the consumer was closed")?;
        consumer.ack(&message).await?;
        ensure!(message.payload.data.len() == SIZE, "another message");
    }
    Ok(())
}

/// Runs the Python program, which prints the seconds of both directions.
fn timed_python(command: &mut Command) -> Result<[Duration; 2]> {
    command.args([MESSAGES, SIZE, PENDING].map(|number| number.to_string()));
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "Python: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let mut seconds = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || anyhow::Ok(Duration::from_secs_f64(seconds.next().context("no time")??));
    Ok([next()?, next()?])
}
