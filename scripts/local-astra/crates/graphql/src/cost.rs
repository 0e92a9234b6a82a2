//! The size of a response, counted before it is put together.
//!
//! Aliases multiply what a short query asks for. graphql-java ends the execution of a request that is beyond a limit
//! of its instrumentation; so does this.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;

use apollo_compiler::ast::{
    self, DirectiveDefinition, EnumValueDefinition, FieldDefinition, InputValueDefinition,
    Value as Literal,
};
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::resolvers::ResolveInfo;
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The bytes that the values of a response may take. The usual introspection of 20 tables takes about one of the 32
/// MiB.
const LIMIT: u32 = 32 << 20;
/// The bytes of a value besides its name and text.
const VALUE: usize = 64;

/// Introspections that run at the same time share the limit, and wait for each other.
static INTROSPECTIONS: Semaphore = Semaphore::const_new(LIMIT as usize);

tokio::task_local! {
    /// The bytes that are left for the values of a response.
    static LEFT: Cell<usize>;
}

/// Returns the size of an operation's introspection.
///
/// # Errors
/// The item of `errors` for one that is too large.
pub fn of_introspection(
    schema: &Schema,
    document: &ExecutableDocument,
    operation: &Operation,
    variables: &JsonMap,
) -> Result<u32, Value> {
    let mut count = Count::new(schema, document, LIMIT as usize);
    count.selections(&operation.selection_set, &Part::Root(variables));
    match u32::try_from(count.left) {
        Ok(left) if left > 0 => Ok(LIMIT - left),
        _ => Err(too_large()),
    }
}

/// Waits until there is room for an introspection of this size beside the running ones.
pub async fn turn(size: u32) -> Option<SemaphorePermit<'static>> {
    // Never closed.
    INTROSPECTIONS.acquire_many(size).await.ok()
}

/// Returns the result of an execution, or `None` if it was ended because its response is too large.
pub async fn limited<T>(execution: impl Future<Output = T>) -> Option<T> {
    let mut execution = pin!(execution);
    let execution = poll_fn(|context| match execution.as_mut().poll(context) {
        _ if LEFT.with(Cell::get) == 0 => Poll::Ready(None),
        polled => polled.map(Some),
    });
    LEFT.scope(Cell::new(LIMIT as usize), execution).await
}

/// Counts the value of a field. If it makes the response too large, the execution ends here.
pub async fn spend(info: &ResolveInfo<'_>, value: &Value) {
    let count = LEFT.try_with(|left| {
        let mut count = Count::new(info.schema(), info.document(), left.get());
        for field in info.field_selections() {
            count.value(field, value);
        }
        left.set(count.left);
        count.left
    });
    if count == Ok(0) {
        pending::<()>().await;
    }
}

/// Returns the error of graphql-java for a request that its own limits end.
pub fn too_large() -> Value {
    let message = format!(
        "maximum query complexity exceeded: the response is larger than {} MiB",
        LIMIT >> 20
    );
    json!({"message": message, "extensions": {"classification": "ExecutionAborted"}})
}

/// An object that a selection is applied to.
enum Part<'a> {
    Root(&'a JsonMap),
    Json(&'a Value),
    Schema,
    Named(&'a ExtendedType),
    /// A list or a non-null type.
    Wrapped(&'a ast::Type),
    Field(&'a FieldDefinition),
    Input(&'a InputValueDefinition),
    EnumValue(&'a EnumValueDefinition),
    Directive(&'a DirectiveDefinition),
}

struct Count<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    left: usize,
}

impl<'a> Count<'a> {
    fn new(schema: &'a Schema, document: &'a ExecutableDocument, left: usize) -> Count<'a> {
        Count {
            schema,
            document,
            left,
        }
    }

    fn take(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(VALUE + bytes);
    }

    /// Validation bounds how deep selections and fragments are nested.
    fn selections(&mut self, set: &'a SelectionSet, part: &Part<'a>) {
        for selection in &set.selections {
            if self.left == 0 {
                return;
            }
            match selection {
                Selection::Field(field) => self.field(field, part),
                Selection::InlineFragment(fragment) => {
                    self.take(0);
                    self.selections(&fragment.selection_set, part);
                }
                Selection::FragmentSpread(spread) => {
                    self.take(0);
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        self.selections(&fragment.selection_set, part);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &'a Field, part: &Part<'a>) {
        if let Part::Json(value) = part {
            let value = value.get(field.name.as_str());
            return self.value(field, value.unwrap_or(&Value::Null));
        }
        self.take(field.response_key().len() + text(part, &field.name));
        for below in self.below(part, field) {
            self.take(0);
            self.selections(&field.selection_set, &below);
        }
    }

    fn value(&mut self, field: &'a Field, value: &'a Value) {
        self.take(field.response_key().len());
        let mut waiting = vec![value];
        while let Some(value) = waiting.pop().filter(|_| self.left > 0) {
            match value {
                Value::Array(items) => waiting.extend(items),
                // The value of a scalar.
                Value::Object(members) if field.selection_set.is_empty() => {
                    self.take(members.keys().map(String::len).sum());
                    waiting.extend(members.values());
                }
                Value::Object(_) => {
                    self.take(0);
                    self.selections(&field.selection_set, &Part::Json(value));
                }
                Value::String(text) => self.take(text.len()),
                _ => self.take(0),
            }
        }
    }

    /// Returns the objects that a field of an introspection contains.
    fn below(&self, part: &Part<'a>, field: &'a Field) -> Vec<Part<'a>> {
        let schema = self.schema;
        let named = |name: &str| schema.types.get(name).map(Part::Named);
        let typ = |typ: &'a ast::Type| match typ {
            ast::Type::Named(name) => named(name),
            wrapped => Some(Part::Wrapped(wrapped)),
        };
        let inputs = |all: &'a [Node<InputValueDefinition>]| {
            all.iter().map(|input| Part::Input(input)).collect()
        };
        let one = |part: Option<Part<'a>>| part.into_iter().collect();
        let roots = &schema.schema_definition;
        match (part, field.name.as_str()) {
            (Part::Root(_), "__schema") => vec![Part::Schema],
            (Part::Root(variables), "__type") => {
                let name = field.specified_argument_by_name("name");
                one(name.and_then(|name| named(text_of(name, variables)?)))
            }
            (Part::Schema, "types") => schema.types.values().map(Part::Named).collect(),
            (Part::Schema, "directives") => {
                let all = schema.directive_definitions.values();
                all.map(|directive| Part::Directive(directive)).collect()
            }
            (Part::Schema, "queryType") => one(roots.query.as_ref().and_then(|name| named(name))),
            (Part::Schema, "mutationType") => {
                one(roots.mutation.as_ref().and_then(|name| named(name)))
            }
            (Part::Named(ExtendedType::Object(typ)), "fields") => typ
                .fields
                .values()
                .map(|field| Part::Field(field))
                .collect(),
            (Part::Named(ExtendedType::Interface(typ)), "fields") => typ
                .fields
                .values()
                .map(|field| Part::Field(field))
                .collect(),
            (Part::Named(ExtendedType::Object(typ)), "interfaces") => {
                let names = typ.implements_interfaces.iter();
                names.filter_map(|name| named(name)).collect()
            }
            // As many as there can be.
            (Part::Named(ExtendedType::Interface(_)), "possibleTypes" | "interfaces") => {
                schema.types.values().map(Part::Named).collect()
            }
            (Part::Named(ExtendedType::Union(typ)), "possibleTypes") => {
                typ.members.iter().filter_map(|name| named(name)).collect()
            }
            (Part::Named(ExtendedType::Enum(typ)), "enumValues") => {
                let values = typ.values.values();
                values.map(|value| Part::EnumValue(value)).collect()
            }
            (Part::Named(ExtendedType::InputObject(typ)), "inputFields") => typ
                .fields
                .values()
                .map(|input| Part::Input(input))
                .collect(),
            (Part::Wrapped(ast::Type::NonNullNamed(name)), "ofType") => one(named(name)),
            (Part::Wrapped(ast::Type::List(inner) | ast::Type::NonNullList(inner)), "ofType") => {
                one(typ(inner))
            }
            (Part::Field(field), "type") => one(typ(&field.ty)),
            (Part::Input(input), "type") => one(typ(&input.ty)),
            (Part::Field(field), "args") => inputs(&field.arguments),
            (Part::Directive(directive), "args") => inputs(&directive.arguments),
            _ => Vec::new(),
        }
    }
}

/// Returns the length of a text of an introspection.
fn text(part: &Part<'_>, field: &str) -> usize {
    let (name, description) = match part {
        Part::Named(typ) => (typ.name(), typ.description()),
        Part::Field(field) => (&field.name, field.description.as_ref()),
        Part::Input(input) => (&input.name, input.description.as_ref()),
        Part::EnumValue(value) => (&value.value, value.description.as_ref()),
        Part::Directive(directive) => (&directive.name, directive.description.as_ref()),
        _ => return 0,
    };
    match (field, part) {
        ("name", _) => name.len(),
        ("description", _) => description.map_or(0, |text| text.len()),
        ("defaultValue", Part::Input(input)) => {
            let value = input.default_value.as_ref();
            value.map_or(0, |value| value.to_string().len())
        }
        _ => 0,
    }
}

/// Returns the text of an argument or of its variable.
fn text_of<'a>(name: &'a Literal, variables: &'a JsonMap) -> Option<&'a str> {
    match name {
        Literal::Variable(name) => variables.get(name.as_str())?.as_str(),
        name => name.as_str(),
    }
}
