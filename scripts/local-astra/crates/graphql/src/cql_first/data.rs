//! `/api/graphql/{keyspace}` without a deployed schema: execution of a request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apollo_compiler::resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::mutation::{self, Job};
use super::query;
use super::schemas::GeneratedSchema;
use super::sdl::{Role, RootField};
use crate::engine::{Extras, Prepared, Rejection};
use crate::object::resolved;
use crate::run::{Arguments, RunError, arguments, failed, query_failed};
use crate::statement::{self, ABORTED, Outcome};
use access::TokenSession;
use store::Table;

/// Stargate's own spelling.
const OPTIONS_TWICE: &str = "options can only de defined once in an @atomic mutation selection";

/// Limit for a statement or batch that runs without a waiting client. Its failure is not reported, as the client
/// requested.
const UNATTENDED: Duration = Duration::from_secs(60);

/// Executes a request against the tables of a keyspace.
///
/// # Errors
/// When a query finds the store overloaded.
pub async fn execute(
    generated: &Arc<GeneratedSchema>,
    session: &Arc<TokenSession>,
    prepared: &Prepared<'_>,
) -> Result<Value, Rejection> {
    let operation = prepared.operation();
    let mut root = Root {
        generated: Arc::clone(generated),
        session: Arc::clone(session),
        type_name: operation.object_type().to_string(),
        is_mutation: operation.is_mutation(),
        variables: prepared.variables(),
        mode: Mode::Plain,
        extras: Extras::default(),
    };
    let is_async = operation.directives.has("async");
    if root.is_mutation && operation.directives.has("atomic") {
        // Once to collect the statements of all fields, then, with what became of the batch, to answer.
        root.mode = Mode::Collecting(Mutex::default());
        prepared.execute(&root, &root.extras).await;
        root.mode = root.run_batch(is_async).await;
    } else if root.is_mutation && is_async {
        root.mode = Mode::Async;
    }
    let response = prepared.execute(&root, &root.extras).await;
    root.extras.response(response)
}

/// The statements of a field in an atomic mutation.
struct Collected {
    jobs: Result<Vec<Job>, RunError>,
    options: Value,
}

/// Outcomes of the statements by field.
type Done = BTreeMap<String, Result<(Vec<Job>, Outcome), RunError>>;

enum Mode {
    Plain,
    /// Statements are sent without waiting for their outcome.
    Async,
    Collecting(Mutex<BTreeMap<String, Collected>>),
    Answering(Done),
    /// The batch is sent, or fails, without waiting for its outcome.
    Accepted(BTreeMap<String, Collected>),
}

struct Root {
    generated: Arc<GeneratedSchema>,
    session: Arc<TokenSession>,
    type_name: String,
    is_mutation: bool,
    variables: Arguments,
    mode: Mode,
    extras: Extras,
}

impl Root {
    /// Runs all collected statements as one batch. A single one runs without a batch, as it would without `@atomic`.
    async fn run_batch(&mut self, is_async: bool) -> Mode {
        let Mode::Collecting(collected) = std::mem::replace(&mut self.mode, Mode::Plain) else {
            return Mode::Plain;
        };
        let collected = collected
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let failed = collected.values().any(|field| field.jobs.is_err());
        let fields = collected.values();
        let jobs: Vec<&Job> = fields
            .filter_map(|f| f.jobs.as_ref().ok())
            .flatten()
            .collect();
        let alone = if is_async { Mode::Async } else { Mode::Plain };
        if jobs.len() < 2 && (collected.len() < 2 || !failed) {
            return alone;
        }
        let mut given = collected.values().map(|field| &field.options);
        let first = given.find(|options| !options.is_null());
        let differ = given.any(|options| !options.is_null() && Some(options) != first);
        let outcome = if failed {
            Err(RunError::Invalid(ABORTED.to_owned()))
        } else if differ {
            Err(RunError::Invalid(OPTIONS_TWICE.to_owned()))
        } else {
            // The options of the one field that gives them hold for all.
            let given = collected.values().find(|field| !field.options.is_null());
            let given = given.and_then(|field| field.jobs.as_ref().ok()?.first());
            let options = given.or(jobs.first().copied()).map(|job| job.options);
            let options = options.unwrap_or_default();
            let statements = jobs.iter().map(|job| job.statement.clone()).collect();
            let session = Arc::clone(&self.session);
            let batch = async move { statement::run_batch(statements, options, &session).await };
            if is_async {
                tokio::spawn(timeout(UNATTENDED, batch));
                return Mode::Accepted(collected);
            }
            batch.await
        };
        if is_async {
            return Mode::Accepted(collected);
        }
        let done = collected.into_iter().map(|(name, field)| {
            let outcome = outcome.clone();
            let done = field.jobs.and_then(|jobs| Ok((jobs, outcome?)));
            (name, done)
        });
        Mode::Answering(done.collect())
    }

    async fn mutate<'a>(
        &'a self,
        field: &'a RootField,
        info: &'a ResolveInfo<'a>,
    ) -> Result<AsyncResolvedValue<'a>, RunError> {
        let RootField { role, table } = field;
        let given = arguments(info);
        let name = info.field_selections().first();
        let name = name.map_or("", |field| field.response_key().as_str());
        let values: Vec<Value> = match &self.mode {
            Mode::Collecting(collected) => {
                let collecting = Collected {
                    jobs: mutation::jobs(*role, table, &given),
                    options: given.get("options").cloned().unwrap_or(Value::Null),
                };
                let mut collected = collected.lock().unwrap_or_else(PoisonError::into_inner);
                collected.insert(name.to_owned(), collecting);
                return Ok(AsyncResolvedValue::SkipForPartialExecution);
            }
            Mode::Answering(done) => {
                let done = done.get(name).cloned();
                let aborted = || Err(RunError::Invalid(ABORTED.to_owned()));
                let (jobs, outcome) = done.unwrap_or_else(aborted)?;
                let jobs = jobs.iter();
                jobs.map(|job| mutation::field_value(table, job, &outcome, true))
                    .collect()
            }
            Mode::Accepted(sent) => accepted(table, &given, sent.get(name))?,
            Mode::Async => {
                let jobs = mutation::jobs(*role, table, &given)?;
                let values = jobs.iter().map(Job::accepted).collect();
                let session = Arc::clone(&self.session);
                tokio::spawn(async move {
                    for job in jobs {
                        let run = statement::run(job.statement, job.options, &session);
                        let _ = timeout(UNATTENDED, run).await;
                    }
                });
                values
            }
            Mode::Plain => {
                let jobs = mutation::jobs(*role, table, &given)?;
                let mut values = Vec::with_capacity(jobs.len());
                // A statement that fails keeps none of the others from being run.
                for job in &jobs {
                    let run = statement::run(job.statement.clone(), job.options, &self.session);
                    let ran = run.await;
                    values.push(
                        ran.map(|outcome| mutation::field_value(table, job, &outcome, false)),
                    );
                }
                values.into_iter().collect::<Result<_, _>>()?
            }
        };
        let value = match role {
            Role::BulkInsert => Value::Array(values),
            _ => values.into_iter().next().unwrap_or(Value::Null),
        };
        Ok(resolved(value, info).await)
    }
}

/// Returns the responses of a field of a batch without waiting. Rows without a valid statement are accepted, too.
fn accepted(
    table: &Table,
    given: &Arguments,
    field: Option<&Collected>,
) -> Result<Vec<Value>, RunError> {
    let error = match field.map(|field| &field.jobs) {
        Some(Ok(jobs)) => return Ok(jobs.iter().map(Job::accepted).collect()),
        Some(Err(error)) => error.clone(),
        None => RunError::Invalid(ABORTED.to_owned()),
    };
    let row = given.get("value").map(std::slice::from_ref);
    let rows = given.get("values").and_then(Value::as_array);
    let rows = row.or(rows.map(Vec::as_slice)).ok_or(error)?.iter();
    let values = rows.map(|row| mutation::accepted(mutation::unread(table, row)));
    Ok(values.collect())
}

impl AsyncObjectValue for Root {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        Box::pin(async move {
            let name = info.field_name();
            if self.is_mutation {
                return match self.generated.mutations.get(name) {
                    Some(field) => self
                        .mutate(field, info)
                        .await
                        .map_err(|error| failed(&error)),
                    None => Ok(AsyncResolvedValue::leaf(name == "keyspaceEmptyMutation")),
                };
            }
            match self.generated.queries.get(name) {
                Some(field) => {
                    let value =
                        query::run(&field.table, info, &self.variables, &self.session).await;
                    let value = value.map_err(|error| query_failed(&error, &self.extras))?;
                    Ok(resolved(value, info).await)
                }
                None => Ok(resolved(json!(self.generated.warnings), info).await),
            }
        })
    }
}
