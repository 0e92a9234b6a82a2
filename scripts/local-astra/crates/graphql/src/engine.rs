//! Execution of a GraphQL request: parsed, validated and executed by apollo-compiler, with responses as from
//! graphql-java.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use apollo_compiler::ast::{self, OperationType};
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::{Parser, SourceMap, SourceSpan};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{AsyncObjectValue, Execution, ResolveInfo};
use apollo_compiler::response::{GraphQLError, JsonMap, ResponseDataPathSegment};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::{cost, introspection, validate, variables};

/// Maximum nesting depth of selections, lists and objects. The introspection queries of clients use about 15.
const MAX_DEPTH: usize = 50;
/// Maximum number of tokens, far above that of usual queries.
const MAX_TOKENS: usize = 20_000;
/// Prefix that apollo-compiler adds to the message of a failed field.
const FAILED: &str = "resolver error: ";

/// A client's request.
#[derive(Debug, Default)]
pub struct Request {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
}

/// A request that is valid for its schema.
pub struct Prepared<'a> {
    schema: &'a Valid<Schema>,
    document: Valid<ExecutableDocument>,
    operation: Node<Operation>,
    variables: Valid<JsonMap>,
    /// The size of its introspection.
    introspection: u32,
}

/// The reason a request is not executed.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The items of `errors` in a 200.
    Errors(Vec<Value>),
    /// The operation to execute is ambiguous: a 500 in a real Stargate.
    NoOperation,
    /// The execution was interrupted.
    Failed(String),
}

/// Runs a request on a separate thread, because an execution of apollo-compiler stays on its thread, and validating a
/// long request would block others. It completes even if the client disconnects.
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

/// Additional errors and details of root fields. apollo-compiler supports only one message per field.
#[derive(Debug, Default)]
pub struct Extras {
    details: Mutex<HashMap<String, Map<String, Value>>>,
    errors: Mutex<Vec<Failure>>,
    is_overloaded: AtomicBool,
}

/// A failure in a part of a root field that has a value otherwise.
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
    /// Sets the `extensions` of a field's error.
    pub fn detail(&self, info: &ResolveInfo<'_>, details: Map<String, Value>) {
        if let Some(field) = info.field_selections().first() {
            let name = field.response_key().to_string();
            let mut all = self.details.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(name, details);
        }
    }

    /// Records that a query met an overloaded store. Stargate intends to answer 429 and answers 500.
    pub fn overload(&self) {
        self.is_overloaded.store(true, Ordering::Relaxed);
    }

    /// Returns the response to an operation whose fields left these extras.
    ///
    /// # Errors
    /// [`Rejection::Failed`] after an overload.
    pub fn response(&self, response: Value) -> Result<Value, Rejection> {
        if self.is_overloaded.load(Ordering::Relaxed) {
            Err(Rejection::Failed("Internal server error".to_owned()))
        } else {
            Ok(response)
        }
    }

    /// Adds an error in addition to the value of a field.
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
        let details = self.details.lock().unwrap_or_else(PoisonError::into_inner);
        details.get(name).cloned()
    }

    fn lock_errors(&self) -> std::sync::MutexGuard<'_, Vec<Failure>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Validates a request against a schema.
///
/// # Errors
/// [`Rejection`] with the problems.
pub fn prepare<'a>(
    schema: &'a Valid<Schema>,
    request: &Request,
) -> Result<Prepared<'a>, Rejection> {
    let mut parser = Parser::new()
        .recursion_limit(MAX_DEPTH)
        .token_limit(MAX_TOKENS);
    let parsed = parser.parse_ast(&request.query, "query.graphql");
    // The first error is the real one; those after it follow from it.
    let mut parsed = parsed.map_err(|broken| {
        let first = broken.errors.iter().next().map(|error| {
            let mut error = error.to_json();
            error.message.insert_str(0, "Invalid Syntax : ");
            classified(error, "InvalidSyntax")
        });
        Rejection::Errors(first.into_iter().collect())
    })?;
    let invalid = |errors: Vec<GraphQLError>| {
        let errors = errors
            .into_iter()
            .map(|error| classified(error, "ValidationError"));
        Rejection::Errors(errors.collect())
    };
    let unknown = introspection::rename(&mut parsed, &request.query);
    let document = validate::validate(schema, &parsed, unknown).map_err(invalid)?;
    let name = request.operation_name.as_deref();
    let operation = document
        .operations
        .get(name)
        .map_err(|_| no_root(schema, &parsed, name))?
        .clone();
    let variables =
        variables::coerce(&operation, &request.variables, schema).map_err(|refusal| {
            let error = GraphQLError::new(refusal.message, refusal.location, &document.sources);
            invalid(vec![error])
        })?;
    // What is left are the defaults.
    let variables = coerce_variable_values(schema, &operation, &to_json_map(&variables))
        .map_err(|error| invalid(vec![error.to_graphql_error(&document.sources)]))?;
    let is_missing = |name: &Name| !variables.contains_key(name.as_str());
    let (document, operation) = if operation.variables.iter().any(|v| is_missing(&v.name)) {
        let mut document = document.into_inner();
        variables::leave_out_missing(&mut document, &variables);
        let operation = document.operations.get(name);
        let operation = operation.map_err(|_| Rejection::NoOperation)?.clone();
        (Valid::assume_valid(document), operation)
    } else {
        (document, operation)
    };
    let introspection = cost::of_introspection(schema, &document, &operation, &variables)
        .map_err(|error| Rejection::Errors(vec![error]))?;
    Ok(Prepared {
        schema,
        introspection,
        operation,
        variables,
        document,
    })
}

/// Explains that there is no operation to execute, for example because the schema lacks its root type.
fn no_root(schema: &Schema, parsed: &ast::Document, name: Option<&str>) -> Rejection {
    let operations = parsed
        .definitions
        .iter()
        .filter_map(|definition| definition.as_operation_definition());
    let mut asked = operations.filter(|o| name.is_none() || o.name.as_deref() == name);
    let (Some(operation), None) = (asked.next(), asked.next()) else {
        return Rejection::NoOperation;
    };
    let kind = match operation.operation_type {
        OperationType::Query => "queries",
        OperationType::Mutation => "mutations",
        OperationType::Subscription => "subscriptions",
    };
    if schema.root_operation(operation.operation_type).is_some() {
        return Rejection::NoOperation;
    }
    let message = format!("Schema is not configured for {kind}.");
    let error = GraphQLError::new(message, operation.location(), &parsed.sources);
    Rejection::Errors(vec![classified(error, "OperationNotSupported")])
}

impl Prepared<'_> {
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Returns the values of the variables, with the defaults of missing ones.
    pub fn variables(&self) -> Map<String, Value> {
        let variables = self.variables.iter().map(|(name, value)| {
            let value = serde_json::to_value(value).unwrap_or(Value::Null);
            (name.as_str().to_owned(), value)
        });
        variables.collect()
    }

    /// Executes the operation, starting with an object for its root type, which adds to `extras`.
    pub async fn execute(&self, root: &dyn AsyncObjectValue, extras: &Extras) -> Value {
        let execution = Execution::new(self.schema, &self.document)
            .operation(&self.operation)
            .coerced_variable_values(&self.variables)
            .enable_schema_introspection(true);
        let _turn = cost::turn(self.introspection).await;
        let response = match cost::limited(execution.execute_async(root)).await {
            Some(Ok(response)) => response,
            None => return json!({"errors": [cost::too_large()]}),
            Some(Err(error)) => {
                let error = error.to_graphql_error(&self.document.sources);
                return json!({"errors": [classified(error, "ValidationError")]});
            }
        };
        let mut body = Map::new();
        let more = extras.lock_errors().clone().into_iter();
        let more = more.map(|error| error.located(&self.document.sources));
        let errors = response.errors.into_iter().chain(more);
        let errors: Vec<Value> = errors.map(|error| field_error(error, extras)).collect();
        if !errors.is_empty() {
            body.insert("errors".to_owned(), Value::Array(errors));
        }
        let mut data = serde_json::to_value(&response.data).unwrap_or(Value::Null);
        introspection::rename_listed(&self.operation, &self.document, &mut data);
        body.insert("data".to_owned(), data);
        Value::Object(body)
    }
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

/// Returns the error for a null that the schema does not allow, or for a value that does not fit its type.
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

/// Converts the values to apollo-compiler's own types.
fn to_json_map(values: &Map<String, Value>) -> JsonMap {
    let pairs = values.iter();
    pairs
        .map(|(name, value)| (name.as_str().into(), value.clone().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small schema with the features of Stargate's: custom scalars, maps, functions of columns, options with
    /// defaults.
    const SCHEMA: &str = "scalar Uuid directive @atomic on MUTATION \
         type Query { t(value: tInput, filter: tFilter, options: Options): tResult other: tResult } \
         type Mutation { insert(value: tInput!): tResult bulk(values: [tInput!]): tResult } \
         type tResult { pageState: String values: [t!] } \
         type t { k: String c: Int v: String m: [E] f(name: String!): Int } type E { key: String! value: Int } \
         input EInput { key: String! value: Int } \
         input tInput { k: String c: Int u: Uuid m: [EInput] } input tFilter { k: SF } input SF { eq: String in: [String] } \
         input Options { limit: Int pageSize: Int = 100 }";

    /// Returns the number of errors of a request, and the errors.
    fn refused(query: &str) -> (usize, Vec<Value>) {
        let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
        let request = Request {
            query: query.to_owned(),
            ..Request::default()
        };
        match prepare(&schema, &request) {
            Ok(_) => (0, Vec::new()),
            Err(Rejection::Errors(errors)) => (errors.len(), errors),
            Err(other) => panic!("{query}: {other:?}"),
        }
    }

    /// The numbers are those of graphql-java 18.5.
    #[test]
    fn as_many_errors_as_graphql_java_has() {
        for (query, wanted) in [
            // One wrong value for each argument.
            ("{t(value:{k:5,c:\"x\"}){values{k}}}", 1),
            ("mutation{bulk(values:[{c:\"x\"},{c:\"y\"}]){pageState}}", 1),
            (
                "{t(value:{k:5},options:{limit:2.5,pageSize:\"x\"}){values{k}}}",
                2,
            ),
            (
                "mutation{insert(value:{m:[{key:null,value:1}]}){pageState}}",
                1,
            ),
            ("mutation{insert(value:{u:\"nope\",c:\"x\"}){pageState}}", 1),
            ("mutation{insert(value:null){pageState}}", 2),
            ("{t(value:{u:FOO}){values{k}}}", 1),
            ("{t(value:{u:{a:1}}){values{k}}}", 1),
            // What is unknown does not hide the rest.
            ("{t{values{nope}}}", 1),
            ("{t{values{nope{x}}}}", 1),
            ("{t{nope values{nope}}}", 2),
            ("{t(foo:1){values{nope}}}", 2),
            ("{t(value:{k:5}){values{nope}}}", 2),
            ("{t(value:{u:\"nope\"}){values{nope}}}", 2),
            ("query($a:Int,$b:Int){t(value:{c:\"x\"}){values{nope}}}", 4),
            ("query($v:String){t{values{nope(a:$v)}}}", 1),
            ("{t{values{nope{...F}}}} fragment F on t{k}", 1),
            ("{t{values{...F}}} fragment F on Nope{k}", 1),
            ("{t{values{... on Nope{k}}}}", 1),
            // Variables.
            ("query($k:Nope){t(value:{k:$k}){values{k}}}", 1),
            ("query($k:t){t(value:{k:$k}){values{k}}}", 2),
            ("query($k:Int){t(value:{k:$k}){values{k}}}", 1),
            ("query($v:[String]){t(filter:{k:{in:[$v]}}){values{k}}}", 1),
            ("query($v:[String]){t(value:{k:$v}){values{k}}}", 1),
            ("query($v:String){t(value:{m:[{key:$v}]}){values{k}}}", 1),
            (
                "query($v:String=\"a\"){t(value:{m:[{key:$v}]}){values{k}}}",
                0,
            ),
            ("query($v:Uuid=\"x\"){t(value:{u:$v}){values{k}}}", 1),
            ("query($v:Int){t(options:{pageSize:$v}){values{k}}}", 0),
            ("query($v:String){t{values{k @skip(if:$v)}}}", 1),
            ("{t(value:{k:$k,c:$k}){values{k}}}", 2),
            // Conflicts: below a list only those of types.
            ("{t{values{k k:c}}}", 1),
            ("{t{values{a:k a:c a:m{key}}}}", 1),
            ("{t{values{a:k}} t{values{a:c}}}", 1),
            ("{t{values{a:k a:v}}}", 0),
            ("{t{values{a:f(name:\"x\") a:f(name:\"y\")}}}", 0),
            (
                "{t{values{...F ...G}}} fragment F on t{a:k} fragment G on t{a:v}",
                1,
            ),
            ("{a:t{pageState} a:other{pageState}}", 1),
            // Circles.
            ("fragment A on t{...A} {t{values{...A}}}", 1),
            (
                "fragment C on t{...A} fragment A on t{...B} fragment B on t{...A} {t{values{...C}}}",
                2,
            ),
            // Introspection.
            (
                "{__type(name:\"t\"){fields{type{fields{type{fields{type{fields{name}}}}}}}}}",
                0,
            ),
            ("{__type(name:\"Uuid\"){name specifiedByUrl}}", 0),
            (
                "{__type(name:\"Uuid\"){...F}} fragment F on __Type{specifiedByURL nope}",
                2,
            ),
        ] {
            let (number, errors) = refused(query);
            assert_eq!(number, wanted, "{query}: {errors:?}");
            for error in errors {
                assert_eq!(error["extensions"]["classification"], "ValidationError");
                assert!(error.get("locations").is_some(), "{query}: {error}");
            }
        }
    }

    #[test]
    fn a_root_that_the_schema_lacks_is_an_error_of_its_own() {
        for query in [
            "subscription{t{values{k}}}",
            "subscription{...F} fragment F on Query{t{pageState}}",
        ] {
            let (_, errors) = refused(query);
            let classes: Vec<_> = errors
                .iter()
                .map(|e| &e["extensions"]["classification"])
                .collect();
            assert_eq!(classes, ["OperationNotSupported"], "{query}");
        }
    }

    #[test]
    fn an_introspection_has_an_end() {
        let aliases = |times: usize, selection: &str| {
            let all = (0..times).map(|n| format!("a{n}:{selection} "));
            all.collect::<String>()
        };
        let names = format!("types{{fields{{{}}}}}", aliases(100, "name"));
        let types = "types{name fields{name args{name} type{kind name ofType{name}}}}";
        let fragments =
            "fragment F on __Type{fields{type{...G}}} fragment G on __Type{fields{name}}";
        for (query, refusals) in [
            (format!("{{__schema{{{names}}}}}"), 0),
            (
                format!(
                    "{{{}}} fragment S on __Schema{{{types}}}",
                    aliases(9, "__schema{...S}")
                ),
                0,
            ),
            (
                format!(
                    "{{{}}} fragment S on __Schema{{{names}}}",
                    aliases(300, "__schema{...S}")
                ),
                1,
            ),
            (format!("{{__schema{{{types}}}}}"), 0),
            (format!("{{__schema{{types{{...F}}}}}} {fragments}"), 0),
        ] {
            let (number, errors) = refused(&query);
            assert_eq!(number, refusals, "{errors:?}");
            for error in errors {
                let class = &error["extensions"]["classification"];
                assert_eq!(class, "ExecutionAborted", "{error}");
            }
        }
    }
}
