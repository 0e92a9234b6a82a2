#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod bundle;
mod error;
mod metadata;
mod server;
#[cfg(test)]
mod tests;
mod tunnel;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use async_trait::async_trait;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::TranslationError;
use scylla::policies::address_translator::{AddressTranslator, UntranslatedPeer};
use tokio::time::Instant;
use uuid::Uuid;

pub use error::Error;

use bundle::Bundle;
use metadata::Metadata;
use server::Server;
use tunnel::Tunnel;

/// An Astra database, reachable from this process: one tunnel per node, which starts at a port of 127.0.0.1.
///
/// The tunnels close when this value is dropped, or the session and the builder that it has become part of.
pub struct SecureConnect {
    proxy: Arc<Server>,
    local_datacenter: String,
    contact_points: Vec<SocketAddr>,
    tunnels: Mutex<HashMap<Uuid, Tunnel>>,
}

impl SecureConnect {
    /// Reads the secure connect bundle at `path`, and connects as [`from_bytes`](SecureConnect::from_bytes) does.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or [`from_bytes`](SecureConnect::from_bytes) fails.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn open(path: impl AsRef<Path>) -> Result<SecureConnect, Error> {
        SecureConnect::from_bytes(&Bundle::read(path.as_ref()).await?).await
    }

    /// Reads a secure connect bundle from memory, requests the nodes from its metadata service, checks that one of the
    /// first three can be reached, and opens a tunnel to each. Returns within 25 seconds.
    ///
    /// # Errors
    ///
    /// The bundle is not usable or has expired, a server cannot be reached or is not trusted, the database is
    /// hibernated or terminated, or the system does not allow another listener. [`Error`] has a variant for each.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn from_bytes(zip: &[u8]) -> Result<SecureConnect, Error> {
        let bundle = Bundle::parse(zip)?;
        let service = Server::new("the metadata service", &bundle.host, bundle.port, &bundle);
        let metadata = Metadata::fetch(&service.map_err(Error::Invalid)?).await?;
        let (host, port) = &metadata.proxy;
        let proxy = Server::new("the SNI proxy", host, *port, &bundle).map_err(Error::Metadata)?;
        check_any(&proxy, &metadata.contact_points).await?;

        let mut astra = SecureConnect {
            proxy: Arc::new(proxy),
            local_datacenter: metadata.local_dc,
            contact_points: Vec::new(),
            tunnels: Mutex::default(),
        };
        for host_id in metadata.contact_points {
            let address = astra.tunnel(host_id).map_err(Error::Listen)?;
            astra.contact_points.push(address);
        }
        Ok(astra)
    }

    /// Returns a session builder that connects through the tunnels and prefers the nodes of the bundle's region. It
    /// still needs a user: `token` with an application token as its password, or a client id with its secret.
    pub fn session_builder(self) -> SessionBuilder {
        SessionBuilder::new()
            .known_nodes_addr(&self.contact_points)
            .prefer_datacenter(self.local_datacenter.clone())
            .address_translator(Arc::new(self))
    }

    /// Returns the addresses of the tunnels to the nodes that the metadata service names, at least one. They are for a
    /// session configuration of your own, which also needs this value as its [`AddressTranslator`].
    pub fn contact_points(&self) -> &[SocketAddr] {
        &self.contact_points
    }

    /// Returns the name of the data center in the bundle's region.
    pub fn local_datacenter(&self) -> &str {
        &self.local_datacenter
    }

    /// Returns the address of a node's tunnel, which is opened the first time. Closes those of nodes that are gone.
    fn tunnel(&self, host_id: Uuid) -> io::Result<SocketAddr> {
        let mut tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tunnel) = tunnels.get_mut(&host_id) {
            tunnel.used = Instant::now();
            return Ok(tunnel.address);
        }
        tunnels
            .retain(|_, tunnel| self.contact_points.contains(&tunnel.address) || !tunnel.is_idle());
        let tunnel = Tunnel::open(self.proxy.clone(), host_id)?;
        Ok(tunnels.entry(host_id).insert_entry(tunnel).get().address)
    }
}

/// Checks that a node can be reached. The error contains the reason, while the driver only sees a closed connection.
async fn check_any(proxy: &Server, host_ids: &[Uuid]) -> Result<(), Error> {
    let mut checked = Ok(());
    for host_id in host_ids.iter().take(3) {
        checked = proxy.connect(&host_id.to_string()).await.map(drop);
        if checked.is_ok() {
            break;
        }
    }
    checked.map_err(|error| proxy.failure(&error))
}

/// Maps each node in `system.local` and `system.peers` to its tunnel by its host id, regardless of its address.
#[async_trait]
impl AddressTranslator for SecureConnect {
    async fn translate_address(
        &self,
        peer: &UntranslatedPeer,
    ) -> Result<SocketAddr, TranslationError> {
        self.tunnel(peer.host_id())
            .map_err(|error| TranslationError::IoError(Arc::new(error)))
    }
}

impl fmt::Debug for SecureConnect {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("SecureConnect")
            .field("local_datacenter", &self.local_datacenter)
            .field("contact_points", &self.contact_points)
            .finish_non_exhaustive()
    }
}
