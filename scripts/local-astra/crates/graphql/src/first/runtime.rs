//! The schema for executing requests: the deployed one with the generated input types, the scalars it uses and
//! `@atomic`, without the `@cql_…` directives.

use std::collections::{BTreeSet, HashSet};

use apollo_compiler::ast::{
    Definition, DirectiveList, Document, FieldDefinition, InputValueDefinition,
};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Node, Schema};

use super::directives::DEFINITIONS;
use super::model::Model;
use super::model::entity::Entity;
use super::sdl::{self, Sdl};
use crate::scalars;

const ATOMIC: &str = "\"Instructs the server to apply the mutations in a LOGGED batch\"\n\
                      directive @atomic on MUTATION\n";
/// Directives that need no definition.
const BUILT_IN: [&str; 4] = ["skip", "include", "deprecated", "specifiedBy"];

/// Builds the schema of a model that has no errors.
///
/// # Errors
/// The problems of the types and directives, in one text as in a real Stargate.
pub fn build(sdl: &Sdl, model: &Model) -> Result<Valid<Schema>, String> {
    let own = Document::parse(DEFINITIONS, "cql_directives.graphql")
        .map_err(|error| error.errors.to_string())?;
    let undeclared = undeclared_directives(&sdl.document, &own);
    if !undeclared.is_empty() {
        return Err(format!("errors=[{}]", undeclared.join(", ")));
    }
    let unserved = unserved_types(&sdl.document);
    if !unserved.is_empty() {
        return Err(format!("errors=[{}]", unserved.join(", ")));
    }
    let referenced = referenced_types(&sdl.document);
    let mut additions = ATOMIC.to_owned();
    for name in &referenced {
        if scalars::by_name(name).is_some() && !sdl.defines(name) && !sdl.declares_scalar(name) {
            additions.push_str(&scalars::definition(name));
        }
    }
    for entity in model.entities.iter() {
        if let Some(input) = entity.input.as_ref().filter(|input| !sdl.defines(input)) {
            let fields = input_fields(entity, model)?;
            additions.push_str(&format!("input {input} {{ {fields} }}\n"));
        }
    }
    let listed = |errors: &apollo_compiler::validation::DiagnosticList| {
        let messages: Vec<String> = errors.iter().map(|error| error.error.to_string()).collect();
        format!("errors=[{}]", messages.join(", "))
    };
    let built = Schema::builder()
        .add_ast(&sdl.document)
        .add_ast(&own)
        .parse(additions, "generated.graphql")
        .build()
        .map_err(|error| listed(&error.errors))?;
    let valid = built.validate().map_err(|error| listed(&error.errors))?;
    let mut schema = valid.into_inner();
    for definition in &own.definitions {
        let Some(name) = definition.name() else {
            continue;
        };
        match definition {
            Definition::DirectiveDefinition(_) => {
                schema.directive_definitions.shift_remove(name);
            }
            _ if !referenced.contains(name.as_str()) => {
                schema.types.shift_remove(name);
            }
            _ => {}
        }
    }
    // It was valid, and only what nothing in it refers to is gone.
    Ok(Valid::assume_valid(schema))
}

/// Returns the fields of an entity's input type. A key that is generated if missing is optional.
fn input_fields(entity: &Entity, model: &Model) -> Result<String, String> {
    let mut fields = Vec::new();
    for field in &entity.fields {
        let typ = model.entities.to_input(&field.typ);
        let typ = typ.map_err(|name| format!("errors=[type {name} has no input type]"))?;
        let typ = if field.is_key() && sdl::is_uuid(&field.typ) {
            typ.nullable()
        } else {
            typ
        };
        fields.push(format!("{}: {typ}", field.name));
    }
    Ok(fields.join(" "))
}

/// Returns the types that a real Stargate has no code for.
fn unserved_types(document: &Document) -> Vec<String> {
    let definitions = document.definitions.iter();
    let unserved = definitions.filter_map(|definition| match definition {
        Definition::InterfaceTypeDefinition(_) | Definition::UnionTypeDefinition(_) => {
            let name = definition.name()?;
            Some(format!(
                "There is no type resolver defined for interface / union '{name}' type"
            ))
        }
        Definition::ScalarTypeDefinition(scalar) if scalars::by_name(&scalar.name).is_none() => {
            Some(format!(
                "There is no scalar implementation for the named '{}' scalar type",
                scalar.name
            ))
        }
        _ => None,
    });
    unserved.collect()
}

/// Returns the names of the types of all fields and arguments.
fn referenced_types(document: &Document) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    visit(document, &mut |part| match part {
        Part::Field(field) => {
            names.insert(field.ty.inner_named_type().to_string());
        }
        Part::Value(value) => {
            names.insert(value.ty.inner_named_type().to_string());
        }
        Part::Object(..) => {}
    });
    names
}

fn undeclared_directives(document: &Document, own: &Document) -> Vec<String> {
    let declared: HashSet<&str> = [document, own]
        .into_iter()
        .flat_map(|document| &document.definitions)
        .filter_map(Definition::as_directive_definition)
        .map(|definition| definition.name.as_str())
        .chain(BUILT_IN)
        .collect();
    let mut found = Vec::new();
    let mut check = |name: &str, at: Option<SourceSpan>, directives: &DirectiveList| {
        let place = at
            .and_then(|at| at.line_column(&document.sources))
            .map_or(String::new(), |at| format!(" [@{}:{}]", at.line, at.column));
        for directive in directives.iter() {
            if !declared.contains(directive.name.as_str()) {
                let directive = &directive.name;
                found.push(format!(
                    "'{name}'{place} tried to use an undeclared directive '{directive}'"
                ));
            }
        }
    };
    visit(document, &mut |part| match part {
        Part::Object(name, at, directives) => check(name, at, directives),
        Part::Field(field) => check(&field.name, field.location(), &field.directives),
        Part::Value(value) => check(&value.name, value.location(), &value.directives),
    });
    found
}

enum Part<'a> {
    Object(&'a str, Option<SourceSpan>, &'a DirectiveList),
    Field(&'a Node<FieldDefinition>),
    /// An argument, or a field of an input type.
    Value(&'a Node<InputValueDefinition>),
}

fn visit<'a>(document: &'a Document, visitor: &mut impl FnMut(Part<'a>)) {
    for definition in &document.definitions {
        let (fields, values) = match definition {
            Definition::ObjectTypeDefinition(object) => {
                let at = definition.location();
                visitor(Part::Object(&object.name, at, &object.directives));
                (&object.fields[..], &[][..])
            }
            Definition::ObjectTypeExtension(object) => (&object.fields[..], &[][..]),
            Definition::InterfaceTypeDefinition(interface) => (&interface.fields[..], &[][..]),
            Definition::InterfaceTypeExtension(interface) => (&interface.fields[..], &[][..]),
            Definition::InputObjectTypeDefinition(input) => (&[][..], &input.fields[..]),
            Definition::InputObjectTypeExtension(input) => (&[][..], &input.fields[..]),
            Definition::DirectiveDefinition(directive) => (&[][..], &directive.arguments[..]),
            _ => continue,
        };
        for field in fields {
            visitor(Part::Field(field));
            field
                .arguments
                .iter()
                .for_each(|argument| visitor(Part::Value(argument)));
        }
        values.iter().for_each(|value| visitor(Part::Value(value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::first::model;
    use crate::first::problems::Problems;

    fn built(text: &str) -> Result<Valid<Schema>, String> {
        let sdl = Sdl::parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let mut problems = Problems::new(&sdl.document.sources);
        let model = model::build(&sdl, &mut problems);
        assert_eq!(problems.errors, [], "{text}");
        build(&sdl, &model)
    }

    #[test]
    fn input_types_and_scalars_are_added_and_the_directives_are_gone() {
        let schema = built(
            "type Book @cql_input { id: ID! at: Date! @cql_column(clusteringOrder: ASC) n: [Int!]! place: Place } \
             type Place @cql_entity(target: UDT) @cql_input { zip: BigInt } \
             type Query { book(id: ID!): Book } \
             type Mutation { insertBook(book: BookInput!, at: BigInt @cql_timestamp): Book }",
        )
        .unwrap();
        let input = schema.get_input_object("BookInput").unwrap();
        let fields: Vec<String> = input
            .fields
            .values()
            .map(|field| format!("{}: {}", field.name, field.ty))
            .collect();
        assert_eq!(
            fields,
            ["id: ID", "at: Date!", "n: [Int!]!", "place: PlaceInput"]
        );
        assert!(schema.get_scalar("BigInt").is_some());
        assert!(schema.get_scalar("Uuid").is_none(), "only what is used");
        assert!(schema.directive_definitions.contains_key("atomic"));
        let left = |name: &str| {
            schema.types.contains_key(name) || schema.directive_definitions.contains_key(name)
        };
        for name in ["cql_input", "cql_timestamp", "Predicate", "EntityTarget"] {
            assert!(!left(name), "{name}");
        }
    }

    #[test]
    fn a_schema_that_does_not_hold_together_is_refused() {
        let tail = "type Query { book(id: ID!): Book }";
        assert_eq!(
            built(&format!("type Book @nope {{ id: ID! }} {tail}")).unwrap_err(),
            "errors=['Book' [@1:1] tried to use an undeclared directive 'nope']"
        );
        for (text, part) in [
            (
                "type Book @cql_entity(nope: 1) { id: ID! } type Query { book(id: ID!): Book }",
                "nope",
            ),
            (
                "type Book @cql_input { id: ID! } type Query { book(id: ID!): Book } \
                 type Mutation { updateBook(id: ID, x: Nope @cql_timestamp, n: BookInput): Boolean @cql_update(targetEntity: \"Book\") }",
                "",
            ),
        ] {
            let sdl = Sdl::parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
            let mut problems = Problems::new(&sdl.document.sources);
            let model = model::build(&sdl, &mut problems);
            assert!(build(&sdl, &model).unwrap_err().contains(part), "{text}");
        }
    }
}
