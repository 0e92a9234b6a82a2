//! Execution of a deployed schema's operations as statements.
//!
//! - [`values`]: conversion of values to CQL and back
//! - [`conditions`]: WHERE and IF from the arguments of an operation
//! - [`query`]: SELECT; [`mutation`]: INSERT, UPDATE, DELETE

mod conditions;
pub mod mutation;
pub mod query;
pub mod values;
