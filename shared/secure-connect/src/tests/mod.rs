//! Tests against a small stand-in for Astra.
//!
//! - [`stand_in`]: an authority, bundles, a metadata service, an SNI proxy that echoes
//! - [`bundle`]: good and bad bundles
//! - [`metadata`]: responses of the metadata service
//! - [`tunnels`]: bytes through the tunnels, and that nothing stays behind

mod bundle;
mod metadata;
mod stand_in;
mod tunnels;
