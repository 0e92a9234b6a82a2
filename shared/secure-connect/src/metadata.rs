//! The metadata service: the address of the SNI proxy, and the host ids of the nodes behind it.

use std::error::Error as StdError;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::Error;
use crate::server::Server;

/// The size of the largest response, in bytes.
const MAX_RESPONSE: usize = 64 * 1024;
/// The time limit for the metadata, from the connection to the last byte.
const METADATA_LIMIT: Duration = Duration::from_secs(10);

/// The response. Drivers use none of its other fields.
#[derive(Deserialize)]
struct Response {
    contact_info: Metadata,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Metadata {
    pub local_dc: String,
    /// Host ids of nodes, at least one.
    pub contact_points: Vec<Uuid>,
    /// The same for all nodes.
    #[serde(rename = "sni_proxy_address", deserialize_with = "host_and_port")]
    pub proxy: (String, u16),
}

fn host_and_port<'de, D: Deserializer<'de>>(address: D) -> Result<(String, u16), D::Error> {
    let address = String::deserialize(address)?;
    let parts = address.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), port.parse().ok()?))
    });
    parts.ok_or_else(|| D::Error::custom("not host:port"))
}

impl Metadata {
    /// Sends `GET /metadata`, with no other login than the client certificate.
    pub async fn fetch(service: &Server) -> Result<Metadata, Error> {
        let response = timeout(METADATA_LIMIT, get(service)).await;
        let (status, body) = response
            .unwrap_or_else(|_| Err("no complete response within 10 seconds".into()))
            .map_err(|error| service.failure(&*error))?;
        match status {
            StatusCode::OK => Metadata::parse(&body).map_err(Error::Metadata),
            StatusCode::UNAUTHORIZED => Err(Error::NotActive(printable(&body))),
            _ => Err(Error::Metadata(format!("{status}: {}", printable(&body)))),
        }
    }

    pub fn parse(body: &[u8]) -> Result<Metadata, String> {
        if body.len() > MAX_RESPONSE {
            return Err(format!("more than {MAX_RESPONSE} bytes"));
        }
        let response: Response = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column()); // its text can be the server's
            format!("no addresses of a database, line {line}, column {column}")
        })?;
        match response.contact_info {
            metadata if metadata.contact_points.is_empty() => Err("no contact points".to_owned()),
            metadata => Ok(metadata),
        }
    }
}

/// Returns the status and the body, truncated if it is too long.
async fn get(service: &Server) -> Result<(StatusCode, Vec<u8>), Box<dyn StdError + Send + Sync>> {
    let stream = TokioIo::new(service.connect(&service.host).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    let mut tasks = JoinSet::new(); // aborted when dropped
    tasks.spawn(connection);
    let request = Request::get("/metadata")
        .header(header::HOST, format!("{}:{}", service.host, service.port))
        .body(String::new())?;
    let mut response = sender.send_request(request).await?;
    let mut body = Vec::new();
    while body.len() <= MAX_RESPONSE
        && let Some(frame) = response.frame().await
    {
        body.extend(frame?.into_data().unwrap_or_default());
    }
    Ok((response.status(), body))
}

/// The beginning of a server's text, on one line, with letters, digits and ASCII punctuation only.
fn printable(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
    let words: Vec<_> = text
        .split(|c: char| !c.is_alphanumeric() && !c.is_ascii_graphic())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}
