//! `/api/graphql-schema`: reading and changing keyspaces, tables, types and indexes.
//!
//! - [`describe`]: existing objects; [`statements`]: changes as CQL; [`data_type`]: types in the format of this API
//!
//! A change runs as the token's role, so Cassandra checks the permission.

mod data_type;
mod describe;
mod statements;

use std::sync::{Arc, LazyLock};

use apollo_compiler::Schema;
use apollo_compiler::resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo};
use apollo_compiler::validation::Valid;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::object::resolved;
use crate::run::{Arguments, RunError, arguments};
use access::{Interface, TokenSession};
use store::{Keyspace, StoreError};

/// Returns the schema of this address.
///
/// # Errors
/// The problems of the schema. A test shows that there are none.
pub fn schema() -> Result<&'static Valid<Schema>, String> {
    static SCHEMA: LazyLock<Result<Valid<Schema>, String>> = LazyLock::new(|| {
        let text = include_str!("schema.graphql");
        Schema::parse_and_validate(text, "schema.graphql").map_err(|error| error.errors.to_string())
    });
    SCHEMA.as_ref().map_err(Clone::clone)
}

/// The object at the root of both operations.
pub struct Root {
    /// An error if the token is invalid, which fails each field, not the request.
    session: Result<Arc<TokenSession>, StoreError>,
    is_mutation: bool,
}

impl Root {
    /// Creates the root of one request, a mutation or a query.
    pub fn new(session: Result<Arc<TokenSession>, StoreError>, is_mutation: bool) -> Root {
        Root {
            session,
            is_mutation,
        }
    }

    async fn change(&self, name: &str, given: &Arguments) -> Result<(), RunError> {
        let session = self.session.clone()?;
        let keyspace = given.get("keyspaceName").or(given.get("name"));
        let keyspace = keyspace.and_then(Value::as_str).unwrap_or_default();
        session.require_in(Interface::Graphql, keyspace).await?;
        session
            .change_schema(&statements::cql(name, given)?)
            .await?;
        Ok(())
    }

    async fn keyspaces(&self) -> Result<Vec<Arc<Keyspace>>, StoreError> {
        let session = self.session.clone()?;
        session.require(Interface::Graphql)?;
        session.visible_keyspaces().await
    }
}

impl AsyncObjectValue for Root {
    fn type_name(&self) -> &str {
        if self.is_mutation {
            "Mutation"
        } else {
            "Query"
        }
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        Box::pin(async move {
            let given = arguments(info);
            if self.is_mutation {
                let changed = self.change(info.field_name(), &given).await;
                changed.map_err(|error| failed(&error))?;
                return Ok(AsyncResolvedValue::leaf(true));
            }
            let all = self.keyspaces().await.map_err(|error| failed(&error))?;
            let all = all.into_iter().map(KeyspaceObject);
            if info.field_name() == "keyspaces" {
                return Ok(AsyncResolvedValue::list(
                    all.map(AsyncResolvedValue::object),
                ));
            }
            let mut all = all.filter(|keyspace| given["name"] == json!(keyspace.0.name));
            Ok(AsyncResolvedValue::nullable_object(all.next()))
        })
    }
}

fn failed(error: &dyn std::fmt::Display) -> FieldError {
    FieldError {
        message: error.to_string(),
    }
}

/// A `Keyspace`, of which only the requested fields are computed.
struct KeyspaceObject(Arc<Keyspace>);

impl AsyncObjectValue for KeyspaceObject {
    fn type_name(&self) -> &str {
        "Keyspace"
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        let keyspace = &self.0;
        let given = arguments(info);
        let name = given
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let tables = || keyspace.tables.values().filter(|table| !table.is_view);
        let value = match info.field_name() {
            "name" => json!(keyspace.name),
            "dcs" => describe::data_centers(keyspace),
            "tables" => tables().map(|table| describe::table(table)).collect(),
            "table" => {
                let mut found = tables().filter(|table| table.name == name);
                found
                    .next()
                    .map_or(Value::Null, |table| describe::table(table))
            }
            "types" => keyspace
                .types
                .values()
                .map(|typ| describe::user_type(typ))
                .collect(),
            "type" => {
                let found = keyspace.types.get(name);
                found.map_or(Value::Null, |typ| describe::user_type(typ))
            }
            _ => Value::Null,
        };
        Box::pin(async move { Ok(resolved(value, info).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_valid() {
        assert!(schema().unwrap().get_object("Keyspace").is_some());
    }
}
