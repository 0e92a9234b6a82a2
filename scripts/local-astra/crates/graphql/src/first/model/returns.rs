//! Return types of operations.

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{FieldDefinition, Type};

use super::Known;
use super::entity::Entity;
use super::payload::Payload;
use crate::first::problems::{Problems, Skip};
use crate::first::sdl;

/// The return type, or the type of the elements of a list.
#[derive(Clone, Debug)]
pub enum Shape {
    Boolean,
    Entity(Arc<Entity>),
    Payload(Arc<Payload>),
}

#[derive(Clone, Debug)]
pub struct Returns {
    pub shape: Shape,
    pub is_list: bool,
}

impl Returns {
    /// Returns the returned entity, directly or inside a payload.
    pub fn entity(&self) -> Option<&Arc<Entity>> {
        match &self.shape {
            Shape::Boolean => None,
            Shape::Entity(entity) => Some(entity),
            Shape::Payload(payload) => Some(&payload.entity.as_ref()?.entity),
        }
    }
}

/// Reads the return type of an operation. Messages call it `label`.
///
/// # Errors
/// [`Skip`] for a type that is neither a [`Shape`] nor a list of one.
pub fn build(
    operation: &Node<FieldDefinition>,
    label: &str,
    known: Known<'_>,
    problems: &mut Problems,
) -> Result<Returns, Skip> {
    let (is_list, name) = match &operation.ty {
        Type::Named(name) | Type::NonNullNamed(name) => (false, Some(name)),
        Type::List(item) | Type::NonNullList(item) => match &**item {
            Type::Named(name) | Type::NonNullNamed(name) => (true, Some(name)),
            _ => (true, None),
        },
    };
    let shape = name.and_then(|name| {
        if name == "Boolean" {
            return Some(Shape::Boolean);
        }
        if let Some(entity) = known.entities.get(name) {
            return Some(Shape::Entity(Arc::clone(entity)));
        }
        let payload = known.payloads.get(name.as_str())?;
        Some(Shape::Payload(Arc::clone(payload)))
    });
    match shape {
        Some(shape) => Ok(Returns { shape, is_list }),
        None => {
            let message = format!(
                "{label}: unsupported return type {}",
                sdl::nullable(&operation.ty)
            );
            Err(problems.invalid(operation.location(), message))
        }
    }
}
