//! The Data API: JSON documents over Cassandra, one POST per command.
//!
//! - [`request`]: token, address and body of a request, and the way to its command; [`caller`]: the login of its token
//! - [`commands`]: the commands, with their fields and options; [`command`]: those of requests
//! - [`keyspaces`]: commands at the top
//! - [`collections`]: commands on collections and their documents
//! - [`tables`]: commands on tables, their rows and indexes, and on types
//! - [`filter`]: filters as conditions; [`update`]: updates as operators; [`indexes`]: indexes that are being built;
//!   [`nearest`]: vectors compared one by one
//! - [`json`]: JSON with members in order and decimal numbers
//! - [`response`], [`error`], [`codes`]: responses and their errors

mod caller;
mod codes;
mod collections;
mod command;
mod commands;
mod error;
mod filter;
mod indexes;
mod json;
mod keyspaces;
mod nearest;
mod request;
mod response;
mod tables;
mod update;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;

use access::Logins;
use collections::CreationLocks;

/// The most collections and indexes that a database may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub collections: usize,
    pub indexes: usize,
}

impl Limits {
    /// Those of Astra's free plan.
    pub const ASTRA: Limits = Limits {
        collections: 10,
        indexes: 100,
    };
}

/// The state behind all requests.
#[derive(Clone)]
struct DataApi {
    logins: Logins,
    limits: Limits,
    creation_locks: Arc<CreationLocks>,
}

/// Returns the routes of the Data API, with paths below `/v1`.
pub fn router(logins: Logins, limits: Limits) -> Router {
    let api = DataApi {
        logins,
        limits,
        creation_locks: Arc::default(),
    };
    // The path is read from the request as it was sent: an encoded slash is part of a name.
    Router::new()
        .route("/v1", any(request::serve))
        .route("/v1/", any(request::serve))
        .route("/v1/{*names}", any(request::serve))
        .with_state(api)
}
