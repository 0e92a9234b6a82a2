//! Conversion of values of a deployed schema from GraphQL to CQL and back. Scalars are converted as in all GraphQL
//! APIs, objects according to the mapping of their type.

use scylla::value::CqlValue;
use serde_json::{Map, Value};

use crate::first::model::Entities;
use crate::first::model::field::Field;
use crate::run::RunError;
use crate::scalars;
use crate::variables::list;
use apollo_compiler::ast::Type;
use store::types::TypeName;

/// Converts the values of one keyspace.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    pub entities: &'a Entities,
    pub keyspace: &'a str,
}

impl Values<'_> {
    /// Converts a value for a column of this type; null remains null.
    ///
    /// # Errors
    /// The value does not fit.
    pub fn to_cql(self, value: &Value, typ: &TypeName) -> Result<Option<CqlValue>, RunError> {
        if value.is_null() {
            return Ok(None);
        }
        Ok(Some(match typ.thawed() {
            TypeName::Native(native) => scalars::read(value, native).map_err(RunError::Invalid)?,
            TypeName::List(item) => CqlValue::List(self.items(value, item)?),
            TypeName::Set(item) => CqlValue::Set(self.items(value, item)?),
            TypeName::UserDefined(name) => self.user_type(value, name)?,
            other => {
                let message = format!(
                    "Unsupported CQL type {}, this mapping should have failed at deployment time",
                    other.to_cql()
                );
                return Err(RunError::Invalid(message));
            }
        }))
    }

    fn items(self, value: &Value, item: &TypeName) -> Result<Vec<CqlValue>, RunError> {
        let items = list(value).iter().map(|value| {
            let item = self.to_cql(value, item)?;
            item.ok_or_else(|| {
                RunError::Invalid("null is not supported inside collections".to_owned())
            })
        });
        items.collect()
    }

    fn user_type(self, value: &Value, name: &str) -> Result<CqlValue, RunError> {
        let entity = self.entities.get(name).ok_or_else(|| {
            RunError::Invalid(format!("UDT '{name}' is not mapped to a GraphQL type"))
        })?;
        let mut fields = Vec::with_capacity(entity.fields.len());
        for field in &entity.fields {
            if let Some(given) = value.get(&field.name) {
                let given = self.to_cql(given, &field.cql_type)?;
                fields.push((field.cql_name.clone(), given));
            }
        }
        Ok(CqlValue::UserDefinedType {
            keyspace: self.keyspace.to_owned(),
            name: entity.cql_name.clone(),
            fields,
        })
    }

    /// Converts the value of a field from Cassandra.
    pub fn to_json(self, value: Option<&CqlValue>, field: &Field) -> Value {
        self.written(value, &field.cql_type, &field.typ)
    }

    fn written(self, value: Option<&CqlValue>, typ: &TypeName, graphql: &Type) -> Value {
        let Some(value) = value else {
            return Value::Null;
        };
        match (typ.thawed(), value) {
            (
                TypeName::List(item) | TypeName::Set(item),
                CqlValue::List(values) | CqlValue::Set(values),
            ) => {
                let items = values.iter();
                let item_type = graphql.item_type();
                Value::Array(
                    items
                        .map(|value| self.written(Some(value), item, item_type))
                        .collect(),
                )
            }
            (TypeName::UserDefined(name), CqlValue::UserDefinedType { fields, .. }) => {
                let Some(entity) = self.entities.get(name) else {
                    return Value::Null;
                };
                let members = entity.fields.iter().map(|field| {
                    let value = fields.iter().find(|(name, _)| *name == field.cql_name);
                    let value = value.and_then(|(_, value)| value.as_ref());
                    (field.name.clone(), self.to_json(value, field))
                });
                Value::Object(members.collect())
            }
            (TypeName::Native(native), value) => fitting(scalars::write(value, native), graphql),
            _ => Value::Null,
        }
    }

    /// Returns the sent value as in the response: every scalar as it was bound, sets in the order in which they were
    /// sent.
    pub fn echo(self, value: &Value, bound: Option<&CqlValue>, field: &Field) -> Value {
        self.echoed(value, bound, &field.cql_type, &field.typ)
    }

    fn echoed(
        self,
        value: &Value,
        bound: Option<&CqlValue>,
        typ: &TypeName,
        graphql: &Type,
    ) -> Value {
        match (typ.thawed(), bound) {
            (_, None) => Value::Null,
            (
                TypeName::List(item) | TypeName::Set(item),
                Some(CqlValue::List(bound) | CqlValue::Set(bound)),
            ) => {
                let item_type = graphql.item_type();
                let items = list(value).iter().zip(bound);
                let items =
                    items.map(|(value, bound)| self.echoed(value, Some(bound), item, item_type));
                Value::Array(items.collect())
            }
            (TypeName::UserDefined(name), Some(CqlValue::UserDefinedType { fields, .. })) => {
                let Some(entity) = self.entities.get(name) else {
                    return Value::Null;
                };
                let mut members = Map::new();
                for field in &entity.fields {
                    if let Some(given) = value.get(&field.name) {
                        let bound = fields.iter().find(|(name, _)| *name == field.cql_name);
                        let bound = bound.and_then(|(_, bound)| bound.as_ref());
                        members.insert(field.name.clone(), self.echo(given, bound, field));
                    }
                }
                Value::Object(members)
            }
            // An ID is text on its way in and out.
            (TypeName::Native(_), _) if graphql.inner_named_type() == "ID" => value.clone(),
            (TypeName::Native(native), Some(bound)) => {
                fitting(scalars::write(bound, native), graphql)
            }
            _ => Value::Null,
        }
    }
}

/// Converts a scalar to the form of its GraphQL type, which can differ from that of the column due to a type hint.
fn fitting(value: Value, graphql: &Type) -> Value {
    let is_number = matches!(graphql.inner_named_type().as_str(), "Int" | "Float");
    match value {
        Value::String(text) if is_number => {
            let number: Option<serde_json::Number> = text.parse().ok();
            number.map_or(Value::String(text), Value::Number)
        }
        value => value,
    }
}
