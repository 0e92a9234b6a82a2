//! The target of an object type: a table or a user-defined type.

use apollo_compiler::Node;
use apollo_compiler::ast::ObjectTypeDefinition;

use crate::first::directives;
use crate::first::problems::Problems;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Table,
    UserType,
}

/// Returns the table or user-defined type that an object type maps to.
pub fn of(object: &Node<ObjectTypeDefinition>, problems: &mut Problems) -> Target {
    let directive = directives::find(&object.directives, "cql_entity");
    let read = |name: &str| match name {
        "TABLE" => Some(Target::Table),
        "UDT" => Some(Target::UserType),
        _ => None,
    };
    let target = directive.constant("target", read, problems);
    target.unwrap_or(Target::Table)
}
