//! Columns: `/schemas/keyspaces/{keyspace}/tables/{table}/columns`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::RestError;
use super::lookup::{self, Missing, Rest};
use super::request::{self, Names};
use super::response;
use super::types;
use bridge::{Body, Caller, Parameters};
use store::types::{quote, quote_in};
use store::{Column, ColumnKind, Table};

/// `GET`: all columns.
pub async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let missing = Missing::BadSchemaRequest;
    let found = lookup::visible_table(&rest, &session, &keyspace, &table, missing).await?;
    let columns = found.columns.iter().map(description).collect();
    Ok(response::data(
        parameters.flag("raw"),
        Value::Array(columns),
    ))
}

/// `GET /{column}`.
pub async fn one(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table, column)): Names<(String, String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let missing = Missing::BadSchemaRequest;
    let found = lookup::visible_table(&rest, &session, &keyspace, &table, missing).await?;
    let found = found.column(&column).map(description);
    let found = found.ok_or_else(|| RestError::NotFound(no_column(&table, &column)))?;
    Ok(response::data(parameters.flag("raw"), found))
}

/// `POST`: adds a column.
pub async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    body: Body,
) -> Result<Response, RestError> {
    let column: Definition = request::object(&body)?;
    let name = column.checked_name()?;
    let session = caller.session().await?;
    lookup::build(&rest, &keyspace, &table, |_| Ok(())).await?;
    let fixed = if column.is_static { " STATIC" } else { "" };
    let cql = format!(
        "ALTER TABLE {} ADD {} {}{fixed}",
        quote_in(&keyspace, &table),
        quote(name),
        types::to_cql(column.type_definition())?
    );
    session.change_schema(&cql).await?;
    Ok(response::name(StatusCode::CREATED, name))
}

/// `PUT /{column}`: renames it. The type in the body is ignored.
pub async fn rename(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table, column)): Names<(String, String, String)>,
    body: Body,
) -> Result<Response, RestError> {
    let definition: Definition = request::object(&body)?;
    let name = definition.checked_name()?;
    if name != column {
        let session = caller.session().await?;
        lookup::build(&rest, &keyspace, &table, |found| check(found, &column)).await?;
        let cql = format!(
            "ALTER TABLE {} RENAME {} TO {}",
            quote_in(&keyspace, &table),
            quote(&column),
            quote(name)
        );
        session.change_schema(&cql).await?;
    }
    Ok(response::name(StatusCode::OK, name))
}

/// `DELETE /{column}`.
pub async fn delete(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table, column)): Names<(String, String, String)>,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    lookup::build(&rest, &keyspace, &table, |found| check(found, &column)).await?;
    let cql = format!(
        "ALTER TABLE {} DROP {}",
        quote_in(&keyspace, &table),
        quote(&column)
    );
    session.change_schema(&cql).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

/// Returns a column in the format of schema calls.
pub fn description(column: &Column) -> Value {
    json!({
        "name": column.name,
        "typeDefinition": types::shown(&column.typ),
        "static": column.kind == ColumnKind::Static,
    })
}

/// Returns the message about a missing column.
pub fn no_column(table: &str, column: &str) -> String {
    format!("Column '{column}' not found in table '{table}'")
}

fn check(table: &Table, column: &str) -> Result<(), RestError> {
    match table.column(column) {
        Some(_) => Ok(()),
        None => Err(RestError::BadRequest(no_column(&table.name, column))),
    }
}

/// A column in a body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    #[serde(default, deserialize_with = "request::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "request::text")]
    type_definition: Option<String>,
    #[serde(default, rename = "static", deserialize_with = "request::flag")]
    pub is_static: bool,
}

impl Definition {
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub fn type_definition(&self) -> &str {
        self.type_definition.as_deref().unwrap_or_default()
    }

    fn checked_name(&self) -> Result<&str, RestError> {
        match self.name() {
            name if name.trim().is_empty() => {
                Err(RestError::invalid("columnDefinition.name must be provided"))
            }
            name => Ok(name),
        }
    }
}
