//! Queries as SELECT.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::conditions;
use super::values::Values;
use crate::first::model::conditions::check_no_filtering;
use crate::first::model::entity::Entity;
use crate::first::model::query::Query;
use crate::first::model::returns::Shape;
use crate::run::{Arguments, RunError};
use crate::statement::{self, Options};
use access::TokenSession;
use store::cql::{self, Statement};
use store::values::from_base64;
use store::{Page, Rows};

/// Default number of rows per page.
const PAGE_SIZE: i32 = 100;

/// Runs a query, and returns its response.
///
/// # Errors
/// Arguments that do not fit, and Cassandra's own.
pub async fn run(
    query: &Query,
    arguments: &Arguments,
    values: Values<'_>,
    session: &TokenSession,
) -> Result<Value, RunError> {
    let (select, page) = select(query, arguments, values)?;
    let options = Options::new(query.consistency, None);
    let rows = statement::read(select, options, session, page).await?;
    Ok(field_value(query, &rows, values))
}

fn select(
    query: &Query,
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<(Statement, Page), RunError> {
    let entity = &query.entity;
    let bound = conditions::bind_where(
        entity,
        &query.conditions,
        arguments,
        check_no_filtering,
        values,
    )?;
    let fields = entity.fields.iter();
    let columns = fields.map(|field| cql::column(&field.cql_name));
    let select = cql::select(values.keyspace, &entity.cql_name, columns)
        .filter(bound.conditions)
        .limit(query.limit);
    let state = query
        .paging_state
        .as_ref()
        .and_then(|state| arguments.get(&state.argument));
    let state = match state {
        Some(Value::String(text)) => Some(from_base64(text)?),
        Some(_) => {
            let message = "Expected a string literal".to_owned();
            return Err(RunError::Invalid(message));
        }
        None => None,
    };
    let size = query.page_size.unwrap_or(PAGE_SIZE);
    if size < 1 {
        let message =
            format!("UNKNOWN: UNKNOWN: Invalid page size {size}: must be strictly positive");
        return Err(RunError::Invalid(message));
    }
    Ok((select, Page { size, state }))
}

fn field_value(query: &Query, rows: &Rows, values: Values<'_>) -> Value {
    let entity = &query.entity;
    let all = |rows: &Rows| {
        let objects = rows.rows.iter();
        let objects = objects.map(|row| object(entity, rows, row, values));
        objects.collect::<Vec<Value>>()
    };
    let first = |rows: &Rows| {
        let row = rows.rows.first();
        row.map_or(Value::Null, |row| object(entity, rows, row, values))
    };
    match &query.returns.shape {
        Shape::Payload(payload) if !query.returns.is_list => {
            let mut members = Map::new();
            if let Some(field) = &payload.entity {
                let data = if field.is_list {
                    Value::Array(all(rows))
                } else {
                    first(rows)
                };
                members.insert(field.name.clone(), data);
            }
            if let (true, Some(state)) = (payload.has_paging_state, &rows.page_state) {
                let state = Value::String(STANDARD.encode(state));
                members.insert("pagingState".to_owned(), state);
            }
            Value::Object(members)
        }
        _ if query.returns.is_list => Value::Array(all(rows)),
        _ => first(rows),
    }
}

/// Converts a row to an object with the selected fields of the entity.
pub fn object(
    entity: &Entity,
    rows: &Rows,
    row: &[Option<scylla::value::CqlValue>],
    values: Values<'_>,
) -> Value {
    let mut members = Map::new();
    for field in &entity.fields {
        let column = rows
            .columns
            .iter()
            .position(|(name, _)| *name == field.cql_name);
        if let Some(value) = column.and_then(|column| row.get(column)) {
            members.insert(field.name.clone(), values.to_json(value.as_ref(), field));
        }
    }
    Value::Object(members)
}
