//! The CQL-first API: a schema generated from the tables of a keyspace.
//!
//! - [`names`]: CQL names as GraphQL names; [`types`]: CQL types as GraphQL types; [`sdl`]: the schema of a keyspace;
//!   [`descriptions`]: its descriptions in introspection
//! - [`schemas`]: those schemas, cached until their keyspace changes
//! - [`values`]: conversion of GraphQL values to CQL and back
//! - [`query`] and [`mutation`]: the fields of a table as statements; [`aggregates`]: those that call functions;
//!   [`data`]: execution of a request

mod aggregates;
mod conditions;
pub mod data;
mod descriptions;
mod mutation;
mod names;
mod query;
pub mod schemas;
mod sdl;
mod types;
mod values;

pub use sdl::columns;
