//! `/api/graphql-admin`: deployment, undeployment, and queries for deployed schemas.

use std::sync::{Arc, LazyLock};

use apollo_compiler::Schema;
use apollo_compiler::parser::LineColumn;
use apollo_compiler::resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo};
use apollo_compiler::validation::Valid;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use uuid::Uuid;

use super::deploy::{self, DeployError, Deployment, Origin};
use super::deployed::Registry;
use super::migration::Strategy;
use super::problems::Log;
use super::sources::{LockError, ReadError, Source};
use crate::engine::Extras;
use crate::object::resolved;
use crate::run::{Arguments, arguments};
use access::{Interface, TokenSession};
use scylla::value::CqlTimestamp;
use store::types::quote;
use store::values::time::timestamp_text;
use store::{Code, Keyspace, StoreError};

/// Returns the schema of this address.
///
/// # Errors
/// The problems of the schema. A test shows that there are none.
pub fn schema() -> Result<&'static Valid<Schema>, String> {
    static SCHEMA: LazyLock<Result<Valid<Schema>, String>> = LazyLock::new(|| {
        let text = include_str!("admin.graphql");
        Schema::parse_and_validate(text, "admin.graphql").map_err(|error| error.errors.to_string())
    });
    SCHEMA.as_ref().map_err(Clone::clone)
}

/// Failure of a field.
#[derive(Clone, Debug, thiserror::Error)]
enum AdminError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Deploy(#[from] DeployError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("Keyspace '{0}' does not exist.")]
    NoKeyspace(String),
    /// Stargate's own message, in which the name is missing.
    #[error("Keyspace '%s' does not exist.")]
    NoKeyspaceToChange,
    #[error("Invalid '{0}' value.")]
    BadVersion(&'static str),
    #[error(
        "Local Astra does not serve multipart requests: use deploySchema with the text of the schema"
    )]
    NoFiles,
}

/// The object at the root of both operations.
#[derive(Clone)]
pub struct Root {
    registry: Arc<Registry>,
    /// An error if the token is invalid, which fails each field, not the request.
    session: Result<Arc<TokenSession>, StoreError>,
    type_name: &'static str,
    extras: Arc<Extras>,
}

impl Root {
    /// Creates the root of one request, a mutation or a query.
    pub fn new(
        registry: Arc<Registry>,
        session: Result<Arc<TokenSession>, StoreError>,
        is_mutation: bool,
    ) -> Root {
        Root {
            registry,
            session,
            type_name: if is_mutation { "Mutation" } else { "Query" },
            extras: Arc::default(),
        }
    }

    pub fn extras(&self) -> &Extras {
        &self.extras
    }

    async fn field(&self, name: &str, arguments: &Arguments) -> Result<FieldValue, AdminError> {
        let session = self.session.clone()?;
        let keyspace = text(arguments, "keyspace").unwrap_or_default();
        session.require_in(Interface::Graphql, &keyspace).await?;
        let found = visible(&session, &keyspace).await?;
        match name {
            "schema" => {
                let keyspace = found.ok_or(AdminError::NoKeyspace(keyspace))?;
                self.schema(&keyspace.name, arguments).await
            }
            "schemas" => {
                let keyspace = found.ok_or(AdminError::NoKeyspace(keyspace))?;
                let all = self.registry.sources.all(&keyspace.name).await?;
                let all = all.iter().map(|source| described(&keyspace.name, source));
                Ok(FieldValue::Json(Value::Array(all.collect())))
            }
            "deploySchema" => {
                let keyspace = found.ok_or(AdminError::NoKeyspaceToChange)?;
                may_change(&self.registry, &session, &keyspace.name).await?;
                self.deploy(session, keyspace, arguments).await
            }
            "undeploySchema" => {
                let keyspace = found.ok_or(AdminError::NoKeyspaceToChange)?;
                may_change(&self.registry, &session, &keyspace.name).await?;
                let expected = version(arguments, "expectedVersion")?
                    .ok_or(AdminError::BadVersion("expectedVersion"))?;
                let sources = &self.registry.sources;
                let force = flag(arguments, "force");
                sources.undeploy(&keyspace.name, expected, force).await?;
                Ok(FieldValue::Json(Value::Bool(true)))
            }
            "deploySchemaFile" => Err(AdminError::NoFiles),
            _ => Ok(FieldValue::Json(Value::Null)),
        }
    }

    async fn schema(
        &self,
        keyspace: &str,
        arguments: &Arguments,
    ) -> Result<FieldValue, AdminError> {
        let sources = &self.registry.sources;
        let source = match version(arguments, "version")? {
            Some(version) => sources.version(keyspace, version).await?,
            None => sources.all(keyspace).await?.into_iter().next(),
        };
        let source = source.map_or(Value::Null, |source| described(keyspace, &source));
        Ok(FieldValue::Json(source))
    }

    async fn deploy(
        &self,
        session: Arc<TokenSession>,
        keyspace: Arc<Keyspace>,
        arguments: &Arguments,
    ) -> Result<FieldValue, AdminError> {
        let strategy = text(arguments, "migrationStrategy").and_then(|name| Strategy::read(&name));
        let request = deploy::Request {
            keyspace,
            schema: text(arguments, "schema").unwrap_or_default(),
            expected_version: version(arguments, "expectedVersion")?,
            strategy: strategy.unwrap_or(Strategy::AddMissingTablesAndColumns),
            force: flag(arguments, "force"),
            dry_run: flag(arguments, "dryRun"),
        };
        let deployed = deploy::deploy(&self.registry.sources, &session, &request);
        Ok(FieldValue::Deployment(deployed.await?))
    }
}

enum FieldValue {
    Json(Value),
    Deployment(Deployment),
}

impl AsyncObjectValue for Root {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        Box::pin(async move {
            match self.field(info.field_name(), &arguments(info)).await {
                Ok(FieldValue::Json(value)) => Ok(resolved(value, info).await),
                Ok(FieldValue::Deployment(deployment)) => {
                    let root = self.clone();
                    Ok(AsyncResolvedValue::object(Deployed { deployment, root }))
                }
                Err(error) => {
                    if let AdminError::Deploy(DeployError::Refused(refusal)) = &error {
                        self.extras.detail(info, refusal.parts(Origin::Provided).1);
                    }
                    Err(FieldError {
                        message: error.to_string(),
                    })
                }
            }
        })
    }
}

/// A `DeploySchemaResponse`.
struct Deployed {
    deployment: Deployment,
    root: Root,
}

impl AsyncObjectValue for Deployed {
    fn type_name(&self) -> &str {
        "DeploySchemaResponse"
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        let deployment = &self.deployment;
        let value = match info.field_name() {
            "version" => json!(deployment.version.map(|version| version.to_string())),
            "cqlChanges" => json!(deployment.changes),
            "logs" => {
                let category = text(&arguments(info), "category");
                let wanted = |log: &&Log| {
                    let category = category.as_deref();
                    category.is_none_or(|category| category == log.category.name())
                };
                let logs = deployment.logs.iter().filter(wanted).map(log);
                Value::Array(logs.collect())
            }
            "query" => {
                let root = Root {
                    type_name: "Query",
                    ..self.root.clone()
                };
                return Box::pin(async move { Ok(AsyncResolvedValue::object(root)) });
            }
            _ => Value::Null,
        };
        Box::pin(async move { Ok(resolved(value, info).await) })
    }
}

fn log(log: &Log) -> Value {
    let place = |at: LineColumn| json!({"line": at.line, "column": at.column});
    let locations: Vec<Value> = log.location.into_iter().map(place).collect();
    json!({"message": log.message, "category": log.category.name(), "locations": locations})
}

/// Returns a version of a schema as `Schema`.
fn described(keyspace: &str, source: &Source) -> Value {
    let time = source.version.get_timestamp().map(|time| time.to_unix());
    let date = time.map(|(seconds, nanos)| {
        let seconds = i64::try_from(seconds).unwrap_or_default();
        let millis = seconds * 1000 + i64::from(nanos / 1_000_000);
        format!("{}[Etc/UTC]", timestamp_text(CqlTimestamp(millis)))
    });
    json!({
        "keyspace": keyspace,
        "version": source.version.to_string(),
        "deployDate": date,
        "contents": source.contents,
        "contentsUri": format!(
            "../graphql-files/keyspace/{keyspace}.graphql?version={}", source.version
        ),
    })
}

/// Returns the keyspace if it exists and is visible to the role.
async fn visible(
    session: &TokenSession,
    keyspace: &str,
) -> Result<Option<Arc<Keyspace>>, StoreError> {
    let all = session.visible_keyspaces().await?;
    Ok(all.into_iter().find(|found| found.name == keyspace))
}

/// Checks that the role can alter tables here. The superuser stores the schemas, so Cassandra would not check it.
async fn may_change(
    registry: &Registry,
    session: &TokenSession,
    keyspace: &str,
) -> Result<(), StoreError> {
    if session.is_superuser()
        || access::may_alter_tables(registry.logins.admin(), session.role(), keyspace).await?
    {
        return Ok(());
    }
    let message = format!(
        "User {} has no ALTER permission on tables in keyspace {}",
        session.role(),
        quote(keyspace)
    );
    Err(StoreError::new(Code::PermissionDenied, message))
}

fn text(arguments: &Arguments, name: &str) -> Option<String> {
    arguments.get(name)?.as_str().map(str::to_owned)
}

fn flag(arguments: &Arguments, name: &str) -> bool {
    arguments
        .get(name)
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

fn version(arguments: &Arguments, name: &'static str) -> Result<Option<Uuid>, AdminError> {
    let Some(text) = text(arguments, name) else {
        return Ok(None);
    };
    let version = Uuid::parse_str(&text).map_err(|_| AdminError::BadVersion(name))?;
    Ok(Some(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_valid() {
        let schema = schema().unwrap();
        assert!(schema.get_object("DeploySchemaResponse").is_some());
    }

    #[test]
    fn a_version_tells_when_it_was_deployed() {
        let source = Source {
            version: Uuid::parse_str("2538db20-e7c6-11f1-8f6a-2fbb27b8cfaa").unwrap(),
            contents: "type".to_owned(),
        };
        let described = described("ks", &source);
        // Recorded.
        assert_eq!(described["deployDate"], "2026-11-24T05:16:03.922Z[Etc/UTC]");
    }
}
