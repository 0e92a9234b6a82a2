//! Sends a request to the admin API; makes one readable message of any failure.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use shared::{ExposeSecret, SecretString};

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A client whose every request carries the token and ends within 30 seconds. It follows no redirect, which
/// would take the token to another host.
pub fn client(token: &SecretString) -> Result<Client> {
    let mut token: HeaderValue = format!("Bearer {}", token.expose_secret()).parse()?;
    token.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, token)]);
    let client = Client::builder()
        .default_headers(headers)
        .redirect(Policy::none());
    let client = client.timeout(LIMIT).build();
    client.map_err(|error| {
        anyhow!(
            "TLS does not work: {}. Is SSL_CERT_FILE set?",
            innermost(&error)
        )
    })
}

/// The server refused a request.
#[derive(Debug)]
pub struct Refused {
    request: String,
    pub status: StatusCode,
    /// What the server said about it.
    pub said: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "{} was refused: {}\n  {}",
            self.request, self.status, self.said
        )?;
        f.write_str(match self.status.as_u16() {
            401 | 403 => "\n  Look at ASTRA_STREAMING_PULSAR_TOKEN: is it a Pulsar token (no AstraCS:...) of this tenant, and not\n  revoked? And at ASTRA_STREAMING_NAME: a tenant that is not there is 401, too.",
            402 => "\n  The plan allows no more of these: 20 namespaces a tenant, 100 topics a namespace. Delete some.",
            404 => "\n  Look at ASTRA_STREAMING_NAME, and at ASTRA_STREAMING_WEBSERVICE_URL: is it the web service URL?",
            400..500 => "",
            _ => "\n  Look at ASTRA_STREAMING_WEBSERVICE_URL, or ASTRA_STREAMING_CLOUD and ASTRA_STREAMING_REGION: is it\n  the Pulsar admin API that answers?",
        })
    }
}

impl std::error::Error for Refused {}

/// Whether the server may have done it after all: it failed on the way, or its answer did not arrive.
pub fn may_be_done(error: &Error) -> bool {
    error
        .downcast_ref::<Refused>()
        .is_none_or(|refused| refused.status.is_server_error())
}

/// The answer to a read.
pub async fn fetch<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let (what, body) = exchange(request).await?;
    serde_json::from_str(&body).map_err(|error| {
        anyhow!(
            "{what} was answered, but not as the Pulsar admin API does: {error}\n  {}\n  Look at ASTRA_STREAMING_WEBSERVICE_URL.",
            said(&body)
        )
    })
}

/// A request whose answer says no more than that it is done. Pulsar's is empty.
pub async fn send(request: RequestBuilder) -> Result<()> {
    exchange(request).await?;
    Ok(())
}

/// A request that deletes. What is not there, 404, need not be deleted.
pub async fn delete(request: RequestBuilder) -> Result<()> {
    match send(request).await {
        Err(error) => match error.downcast::<Refused>() {
            Ok(refused) if refused.status == StatusCode::NOT_FOUND => Ok(()),
            Ok(refused) => Err(refused.into()),
            Err(error) => Err(error),
        },
        done => done,
    }
}

/// Method and URL, and the body of the answer.
async fn exchange(request: RequestBuilder) -> Result<(String, String)> {
    let (http, request) = request.build_split();
    let request = request?;
    let mut url = request.url().clone();
    url.set_query(None);
    let what = format!("{} {url}", request.method());
    let start = Instant::now();
    let answer = http.execute(request).await;
    let answer = answer.map_err(|error| no_answer(&what, start, &error))?;
    let status = answer.status();
    let body = answer.text().await;
    let body = body.map_err(|error| no_answer(&what, start, &error))?;
    if !status.is_success() {
        let request = what;
        let said = said(&body);
        return Err(Refused {
            request,
            status,
            said,
        }
        .into());
    }
    Ok((what, body))
}

/// No connection, no answer in time, or half an answer.
fn no_answer(what: &str, start: Instant, error: &reqwest::Error) -> Error {
    anyhow!(
        "{what} got no answer ({} s): {}\n  \
         Look at ASTRA_STREAMING_WEBSERVICE_URL, or ASTRA_STREAMING_CLOUD and ASTRA_STREAMING_REGION, and at\n  the network.",
        start.elapsed().as_secs(),
        innermost(error)
    )
}

/// The cause that tells most.
fn innermost(error: &reqwest::Error) -> &dyn std::error::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}

/// Pulsar's reason, else the title of a page, else the text as it is.
fn said(body: &str) -> String {
    #[derive(Deserialize)]
    struct Pulsar {
        reason: String,
    }
    let title = || Some(body.split_once("<title>")?.1.split_once("</title>")?.0);
    match serde_json::from_str::<Pulsar>(body) {
        Ok(error) => shorten(&error.reason),
        Err(_) => shorten(title().unwrap_or(body)),
    }
}

/// One line, not too long, and without a token should there be one in it.
pub fn shorten(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.map(|word| {
        if word.contains("eyJ") || word.contains("AstraCS:") {
            "(a token)"
        } else {
            word
        }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None if line.is_empty() => "(it said nothing)".into(),
        None => line,
    }
}
