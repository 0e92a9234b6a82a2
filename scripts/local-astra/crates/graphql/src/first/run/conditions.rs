//! Conditions of a statement, bound to the given arguments. A condition is omitted if its argument is.

use scylla::value::CqlValue;

use super::values::Values;
use crate::first::model::conditions::{Condition, Predicate};
use crate::first::model::entity::Entity;
use crate::run::{Arguments, RunError};
use store::types::{TypeName, quote};

/// A clause, ` WHERE … AND …` or ` IF … AND …`, with its bound values. Empty without conditions.
#[derive(Debug, Default, PartialEq)]
pub struct Clause {
    pub cql: String,
    pub values: Vec<Option<CqlValue>>,
    /// The columns with an equality, in the order of the key.
    pub key: Vec<(String, Option<CqlValue>)>,
}

/// Checks the conditions that are used.
pub type Check = fn(&Entity, &[&Condition]) -> Result<(), String>;

/// Returns the WHERE clause of an operation.
///
/// # Errors
/// Values that do not fit, and conditions that fail the check.
pub fn bind_where(
    entity: &Entity,
    conditions: &[Condition],
    arguments: &Arguments,
    check: Check,
    values: Values<'_>,
) -> Result<Clause, RunError> {
    let given: Vec<&Condition> = given(conditions, arguments).collect();
    let clause = bind("WHERE", entity, &given, arguments, values)?;
    check(entity, &given)
        .map_err(|message| RunError::Invalid(format!("Invalid arguments: {message}")))?;
    Ok(clause)
}

/// Returns the IF clause of an operation.
///
/// # Errors
/// Values that do not fit.
pub fn bind_if(
    entity: &Entity,
    conditions: &[Condition],
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Clause, RunError> {
    let given: Vec<&Condition> = given(conditions, arguments).collect();
    bind("IF", entity, &given, arguments, values)
}

fn given<'a>(
    conditions: &'a [Condition],
    arguments: &'a Arguments,
) -> impl Iterator<Item = &'a Condition> {
    conditions
        .iter()
        .filter(|condition| arguments.contains_key(&condition.argument))
}

fn bind(
    keyword: &str,
    entity: &Entity,
    conditions: &[&Condition],
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Clause, RunError> {
    let mut clause = Clause::default();
    let mut keyword = keyword;
    for condition in conditions {
        let Some(given) = arguments.get(&condition.argument) else {
            continue;
        };
        let column = &entity.fields[condition.field];
        let value = match condition.predicate {
            Predicate::In => {
                let list = TypeName::List(Box::new(column.cql_type.clone()));
                values.to_cql(given, &list)?
            }
            Predicate::Contains => match column.cql_type.thawed() {
                TypeName::List(item) | TypeName::Set(item) => values.to_cql(given, item)?,
                _ => values.to_cql(given, &column.cql_type)?,
            },
            _ => values.to_cql(given, &column.cql_type)?,
        };
        let operator = condition.predicate.cql();
        let name = quote(&column.cql_name);
        clause
            .cql
            .push_str(&format!(" {keyword} {name} {operator} ?"));
        if condition.predicate == Predicate::Eq && column.is_key() {
            clause.key.push((column.cql_name.clone(), value.clone()));
        }
        clause.values.push(value);
        keyword = "AND";
    }
    Ok(clause)
}
