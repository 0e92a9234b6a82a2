//! Astra's secure connect bundle, and the two services it leads to.
//!
//! - [`secure_connect`]: the zip
//! - [`metadata`]: the metadata service, which tells the nodes' host ids
//! - [`sni_proxy`]: the SNI proxy, which leads to a node by its host id
//! - [`login`]: the start of a CQL connection, where a token becomes a Cassandra role
//! - [`frame`]: the frames of the CQL binary protocol, as far as the login needs them
//! - [`doors`]: who is let in, and the limits of both services

mod doors;
pub(crate) mod frame;
mod login;
mod metadata;
mod secure_connect;
mod sni_proxy;

pub use doors::{Bundles, Catalog, Database, Gate};
pub use secure_connect::BundleError;

#[cfg(test)]
mod tests;
