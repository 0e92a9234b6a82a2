//! Stargate's GraphQL APIs with the responses of Stargate 2.0.51.
//!
//! - [`cql_first`]: CQL-first: schemas generated from tables; [`ddl`]: tables, types, indexes and keyspaces
//! - [`first`]: GraphQL-first: schemas that users deploy
//! - [`http`]: requests and their routing; [`error`]: errors; [`java_json`]: the texts of responses
//! - [`engine`] executes a request; [`validate`] checks its document, [`literals`] its literals; [`variables`] coerces
//!   its variables; [`introspection`] bridges two versions of introspection; [`object`] passes on the response, and
//!   [`cost`] limits its size
//! - [`run`]: arguments and failures of a field; [`statement`]: runs statements, individually or in a batch
//! - [`scalars`]: conversion of Stargate's scalars to CQL values and back

mod cost;
mod cql_first;
mod ddl;
mod engine;
mod error;
mod first;
mod http;
mod introspection;
mod java_json;
mod literals;
mod object;
#[cfg(test)]
mod properties;
mod run;
mod scalars;
mod statement;
mod validate;
mod variables;

pub use http::router;
