//! Stargate's GraphQL APIs, answered as Stargate 2.0.51 answers them.
//!
//! - [`cql_first`]: CQL-first: schemas made from tables; [`ddl`]: tables, types, indexes and keyspaces
//! - [`first`]: GraphQL-first: schemas that users deploy
//! - [`http`]: requests and who answers them; [`error`]: refusals
//! - [`engine`] executes a request; [`validate`] checks its document and [`literals`] the values in it, [`variables`]
//!   converts those beside it, [`introspection`] bridges two versions of it; [`object`] hands the answer over
//! - [`run`]: arguments and failures of a field; [`statement`]: statements with bound values, one by one or in a batch
//! - [`scalars`]: Stargate's scalars as CQL values, and back

mod cql_first;
mod ddl;
mod engine;
mod error;
mod first;
mod http;
mod introspection;
mod literals;
mod object;
mod run;
mod scalars;
mod statement;
mod validate;
mod variables;

pub use http::router;
