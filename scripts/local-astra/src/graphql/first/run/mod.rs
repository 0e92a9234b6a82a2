//! Operations of a deployed schema, run as statements.
//!
//! - [`values`]: what a client sends as CQL values, and back
//! - [`conditions`]: WHERE and IF from the arguments of an operation
//! - [`query`]: SELECT; [`mutation`]: INSERT, UPDATE, DELETE

mod conditions;
pub mod mutation;
pub mod query;
pub mod values;
