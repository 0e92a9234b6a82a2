//! An object type as a table or a user-defined type.

use apollo_compiler::Node;
use apollo_compiler::ast::ObjectTypeDefinition;

use super::field::{self, Field, Role};
use super::target::{self, Target};
use crate::first::directives;
use crate::first::problems::{Problems, Skip};
use crate::first::sdl;
use crate::first::sdl::Sdl;

/// An object type that is stored.
#[derive(Debug)]
pub struct Entity {
    pub name: String,
    pub cql_name: String,
    pub target: Target,
    /// Partition key, clustering columns, then the others, each in the order of the schema.
    pub fields: Vec<Field>,
    partition_key: usize,
    primary_key: usize,
    /// The name of the input type to generate.
    pub input: Option<String>,
}

impl Entity {
    pub fn partition_key(&self) -> &[Field] {
        &self.fields[..self.partition_key]
    }

    pub fn clustering_columns(&self) -> &[Field] {
        &self.fields[self.partition_key..self.primary_key]
    }

    pub fn primary_key(&self) -> &[Field] {
        &self.fields[..self.primary_key]
    }

    pub fn regular_columns(&self) -> &[Field] {
        &self.fields[self.primary_key..]
    }

    /// Returns the index of a field, given its GraphQL name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// Maps an object type.
///
/// # Errors
/// [`Skip`] for a type without a key or without fields. An invalid field is reported and omitted.
pub fn build(
    object: &Node<ObjectTypeDefinition>,
    sdl: &Sdl,
    problems: &mut Problems,
) -> Result<Entity, Skip> {
    let at = object.location();
    let name = object.name.to_string();
    let directive = directives::find(&object.directives, "cql_entity");
    let cql_name = directive.text("name", problems);
    let target = target::of(object, problems);
    let input = directives::find(&object.directives, "cql_input");
    let input = input.is_there().then(|| {
        input.text("name", problems).unwrap_or_else(|| {
            problems.info(
                at,
                format!(
                    "{name}: using '{name}Input' as the input type name since @cql_input doesn't have an argument"
                ),
            );
            format!("{name}Input")
        })
    });
    if object.directives.has("key") {
        let message = format!("{name}: local Astra does not serve federation, remove @key");
        return Err(problems.invalid(at, message));
    }
    let owner = field::Owner {
        name: &name,
        cql_name: cql_name.as_deref().unwrap_or(&name),
        is_user_type: target == Target::UserType,
        has_input: input.is_some(),
    };
    let mut fields: Vec<Field> = object
        .fields
        .iter()
        .filter_map(|definition| field::build(definition, owner, sdl, problems).ok())
        .collect();
    let has_key = fields.iter().any(|field| field.role == Role::PartitionKey);
    if target == Target::Table && !has_key {
        // The first field that is no clustering column can stand in.
        let first = fields.iter_mut().find(|field| field.role == Role::Regular);
        match first.filter(|field| sdl::is_uuid(&field.typ)) {
            Some(field) => {
                let message = format!(
                    "{name}: using {} as the partition key, because it has type {} and no other fields are annotated",
                    field.name,
                    sdl::nullable(&field.typ),
                );
                problems.info(at, message);
                field.role = Role::PartitionKey;
            }
            None => {
                let message = format!(
                    "{name} must have at least one partition key field (use scalar type ID, Uuid or TimeUuid \
                     for the first field, or annotate your fields with @cql_column(partitionKey: true))"
                );
                return Err(problems.invalid(at, message));
            }
        }
    }
    if fields.is_empty() {
        return Err(problems.invalid(at, format!("{name} must have at least one field")));
    }
    fields.sort_by_key(|field| field.role.rank());
    let count = |rank| fields.iter().filter(|f| f.role.rank() <= rank).count();
    Ok(Entity {
        partition_key: count(Role::PartitionKey.rank()),
        primary_key: count(Role::Regular.rank() - 1),
        cql_name: cql_name.unwrap_or_else(|| name.clone()),
        name,
        target,
        fields,
        input,
    })
}
