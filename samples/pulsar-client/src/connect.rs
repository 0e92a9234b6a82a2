//! Connects to the broker, and puts a time limit on operations and a hint into their errors.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use pulsar::{Authentication, ConnectionRetryOptions, Pulsar, TokioExecutor};
use shared::ExposeSecret;
use tokio::time::timeout;

const HINT: &str = "check ASTRA_STREAMING_BROKER_URL (pulsar+ssl:// is TLS), SSL_CERT_FILE, \
    ASTRA_STREAMING_PULSAR_TOKEN and ASTRA_STREAMING_NAME";

/// Connects with a token. Trusts the certificate authorities of the web and those in `SSL_CERT_FILE`.
pub async fn connect(astra: &shared::PulsarClient) -> Result<Pulsar<TokioExecutor>> {
    let mut broker = Pulsar::builder(&astra.broker_url, TokioExecutor)
        .with_auth(Authentication {
            name: "token".into(),
            data: astra.token.expose_secret().into(),
        })
        .with_connection_retry_options(ConnectionRetryOptions {
            max_retries: 1, // fails with a cause, before the time limit
            ..Default::default()
        });
    if let Some(file) = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) {
        let read = broker.with_certificate_chain_file(file);
        broker = read.context("cannot read the file in SSL_CERT_FILE")?;
    }
    let action = format!("connect to {}", astra.broker_url);
    within(30, &action, broker.build()).await
}

/// Runs an operation with a time limit; the crate itself retries many operations without end.
pub async fn within<T, E: Into<pulsar::Error>>(
    seconds: u64,
    action: &str,
    operation: impl Future<Output = Result<T, E>>,
) -> Result<T> {
    let result = timeout(Duration::from_secs(seconds), operation).await;
    let error = match result {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) => shared::printable(&error.into().to_string()),
        Err(_) => format!("no response in {seconds} s"),
    };
    bail!("cannot {action}: {error}; {HINT}")
}
