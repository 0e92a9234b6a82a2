//! Conditions on one field: operators, their values, and their evaluation.

use std::cmp::Ordering;
use std::fmt;

use scylla::value::CqlValue;
use serde_json::Value as Json;

use crate::error::DocumentError;
use crate::layout::{BOOLEAN, NUMBER, TEXT};
use crate::rows::Value;
use crate::shred::double;
use store::cql;

/// A condition on a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    Compare(Operator, Scalar),
    /// `$in`, and negated `$nin`. `None` is null.
    OneOf {
        values: Vec<Option<Scalar>>,
        negated: bool,
    },
    Exists(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// A value to compare with. Values of different types are never equal, such as a text and a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Condition {
    /// Parses an operator with its value.
    ///
    /// # Errors
    /// An unknown operator, or a value that it does not accept.
    pub fn read(operator: &str, value: &Json) -> Result<Condition, DocumentError> {
        let compare =
            |operator| Scalar::read(value).map(|value| Condition::Compare(operator, value));
        let condition = match operator {
            "$eq" => compare(Operator::Eq),
            "$ne" => compare(Operator::Ne),
            "$lt" => compare(Operator::Lt),
            "$lte" => compare(Operator::Lte),
            "$gt" => compare(Operator::Gt),
            "$gte" => compare(Operator::Gte),
            "$exists" => value.as_bool().map(Condition::Exists),
            "$in" | "$nin" => match value {
                Json::Array(values) => Some(one_of(operator, values)?),
                _ => None,
            },
            _ => {
                return Err(DocumentError::Refused(format!(
                    "Operation '{operator}' is not supported."
                )));
            }
        };
        condition.ok_or_else(|| {
            DocumentError::Refused(format!(
                "Operation '{operator}' does not support the provided value {value:#}."
            ))
        })
    }

    /// Returns the opposite condition.
    pub fn negated(&self) -> Condition {
        match self {
            Condition::Compare(operator, value) => {
                Condition::Compare(operator.negated(), value.clone())
            }
            Condition::OneOf { values, negated } => Condition::OneOf {
                values: values.clone(),
                negated: !negated,
            },
            Condition::Exists(exists) => Condition::Exists(!exists),
        }
    }

    /// Returns true if Cassandra can evaluate the condition.
    pub fn is_pushed(&self) -> bool {
        match self {
            Condition::Compare(operator, _) => *operator != Operator::Ne,
            Condition::Exists(exists) => *exists,
            Condition::OneOf { .. } => false,
        }
    }

    /// Returns true if the condition holds for documents without the field.
    pub fn holds_without_field(&self) -> bool {
        match self {
            Condition::Compare(operator, _) => *operator == Operator::Ne,
            Condition::Exists(exists) => !exists,
            Condition::OneOf { negated, .. } => *negated,
        }
    }

    /// Returns the restriction of a condition that Cassandra evaluates. The existence of a field needs none.
    pub fn restriction(&self) -> Option<cql::Expression> {
        let Condition::Compare(operator, value) = self else {
            return None;
        };
        let operator = match operator {
            Operator::Eq => "=",
            Operator::Lt => "<",
            Operator::Lte => "<=",
            Operator::Gt => ">",
            Operator::Gte => ">=",
            Operator::Ne => return None,
        };
        let (column, value) = match value {
            Scalar::Text(text) => (TEXT, CqlValue::Text(text.clone())),
            Scalar::Number(number) => (NUMBER, CqlValue::Double(*number)),
            Scalar::Boolean(boolean) => (BOOLEAN, CqlValue::Boolean(*boolean)),
        };
        Some(cql::raw(column).op(operator, value))
    }

    /// Returns true if the condition holds for the value of a field.
    pub fn holds(&self, found: &Value) -> bool {
        match self {
            Condition::Exists(exists) => *exists,
            Condition::Compare(operator, wanted) => match wanted.compare(found) {
                Some(ordering) => operator.allows(ordering),
                // A value of another type is just another value.
                None => *operator == Operator::Ne,
            },
            Condition::OneOf { values, negated } => {
                let is_one = values.iter().any(|value| match value {
                    None => *found == Value::Null,
                    Some(value) => value.compare(found) == Some(Ordering::Equal),
                });
                is_one != *negated
            }
        }
    }

    /// Returns the type that the field must have, if the condition requires one.
    pub fn implied_type(&self) -> Option<&'static str> {
        match self {
            Condition::Compare(_, value) => Some(match value {
                Scalar::Text(_) => "String",
                Scalar::Number(_) => "Number",
                Scalar::Boolean(_) => "Boolean",
            }),
            Condition::OneOf { .. } | Condition::Exists(_) => None,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Compare(operator, value) => write!(f, "{} {value}", operator.name()),
            Condition::Exists(exists) => write!(f, "EXISTS {exists}"),
            Condition::OneOf { values, negated } => {
                let values: Vec<String> = values
                    .iter()
                    .map(|value| match value {
                        Some(value) => value.to_string(),
                        None => "null".to_owned(),
                    })
                    .collect();
                let name = if *negated { "NIN" } else { "IN" };
                write!(f, "{name} [{}]", values.join(", "))
            }
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Text(text) => f.write_str(text),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Boolean(boolean) => write!(f, "{boolean}"),
        }
    }
}

fn one_of(operator: &str, values: &[Json]) -> Result<Condition, DocumentError> {
    let read = |value: &Json| match value {
        Json::Null => Ok(None),
        Json::Object(_) | Json::Array(_) => Err(DocumentError::Refused(format!(
            "Operation {} was not expecting a list containing a {} node type.",
            operator[1..].to_uppercase(),
            if value.is_array() { "ARRAY" } else { "OBJECT" },
        ))),
        scalar => Ok(Scalar::read(scalar)),
    };
    let values: Vec<Option<Scalar>> = values.iter().map(read).collect::<Result<_, _>>()?;
    if values.is_empty() {
        return Err(DocumentError::Refused(format!(
            "Operation {operator} was expecting a non-empty list"
        )));
    }
    Ok(Condition::OneOf {
        values,
        negated: operator == "$nin",
    })
}

impl Operator {
    fn name(self) -> &'static str {
        match self {
            Operator::Eq => "EQ",
            Operator::Ne => "NE",
            Operator::Lt => "LT",
            Operator::Lte => "LTE",
            Operator::Gt => "GT",
            Operator::Gte => "GTE",
        }
    }

    fn negated(self) -> Operator {
        match self {
            Operator::Eq => Operator::Ne,
            Operator::Ne => Operator::Eq,
            Operator::Lt => Operator::Gte,
            Operator::Gte => Operator::Lt,
            Operator::Gt => Operator::Lte,
            Operator::Lte => Operator::Gt,
        }
    }

    /// Returns true if the operator allows this ordering of field and value.
    fn allows(self, ordering: Ordering) -> bool {
        match self {
            Operator::Eq => ordering.is_eq(),
            Operator::Ne => ordering.is_ne(),
            Operator::Lt => ordering.is_lt(),
            Operator::Lte => ordering.is_le(),
            Operator::Gt => ordering.is_gt(),
            Operator::Gte => ordering.is_ge(),
        }
    }
}

impl Scalar {
    fn read(json: &Json) -> Option<Scalar> {
        match json {
            Json::String(text) => Some(Scalar::Text(text.clone())),
            Json::Number(number) => Some(Scalar::Number(double(number))),
            Json::Bool(boolean) => Some(Scalar::Boolean(*boolean)),
            _ => None,
        }
    }

    /// Compares a field of the same type. Texts are compared by UTF-16 code units, as in Java.
    fn compare(&self, found: &Value) -> Option<Ordering> {
        match (found, self) {
            (Value::Text(found), Scalar::Text(text)) => {
                Some(found.encode_utf16().cmp(text.encode_utf16()))
            }
            (Value::Number(found), Scalar::Number(number)) => Some(found.total_cmp(number)),
            (Value::Boolean(found), Scalar::Boolean(boolean)) => Some(found.cmp(boolean)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(operator: &str, value: Json, found: Value) -> bool {
        Condition::read(operator, &value).unwrap().holds(&found)
    }

    #[test]
    fn types_never_mix() {
        assert!(holds("$eq", json!(30.0), Value::Number(30.0)));
        assert!(!holds("$eq", json!("30"), Value::Number(30.0)));
        assert!(!holds("$lt", json!("a"), Value::Number(1.0)));
        assert!(holds("$ne", json!(30), Value::Text("30".into())));
        assert!(holds("$ne", json!(30), Value::Null));
        assert!(holds("$in", json!([25, "30"]), Value::Text("30".into())));
        assert!(!holds("$in", json!([25]), Value::Null));
        assert!(holds("$in", json!([null]), Value::Null));
        assert!(holds("$nin", json!([25]), Value::Null));
        assert!(holds("$gte", json!(true), Value::Boolean(true)));
        assert!(holds("$gt", json!("D"), Value::Text("eve".into())));
        assert!(holds("$exists", json!(true), Value::Null));
    }

    #[test]
    fn negation_is_the_opposite() {
        let values = [Value::Number(1.0), Value::Number(2.0), Value::Number(3.0)];
        for operator in ["$eq", "$ne", "$lt", "$lte", "$gt", "$gte"] {
            let condition = Condition::read(operator, &json!(2)).unwrap();
            for value in &values {
                assert_ne!(condition.holds(value), condition.negated().holds(value));
            }
        }
    }

    #[test]
    fn bad_values_are_refused_in_words() {
        for (operator, value, wanted) in [
            (
                "$eq",
                json!(null),
                "Operation '$eq' does not support the provided value null.",
            ),
            (
                "$in",
                json!(5),
                "Operation '$in' does not support the provided value 5.",
            ),
            (
                "$in",
                json!([]),
                "Operation $in was expecting a non-empty list",
            ),
            (
                "$nin",
                json!([{}]),
                "Operation NIN was not expecting a list containing a OBJECT node type.",
            ),
            (
                "$exists",
                json!("yes"),
                "Operation '$exists' does not support the provided value \"yes\".",
            ),
            ("$foo", json!(1), "Operation '$foo' is not supported."),
        ] {
            let refused = Condition::read(operator, &value).unwrap_err();
            assert_eq!(refused.to_string(), wanted);
        }
    }
}
