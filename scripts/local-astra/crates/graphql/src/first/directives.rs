//! Parsing of the arguments of the `@cql_…` directives. An invalid argument is reported and treated as missing.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList, Value};

use super::problems::{Kind, Problems};

/// The definitions of all directives, with their enums.
pub const DEFINITIONS: &str = include_str!("directives.graphql");

/// A use of a directive, or its absence.
#[derive(Clone, Copy)]
pub struct Use<'a>(Option<&'a Node<Directive>>);

/// Returns the first use of a directive in a list.
pub fn find<'a>(directives: &'a DirectiveList, name: &str) -> Use<'a> {
    Use(directives.get(name))
}

impl<'a> Use<'a> {
    pub fn is_there(self) -> bool {
        self.0.is_some()
    }

    pub fn is(self, name: &str) -> bool {
        self.name() == Some(name)
    }

    pub fn name(self) -> Option<&'a str> {
        self.0.map(|directive| directive.name.as_str())
    }

    pub fn text(self, argument: &str, problems: &mut Problems) -> Option<String> {
        let value = self.value(argument)?;
        match &**value {
            Value::String(text) => Some(text.clone()),
            _ => self.wrong(argument, "StringValue", problems),
        }
    }

    pub fn flag(self, argument: &str, problems: &mut Problems) -> Option<bool> {
        match &**self.value(argument)? {
            Value::Boolean(flag) => Some(*flag),
            _ => self.wrong(argument, "BooleanValue", problems),
        }
    }

    /// Returns a 32-bit number.
    pub fn number(self, argument: &str, problems: &mut Problems) -> Option<i32> {
        let Value::Int(number) = &**self.value(argument)? else {
            return self.wrong(argument, "IntValue", problems);
        };
        let parsed = number.try_to_i32().ok();
        if parsed.is_none() {
            let range = format!(
                "value '{}' out of range, expected a 32-bit signed integer",
                number.as_str()
            );
            self.report(argument, &range, problems);
        }
        parsed
    }

    /// Returns a value of an enum by its name; `read` returns `None` for an unknown name.
    pub fn constant<T>(
        self,
        argument: &str,
        read: impl Fn(&str) -> Option<T>,
        problems: &mut Problems,
    ) -> Option<T> {
        let Value::Enum(name) = &**self.value(argument)? else {
            return self.wrong(argument, "EnumValue", problems);
        };
        let constant = read(name);
        if constant.is_none() {
            let unknown = format!("invalid value '{name}', must be an enum constant");
            self.report(argument, &unknown, problems);
        }
        constant
    }

    fn value(self, argument: &str) -> Option<&'a Node<Value>> {
        self.0?.specified_argument_by_name(argument)
    }

    fn wrong<T>(self, argument: &str, wanted: &str, problems: &mut Problems) -> Option<T> {
        self.report(
            argument,
            &format!("invalid value, expected a {wanted}"),
            problems,
        );
        None
    }

    fn report(self, argument: &str, what: &str, problems: &mut Problems) {
        let Some(directive) = self.0 else { return };
        let message = format!("{}.{argument}: {what}", directive.name);
        problems.error(Kind::Syntax, directive.location(), message);
    }
}
