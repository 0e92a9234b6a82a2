//! The doors: one TLS port and one plain port, with the same interfaces behind both.
//!
//! Limits and shutdown of all interfaces are here; which path goes to which interface is [`router`].

mod lenient;
mod target;
mod whole_body;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::Service;

use crate::devops::{self, DevOps};
use crate::document;
use crate::graphql;
use crate::grpc;
use crate::pulsar_admin::{self, Streaming};
use crate::rest;
use crate::store::Store;
use lenient::Lenient;

/// Connections a door holds at once; more wait in the system's queue.
const CONNECTIONS: usize = 1024;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// How long a client may take to send the head of a request.
const HEADER_LIMIT: Duration = Duration::from_secs(30);
/// How long requests under way may take to end when the gateway is stopped.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// What is behind both doors: an engine that is started later brings its interfaces with it.
#[derive(Clone)]
pub struct Front {
    current: watch::Sender<Router>,
}

impl Front {
    /// A front with `app` behind it.
    pub fn new(app: Router) -> Front {
        Front {
            current: watch::Sender::new(app),
        }
    }

    /// Puts another app there; connections that are open see it with their next request.
    pub fn replace(&self, app: Router) {
        // The last one is of no use any more.
        drop(self.current.send_replace(app));
    }

    /// What a door serves.
    pub fn app(&self) -> Router {
        let current = self.current.subscribe();
        Router::new().fallback(async move |request: Request| {
            let mut app = current.borrow().clone();
            match target::read(whole_body::read_to_its_end(request)) {
                Ok(request) => app.call(request).await,
                Err(refusal) => Ok(refusal),
            }
        })
    }
}

/// The interfaces that need no Cassandra.
pub fn router_without_store(streaming: Streaming) -> Router {
    pulsar_admin::router(streaming).fallback(async || {
        let description = "Cassandra is not running: `cargo local up` starts it, `cargo local status` tells what runs";
        let body = json!({"description": description, "code": 503});
        (StatusCode::SERVICE_UNAVAILABLE, axum::Json(body)).into_response()
    })
}

/// How clients reach a door, for URLs that responses hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// Which path goes to which interface. All else is 501, with a sentence.
///
/// # Errors
/// When the descriptors of the gRPC API cannot be read.
pub fn router(
    store: Store,
    devops: DevOps,
    streaming: Streaming,
) -> Result<Router, grpc::DescriptorError> {
    Ok(Router::new()
        .merge(pulsar_admin::router(streaming))
        .nest(
            "/api/rest/v2",
            rest::router(store.clone()).merge(document::router(store.clone())),
        )
        .merge(graphql::router(store.clone()))
        .merge(grpc::routes(store)?)
        .merge(devops::router(devops))
        .fallback(not_served))
}

async fn not_served(request: Request) -> Response {
    if let Some(unimplemented) = grpc::unknown_service(request.headers()) {
        return unimplemented;
    }
    let description = format!(
        "Local Astra does not serve {} {}. Its README lists what it serves.",
        request.method(),
        request.uri().path()
    );
    let body = json!({"description": description, "code": 501});
    (StatusCode::NOT_IMPLEMENTED, axum::Json(body)).into_response()
}

/// Serves one door until `stop` turns true, then lets requests under way end, for a few seconds.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
    mut stop: watch::Receiver<bool>,
) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT);
    http.http2().timer(TokioTimer::new());
    let http = Arc::new(http);
    let scheme = match tls {
        Some(_) => Scheme::Https,
        None => Scheme::Http,
    };
    let app = app.layer(Extension(scheme));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (Ok(place), Ok((stream, _))) = (place, accepted) else {
            // Out of file descriptors, most likely: give connections a moment to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (http, tls, app) = (Arc::clone(&http), tls.clone(), app.clone());
        let watcher = graceful.watcher();
        let mut stop = stop.clone();
        tokio::spawn(async move {
            let _place = place;
            let Some(stream) = handshake(stream, tls, &mut stop).await else {
                return;
            };
            let service = TowerToHyperService::new(app);
            let connection = match stream {
                Door::Plain(stream) => {
                    let io = TokioIo::new(Lenient::new(stream));
                    watcher
                        .watch(
                            http.serve_connection_with_upgrades(io, service)
                                .into_owned(),
                        )
                        .await
                }
                Door::Tls(stream) => {
                    let io = TokioIo::new(Lenient::new(*stream));
                    watcher
                        .watch(
                            http.serve_connection_with_upgrades(io, service)
                                .into_owned(),
                        )
                        .await
                }
            };
            // A client that goes away in the middle is its own affair.
            drop(connection);
        });
    }
    drop(listener);
    // What has not ended by then is cut: the process is about to end.
    let _ended = timeout(SHUTDOWN_LIMIT, graceful.shutdown()).await;
}

enum Door {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

async fn handshake(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    stop: &mut watch::Receiver<bool>,
) -> Option<Door> {
    stream.set_nodelay(true).ok()?;
    let Some(tls) = tls else {
        return Some(Door::Plain(stream));
    };
    tokio::select! {
        done = timeout(HANDSHAKE_LIMIT, tls.accept(stream)) => {
            done.ok()?.ok().map(|stream| Door::Tls(Box::new(stream)))
        }
        _ = stop.wait_for(|stop| *stop) => None,
    }
}
