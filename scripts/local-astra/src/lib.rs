//! Local Astra: Astra's front on a real Apache Cassandra and Apache Pulsar, so that the samples run on one machine.
//!
//! - [`commands`]: the commands of `cargo local`
//! - [`background`]: the process that owns the engines and the ports
//!
//! The rest are crates in `crates/`:
//!
//! - [`gateway`]: the ports, and the paths of the interfaces
//! - [`settings`]: folders, ports, ids, tokens, and the settings of the samples
//! - [`engines`]: Cassandra and Pulsar: downloaded, configured, started, stopped
//! - [`store`]: sessions of Cassandra's roles, statements on rows, the schema, Cassandra's errors
//! - [`access`]: the logins of tokens, roles, permissions
//! - [`bundle`]: the secure connect bundle, the metadata service, the SNI proxy; certificates; limits of connections
//! - `bridge`: requests, responses and errors that Stargate's HTTP APIs share
//! - `rest`, `document`, `graphql`, `grpc`: Stargate's APIs
//! - [`data_api`]: the Data API: collections, tables, vector search
//! - [`devops`]: the DevOps API v2, the control plane
//! - [`pulsar_admin`]: the part of Pulsar's admin API that is open to tenants

#[cfg(not(unix))]
compile_error!("local Astra runs on Linux and macOS; on Windows, run it in WSL");

pub mod background;
pub mod commands;
