//! Tests of both services and the zip, with a small substitute for a Cassandra node.
//!
//! - [`services`]: admission, traffic, and the end of connections
//! - [`zip`]: the files, and opening them with Java

mod services;
mod zip;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use super::{Bundles, Catalog, Database, Gate};
use crate::certificates::Authority;

const DATABASE: Uuid = Uuid::from_u128(0x10ca1a57_7a00_4000_8000_000000000001);
const NODE: Uuid = Uuid::from_u128(0x0000_0000_dead_4eef_8000_0000_0000_0001);

fn catalog(nodes: &[(Uuid, SocketAddr)]) -> Catalog {
    let database = Database {
        keyspace: "books".to_owned(),
    };
    Catalog {
        databases: HashMap::from([(DATABASE, database)]),
        nodes: nodes.iter().copied().collect(),
        local_datacenter: "us-east1".to_owned(),
    }
}

fn authority(folder: &Path) -> Arc<Authority> {
    Arc::new(Authority::open(folder).unwrap())
}

fn bundles(
    authority: &Arc<Authority>,
    catalog: watch::Receiver<Catalog>,
    ports: [u16; 2],
) -> Bundles {
    let [metadata, proxy] = ports;
    let gate: Gate = Arc::new(|_, _| Box::pin(async { Ok(true) }));
    Bundles::new(authority.clone(), catalog, metadata, proxy, gate).unwrap()
}
