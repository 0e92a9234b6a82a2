//! `/api/graphql/{keyspace}` with a deployed schema: its queries and mutations.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::ast::Value as AstValue;
use apollo_compiler::executable::Operation;
use apollo_compiler::resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo};
use futures::future::BoxFuture;
use serde_json::Value;

use super::deployed::Deployed;
use super::model::mutation::{Kind, Mutation};
use super::run::mutation::Job;
use super::run::values::Values;
use super::run::{mutation, query};
use crate::engine::{Extras, Prepared, Rejection};
use crate::object::resolved;
use crate::run::{RunError, arguments, failed, query_failed};
use crate::statement::{self, ABORTED, Outcome};
use access::TokenSession;

const DIFFERENT: &str =
    "all the selections in an @atomic mutation must use the same consistency levels";

/// Executes a request against a deployed schema.
///
/// # Errors
/// When a query finds the store overloaded.
pub async fn execute(
    deployed: &Arc<Deployed>,
    session: &Arc<TokenSession>,
    prepared: &Prepared<'_>,
) -> Result<Value, Rejection> {
    let operation = prepared.operation();
    let mut root = Root {
        deployed: Arc::clone(deployed),
        session: Arc::clone(session),
        type_name: operation.object_type().to_string(),
        is_mutation: operation.is_mutation(),
        atomic: Atomic::No,
        extras: Extras::default(),
    };
    if root.is_mutation && operation.directives.has("atomic") {
        // Once to collect the statements of all fields, then, with what became of the batch, to answer.
        root.atomic = Atomic::Collecting(Mutex::default());
        prepared.execute(&root, &root.extras).await;
        root.atomic = Atomic::Answering(root.run_batch(operation).await);
    }
    let response = prepared.execute(&root, &root.extras).await;
    root.extras.response(response)
}

/// The statements of a field by its response name, or the reason there are none.
type Collected = BTreeMap<String, Result<Vec<Job>, RunError>>;
/// Outcomes of the statements by field.
type Done = BTreeMap<String, Result<(Vec<Job>, Outcome), RunError>>;

enum Atomic {
    No,
    Collecting(Mutex<Collected>),
    Answering(Done),
}

struct Root {
    deployed: Arc<Deployed>,
    session: Arc<TokenSession>,
    type_name: String,
    is_mutation: bool,
    atomic: Atomic,
    extras: Extras,
}

impl Root {
    fn values(&self) -> Values<'_> {
        Values {
            entities: &self.deployed.model.entities,
            keyspace: &self.deployed.keyspace,
        }
    }

    /// Runs all collected statements as one batch; a single one without a batch.
    async fn run_batch(&mut self, operation: &Operation) -> Done {
        let collected = match std::mem::replace(&mut self.atomic, Atomic::No) {
            Atomic::Collecting(collected) => collected
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            Atomic::No | Atomic::Answering(_) => Collected::new(),
        };
        let mut fields = BTreeMap::new();
        let mut failed = BTreeMap::new();
        let mut statements = Vec::new();
        let mut options = None;
        for (name, jobs) in collected {
            match jobs {
                Err(error) => {
                    failed.insert(name, error);
                }
                Ok(jobs) => {
                    let mut all = jobs.iter().map(|job| job.options);
                    if all.any(|other| *options.get_or_insert(other) != other) {
                        failed.insert(name, RunError::Invalid(DIFFERENT.to_owned()));
                        continue;
                    }
                    statements.extend(jobs.iter().map(|job| job.statement.clone()));
                    fields.insert(name, jobs);
                }
            }
        }
        if !failed.is_empty() {
            let aborted = || Err(RunError::Invalid(ABORTED.to_owned()));
            let aborted = fields.into_keys().map(|name| (name, aborted()));
            let failed = failed.into_iter().map(|(name, error)| (name, Err(error)));
            return failed.chain(aborted).collect();
        }
        let alone = operation.selection_set.selections.len() == 1 && statements.len() == 1;
        let options = options.unwrap_or_default();
        let outcome = match statements.pop() {
            Some(single) if alone => {
                let run = statement::run(single, options, &self.session);
                run.await.map_err(RunError::from)
            }
            last => {
                statements.extend(last);
                statement::run_batch(statements, options, &self.session).await
            }
        };
        let done = fields.into_iter().map(|(name, jobs)| {
            let outcome = outcome.clone();
            (name, outcome.map(|outcome| (jobs, outcome)))
        });
        done.collect()
    }

    async fn mutate<'a>(
        &'a self,
        mutation: &'a Mutation,
        info: &'a ResolveInfo<'a>,
    ) -> Result<AsyncResolvedValue<'a>, RunError> {
        let name = info.field_selections().first();
        let name = name.map_or("", |field| field.response_key().as_str());
        match &self.atomic {
            Atomic::Collecting(collected) => {
                let jobs = mutation::jobs(mutation, &arguments(info), self.values());
                let mut collected = collected.lock().unwrap_or_else(PoisonError::into_inner);
                collected.insert(name.to_owned(), jobs);
                Ok(AsyncResolvedValue::SkipForPartialExecution)
            }
            Atomic::Answering(done) => {
                let done = done.get(name).cloned();
                let (jobs, outcome) =
                    done.unwrap_or_else(|| Err(RunError::Invalid(ABORTED.to_owned())))?;
                let outcomes = jobs.iter().map(|_| Ok(outcome.clone())).collect();
                self.resolve_jobs(mutation, jobs, outcomes, info).await
            }
            Atomic::No => {
                let jobs = mutation::jobs(mutation, &arguments(info), self.values())?;
                let mut outcomes = Vec::with_capacity(jobs.len());
                for job in &jobs {
                    let run = statement::run(job.statement.clone(), job.options, &self.session);
                    let ran = run.await;
                    outcomes.push(ran.map_err(RunError::from));
                }
                self.resolve_jobs(mutation, jobs, outcomes, info).await
            }
        }
    }

    async fn resolve_jobs<'a>(
        &'a self,
        mutation: &'a Mutation,
        jobs: Vec<Job>,
        outcomes: Vec<Result<Outcome, RunError>>,
        info: &'a ResolveInfo<'a>,
    ) -> Result<AsyncResolvedValue<'a>, RunError> {
        let values = self.values();
        let mut fields = jobs.iter().zip(outcomes).map(|(job, outcome)| {
            outcome.map(|outcome| mutation::field_value(mutation, job, &outcome, values))
        });
        let Kind::Insert {
            argument,
            is_list: true,
            ..
        } = &mutation.kind
        else {
            let value = fields.next().transpose()?.unwrap_or(Value::Null);
            if info.field_definition().ty.is_list() {
                // It is done, but what it answers is no list.
                let message = "Can't resolve value: type mismatch error, expected type LIST";
                return Err(RunError::Invalid(message.to_owned()));
            }
            return Ok(resolved(value, info).await);
        };
        // A real Stargate finds the place of an element that failed in a list literal alone.
        let field = info.field_selections().first();
        let given = field.and_then(|field| field.specified_argument_by_name(argument));
        if !given.is_some_and(|given| matches!(**given, AstValue::List(_))) {
            let all: Result<Vec<Value>, RunError> = fields.collect();
            return Ok(resolved(Value::Array(all?), info).await);
        }
        // An element that failed is null, and its error is told at the field.
        let items = fields.map(|value| {
            value.unwrap_or_else(|error| {
                self.extras.fail(info, error.to_string());
                Value::Null
            })
        });
        Ok(resolved(Value::Array(items.collect()), info).await)
    }
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
            let model = &self.deployed.model;
            if self.is_mutation {
                let Some(mutation) = model.mutations.get(info.field_name()) else {
                    return Ok(AsyncResolvedValue::null());
                };
                return self
                    .mutate(mutation, info)
                    .await
                    .map_err(|error| failed(&error));
            }
            let Some(query) = model.queries.get(info.field_name()) else {
                return Ok(AsyncResolvedValue::null());
            };
            let value = query::run(query, &arguments(info), self.values(), &self.session)
                .await
                .map_err(|error| query_failed(&error, &self.extras))?;
            Ok(resolved(value, info).await)
        })
    }
}
