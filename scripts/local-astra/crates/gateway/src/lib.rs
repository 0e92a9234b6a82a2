//! The gateway: one TLS port and one plain port, with the same interfaces.
//!
//! This module sets the limits and performs the shutdown of all interfaces. [`router`] maps paths to interfaces.

mod lenient;
mod target;
mod whole_body;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::Service;

use access::Logins;
use bridge::Scheme;
use bundle::connections::{self, Place, Places};
use devops::DevOps;
use lenient::Lenient;
use pulsar_admin::Streaming;
use settings::environment::Door;

/// Maximum number of connections per door.
const CONNECTIONS: usize = 1024;
/// Limit for the TLS handshake, if any, and the head of the first request.
const FIRST_LIMIT: Duration = Duration::from_secs(10);
/// Limit for the head of a later request, from the previous response. Clients that wait for 30 seconds give up first.
const HEADER_LIMIT: Duration = Duration::from_secs(60);
/// Limit for the farewell of a connection that is being closed.
const FAREWELL: Duration = Duration::from_secs(1);
/// Limit for requests in progress when the gateway is stopped.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// The app behind both doors. It is replaced when another engine starts.
#[derive(Clone)]
pub struct Front {
    current: watch::Sender<Router>,
}

impl Front {
    /// Creates a front for `app`.
    pub fn new(app: Router) -> Front {
        Front {
            current: watch::Sender::new(app),
        }
    }

    /// Replaces the app. Open connections use the new one from their next request on.
    pub fn replace(&self, app: Router) {
        // The previous app is no longer needed.
        drop(self.current.send_replace(app));
    }

    /// Returns a router that forwards each request to the current app.
    pub fn app(&self) -> Router {
        let current = self.current.subscribe();
        Router::new().fallback(async move |request: Request| {
            let mut app = current.borrow().clone();
            match target::read(whole_body::read_to_its_end(request)) {
                Ok(request) => app.call(request).await,
                Err(refusal) => Ok(*refusal),
            }
        })
    }
}

/// Returns the interfaces that work without Cassandra.
pub fn router_without_store(streaming: Streaming) -> Router {
    pulsar_admin::router(streaming).fallback(async || {
        let description = "Cassandra is not running. Run `cargo local up` to start it; `cargo local status` shows what is running";
        let body = json!({"description": description, "code": 503});
        (StatusCode::SERVICE_UNAVAILABLE, axum::Json(body)).into_response()
    })
}

/// Maps paths to interfaces. All other paths return 501 with a sentence.
///
/// # Errors
/// The descriptors of the gRPC API cannot be read.
pub fn router(
    logins: Logins,
    devops: DevOps,
    streaming: Streaming,
    data_api_limits: data_api::Limits,
) -> Result<Router, grpc::DescriptorError> {
    Ok(Router::new()
        .merge(pulsar_admin::router(streaming))
        .nest(
            "/api/rest/v2",
            rest::router(logins.clone()).merge(document::router(logins.clone())),
        )
        .nest(
            "/api/json",
            data_api::router(logins.clone(), data_api_limits),
        )
        .merge(graphql::router(logins.clone()))
        .merge(grpc::router(logins)?)
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

/// Serves one door until `stop` is true, then lets requests in progress finish within a few seconds.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
    stop: watch::Receiver<bool>,
) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT);
    http.http2().timer(TokioTimer::new());
    let scheme = match tls {
        Some(_) => Scheme::Https,
        None => Scheme::Http,
    };
    let app = app.layer(Extension(scheme));
    let door = match tls {
        Some(_) => Door::Tls,
        None => Door::Plain,
    };
    let door = Arc::new(OpenDoor {
        door,
        tls,
        http,
        app,
    });
    let places = Places::new(CONNECTIONS, FIRST_LIMIT);
    let attend = |stream, place| Arc::clone(&door).attend(stream, place, stop.clone());
    let farewell = SHUTDOWN_LIMIT + FAREWELL;
    connections::accept(listener, places, stop.clone(), farewell, attend).await;
}

/// State shared by all connections of a door.
struct OpenDoor {
    door: Door,
    tls: Option<TlsAcceptor>,
    http: auto::Builder<TokioExecutor>,
    app: Router,
}

impl OpenDoor {
    async fn attend(
        self: Arc<OpenDoor>,
        stream: TcpStream,
        place: Arc<Place>,
        mut stop: watch::Receiver<bool>,
    ) {
        let Some(tls) = &self.tls else {
            return self.talk(stream, place, stop).await;
        };
        let stream = tokio::select! {
            done = tls.accept(stream) => done,
            () = place.is_over() => return,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        if let Ok(stream) = stream {
            self.talk(stream, place, stop).await;
        }
    }

    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        place: Arc<Place>,
        mut stop: watch::Receiver<bool>,
    ) {
        let service = TowerToHyperService::new(Attended {
            app: self.app.clone(),
            door: self.door,
            place: Arc::clone(&place),
        });
        let stream = TokioIo::new(Lenient::new(stream));
        let connection = self.http.serve_connection_with_upgrades(stream, service);
        tokio::pin!(connection);
        let left = tokio::select! {
            // A client that disconnects early is not an error.
            _ended = connection.as_mut() => return,
            () = place.is_over() => FAREWELL,
            _ = stop.wait_for(|stop| *stop) => SHUTDOWN_LIMIT,
        };
        connection.as_mut().graceful_shutdown();
        let _ended = timeout(left, connection).await;
    }
}

/// The app of one connection. It adds the door to each request, and registers the request with the connection's place.
#[derive(Clone)]
struct Attended {
    app: Router,
    door: Door,
    place: Arc<Place>,
}

impl<B> Service<axum::http::Request<B>> for Attended
where
    Router: Service<axum::http::Request<B>, Response = Response, Error = Infallible>,
    <Router as Service<axum::http::Request<B>>>::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<axum::http::Request<B>>::poll_ready(&mut self.app, context)
    }

    fn call(&mut self, mut request: axum::http::Request<B>) -> Self::Future {
        let under_way = self.place.request();
        request.extensions_mut().insert(self.door);
        let response = self.app.call(request);
        Box::pin(async move {
            let response = response.await?;
            // The request is in progress until its response is sent completely.
            Ok(response.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    let _under_way = &under_way;
                    frame
                }))
            }))
        })
    }
}
