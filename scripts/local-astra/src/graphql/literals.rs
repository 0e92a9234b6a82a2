//! The values of Stargate's scalars in a request: apollo-compiler takes any, so they are checked here, before anything
//! runs.

use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::response::GraphQLError;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use serde_json::{Map, Value};

use super::scalars;

/// Checks every literal of a document.
pub fn check(schema: &Valid<Schema>, document: &Valid<ExecutableDocument>) -> Vec<GraphQLError> {
    let mut errors = Vec::new();
    let operations = document.operations.iter();
    let sets = operations.map(|operation| &operation.selection_set);
    let fragments = document.fragments.values();
    for set in sets.chain(fragments.map(|fragment| &fragment.selection_set)) {
        check_selections(set, schema, document, &mut errors);
    }
    errors
}

fn check_selections(
    set: &SelectionSet,
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    errors: &mut Vec<GraphQLError>,
) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                for argument in &field.arguments {
                    let Some(definition) = field.definition.argument_by_name(&argument.name) else {
                        continue;
                    };
                    if let Err(problem) = check_literal(&argument.value, &definition.ty, schema) {
                        let message = format!(
                            "Validation error of type WrongType: argument '{}' with value '{}' is not a valid '{}' - \
                             {} @ '{}'",
                            argument.name, problem.value, problem.typ, problem.text, field.name
                        );
                        let at = argument.value.location();
                        errors.push(GraphQLError::new(message, at, &document.sources));
                    }
                }
                check_selections(&field.selection_set, schema, document, errors);
            }
            Selection::InlineFragment(fragment) => {
                check_selections(&fragment.selection_set, schema, document, errors);
            }
            // Fragments have their own turn.
            Selection::FragmentSpread(_) => {}
        }
    }
}

struct Problem {
    value: String,
    typ: String,
    text: String,
}

fn check_literal(literal: &Node<Literal>, typ: &Type, schema: &Schema) -> Result<(), Problem> {
    match (&**literal, typ) {
        (Literal::Null | Literal::Variable(_), _) => Ok(()),
        (Literal::List(items), Type::List(item) | Type::NonNullList(item)) => items
            .iter()
            .try_for_each(|literal| check_literal(literal, item, schema)),
        (_, Type::List(item) | Type::NonNullList(item)) => check_literal(literal, item, schema),
        (Literal::Object(members), typ) => {
            let Some(ExtendedType::InputObject(input)) = schema.types.get(typ.inner_named_type())
            else {
                return Ok(());
            };
            members.iter().try_for_each(|(name, literal)| {
                let field = input.fields.get(name);
                field.map_or(Ok(()), |field| check_literal(literal, &field.ty, schema))
            })
        }
        (literal, typ) => {
            let name = typ.inner_named_type();
            let is_scalar = matches!(schema.types.get(name), Some(ExtendedType::Scalar(_)));
            let Some(native) = scalars::by_name(name).filter(|_| is_scalar) else {
                return Ok(());
            };
            let value = match literal {
                Literal::String(text) => Value::String(text.clone()),
                Literal::Int(number) => number_of(number.as_str()),
                Literal::Float(number) => number_of(number.as_str()),
                Literal::Boolean(flag) => Value::Bool(*flag),
                other => Value::String(format!("{other:?}")),
            };
            scalars::read(&value, &native)
                .map(|_| ())
                .map_err(|text| Problem {
                    value: value.to_string(),
                    typ: name.to_string(),
                    text,
                })
        }
    }
}

fn number_of(text: &str) -> Value {
    serde_json::from_str(text).map_or(Value::Null, Value::Number)
}

/// Checks the values of the variables that an operation declares.
///
/// # Errors
/// A sentence about the first that does not fit.
pub fn check_variables(
    schema: &Schema,
    operation: &Operation,
    given: &Map<String, Value>,
) -> Result<(), String> {
    for variable in &operation.variables {
        let value = given.get(variable.name.as_str());
        let value = value.unwrap_or(&Value::Null);
        check_value(value, &variable.ty, schema)
            .map_err(|text| format!("Variable '{}' has an invalid value: {text}", variable.name))?;
    }
    Ok(())
}

fn check_value(value: &Value, typ: &Type, schema: &Schema) -> Result<(), String> {
    match (value, typ) {
        (Value::Null, _) => Ok(()),
        (Value::Array(items), Type::List(item) | Type::NonNullList(item)) => items
            .iter()
            .try_for_each(|value| check_value(value, item, schema)),
        (_, Type::List(item) | Type::NonNullList(item)) => check_value(value, item, schema),
        (value, typ) => match (schema.types.get(typ.inner_named_type()), value) {
            (Some(ExtendedType::InputObject(input)), Value::Object(members)) => {
                members.iter().try_for_each(|(name, value)| {
                    let field = input.fields.get(name.as_str());
                    field.map_or(Ok(()), |field| check_value(value, &field.ty, schema))
                })
            }
            (Some(ExtendedType::Scalar(_)), value) => {
                let native = scalars::by_name(typ.inner_named_type());
                let read = native.map(|native| scalars::read(value, &native));
                read.map_or(Ok(()), |read| read.map(|_| ()))
            }
            _ => Ok(()),
        },
    }
}
