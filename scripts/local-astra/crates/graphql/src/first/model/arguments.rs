//! Meaning of the arguments of an operation: conditions, increments, values.

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};

use super::Known;
use super::conditions::{self, Condition, Predicate, Wanted};
use super::entity::Entity;
use crate::first::directives;
use crate::first::directives::Use;
use crate::first::problems::{Problems, Skip};
use crate::first::sdl;
use store::types::TypeName;

/// Directives of which an argument can have at most one.
const DIRECTIVES: [&str; 5] = [
    "cql_pagingState",
    "cql_where",
    "cql_if",
    "cql_increment",
    "cql_timestamp",
];

/// The statement that the arguments are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    Select,
    Update,
    Delete,
}

/// An argument that is added to a counter, list or set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    /// Index of the field in the entity.
    pub field: usize,
    /// Only for a list.
    pub prepend: bool,
    pub argument: String,
}

#[derive(Clone, Debug, Default)]
pub struct Arguments {
    pub conditions: Vec<Condition>,
    pub if_conditions: Vec<Condition>,
    pub increments: Vec<Increment>,
}

/// Reads the arguments of an operation on an entity.
///
/// # Errors
/// [`Skip`] after all arguments were processed.
pub fn build(
    operation: &Node<FieldDefinition>,
    statement: Statement,
    entity: &Arc<Entity>,
    known: Known<'_>,
    problems: &mut Problems,
) -> Result<Arguments, Skip> {
    let mut arguments = Arguments::default();
    let mut failed = false;
    for argument in &operation.arguments {
        let mut reader = Reader {
            operation: &operation.name,
            statement,
            entity,
            known,
            argument,
            problems: &mut *problems,
        };
        failed |= reader.read(&mut arguments).is_err();
    }
    if failed { Err(Skip) } else { Ok(arguments) }
}

struct Reader<'a> {
    operation: &'a str,
    statement: Statement,
    entity: &'a Arc<Entity>,
    known: Known<'a>,
    argument: &'a Node<InputValueDefinition>,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn read(&mut self, arguments: &mut Arguments) -> Result<(), Skip> {
        let used: Vec<&str> = DIRECTIVES
            .into_iter()
            .filter(|name| self.argument.directives.has(name))
            .collect();
        if used.len() > 1 {
            let used: Vec<String> = used.iter().map(|name| format!("@{name}")).collect();
            let used = used.join(",");
            let message = format!("argument {} can only use one of {used}", self.argument.name);
            return Err(self.invalid(&message));
        }
        let directive = directives::find(
            &self.argument.directives,
            used.first().copied().unwrap_or(""),
        );
        if directive.is("cql_pagingState") || directive.is("cql_timestamp") {
            return Ok(());
        }
        let name = directive.text("field", self.problems);
        let name = name.unwrap_or_else(|| self.argument.name.to_string());
        let Some(field) = self.entity.position(&name) else {
            let message = format!("could not find field {name} in type {}", self.entity.name);
            return Err(self.invalid(&message));
        };
        match self.statement {
            Statement::Select => {
                if directive.is("cql_if") || directive.is("cql_increment") {
                    self.not_allowed(directive, "SELECT arguments");
                }
                let condition = self.condition(field, directive)?;
                arguments.conditions.push(condition);
            }
            Statement::Delete => {
                if directive.is("cql_increment") {
                    self.not_allowed(directive, "DELETE arguments");
                }
                let condition = self.condition(field, directive)?;
                if directive.is("cql_if") {
                    arguments.if_conditions.push(condition);
                } else {
                    arguments.conditions.push(condition);
                }
            }
            Statement::Update => self.read_for_update(field, directive, arguments)?,
        }
        Ok(())
    }

    fn read_for_update(
        &mut self,
        field: usize,
        directive: Use<'_>,
        arguments: &mut Arguments,
    ) -> Result<(), Skip> {
        match (self.entity.fields[field].is_key(), directive.name()) {
            (true, Some("cql_if" | "cql_increment")) => {
                return Err(self.not_allowed(directive, "UPDATE primary key arguments"));
            }
            (true, _) => {
                let condition = self.condition(field, directive)?;
                arguments.conditions.push(condition);
            }
            (false, Some("cql_where")) => {
                return Err(self.not_allowed(directive, "UPDATE non-primary key arguments"));
            }
            (false, Some("cql_if")) => {
                let condition = self.condition(field, directive)?;
                arguments.if_conditions.push(condition);
            }
            (false, Some("cql_increment")) => {
                let increment = self.increment(field, directive)?;
                arguments.increments.push(increment);
            }
            // A value to be set.
            (false, _) => {}
        }
        Ok(())
    }

    fn condition(&mut self, at: usize, directive: Use<'_>) -> Result<Condition, Skip> {
        let predicate = directive
            .constant("predicate", Predicate::read, self.problems)
            .unwrap_or(Predicate::Eq);
        let field = &self.entity.fields[at];
        let is_if = directive.is("cql_if") && self.statement != Statement::Select;
        let wanted = if is_if {
            conditions::fits_if(field, predicate)
        } else {
            conditions::fits_where(field, predicate, &self.argument.name)
        };
        let wanted = wanted.map_err(|message| self.invalid(&message))?;
        if wanted != Wanted::Anything {
            self.check_type(at, wanted)?;
        }
        Ok(Condition {
            field: at,
            predicate,
            argument: self.argument.name.to_string(),
        })
    }

    fn check_type(&mut self, at: usize, wanted: Wanted) -> Result<(), Skip> {
        let input = self.input_type(at)?;
        let name = &self.argument.name;
        let Some(expected) = conditions::wanted_type(wanted, input) else {
            let message = format!(
                "CONTAINS predicate cannot be used with argument {name} because it is not a list"
            );
            return Err(self.invalid(&message));
        };
        if sdl::nullable(&self.argument.ty) == expected {
            return Ok(());
        }
        let what = if wanted == Wanted::Element {
            "element type of "
        } else {
            ""
        };
        let message = format!(
            "expected argument {name} to have type {expected} to match {what}{}.{}",
            self.entity.name, self.entity.fields[at].name
        );
        let skip = self.invalid(&message);
        // A wrong list is reported, and the next argument is looked at as if it were right.
        if wanted == Wanted::Same {
            Err(skip)
        } else {
            Ok(())
        }
    }

    fn increment(&mut self, at: usize, directive: Use<'_>) -> Result<Increment, Skip> {
        let prepend = directive.flag("prepend", self.problems).unwrap_or(false);
        let field = &self.entity.fields[at];
        let input = self.input_type(at)?;
        let name = &self.argument.name;
        let is_counter = matches!(&input, Type::Named(name) if name == "Counter");
        let is_list = input.is_list();
        if !is_counter && !is_list {
            let message = "@cql_increment can only be applied to counter or collection fields";
            return Err(self.invalid(message));
        }
        let is_set = matches!(field.cql_type.thawed(), TypeName::Set(_));
        if prepend && (is_counter || is_set) {
            let message = "@cql_increment.prepend can only be applied to list fields";
            return Err(self.invalid(message));
        }
        let given = sdl::nullable(&self.argument.ty);
        if is_counter {
            let numbers = ["Int", "BigInt", "Counter"];
            if !matches!(&given, Type::Named(name) if numbers.contains(&name.as_str())) {
                let message = format!(
                    "expected argument {name} to have a valid counter increment type (one of: {})",
                    numbers.join(", ")
                );
                return Err(self.invalid(&message));
            }
        } else if given != input {
            let message = format!(
                "expected argument {name} to have type: {input} to match {}.{}",
                self.entity.name, field.name
            );
            return Err(self.invalid(&message));
        }
        Ok(Increment {
            field: at,
            prepend,
            argument: name.to_string(),
        })
    }

    /// Returns the type of a field as an argument, without its `!`.
    fn input_type(&mut self, at: usize) -> Result<Type, Skip> {
        let field = &self.entity.fields[at];
        let typ = self.known.entities.to_input(&sdl::nullable(&field.typ));
        typ.map_err(|name| {
            let message = format!(
                "can't infer expected input type for {} (matching {}.{}) because type {name} has no input type",
                self.argument.name, self.entity.name, field.name
            );
            self.invalid(&message)
        })
    }

    fn not_allowed(&mut self, directive: Use<'_>, place: &str) -> Skip {
        let message = format!(
            "@{} is not allowed on {place} ({})",
            directive.name().unwrap_or_default(),
            self.argument.name
        );
        self.invalid(&message)
    }

    fn invalid(&mut self, message: &str) -> Skip {
        let message = format!("Operation {}: {message}", self.operation);
        self.problems.invalid(self.argument.location(), message)
    }
}

/// An argument that is neither a condition nor a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technical {
    pub argument: String,
    /// The name of its type.
    pub typ: String,
}

/// Returns the only argument with a directive, which must have one of the types.
///
/// # Errors
/// [`Skip`] for another type, and for a second argument.
pub fn technical(
    operation: &Node<FieldDefinition>,
    directive: &str,
    types: &[&str],
    problems: &mut Problems,
) -> Result<Option<Technical>, Skip> {
    let mut found: Option<Technical> = None;
    for argument in &operation.arguments {
        if !argument.directives.has(directive) {
            continue;
        }
        let at = operation.location();
        let label = format!("Query {}", operation.name);
        let typ = sdl::nullable(&argument.ty);
        if !matches!(&typ, Type::Named(name) if types.contains(&name.as_str())) {
            let wanted = match types {
                [one] => format!("type {one}"),
                several => format!("one of the types [{}]", several.join(", ")),
            };
            let message = format!(
                "{label}: argument {} annotated with @{directive} must have {wanted}",
                argument.name
            );
            return Err(problems.invalid(at, message));
        }
        if let Some(first) = found {
            let message = format!(
                "{label}: @{directive} can be used on at most one argument (found {} and {})",
                first.argument, argument.name
            );
            return Err(problems.invalid(at, message));
        }
        found = Some(Technical {
            argument: argument.name.to_string(),
            typ: typ.to_string(),
        });
    }
    Ok(found)
}
