//! Opens a session through a secure connect bundle, or with a Cassandra, a Stargate or a cql-proxy.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use astra_secure_connect::SecureConnect;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::NewSessionError;
use shared::{Contact, Cql, ExposeSecret};

const ADDRESS: &str = "check the database in the console, or CASSANDRA_CONTACT_POINTS";
const KEYSPACE: &str = "check ASTRA_DB_KEYSPACE; create it in the console or with the Astra CLI";
const LOGIN: &str =
    "check ASTRA_DB_CLIENT_ID and ASTRA_DB_CLIENT_SECRET, else ASTRA_DB_APPLICATION_TOKEN";

/// Opens a session within a minute. Each of its requests then waits at most 30 seconds for a response.
pub async fn connect(astra: &Cql) -> Result<Session> {
    let builder = match &astra.contact {
        Contact::Bundle(path) => SecureConnect::open(path)
            .await
            .with_context(|| format!("check ASTRA_DB_SECURE_BUNDLE_PATH: {}", path.display()))?
            .session_builder(),
        Contact::Points(points) => SessionBuilder::new().known_nodes(points),
    };
    let builder = builder
        .user(&astra.username, astra.password.expose_secret())
        .use_keyspace(&astra.keyspace, true)
        .keyspaces_to_fetch([&astra.keyspace]);
    let connecting = async {
        let session = builder.build().await.map_err(explain)?;
        // A session opens even if its first look at the nodes failed.
        session.refresh_metadata().await.context(ADDRESS)?;
        Ok(session)
    };
    let connected = tokio::time::timeout(Duration::from_secs(30), connecting).await;
    connected.unwrap_or_else(|_| bail!("no response within 30 seconds; {ADDRESS}"))
}

/// Returns what to check, and the driver's reason.
fn explain(error: NewSessionError) -> anyhow::Error {
    let message = error.to_string();
    let hint = match error {
        NewSessionError::UseKeyspaceError(_) => KEYSPACE,
        _ if message.contains("bad credentials") => LOGIN,
        _ => ADDRESS,
    };
    let reason = message.rsplit("connection failed with: ").next();
    anyhow!(
        "{hint}\n  {}",
        shared::printable(reason.unwrap_or_default())
    )
}
