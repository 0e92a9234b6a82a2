//! A GraphQL client that sends the token with every request, and errors that say what to check.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use graphql_client::{GraphQLQuery, Response};
use reqwest::{Client, header, redirect};
use serde_json::{Map, Value};

const URL: &str = "check ASTRA_DB_GRAPHQL_URL_ADMIN, or ASTRA_DB_ID and ASTRA_DB_REGION";
const TOKEN: &str = "check ASTRA_DB_APPLICATION_TOKEN, its role and its age";

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

/// Sends an operation and returns the data of the response. Waits up to two minutes for a hibernated database.
pub async fn execute<Q: GraphQLQuery>(
    http: &Client,
    url: &str,
    variables: Q::Variables,
) -> Result<Q::ResponseData> {
    let query = Q::build_query(variables);
    let mut pauses = 24;
    loop {
        let mut response = http.post(url).json(&query).send().await.context(URL)?;
        let status = response.status();
        let retry_after = response.headers().get("Retry-After").cloned();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.context(URL)? {
            ensure!(body.len() < 4 << 20, "{url}: over 4 MiB; {URL}");
            body.extend(part);
        }
        let body = String::from_utf8_lossy(&body);
        let error: Map<_, _> = serde_json::from_str(&body).unwrap_or_default();
        let text = texts(&Value::Object(error)).join("; ");
        let hint = match status.as_u16() {
            200..300 if text.is_empty() => {
                let Response { data, .. } = serde_json::from_str(&body).map_err(|error| {
                    let place = (error.line(), error.column()); // its message can quote the body
                    anyhow!("{status} from {url}: unexpected JSON at {place:?}; {URL}")
                })?;
                return data.context("a response without data");
            }
            429 | 503 if pauses > 0 && (status == 429 || body.contains("esuming")) => {
                let seconds = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
                let seconds: u64 = seconds.unwrap_or(5).clamp(1, 120);
                pauses = if status == 429 { 0 } else { pauses - 1 };
                eprintln!("{status}, trying again in {seconds} s");
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                continue;
            }
            401 | 403 => TOKEN,
            _ if text.contains("UNAUTHENTICATED") || text.contains("PERMISSION_DENIED") => TOKEN,
            404 | 410 => "check this URL's setting; a vector database has no Stargate APIs",
            500.. => URL,
            _ => "check the request",
        };
        let text = if text.is_empty() { &body } else { &*text };
        bail!("{status} from {url}; {hint}\n  {}", shared::printable(text));
    }
}

/// Returns the texts of an error. Stargate explains why it rejects a schema in `extensions`.
fn texts(json: &Value) -> Vec<&str> {
    let keys = "description message errors extensions schemaErrors mappingErrors migrationErrors";
    match json {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(_) => keys.split(' ').flat_map(|key| texts(&json[key])).collect(),
        _ => Vec::new(),
    }
}
