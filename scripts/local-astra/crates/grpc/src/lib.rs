//! Stargate's gRPC API 2.0: CQL statements and their results as protocol buffers.
//!
//! - [`service`]: the four calls: the token, the deadline, streams
//! - [`query`], [`batch`]: one or several statements: prepared, bound, executed
//! - [`options`]: consistency, page, timestamp and the other options of a call
//! - [`bind`]: binding of values to the markers of a statement
//! - [`encode`], [`decode`]: conversion of values to Cassandra's bytes and back
//! - [`type_spec`]: descriptions of columns in responses
//! - [`schema_change`]: detection of schema changes
//! - [`traces`]: traces of statements
//! - [`error`]: errors, their status codes and trailers
//! - [`proto`]: the messages, generated from `proto/`

mod batch;
mod bind;
mod deadline;
mod decode;
mod encode;
mod error;
mod options;
#[cfg(test)]
mod properties;
pub mod proto;
mod query;
mod schema_change;
mod service;
mod traces;
mod type_spec;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Response};
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Code, Status};

pub use tonic_reflection::server::Error as DescriptorError;

use access::Logins;
use proto::stargate::stargate_server::StargateServer;
use service::Service;

/// Maximum size of a request, the default of gRPC.
const MESSAGE_LIMIT: usize = 4 * 1024 * 1024;

/// Returns the routes of `stargate.Stargate` and of server reflection. For other paths see [`unknown_service`].
///
/// # Errors
/// The compiled descriptors cannot be read.
pub fn router(logins: Logins) -> Result<Router, DescriptorError> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
    };
    // The default of gRPC for Java: requests may be compressed, responses are not.
    let gzip = CompressionEncoding::Gzip;
    let stargate = StargateServer::new(Service::new(logins))
        .accept_compressed(gzip)
        .max_decoding_message_size(MESSAGE_LIMIT);
    let mut routes = Routes::new(stargate)
        .add_service(reflection().build_v1alpha()?.accept_compressed(gzip))
        .add_service(reflection().build_v1()?.accept_compressed(gzip));
    // Two routers with fallbacks cannot be merged: the gateway's is kept.
    let router = std::mem::take(routes.axum_router_mut()).reset_fallback();
    Ok(router.layer(axum::middleware::map_response(message_too_large)))
}

/// Returns the response to a gRPC request for an unknown service; `None` for other requests.
pub fn unknown_service(headers: &HeaderMap) -> Option<Response<Body>> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    content_type
        .starts_with("application/grpc")
        .then(|| Status::unimplemented("this server has no such gRPC service").into_http())
}

/// Replaces OUT_OF_RANGE, which the library only returns for a request over the limit, by RESOURCE_EXHAUSTED, the
/// status of gRPC servers.
async fn message_too_large(mut response: Response<Body>) -> Response<Body> {
    const STATUS: &str = "grpc-status";
    let code = |code: Code| HeaderValue::from(code as i32);
    if response.headers().get(STATUS) == Some(&code(Code::OutOfRange)) {
        let headers = response.headers_mut();
        headers.insert(STATUS, code(Code::ResourceExhausted));
    }
    response
}
