//! The SNI proxy: the server name of a TLS connection is a node's host id, and selects that node.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use uuid::Uuid;

use super::Bundles;
use super::doors::Revoked;
use super::login::login;
use crate::connections::Place;
use access::{Interface, Rights};

const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Limit for one direction to continue after the other has ended.
const HALF_CLOSED_LIMIT: Duration = Duration::from_secs(10);

impl Bundles {
    /// Serves the SNI proxy on `listener` until `shutdown` is true.
    pub async fn serve_proxy(&self, listener: TcpListener, shutdown: watch::Receiver<bool>) {
        self.serve(listener, shutdown, serve).await;
    }
}

async fn serve(
    bundles: Bundles,
    mut tls: TlsStream<TcpStream>,
    database: Uuid,
    place: Arc<Place>,
) -> io::Result<()> {
    // Subscribed before the login, so that a revocation during it is not missed.
    let revocations = bundles.revocations();
    let nodes = bundles.nodes(database, tls.get_ref().1.server_name());
    let mut node = connect_any(&nodes).await?;
    let permitted = |role| (bundles.gate)(role, database);
    let role = login(&mut tls, &mut node, permitted).await?;
    let Some(role) = role else {
        return tls.shutdown().await;
    };
    place.stay();
    tokio::select! {
        // Checked first, so that nothing passes that was sent after a revocation was confirmed.
        biased;
        () = revoked(revocations, &role, database) => {}
        () = copy(tls, node) => {}
    }
    Ok(())
}

impl Bundles {
    /// Returns the nodes for a server name. Tools that cannot send a host id, which use `cql_port` in config.json, get
    /// any node.
    fn nodes(&self, database: Uuid, server_name: Option<&str>) -> Vec<SocketAddr> {
        let catalog = self.catalog.borrow();
        if !catalog.databases.contains_key(&database) {
            return Vec::new();
        }
        match server_name.filter(|name| *name != Bundles::HOST) {
            None => catalog.nodes.values().copied().collect(),
            Some(name) => {
                let host_id: Option<Uuid> = name.parse().ok();
                let node = host_id.and_then(|id| catalog.nodes.get(&id));
                node.copied().into_iter().collect()
            }
        }
    }
}

async fn connect_any(nodes: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut failed = io::Error::other("no such node");
    for node in nodes {
        let connecting = timeout(CONNECT_LIMIT, TcpStream::connect(node)).await;
        match connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(tcp) => {
                tcp.set_nodelay(true)?;
                return Ok(tcp);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Copies in both directions until both sides have ended, or until [`HALF_CLOSED_LIMIT`] after the first of them.
async fn copy(client: TlsStream<TcpStream>, node: TcpStream) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_node, mut to_node) = node.into_split();
    let up = async {
        // The reason does not matter: the shutdown informs the other side.
        let _ = tokio::io::copy(&mut from_client, &mut to_node).await;
        let _ = to_node.shutdown().await;
    };
    let down = async {
        let _ = tokio::io::copy(&mut from_node, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::pin!(up, down);
    let _ = tokio::select! {
        () = &mut up => timeout(HALF_CLOSED_LIMIT, down).await,
        () = &mut down => timeout(HALF_CLOSED_LIMIT, up).await,
    };
}

fn open(rights: &Rights, database: Uuid) -> bool {
    rights.open_to(Interface::Cql, database)
}

/// Waits until the role or the database of a tunnel is revoked.
async fn revoked(mut revocations: broadcast::Receiver<Revoked>, role: &str, database: Uuid) {
    loop {
        match revocations.recv().await {
            Ok(Revoked::Role(other)) if other != role => {}
            Ok(Revoked::Rights(other, rights)) if other != role || open(&rights, database) => {}
            Ok(Revoked::Database(other)) if other != database => {}
            // The relevant revocation may be among the missed ones.
            Ok(_) | Err(RecvError::Lagged(_) | RecvError::Closed) => return,
        }
    }
}
