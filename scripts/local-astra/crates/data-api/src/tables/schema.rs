//! `createTable`, `listTables`, `dropTable`.

use super::changed;
use super::definition::{Place, PrimaryKey, columns_in_cql, read_columns};
use super::types::{Usage, describe_columns};
use crate::caller::Caller;
use crate::codes::Code;
use crate::collections::is_collection;
use crate::command::{Command, mismatch, missing, unknown_field};
use crate::error::ApiError;
use crate::json::{Json, Members};
use crate::keyspaces::{given_name, valid_name};
use crate::response::Response;
use store::StoreError;
use store::types::{quote, quote_in};

/// `createTable`
pub async fn create(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    let definition = command.field("definition").and_then(Json::as_object);
    let definition = definition.ok_or_else(|| missing("command.definition"))?;
    let known = ["columns", "primaryKey"];
    let columns = object(definition, &known, "columns")?
        .map(read_columns)
        .transpose()?;
    let key = definition.get("primaryKey").filter(|key| !key.is_null());
    let key = key.map(PrimaryKey::read).transpose()?;
    let name = valid_name("Table", command.text("name"))?;
    let (Some(columns), Some(key)) = (columns, key) else {
        let text = "The definition of a table needs 'columns' and a 'primaryKey'.";
        return Err(ApiError::new(Code::UnexpectedServerError, text));
    };
    if columns.iter().any(|(name, _)| name.is_empty()) {
        let text = "The name of a column cannot be empty.";
        return Err(ApiError::new(Code::UnexpectedServerError, text));
    }
    let code = Code::UnsupportedDataTypeTableCreation;
    let cql = match columns_in_cql(&columns, Place::Column, code) {
        Err(error) if error.code != code => return Err(error),
        cql => cql,
    };
    key.check(&columns)?;
    let mut parts = cql?;
    let partition: Vec<String> = key.partition.iter().map(|name| quote(name)).collect();
    let clustering = key.clustering.iter().map(|(name, _)| quote(name));
    let mut primary = vec![format!("({})", partition.join(", "))];
    primary.extend(clustering);
    parts.push(format!("PRIMARY KEY ({})", primary.join(", ")));
    let order: Vec<String> = key
        .clustering
        .iter()
        .map(|(name, descending)| {
            let order = if *descending { "DESC" } else { "ASC" };
            format!("{} {order}", quote(name))
        })
        .collect();
    let order = if order.is_empty() {
        String::new()
    } else {
        format!(" WITH CLUSTERING ORDER BY ({})", order.join(", "))
    };
    let unless = if_not_exists(command);
    let create = format!(
        "CREATE TABLE {unless}{} ({}){order}",
        quote_in(keyspace, name),
        parts.join(", ")
    );
    let created = caller.session.change_schema(&create).await;
    Ok(changed(created, |error| {
        if error.code == store::Code::AlreadyExists {
            let text = format!("The keyspace {keyspace} already has a table {name}.");
            return Some(ApiError::new(Code::CannotAddExistingTable, text));
        }
        unknown_type(error)
    }))
}

/// The error of a column whose user-defined type does not exist.
pub fn unknown_type(error: &StoreError) -> Option<ApiError> {
    error.message.contains("Unknown type").then(|| {
        let text = format!(
            "A user-defined type does not exist: {}\n\nCreate it first.",
            error.message
        );
        ApiError::new(Code::UnknownUserDefinedType, text)
    })
}

/// A member that is an object, of an object with known members.
///
/// # Errors
/// [`Code::CommandFieldUnknown`], [`Code::RequestStructureMismatch`].
pub fn object<'a>(
    members: &'a Members,
    known: &[&str],
    name: &str,
) -> Result<Option<&'a Members>, ApiError> {
    if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown_field(unknown, known.iter().copied()));
    }
    match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(members)) => Ok(Some(members)),
        Some(other) => {
            let found = other.type_name();
            Err(mismatch(format!("'{name}' must be an object, not {found}")))
        }
    }
}

/// `listTables`
pub async fn list(
    caller: &Caller<'_>,
    keyspace: &str,
    explain: bool,
) -> Result<Response, ApiError> {
    caller.api.logins.refresh().await?;
    let keyspace = caller.visible_keyspace(keyspace).await?;
    let tables = keyspace.tables.values();
    let tables = tables.filter(|table| !table.is_view && !is_collection(table));
    let shown = tables.map(|table| {
        if explain {
            explained(table)
        } else {
            Json::text(&table.name)
        }
    });
    Ok(Response::default().with_status("tables", shown.collect()))
}

fn explained(table: &store::Table) -> Json {
    let partition = Json::texts(table.partition_key().map(|column| column.name.as_str()));
    let sort = table.clustering_key().map(|column| {
        let order = if column.descending { -1 } else { 1 };
        (column.name.clone(), Json::integer(order))
    });
    let key = Json::object([
        ("partitionBy", partition),
        ("partitionSort", Json::Object(sort.collect())),
    ]);
    let columns = describe_columns(table.columns.iter(), Usage::Table);
    let definition = Json::object([("columns", columns), ("primaryKey", key)]);
    Json::object([
        ("name", Json::text(&table.name)),
        ("definition", definition),
    ])
}

/// `dropTable`, which drops collections as well.
pub async fn drop_table(
    caller: &Caller<'_>,
    keyspace: &str,
    command: &Command,
) -> Result<Response, ApiError> {
    drop_named(caller, "TABLE", keyspace, command, |name, error| {
        error.message.contains("doesn't exist").then(|| {
            let text = format!("The keyspace {keyspace} has no table {name}.");
            ApiError::new(Code::CannotDropUnknownTable, text)
        })
    })
    .await
}

/// Drops the object of this kind (`TABLE`, `INDEX`, `TYPE`) that a command names. `named` returns the API's error, if
/// it has one, for the name and Cassandra's error.
pub async fn drop_named(
    caller: &Caller<'_>,
    kind: &str,
    keyspace: &str,
    command: &Command,
    named: impl FnOnce(&str, &StoreError) -> Option<ApiError>,
) -> Result<Response, ApiError> {
    let name = given_name(command)?;
    let condition = if command.flag("ifExists") {
        "IF EXISTS "
    } else {
        ""
    };
    let drop = format!("DROP {kind} {condition}{}", quote_in(keyspace, name));
    let dropped = caller.session.change_schema(&drop).await;
    Ok(changed(dropped, |error| named(name, error)))
}

/// The condition of a command that creates something.
pub fn if_not_exists(command: &Command) -> &'static str {
    if command.flag("ifNotExists") {
        "IF NOT EXISTS "
    } else {
        ""
    }
}
