//! Collections: tables with the document layout.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::DocumentError;
use super::request::{self, Address, is_word};
use super::{layout, response};
use access::{Logins, TokenSession};
use bridge::{Body, BridgeError, Caller, Parameters};
use store::schema::rows;
use store::types::quote_in;
use store::{Schema, StoreError, Table, limits};

/// Limit for building an index of a new table, and the interval of the checks.
const INDEX_LIMIT: Duration = Duration::from_secs(5);
const INDEX_POLL: Duration = Duration::from_millis(10);

/// A collection, with the login that uses it.
#[derive(Clone, Debug)]
pub struct Collection {
    pub session: Arc<TokenSession>,
    pub namespace: String,
    pub name: String,
    /// The comment of its table, which contains the JSON schema.
    pub comment: String,
}

impl Collection {
    /// Returns `"namespace"."name"`.
    pub fn table(&self) -> String {
        quote_in(&self.namespace, &self.name)
    }

    /// Returns the collection of a request, which must exist.
    ///
    /// # Errors
    /// A missing namespace or collection, or a table of another layout.
    pub async fn existing(caller: &Caller, address: &Address) -> Result<Collection, DocumentError> {
        let session = caller.session().await?;
        let found = find(&caller.logins, &address.namespace, &address.collection).await?;
        let definition =
            found.ok_or_else(|| DocumentError::UnknownCollection(address.collection.clone()))?;
        Ok(Collection::of(session, address, definition.comment.clone()))
    }

    /// Returns the collection of a request without checking that it exists. Cassandra reports a missing one.
    ///
    /// # Errors
    /// An invalid token.
    pub async fn unchecked(
        caller: &Caller,
        address: &Address,
    ) -> Result<Collection, DocumentError> {
        let session = caller.session().await?;
        Ok(Collection::of(session, address, String::new()))
    }

    /// Returns the collection of a request, and creates it if it is missing.
    ///
    /// # Errors
    /// A missing namespace, a table of another layout, and Cassandra's own.
    pub async fn ensured(caller: &Caller, address: &Address) -> Result<Collection, DocumentError> {
        let session = caller.session().await?;
        let found = find(&caller.logins, &address.namespace, &address.collection).await?;
        let definition = match found {
            Some(definition) => definition,
            None => {
                make(
                    &caller.logins,
                    &session,
                    &address.namespace,
                    &address.collection,
                )
                .await?
            }
        };
        Ok(Collection::of(session, address, definition.comment.clone()))
    }

    fn of(session: Arc<TokenSession>, address: &Address, comment: String) -> Collection {
        Collection {
            session,
            namespace: address.namespace.clone(),
            name: address.collection.clone(),
            comment,
        }
    }
}

/// `GET /namespaces/{namespace}/collections`
pub async fn list(
    caller: Caller,
    address: Address,
    parameters: Parameters,
) -> Result<Response, DocumentError> {
    let session = caller.session().await?;
    let schema = with_namespace(&caller.logins, &address.namespace).await?;
    require_visible(&session, &address.namespace).await?;
    let keyspace = schema.keyspaces.get(&address.namespace);
    let tables = keyspace
        .iter()
        .flat_map(|keyspace| keyspace.tables.values());
    let collections: Vec<Value> = tables
        .filter(|table| layout::is_collection(table))
        .map(|table| json!({"name": table.name, "upgradeAvailable": false}))
        .collect();
    Ok(response::data(
        parameters.flag("raw"),
        Value::Array(collections),
    ))
}

#[derive(Deserialize)]
struct NewCollection {
    name: Option<Value>,
}

/// `POST /namespaces/{namespace}/collections`
pub async fn create(
    caller: Caller,
    address: Address,
    body: Body,
) -> Result<Response, DocumentError> {
    let wanted: NewCollection = request::object(&body)?;
    let name = scalar_text(wanted.name)?.unwrap_or_default();
    if name.trim().is_empty() {
        return Err(DocumentError::invalid(
            "`name` is required to create a collection",
        ));
    }
    let session = caller.session().await?;
    if find(&caller.logins, &address.namespace, &name)
        .await?
        .is_some()
    {
        return Err(DocumentError::CollectionExists(name));
    }
    make(&caller.logins, &session, &address.namespace, &name).await?;
    let created = response::empty(StatusCode::CREATED);
    Ok(response::located(created, &address.url, &name))
}

/// `DELETE /namespaces/{namespace}/collections/{collection}`
pub async fn delete(caller: Caller, address: Address) -> Result<Response, DocumentError> {
    let collection = Collection::existing(&caller, &address).await?;
    let drop = format!("DROP TABLE {}", collection.table());
    collection.session.change_schema(&drop).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
struct Upgrade {
    #[serde(rename = "upgradeType")]
    upgrade_type: Option<Value>,
}

/// `POST /namespaces/{namespace}/collections/{collection}/upgrade`: no upgrade is available.
pub async fn upgrade(
    caller: Caller,
    address: Address,
    body: Body,
) -> Result<Response, DocumentError> {
    let wanted: Upgrade = request::object(&body)?;
    match wanted.upgrade_type {
        None | Some(Value::Null) => {
            return Err(DocumentError::invalid(
                "`upgradeType` is required to upgrade a collection",
            ));
        }
        Some(kind) if kind == "SAI_INDEX_UPGRADE" => {}
        Some(_) => return Err(BridgeError::BadRequest.into()),
    }
    Collection::existing(&caller, &address).await?;
    Err(DocumentError::NoUpgrade)
}

/// Returns a collection's table; `None` if it does not exist.
async fn find(
    logins: &Logins,
    namespace: &str,
    name: &str,
) -> Result<Option<Arc<Table>>, DocumentError> {
    let table_in = |schema: &Schema| {
        let keyspace = schema.keyspaces.get(namespace)?;
        keyspace.tables.get(name).cloned()
    };
    let table = match table_in(&*logins.current().await?) {
        Some(table) => Some(table),
        // It may have just been created over CQL.
        None => table_in(&*with_namespace_refreshed(logins, namespace).await?),
    };
    match table {
        Some(table) if !layout::is_collection(&table) => Err(DocumentError::NotACollection {
            namespace: namespace.to_owned(),
            table: name.to_owned(),
        }),
        table => Ok(table),
    }
}

async fn with_namespace(logins: &Logins, namespace: &str) -> Result<Arc<Schema>, DocumentError> {
    let schema = logins.current().await?;
    if schema.keyspaces.contains_key(namespace) {
        return Ok(schema);
    }
    with_namespace_refreshed(logins, namespace).await
}

async fn with_namespace_refreshed(
    logins: &Logins,
    namespace: &str,
) -> Result<Arc<Schema>, DocumentError> {
    let schema = logins.refresh().await?;
    if schema.keyspaces.contains_key(namespace) {
        Ok(schema)
    } else {
        Err(DocumentError::UnknownNamespace(namespace.to_owned()))
    }
}

/// Checks that this token can see the namespace.
///
/// # Errors
/// [`BridgeError::HiddenKeyspace`] if not.
pub async fn require_visible(session: &TokenSession, namespace: &str) -> Result<(), DocumentError> {
    if session.can_see(namespace).await? {
        Ok(())
    } else {
        Err(BridgeError::HiddenKeyspace(namespace.to_owned()).into())
    }
}

/// Creates a collection: the table, then its indexes.
async fn make(
    logins: &Logins,
    session: &TokenSession,
    namespace: &str,
    name: &str,
) -> Result<Arc<Table>, DocumentError> {
    if !is_word(name) {
        return Err(DocumentError::CollectionName(name.to_owned()));
    }
    let driver = session.driver();
    let create = layout::create_table(namespace, name);
    limits::check(&create)?;
    driver
        .query_unpaged(create, ())
        .await
        .map_err(StoreError::from)?;
    let indexes = layout::INDEXED
        .map(|column| driver.query_unpaged(layout::create_index(namespace, name, column), ()));
    try_join_all(indexes).await.map_err(StoreError::from)?;
    wait_for_indexes(logins, namespace, name).await?;
    let schema = logins.refresh().await?;
    let keyspace = schema.keyspaces.get(namespace);
    let table = keyspace.and_then(|keyspace| keyspace.tables.get(name));
    table
        .cloned()
        .ok_or_else(|| DocumentError::UnknownCollection(name.to_owned()))
}

/// Waits for the indexes. Cassandra builds them in the background, even those of an empty table, and rejects searches
/// until then. If that takes too long, the searches report it.
async fn wait_for_indexes(
    logins: &Logins,
    namespace: &str,
    name: &str,
) -> Result<(), DocumentError> {
    let built = format!(
        "SELECT index_name FROM system.\"IndexInfo\" WHERE table_name = '{}'",
        namespace.replace('\'', "''")
    );
    let wanted = layout::INDEXED.map(|column| layout::index_name(name, column));
    let all_built = async {
        loop {
            let names: Vec<(String,)> = rows(logins.admin(), &built).await?;
            if wanted
                .iter()
                .all(|index| names.iter().any(|(name,)| name == index))
            {
                return Ok(());
            }
            tokio::time::sleep(INDEX_POLL).await;
        }
    };
    tokio::time::timeout(INDEX_LIMIT, all_built)
        .await
        .unwrap_or(Ok(()))
}

/// Reads a member as a text. Numbers and booleans are converted.
pub fn scalar_text(value: Option<Value>) -> Result<Option<String>, DocumentError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
        Some(_) => Err(BridgeError::BadRequest.into()),
    }
}
