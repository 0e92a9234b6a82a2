//! Connects to the broker. Puts a limit on every operation; makes one readable message of any failure.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Error, Result, anyhow, bail};
use pulsar::{
    Authentication, ConnectionRetryOptions, Error as PulsarError, OperationRetryOptions, Pulsar,
    TokioExecutor,
};
use shared::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::request::shorten;

/// How long an operation may take, with all that the crate tries again; also a message that we wait for.
const LIMIT: Duration = Duration::from_secs(30);

/// The crate runs on two runtimes; ours is tokio.
pub type Broker = Pulsar<TokioExecutor>;
pub type Producer = pulsar::Producer<TokioExecutor>;
pub type Consumer = pulsar::Consumer<Vec<u8>, TokioExecutor>;

/// Connects with a token. The certificate authorities are those of the web, and those in `SSL_CERT_FILE`.
pub async fn connect(url: &str, token: &SecretString) -> Result<Broker> {
    hear();
    let mut broker = Pulsar::builder(url, TokioExecutor)
        .with_auth(Authentication {
            name: "token".into(),
            data: token.expose_secret().into(),
        })
        .with_connection_retry_options(ConnectionRetryOptions {
            connection_timeout: Duration::from_secs(10),
            max_retries: 1,
            ..Default::default()
        })
        // Unless told otherwise, the crate tries an operation again without end.
        .with_operation_retry_options(OperationRetryOptions {
            operation_timeout: Duration::from_secs(20),
            retry_delay: Duration::from_secs(1),
            max_retries: Some(2),
        });
    if let Some(file) = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) {
        broker = broker.with_certificate_chain_file(&file).map_err(|error| {
            anyhow!(
                "cannot read {}: {error}\n  Look at SSL_CERT_FILE.",
                file.display()
            )
        })?;
    }
    within(&format!("Connecting to {url}"), broker.build()).await
}

/// Runs an operation to its end, but no longer than 30 seconds.
pub async fn within<T, E: Into<PulsarError>>(
    what: &str,
    operation: impl Future<Output = Result<T, E>>,
) -> Result<T> {
    if let Ok(mut heard) = HEARD.0.lock() {
        heard.clear();
    }
    match timeout(LIMIT, operation).await {
        Ok(done) => done.map_err(|error| explain(what, &error.into())),
        Err(_) => bail!("{what} got no answer ({} s)\n  {BROKER}", LIMIT.as_secs()),
    }
}

const PROTOCOL: &str = "Look at ASTRA_STREAMING_BROKER_URL: is it pulsar+ssl:// for TLS and pulsar:// without, and the port of the\n  \
     broker, not of the web service?";
const BROKER: &str = "Look at ASTRA_STREAMING_BROKER_URL, or ASTRA_STREAMING_CLOUD and ASTRA_STREAMING_REGION, and at\n  the network.";

/// Of a connection that fails the crate says only that it did, "fatal error". What it has logged says why.
fn explain(what: &str, error: &PulsarError) -> Error {
    let logged = HEARD.0.lock().map(|heard| heard.clone());
    let cause = logged.unwrap_or_default() + &error.to_string();
    let has = |signs: &[&str]| signs.iter().any(|sign| cause.contains(sign));
    let (why, hint) = if has(&["InvalidCertificate", "certificate"]) {
        (
            "the broker's certificate is not trusted",
            "An authority of your own is named in SSL_CERT_FILE. Is the host in ASTRA_STREAMING_BROKER_URL right, and the clock?",
        )
    } else if has(&["AuthenticationError", "AuthorizationError"]) {
        (
            "the token was refused",
            "Look at ASTRA_STREAMING_PULSAR_TOKEN: is it a Pulsar token (no AstraCS:...) of this tenant, and not revoked?\n  \
             And at ASTRA_STREAMING_NAME: is it that tenant?",
        )
    } else if has(&["TopicNotFound"]) {
        ("there is no such topic", "Has somebody deleted it?")
    } else if has(&["hut down", "Disconnected", "Eof", "eof", "reset"]) {
        ("the other side hung up", PROTOCOL)
    } else if has(&["InvalidMessage", "bytes remaining", "ecoding"]) {
        ("the other side does not speak Pulsar", PROTOCOL)
    } else if has(&["Server error"]) {
        ("the broker refused it", BROKER)
    } else {
        ("no broker answers", BROKER)
    };
    anyhow!("{what} failed: {why}\n  {}\n  {hint}", shorten(&cause))
}

/// What the crate has logged as an error since the operation began.
struct Heard(Mutex<String>);

static HEARD: Heard = Heard(Mutex::new(String::new()));

/// Listens to the crate's log, unless the program has a logger already.
fn hear() {
    if log::set_logger(&HEARD).is_ok() {
        // Lower levels show what is sent, the token too.
        log::set_max_level(log::LevelFilter::Error);
    }
}

impl log::Log for Heard {
    fn enabled(&self, about: &log::Metadata) -> bool {
        about.target().starts_with("pulsar")
    }

    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata())
            && let Ok(mut heard) = self.0.lock()
        {
            *heard = format!("{}; ", record.args());
        }
    }

    fn flush(&self) {}
}
