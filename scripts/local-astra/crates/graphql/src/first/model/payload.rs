//! An object type that only wraps the result of an operation: `@cql_payload`.

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{ObjectTypeDefinition, Type};

use super::Entities;
use super::entity::Entity;
use crate::first::problems::Problems;

#[derive(Debug, Default)]
pub struct Payload {
    pub entity: Option<EntityField>,
    pub has_applied: bool,
    pub has_paging_state: bool,
}

/// The field of a payload with one entity or a list of them.
#[derive(Debug)]
pub struct EntityField {
    pub name: String,
    pub entity: Arc<Entity>,
    pub is_list: bool,
}

/// Maps a payload. An invalid field is reported and omitted.
pub fn build(
    object: &Node<ObjectTypeDefinition>,
    entities: &Entities,
    problems: &mut Problems,
) -> Payload {
    let at = object.location();
    let mut payload = Payload::default();
    for field in &object.fields {
        let named = |typ: &Type| match typ {
            Type::Named(name) | Type::NonNullNamed(name) => Some(name.to_string()),
            _ => None,
        };
        let (is_list, type_name) = match &field.ty {
            Type::List(item) | Type::NonNullList(item) => (true, named(item)),
            typ => (false, named(typ)),
        };
        let type_name = type_name.unwrap_or_default();
        if let Some(entity) = entities.get(&type_name) {
            if let Some(first) = &payload.entity {
                let message = format!(
                    "{}: both {} and {} reference a mapped entity. There can only be one such field.",
                    object.name, first.name, field.name
                );
                problems.invalid(at, message);
            } else {
                payload.entity = Some(EntityField {
                    name: field.name.to_string(),
                    entity: Arc::clone(entity),
                    is_list,
                });
            }
            continue;
        }
        match (field.name.as_str(), type_name.as_str(), is_list) {
            ("applied", "Boolean", false) => payload.has_applied = true,
            ("pagingState", "String", false) => payload.has_paging_state = true,
            (name, ..) => {
                let message = format!(
                    "{}: couldn't map field {name}. It doesn't match any of the predefined technical fields, nor \
                     does it reference a mapped entity.",
                    object.name
                );
                problems.invalid(at, message);
            }
        }
    }
    payload
}
