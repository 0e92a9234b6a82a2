//! Sends an operation. Waits while a hibernated database resumes; makes one readable message of any failure, `errors`
//! in an answer with status 200 too.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use graphql_client::Response;
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

/// The server refused an operation.
#[derive(Debug)]
pub struct Refused {
    request: String,
    pub status: StatusCode,
    /// What the server said about it.
    pub said: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Refused {
            request,
            status,
            said,
        } = self;
        match status.is_success() {
            true => write!(f, "{request} was answered with errors:\n  {said}")?,
            false => write!(f, "{request} was refused: {status}\n  {said}")?,
        }
        let has = |sign| said.contains(sign);
        f.write_str(match status.as_u16() {
            401 | 403 => TOKEN,
            200 if has("UNAUTHENTICATED") || has("PERMISSION_DENIED") => TOKEN,
            200 if has("does not exist") => "\n  Look at ASTRA_DB_GRAPHQL_FIRST_KEYSPACE: make it (astra db create-keyspace DB -k KEYSPACE).",
            200 if has("more recent version") => "\n  A schema is deployed there: of another run, of one that was killed, or of somebody else. README.md tells how to\n  undeploy it.",
            200 if has("someone else is deploying") => "\n  If it is no other run, one was cut off in the middle: README.md tells how to go on.",
            200 if has("Validation error") => "\n  The schema files are older than what the server serves: README.md tells how to fetch them.",
            404 | 410 => "\n  Look at ASTRA_DB_GRAPHQL_URL_ADMIN and ASTRA_DB_GRAPHQL_URL_SCHEMA, or ASTRA_DB_ID and ASTRA_DB_REGION. If they are\n  right, this database has no Stargate API; README.md tells what takes its place.",
            200 | 400..500 => "",
            _ => "\n  Look at ASTRA_DB_GRAPHQL_URL_ADMIN and ASTRA_DB_GRAPHQL_URL_SCHEMA, or ASTRA_DB_ID and ASTRA_DB_REGION: is it the\n  GraphQL API that answers? And at ASTRA_DB_GRAPHQL_FIRST_KEYSPACE.",
        })
    }
}

const TOKEN: &str = "\n  Look at ASTRA_DB_APPLICATION_TOKEN: is it of this database's organization, may its role do this?";

impl std::error::Error for Refused {}

/// Whether the server may have done it after all: it failed on the way, or its answer did not arrive.
pub fn may_be_done(error: &Error) -> bool {
    const NO: [&str; 8] = [
        "CQL mapping errors",
        "can't be mapped",
        "does not exist",
        "expectedVersion",
        "PERMISSION_DENIED",
        "someone else is deploying",
        "UNAUTHENTICATED",
        "Validation error",
    ];
    error.downcast_ref::<Refused>().is_none_or(|refused| {
        let clear = NO.iter().any(|sign| refused.said.contains(sign));
        refused.status.is_server_error() || refused.status.is_success() && !clear
    })
}

/// The `data` of the answer to the operation `name`. One with `errors` is a refusal, even if it has data as well.
pub async fn fetch<T: DeserializeOwned>(name: &str, request: RequestBuilder) -> Result<T> {
    let (what, status, body) = exchange(name, request).await?;
    let strange = |error: &dyn fmt::Display| {
        anyhow!(
            "{what} was answered, but not as the GraphQL API does: {error}\n  {}\n  \
             Look at ASTRA_DB_GRAPHQL_URL_ADMIN and ASTRA_DB_GRAPHQL_URL_SCHEMA.",
            said(&body)
        )
    };
    let answer: Response<serde_json::Value> =
        serde_json::from_str(&body).map_err(|error| strange(&error))?;
    if answer.errors.is_some_and(|errors| !errors.is_empty()) {
        return Err(Refused {
            request: what,
            status,
            said: said(&body),
        }
        .into());
    }
    let data = answer.data.ok_or_else(|| strange(&"it has no data"))?;
    serde_json::from_value(data).map_err(|error| strange(&error))
}

/// Operation and URL, the status, and the body of the answer.
async fn exchange(name: &str, request: RequestBuilder) -> Result<(String, StatusCode, String)> {
    let (http, request) = request.build_split();
    let request = request?;
    let what = format!("{name} at {}", request.url());
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
            return Ok((what, status, body));
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
         Look at ASTRA_DB_GRAPHQL_URL_ADMIN and ASTRA_DB_GRAPHQL_URL_SCHEMA, or ASTRA_DB_ID and ASTRA_DB_REGION, and at\n  the network.",
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

/// The messages of `errors`, or Stargate's description of an error, else the title of a page, else the text as it is.
fn said(body: &str) -> String {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stargate {
        Errors { errors: Vec<Message> },
        Description { description: String },
    }
    #[derive(Deserialize)]
    struct Message {
        message: String,
        extensions: Option<HashMap<String, serde_json::Value>>,
    }
    impl Message {
        /// What a schema is refused for stands in `schemaErrors`, `mappingErrors` or `migrationErrors`.
        fn with_details(self) -> String {
            let mut text = self.message;
            let lists = self.extensions.into_iter().flat_map(HashMap::into_values);
            for detail in lists.filter_map(|list| list.as_array().cloned()).flatten() {
                if let Some(detail) = detail.as_str().or(detail["message"].as_str()) {
                    text = format!("{text} {detail}");
                }
            }
            text
        }
    }
    let title = || Some(body.split_once("<title>")?.1.split_once("</title>")?.0);
    match serde_json::from_str(body) {
        Ok(Stargate::Errors { errors }) => {
            let messages = errors.into_iter().map(Message::with_details);
            let messages: Vec<String> = messages.collect();
            shorten(&messages.join("; "))
        }
        Ok(Stargate::Description { description }) => shorten(&description),
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
    match line.char_indices().nth(600) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None if line.is_empty() => "(it said nothing)".into(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_schema_that_is_refused_is_told_what_for() {
        let body = r#"{"errors":[{"message":"See details in `extensions.mappingErrors` below.","extensions":
            {"mappingErrors":[{"message":"Book must have a key","path":null}],"classification":"X"}}],"data":null}"#;
        let told = "See details in `extensions.mappingErrors` below. Book must have a key";
        assert_eq!(said(body), told);
        let body = r#"{"errors":[{"message":"a","extensions":{"migrationErrors":["Missing table Book"]}},
            {"message":"b","extensions":null},{"message":"c"}]}"#;
        assert_eq!(said(body), "a Missing table Book; b; c");
    }
}
