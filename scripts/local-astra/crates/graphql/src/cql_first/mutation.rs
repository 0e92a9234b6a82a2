//! The mutations of a table as statements.

use scylla::statement::SerialConsistency;
use scylla::value::CqlValue;
use serde_json::{Value, json};

use super::conditions::{self, members};
use super::query::{self, int};
use super::sdl::Role;
use super::{names, values};
use crate::run::{Arguments, RunError};
use crate::statement::{Options, Outcome};
use scylla::cluster::metadata::{ColumnType, NativeType};
use store::cql::{self, Expression, Statement};
use store::{Column, ColumnKind, Table};

/// A statement, with the response if it is applied.
#[derive(Clone, Debug)]
pub struct Job {
    pub statement: Statement,
    pub options: Options,
    echo: Value,
    /// The key of the row, for finding it in the result of a batch that was not applied.
    key: Vec<(String, Option<CqlValue>)>,
}

/// Returns the statements of a field: one, or one per row of a bulk insert.
///
/// # Errors
/// Values without a valid statement.
pub fn jobs(role: Role, table: &Table, given: &Arguments) -> Result<Vec<Job>, RunError> {
    let argument = |name: &str| given.get(name).unwrap_or(&Value::Null);
    let single = argument("value");
    match role {
        Role::Query => Ok(Vec::new()),
        Role::Insert => Ok(vec![insert(table, single, given)?]),
        Role::BulkInsert => {
            let missing = || RunError::Invalid("values must be given".to_owned());
            let rows = argument("values").as_array().ok_or_else(missing)?;
            rows.iter().map(|row| insert(table, row, given)).collect()
        }
        Role::Update => Ok(vec![update(table, single, given)?]),
        Role::Delete => Ok(vec![delete(table, single, given)?]),
    }
}

/// The values of a row in a request.
struct Row<'a> {
    columns: Vec<(&'a Column, Option<CqlValue>)>,
}

impl<'a> Row<'a> {
    fn read(table: &'a Table, value: &'a Value) -> Result<Row<'a>, RunError> {
        let columns = members(table, value).map(|(column, value)| {
            let value = values::read(value, &column.typ)?;
            Ok((column, value))
        });
        Ok(Row {
            columns: columns.collect::<Result<_, RunError>>()?,
        })
    }

    /// Returns the conditions on the columns of a kind.
    fn equal(&self, wanted: fn(&Column) -> bool) -> impl Iterator<Item = Expression> {
        let columns = self
            .columns
            .iter()
            .filter(move |(column, _)| wanted(column));
        columns.map(|(column, value)| cql::equal(&column.name, value.clone()))
    }

    fn job(self, statement: Statement, given: &Arguments) -> Job {
        let echo = self.columns.iter().map(|(column, value)| {
            let value = values::write(value.as_ref(), &column.typ);
            (names::column(&column.name), value)
        });
        let echo = Value::Object(echo.collect());
        let key = self
            .columns
            .into_iter()
            .filter(|(column, _)| is_key(column))
            .map(|(column, value)| (column.name.clone(), value));
        Job {
            statement,
            options: options(given),
            echo,
            key: key.collect(),
        }
    }
}

fn is_key(column: &Column) -> bool {
    matches!(
        column.kind,
        ColumnKind::PartitionKey | ColumnKind::Clustering
    )
}

fn insert(table: &Table, value: &Value, given: &Arguments) -> Result<Job, RunError> {
    let row = Row::read(table, value)?;
    if row.columns.is_empty() {
        let message = "Insert statement must contain at least one field";
        return Err(RunError::Invalid(message.to_owned()));
    }
    let values = row.columns.iter();
    let values = values.map(|(column, value)| (&column.name, value.clone()));
    let statement = cql::insert(&table.keyspace, &table.name, values)
        .if_not_exists(flag(given, "ifNotExists"))
        .using(ttl(given), None);
    Ok(row.job(statement, given))
}

fn update(table: &Table, value: &Value, given: &Arguments) -> Result<Job, RunError> {
    let row = Row::read(table, value)?;
    let values = row.columns.iter().filter(|(column, _)| !is_key(column));
    let assignments = values.map(|(column, value)| match column.typ {
        // A counter is added to.
        ColumnType::Native(NativeType::Counter) => cql::change(&column.name, "+", value.clone()),
        _ => cql::equal(&column.name, value.clone()),
    });
    let statement = cql::update(&table.keyspace, &table.name)
        .using(ttl(given), None)
        .set(assignments)
        .filter(row.equal(is_key))
        .only_if(conditions(table, given)?);
    Ok(row.job(statement, given))
}

fn delete(table: &Table, value: &Value, given: &Arguments) -> Result<Job, RunError> {
    let row = Row::read(table, value)?;
    let statement = cql::delete(&table.keyspace, &table.name)
        .filter(row.equal(|_| true))
        .only_if(conditions(table, given)?);
    Ok(row.job(statement, given))
}

/// Returns the conditions. As on a real Stargate, Cassandra rejects the combination of `ifExists` and `ifCondition`.
fn conditions(table: &Table, given: &Arguments) -> Result<Vec<Expression>, RunError> {
    let exists = flag(given, "ifExists").then(cql::exists);
    let filter = given.get("ifCondition").unwrap_or(&Value::Null);
    let conditions = conditions::read(table, filter)?;
    Ok(exists.into_iter().chain(conditions).collect())
}

fn flag(given: &Arguments, name: &str) -> bool {
    given.get(name) == Some(&json!(true))
}

fn ttl(given: &Arguments) -> Option<i32> {
    int(given.get("options")?.get("ttl")?)
}

fn options(given: &Arguments) -> Options {
    let options = given.get("options").unwrap_or(&Value::Null);
    let serial = options["serialConsistency"]
        .as_str()
        .map(|level| match level {
            "LOCAL_SERIAL" => SerialConsistency::LocalSerial,
            _ => SerialConsistency::Serial,
        });
    Options::new(query::consistency(&options["consistency"]), serial)
}

/// Returns the response for one statement, as a `…MutationResult`.
pub fn field_value(table: &Table, job: &Job, outcome: &Outcome, in_batch: bool) -> Value {
    match outcome {
        Outcome::Applied => json!({"applied": true, "value": job.echo}),
        Outcome::Refused(rows) => {
            let row = match (in_batch, rows.rows.as_slice()) {
                (false, rows) => rows.first(),
                (true, all) => all.iter().find(|row| {
                    job.key.iter().all(|(name, value)| {
                        let column = rows.columns.iter().position(|(column, _)| column == name);
                        column.is_some_and(|column| row.get(column) == Some(value))
                    })
                }),
            };
            let row = row.map(|row| query::object(table, rows, row));
            json!({"applied": false, "value": row})
        }
    }
}

impl Job {
    /// Returns the response that does not wait for the outcome.
    pub fn accepted(&self) -> Value {
        accepted(self.echo.clone())
    }
}

/// Returns the response for a row without waiting for the outcome.
pub fn accepted(echo: Value) -> Value {
    json!({"accepted": true, "value": echo})
}

/// Returns the response for the input of a row without a valid statement.
pub fn unread(table: &Table, value: &Value) -> Value {
    let echo = members(table, value).map(|(column, value)| {
        let read = values::read(value, &column.typ);
        let shown = read.map(|read| values::write(read.as_ref(), &column.typ));
        (
            names::column(&column.name),
            shown.unwrap_or_else(|_| value.clone()),
        )
    });
    Value::Object(echo.collect())
}
