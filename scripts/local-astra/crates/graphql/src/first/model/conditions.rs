//! Conditions on the fields of an entity. Checks that each fits its field, and that together they form a statement that
//! Cassandra runs without filtering.

use apollo_compiler::ast::Type;

use super::entity::Entity;
use super::field::{Field, Role};

/// The operators of `@cql_where` and `@cql_if`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    Eq,
    NotEq,
    In,
    Lt,
    Gt,
    Lte,
    Gte,
    Contains,
}

impl Predicate {
    /// Parses a name of the enums `Predicate` and `IfPredicate`.
    pub fn read(name: &str) -> Option<Predicate> {
        let all = [
            Predicate::Eq,
            Predicate::NotEq,
            Predicate::In,
            Predicate::Lt,
            Predicate::Gt,
            Predicate::Lte,
            Predicate::Gte,
            Predicate::Contains,
        ];
        all.into_iter().find(|predicate| predicate.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Predicate::Eq => "EQ",
            Predicate::NotEq => "NEQ",
            Predicate::In => "IN",
            Predicate::Lt => "LT",
            Predicate::Gt => "GT",
            Predicate::Lte => "LTE",
            Predicate::Gte => "GTE",
            Predicate::Contains => "CONTAINS",
        }
    }

    pub fn cql(self) -> &'static str {
        match self {
            Predicate::Eq => "=",
            Predicate::NotEq => "!=",
            Predicate::In => "IN",
            Predicate::Lt => "<",
            Predicate::Gt => ">",
            Predicate::Lte => "<=",
            Predicate::Gte => ">=",
            Predicate::Contains => "CONTAINS",
        }
    }

    fn is_equality(self) -> bool {
        matches!(self, Predicate::Eq | Predicate::In)
    }
}

/// A condition on a field, with the value of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Index of the field in the entity.
    pub field: usize,
    pub predicate: Predicate,
    pub argument: String,
}

/// Returns an equality for every field of the primary key, with the member of the same name.
pub fn of_primary_key(entity: &Entity) -> Vec<Condition> {
    let fields = entity.primary_key().iter().enumerate();
    fields
        .map(|(at, field)| Condition {
            field: at,
            predicate: Predicate::Eq,
            argument: field.name.clone(),
        })
        .collect()
}

/// The required type of a condition's argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The type of the field.
    Same,
    /// A list of the type of the field.
    List,
    /// The type of the elements of the field.
    Element,
    /// Any type, for a custom index.
    Anything,
}

/// Checks that a field can be restricted in a WHERE clause, and returns the required type of the argument.
///
/// # Errors
/// The message, without the name of the operation.
pub fn fits_where(field: &Field, predicate: Predicate, argument: &str) -> Result<Wanted, String> {
    let refused = |kind: &str, expected: &str| {
        Err(format!(
            "predicate {} is not supported for {kind} field {} (expected {expected})",
            predicate.name(),
            field.name
        ))
    };
    match (field.role, predicate) {
        (Role::PartitionKey, Predicate::Eq) => Ok(Wanted::Same),
        (Role::PartitionKey, Predicate::In) => Ok(Wanted::List),
        (Role::PartitionKey, _) => refused("partition key", "EQ or IN"),
        (Role::Clustering { .. }, Predicate::In) => Ok(Wanted::List),
        (Role::Clustering { .. }, Predicate::NotEq | Predicate::Contains) => {
            refused("clustering", "EQ, LT, GT, LTE, GTE or IN")
        }
        (Role::Clustering { .. }, _) => Ok(Wanted::Same),
        (Role::Regular, predicate) => {
            let Some(index) = &field.index else {
                return Err(format!(
                    "non-primary key argument {argument} must be indexed in order to use it in a condition"
                ));
            };
            match predicate {
                _ if !index.is_built_in() => Ok(Wanted::Anything),
                Predicate::Eq => Ok(Wanted::Same),
                Predicate::In => Ok(Wanted::List),
                Predicate::Contains => Ok(Wanted::Element),
                _ => refused("indexed", "EQ, IN or CONTAINS"),
            }
        }
    }
}

/// Checks that a field can be tested in an IF clause, and returns the required type of the argument.
///
/// # Errors
/// The message, without the name of the operation.
pub fn fits_if(field: &Field, predicate: Predicate) -> Result<Wanted, String> {
    let of_key = |kind: &str| {
        Err(format!(
            "@cql_if is not supported for {kind} keys (field {})",
            field.name
        ))
    };
    match (field.role, predicate) {
        (Role::PartitionKey, _) => of_key("partition"),
        (Role::Clustering { .. }, _) => of_key("clustering"),
        (Role::Regular, Predicate::In) => Ok(Wanted::List),
        (Role::Regular, Predicate::Contains) => Err(format!(
            "predicate CONTAINS is not supported for field {} (expected EQ, NEQ, LT, GT, LTE or GTE)",
            field.name
        )),
        (Role::Regular, _) => Ok(Wanted::Same),
    }
}

/// Returns the type of the argument for a field of this input type; `None` for the elements of a type that is not a
/// list.
pub fn wanted_type(wanted: Wanted, field: Type) -> Option<Type> {
    match wanted {
        Wanted::Same | Wanted::Anything => Some(field),
        Wanted::List => Some(field.list()),
        Wanted::Element => match field {
            Type::List(item) | Type::NonNullList(item) => Some(*item),
            _ => None,
        },
    }
}

/// Checks that these conditions select or delete rows without filtering.
///
/// # Errors
/// The message, without the name of the operation.
pub fn check_no_filtering(entity: &Entity, conditions: &[&Condition]) -> Result<(), String> {
    let on = |field: usize| conditions.iter().find(|c| c.field == field);
    let keys = entity.partition_key().len();
    let indexed = conditions
        .iter()
        .filter(|condition| !entity.fields[condition.field].is_key())
        .count();
    match indexed {
        0 => {
            if (0..keys).any(|key| on(key).is_none()) {
                return Err(format!(
                    "every partition key field of type {} must be present (expected: {}).",
                    entity.name,
                    names(entity.partition_key())
                ));
            }
            let mut open: Option<&Field> = None;
            for at in keys..entity.primary_key().len() {
                let field = &entity.fields[at];
                match (on(at), open) {
                    (None, _) => open = open.or(Some(field)),
                    (Some(_), Some(open)) => {
                        return Err(format!(
                            "clustering field {} is not restricted by EQ or IN, so no other clustering field after \
                             it can be restricted (offending: {}).",
                            open.name, field.name
                        ));
                    }
                    (Some(condition), None) if !condition.predicate.is_equality() => {
                        open = Some(field);
                    }
                    (Some(_), None) => {}
                }
            }
            Ok(())
        }
        1 => {
            let of_role = |condition: &&&Condition| {
                matches!(entity.fields[condition.field].role, Role::Clustering { .. })
            };
            if conditions.iter().any(|condition| of_role(&condition)) {
                let message = "when an indexed field is present, no clustering field can be used";
                return Err(message.to_owned());
            }
            let given = (0..keys).filter(|key| on(*key).is_some()).count();
            if given != 0 && given != keys {
                return Err(format!(
                    "when an indexed field is present, either none or all of the partition key fields must be \
                     present (expected {}).",
                    names(entity.partition_key())
                ));
            }
            Ok(())
        }
        _ => Err("cannot use more than one indexed field per operation".to_owned()),
    }
}

/// Checks that these conditions identify the rows of an UPDATE.
///
/// # Errors
/// The message, without the name of the operation.
pub fn check_update(entity: &Entity, conditions: &[&Condition]) -> Result<(), String> {
    let named = |at: usize| {
        conditions
            .iter()
            .any(|c| c.field == at && c.predicate.is_equality())
    };
    if (0..entity.primary_key().len()).all(named) {
        return Ok(());
    }
    Err(format!(
        "all of the primary key fields must be restricted by EQ or IN predicates (expected {}).",
        names(entity.primary_key())
    ))
}

fn names(fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.join(", ")
}
