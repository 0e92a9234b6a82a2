//! A user's schema as text: parsed within limits, and its types looked up by name.

use std::collections::{HashMap, HashSet};

use apollo_compiler::Node;
use apollo_compiler::ast::{
    Definition, Document, EnumTypeDefinition, ObjectTypeDefinition, OperationType, Type,
};
use apollo_compiler::parser::{Parser, SourceMap, SourceSpan};
use scylla::cluster::metadata::NativeType;
use serde_json::{Value, json};

/// Maximum size of a schema in bytes. The longest one in practice has a few thousand.
const MAX_BYTES: usize = 1024 * 1024;
/// Maximum number of tokens: several times the need of a keyspace with 200 tables of 20 columns.
const MAX_TOKENS: usize = 200_000;
/// Maximum nesting depth of brackets, as in `[[[Int]]]`.
const MAX_DEPTH: usize = 64;

/// A parsed schema with its types by name.
pub struct Sdl {
    pub document: Document,
    objects: HashMap<String, Node<ObjectTypeDefinition>>,
    enums: HashMap<String, Node<EnumTypeDefinition>>,
    /// Interfaces, unions and input types.
    others: HashSet<String>,
    scalars: HashSet<String>,
}

/// Items of `extensions.schemaErrors`.
pub type SchemaErrors = Vec<Value>;

impl Sdl {
    /// Parses a schema.
    ///
    /// # Errors
    /// An invalid schema, a duplicate type, or a text beyond the limits.
    pub fn parse(text: &str) -> Result<Sdl, SchemaErrors> {
        if text.len() > MAX_BYTES {
            let message = format!("The schema has more than {MAX_BYTES} bytes");
            return Err(vec![schema_error(&message, None, &SourceMap::default())]);
        }
        let mut parser = Parser::new()
            .recursion_limit(MAX_DEPTH)
            .token_limit(MAX_TOKENS);
        let document = match parser.parse_ast(text, "schema.graphql") {
            Ok(document) => document,
            // The first error is the real one; those after it follow from it.
            Err(broken) => {
                let first = broken.errors.iter().next().map(|error| error.to_json());
                let message = first.as_ref().map_or("", |error| error.message.as_str());
                let locations: Vec<Value> = first
                    .as_ref()
                    .map_or(&[][..], |error| &error.locations)
                    .iter()
                    .map(|at| json!({"line": at.line, "column": at.column}))
                    .collect();
                return Err(vec![json!({
                    "message": format!("Invalid Syntax : {message}"),
                    "locations": locations,
                    "extensions": {"classification": "InvalidSyntax"},
                })]);
            }
        };
        if document.definitions.is_empty() {
            let message = "Invalid Syntax : offending token '<EOF>' at line 1 column 1";
            return Err(vec![json!({
                "message": message,
                "locations": [{"line": 1, "column": 1}],
                "extensions": {"classification": "InvalidSyntax"},
            })]);
        }
        Sdl::index(document)
    }

    fn index(document: Document) -> Result<Sdl, SchemaErrors> {
        let mut sdl = Sdl {
            document: Document::new(),
            objects: HashMap::new(),
            enums: HashMap::new(),
            others: HashSet::new(),
            scalars: HashSet::new(),
        };
        let mut names: HashMap<String, Option<SourceSpan>> = HashMap::new();
        let mut errors = Vec::new();
        for definition in &document.definitions {
            let at = definition.location();
            let name = definition.name().map(ToString::to_string);
            let name = name.unwrap_or_default();
            match definition {
                Definition::OperationDefinition(_) | Definition::FragmentDefinition(_) => {
                    let message = "All definitions in a schema must be types, directives or the schema itself";
                    errors.push(schema_error(message, at, &document.sources));
                    continue;
                }
                Definition::ObjectTypeDefinition(object) => {
                    sdl.objects.insert(name.clone(), object.clone());
                }
                Definition::EnumTypeDefinition(constants) => {
                    sdl.enums.insert(name.clone(), constants.clone());
                }
                Definition::ScalarTypeDefinition(_) => {
                    sdl.scalars.insert(name.clone());
                }
                Definition::InterfaceTypeDefinition(_)
                | Definition::UnionTypeDefinition(_)
                | Definition::InputObjectTypeDefinition(_) => {
                    sdl.others.insert(name.clone());
                }
                _ => continue,
            }
            if names.insert(name.clone(), at).is_some() {
                let message = format!("'{name}' tried to redefine existing '{name}' type");
                errors.push(schema_error(&message, at, &document.sources));
            }
        }
        sdl.document = document;
        if errors.is_empty() {
            Ok(sdl)
        } else {
            Err(errors)
        }
    }

    /// Returns the object types in the order of the text.
    pub fn objects(&self) -> impl Iterator<Item = &Node<ObjectTypeDefinition>> {
        self.document
            .definitions
            .iter()
            .filter_map(Definition::as_object_type_definition)
    }

    pub fn object(&self, name: &str) -> Option<&Node<ObjectTypeDefinition>> {
        self.objects.get(name)
    }

    pub fn is_enum(&self, name: &str) -> bool {
        self.enums.contains_key(name)
    }

    /// Returns true for an interface, a union or an input type.
    pub fn is_other_type(&self, name: &str) -> bool {
        self.others.contains(name)
    }

    /// Returns true if the user declared this scalar.
    pub fn declares_scalar(&self, name: &str) -> bool {
        self.scalars.contains(name)
    }

    /// Returns true if the user defined an object, enum, interface, union or input type of this name.
    pub fn defines(&self, name: &str) -> bool {
        self.objects.contains_key(name) || self.is_enum(name) || self.is_other_type(name)
    }

    /// Returns the object type of an operation: the one in `schema { … }`, or the one with the default name.
    pub fn root(&self, operation: OperationType) -> Option<&Node<ObjectTypeDefinition>> {
        let declared = self.document.definitions.iter().find_map(|definition| {
            let schema = definition.as_schema_definition()?;
            let root = schema
                .root_operations
                .iter()
                .find(|root| root.0 == operation);
            root.map(|root| root.1.clone())
        });
        let name = declared.unwrap_or_else(|| operation.default_type_name());
        self.object(&name)
    }
}

fn schema_error(message: &str, at: Option<SourceSpan>, sources: &SourceMap) -> Value {
    let at = at.and_then(|at| at.line_column(sources));
    let locations: Vec<Value> = at
        .into_iter()
        .map(|at| json!({"line": at.line, "column": at.column}))
        .collect();
    json!({
        "message": message,
        "locations": locations,
        "extensions": {"classification": "ValidationError"},
    })
}

/// Returns the CQL type of one of GraphQL's own scalars.
pub fn built_in_scalar(name: &str) -> Option<NativeType> {
    Some(match name {
        "Boolean" => NativeType::Boolean,
        "Float" => NativeType::Double,
        "ID" => NativeType::Uuid,
        "Int" => NativeType::Int,
        "String" => NativeType::Text,
        _ => return None,
    })
}

/// Returns `T` for `T!`, and other types unchanged.
pub fn nullable(typ: &Type) -> Type {
    typ.clone().nullable()
}

/// Returns true for the types whose values Stargate generates, nullable or not.
pub fn is_uuid(typ: &Type) -> bool {
    matches!(typ, Type::Named(name) | Type::NonNullNamed(name) if matches!(name.as_str(), "ID" | "Uuid" | "TimeUuid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        let errors = Sdl::parse(text)
            .err()
            .unwrap_or_else(|| panic!("{text} was accepted"));
        Value::Array(errors).to_string()
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert!(errors("type Broken {").contains("InvalidSyntax"));
        assert!(errors("").contains("<EOF>"));
        assert!(errors("{ books { title } }").contains("must be types"));
        assert!(errors("type A { a: Int } type A { b: Int }").contains("redefine existing 'A'"));
        assert!(
            errors("type A { a: Int } enum A { B }").contains("redefine existing 'A'"),
            "a name is taken whatever it names"
        );
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused() {
        let deep = format!(
            "type A {{ a: {}Int{} }}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(errors(&deep).contains("limit"), "{}", errors(&deep));
        let many = "type A { a: Int } ".repeat(50_000);
        assert!(errors(&many).contains("limit"), "{}", errors(&many));
        assert!(errors(&"#".repeat(MAX_BYTES + 1)).contains("bytes"));
        let values = format!(
            "type A {{ a(x: Int = {}1{}): Int }}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        assert!(errors(&values).contains("limit"), "{}", errors(&values));
    }

    #[test]
    fn the_operations_may_have_other_types() {
        let sdl = Sdl::parse(
            "schema { query: Questions } type Questions { a: Int } type Query { b: Int }",
        )
        .unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(sdl.root(OperationType::Query).unwrap().name, "Questions");
        assert!(sdl.root(OperationType::Mutation).is_none());
    }
}
