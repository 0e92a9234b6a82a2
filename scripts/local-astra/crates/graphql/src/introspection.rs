//! Introspection as in graphql-java 18, where that of apollo-compiler is stricter or newer.

use apollo_compiler::ast::{self, Definition};
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::SourceMap;
use apollo_compiler::response::GraphQLError;
use apollo_compiler::{ExecutableDocument, Name, Node, name};
use serde_json::Value;

const OLD_NAME: Name = name!("specifiedByUrl");
const NEW_NAME: Name = name!("specifiedByURL");

/// Renames `specifiedByUrl` to apollo-compiler's name for it, and returns an error for each field with that newer name,
/// which graphql-java 18 does not support.
pub fn rename(parsed: &mut ast::Document, text: &str) -> Vec<GraphQLError> {
    let mut errors = Vec::new();
    if !text.contains(OLD_NAME.as_str()) && !text.contains(NEW_NAME.as_str()) {
        return errors;
    }
    let sources = parsed.sources.clone();
    for definition in &mut parsed.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let selections = &mut operation.make_mut().selection_set;
                rename_in(selections, false, &sources, &mut errors);
            }
            Definition::FragmentDefinition(fragment) => {
                let fragment = fragment.make_mut();
                let is_inside = fragment.type_condition.starts_with("__");
                rename_in(
                    &mut fragment.selection_set,
                    is_inside,
                    &sources,
                    &mut errors,
                );
            }
            _ => {}
        }
    }
    errors
}

fn rename_in(
    selections: &mut [ast::Selection],
    is_inside: bool,
    sources: &SourceMap,
    errors: &mut Vec<GraphQLError>,
) {
    for selection in selections {
        match selection {
            ast::Selection::Field(field) => {
                if is_inside && field.name == NEW_NAME {
                    errors.push(unknown(field, sources));
                }
                let field = field.make_mut();
                if is_inside && field.name == OLD_NAME {
                    field.alias.get_or_insert(OLD_NAME);
                    field.name = NEW_NAME;
                }
                let is_inside = is_inside || matches!(field.name.as_str(), "__schema" | "__type");
                rename_in(&mut field.selection_set, is_inside, sources, errors);
            }
            ast::Selection::InlineFragment(fragment) => {
                let fragment = fragment.make_mut();
                rename_in(&mut fragment.selection_set, is_inside, sources, errors);
            }
            ast::Selection::FragmentSpread(_) => {}
        }
    }
}

/// Renames `specifiedByURL` in the response to the name that graphql-java 18 has for it, where `__Type` is listed.
pub fn rename_listed(operation: &Operation, document: &ExecutableDocument, data: &mut Value) {
    let fields = operation.root_fields(document);
    let introspected = fields.filter(|field| matches!(field.name.as_str(), "__schema" | "__type"));
    for field in introspected {
        if let Some(value) = data.get_mut(field.response_key().as_str()) {
            rename_texts(value);
        }
    }
}

fn rename_texts(value: &mut Value) {
    match value {
        Value::String(text) if *text == NEW_NAME.as_str() => OLD_NAME.as_str().clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(rename_texts),
        Value::Object(members) => members.values_mut().for_each(rename_texts),
        _ => {}
    }
}

fn unknown(field: &Node<ast::Field>, sources: &SourceMap) -> GraphQLError {
    let message = format!(
        "Validation error of type FieldUndefined: Field '{}' in type '__Type' is undefined",
        field.name
    );
    GraphQLError::new(message, field.location(), sources)
}
