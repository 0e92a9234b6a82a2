//! A field of the mutation type as an INSERT, UPDATE or DELETE.

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use scylla::statement::{Consistency, SerialConsistency};

use super::arguments::{self, Increment, Statement, Technical};
use super::conditions::{self, Condition, Predicate};
use super::entity::Entity;
use super::query::read_consistency;
use super::returns::{self, Returns, Shape};
use super::{Known, duration};
use crate::first::directives;
use crate::first::directives::Use;
use crate::first::problems::{Problems, Skip};

#[derive(Debug)]
pub struct Mutation {
    pub entity: Arc<Entity>,
    pub kind: Kind,
    pub returns: Returns,
    pub consistency: Option<Consistency>,
    pub serial_consistency: Option<SerialConsistency>,
    /// In seconds. Not for a DELETE.
    pub ttl: Option<i32>,
    /// The argument with the write time. Not for a DELETE.
    pub timestamp: Option<Technical>,
}

#[derive(Debug)]
pub enum Kind {
    Insert {
        /// The argument with the entity, or with a list of them.
        argument: String,
        is_list: bool,
        if_not_exists: bool,
    },
    Update(Change),
    Delete(Change),
}

/// The rows of an UPDATE or DELETE, and the way they are specified.
#[derive(Debug)]
pub struct Change {
    /// The argument with the entity. If `None`, the values are separate arguments.
    pub argument: Option<String>,
    pub conditions: Vec<Condition>,
    pub if_conditions: Vec<Condition>,
    pub if_exists: bool,
    pub increments: Vec<Increment>,
}

/// Maps a field of the mutation type.
///
/// # Errors
/// [`Skip`] if its purpose is unclear, or if it cannot be one statement.
pub fn build(
    field: &Node<FieldDefinition>,
    known: Known<'_>,
    problems: &mut Problems,
) -> Result<Mutation, Skip> {
    let statement = kind(field, problems)?;
    let mut builder = Builder {
        field,
        known,
        problems,
        directive: directives::find(&field.directives, statement.directive),
    };
    match statement.name {
        "INSERT" => builder.insert(),
        "UPDATE" => builder.change(Statement::Update),
        _ => builder.change(Statement::Delete),
    }
}

/// A kind of statement, with the signs by which a mutation is recognized as one.
struct Sign {
    name: &'static str,
    directive: &'static str,
    prefixes: &'static [&'static str],
}

const SIGNS: [Sign; 3] = [
    Sign {
        name: "INSERT",
        directive: "cql_insert",
        prefixes: &["insert", "create", "bulk"],
    },
    Sign {
        name: "UPDATE",
        directive: "cql_update",
        prefixes: &["update"],
    },
    Sign {
        name: "DELETE",
        directive: "cql_delete",
        prefixes: &["delete", "remove"],
    },
];

fn kind(field: &Node<FieldDefinition>, problems: &mut Problems) -> Result<&'static Sign, Skip> {
    let by_directive = |sign: &&Sign| field.directives.has(sign.directive);
    if let Some(sign) = SIGNS.iter().find(by_directive) {
        return Ok(sign);
    }
    for sign in &SIGNS {
        let prefix = sign
            .prefixes
            .iter()
            .find(|prefix| field.name.starts_with(**prefix));
        if let Some(prefix) = prefix {
            let message = format!(
                "Mutation {}: mapping to a CQL {} because it starts with '{prefix}'",
                field.name, sign.name
            );
            problems.info(field.location(), message);
            return Ok(sign);
        }
    }
    let message = format!(
        "Mutation {}: could not infer mutation kind. Either use one of the mutation directives (cql_insert, \
         cql_update, cql_delete), or name your operation with a recognized prefix.",
        field.name
    );
    Err(problems.invalid(field.location(), message))
}

struct Builder<'a> {
    field: &'a Node<FieldDefinition>,
    known: Known<'a>,
    problems: &'a mut Problems,
    directive: Use<'a>,
}

impl Builder<'_> {
    fn insert(&mut self) -> Result<Mutation, Skip> {
        let if_not_exists = self.flag("ifNotExists", "IfNotExists");
        let inputs = &self.field.arguments;
        let Some(input) = inputs.first() else {
            return Err(
                self.invalid("inserts must take the entity input type as the first argument")
            );
        };
        if inputs.len() > 2 {
            return Err(self.invalid(
                "inserts can't have more than two arguments: entity input and optionally a value with \
                 cql_timestamp directive",
            ));
        }
        let (Some(entity), is_list) = self.entity_of(input) else {
            return Err(self.invalid(
                "unexpected argument type, inserts expect an input object that maps to a CQL entity",
            ));
        };
        let returns = self.returns()?;
        let is_entity = returns
            .entity()
            .is_some_and(|returned| returned.name == entity.name);
        if !is_entity && !matches!(returns.shape, Shape::Boolean) {
            self.invalid(&format!(
                "invalid return type. Expected {}, or a response payload that wraps a single instance of it or \
                 Boolean, or a list of those types.",
                entity.name
            ));
        }
        if is_list && !returns.is_list {
            self.invalid(&format!(
                "invalid return type. For bulk inserts, expected list of {}. ",
                entity.name
            ));
        }
        let timestamp = self.timestamp()?;
        if inputs.len() == 2 && timestamp.is_none() {
            self.invalid(
                "if you provided two arguments, the second one must be annotated with cql_timestamp directive.",
            );
        }
        let kind = Kind::Insert {
            argument: input.name.to_string(),
            is_list,
            if_not_exists,
        };
        Ok(self.mutation(entity, kind, returns, timestamp))
    }

    fn change(&mut self, statement: Statement) -> Result<Mutation, Skip> {
        let is_update = statement == Statement::Update;
        let (verb, directive) = if is_update {
            ("update", "cql_update")
        } else {
            ("delete", "cql_delete")
        };
        let if_exists = self.flag("ifExists", "IfExists");
        let returns = self.returns()?;
        self.check_answer(&returns, verb)?;
        let arguments = &self.field.arguments;
        let Some(first) = arguments.first() else {
            return Err(self.invalid(&format!(
                "{verb}s must take either the entity input type or a list of primary key fields"
            )));
        };
        let (entity, change) = if let (Some(entity), _) = self.entity_of(first) {
            if arguments.len() > 1 {
                let article = if is_update { "an" } else { "a" };
                return Err(self.invalid(&format!(
                    "if {article} {verb} takes an entity input type, it must be the only argument"
                )));
            }
            let change = Change {
                argument: Some(first.name.to_string()),
                conditions: conditions::of_primary_key(&entity),
                if_conditions: Vec::new(),
                if_exists,
                increments: Vec::new(),
            };
            (entity, change)
        } else {
            let entity = self.target_entity(verb, directive)?;
            let read = arguments::build(self.field, statement, &entity, self.known, self.problems)?;
            let change = Change {
                argument: None,
                conditions: read.conditions,
                if_conditions: read.if_conditions,
                if_exists,
                increments: read.increments,
            };
            self.check(&entity, &change, is_update)?;
            (entity, change)
        };
        let (kind, timestamp) = if is_update {
            (Kind::Update(change), self.timestamp()?)
        } else {
            (Kind::Delete(change), None)
        };
        Ok(self.mutation(entity, kind, returns, timestamp))
    }

    /// Checks the return type of an UPDATE or DELETE, which only reports if it was applied.
    fn check_answer(&mut self, returns: &Returns, verb: &str) -> Result<(), Skip> {
        match &returns.shape {
            Shape::Boolean if !returns.is_list => Ok(()),
            Shape::Payload(payload) if !returns.is_list => {
                if payload.has_paging_state {
                    let message = format!(
                        "Mutation {}: 'applied' is the only supported field in {verb} response payloads. Others \
                         will always be null (pagingState).",
                        self.field.name
                    );
                    self.problems.warn(self.field.location(), message);
                }
                Ok(())
            }
            _ => Err(self.invalid("invalid return type. Expected Boolean or a response payload")),
        }
    }

    fn check(&mut self, entity: &Entity, change: &Change, is_update: bool) -> Result<(), Skip> {
        let all: Vec<&Condition> = change.conditions.iter().collect();
        let checked = if is_update {
            conditions::check_update(entity, &all)
        } else {
            conditions::check_no_filtering(entity, &all)
        };
        checked.map_err(|message| self.invalid_operation(&message))?;
        if change.if_conditions.is_empty() {
            return Ok(());
        }
        let several = all.iter().find(|c| c.predicate == Predicate::In);
        if let Some(several) = several.filter(|_| is_update) {
            let message = format!(
                "IN predicates on primary key fields are not allowed if there are @cql_if conditions ({})",
                several.argument
            );
            return Err(self.invalid_operation(&message));
        }
        if change.if_exists {
            let message = "can't use @cql_if and ifExists at the same time";
            return Err(self.invalid_operation(message));
        }
        Ok(())
    }

    fn mutation(
        &mut self,
        entity: Arc<Entity>,
        kind: Kind,
        returns: Returns,
        timestamp: Option<Technical>,
    ) -> Mutation {
        let read = |name: &str| match name {
            "SERIAL" => Some(SerialConsistency::Serial),
            "LOCAL_SERIAL" => Some(SerialConsistency::LocalSerial),
            _ => None,
        };
        let consistency =
            self.directive
                .constant("consistencyLevel", read_consistency, self.problems);
        let serial_consistency = self
            .directive
            .constant("serialConsistency", read, self.problems);
        let ttl = match kind {
            Kind::Delete(_) => None,
            _ => self.ttl(),
        };
        Mutation {
            entity,
            kind,
            returns,
            consistency,
            serial_consistency,
            ttl,
            timestamp,
        }
    }

    /// Returns the entity whose input type an argument has, and true if it is a list of them.
    fn entity_of(&self, input: &InputValueDefinition) -> (Option<Arc<Entity>>, bool) {
        let (is_list, item) = match &*input.ty {
            Type::List(item) | Type::NonNullList(item) => (true, &**item),
            typ => (false, typ),
        };
        let entity = match item {
            Type::Named(name) | Type::NonNullNamed(name) => self.known.entities.of_input(name),
            _ => None,
        };
        (entity.cloned(), is_list)
    }

    fn target_entity(&mut self, verb: &str, directive: &str) -> Result<Arc<Entity>, Skip> {
        let Some(name) = self.directive.text("targetEntity", self.problems) else {
            return Err(self.invalid(&format!(
                "if a {verb} doesn't take an entity input type, it must indicate the entity name in \
                 '@{directive}.targetEntity'"
            )));
        };
        let entity = self.known.entities.get(&name).cloned();
        entity.ok_or_else(|| {
            self.invalid(&format!(
                "unknown entity {name} (from '@{directive}.targetEntity')"
            ))
        })
    }

    /// Returns a flag of the directive, or of the operation's name.
    fn flag(&mut self, name: &str, suffix: &str) -> bool {
        if let Some(flag) = self.directive.flag(name, self.problems) {
            return flag;
        }
        let by_name = self.field.name.ends_with(suffix);
        if by_name {
            let message = format!(
                "Mutation {}: setting the '{name}' flag implicitly because the name follows the naming convention.",
                self.field.name
            );
            self.problems.info(self.field.location(), message);
        }
        by_name
    }

    fn ttl(&mut self) -> Option<i32> {
        let text = self.directive.text("ttl", self.problems)?;
        let Some((seconds, cut)) = duration::read(&text) else {
            self.invalid(&format!(
                "can't parse TTL '{text}' (expected an integer or ISO-8601 duration string)"
            ));
            return None;
        };
        if cut {
            let message = format!(
                "Mutation {}: TTL's minimum granularity is seconds, the nanosecond part will be ignored",
                self.field.name
            );
            self.problems.warn(self.field.location(), message);
        }
        let ttl = i32::try_from(seconds).ok().filter(|ttl| *ttl >= 0);
        if ttl.is_none() {
            self.invalid("TTL must between 0 and 2^31 - 1 seconds");
        }
        ttl
    }

    fn timestamp(&mut self) -> Result<Option<Technical>, Skip> {
        let types = ["String", "BigInt"];
        arguments::technical(self.field, "cql_timestamp", &types, self.problems)
    }

    fn returns(&mut self) -> Result<Returns, Skip> {
        let label = format!("Mutation {}", self.field.name);
        returns::build(self.field, &label, self.known, self.problems)
    }

    fn invalid(&mut self, message: &str) -> Skip {
        let message = format!("Mutation {}: {message}", self.field.name);
        self.problems.invalid(self.field.location(), message)
    }

    fn invalid_operation(&mut self, message: &str) -> Skip {
        let message = format!("Operation {}: {message}", self.field.name);
        self.problems.invalid(self.field.location(), message)
    }
}
