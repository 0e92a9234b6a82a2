//! Coercion of variables as in graphql-java: for GraphQL's own types, a text is accepted as a number and vice versa.
//! Ends at the first value that does not fit.

use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{ExecutableDocument, Node, Schema};
use num_bigint::BigInt;
use serde_json::{Map, Number, Value};

use super::scalars;
use store::values::numbers::{JsonNumber, read_decimal};

/// The reason a value is rejected.
#[derive(Debug, PartialEq)]
pub struct Refusal {
    pub message: String,
    /// Position of the variable's declaration.
    pub location: Option<SourceSpan>,
}

/// An invalid value. graphql-java reports the variable's position only if the value does not fit GraphQL's own types,
/// because Stargate's scalars throw other exceptions.
enum Problem {
    Located(String),
    Bare(String),
}

/// Coerces the given values of an operation's variables to their types.
///
/// # Errors
/// [`Refusal`] for the first value that does not fit.
pub fn coerce(
    operation: &Operation,
    given: &Map<String, Value>,
    schema: &Schema,
) -> Result<Map<String, Value>, Refusal> {
    let mut values = Map::new();
    for variable in &operation.variables {
        let name = &variable.name;
        let value = match given.get(name.as_str()) {
            None if variable.default_value.is_some() || !variable.ty.is_non_null() => continue,
            None | Some(Value::Null) if variable.ty.is_non_null() => {
                Err(Problem::Located(format!(
                    "Variable '{name}' has coerced Null value for NonNull type '{}'",
                    variable.ty
                )))
            }
            None => continue,
            Some(value) => coerce_value(value, &variable.ty, schema),
        };
        let value = value.map_err(|problem| match problem {
            Problem::Located(text) => Refusal {
                message: format!("Variable '{name}' has an invalid value: {text}"),
                location: variable.location(),
            },
            Problem::Bare(message) => Refusal {
                message,
                location: None,
            },
        })?;
        values.insert(name.to_string(), value);
    }
    Ok(values)
}

fn coerce_value(value: &Value, typ: &Type, schema: &Schema) -> Result<Value, Problem> {
    if value.is_null() {
        return if typ.is_non_null() {
            Err(Problem::Located(format!(
                "Coerced Null value for NonNull type '{typ}'"
            )))
        } else {
            Ok(Value::Null)
        };
    }
    if let Type::List(item) | Type::NonNullList(item) = typ {
        let items = list(value)
            .iter()
            .map(|value| coerce_value(value, item, schema));
        return items.collect();
    }
    let name = typ.inner_named_type();
    match schema.types.get(name) {
        Some(ExtendedType::Scalar(_)) => coerce_scalar(value, name),
        Some(ExtendedType::Enum(definition)) => {
            let text = java_text(value);
            if definition.values.contains_key(text.as_str()) {
                Ok(Value::String(text))
            } else {
                Err(Problem::Located(format!(
                    "Invalid input for Enum '{name}'. No value found for name '{text}'"
                )))
            }
        }
        Some(ExtendedType::InputObject(input)) => match value {
            Value::Object(members) => coerce_members(members, input, schema),
            _ => Err(Problem::Located(format!(
                "Expected type 'Map' but was '{}'. Variables for input objects must be an instance of type 'Map'.",
                java_type(value)
            ))),
        },
        _ => Ok(value.clone()),
    }
}

fn coerce_members(
    members: &Map<String, Value>,
    input: &InputObjectType,
    schema: &Schema,
) -> Result<Value, Problem> {
    let unknown = members
        .keys()
        .find(|name| !input.fields.contains_key(name.as_str()));
    if let Some(unknown) = unknown {
        return Err(Problem::Bare(format!(
            "The variables input contains a field name '{unknown}' that is not defined for input object type '{}' ",
            input.name
        )));
    }
    let mut coerced = Map::new();
    for (name, field) in &input.fields {
        match members.get(name.as_str()) {
            Some(Value::Null) | None if field.is_required() => {
                return Err(Problem::Located(format!(
                    "Field '{name}' has coerced Null value for NonNull type '{}'",
                    field.ty
                )));
            }
            Some(value) => {
                coerced.insert(name.to_string(), coerce_value(value, &field.ty, schema)?);
            }
            None => {}
        }
    }
    Ok(Value::Object(coerced))
}

fn coerce_scalar(value: &Value, name: &str) -> Result<Value, Problem> {
    let coerced = match (name, value) {
        ("String", Value::String(_)) | ("ID", Value::String(_)) => Some(value.clone()),
        ("String", other) => Some(Value::String(java_text(other))),
        ("ID", Value::Number(number)) if number.is_i64() => Some(value.clone()),
        ("Int", Value::String(_) | Value::Number(_)) => whole(&java_text(value)).map(Value::from),
        ("Float", Value::Number(number)) => {
            let double = Number::from_f64(JsonNumber::read(number).to_f64());
            Some(double.map_or_else(|| value.clone(), Value::Number))
        }
        ("Float", Value::String(text)) if read_decimal(text).is_some() => text
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number),
        ("Boolean", Value::Bool(_)) => Some(value.clone()),
        ("Boolean", Value::Number(number)) => {
            Some(Value::Bool(JsonNumber::read(number).to_f64() != 0.0))
        }
        ("Boolean", Value::String(text)) => text.to_lowercase().parse().ok().map(Value::Bool),
        ("Int" | "Float" | "Boolean" | "ID", _) => None,
        _ => {
            let native = scalars::by_name(name);
            let read = native.map_or(Ok(()), |native| scalars::read(value, &native).map(|_| ()));
            read.map_err(Problem::Bare)?;
            Some(value.clone())
        }
    };
    coerced.ok_or_else(|| {
        let found = java_type(value);
        Problem::Located(format!("Expected type '{name}' but was '{found}'."))
    })
}

/// Returns the items of a list. In input, a single value is a list of one.
pub fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

/// Parses as Java's `new BigDecimal(text).intValueExact()`.
fn whole(text: &str) -> Option<i32> {
    let decimal = read_decimal(text)?;
    let (unscaled, scale) = decimal.as_signed_be_bytes_slice_and_exponent();
    let unscaled = BigInt::from_signed_bytes_be(unscaled);
    if unscaled == BigInt::ZERO {
        return Some(0);
    }
    let digits = unscaled.to_string();
    match usize::try_from(scale) {
        Ok(scale) => {
            let (whole, fraction) = digits.split_at(digits.len().checked_sub(scale)?);
            let only_zeros = fraction.bytes().all(|b| b == b'0');
            whole.parse().ok().filter(|_| only_zeros)
        }
        // More than ten zeros are out of range.
        Err(_) if scale < -10 => None,
        Err(_) => {
            let zeros = "0".repeat(scale.unsigned_abs() as usize);
            format!("{digits}{zeros}").parse().ok()
        }
    }
}

/// Formats as Java's `toString` of the object that Jackson reads.
fn java_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => JsonNumber::read(number).text(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(java_text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}={}", java_text(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) => value.to_string(),
    }
}

fn java_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "Boolean",
        Value::String(_) => "String",
        Value::Array(_) => "ArrayList",
        Value::Object(_) => "LinkedHashMap",
        Value::Number(number) => match JsonNumber::read(number) {
            JsonNumber::Long(long) if i32::try_from(long).is_ok() => "Integer",
            JsonNumber::Long(_) => "Long",
            JsonNumber::Big(_) => "BigInteger",
            JsonNumber::Double(_) => "Double",
        },
    }
}

/// Removes members whose variables have no value from the object literals of a document. graphql-java omits them,
/// whereas apollo-compiler would use null.
pub fn leave_out_missing(document: &mut ExecutableDocument, values: &JsonMap) {
    let operations = &mut document.operations;
    let operations = operations
        .anonymous
        .iter_mut()
        .chain(operations.named.values_mut());
    for operation in operations {
        prune_selections(&mut operation.make_mut().selection_set, values);
    }
    for fragment in document.fragments.values_mut() {
        prune_selections(&mut fragment.make_mut().selection_set, values);
    }
}

fn prune_selections(set: &mut SelectionSet, values: &JsonMap) {
    for selection in &mut set.selections {
        match selection {
            Selection::Field(field) => {
                let field = field.make_mut();
                for argument in &mut field.arguments {
                    prune(&mut argument.make_mut().value, values);
                }
                prune_selections(&mut field.selection_set, values);
            }
            Selection::InlineFragment(fragment) => {
                prune_selections(&mut fragment.make_mut().selection_set, values);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn prune(literal: &mut Node<Literal>, values: &JsonMap) {
    match literal.make_mut() {
        Literal::Object(members) => {
            members.retain(|(_, literal)| {
                let variable = literal.as_variable();
                variable.is_none_or(|name| values.contains_key(name.as_str()))
            });
            for (_, literal) in members {
                prune(literal, values);
            }
        }
        Literal::List(items) => items.iter_mut().for_each(|literal| prune(literal, values)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = "scalar Uuid enum E { A B } \
         input I { s: [String] n: Int i: I e: E u: Uuid k: String! = \"k\" } \
         type Query { a(s: String, i: [I], b: Boolean, f: Float, n: Int!): Int }";

    fn coerced(given: &Value) -> Result<Value, Refusal> {
        let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
        let document = ExecutableDocument::parse_and_validate(
            &schema,
            "query($s: String, $i: [I], $b: Boolean, $f: Float, $n: Int!) { a(s: $s, i: $i, b: $b, f: $f, n: $n) }",
            "query.graphql",
        )
        .unwrap();
        let operation = document.operations.get(None).unwrap();
        coerce(operation, given.as_object().unwrap(), &schema).map(Value::Object)
    }

    #[test]
    fn values_become_what_their_types_want() {
        let given = json!({"s": 5, "b": "TRUE", "f": "1.50", "n": 5.0, "unknown": 1,
            "i": {"s": [true, [1, null], {"a": 1.50}, null], "n": "7", "e": "B", "i": {"s": "x", "n": "1e2"}}});
        let wanted = json!({"s": "5", "b": true, "f": 1.5, "n": 5,
            "i": [{"s": ["true", "[1, null]", "{a=1.5}", null], "n": 7, "e": "B", "i": {"s": ["x"], "n": 100}}]});
        let mut value = coerced(&given).unwrap();
        value["i"] = json!([value["i"][0]]);
        assert_eq!(value, wanted);
        assert_eq!(
            coerced(&json!({"b": 0, "n": "+7."})).unwrap(),
            json!({"b": false, "n": 7})
        );
    }

    #[test]
    fn only_what_stargate_reads_itself_is_refused_without_a_place() {
        for (given, is_located) in [
            (json!({}), true),
            (json!({"n": null}), true),
            (json!({"n": 5.5}), true),
            (json!({"n": true}), true),
            (json!({"n": 2_147_483_648_i64}), true),
            (json!({"n": "1e999999999"}), true),
            (json!({"n": 1, "b": "yes"}), true),
            (json!({"n": 1, "i": 5}), true),
            (json!({"n": 1, "i": {"k": null}}), true),
            (json!({"n": 1, "i": {"e": "C"}}), true),
            (json!({"n": 1, "i": {"u": "nope"}}), false),
            (json!({"n": 1, "i": {"x": 1, "n": "x"}}), false),
            // The first one counts, in the order of the type.
            (json!({"n": 1, "i": {"u": "nope", "n": "x"}}), true),
        ] {
            let refusal = coerced(&given).unwrap_err();
            assert_eq!(
                refusal.location.is_some(),
                is_located,
                "{given}: {refusal:?}"
            );
        }
    }
}
