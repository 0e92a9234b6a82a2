//! Conditions of a statement, bound to the given arguments. A condition is omitted if its argument is.

use scylla::value::CqlValue;

use super::values::Values;
use crate::first::model::conditions::{Condition, Predicate};
use crate::first::model::entity::Entity;
use crate::run::{Arguments, RunError};
use store::cql::{self, Expression};
use store::types::TypeName;

/// The conditions of a clause.
#[derive(Debug, Default, PartialEq)]
pub struct Bound {
    pub conditions: Vec<Expression>,
    /// The columns of the key with an equality.
    pub key: Vec<(String, Option<CqlValue>)>,
}

/// Checks the conditions that are used.
pub type Check = fn(&Entity, &[&Condition]) -> Result<(), String>;

/// Returns the conditions of the WHERE clause.
///
/// # Errors
/// Values that do not fit, and conditions that fail the check.
pub fn bind_where(
    entity: &Entity,
    conditions: &[Condition],
    arguments: &Arguments,
    check: Check,
    values: Values<'_>,
) -> Result<Bound, RunError> {
    let given: Vec<&Condition> = given(conditions, arguments).collect();
    let bound = bind(entity, &given, arguments, values)?;
    check(entity, &given)
        .map_err(|message| RunError::Invalid(format!("Invalid arguments: {message}")))?;
    Ok(bound)
}

/// Returns the conditions of the IF clause.
///
/// # Errors
/// Values that do not fit.
pub fn bind_if(
    entity: &Entity,
    conditions: &[Condition],
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Vec<Expression>, RunError> {
    let given: Vec<&Condition> = given(conditions, arguments).collect();
    Ok(bind(entity, &given, arguments, values)?.conditions)
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
    entity: &Entity,
    conditions: &[&Condition],
    arguments: &Arguments,
    values: Values<'_>,
) -> Result<Bound, RunError> {
    let mut bound = Bound::default();
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
        if condition.predicate == Predicate::Eq && column.is_key() {
            bound.key.push((column.cql_name.clone(), value.clone()));
        }
        let operator = condition.predicate.cql();
        bound
            .conditions
            .push(cql::column(&column.cql_name).op(operator, value));
    }
    Ok(bound)
}
