//! A GraphQL request against a schema: parsed, checked and executed by apollo-compiler, answered as graphql-java does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use apollo_compiler::executable::Operation;
use apollo_compiler::parser::{Parser, SourceMap, SourceSpan};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{AsyncObjectValue, Execution, ResolveInfo};
use apollo_compiler::response::{GraphQLError, JsonMap, ResponseDataPathSegment};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema, introspection};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::{literals, variables};

/// How deep selections, lists and objects may be nested. The introspection queries of clients go to 15 or so.
const MAX_DEPTH: usize = 50;
/// More tokens than a query of people and programs has.
const MAX_TOKENS: usize = 20_000;
/// What apollo-compiler puts before the message of a field that failed.
const FAILED: &str = "resolver error: ";

/// What a client asks for.
#[derive(Debug, Default)]
pub struct Request {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
}

/// A request that fits its schema.
pub struct Prepared<'a> {
    schema: &'a Valid<Schema>,
    document: Valid<ExecutableDocument>,
    operation: Node<Operation>,
    variables: Valid<JsonMap>,
}

/// Why a request is not executed.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The items of `errors` in a 200.
    Errors(Vec<Value>),
    /// It does not say which of its operations is to be executed: a 500 in a real Stargate.
    NoOperation,
    /// The execution itself broke off.
    Failed(String),
}

/// Runs a request on a thread of its own: apollo-compiler's executions stay on the thread that they begin on, and
/// the checks of a long request would keep others waiting. It goes on to its end even if the client goes away.
///
/// # Errors
/// Those of the request.
pub async fn apart<F>(request: impl FnOnce() -> F + Send + 'static) -> Result<Value, Rejection>
where
    F: Future<Output = Result<Value, Rejection>>,
{
    let runtime = Handle::current();
    let ran = tokio::task::spawn_blocking(move || runtime.block_on(request())).await;
    ran.unwrap_or_else(|error| Err(Rejection::Failed(error.to_string())))
}

/// What root fields tell besides their values: apollo-compiler has room for one message a field.
#[derive(Debug, Default)]
pub struct Extras {
    details: Mutex<HashMap<String, Map<String, Value>>>,
    errors: Mutex<Vec<Failure>>,
}

/// A part of a root field that failed while the rest has a value.
#[derive(Clone, Debug)]
struct Failure {
    field: Name,
    location: Option<SourceSpan>,
    message: String,
}

impl Failure {
    fn located(self, sources: &SourceMap) -> GraphQLError {
        let message = format!("{FAILED}{}", self.message);
        let mut error = GraphQLError::new(message, self.location, sources);
        error.path = vec![ResponseDataPathSegment::Field(self.field)];
        error
    }
}

impl Extras {
    /// What the error of a field has in `extensions`.
    pub fn detail(&self, info: &ResolveInfo<'_>, details: Map<String, Value>) {
        if let Some(field) = info.field_selections().first() {
            let name = field.response_key().to_string();
            let all = self.details.lock();
            let mut all = all.unwrap_or_else(PoisonError::into_inner);
            all.insert(name, details);
        }
    }

    /// An error beside the value of a field.
    pub fn fail(&self, info: &ResolveInfo<'_>, message: String) {
        if let Some(field) = info.field_selections().first() {
            self.lock_errors().push(Failure {
                field: field.response_key().clone(),
                location: field.name.location(),
                message,
            });
        }
    }

    fn details_of(&self, name: &str) -> Option<Map<String, Value>> {
        let details = self.details.lock();
        let details = details.unwrap_or_else(PoisonError::into_inner);
        details.get(name).cloned()
    }

    fn lock_errors(&self) -> std::sync::MutexGuard<'_, Vec<Failure>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks a request against a schema.
///
/// # Errors
/// [`Rejection`] with what is wrong.
pub fn prepare<'a>(
    schema: &'a Valid<Schema>,
    request: &Request,
) -> Result<Prepared<'a>, Rejection> {
    let mut parser = Parser::new()
        .recursion_limit(MAX_DEPTH)
        .token_limit(MAX_TOKENS);
    let parsed = parser.parse_ast(&request.query, "query.graphql");
    // The first error is the real one; those after it follow from it.
    let parsed = parsed.map_err(|broken| {
        let errors = diagnostics(&broken.errors, "Invalid Syntax : ", "InvalidSyntax");
        Rejection::Errors(errors.into_iter().take(1).collect())
    })?;
    let invalid = |errors: &DiagnosticList| {
        Rejection::Errors(diagnostics(
            errors,
            "Validation error : ",
            "ValidationError",
        ))
    };
    // In two steps: in one, an unknown field would give a second error about its selections.
    let document = parsed
        .to_executable(schema)
        .map_err(|broken| invalid(&broken.errors))?;
    let document = document
        .validate(schema)
        .map_err(|broken| invalid(&broken.errors))?;
    let operation = document.operations.get(request.operation_name.as_deref());
    let operation = operation.map_err(|_| Rejection::NoOperation)?.clone();
    // Types have fields, which have types: a few levels of it ask for more than there is memory.
    introspection::check_max_depth(&document, &operation).map_err(|error| {
        let error = error.to_graphql_error(&document.sources);
        Rejection::Errors(vec![classified(error, "ValidationError")])
    })?;
    let wrong = literals::check(schema, &document);
    if !wrong.is_empty() {
        let errors = wrong
            .into_iter()
            .map(|error| classified(error, "ValidationError"));
        return Err(Rejection::Errors(errors.collect()));
    }
    let given = variables::converted(&operation, &request.variables, schema);
    let given = serde_json_bytes(&given);
    let variables = coerce_variable_values(schema, &operation, &given).map_err(|error| {
        let error = error.to_graphql_error(&document.sources);
        Rejection::Errors(vec![classified(error, "ValidationError")])
    })?;
    literals::check_variables(schema, &operation, &request.variables).map_err(|message| {
        let error = GraphQLError::new(message, operation.location(), &document.sources);
        Rejection::Errors(vec![classified(error, "ValidationError")])
    })?;
    Ok(Prepared {
        schema,
        operation,
        variables,
        document,
    })
}

impl Prepared<'_> {
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The values of the variables, with the defaults of those that were not given.
    pub fn variables(&self) -> Map<String, Value> {
        let variables = self.variables.iter().map(|(name, value)| {
            let value = serde_json::to_value(value).unwrap_or(Value::Null);
            (name.as_str().to_owned(), value)
        });
        variables.collect()
    }

    /// Executes the operation, beginning with an object for its root type, which leaves `extras` on the way.
    pub async fn execute(&self, root: &dyn AsyncObjectValue, extras: &Extras) -> Value {
        let executed = Execution::new(self.schema, &self.document)
            .operation(&self.operation)
            .coerced_variable_values(&self.variables)
            .enable_schema_introspection(true)
            .execute_async(root)
            .await;
        let response = match executed {
            Ok(response) => response,
            Err(error) => {
                let error = error.to_graphql_error(&self.document.sources);
                return json!({"errors": [classified(error, "ValidationError")]});
            }
        };
        let mut answer = Map::new();
        let more = extras.lock_errors().clone().into_iter();
        let more = more.map(|error| error.located(&self.document.sources));
        let errors = response.errors.into_iter().chain(more);
        let errors: Vec<Value> = errors.map(|error| field_error(error, extras)).collect();
        if !errors.is_empty() {
            answer.insert("errors".to_owned(), Value::Array(errors));
        }
        let data = serde_json::to_value(&response.data).unwrap_or(Value::Null);
        answer.insert("data".to_owned(), data);
        Value::Object(answer)
    }
}

fn diagnostics(errors: &DiagnosticList, prefix: &str, classification: &str) -> Vec<Value> {
    errors
        .iter()
        .map(|error| {
            let mut error = error.to_json();
            error.message.insert_str(0, prefix);
            classified(error, classification)
        })
        .collect()
}

fn classified(mut error: GraphQLError, classification: &str) -> Value {
    error
        .extensions
        .insert("classification", classification.into());
    serde_json::to_value(&error).unwrap_or_else(|_| json!({"message": error.message}))
}

fn field_error(mut error: GraphQLError, extras: &Extras) -> Value {
    let Some(message) = error.message.strip_prefix(FAILED) else {
        return null_error(error);
    };
    let message = message.to_owned();
    let path = path_text(&error.path);
    error.message = format!("Exception while fetching data ({path}) : {message}");
    let root = match error.path.first() {
        Some(ResponseDataPathSegment::Field(name)) => extras.details_of(name),
        _ => None,
    };
    let mut error = classified(error, "DataFetchingException");
    if let (Some(more), Some(extensions)) = (root, error["extensions"].as_object_mut()) {
        extensions.extend(more);
    }
    error
}

/// A null where the schema allows none, or an answer that does not fit its type.
fn null_error(mut error: GraphQLError) -> Value {
    let nothing = error
        .message
        .strip_prefix("non-null type ")
        .and_then(|rest| rest.strip_suffix(" resolved to null"));
    let Some(typ) = nothing else {
        return classified(error, "DataFetchingException");
    };
    error.message = format!(
        "The field at path '{}' was declared as a non null type, but the code involved in retrieving data has wrongly \
         returned a null value. The non-nullable type is '{typ}'",
        path_text(&error.path)
    );
    classified(error, "NullValueInNonNullableField")
}

fn path_text(path: &[ResponseDataPathSegment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            ResponseDataPathSegment::Field(name) => text.push_str(&format!("/{name}")),
            ResponseDataPathSegment::ListIndex(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// The same values in apollo-compiler's own types.
fn serde_json_bytes(values: &Map<String, Value>) -> JsonMap {
    let pairs = values.iter();
    pairs
        .map(|(name, value)| (name.as_str().into(), value.clone().into()))
        .collect()
}
