//! Local Astra itself: its commands, its interfaces, its tokens.

mod attacks;
pub mod cql;
pub mod data_api;
pub mod devops;
mod devops_streaming;
mod document;
pub mod exchanges;
pub mod graphql;
pub mod graphql_first;
mod graphql_values;
mod grpc;
pub mod lifecycle;
mod rest;
mod roles;
pub mod streaming;
mod tokens;
mod wire;
