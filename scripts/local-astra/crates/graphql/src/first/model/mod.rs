//! Mapping of a user's schema to tables, user-defined types and statements.
//!
//! The rules and the messages are those of Stargate 2.0.51 (its `graphqlfirst.processor` package).
//!
//! - [`entity`], [`field`], [`index`]: object types as tables and user-defined types; [`target`]: which of both
//! - [`payload`]: object types that only wrap responses
//! - [`arguments`]: meaning of the arguments of an operation; [`conditions`]: checks that they fit their fields and
//!   each other
//! - [`query`], [`mutation`]: operations as statements; [`returns`]: their return types; [`duration`]: a TTL as text

pub mod arguments;
pub mod conditions;
mod duration;
pub mod entity;
pub mod field;
pub mod index;
pub mod mutation;
pub mod payload;
pub mod query;
pub mod returns;
pub mod target;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{ObjectTypeDefinition, OperationType, Type};

use super::directives;
use super::problems::{Kind, Problems};
use super::sdl::Sdl;
use entity::Entity;
use mutation::Mutation;
use payload::Payload;
use query::Query;

/// A schema, mapped.
#[derive(Debug, Default)]
pub struct Model {
    pub entities: Entities,
    /// By the name of the field of the query type.
    pub queries: HashMap<String, Query>,
    /// By the name of the field of the mutation type.
    pub mutations: HashMap<String, Mutation>,
}

/// The entities of a schema, in its order.
#[derive(Debug, Default)]
pub struct Entities {
    all: Vec<Arc<Entity>>,
    by_name: HashMap<String, usize>,
    by_input: HashMap<String, usize>,
}

impl Entities {
    fn add(&mut self, entity: Entity) {
        let at = self.all.len();
        self.by_name.insert(entity.name.clone(), at);
        if let Some(input) = &entity.input {
            self.by_input.entry(input.clone()).or_insert(at);
        }
        self.all.push(Arc::new(entity));
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entity>> {
        self.all.iter()
    }

    /// Returns the entity of an object type.
    pub fn get(&self, name: &str) -> Option<&Arc<Entity>> {
        self.by_name.get(name).map(|at| &self.all[*at])
    }

    /// Returns the entity of a generated input type.
    pub fn of_input(&self, name: &str) -> Option<&Arc<Entity>> {
        self.by_input.get(name).map(|at| &self.all[*at])
    }

    /// Replaces every entity in the type by its input type.
    ///
    /// # Errors
    /// The name of an entity without an input type.
    pub fn to_input(&self, typ: &Type) -> Result<Type, String> {
        Ok(match typ {
            Type::List(item) => Type::List(Box::new(self.to_input(item)?)),
            Type::NonNullList(item) => Type::NonNullList(Box::new(self.to_input(item)?)),
            Type::Named(name) => self.input_name(name)?,
            Type::NonNullNamed(name) => self.input_name(name)?.non_null(),
        })
    }

    fn input_name(&self, name: &apollo_compiler::Name) -> Result<Type, String> {
        let Some(entity) = self.get(name) else {
            return Ok(Type::Named(name.clone()));
        };
        let input = entity.input.as_deref();
        let input = input.and_then(|input| apollo_compiler::Name::new(input).ok());
        input.map(Type::Named).ok_or_else(|| name.to_string())
    }
}

/// Maps a schema. The result is only valid if `problems` has no errors afterwards.
pub fn build(sdl: &Sdl, problems: &mut Problems) -> Model {
    let query = sdl.root(OperationType::Query);
    let mutation = sdl.root(OperationType::Mutation);
    let subscription = sdl.root(OperationType::Subscription);
    if let Some(subscription) = subscription {
        problems.invalid(
            subscription.location(),
            "This GraphQL implementation does not support subscriptions",
        );
    }
    let roots = [query, mutation, subscription];
    let is_root = |object: &Node<ObjectTypeDefinition>| {
        roots.iter().flatten().any(|root| root.name == object.name)
    };
    let mut model = Model::default();
    let others = || sdl.objects().filter(|object| !is_root(object));
    for object in others().filter(|object| !is_payload(object)) {
        if let Ok(entity) = entity::build(object, sdl, problems) {
            model.entities.add(entity);
        }
    }
    if query.is_none() {
        let message = "A schema MUST have a 'query' operation defined";
        problems.error(Kind::Syntax, None, message);
    }
    let payloads: HashMap<String, Arc<Payload>> = others()
        .filter(|object| is_payload(object))
        .map(|object| {
            let payload = payload::build(object, &model.entities, problems);
            (object.name.to_string(), Arc::new(payload))
        })
        .collect();
    let known = Known {
        entities: &model.entities,
        payloads: &payloads,
    };
    for field in query.iter().flat_map(|query| &query.fields) {
        if let Ok(query) = query::build(field, known, problems) {
            model.queries.insert(field.name.to_string(), query);
        }
    }
    for field in mutation.iter().flat_map(|mutation| &mutation.fields) {
        if let Ok(mutation) = mutation::build(field, known, problems) {
            model.mutations.insert(field.name.to_string(), mutation);
        }
    }
    model
}

fn is_payload(object: &Node<ObjectTypeDefinition>) -> bool {
    directives::find(&object.directives, "cql_payload").is_there()
}

/// Types that operations can refer to.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub entities: &'a Entities,
    pub payloads: &'a HashMap<String, Arc<Payload>>,
}
