//! A client of the Data API. It returns errors in responses with status 200 as Rust errors.

use std::{fmt, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use reqwest::{Client, header, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Error, Value};
use shared::printable;

const URL: &str =
    "check ASTRA_DB_DATA_API_URL, or ASTRA_DB_API_ENDPOINT, or ASTRA_DB_ID and ASTRA_DB_REGION";
const LOGIN: &str =
    "check ASTRA_DB_KEYSPACE and ASTRA_DB_APPLICATION_TOKEN (new ones need minutes)";

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    errors: Vec<ApiError>,
    status: Option<Value>,
    data: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    pub error_code: String,
    title: String,
    message: String,
}
impl std::error::Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let hint = match self.error_code.as_str() {
            "UNKNOWN_KEYSPACE" | "UNAUTHENTICATED_REQUEST" | "UNAUTHORIZED_ACCESS" => LOGIN,
            "VECTOR_SEARCH_NOT_SUPPORTED" => "use a database that has vectors",
            code if code.starts_with("TOO_MANY_") => "astra db delete-collection makes room",
            _ => "the server said",
        };
        let said = [&self.error_code, &self.title, &self.message].map(|text| printable(text));
        write!(f, "{} ({}); {hint}\n  {}", said[0], said[1], said[2])
    }
}

/// Returns a client that sends the token and waits at most 30 seconds for a response.
pub fn client(token: &str) -> Result<Client> {
    let mut token: header::HeaderValue = token.parse()?;
    token.set_sensitive(true);
    let client = Client::builder()
        .default_headers(header::HeaderMap::from_iter([("Token".parse()?, token)]))
        .redirect(redirect::Policy::none()) // it would take the token to another host
        .timeout(Duration::from_secs(30));
    client.build().context("cannot set up TLS")
}

/// Posts a command and returns the `data` of the response, or else its `status`.
pub async fn run<T: DeserializeOwned>(http: &Client, url: &str, command: Value) -> Result<T> {
    let mut pauses = 24; // two minutes for a hibernated database
    loop {
        let mut response = http.post(url).json(&command).send().await.context(URL)?;
        let (code, mut body) = (response.status(), Vec::new());
        while let Some(part) = response.chunk().await.context(URL)? {
            body.extend(part);
            ensure!(body.len() < 4 << 20, "{code}, an endless response; {URL}");
        }
        let body = String::from_utf8_lossy(&body);
        if pauses > 0 && (code == 429 || code == 503 && body.contains("esuming")) {
            eprintln!("{code}, trying again in 5 s");
            pauses = if code == 429 { 0 } else { pauses - 1 };
            tokio::time::sleep(Duration::from_secs(5)).await;
            continue;
        }
        let other = |error: Error| {
            let place = (error.line(), error.column()); // its message can quote the body
            anyhow!("{code} from {url}: unexpected JSON at {place:?}; {URL}")
        };
        let response: Response = serde_json::from_str(&body).map_err(other)?;
        if let Some(error) = response.errors.into_iter().next() {
            let done = response
                .status
                .map(|done| format!("; done in part: {done}"));
            let context = format!("{code}, with errors{}", done.unwrap_or_default());
            return Err(anyhow!(error).context(printable(&context)));
        }
        let result = response.data.or(response.status);
        let result = result.with_context(|| format!("{code}, no result; {URL}"))?;
        return T::deserialize(result).map_err(other);
    }
}
