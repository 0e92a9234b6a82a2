//! Namespaces: keyspaces.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::collections::{require_visible, scalar_text};
use super::error::DocumentError;
use super::request::{self, Url, is_word};
use super::response;
use super::shred::double;
use bridge::{Body, BridgeError, Caller, Parameters};
use store::Keyspace;
use store::types::quote;

/// `GET /schemas/namespaces`
pub async fn list(caller: Caller, parameters: Parameters) -> Result<Response, DocumentError> {
    let session = caller.session().await?;
    caller.logins.refresh().await?;
    let keyspaces = session.visible_keyspaces().await?;
    let namespaces = keyspaces.iter().map(|keyspace| shown(keyspace)).collect();
    Ok(response::data(
        parameters.flag("raw"),
        Value::Array(namespaces),
    ))
}

/// `GET /schemas/namespaces/{namespace}`
pub async fn get(
    caller: Caller,
    Path(name): Path<String>,
    parameters: Parameters,
) -> Result<Response, DocumentError> {
    require_word(&name)?;
    let session = caller.session().await?;
    let schema = caller.logins.refresh().await?;
    let keyspace = schema.keyspaces.get(&name);
    let keyspace = keyspace.ok_or_else(|| DocumentError::NoNamespace(name.clone()))?;
    require_visible(&session, &name).await?;
    Ok(response::data(parameters.flag("raw"), shown(keyspace)))
}

#[derive(Deserialize)]
struct NewNamespace {
    name: Option<Value>,
    replicas: Option<Value>,
    datacenters: Option<Vec<NewDatacenter>>,
}

#[derive(Deserialize)]
struct NewDatacenter {
    name: Option<Value>,
    replicas: Option<Value>,
}

#[derive(Serialize)]
struct Datacenter {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<i64>,
}

/// `POST /schemas/namespaces`
pub async fn create(caller: Caller, Url(url): Url, body: Body) -> Result<Response, DocumentError> {
    let wanted: NewNamespace = request::object(&body)?;
    let name = scalar_text(wanted.name)?.unwrap_or_default();
    if name.trim().is_empty() {
        return Err(DocumentError::invalid(
            "`name` is required to create a namespace",
        ));
    }
    let replicas = integer(wanted.replicas)?;
    if replicas.is_some_and(|replicas| replicas < 1) {
        return Err(DocumentError::invalid(
            "minimum amount of `replicas` for `SimpleStrategy` is one",
        ));
    }
    let datacenters = wanted.datacenters.map(read_datacenters).transpose()?;

    let session = caller.session().await?;
    if caller.logins.refresh().await?.keyspaces.contains_key(&name) {
        require_visible(&session, &name).await?;
        return Err(DocumentError::NamespaceExists(name));
    }
    let replication = match datacenters.as_deref() {
        None | Some([]) => format!(
            "'class': 'SimpleStrategy', 'replication_factor': {}",
            replicas.unwrap_or(1)
        ),
        Some(datacenters) => datacenters
            .iter()
            .map(|d| {
                format!(
                    "'{}': {}",
                    d.name.replace('\'', "''"),
                    d.replicas.unwrap_or(3)
                )
            })
            .fold(
                "'class': 'NetworkTopologyStrategy'".to_owned(),
                |all, one| all + ", " + &one,
            ),
    };
    let cql = format!(
        "CREATE KEYSPACE {} WITH replication = {{{replication}}}",
        quote(&name)
    );
    session.change_schema(&cql).await?;
    created(&url, &name, replicas, datacenters)
}

fn read_datacenters(wanted: Vec<NewDatacenter>) -> Result<Vec<Datacenter>, DocumentError> {
    let read = |datacenter: NewDatacenter| {
        let name = scalar_text(datacenter.name)?.unwrap_or_default();
        if name.trim().is_empty() {
            return Err(DocumentError::invalid(
                "a datacenter `name` is required when using `NetworkTopologyStrategy`",
            ));
        }
        let replicas = integer(datacenter.replicas)?;
        if replicas.is_some_and(|replicas| replicas < 1) {
            return Err(DocumentError::invalid(
                "minimum amount of `replicas` for a datacenter is one",
            ));
        }
        Ok(Datacenter { name, replicas })
    };
    wanted.into_iter().map(read).collect()
}

/// Reads an integer as Jackson does: truncates fractions, and parses texts; an empty text is `None`.
fn integer(value: Option<Value>) -> Result<Option<i64>, DocumentError> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => double(&number).trunc(),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => {
            let number: i32 = text.trim().parse().map_err(|_| BridgeError::BadRequest)?;
            number.into()
        }
        Some(_) => return Err(BridgeError::BadRequest.into()),
    };
    if number < f64::from(i32::MIN) || number > f64::from(i32::MAX) {
        return Err(BridgeError::BadRequest.into());
    }
    Ok(Some(number as i64))
}

/// Returns the request as the response, without omitted members.
fn created(
    url: &str,
    name: &str,
    replicas: Option<i64>,
    datacenters: Option<Vec<Datacenter>>,
) -> Result<Response, DocumentError> {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(name));
    if let Some(replicas) = replicas {
        body.insert("replicas".to_owned(), json!(replicas));
    }
    if let Some(datacenters) = datacenters {
        body.insert("datacenters".to_owned(), json!(datacenters));
    }
    let response = response::json(StatusCode::CREATED, &Value::Object(body));
    Ok(response::located(response, url, name))
}

/// `DELETE /schemas/namespaces/{namespace}`
pub async fn delete(caller: Caller, Path(name): Path<String>) -> Result<Response, DocumentError> {
    require_word(&name)?;
    let session = caller.session().await?;
    if !caller.logins.refresh().await?.keyspaces.contains_key(&name) {
        return Err(DocumentError::NoNamespace(name));
    }
    require_visible(&session, &name).await?;
    let drop = format!("DROP KEYSPACE {}", quote(&name));
    session.change_schema(&drop).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

fn require_word(name: &str) -> Result<(), DocumentError> {
    if is_word(name) {
        Ok(())
    } else {
        Err(BridgeError::UnknownPath.into())
    }
}

/// Returns a namespace in the format of responses. As in Stargate, SimpleStrategy always has one replica.
fn shown(keyspace: &Keyspace) -> Value {
    let class = keyspace.replication.get("class");
    let is = |strategy: &str| class.is_some_and(|class| class.ends_with(strategy));
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(keyspace.name));
    if is("SimpleStrategy") {
        shown.insert("replicas".to_owned(), json!(1));
    }
    if is("NetworkTopologyStrategy") {
        // A sorted map: the data centers are listed by name.
        let datacenters = keyspace.replication.iter().filter_map(|(name, replicas)| {
            let replicas: i64 = replicas.parse().ok()?;
            Some(json!({"name": name, "replicas": replicas}))
        });
        shown.insert("datacenters".to_owned(), datacenters.collect());
    }
    Value::Object(shown)
}
