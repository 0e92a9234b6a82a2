//! `insertOne` and `insertMany`. A row of the same key is overwritten, as in CQL.

use futures::StreamExt;
use scylla::value::CqlValue;

use super::Table;
use super::messages::{columns, list};
use super::types::{ApiType, Support, Usage, describe_columns};
use super::values_in::read;
use super::values_out::to_json;
use crate::codes::Code;
use crate::command::{Command, invalid_value, missing};
use crate::error::ApiError;
use crate::json::{Json, Members};
use crate::response::Response;
use store::cql::{self, Statement};
use store::{Column, Page};

const MAX_ROWS: usize = 100;
/// Rows that are inserted at once.
const TOGETHER: usize = 8;

/// `insertOne`
pub async fn one(table: &Table, command: &Command) -> Result<Response, ApiError> {
    let row = command.field("document").filter(|row| !row.is_null());
    let row = row.ok_or_else(|| missing("command.document"))?;
    let outcomes = insert(table, std::slice::from_ref(row), true).await;
    Ok(inserted(table, outcomes))
}

/// `insertMany`
pub async fn many(table: &Table, command: &Command) -> Result<Response, ApiError> {
    let rows = command.field("documents").and_then(Json::as_array);
    let rows = rows.unwrap_or_default();
    if rows.is_empty() || rows.len() > MAX_ROWS {
        let reason = format!("must have 1 to {MAX_ROWS} documents");
        let found = format!("(a list of {})", rows.len());
        return Err(invalid_value("command.documents", found, &reason));
    }
    let outcomes = insert(table, rows, command.flag("ordered")).await;
    Ok(if command.flag("returnDocumentResponses") {
        responses(table, outcomes)
    } else {
        inserted(table, outcomes)
    })
}

/// A row to be written.
struct Written {
    insert: Statement,
    /// The values of the primary key.
    id: Json,
}

/// The outcome for one row, with its id. An invalid row has an empty one.
enum Outcome {
    Inserted(Json),
    Failed(ApiError, Json),
    Skipped(Json),
}

async fn insert(table: &Table, rows: &[Json], ordered: bool) -> Vec<Outcome> {
    let rows: Vec<_> = rows.iter().map(|row| table.read_row(row)).collect();
    if !ordered {
        let outcomes = rows.into_iter().map(|row| insert_one(table, row));
        let outcomes = futures::stream::iter(outcomes).buffered(TOGETHER);
        return outcomes.collect().await;
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    for row in rows {
        let failed = matches!(
            outcomes.last(),
            Some(Outcome::Failed(..) | Outcome::Skipped(_))
        );
        outcomes.push(match row {
            Ok(row) if failed => Outcome::Skipped(row.id),
            Err(_) if failed => Outcome::Skipped(no_id()),
            row => insert_one(table, row).await,
        });
    }
    outcomes
}

fn no_id() -> Json {
    Json::Array(Vec::new())
}

async fn insert_one(table: &Table, row: Result<Written, ApiError>) -> Outcome {
    let row = match row {
        Ok(row) => row,
        Err(error) => return Outcome::Failed(error, no_id()),
    };
    match table.query(row.insert, Page::first(1)).await {
        Ok(_) => Outcome::Inserted(row.id),
        Err(error) => Outcome::Failed(error, row.id),
    }
}

impl Table {
    fn read_row(&self, row: &Json) -> Result<Written, ApiError> {
        let Json::Object(members) = row else {
            let found = row.type_name();
            let text = format!("A row must be a JSON Object, not {found}.");
            return Err(ApiError::new(Code::ShredBadDocumentType, text));
        };
        let codes = Codes {
            unknown: Code::UnknownColumnsInDocument,
            unsupported: Code::UnsupportedColumnsInDocument,
            invalid: Code::InvalidColumnValues,
            vectorize: Code::VectorizeWithoutDefinitionInDocument,
        };
        let values = self.read_values(members, codes, |support| support.insert)?;
        let is_given = |column: &&Column| {
            let mut values = values.iter();
            values.any(|(other, value)| other.name == column.name && value.is_some())
        };
        let missing: Vec<&Column> = self.key().filter(|column| !is_given(column)).collect();
        if !missing.is_empty() {
            let text = format!(
                "The row lacks the primary key columns {}.\n\n{}",
                columns(missing),
                self.defined_keys()
            );
            return Err(ApiError::new(Code::MissingPrimaryKeyColumns, text));
        }
        let id = self
            .key()
            .map(|column| {
                let mut values = values.iter();
                let value = values.find(|(other, _)| other.name == column.name);
                let value = value.and_then(|(_, value)| value.as_ref());
                value.and_then(to_json).unwrap_or(Json::Null)
            })
            .collect();
        let values = values.into_iter();
        let values = values.map(|(column, value)| (&column.name, value));
        let insert = cql::insert(&self.meta.keyspace, &self.meta.name, values);
        Ok(Written { insert, id })
    }

    /// Reads the values of columns.
    ///
    /// # Errors
    /// For unknown columns, columns that do not support it, and values that do not fit.
    pub fn read_values(
        &self,
        members: &Members,
        codes: Codes,
        supports: impl Fn(Support) -> bool,
    ) -> Result<Vec<(&Column, Option<CqlValue>)>, ApiError> {
        self.require_columns(members, codes, supports)?;
        let (mut values, mut invalid, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in members {
            let Some(column) = self.column(name) else {
                continue;
            };
            let is_vector = matches!(ApiType::of(&column.typ), ApiType::Vector(_));
            match read(value, &column.typ) {
                _ if is_vector && value.as_text().is_some() => texts.push(name),
                Ok(value) => values.push((column, value)),
                Err(misfit) => invalid.push(format!("{name} ({misfit})")),
            }
        }
        let (code, problem) = if !invalid.is_empty() {
            let problem = format!("Values do not fit their columns: {}", list(invalid));
            (codes.invalid, problem)
        } else if !texts.is_empty() {
            let problem = format!(
                "Vectors have no embedding service for texts: {}",
                list(texts)
            );
            (codes.vectorize, problem)
        } else {
            return Ok(values);
        };
        let text = format!("{problem}.\n\n{}", self.defined_columns());
        Err(ApiError::new(code, text))
    }

    /// Checks that all columns exist and support the operation.
    ///
    /// # Errors
    /// For those that do not.
    pub fn require_columns(
        &self,
        members: &Members,
        codes: Codes,
        supports: impl Fn(Support) -> bool,
    ) -> Result<(), ApiError> {
        let names = || members.keys().filter_map(|name| self.column(name));
        let unknown: Vec<&String> = members
            .keys()
            .filter(|n| self.column(n).is_none())
            .collect();
        let unsupported: Vec<&Column> = names()
            .filter(|column| !supports(Support::of(&column.typ)))
            .collect();
        let (code, problem) = if !unknown.is_empty() {
            (
                codes.unknown,
                format!("The columns {} do not exist", list(unknown)),
            )
        } else if !unsupported.is_empty() {
            let unsupported = columns(unsupported);
            let problem =
                format!("The types of these columns do not support the operation: {unsupported}");
            (codes.unsupported, problem)
        } else {
            return Ok(());
        };
        let text = format!("{problem}.\n\n{}", self.defined_columns());
        Err(ApiError::new(code, text))
    }

    fn key_schema(&self) -> Json {
        describe_columns(self.key(), Usage::Rows)
    }
}

/// The error codes for columns and their values.
#[derive(Clone, Copy, Debug)]
pub struct Codes {
    pub unknown: Code,
    pub unsupported: Code,
    pub invalid: Code,
    pub vectorize: Code,
}

fn inserted(table: &Table, outcomes: Vec<Outcome>) -> Response {
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Outcome::Inserted(id) => ids.push(id),
            Outcome::Failed(error, _) => errors.push(error),
            Outcome::Skipped(_) => {}
        }
    }
    let response = if ids.is_empty() {
        Response::default()
    } else {
        let response = Response::default().with_status("insertedIds", Json::Array(ids));
        response.with_status("primaryKeySchema", table.key_schema())
    };
    Response { errors, ..response }
}

fn responses(table: &Table, outcomes: Vec<Outcome>) -> Response {
    let mut errors: Vec<ApiError> = Vec::new();
    let mut any = false;
    let responses = outcomes
        .into_iter()
        .map(|outcome| {
            let mut failed = None;
            let (id, status) = match outcome {
                Outcome::Inserted(id) => (id, "OK"),
                Outcome::Skipped(id) => (id, "SKIPPED"),
                Outcome::Failed(error, id) => {
                    // Equal errors are returned once.
                    let same = |known: &ApiError| {
                        known.code == error.code && known.message == error.message
                    };
                    let place = errors.iter().position(same).unwrap_or(errors.len());
                    if place == errors.len() {
                        errors.push(error);
                    }
                    failed = i64::try_from(place).ok();
                    (id, "ERROR")
                }
            };
            any |= status == "OK";
            let mut response = Members::new();
            response.insert("_id".to_owned(), id);
            response.insert("status".to_owned(), Json::text(status));
            if let Some(place) = failed {
                response.insert("errorsIdx".to_owned(), Json::integer(place));
            }
            Json::Object(response)
        })
        .collect();
    let response = Response::default().with_status("documentResponses", responses);
    let response = if any {
        response.with_status("primaryKeySchema", table.key_schema())
    } else {
        response
    };
    Response { errors, ..response }
}
