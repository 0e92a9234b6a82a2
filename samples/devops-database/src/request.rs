//! Sends a request, and makes one readable message of any failure.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode, redirect::Policy};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use shared::{ExposeSecret, SecretString};

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A client whose every request carries `Authorization: Bearer` and the token, and ends within 30 seconds. It
/// follows no redirect, which would take the token to another host.
pub fn client(token: &SecretString) -> Result<Client> {
    let bearer = format!("Bearer {}", token.expose_secret());
    let mut bearer: HeaderValue = bearer.parse()?;
    bearer.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
    build(headers)
}

/// A client that carries `headers`, all of them or none.
pub fn build(headers: HeaderMap) -> Result<Client> {
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

impl Refused {
    /// Whether the same request may be granted a little later.
    pub fn may_pass(&self) -> bool {
        matches!(self.status.as_u16(), 401 | 404 | 409 | 500..)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "{} was refused: {}\n  {}",
            self.request, self.status, self.said
        )?;
        f.write_str(match self.status.as_u16() {
            // This API has 401 for a missing right, too.
            401 | 403 => "\n  Look at ASTRA_ORG_TOKEN, or ASTRA_DB_APPLICATION_TOKEN if that one is empty: is it valid, may its\n  role do this? Organization Administrator may.",
            400..500 => "",
            _ => "\n  Look at ASTRA_API_URL: is it the DevOps API that answers?",
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
    let answer = send(request).await?;
    serde_json::from_str(&answer.body).map_err(|error| {
        // JSON of another shape may have secrets in it.
        let said = match serde_json::from_str::<IgnoredAny>(&answer.body) {
            Ok(_) => "(JSON of another shape)".into(),
            Err(_) => said(&answer.body),
        };
        anyhow!(
            "{} was answered, but not as the DevOps API does: {error}\n  {}\n  Look at ASTRA_API_URL.",
            answer.request,
            said
        )
    })
}

/// What came back for a request that was granted.
pub struct Answer {
    request: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// Sends a request. The error is a [`Refused`] if there was an answer.
pub async fn send(request: RequestBuilder) -> Result<Answer> {
    let (http, request) = request.build_split();
    let request = request?;
    let mut url = request.url().clone();
    url.set_query(None);
    let what = format!("{} {url}", request.method());
    let start = Instant::now();
    let answer = http.execute(request).await;
    let answer = answer.map_err(|error| no_answer(&what, start, &error))?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.text().await;
    let body = body.map_err(|error| no_answer(&what, start, &error))?;
    if !status.is_success() {
        let said = said(&body);
        return Err(Refused {
            request: what,
            status,
            said,
        }
        .into());
    }
    Ok(Answer {
        request: what,
        headers,
        body,
    })
}

/// No connection, no answer in time, or half an answer.
pub fn no_answer(what: &str, start: Instant, error: &reqwest::Error) -> Error {
    anyhow!(
        "{what} got no answer ({} s): {}\n  Look at ASTRA_API_URL and at the network.",
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

/// What the many shapes of this API's errors say: an object, a JSON string, `null`, a page, text, or nothing.
fn said(body: &str) -> String {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Many { errors: Vec<One> },
        Reason { reason: String },
        Error { error: String },
        Text(String),
        Null(()),
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(alias = "ID")]
        id: Option<serde_json::Value>,
        message: String,
    }
    let one = |one: &One| match &one.id {
        Some(id) => format!("{id}: {}", one.message),
        None => one.message.clone(),
    };
    let title = || Some(body.split_once("<title>")?.1.split_once("</title>")?.0);
    match serde_json::from_str(body) {
        Ok(Shape::Many { errors }) => {
            let all: Vec<String> = errors.iter().map(one).collect();
            shorten(&all.join("; "))
        }
        Ok(Shape::Reason { reason: text } | Shape::Error { error: text } | Shape::Text(text)) => {
            shorten(&text)
        }
        Ok(Shape::Null(())) => "null (it says no more)".into(),
        Err(_) => shorten(title().unwrap_or(body)),
    }
}

/// One line, not too long, and without a token should there be one in it.
fn shorten(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.map(|word| {
        if word.contains("AstraCS:") || word.contains("eyJ") {
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

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn every_shape_of_error_is_read_and_no_token_shown() {
        for (body, text) in [
            (
                r#"{"errors":[{"ID":340018,"message":"Resource not found","new":1}]}"#,
                "340018: Resource not found",
            ),
            (r#"{"errors":[{"message":"a"},{"message":"b"}]}"#, "a; b"),
            (r#""no right to do this""#, "no right to do this"),
            (r#"{"reason":"taken"}"#, "taken"),
            (r#"{"error":"too many"}"#, "too many"),
            ("null", "null (it says no more)"),
            ("", "(it said nothing)"),
            (
                "<html><title>502 Bad Gateway</title></html>",
                "502 Bad Gateway",
            ),
            ("plain \n text", "plain text"),
            (r#""bad AstraCS:abc:def""#, "bad (a token)"),
            (r#""bad eyJhbGciOi""#, "bad (a token)"),
        ] {
            assert_eq!(said(body), text, "{body}");
        }
        assert!(said(&"x".repeat(1_000)).len() < 310);
    }
}
