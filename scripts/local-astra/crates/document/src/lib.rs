//! Stargate's Document API v2: JSON documents over Cassandra tables of a fixed layout.
//!
//! Resources
//! - [`namespaces`]: namespaces, which are keyspaces
//! - [`collections`]: collections, which are tables with the document layout
//! - [`json_schema`]: the JSON schema of a collection
//! - [`read`]: one document or a part of it
//! - [`create`]: new documents, one or many
//! - [`update`]: PUT, PATCH and DELETE, of a document or a part of it
//! - [`functions`]: `$push`, `$pop`, `$set`
//! - [`search`]: the documents of a collection, or the parts of one document, that match a condition
//!
//! Between JSON and Cassandra
//! - [`layout`]: the table of a collection
//! - [`path`]: paths into documents, as written in URLs, `where` and `fields`, and as stored
//! - [`shred`]: JSON to rows
//! - [`assemble`]: rows to JSON
//! - [`rows`]: rows read; [`write`]: rows written and deleted
//!
//! Frame
//! - [`request`], [`response`], [`error`], [`profile`]

mod assemble;
mod collections;
mod create;
mod error;
mod functions;
mod json_schema;
mod layout;
mod namespaces;
mod path;
mod profile;
#[cfg(test)]
mod properties;
mod read;
mod request;
mod response;
mod rows;
mod search;
mod shred;
mod update;
mod write;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{MethodRouter, any, get, post};

use access::Logins;
use bridge::BridgeError;
use request::Documents;

/// Returns the Document API, with paths below `/v2`. Every request needs a token, which its login checks.
pub fn router(logins: Logins) -> Router {
    routes()
        .route_layer(middleware::from_fn(bridge::require_token))
        .layer(DefaultBodyLimit::max(bridge::BODY_LIMIT))
        .with_state(Documents(logins))
}

fn routes() -> Router<Documents> {
    let collections = "/namespaces/{namespace}/collections";
    let below = |path: &str| format!("{collections}{path}");
    let document = || {
        get(read::read)
            .put(update::replace)
            .patch(update::patch)
            .delete(update::delete)
    };
    Router::new()
        .route(
            "/schemas/namespaces",
            strict(get(namespaces::list).post(namespaces::create)),
        )
        .route(
            "/schemas/namespaces/{namespace}",
            strict(get(namespaces::get).delete(namespaces::delete)),
        )
        .route(
            collections,
            strict(get(collections::list).post(collections::create)),
        )
        .route(
            &below("/{collection}"),
            strict(
                post(create::create)
                    .get(search::search)
                    .delete(collections::delete),
            ),
        )
        .route(&below("/{collection}/"), nothing())
        // POST, GET and PUT of these names have a different meaning; all other methods refer to a document of that
        // name.
        .route(
            &below("/{collection}/batch"),
            strict(document().post(create::batch)),
        )
        .route(
            &below("/{collection}/upgrade"),
            strict(document().post(collections::upgrade)),
        )
        .route(
            &below("/{collection}/json-schema"),
            strict(
                get(json_schema::get)
                    .put(json_schema::put)
                    .patch(update::patch)
                    .delete(update::delete),
            ),
        )
        .route(&below("/{collection}/{id}"), strict(document()))
        .route(&below("/{collection}/{id}/"), nothing())
        .route(
            &below("/{collection}/{id}/{*path}"),
            strict(document().post(functions::call)),
        )
        .route("/namespaces", nothing())
        .route("/namespaces/", nothing())
        .route("/namespaces/{namespace}", nothing())
        .route("/namespaces/{namespace}/", nothing())
        .route("/namespaces/{namespace}/{other}", nothing())
        .route("/namespaces/{namespace}/{other}/", nothing())
        .route("/namespaces/{namespace}/{other}/{*rest}", nothing())
        .route("/schemas/namespaces/{namespace}/{*rest}", nothing())
}

/// Handles paths that look like this interface's, but are not.
fn nothing() -> MethodRouter<Documents> {
    any(async || BridgeError::NotFound)
}

/// Adds Stargate's response to OPTIONS, and 405 with Stargate's body for other methods.
fn strict(methods: MethodRouter<Documents>) -> MethodRouter<Documents> {
    methods
        .options(response::options)
        .fallback(async || BridgeError::WrongMethod)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes_do_not_collide() {
        // axum panics on conflicting routes.
        let _ = routes();
    }
}
