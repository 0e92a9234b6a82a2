//! Collections are created, listed and deleted.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use futures::future::try_join_all;
use tokio::sync::Mutex;

use super::definition::Definition;
use super::layout;
use crate::caller::Caller;
use crate::codes::Code;
use crate::command::Command;
use crate::error::ApiError;
use crate::indexes::wait_for_indexes;
use crate::json::Json;
use crate::keyspaces::{given_name, valid_name};
use crate::response::Response;
use access::Owners;
use store::types::quote_in;
use store::{Code as StoreCode, Keyspace, Schema, StoreError, Table};

/// The most indexes that a collection may need.
const INDEXES: usize = 10;

/// One lock per keyspace and name.
type NameLocks = HashMap<(String, String), Arc<Mutex<()>>>;

/// Locks of collections that are being created.
#[derive(Default)]
pub struct CreationLocks {
    /// The second of two creations of one name sees what the first has made.
    names: std::sync::Mutex<NameLocks>,
    /// Held while the limits are checked and the table is made.
    tables: Mutex<()>,
}

impl CreationLocks {
    fn lock_of(&self, keyspace: &str, name: &str) -> Arc<Mutex<()>> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(
            names
                .entry((keyspace.to_owned(), name.to_owned()))
                .or_default(),
        )
    }
}

/// Runs a command at a keyspace, which exists.
pub async fn run(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    match command.name {
        "createCollection" => create(caller, keyspace, command).await,
        "deleteCollection" => delete(caller, keyspace, command).await,
        _ => find(caller, keyspace, command.flag("explain")).await,
    }
}

async fn find(caller: &Caller<'_>, keyspace: &str, explain: bool) -> Result<Response, ApiError> {
    caller.api.logins.refresh().await?;
    let keyspace = caller.visible_keyspace(keyspace).await?;
    let mut shown = Vec::new();
    for table in keyspace.tables.values() {
        // One whose settings cannot be read is not shown; its own commands tell why.
        let Ok(Some(definition)) = Definition::of(table) else {
            continue;
        };
        let name = Json::text(&table.name);
        shown.push(if explain {
            Json::object([("name", name), ("options", definition.explained())])
        } else {
            name
        });
    }
    Ok(Response::default().with_status("collections", Json::Array(shown)))
}

async fn delete(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    let name = given_name(command)?;
    let drop = format!("DROP TABLE IF EXISTS {}", quote_in(keyspace, name));
    caller.session.change_schema(&drop).await?;
    Ok(Response::ok())
}

async fn create(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    let name = valid_name("Collection", command.text("name"))?;
    let definition = Definition::read(command.own_options())?;
    let lock = caller.api.creation_locks.lock_of(keyspace, name);
    let _one_at_a_time = lock.lock().await;
    let schema = caller.api.logins.refresh().await?;
    match schema.table(keyspace, name) {
        Some(table) => {
            require_same(table, &definition)?;
            add_indexes(caller, keyspace, name, &definition, Some(table)).await?;
        }
        None => {
            create_table(caller, &schema, keyspace, name, &definition).await?;
            if let Err(error) = add_indexes(caller, keyspace, name, &definition, None).await {
                return Err(undone(caller, keyspace, name, error).await);
            }
        }
    }
    wait_for_indexes(caller, keyspace, name).await?;
    caller.api.logins.refresh().await?;
    Ok(Response::ok())
}

fn require_same(table: &Table, wanted: &Definition) -> Result<(), ApiError> {
    let name = &table.name;
    match Definition::of(table)? {
        None => {
            let text = format!(
                "The table '{name}' already exists, and it is no collection.\n\nChoose another name."
            );
            Err(ApiError::new(Code::ExistingTableNotDataApiCollection, text))
        }
        Some(found) if found != *wanted => {
            let text = format!(
                "The collection '{name}' already exists with other settings.\n\nDelete it first to change them."
            );
            Err(ApiError::new(
                Code::ExistingCollectionDifferentSettings,
                text,
            ))
        }
        Some(_) => Ok(()),
    }
}

async fn create_table(
    caller: &Caller<'_>,
    schema: &Schema,
    keyspace: &str,
    name: &str,
    definition: &Definition,
) -> Result<(), ApiError> {
    let _limits = caller.api.creation_locks.tables.lock().await;
    check_limits(caller, schema, keyspace).await?;
    let dimension = definition.vector.as_ref().map(|vector| vector.dimension);
    let comment = definition.comment(name);
    let create = layout::create_table(keyspace, name, dimension, &comment);
    caller.session.change_schema(&create).await?;
    Ok(())
}

async fn check_limits(
    caller: &Caller<'_>,
    schema: &Schema,
    keyspace: &str,
) -> Result<(), ApiError> {
    let limits = caller.api.limits;
    let owners = Owners::read(caller.api.logins.admin()).await?;
    let database = owners.of(keyspace);
    let own = |other: &&Arc<Keyspace>| !other.is_system() && owners.of(&other.name) == database;
    let tables = || {
        schema
            .keyspaces
            .values()
            .filter(own)
            .flat_map(|keyspace| keyspace.tables.values())
    };
    let collections = tables()
        .filter(|table| layout::is_collection(table))
        .count();
    if collections >= limits.collections {
        let text = format!(
            "The database has {collections} collections, and may have {}.\n\nDelete one of them.",
            limits.collections
        );
        return Err(ApiError::new(Code::TooManyCollections, text));
    }
    let is_sai = |class: &String| class.ends_with("StorageAttachedIndex") || class == "sai";
    let indexes = tables()
        .flat_map(|table| &table.indexes)
        .filter(|index| index.options.get("class_name").is_some_and(is_sai))
        .count();
    if indexes + INDEXES > limits.indexes {
        let text = format!(
            "The database has {indexes} indexes, and may have {}. A collection needs {INDEXES}.",
            limits.indexes
        );
        return Err(ApiError::new(Code::TooManyIndexesForCollection, text));
    }
    Ok(())
}

/// Makes the indexes that are missing, all at once.
async fn add_indexes(
    caller: &Caller<'_>,
    keyspace: &str,
    name: &str,
    definition: &Definition,
    table: Option<&Arc<Table>>,
) -> Result<(), StoreError> {
    let driver = caller.session.driver();
    let metric = definition.vector.as_ref();
    let metric = metric.map(|vector| vector.metric.name());
    let missing = layout::create_indexes(keyspace, name, metric)
        .into_iter()
        .filter(|(index, _)| !table.is_some_and(|table| layout::has_index(table, index)));
    let created = missing.map(async |(_, create)| driver.query_unpaged(create, ()).await);
    try_join_all(created).await?;
    caller.api.logins.refresh().await?;
    Ok(())
}

/// A table without its indexes is no collection: it goes again.
async fn undone(caller: &Caller<'_>, keyspace: &str, name: &str, error: StoreError) -> ApiError {
    let drop = format!("DROP TABLE IF EXISTS {}", quote_in(keyspace, name));
    let undone = caller.session.change_schema(&drop).await;
    let exists = error.code == StoreCode::AlreadyExists || error.message.contains("already exists");
    match undone {
        Err(_) => {
            let text = format!(
                "The collection '{name}' was created without all of its indexes: {}",
                error.message
            );
            ApiError::new(Code::CorruptedCollectionSchema, text)
        }
        Ok(_) if exists => {
            let text = format!(
                "The keyspace has an index with a name that the collection '{name}' needs: {}",
                error.message
            );
            ApiError::new(Code::ExistingIndexForCollection, text)
        }
        Ok(_) => error.into(),
    }
}
