//! Mutations as INSERT, UPDATE or DELETE. The statements are built first, and then run alone or in a batch.

use scylla::cluster::metadata::NativeType;
use scylla::value::{CqlTimeuuid, CqlValue};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::conditions;
use super::query::object;
use super::values::Values;
use crate::first::model::arguments::Increment;
use crate::first::model::conditions::{check_no_filtering, check_update};
use crate::first::model::entity::Entity;
use crate::first::model::mutation::{Change, Kind, Mutation};
use crate::first::model::returns::Shape;
use crate::first::sdl;
use crate::run::{Arguments, RunError};
use crate::scalars::time_uuid;
use crate::statement::{Options, Outcome};
use store::Rows;
use store::cql::{self, Expression, Statement};
use store::types::{TypeName, quote};

/// A statement of a mutation, with the data for its response.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub statement: Statement,
    pub options: Options,
    /// The known columns of the primary key, for finding the row in the result of a batch that was not applied.
    key: Vec<(String, Option<CqlValue>)>,
    /// The sent entity, for the response to an applied INSERT.
    echo: Value,
}

/// Builds the statements of a mutation: one, or one per element of a list.
///
/// # Errors
/// Arguments that do not fit.
pub fn jobs(
    mutation: &Mutation,
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Vec<Job>, RunError> {
    match &mutation.kind {
        Kind::Insert {
            argument,
            is_list,
            if_not_exists,
        } => {
            let given = arguments.get(argument).unwrap_or(&Value::Null);
            let inputs = match given {
                Value::Array(inputs) if *is_list => &inputs[..],
                Value::Null if *is_list => &[],
                single => std::slice::from_ref(single),
            };
            let inputs = inputs.iter();
            inputs
                .map(|input| insert(mutation, input, *if_not_exists, arguments, values))
                .collect()
        }
        Kind::Update(change) => Ok(vec![update(mutation, change, arguments, values)?]),
        Kind::Delete(change) => Ok(vec![delete(mutation, change, arguments, values)?]),
    }
}

fn insert(
    mutation: &Mutation,
    input: &Value,
    if_not_exists: bool,
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Job, RunError> {
    let entity = &mutation.entity;
    let Some(input) = input.as_object() else {
        let message = format!("Missing value for {}", entity.name);
        return Err(RunError::Invalid(message));
    };
    let mut row = Vec::new();
    let mut key = Vec::new();
    let mut echo = Map::new();
    for field in &entity.fields {
        let (value, echoed) = match input.get(&field.name) {
            Some(given) => {
                let value = values.to_cql(given, &field.cql_type)?;
                // What was made for `uuid()` or `now()` is what is answered.
                let echo = values.echo(given, value.as_ref(), field);
                (value, echo)
            }
            None if !field.is_key() => continue,
            None if sdl::is_uuid(&field.typ) => {
                let uuid = generated(&field.cql_type);
                (Some(uuid.0), Value::String(uuid.1.to_string()))
            }
            None => {
                let message = format!("Missing value for field {}", field.name);
                return Err(RunError::Invalid(message));
            }
        };
        if field.is_key() {
            key.push((field.cql_name.clone(), value.clone()));
        }
        row.push((&field.cql_name, value));
        echo.insert(field.name.clone(), echoed);
    }
    let statement = cql::insert(values.keyspace, &entity.cql_name, row)
        .if_not_exists(if_not_exists)
        .using(mutation.ttl, timestamp(mutation, arguments)?);
    Ok(job(mutation, statement, key, Value::Object(echo)))
}

fn generated(typ: &TypeName) -> (CqlValue, Uuid) {
    match typ {
        TypeName::Native(NativeType::Timeuuid) => {
            let uuid = time_uuid();
            (CqlValue::Timeuuid(CqlTimeuuid::from(uuid)), uuid)
        }
        _ => {
            let uuid = Uuid::new_v4();
            (CqlValue::Uuid(uuid), uuid)
        }
    }
}

fn update(
    mutation: &Mutation,
    change: &Change,
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Job, RunError> {
    let entity = &mutation.entity;
    let given = values_of(change, arguments)?;
    let key = conditions::bind_where(entity, &change.conditions, given, check_update, values)?;
    let tests = tests(entity, change, given, values)?;
    let assignments = if change.increments.is_empty() {
        set(entity, given, values)?
    } else {
        add(entity, &change.increments, given, values)?
    };
    if assignments.is_empty() {
        let message = "Input object must have at least one non-PK field set for an update";
        return Err(RunError::Invalid(message.to_owned()));
    }
    let statement = cql::update(values.keyspace, &entity.cql_name)
        .using(mutation.ttl, timestamp(mutation, arguments)?)
        .set(assignments)
        .filter(key.conditions)
        .only_if(tests);
    Ok(job(mutation, statement, key.key, Value::Null))
}

fn set(
    entity: &Entity,
    given: &Arguments,
    values: Values<'_>,
) -> Result<Vec<Expression>, RunError> {
    let fields = entity.regular_columns().iter().filter_map(|field| {
        let value = given.get(&field.name)?;
        let value = values.to_cql(value, &field.cql_type);
        Some(value.map(|value| cql::equal(&field.cql_name, value)))
    });
    fields.collect()
}

fn add(
    entity: &Entity,
    increments: &[Increment],
    given: &Arguments,
    values: Values<'_>,
) -> Result<Vec<Expression>, RunError> {
    let increments = increments.iter().filter_map(|increment| {
        let value = given.get(&increment.argument)?;
        let field = &entity.fields[increment.field];
        let value = values.to_cql(value, &field.cql_type);
        Some(value.map(|value| {
            if increment.prepend {
                let name = quote(&field.cql_name);
                cql::raw(format!("{name} = ? + {name}")).bind(value)
            } else {
                cql::change(&field.cql_name, "+", value)
            }
        }))
    });
    increments.collect()
}

fn delete(
    mutation: &Mutation,
    change: &Change,
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Job, RunError> {
    let entity = &mutation.entity;
    let given = values_of(change, arguments)?;
    let key = conditions::bind_where(
        entity,
        &change.conditions,
        given,
        check_no_filtering,
        values,
    )?;
    let tests = tests(entity, change, given, values)?;
    let statement = cql::delete(values.keyspace, &entity.cql_name)
        .filter(key.conditions)
        .only_if(tests);
    Ok(job(mutation, statement, key.key, Value::Null))
}

/// Returns the values: the members of the argument with the entity, or the arguments themselves.
fn values_of<'a>(change: &Change, arguments: &'a Arguments) -> Result<&'a Arguments, RunError> {
    let Some(name) = &change.argument else {
        return Ok(arguments);
    };
    let entity = arguments.get(name).and_then(Value::as_object);
    entity.ok_or_else(|| RunError::Invalid(format!("Argument {name} must be one input object")))
}

/// Returns the conditions of the IF clause.
fn tests(
    entity: &Entity,
    change: &Change,
    given: &Arguments,
    values: Values<'_>,
) -> Result<Vec<Expression>, RunError> {
    let mut tests = conditions::bind_if(entity, &change.if_conditions, given, values)?;
    // A deployed schema has either conditions or `ifExists`.
    tests.extend(change.if_exists.then(cql::exists));
    Ok(tests)
}

fn job(
    mutation: &Mutation,
    statement: Statement,
    key: Vec<(String, Option<CqlValue>)>,
    echo: Value,
) -> Job {
    Job {
        statement,
        options: Options::new(mutation.consistency, mutation.serial_consistency),
        key,
        echo,
    }
}

/// Returns the write time in microseconds since the epoch, if it is given.
fn timestamp(mutation: &Mutation, arguments: &Arguments) -> Result<Option<i64>, RunError> {
    let Some(timestamp) = &mutation.timestamp else {
        return Ok(None);
    };
    let given = arguments.get(&timestamp.argument);
    let Some(given) = given.filter(|given| !given.is_null()) else {
        return Ok(None);
    };
    if timestamp.typ == "String" {
        return micros_of(given.as_str().unwrap_or_default()).map(Some);
    }
    let text = given
        .as_str()
        .map_or_else(|| given.to_string(), str::to_owned);
    let micros = text.parse();
    let micros = micros.map_err(|_| RunError::Invalid(format!("Invalid timestamp {text}")))?;
    Ok(Some(micros))
}

/// Converts an ISO date and time with a zone to microseconds since the epoch.
fn micros_of(text: &str) -> Result<i64, RunError> {
    let refused = || {
        RunError::Invalid(format!(
            "Can't parse Timeout '{text}' (expected an ISO 8601 zoned date time string)"
        ))
    };
    // The name of a zone may follow the offset: `…+01:00[Europe/Paris]`.
    let (iso, _) = text.split_once('[').unwrap_or((text, ""));
    let (date, time) = iso.split_once('T').ok_or_else(refused)?;
    // The seconds may be left out.
    let zone = time.find(|c: char| !c.is_ascii_digit() && c != ':');
    let (clock, zone) = time.split_at(zone.unwrap_or(time.len()));
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let iso = format!("{date}T{clock}{seconds}{zone}");
    let time = OffsetDateTime::parse(&iso, &Rfc3339).map_err(|_| refused())?;
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).map_err(|_| refused())
}

/// Returns the response for one statement.
pub fn field_value(mutation: &Mutation, job: &Job, outcome: &Outcome, values: Values<'_>) -> Value {
    let entity = &mutation.entity;
    let applied = matches!(outcome, Outcome::Applied);
    let found = match outcome {
        Outcome::Applied => job.echo.clone(),
        Outcome::Refused(rows) => {
            let row = own_row(job, rows);
            row.map_or(Value::Null, |row| object(entity, rows, row, values))
        }
    };
    // There is always an object, without members if nothing is known.
    let found = match found {
        Value::Null => Value::Object(Map::new()),
        found => found,
    };
    match &mutation.returns.shape {
        Shape::Boolean => Value::Bool(applied),
        Shape::Entity(_) => found,
        Shape::Payload(payload) => {
            let mut members = Map::new();
            if let Some(field) = &payload.entity {
                members.insert(field.name.clone(), found);
            }
            if payload.has_applied {
                members.insert("applied".to_owned(), Value::Bool(applied));
            }
            Value::Object(members)
        }
    }
}

/// Returns the row of a statement in a result that was not applied: the only row, or in a batch the one with its key.
fn own_row<'a>(job: &Job, rows: &'a Rows) -> Option<&'a [Option<CqlValue>]> {
    let matches = |row: &&Vec<Option<CqlValue>>| {
        job.key.iter().all(|(name, value)| {
            let column = rows.columns.iter().position(|(column, _)| column == name);
            column.is_some_and(|column| row.get(column) == Some(value))
        })
    };
    // Outside a batch there is one row, and it may lack its key: a condition shows only its own columns.
    let is_key = |name: &String| job.key.iter().any(|(key, _)| key == name);
    let found = match rows.rows.as_slice() {
        [row] if !rows.columns.iter().any(|(name, _)| is_key(name)) => Some(row),
        rows => rows.iter().find(matches),
    };
    found.map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_with_a_zone() {
        for (text, micros) in [
            ("2021-01-10T10:15:30Z", 1_610_273_730_000_000),
            ("2021-01-10T10:15Z", 1_610_273_700_000_000),
            (
                "2021-01-10T10:15:30.5+01:00[Europe/Paris]",
                1_610_270_130_500_000,
            ),
        ] {
            assert_eq!(micros_of(text).unwrap(), micros, "{text}");
        }
        for text in [
            "",
            "2021-01-10 10:15:30Z",
            "2021-01-10T10:15:30",
            "2021-01-10T10Z",
        ] {
            assert!(micros_of(text).is_err(), "{text}");
        }
    }
}
