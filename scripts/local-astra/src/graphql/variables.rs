//! Variables as graphql-java takes them: a text may be a number or the other way round, where the type is one of
//! GraphQL's own. (Recorded for a number where a String is declared.)

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value};

/// The values of an operation's variables, each as its type wants it. What cannot be converted stays as it is.
pub fn converted(
    operation: &Operation,
    given: &Map<String, Value>,
    schema: &Schema,
) -> Map<String, Value> {
    let mut values = given.clone();
    for variable in &operation.variables {
        if let Some(value) = values.get_mut(variable.name.as_str()) {
            convert(value, &variable.ty, schema);
        }
    }
    values
}

fn convert(value: &mut Value, typ: &Type, schema: &Schema) {
    if let Type::List(item) | Type::NonNullList(item) = typ {
        match value {
            Value::Array(items) => items
                .iter_mut()
                .for_each(|value| convert(value, item, schema)),
            single => convert(single, item, schema),
        }
        return;
    }
    let name = typ.inner_named_type();
    let made = match (name.as_str(), &*value) {
        ("String", Value::Number(number)) => Some(Value::String(number.to_string())),
        ("String", Value::Bool(flag)) => Some(Value::String(flag.to_string())),
        ("Int" | "Float", Value::String(text)) => {
            serde_json::from_str(text).ok().map(Value::Number)
        }
        ("Boolean", Value::String(text)) => match text.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        _ => None,
    };
    if let Some(made) = made {
        *value = made;
        return;
    }
    let (Some(ExtendedType::InputObject(input)), Value::Object(members)) =
        (schema.types.get(name), value)
    else {
        return;
    };
    for (name, value) in members {
        if let Some(field) = input.fields.get(name.as_str()) {
            convert(value, &field.ty, schema);
        }
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::ExecutableDocument;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_become_what_their_types_want() {
        let schema = Schema::parse_and_validate(
            "input I { s: [String] n: Int i: I } type Query { a(s: String, i: [I], b: Boolean, f: Float): Int }",
            "schema.graphql",
        )
        .unwrap();
        let document = ExecutableDocument::parse_and_validate(
            &schema,
            "query($s: String, $i: [I], $b: Boolean, $f: Float) { a(s: $s, i: $i, b: $b, f: $f) }",
            "query.graphql",
        )
        .unwrap();
        let given = json!({"s": 5, "i": {"s": [true, "x", null], "n": "7", "i": {"s": 1.50}}, "b": "true", "f": "x"});
        let made = converted(
            document.operations.get(None).unwrap(),
            given.as_object().unwrap(),
            &schema,
        );
        let wanted = json!({"s": "5", "i": {"s": ["true", "x", null], "n": 7, "i": {"s": "1.5"}}, "b": true, "f": "x"});
        assert_eq!(Value::Object(made), wanted);
    }
}
