//! Recorded responses of a real Stargate 2.0.51 and a real Data API 1.0.51, and the runner that repeats the requests.
//!
//! A file is one scenario: its steps build on each other. Texts in braces are placeholders for the keyspace, the run,
//! and values captured by earlier steps. [`compare`] describes the comparison of responses.

pub mod compare;
pub mod grpc;

use std::collections::BTreeMap;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, Url};
use serde::Deserialize;
use serde_json::{Map, Value};

use compare::{Rules, at, short};

/// A token that does not exist.
const BAD_TOKEN: &str = "00000000-dead-beef-0000-000000000000";
/// Characters of a path that are percent-encoded; the files contain further encoded ones where it matters.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'%')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scenario {
    scenario: String,
    /// The name of the header with the token.
    #[serde(default = "stargate_header")]
    token_header: String,
    steps: Vec<Step>,
}

fn stargate_header() -> String {
    "x-cassandra-token".to_owned()
}

#[derive(Deserialize)]
struct Step {
    name: String,
    request: Request,
    expect: Expected,
    #[serde(flatten)]
    rules: Rules,
    /// Maps names of variables to pointers into the body.
    #[serde(default)]
    capture: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    path: String,
    #[serde(default)]
    query: Map<String, Value>,
    #[serde(default, deserialize_with = "given")]
    body: Option<Value>,
    raw_body: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    status: u16,
    content_type: Option<String>,
    #[serde(default, deserialize_with = "given")]
    body: Option<Value>,
}

/// Reads an existing member as `Some`, even if it is null.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

struct Answer {
    status: u16,
    content_type: String,
    body: String,
}

/// Runs a scenario against a server, and returns the differences from the recording, one sentence each. `base` is
/// scheme, host and port; the keyspace must exist.
///
/// # Panics
/// The file cannot be read.
pub async fn replay(base: &str, token: &str, keyspace: &str, file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let scenario: Scenario = serde_json::from_str(&text).unwrap();
    let client = crate::astra::client();
    let run = format!("r{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let mut variables = BTreeMap::from([
        ("keyspace".to_owned(), keyspace.to_owned()),
        ("run".to_owned(), run),
    ]);
    let mut failures = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let token = (scenario.token_header.as_str(), token);
        let mut problems = match ask(&client, base, token, &step.request, &variables).await {
            Ok(answer) => check(step, &answer, &mut variables),
            Err(error) => vec![format!("no answer: {error}")],
        };
        for problem in problems.drain(..) {
            let (scenario, number, name) = (&scenario.scenario, number + 1, &step.name);
            failures.push(format!("{scenario} #{number} {name}: {problem}"));
        }
    }
    failures
}

async fn ask(
    client: &Client,
    base: &str,
    (token_header, token): (&str, &str),
    request: &Request,
    variables: &BTreeMap<String, String>,
) -> Result<Answer, Box<dyn std::error::Error>> {
    let method: Method = request.method.parse()?;
    let mut asking = client.request(method, url(base, request, variables)?);
    let mut headers = BTreeMap::from([("accept".to_owned(), "application/json".to_owned())]);
    let body = match (&request.raw_body, &request.body) {
        (Some(text), _) => Some(substitute_text(text, variables)),
        (None, Some(body)) => Some(substitute(body, variables).to_string()),
        (None, None) => None,
    };
    if let Some(body) = body {
        headers.insert("content-type".to_owned(), "application/json".to_owned());
        asking = asking.body(body);
    }
    match request.token.as_deref() {
        Some("none") => None,
        Some("bad") => headers.insert(token_header.to_lowercase(), BAD_TOKEN.to_owned()),
        _ => headers.insert(token_header.to_lowercase(), token.to_owned()),
    };
    // Those of the step replace the runner's own.
    for (name, value) in &request.headers {
        headers.insert(name.to_lowercase(), substitute_text(value, variables));
    }
    for (name, value) in headers {
        asking = asking.header(name, value);
    }
    let answer = asking.send().await?;
    let content_type = answer.headers().get("content-type");
    Ok(Answer {
        status: answer.status().as_u16(),
        content_type: content_type
            .map_or("", |t| t.to_str().unwrap_or("?"))
            .to_owned(),
        body: answer.text().await?,
    })
}

fn url(
    base: &str,
    request: &Request,
    variables: &BTreeMap<String, String>,
) -> Result<Url, Box<dyn std::error::Error>> {
    let path = substitute_text(&request.path, variables);
    let mut url = format!("{base}{}", utf8_percent_encode(&path, PATH));
    let mut separator = '?';
    for (name, value) in &request.query {
        let value = match substitute(value, variables) {
            Value::String(text) => text,
            value => value.to_string(),
        };
        let name = utf8_percent_encode(name, PARAMETER);
        let value = utf8_percent_encode(&value, PARAMETER);
        url.push_str(&format!("{separator}{name}={value}"));
        separator = '&';
    }
    Ok(url.parse()?)
}

fn check(step: &Step, answer: &Answer, variables: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut problems = Vec::new();
    let expected = &step.expect;
    if answer.status != expected.status {
        problems.push(format!(
            "status: expected {}, got {} {}",
            expected.status, answer.status, answer.body
        ));
    }
    let media_type = |text: &str| {
        let essence = text.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    };
    if let Some(wanted) = &expected.content_type
        && media_type(wanted) != media_type(&answer.content_type)
    {
        problems.push(format!(
            "content type: expected {wanted}, got {}",
            answer.content_type
        ));
    }
    let actual = match answer.body.as_str() {
        "" => None,
        text => match serde_json::from_str::<Value>(text) {
            Ok(value) => Some(value),
            Err(_) => {
                problems.push(format!("(body): not JSON: {text:?}"));
                return problems;
            }
        },
    };
    match (&expected.body, &actual) {
        (None, _) | (Some(Value::Null), None) => (),
        (Some(expected), None) => {
            problems.push(format!("(body): empty, expected {}", short(expected)));
        }
        (Some(expected), Some(actual)) => {
            problems.extend(step.rules.compare(&substitute(expected, variables), actual));
        }
    }
    for (name, pointer) in &step.capture {
        match actual.as_ref().and_then(|actual| at(actual, pointer)) {
            None => problems.push(format!("capture: nothing at {pointer}")),
            Some(Value::String(text)) => {
                variables.insert(name.clone(), text.clone());
            }
            Some(value) => {
                variables.insert(name.clone(), value.to_string());
            }
        }
    }
    problems
}

/// Replaces the variables in every text of a value, including names of members.
fn substitute(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(substitute_text(text, variables)),
        Value::Array(values) => Value::Array(
            values
                .iter()
                .map(|value| substitute(value, variables))
                .collect(),
        ),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                (
                    substitute_text(name, variables),
                    substitute(value, variables),
                )
            });
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

fn substitute_text(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open);
        out.push_str(before);
        let name = after[1..].split('}').next().unwrap_or_default();
        match variables.get(name) {
            Some(value) if after[1..].len() > name.len() => {
                out.push_str(value);
                rest = &after[name.len() + 2..];
            }
            _ => {
                out.push('{');
                rest = &after[1..];
            }
        }
    }
    out + rest
}

mod tests {
    use super::*;

    fn step(json: &str) -> Step {
        serde_json::from_str(json).unwrap()
    }

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            status,
            content_type: content_type.to_owned(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn a_wrong_answer_fails() {
        let step = step(
            r#"{"name":"n","request":{"method":"GET","path":"/"},"capture":{"page":"/state"},
                "expect":{"status":200,"contentType":"application/json","body":{"state":"{x}"}}}"#,
        );
        let mut variables = BTreeMap::from([("x".to_owned(), "y".to_owned())]);
        let mut told = |answer: Answer| check(&step, &answer, &mut variables);
        let json = "application/json;charset=UTF-8";
        assert!(told(answer(200, json, r#"{"state":"y"}"#)).is_empty());
        for (status, content_type, body, wanted) in [
            (
                500,
                json,
                r#"{"state":"y"}"#,
                "status: expected 200, got 500",
            ),
            (
                200,
                "text/html",
                r#"{"state":"y"}"#,
                "content type: expected application/json, got text/html",
            ),
            (
                200,
                json,
                r#"{"state":"z"}"#,
                r#"/state: expected "y", got "z""#,
            ),
            (200, json, "<html>", "(body): not JSON"),
            (200, json, "", "(body): empty, expected"),
            (200, json, "{}", "/state: missing"),
        ] {
            let told = told(answer(status, content_type, body));
            assert!(
                told.first().is_some_and(|t| t.starts_with(wanted)),
                "{told:?}"
            );
        }
        assert_eq!(variables["page"], "z");
    }

    #[test]
    fn an_expected_null_is_an_empty_body() {
        let step = step(
            r#"{"name":"n","request":{"method":"DELETE","path":"/"},"expect":{"status":204,"body":null}}"#,
        );
        let mut variables = BTreeMap::new();
        assert!(check(&step, &answer(204, "", ""), &mut variables).is_empty());
        assert!(check(&step, &answer(204, "", "null"), &mut variables).is_empty());
        assert!(!check(&step, &answer(204, "", "{}"), &mut variables).is_empty());
    }

    #[test]
    fn a_request_is_built_as_it_is_written() {
        let step = step(
            r#"{"name":"n","expect":{"status":200},"request":{"method":"GET","path":"/a/{k}/b%2Fc d",
                "query":{"where":{"{k}":{"$eq":1.50}},"raw":"t&"}}}"#,
        );
        let variables = BTreeMap::from([("k".to_owned(), "ks".to_owned())]);
        let url = url("http://localhost:1", &step.request, &variables).unwrap();
        assert_eq!(
            url.as_str(),
            "http://localhost:1/a/ks/b%2Fc%20d?where=%7B%22ks%22%3A%7B%22%24eq%22%3A1.50%7D%7D&raw=t%26"
        );
        assert_eq!(
            substitute_text("{k}{{k}}{none}{", &variables),
            "ks{ks}{none}{"
        );
    }
}
