//! Sends a request. Waits while a hibernated database resumes; makes one readable message of any failure.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use shared::{ExposeSecret, SecretString};

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How long a hibernated database may take to resume, and how often we look.
const RESUME: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_secs(5);

/// A client whose every request carries the token in `header` and ends within 30 seconds. It follows no
/// redirect, which would take the token to another host.
pub fn client(header: &'static str, token: &SecretString) -> Result<Client> {
    let mut token: HeaderValue = token.expose_secret().parse()?;
    token.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(header, token);
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
            401 | 403 => "\n  Look at ASTRA_DB_APPLICATION_TOKEN: is it of this database's organization, may its role do this?",
            404 | 410 => "\n  Look at ASTRA_DB_DOCUMENT_URL or ASTRA_DB_REST_URL, or ASTRA_DB_ID and ASTRA_DB_REGION. If they are right, this database has\n  no Stargate API; README.md tells what takes its place.",
            400..500 => "",
            _ => "\n  Look at ASTRA_DB_DOCUMENT_URL or ASTRA_DB_REST_URL, or ASTRA_DB_ID and ASTRA_DB_REGION: is it the Document API that answers?",
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
            "{what} was answered, but not as the Document API does: {error}\n  {}\n  Look at ASTRA_DB_DOCUMENT_URL or ASTRA_DB_REST_URL.",
            said(&body)
        )
    })
}

/// A request whose answer says no more than that it is done.
pub async fn send(request: RequestBuilder) -> Result<()> {
    exchange(request).await?;
    Ok(())
}

/// Method and URL, and the body of the answer.
async fn exchange(request: RequestBuilder) -> Result<(String, String)> {
    let (http, request) = request.build_split();
    let request = request?;
    let mut url = request.url().clone();
    url.set_query(None);
    let what = format!("{} {url}", request.method());
    let start = Instant::now();
    loop {
        let again = request
            .try_clone()
            .ok_or_else(|| anyhow!("{what} cannot be sent twice"))?;
        let answer = http
            .execute(again)
            .await
            .map_err(|error| no_answer(&what, start, &error))?;
        let status = answer.status();
        let body = answer
            .text()
            .await
            .map_err(|error| no_answer(&what, start, &error))?;
        if status.is_success() {
            return Ok((what, body));
        }
        let resuming = status == 503 && body.to_lowercase().contains("resuming your database");
        if !resuming || start.elapsed() + PAUSE > RESUME {
            return Err(Refused {
                request: what,
                status,
                said: said(&body),
            }
            .into());
        }
        eprintln!(
            "The database is resuming: {} s of at most {}",
            start.elapsed().as_secs(),
            RESUME.as_secs()
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// No connection, no answer in time, or half an answer.
fn no_answer(what: &str, start: Instant, error: &reqwest::Error) -> Error {
    anyhow!(
        "{what} got no answer ({} s): {}\n  \
         Look at ASTRA_DB_DOCUMENT_URL or ASTRA_DB_REST_URL, or ASTRA_DB_ID and ASTRA_DB_REGION, and at the network.",
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

/// Stargate's description of an error, else the title of a page, else the text as it is.
fn said(body: &str) -> String {
    #[derive(Deserialize)]
    struct Stargate {
        description: String,
    }
    let title = || Some(body.split_once("<title>")?.1.split_once("</title>")?.0);
    match serde_json::from_str::<Stargate>(body) {
        Ok(error) => shorten(&error.description),
        Err(_) => shorten(title().unwrap_or(body)),
    }
}

/// One line, not too long, and without a token should there be one in it.
fn shorten(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.map(|word| {
        if word.contains("AstraCS:") {
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
