//! Astra's secure connect bundle, and the two services it points to.
//!
//! - [`secure_connect`]: the zip
//! - [`key_stores`]: its files for Java and .NET
//! - [`metadata`]: the metadata service, which returns the nodes' host ids
//! - [`sni_proxy`]: the SNI proxy, which connects to a node by its host id
//! - [`login`]: the start of a CQL connection, where a token is translated to a Cassandra role
//! - [`doors`]: admission of clients, and the limits of both services
//! - [`certificates`]: the certificate authority and its certificates
//! - [`connections`]: the acceptance of connections, their limits and their shutdown, also for the gateway

pub mod certificates;
pub mod connections;
mod doors;
pub mod key_stores;
mod login;
mod metadata;
mod secure_connect;
mod sni_proxy;

pub use doors::{Bundles, Catalog, Database, Gate};
pub use secure_connect::BundleError;

#[cfg(test)]
mod tests;
