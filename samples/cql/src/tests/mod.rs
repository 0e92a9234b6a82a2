//! Tests of `secure_connect.rs`, against a small stand-in for Astra.
//!
//! - [`stand_in`]: an authority, bundles, a metadata service, an SNI proxy that echoes
//! - [`bundle`]: what a bundle may be
//! - [`metadata`]: what the metadata service may answer
//! - [`tunnels`]: what goes through, and that nothing stays behind

mod bundle;
mod metadata;
mod stand_in;
mod tunnels;
