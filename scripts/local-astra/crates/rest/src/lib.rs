//! The REST API v2 with the responses of Stargate 2.0.51, by translation to CQL.
//!
//! [`router`] maps paths to handlers. The modules:
//! - [`rows`]: search, read, write and delete rows; [`keys`] reads the path, [`conditions`] the `where` parameter,
//!   [`store::cql`] builds the statement, [`page`] the response
//! - [`keyspaces`], [`tables`], [`columns`], [`indexes`], [`types`]: the schema; [`lookup`] finds its objects
//! - [`methods`]: OPTIONS, and methods that a path does not support
//! - [`request`]: names, parameters and bodies; [`response`]: responses; [`error`]: errors
//!
//! Not served: `POST /cql`, which is also disabled by default in Stargate (404).

mod columns;
mod conditions;
mod error;
mod indexes;
mod keys;
mod keyspaces;
mod lookup;
mod methods;
mod page;
#[cfg(test)]
mod properties;
mod request;
mod response;
mod rows;
mod tables;
mod types;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{delete, get};

use access::Logins;
use bridge::BridgeError;
use lookup::Rest;

/// Returns the routes below `/api/rest/v2`.
pub fn router(logins: Logins) -> Router {
    Router::new()
        .route(
            "/keyspaces/{keyspace}/{table}",
            get(rows::search).post(rows::create),
        )
        .route(
            "/keyspaces/{keyspace}/{table}/rows",
            get(rows::all)
                .put(rows::update)
                .patch(rows::update)
                .delete(rows::delete),
        )
        .route(
            "/keyspaces/{keyspace}/{table}/{*key}",
            get(rows::by_key)
                .put(rows::update)
                .patch(rows::update)
                .delete(rows::delete),
        )
        .route(
            "/schemas/keyspaces",
            get(keyspaces::list).post(keyspaces::create),
        )
        .route(
            "/schemas/keyspaces/{keyspace}",
            get(keyspaces::one).delete(keyspaces::delete),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/tables",
            get(tables::list).post(tables::create),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/tables/{table}",
            get(tables::one).put(tables::update).delete(tables::delete),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/tables/{table}/columns",
            get(columns::list).post(columns::create),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/tables/{table}/columns/{column}",
            get(columns::one)
                .put(columns::rename)
                .delete(columns::delete),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/tables/{table}/indexes",
            get(indexes::list).post(indexes::create),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/tables/{table}/indexes/{index}",
            delete(indexes::delete),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/types",
            get(types::list).post(types::create).put(types::update),
        )
        .route(
            "/schemas/keyspaces/{keyspace}/types/{type}",
            get(types::one).delete(types::delete),
        )
        .fallback(async || BridgeError::UnknownPath)
        .method_not_allowed_fallback(methods::wrong)
        .layer(middleware::from_fn(methods::handle_options))
        .layer(middleware::from_fn(bridge::require_token))
        .layer(DefaultBodyLimit::max(bridge::BODY_LIMIT))
        .with_state(Rest::new(logins))
}
