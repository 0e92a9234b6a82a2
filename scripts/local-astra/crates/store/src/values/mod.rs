//! Conversion of CQL values from and to JSON and text, for all interfaces.
//!
//! The rules are those of Stargate 2.0.51 (its REST service), which reads JSON as Java does: a number with a fraction
//! is a double, an integer is truncated to the width of its column, and a text is accepted for any type.
//!
//! - [`from_json`]: JSON from a client; a text is read as [`from_text`] does
//! - [`from_json_strictly`]: JSON in which a text is only a text, as inside a collection
//! - [`from_text`]: text alone, as in a path, with CQL's forms of collections
//! - [`to_json`]: a value as JSON
//! - [`filled`]: the meaning of Cassandra's empty values
//!
//! There is one file per kind of value: [`numbers`], [`time`], [`duration`], [`inet`], `blob`, [`uuid`]; `structure`
//! splits the text forms of collections.

mod blob;
pub mod duration;
mod empty;
mod error;
pub mod inet;
mod json_in;
mod json_out;
pub mod numbers;
mod structure;
#[cfg(test)]
mod tests;
mod text_in;
pub mod time;
pub mod uuid;

pub use blob::from_base64;
pub use empty::{filled, refusal};
pub use error::ValueError;
pub use json_in::{from_json, from_json_strictly};
pub use json_out::to_json;
pub use text_in::from_text;

/// The JSON form of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maps {
    /// `{"a": 1}`, and `{'a': 1}` as text.
    Compact,
    /// `[{"key": "a", "value": 1}]`, and the same with single quotes as text.
    Entries,
}
