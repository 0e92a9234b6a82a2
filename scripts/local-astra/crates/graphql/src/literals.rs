//! The literals of a request: the values of Stargate's scalars, which apollo-compiler does not check, and the types of
//! variables, which it does not compare inside lists and objects.

use std::collections::HashMap;

use apollo_compiler::ast::{InputValueDefinition, Type, Value as Literal, VariableDefinition};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use serde_json::Value;

use super::scalars;

/// The variables that an operation declares.
pub type Variables<'a> = HashMap<&'a Name, &'a Node<VariableDefinition>>;

/// Problems of one literal.
#[derive(Debug, Default)]
pub struct Problems<'a> {
    /// The first value that does not fit. graphql-java reports one per argument.
    pub value: Option<String>,
    /// The variables whose types do not fit.
    pub variables: Vec<(&'a Node<Literal>, String)>,
}

/// Checks the literal of an argument.
pub fn check<'a>(
    literal: &'a Node<Literal>,
    definition: &InputValueDefinition,
    variables: &Variables<'_>,
    schema: &Schema,
) -> Problems<'a> {
    let mut checker = Checker {
        variables,
        schema,
        found: Problems::default(),
    };
    let has_default = definition.default_value.is_some();
    checker.check(literal, &definition.ty, has_default);
    checker.found
}

/// Checks the default of a variable.
pub fn fits(literal: &Node<Literal>, typ: &Type, schema: &Schema) -> bool {
    let mut checker = Checker {
        variables: &HashMap::new(),
        schema,
        found: Problems::default(),
    };
    checker.check(literal, typ, false);
    checker.found.value.is_none()
}

struct Checker<'a, 's> {
    variables: &'s Variables<'s>,
    schema: &'s Schema,
    found: Problems<'a>,
}

impl<'a> Checker<'a, '_> {
    fn check(&mut self, literal: &'a Node<Literal>, typ: &Type, has_default: bool) {
        match (&**literal, typ) {
            (Literal::Null, _) => {}
            (Literal::Variable(name), _) => self.check_variable(literal, name, typ, has_default),
            (Literal::List(items), Type::List(item) | Type::NonNullList(item)) => items
                .iter()
                .for_each(|literal| self.check(literal, item, false)),
            (_, Type::List(item) | Type::NonNullList(item)) => self.check(literal, item, false),
            (_, typ) => match (self.schema.types.get(typ.inner_named_type()), &**literal) {
                (Some(ExtendedType::InputObject(input)), Literal::Object(members)) => {
                    for (name, literal) in members {
                        if let Some(field) = input.fields.get(name) {
                            self.check(literal, &field.ty, field.default_value.is_some());
                        }
                    }
                }
                (Some(ExtendedType::Scalar(_)), literal) => self.check_scalar(literal, typ),
                _ => {}
            },
        }
    }

    fn check_scalar(&mut self, literal: &Literal, typ: &Type) {
        let name = typ.inner_named_type();
        let Some(native) = scalars::by_name(name) else {
            return;
        };
        let value = match literal {
            Literal::String(text) => Value::String(text.clone()),
            Literal::Int(number) => number_of(number.as_str()),
            Literal::Float(number) => number_of(number.as_str()),
            Literal::Boolean(flag) => Value::Bool(*flag),
            _ => Value::Null,
        };
        if let Err(text) = scalars::read(&value, &native) {
            let problem = || format!("with value '{value}' is not a valid '{name}' - {text}");
            self.found.value.get_or_insert_with(problem);
        }
    }

    fn check_variable(
        &mut self,
        literal: &'a Node<Literal>,
        name: &Name,
        typ: &Type,
        has_default: bool,
    ) {
        let Some(variable) = self.variables.get(name) else {
            return;
        };
        // An unknown type is an error of its own.
        let is_known = self
            .schema
            .types
            .contains_key(variable.ty.inner_named_type());
        let own_default = variable.default_value.as_ref();
        let is_never_null = has_default || own_default.is_some_and(|default| !default.is_null());
        let wanted = if is_never_null {
            typ.clone().nullable()
        } else {
            typ.clone()
        };
        if is_known && !variable.ty.is_assignable_to(&wanted) {
            let problem = format!(
                "Variable type '{}' doesn't match expected type '{typ}'",
                variable.ty
            );
            self.found.variables.push((literal, problem));
        }
    }
}

fn number_of(text: &str) -> Value {
    serde_json::from_str(text).map_or(Value::Null, Value::Number)
}
