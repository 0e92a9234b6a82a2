//! `alterTable`.

use super::definition::{Place, columns_in_cql, read_columns};
use super::messages::list;
use super::schema::{object, unknown_type};
use super::types::ApiType;
use super::{Table, changed};
use crate::caller::Caller;
use crate::codes::Code;
use crate::command::{Command, mismatch, missing};
use crate::error::ApiError;
use crate::json::{Json, Members};
use crate::keyspaces::vectorize_is_off;
use crate::response::Response;
use store::types::{literal, quote};

/// `alterTable`
pub async fn alter(
    caller: &Caller<'_>,
    table: &Table,
    command: &Command,
) -> Result<Response, ApiError> {
    let operation = command.field("operation").and_then(Json::as_object);
    let operation = operation.ok_or_else(|| missing("command.operation"))?;
    let (Some((name, members)), 1) = (operation.first(), operation.len()) else {
        return Err(mismatch("'operation' must have one member"));
    };
    let Json::Object(members) = members else {
        return Err(mismatch(format!("'{name}' must be an object")));
    };
    match name.as_str() {
        "add" => add(caller, table, members).await,
        "drop" => drop_columns(caller, table, members).await,
        "addVectorize" => {
            let columns = object(members, &["columns"], "columns")?;
            let names: Vec<&str> = columns
                .into_iter()
                .flatten()
                .map(|(n, _)| n.as_str())
                .collect();
            let codes = [
                Code::CannotVectorizeUnknownColumns,
                Code::CannotVectorizeNonVectorColumns,
            ];
            check_vectors(table, &names, "addVectorize", codes)?;
            Err(vectorize_is_off())
        }
        "dropVectorize" => {
            let codes = [
                Code::CannotDropVectorizeFromUnknownColumns,
                Code::CannotDropVectorizeFromNonVectorColumns,
            ];
            check_vectors(table, &names(members)?, "dropVectorize", codes)?;
            // No column has it: the statement changes nothing, but Cassandra checks that the token can alter the table.
            let comment = literal(&table.meta.comment);
            let alter = format!("ALTER TABLE {} WITH comment = {comment}", table.quoted());
            let altered = caller.session.change_schema(&alter).await;
            Ok(changed(altered, |_| None))
        }
        other => Err(mismatch(format!("'{other}' is no operation of alterTable"))),
    }
}

async fn add(caller: &Caller<'_>, table: &Table, members: &Members) -> Result<Response, ApiError> {
    let columns = object(members, &["columns"], "columns")?.map(read_columns);
    let columns = columns.transpose()?.unwrap_or_default();
    if columns.is_empty() {
        return Err(nothing_to("add"));
    }
    let code = Code::CannotAddUnsupportedDataTypeColumns;
    let cql = columns_in_cql(&columns, Place::Column, code)?;
    let added = columns.iter().map(|(name, _)| name.as_str());
    let known = added.filter(|name| table.column(name).is_some());
    reject(
        table,
        known,
        Code::CannotAddExistingColumns,
        "cannot be added again",
    )?;
    let alter = format!("ALTER TABLE {} ADD ({})", table.quoted(), cql.join(", "));
    let altered = caller.session.change_schema(&alter).await;
    Ok(changed(altered, |error| {
        if error.message.contains("previously dropped column") {
            let text = format!("A dropped column had another type: {}", error.message);
            return Some(ApiError::new(Code::CannotAddPreviouslyDroppedColumn, text));
        }
        unknown_type(error)
    }))
}

async fn drop_columns(
    caller: &Caller<'_>,
    table: &Table,
    members: &Members,
) -> Result<Response, ApiError> {
    let names = names(members)?;
    if names.is_empty() {
        return Err(nothing_to("drop"));
    }
    let all = || names.iter().copied();
    let keys = all().filter(|name| table.is_key(name));
    reject(
        table,
        keys,
        Code::CannotDropPrimaryKeyColumns,
        "are part of the primary key",
    )?;
    let unknown = all().filter(|name| table.column(name).is_none());
    reject(
        table,
        unknown,
        Code::CannotDropUnknownColumns,
        "do not exist",
    )?;
    let indexed = all().filter(|name| table.indexes().any(|index| index.column == *name));
    reject(
        table,
        indexed,
        Code::CannotDropIndexedColumns,
        "have indexes",
    )?;
    let quoted: Vec<String> = all().map(quote).collect();
    let alter = format!(
        "ALTER TABLE {} DROP ({})",
        table.quoted(),
        quoted.join(", ")
    );
    let altered = caller.session.change_schema(&alter).await;
    Ok(changed(altered, |_| None))
}

/// The names in the list `columns`.
fn names(members: &Members) -> Result<Vec<&str>, ApiError> {
    if members.keys().any(|name| name != "columns") {
        object(members, &["columns"], "columns")?;
    }
    match members.get("columns") {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(names)) => {
            let names: Option<Vec<&str>> = names.iter().map(Json::as_text).collect();
            names.ok_or_else(|| mismatch("'columns' must have texts"))
        }
        Some(other) => {
            let found = other.type_name();
            Err(mismatch(format!("'columns' must be an array, not {found}")))
        }
    }
}

fn check_vectors(
    table: &Table,
    names: &[&str],
    operation: &str,
    [unknown, no_vector]: [Code; 2],
) -> Result<(), ApiError> {
    if names.is_empty() {
        return Err(nothing_to(operation));
    }
    let column = |name: &str| table.column(name);
    let all = || names.iter().copied();
    let missing = all().filter(|name| column(name).is_none());
    reject(table, missing, unknown, "do not exist")?;
    let is_vector = |name: &str| {
        column(name).is_some_and(|column| matches!(ApiType::of(&column.typ), ApiType::Vector(_)))
    };
    let others = all().filter(|name| !is_vector(name));
    reject(table, others, no_vector, "are no vectors")
}

fn reject<'a>(
    table: &Table,
    columns: impl Iterator<Item = &'a str>,
    code: Code,
    problem: &str,
) -> Result<(), ApiError> {
    let columns: Vec<&str> = columns.collect();
    if columns.is_empty() {
        return Ok(());
    }
    let text = format!(
        "The columns {} {problem}.\n\n{}",
        list(columns),
        table.defined_columns()
    );
    Err(ApiError::new(code, text))
}

fn nothing_to(operation: &str) -> ApiError {
    let text = format!("The operation '{operation}' of alterTable needs columns.");
    ApiError::new(Code::MissingAlterTableOperations, text)
}
