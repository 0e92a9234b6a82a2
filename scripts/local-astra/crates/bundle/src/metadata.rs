//! The metadata service: `GET /metadata` over mutual TLS returns the nodes' host ids and the SNI proxy's address.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;
use uuid::Uuid;

use super::Bundles;
use crate::connections::Place;

impl Bundles {
    /// Serves the metadata service on `listener` until `shutdown` is true.
    pub async fn serve_metadata(&self, listener: TcpListener, shutdown: watch::Receiver<bool>) {
        self.serve(listener, shutdown, serve).await;
    }
}

/// Serves one connection. It is closed after one request, because drivers send only one.
async fn serve(
    bundles: Bundles,
    tls: TlsStream<TcpStream>,
    database: Uuid,
    _place: Arc<Place>,
) -> io::Result<()> {
    let app = Router::new()
        .route("/metadata", get(metadata))
        .with_state((bundles, database));
    let server = auto::Builder::new(TokioExecutor::new()).http1_only();
    let connection = server.serve_connection(TokioIo::new(tls), TowerToHyperService::new(app));
    connection.await.map_err(io::Error::other)
}

/// Returns the metadata of the database named by the client's certificate.
async fn metadata(State((bundles, id)): State<(Bundles, Uuid)>) -> Response {
    let catalog = bundles.catalog.borrow().clone();
    if !catalog.databases.contains_key(&id) {
        // Astra's response for a hibernated or terminated database.
        let message = json!({"message": "the database is not active"});
        return (StatusCode::UNAUTHORIZED, Json(message)).into_response();
    }
    let hosts: Vec<Uuid> = catalog.nodes.keys().copied().collect();
    Json(json!({
        "version": 1,
        // The engine's region, not the database's: cql-proxy ignores nodes of another data center.
        "region": catalog.local_datacenter,
        "contact_info": {
            "type": "sni_proxy",
            "local_dc": catalog.local_datacenter,
            "contact_points": hosts,
            "sni_proxy_address": format!("{}:{}", Bundles::HOST, bundles.ports.proxy),
        },
    }))
    .into_response()
}
