//! `deleteOne` and `deleteMany`. The number of deleted rows is unknown, and returned as -1.

use super::Table;
use super::row_tests::{Comparison, Filter, Subject, Test};
use super::warnings::{require_row, require_rows};
use crate::codes::Code;
use crate::command::{Command, missing};
use crate::error::ApiError;
use crate::filter::{Group, Operator, Relation};
use crate::json::Json;
use crate::response::Response;
use store::Page;
use store::cql::{self, Expression};
use store::types::quote;

/// `deleteOne`
pub async fn one(table: &Table, command: &Command) -> Result<Response, ApiError> {
    let filter = command.field("filter").filter(|filter| !filter.is_null());
    let filter = filter.ok_or_else(|| missing("command.filter"))?;
    let code = Code::UnsupportedSortForTableDeleteCommand;
    reject_sort(table, command, code)?;
    let filter = table.read_filter(Some(filter))?;
    require_row(table, &filter)?;
    delete(table, &filter).await
}

/// `deleteMany`: a part of a partition, or all rows if there is no filter.
pub async fn many(table: &Table, command: &Command) -> Result<Response, ApiError> {
    let filter = table.read_filter(command.field("filter"))?;
    if filter.all().is_empty() {
        let truncate = cql::truncate(&table.meta.keyspace, &table.meta.name);
        table.query(truncate, Page::first(1)).await?;
        return Ok(deleted());
    }
    require_rows(table, &filter)?;
    delete(table, &filter).await
}

async fn delete(table: &Table, filter: &Group) -> Result<Response, ApiError> {
    let delete = cql::delete(&table.meta.keyspace, &table.meta.name);
    let delete = delete.filter(table.conditions(filter)?);
    table.query(delete, Page::first(1)).await?;
    Ok(deleted())
}

fn deleted() -> Response {
    Response::default().with_status("deletedCount", Json::integer(-1))
}

/// Rejects a sort in a command whose filter is the primary key.
///
/// # Errors
/// This code for a valid sort; those of an invalid sort.
pub fn reject_sort(table: &Table, command: &Command, code: Code) -> Result<(), ApiError> {
    let sort = command.field("sort");
    let empty = Group::new(Relation::And);
    match table.read_sort(sort, &empty, super::sort::Window::default())? {
        (super::sort::Sort::None, _) => Ok(()),
        _ => {
            let name = command.name;
            let text = format!("{name} on a table takes no sort: the filter names the row.");
            Err(ApiError::new(code, text))
        }
    }
}

impl Table {
    /// The conditions of a write. Cassandra decides which of them it takes.
    ///
    /// # Errors
    /// [`Code::UnsupportedDatabaseQuery`] for alternatives, which CQL does not have.
    pub fn conditions(&self, filter: &Group) -> Result<Vec<Expression>, ApiError> {
        let no_or = || {
            let text = "A filter with alternatives cannot be used to update or delete rows.";
            ApiError::new(Code::UnsupportedDatabaseQuery, text)
        };
        let mut conditions = Vec::new();
        for group in &filter.groups {
            if group.relation == Relation::Or {
                return Err(no_or());
            }
            conditions.extend(self.conditions(group)?);
        }
        for condition in &filter.conditions {
            let alone = Group {
                conditions: vec![condition.clone()],
                ..Group::new(Relation::And)
            };
            let tests = match self.tests(&alone)? {
                Filter::Test(test) => vec![test],
                Filter::All(parts) | Filter::Any(parts) => {
                    let tests = parts.into_iter().map(|part| match part {
                        Filter::Test(test) => Ok(test),
                        _ => Err(no_or()),
                    });
                    tests.collect::<Result<Vec<Test>, ApiError>>()?
                }
            };
            if tests.iter().any(|test| test.subject != Subject::Value) {
                let text = "Elements of collections cannot be used to update or delete rows.";
                return Err(ApiError::new(Code::InvalidDatabaseQuery, text));
            }
            let column = quote(&condition.path);
            let marks = vec!["?"; tests.len()].join(", ");
            let comparison = tests.first().map_or(Comparison::Eq, |test| test.comparison);
            let condition = cql::raw(match condition.operator {
                Operator::In => format!("{column} IN ({marks})"),
                Operator::Nin => format!("{column} NOT IN ({marks})"),
                _ => format!("{column} {} ?", comparison.cql()),
            });
            let values = tests.into_iter().map(|test| test.value);
            conditions.push(values.fold(condition, Expression::bind));
        }
        Ok(conditions)
    }
}
