//! Keyspaces: `/schemas/keyspaces`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::error::RestError;
use super::lookup::{self, Rest};
use super::request::Names;
use super::response;
use bridge::{Body, BridgeError, Caller, Parameters, first_json};
use store::types::{literal, quote};
use store::{Code, Keyspace};

/// `GET`: the keyspaces that the caller can see.
pub async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let visible = session.visible_keyspaces().await?;
    rest.see(visible.iter().cloned());
    let keyspaces = visible
        .iter()
        .map(|keyspace| description(keyspace))
        .collect();
    Ok(response::data(
        parameters.flag("raw"),
        Value::Array(keyspaces),
    ))
}

/// `GET /{keyspace}`.
pub async fn one(
    State(rest): State<Rest>,
    caller: Caller,
    Names(name): Names<String>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let keyspace = lookup::keyspace(&rest, &name).await?;
    let keyspace = keyspace
        .ok_or_else(|| RestError::NotFound(format!("Unable to describe keyspace '{name}'")))?;
    if !session.can_see(&name).await? {
        return Err(BridgeError::HiddenKeyspace(name).into());
    }
    Ok(response::data(
        parameters.flag("raw"),
        description(&keyspace),
    ))
}

/// `POST`: creates a keyspace unless it exists.
pub async fn create(caller: Caller, body: Body) -> Result<Response, RestError> {
    let new = NewKeyspace::read(&body)?;
    let cql = format!(
        "CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {}",
        quote(&new.name),
        new.replication()
    );
    let session = caller.session().await?;
    if let Err(error) = session.change_schema(&cql).await {
        let datacenters: Vec<&str> = new
            .datacenters
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let unknown = unrecognized_option(&error.message).is_some_and(|option| {
            error.code == Code::FailedPrecondition && datacenters.contains(&option)
        });
        return Err(if unknown {
            RestError::BadRequest(format!(
                "Bad request: one or more of datacenters passed ([{}]) invalid",
                datacenters.join(", ")
            ))
        } else {
            error.into()
        });
    }
    Ok(response::name(StatusCode::CREATED, &new.name))
}

/// `DELETE /{keyspace}`: drops it if it exists.
pub async fn delete(caller: Caller, Names(name): Names<String>) -> Result<Response, RestError> {
    let cql = format!("DROP KEYSPACE IF EXISTS {}", quote(&name));
    let session = caller.session().await?;
    session.change_schema(&cql).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

/// Returns the name, and for NetworkTopologyStrategy the number of replicas per data center.
fn description(keyspace: &Keyspace) -> Value {
    let mut members = Map::new();
    members.insert("name".to_owned(), Value::String(keyspace.name.clone()));
    let class = keyspace.replication.get("class").map_or("", String::as_str);
    if class.ends_with("NetworkTopologyStrategy") {
        let options = keyspace.replication.iter();
        let datacenters: Vec<Value> = options
            .filter_map(|(name, replicas)| {
                let replicas: i64 = replicas.parse().ok()?;
                Some(json!({ "name": name, "replicas": replicas }))
            })
            .collect();
        if !datacenters.is_empty() {
            members.insert("datacenters".to_owned(), Value::Array(datacenters));
        }
    }
    Value::Object(members)
}

/// Extracts the name of an unknown data center, which Cassandra reports as an unknown option of the strategy.
fn unrecognized_option(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("Unrecognized strategy option {")?;
    Some(rest.split_once('}')?.0)
}

#[derive(Debug, PartialEq, Eq)]
struct NewKeyspace {
    name: String,
    replicas: i32,
    /// Names and numbers of replicas; empty for SimpleStrategy.
    datacenters: Vec<(String, i32)>,
}

impl NewKeyspace {
    fn read(body: &Body) -> Result<NewKeyspace, RestError> {
        if body.0.iter().all(u8::is_ascii_whitespace) {
            return Err(RestError::invalid("must not be blank"));
        }
        let payload: Value = first_json(&body.text()).map_err(|error| {
            RestError::BadRequest(format!(
                "Invalid JSON payload for Keyspace creation, problem: {error}"
            ))
        })?;
        if !payload.is_object() {
            return Err(RestError::BadRequest(format!(
                "Invalid JSON payload for Keyspace creation; must be JSON Object: {payload}"
            )));
        }
        let wrong = |member: &str| {
            RestError::BadRequest(format!(
                "Malformatted JSON payload ({payload}) for Keyspace creation, problem '{member}' has the wrong type"
            ))
        };
        let incomplete = |problem: &str| {
            RestError::BadRequest(format!(
                "malformatted JSON payload ({payload}) for Keyspace creation: {problem}"
            ))
        };
        let name = text(&payload["name"]).ok_or_else(|| wrong("name"))?;
        let replicas = replicas(&payload["replicas"], 1).ok_or_else(|| wrong("replicas"))?;
        let entries = match &payload["datacenters"] {
            Value::Null => None,
            Value::Array(entries) => Some(entries),
            _ => return Err(wrong("datacenters")),
        };
        let mut datacenters = Vec::new();
        for entry in entries.into_iter().flatten() {
            if !entry.is_object() {
                return Err(wrong("datacenters"));
            }
            let name = text(&entry["name"]).ok_or_else(|| wrong("name"))?;
            let replicas =
                self::replicas(&entry["replicas"], 3).ok_or_else(|| wrong("replicas"))?;
            datacenters.push((name.unwrap_or_default(), replicas));
        }
        let name = name.ok_or_else(|| {
            RestError::BadRequest(format!(
                "Missing 'name' String property in payload Object: {payload}"
            ))
        })?;
        if entries.is_some_and(Vec::is_empty) {
            return Err(incomplete("empty 'datacenters'"));
        }
        if datacenters.iter().any(|(name, _)| name.is_empty()) {
            return Err(incomplete("one of 'datacenters' entries missing 'name'"));
        }
        Ok(NewKeyspace {
            name,
            replicas,
            datacenters,
        })
    }

    fn replication(&self) -> String {
        if self.datacenters.is_empty() {
            return format!(
                "{{'class': 'SimpleStrategy', 'replication_factor': {}}}",
                self.replicas
            );
        }
        let options = self.datacenters.iter();
        let options = options.map(|(name, replicas)| format!(", {}: {replicas}", literal(name)));
        format!(
            "{{'class': 'NetworkTopologyStrategy'{}}}",
            options.collect::<String>()
        )
    }
}

/// Returns the text of a scalar, `Some(None)` for null, and `None` for arrays and objects.
fn text(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Some(Some(value.to_string())),
        _ => None,
    }
}

fn replicas(value: &Value, default: i32) -> Option<i32> {
    match value {
        Value::Null => Some(default),
        Value::Number(number) => i32::try_from(number.as_i64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<NewKeyspace, String> {
        NewKeyspace::read(&Body(body.to_owned().into())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_keyspace_is_simple_or_has_datacenters() {
        let simple = read(r#"{"name":"x","unknown":1}"#).unwrap();
        assert_eq!(
            simple.replication(),
            "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        );
        let networked =
            read(r#"{"name":"x","datacenters":[{"name":"dc1"},{"name":"d'2","replicas":2}]}"#);
        assert_eq!(
            networked.unwrap().replication(),
            "{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'd''2': 2}"
        );
    }

    #[test]
    fn a_bad_body_is_refused_in_stargates_words() {
        for (body, wanted) in [
            ("", "Request invalid: must not be blank."),
            (
                "5",
                "Invalid JSON payload for Keyspace creation; must be JSON Object: 5",
            ),
            ("{}", "Missing 'name' String property in payload Object: {}"),
            (
                r#"{"name":"x","datacenters":[]}"#,
                r#"malformatted JSON payload ({"name":"x","datacenters":[]}) for Keyspace creation: empty 'datacenters'"#,
            ),
            (
                r#"{"name":"x","datacenters":[{"replicas":1}]}"#,
                r#"malformatted JSON payload ({"name":"x","datacenters":[{"replicas":1}]}) for Keyspace creation: one of 'datacenters' entries missing 'name'"#,
            ),
        ] {
            assert_eq!(read(body).unwrap_err(), wanted);
        }
        for (body, start) in [
            (
                "{\"name\":",
                "Invalid JSON payload for Keyspace creation, problem: ",
            ),
            (
                r#"{"name":"x","replicas":"many"}"#,
                r#"Malformatted JSON payload ({"name":"x","replicas":"many"}) for Keyspace creation, problem "#,
            ),
        ] {
            let refused = read(body).unwrap_err();
            assert!(refused.starts_with(start), "{refused}");
        }
    }

    #[test]
    fn an_unknown_datacenter_is_recognized() {
        let message =
            "Unrecognized strategy option {dc9} passed to NetworkTopologyStrategy for keyspace x";
        assert_eq!(unrecognized_option(message), Some("dc9"));
        assert_eq!(unrecognized_option("Keyspace 'x' doesn't exist"), None);
    }
}
