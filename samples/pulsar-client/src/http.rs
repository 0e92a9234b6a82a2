//! An HTTP client that sends the token with every request, and errors that say what to check.

use std::{io::Write, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use reqwest::{Client, RequestBuilder, header, redirect};
use serde::de::{DeserializeOwned, IgnoredAny};

const URL: &str = "check ASTRA_STREAMING_WEBSERVICE_URL, or ASTRA_STREAMING_CLOUD and _REGION";
const TOKEN: &str = "check ASTRA_STREAMING_PULSAR_TOKEN, a JWT, and ASTRA_STREAMING_NAME";
const NOT_FOUND: &str = "check ASTRA_STREAMING_NAME and ASTRA_STREAMING_WEBSERVICE_URL";

/// Returns a client that sends the token in the header of this name and waits at most 30 seconds for a response.
pub fn client(name: &'static str, token: &str) -> Result<Client> {
    let mut token: header::HeaderValue = token.parse()?;
    token.set_sensitive(true);
    let client = Client::builder()
        .default_headers(header::HeaderMap::from_iter([(name.parse()?, token)]))
        .redirect(redirect::Policy::none()) // it would take the token to another host
        .timeout(Duration::from_secs(30));
    client.build().context("cannot set up TLS")
}

/// Sends a request whose response has nothing to read.
pub async fn send(request: RequestBuilder) -> Result<()> {
    fetch::<IgnoredAny>(request).await.map(drop)
}

/// Sends a request and parses the JSON of the response. Waits up to two minutes for a hibernated database.
pub async fn fetch<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let mut pauses = 24;
    loop {
        let again = request.try_clone().context("the body is a stream")?;
        let mut response = again.send().await.context(URL)?;
        let (status, url) = (response.status(), response.url().clone());
        let retry_after = response.headers().get("Retry-After").cloned();
        let mut body = Vec::new();
        while body.len() < 4 << 20
            && let Some(part) = response.chunk().await.context(URL)?
        {
            body.extend(part);
        }
        let body = String::from_utf8_lossy(&body);
        let hint = match status.as_u16() {
            200..300 => {
                let json = if body.is_empty() { "null" } else { &body };
                return serde_json::from_str(json).map_err(|error| {
                    let place = (error.line(), error.column()); // its message can quote the body
                    anyhow!("{status} from {url}: unexpected JSON at {place:?}; {URL}")
                });
            }
            429 | 503 if pauses > 0 && (status == 429 || body.contains("esuming")) => {
                let seconds = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
                let seconds: u64 = seconds.unwrap_or(5).clamp(1, 120);
                pauses = if status == 429 { 0 } else { pauses - 1 };
                _ = writeln!(std::io::stderr(), "{status}, trying again in {seconds} s");
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                continue;
            }
            401 | 403 => TOKEN,
            404 | 410 => NOT_FOUND,
            500.. => URL,
            _ => "check the request",
        };
        bail!(
            "{status} from {url}; {hint}\n  {}",
            shared::printable(&body)
        );
    }
}
