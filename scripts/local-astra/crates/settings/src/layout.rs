//! Choices made once per data folder and stored there: the number of nodes and the ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Result, bail};
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};

use super::{read_json, write_first_json, write_json};

/// The choices made at the first start of a data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Cassandra's nodes: 1, or 3 as on Astra.
    pub nodes: u8,
    pub ports: Ports,
}

/// All ports, on loopback addresses only. Those of Cassandra are the same on each node's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// All HTTP and gRPC interfaces over TLS.
    pub tls: u16,
    /// The same interfaces without TLS.
    pub plain: u16,
    /// Cassandra's own CQL port.
    pub cql: u16,
    /// Cassandra's port between nodes, unique per data folder: two clusters with the same name and seed address would
    /// join.
    pub storage: u16,
    /// The metadata service of the secure connect bundle.
    pub metadata: u16,
    /// The SNI proxy of the secure connect bundle.
    pub proxy: u16,
    /// Pulsar's ports. Files from before the introduction of Pulsar lack them; they are then added.
    #[serde(default)]
    pub pulsar: PulsarPorts,
}

/// Pulsar's ports, see `engines::pulsar::Ports`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PulsarPorts {
    pub broker: u16,
    pub broker_tls: u16,
    pub web: u16,
    pub bookie: u16,
}

impl PulsarPorts {
    /// Returns the URL of Pulsar's binary protocol, with or without TLS.
    pub fn broker_url(&self, tls: bool) -> String {
        if tls {
            format!("pulsar+ssl://localhost:{}", self.broker_tls)
        } else {
            format!("pulsar://localhost:{}", self.broker)
        }
    }

    fn next(free: &mut Free) -> Result<PulsarPorts> {
        Ok(PulsarPorts {
            broker: free.next()?,
            broker_tls: free.next()?,
            web: free.next()?,
            bookie: free.next()?,
        })
    }
}

impl Layout {
    /// Reads the layout of a data folder, or creates one with `nodes` nodes (default: 1).
    ///
    /// # Errors
    /// The file cannot be read or written, no port is free, or the folder was created with another number of nodes.
    pub fn of(data: &Path, nodes: Option<u8>) -> Result<Layout> {
        let file = data.join("layout.json");
        if let Some(mut layout) = read_json::<Layout>(&file)? {
            if let Some(nodes) = nodes.filter(|nodes| *nodes != layout.nodes) {
                bail!(
                    "{} was created with --nodes {}, and the number cannot be changed. `cargo local reset` forgets \
                     its data; `--data DIR` keeps a second local Astra with --nodes {nodes}",
                    data.display(),
                    layout.nodes
                );
            }
            if layout.ports.pulsar == PulsarPorts::default() {
                let Ports {
                    tls,
                    plain,
                    cql,
                    storage,
                    metadata,
                    proxy,
                    pulsar: _,
                } = layout.ports;
                let mut free = Free {
                    taken: vec![tls, plain, cql, storage, metadata, proxy],
                    ..Free::default()
                };
                layout.ports.pulsar = PulsarPorts::next(&mut free)?;
                write_json(&file, &layout)?;
            }
            return Ok(layout);
        }
        let mut free = Free::default();
        let layout = Layout {
            nodes: nodes.unwrap_or(1),
            ports: Ports {
                tls: free.next()?,
                plain: free.next()?,
                cql: free.next()?,
                storage: free.next()?,
                metadata: free.next()?,
                proxy: free.next()?,
                pulsar: PulsarPorts::next(&mut free)?,
            },
        };
        if write_first_json(&file, &layout)? {
            return Ok(layout);
        }
        // If two processes choose at once, the first choice is kept.
        Layout::of(data, nodes)
    }

    /// Returns the CQL addresses of Cassandra's nodes.
    pub fn cassandra(&self) -> Vec<SocketAddr> {
        (1..=self.nodes)
            .map(|node| SocketAddr::from((Ipv4Addr::new(127, 0, 0, node), self.ports.cql)))
            .collect()
    }
}

/// Searches for free ports below the range that systems use for outgoing connections, so that no such connection
/// occupies one when it is needed again.
#[derive(Default)]
struct Free {
    /// Kept open until all ports are found, so that none is found twice.
    held: Vec<TcpListener>,
    /// Ports that are already assigned, even if nothing listens on them now.
    taken: Vec<u16>,
}

impl Free {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;

    fn next(&mut self) -> Result<u16> {
        for _ in 0..200 {
            let mut bytes = [0; 2];
            rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("no random bytes"))?;
            let port = Self::FIRST + u16::from_le_bytes(bytes) % Self::COUNT;
            if self.taken.contains(&port) {
                continue;
            }
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                self.held.push(listener);
                return Ok(port);
            }
        }
        bail!("found no free port on 127.0.0.1 after 200 tries")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_kept() {
        let data = tempfile::tempdir().unwrap();
        let first = Layout::of(data.path(), Some(3)).unwrap();
        assert_eq!(Layout::of(data.path(), None).unwrap(), first);
        let Ports {
            tls,
            plain,
            cql,
            storage,
            metadata,
            proxy,
            pulsar,
        } = first.ports.clone();
        let PulsarPorts {
            broker,
            broker_tls,
            web,
            bookie,
        } = pulsar;
        let all = [
            tls, plain, cql, storage, metadata, proxy, broker, broker_tls, web, bookie,
        ];
        let different: std::collections::BTreeSet<u16> = all.into();
        assert_eq!(different.len(), all.len());
        assert_eq!(first.cassandra().len(), 3);
    }

    #[test]
    fn a_layout_from_before_pulsar_gets_ports_for_it() {
        let data = tempfile::tempdir().unwrap();
        let before = serde_json::json!({"nodes": 1, "ports": {
            "tls": 20001, "plain": 20002, "cql": 20003, "storage": 20004, "metadata": 20005, "proxy": 20006}});
        write_json(&data.path().join("layout.json"), &before).unwrap();
        let layout = Layout::of(data.path(), None).unwrap();
        assert_eq!(layout.ports.tls, 20001);
        assert!(layout.ports.pulsar.broker > 0 && layout.ports.pulsar.bookie > 0);
        assert_eq!(Layout::of(data.path(), None).unwrap(), layout);
    }

    #[test]
    fn another_number_of_nodes_is_refused() {
        let data = tempfile::tempdir().unwrap();
        Layout::of(data.path(), None).unwrap();
        let error = Layout::of(data.path(), Some(3)).unwrap_err().to_string();
        assert!(error.contains("--nodes 1"), "{error}");
    }
}
