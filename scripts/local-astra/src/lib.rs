//! Local Astra: Astra's front on a real Apache Cassandra and Apache Pulsar, so that the samples run on one machine.
//!
//! - [`commands`]: the commands of `cargo local`
//! - [`background`]: the process that owns the engines and the ports
//! - [`settings`]: folders, ports, tokens, and the settings of the samples
//! - [`engines`]: Cassandra and Pulsar: downloaded, configured, started, stopped
//! - [`bundle`]: the secure connect bundle, the metadata service, the SNI proxy
//! - [`certificates`]: the certificate authority and its certificates
//! - [`access`]: tokens, roles, permissions
//! - [`store`]: one login per token, the schema, Cassandra's errors
//! - [`gateway`]: the ports, and the paths of the interfaces; [`connections`]: the limits of connections
//! - [`pulsar_admin`]: the part of Pulsar's admin API that is open to tenants
//! - [`grpc`]: Stargate's gRPC API
//! - [`graphql`]: Stargate's GraphQL APIs, CQL-first and GraphQL-first
//! - [`bridge`]: Cassandra's errors in Stargate's HTTP APIs
//! - [`rest`]: Stargate's REST API v2
//! - [`document`]: Stargate's Document API v2
//! - [`data_api`]: the Data API: collections and vector search
//! - [`devops`]: the DevOps API v2, the control plane

#[cfg(not(unix))]
compile_error!("local Astra runs on Linux and macOS; on Windows, run it in WSL");

pub mod access;
pub mod background;
mod bridge;
pub mod bundle;
pub mod certificates;
pub mod commands;
pub mod connections;
pub mod data_api;
pub mod devops;
pub mod document;
pub mod engines;
pub mod gateway;
pub mod graphql;
pub mod grpc;
#[cfg(test)]
mod hostile;
pub mod pulsar_admin;
pub mod rest;
pub mod settings;
pub mod store;
