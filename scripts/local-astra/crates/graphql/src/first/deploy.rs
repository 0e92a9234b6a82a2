//! Deployment of a schema: it is checked and mapped, Cassandra is changed, and the schema is stored as the new version.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::migration::change::Change;
use super::migration::{self, Misfit, Strategy};
use super::model::{self, Model};
use super::problems::{Error, Log, Problems};
use super::runtime;
use super::sdl::{SchemaErrors, Sdl};
use super::sources::{LockError, Sources};
use access::TokenSession;
use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use store::{Keyspace, StoreError};

/// A schema that is ready for requests.
pub struct Prepared {
    pub schema: Valid<Schema>,
    pub model: Model,
    pub logs: Vec<Log>,
}

/// The origin of a schema, which determines the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user is about to deploy it.
    Provided,
    /// It was deployed before.
    Stored,
}

/// The reason a schema cannot be deployed or no longer works.
#[derive(Clone, Debug)]
pub enum Refusal {
    Schema(SchemaErrors),
    Mapping(Vec<Error>),
    /// Inconsistencies, such as missing types and directives.
    Types(String),
    Migration(Strategy, Misfit),
}

impl Refusal {
    /// Returns the message, and the contents of `extensions`.
    pub fn parts(&self, origin: Origin) -> (String, Map<String, Value>) {
        let whose = match origin {
            Origin::Provided => "that you provided",
            Origin::Stored => "stored for this keyspace",
        };
        let with = |message: String, name: &str, details: Vec<Value>| {
            let message = format!("{message} See details in `extensions.{name}` below.");
            let details = Map::from_iter([(name.to_owned(), Value::Array(details))]);
            (message, details)
        };
        match self {
            Refusal::Schema(errors) => {
                let message = format!("The schema {whose} is not valid GraphQL.");
                with(message, "schemaErrors", errors.clone())
            }
            Refusal::Mapping(errors) => {
                let message = format!("The GraphQL schema {whose} contains CQL mapping errors.");
                let errors = errors.iter().map(Error::to_json).collect();
                with(message, "mappingErrors", errors)
            }
            Refusal::Types(message) => (message.clone(), Map::new()),
            Refusal::Migration(_, Misfit::Cycle) => {
                let message = "failed to perform topological sort, graph has a cycle";
                (message.to_owned(), Map::new())
            }
            Refusal::Migration(strategy, Misfit::Differences(differences)) => {
                let message = match origin {
                    Origin::Provided => format!(
                        "The GraphQL schema {whose} can't be mapped to the current CQL data model. Consider using a \
                         different migration strategy (current: {}).",
                        strategy.name()
                    ),
                    Origin::Stored => format!(
                        "The GraphQL schema {whose} doesn't match the CQL data model anymore. It looks like the \
                         database was altered manually."
                    ),
                };
                let differences = differences.iter().cloned().map(Value::String);
                with(message, "migrationErrors", differences.collect())
            }
        }
    }
}

/// Parses, maps and checks a schema.
///
/// # Errors
/// [`Refusal`] with all problems.
pub fn prepare(text: &str) -> Result<Prepared, Refusal> {
    let sdl = Sdl::parse(text).map_err(Refusal::Schema)?;
    let mut problems = Problems::new(&sdl.document.sources);
    let model = model::build(&sdl, &mut problems);
    if !problems.errors.is_empty() {
        return Err(Refusal::Mapping(problems.errors));
    }
    let schema = runtime::build(&sdl, &model).map_err(Refusal::Types)?;
    Ok(Prepared {
        schema,
        model,
        logs: problems.logs,
    })
}

/// A requested deployment.
pub struct Request {
    pub keyspace: Arc<Keyspace>,
    pub schema: String,
    pub expected_version: Option<Uuid>,
    pub strategy: Strategy,
    pub force: bool,
    pub dry_run: bool,
}

/// Result of a deployment.
#[derive(Debug)]
pub struct Deployment {
    /// `None` for a dry run.
    pub version: Option<Uuid>,
    pub changes: Vec<String>,
    pub logs: Vec<Log>,
}

/// The reason a deployment failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeployError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{}", .0.parts(Origin::Provided).0)]
    Refused(Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deploys a schema, or with `dry_run` reports the changes. If a statement fails midway, the deployment remains marked
/// as in progress, as in a real Stargate, and the next one has to be forced.
///
/// # Errors
/// [`DeployError`]; after `Refused` nothing has changed.
pub async fn deploy(
    sources: &Sources,
    session: &TokenSession,
    request: &Request,
) -> Result<Deployment, DeployError> {
    let keyspace = &request.keyspace.name;
    if !request.dry_run {
        let lock = sources.lock(keyspace, request.expected_version, request.force);
        lock.await?;
    }
    let planned = prepare(&request.schema).and_then(|prepared| {
        let changes = migration::plan(&prepared.model, request.strategy, &request.keyspace);
        match changes {
            Ok(changes) => Ok((prepared, changes)),
            Err(misfit) => Err(Refusal::Migration(request.strategy, misfit)),
        }
    });
    let (prepared, changes) = match planned {
        Ok(planned) => planned,
        Err(refusal) => {
            if !request.dry_run {
                sources.abort(keyspace).await?;
            }
            return Err(DeployError::Refused(refusal));
        }
    };
    let version = if request.dry_run {
        None
    } else {
        for change in &changes {
            session.change_schema(&change.cql(keyspace)).await?;
        }
        Some(sources.insert(keyspace, &request.schema).await?)
    };
    let mut descriptions: Vec<String> = changes.iter().map(Change::description).collect();
    if descriptions.is_empty() {
        descriptions.push("No changes, the CQL schema is up to date".to_owned());
    }
    Ok(Deployment {
        version,
        changes: descriptions,
        logs: prepared.logs,
    })
}
