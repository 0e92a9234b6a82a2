//! Admission of clients by the certificate of a bundle, and the limits of the metadata service and the SNI proxy.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, broadcast, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use uuid::Uuid;

use crate::certificates::{Authority, CertificateError, database_of};
use crate::connections::{Place, Places, accept};
use access::Rights;

/// Limit for a TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Maximum number of connections per listener. If all of them are logged in, new ones are closed at once.
const MAX_CONNECTIONS: usize = 4096;
/// Limit to log in, or to send a request. Drivers do so at once.
const FIRST_LIMIT: Duration = Duration::from_secs(30);
/// Number of unprocessed revocations after which a tunnel is closed for safety.
const REVOCATIONS: usize = 64;

/// The databases and nodes known to the services. Several databases share one Cassandra.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The active databases. Requests for any other are handled as for a hibernated one.
    pub databases: HashMap<Uuid, Database>,
    /// Cassandra's nodes: `host_id` of `system.local` and `system.peers`, and the CQL address.
    pub nodes: BTreeMap<Uuid, SocketAddr>,
    /// Cassandra's data center, which drivers compare with `system.local`.
    pub local_datacenter: String,
}

/// The contents of a bundle that depend on the database.
#[derive(Clone, Debug)]
pub struct Database {
    /// The keyspace that the bundle suggests.
    pub keyspace: String,
}

/// Events that close open tunnels.
#[derive(Clone, Debug)]
pub(super) enum Revoked {
    Role(String),
    /// The rights of a role have changed: tunnels that they no longer allow are closed.
    Rights(String, Arc<Rights>),
    Database(Uuid),
}

/// Decides if a role with a correct password can reach a database over CQL.
pub type Gate = Arc<dyn Fn(String, Uuid) -> BoxFuture<'static, io::Result<bool>> + Send + Sync>;

/// The bundles of one local Astra, with the metadata service and the SNI proxy they point to.
#[derive(Clone)]
pub struct Bundles {
    pub(super) authority: Arc<Authority>,
    pub(super) catalog: watch::Receiver<Catalog>,
    pub(super) ports: Ports,
    pub(super) gate: Gate,
    /// Serializes the creation of key stores, so that concurrent requests run one JVM.
    pub(super) opening: Arc<Mutex<()>>,
    tls: TlsAcceptor,
    revoked: broadcast::Sender<Revoked>,
}

/// Ports of the two services.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub metadata: u16,
    pub proxy: u16,
}

impl Bundles {
    /// The host name in bundles and metadata. The server certificate is issued for it.
    pub const HOST: &str = "localhost";

    /// Creates bundles that point to a metadata service and an SNI proxy on these two ports, protected by `gate`.
    ///
    /// # Errors
    /// The server's certificate cannot be read or created.
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
            opening: Arc::default(),
            tls: TlsAcceptor::from(tls),
            revoked: broadcast::channel(REVOCATIONS).0,
        })
    }

    /// Closes the open connections of a role. Call it after the role's password was removed.
    pub fn close_role(&self, role: &str) {
        // Without receivers there are no open connections.
        let _ = self.revoked.send(Revoked::Role(role.to_owned()));
    }

    /// Closes the connections of a role to databases that it can no longer reach over CQL. Call it after the role's
    /// rights were changed.
    pub fn change_role(&self, role: &str, rights: Rights) {
        let changed = Revoked::Rights(role.to_owned(), Arc::new(rights));
        let _ = self.revoked.send(changed);
    }

    /// Closes the connections through a database's bundle. Call it after the database was removed from the catalog.
    pub fn close_database(&self, database: Uuid) {
        let _ = self.revoked.send(Revoked::Database(database));
    }

    pub(super) fn revocations(&self) -> broadcast::Receiver<Revoked> {
        self.revoked.subscribe()
    }

    /// Accepts connections until `shutdown` is true, and hands over those with a bundle's certificate. Returns when all
    /// are closed.
    pub(super) async fn serve<H, F>(
        &self,
        listener: TcpListener,
        shutdown: watch::Receiver<bool>,
        handle: H,
    ) where
        H: Fn(Bundles, TlsStream<TcpStream>, Uuid, Arc<Place>) -> F + Copy + Send + 'static,
        F: Future<Output = io::Result<()>> + Send,
    {
        let places = Places::new(MAX_CONNECTIONS, FIRST_LIMIT);
        let attend = move |tcp: TcpStream, place: Arc<Place>| {
            let bundles = self.clone();
            async move {
                let held = Arc::clone(&place);
                let served = async move {
                    let (tls, database) = bundles.enter(tcp).await?;
                    handle(bundles, tls, database, place).await
                };
                tokio::select! {
                    // A client that is rejected, or disconnects early, is not an error.
                    _ended = served => (),
                    () = held.is_over() => (),
                }
            }
        };
        // Drivers reconnect, and a tunnel has no end of its own.
        accept(listener, places, shutdown, Duration::ZERO, attend).await;
    }

    /// Performs the TLS handshake, which fails without a certificate of the authority.
    async fn enter(&self, tcp: TcpStream) -> io::Result<(TlsStream<TcpStream>, Uuid)> {
        let tls = timeout(HANDSHAKE_LIMIT, self.tls.accept(tcp)).await??;
        let certificate = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let database = certificate
            .and_then(database_of)
            .ok_or_else(|| io::Error::other("the certificate names no database"))?;
        Ok((tls, database))
    }
}
