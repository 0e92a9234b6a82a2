//! Opens a session: through a secure connect bundle, or to a Cassandra, a Stargate or a cql-proxy.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{DbError, ExecutionError, NewSessionError, RequestAttemptError};
use shared::{Contact, Cql, ExposeSecret};
use tokio::time::timeout;

use crate::secure_connect::SecureConnect;

/// How long connecting may take. Each request then has the driver's own limit, 30 seconds.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// The user is `token` with a token for its password, or a client id with its secret.
pub async fn connect(astra: &Cql) -> Result<Session> {
    let mut builder = SessionBuilder::new()
        .user(&astra.username, astra.password.expose_secret())
        .use_keyspace(&astra.keyspace, true)
        // The tables of other keyspaces are none of this program's business, and may be many.
        .keyspaces_to_fetch([&astra.keyspace]);
    match &astra.contact {
        Contact::Bundle(path) => {
            let bundle = SecureConnect::open(path).await.map_err(|error| {
                anyhow!(
                    "{error}\n  Look at ASTRA_DB_SECURE_BUNDLE_PATH: {}",
                    path.display()
                )
            })?;
            builder = builder
                .known_nodes_addr(bundle.contact_points())
                .prefer_datacenter(bundle.local_datacenter().to_owned())
                .address_translator(Arc::new(bundle));
        }
        Contact::Points(points) => builder = builder.known_nodes(points),
    }
    let connecting = async {
        let session = builder.build().await.map_err(explain)?;
        // A session whose first look at the cluster failed starts without one, and knows no data centre.
        let state = session.get_cluster_state();
        if state
            .get_nodes_info()
            .iter()
            .all(|node| node.datacenter.is_none())
        {
            session.refresh_metadata().await?;
        }
        Ok(session)
    };
    timeout(CONNECT_LIMIT, connecting)
        .await
        .unwrap_or_else(|_| bail!("no answer within 30 seconds\n  {WHERE}"))
}

const WHERE: &str =
    "Look at the database in the console, or, if it is set, at CASSANDRA_CONTACT_POINTS";

/// Whether a statement that failed may be done after all: only a clear no of the database says that it isn't.
pub fn may_be_done(error: &anyhow::Error) -> bool {
    let Some(ExecutionError::LastAttemptError(RequestAttemptError::DbError(no, _))) =
        error.downcast_ref()
    else {
        return true;
    };
    !matches!(
        no,
        DbError::AlreadyExists { .. }
            | DbError::ConfigError
            | DbError::Invalid
            | DbError::SyntaxError
            | DbError::Unauthorized
    )
}

/// The driver's message, once, and the setting to look at.
fn explain(error: NewSessionError) -> anyhow::Error {
    let message = error.to_string();
    let hint = match error {
        NewSessionError::UseKeyspaceError(_) => {
            "Look at ASTRA_DB_KEYSPACE. A missing keyspace is made in the console, or by \
             `astra db create-keyspace DB -k KEYSPACE`"
        }
        _ if message.contains("bad credentials") => {
            "Look at ASTRA_DB_CLIENT_ID and ASTRA_DB_CLIENT_SECRET, or, if these are not set, at \
             ASTRA_DB_APPLICATION_TOKEN. Is it of this database's organization?"
        }
        _ => WHERE,
    };
    anyhow!("{message}\n  {hint}")
}
