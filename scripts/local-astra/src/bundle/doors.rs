//! Who is let in by a bundle's certificate, and the limits of the metadata service and the SNI proxy.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use uuid::Uuid;

use crate::access::Rights;
use crate::certificates::{Authority, CertificateError, database_of};
use crate::connections::{Place, Places};

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Connections that one listener holds at a time; when all of them are logged in, more are closed at once.
const MAX_CONNECTIONS: usize = 4096;
/// How long a connection may take to be logged in, or to ask what it wants to know: drivers do so at once.
const FIRST_LIMIT: Duration = Duration::from_secs(30);
/// Revocations that a tunnel may be behind before it is closed for safety's sake.
const REVOCATIONS: usize = 64;

/// What the services know of databases and nodes. Several databases share one Cassandra.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The active databases. Any other is answered as a hibernated one.
    pub databases: HashMap<Uuid, Database>,
    /// Cassandra's nodes: `host_id` of `system.local` and `system.peers`, and where CQL is spoken.
    pub nodes: BTreeMap<Uuid, SocketAddr>,
    /// Cassandra's data centre, which drivers compare with `system.local`.
    pub local_datacenter: String,
}

/// One database, as far as its bundle tells of it.
#[derive(Clone, Debug)]
pub struct Database {
    /// The keyspace that the bundle names as a hint.
    pub keyspace: String,
}

/// What ends tunnels that are open.
#[derive(Clone, Debug)]
pub(super) enum Revoked {
    Role(String),
    /// A role has other rights now: only those tunnels end that it may not have any more.
    Rights(String, Arc<Rights>),
    Database(Uuid),
}

/// Says whether a role whose password is right may reach a database over CQL.
pub type Gate = Arc<dyn Fn(String, Uuid) -> BoxFuture<'static, io::Result<bool>> + Send + Sync>;

/// The bundles of one local Astra, with the metadata service and the SNI proxy that they lead to.
#[derive(Clone)]
pub struct Bundles {
    pub(super) authority: Arc<Authority>,
    pub(super) catalog: watch::Receiver<Catalog>,
    pub(super) ports: Ports,
    pub(super) gate: Gate,
    tls: TlsAcceptor,
    revoked: broadcast::Sender<Revoked>,
}

/// Where the two services listen.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub metadata: u16,
    pub proxy: u16,
}

impl Bundles {
    /// The host that bundles and metadata name; the authority's server certificate is made out to it.
    pub const HOST: &str = "localhost";

    /// Bundles that lead to a metadata service and an SNI proxy on these two ports, past `gate`.
    ///
    /// # Errors
    /// When the server's certificate can't be read or made.
    pub fn new(
        authority: Arc<Authority>,
        catalog: watch::Receiver<Catalog>,
        metadata_port: u16,
        proxy_port: u16,
        gate: Gate,
    ) -> Result<Bundles, CertificateError> {
        let tls: Arc<ServerConfig> = authority.mutual_tls()?;
        Ok(Bundles {
            authority,
            catalog,
            ports: Ports {
                metadata: metadata_port,
                proxy: proxy_port,
            },
            gate,
            tls: TlsAcceptor::from(tls),
            revoked: broadcast::channel(REVOCATIONS).0,
        })
    }

    /// Closes the connections that a role has open: call it after its password was taken.
    pub fn close_role(&self, role: &str) {
        // Nobody there to hear it: then nothing is open.
        let _ = self.revoked.send(Revoked::Role(role.to_owned()));
    }

    /// Closes the connections that a role has open to databases which it may not reach over CQL any more: call
    /// it after its rights were changed.
    pub fn change_role(&self, role: &str, rights: Rights) {
        let changed = Revoked::Rights(role.to_owned(), Arc::new(rights));
        let _ = self.revoked.send(changed);
    }

    /// Closes the connections through a database's bundle: call it after it has left the catalog.
    pub fn close_database(&self, database: Uuid) {
        let _ = self.revoked.send(Revoked::Database(database));
    }

    pub(super) fn revocations(&self) -> broadcast::Receiver<Revoked> {
        self.revoked.subscribe()
    }

    /// Accepts connections until `shutdown` is true, and hands on those that show a bundle's
    /// certificate. Returns when all are closed.
    pub(super) async fn serve<H, F>(
        &self,
        listener: TcpListener,
        mut shutdown: watch::Receiver<bool>,
        handle: H,
    ) where
        H: Fn(Bundles, TlsStream<TcpStream>, Uuid, Arc<Place>) -> F + Copy + Send + 'static,
        F: Future<Output = io::Result<()>> + Send,
    {
        let places = Places::new(MAX_CONNECTIONS, FIRST_LIMIT);
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
                // An error: whoever could say it is gone.
                _ = shutdown.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((tcp, _)) => {
                    let Some(place) = places.try_take().map(Arc::new) else {
                        continue;
                    };
                    let bundles = self.clone();
                    connections.spawn(async move {
                        let held = Arc::clone(&place);
                        let served = async move {
                            let (tls, database) = bundles.enter(tcp).await?;
                            handle(bundles, tls, database, place).await
                        };
                        tokio::select! {
                            served = served => served,
                            () = held.is_over() => Err(io::ErrorKind::TimedOut.into()),
                        }
                    });
                }
                // Too many open files, most likely: give a connection a moment to end.
                Err(_) => {
                    places.make_room();
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
        connections.shutdown().await;
    }

    /// The TLS handshake. Without a certificate of the authority it fails.
    async fn enter(&self, tcp: TcpStream) -> io::Result<(TlsStream<TcpStream>, Uuid)> {
        tcp.set_nodelay(true)?;
        let tls = timeout(HANDSHAKE_LIMIT, self.tls.accept(tcp)).await??;
        let certificate = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let database = certificate
            .and_then(database_of)
            .ok_or_else(|| io::Error::other("the certificate names no database"))?;
        Ok((tls, database))
    }
}
