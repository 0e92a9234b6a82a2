//! The CQL-first API: a schema made from the tables of a keyspace, and answered from them.
//!
//! - [`names`]: CQL names as GraphQL names; [`types`]: CQL types as GraphQL types; [`sdl`]: the schema of a keyspace
//! - [`schemas`]: those schemas, kept as long as their keyspace does not change
//! - [`values`]: CQL values from GraphQL's, and back
//! - [`query`] and [`mutation`]: the fields of a table as statements; [`aggregates`]: those that call functions; [`data`]: a request, executed

mod aggregates;
mod conditions;
pub mod data;
mod mutation;
mod names;
mod query;
pub mod schemas;
mod sdl;
mod types;
mod values;

pub use sdl::columns;
