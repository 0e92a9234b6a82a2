//! The secure connect bundle of the first database, and the admission of clients with any bundle.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::watch;
use uuid::Uuid;

use access::{Interface, Rights};
use bundle::certificates::Authority;
use bundle::{Bundles, Catalog, Database, Gate, key_stores};
use settings::layout::Layout;
use settings::{DATABASE_ID, Folders, KEYSPACE};
use store::{Session, Store};

/// Creates the certificate and the key stores of the bundle, while Cassandra starts.
///
/// # Errors
/// A file cannot be read or written, or Java cannot be run.
pub async fn prepare(authority: &Arc<Authority>) -> Result<()> {
    key_stores::open(Arc::clone(authority), DATABASE_ID.parse()?).await?;
    Ok(())
}

/// Writes the bundle to the data folder. Returns its services and the catalog they use.
///
/// # Errors
/// Cassandra does not return its nodes, or a file cannot be written.
pub async fn open(
    folders: &Folders,
    layout: &Layout,
    authority: &Arc<Authority>,
    store: &Store,
) -> Result<(Bundles, watch::Sender<Catalog>)> {
    let database: Uuid = DATABASE_ID.parse()?;
    let (sender, catalog) = watch::channel(catalog(store.admin(), database)?);
    let ports = &layout.ports;
    let (metadata, proxy) = (ports.metadata, ports.proxy);
    let bundles = Bundles::new(Arc::clone(authority), catalog, metadata, proxy, gate(store))?;
    let file = folders.bundle();
    bundles
        .write(database, &file)
        .await
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok((bundles, sender))
}

/// Returns a gate that admits the roles whose policies allow CQL.
fn gate(store: &Store) -> Gate {
    let store = store.clone();
    Arc::new(move |role, database| {
        let store = store.clone();
        Box::pin(async move {
            let rights = Rights::of(store.admin(), &role)
                .await
                .map_err(io::Error::other)?;
            Ok(rights.open_to(Interface::Cql, database))
        })
    })
}
/// Returns the nodes by the host ids from Cassandra, which drivers compare with `system.local`.
fn catalog(admin: &Session, database: Uuid) -> Result<Catalog> {
    let state = admin.get_cluster_state();
    let nodes = state.get_nodes_info();
    let datacenter = nodes.iter().find_map(|node| node.datacenter.clone());
    let local_datacenter = datacenter.context("Cassandra does not report its data center")?;
    let address = |node: &scylla::cluster::NodeAddr| SocketAddr::new(node.ip(), node.port());
    let nodes = nodes
        .iter()
        .map(|node| (node.host_id, address(&node.address)));
    let known = Database {
        keyspace: KEYSPACE.to_owned(),
    };
    Ok(Catalog {
        databases: HashMap::from([(database, known)]),
        nodes: nodes.collect(),
        local_datacenter,
    })
}
