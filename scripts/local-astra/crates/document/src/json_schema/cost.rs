//! The work of holding a document against a JSON schema, counted before it begins.
//!
//! References can lead in a circle, or double the work with each step. Stargate's validator finds circles, too.

use serde_json::{Map, Value};

use crate::error::DocumentError;

/// Pairs of a part of the schema and a part of the document.
const MAX_STEPS: usize = 200_000;
/// Steps within each other: 64 levels of a document, each with a reference and an alternative or two.
const MAX_DEPTH: usize = 300;
/// The members of a schema that hold values, not schemas.
const VALUES: [&str; 2] = ["enum", "default"];

/// Removes the ids, which change the targets of references. Stargate's validator ignores them, too.
pub fn remove_ids(schema: &mut Value) {
    let below: &mut dyn Iterator<Item = &mut Value> = match schema {
        Value::Array(items) => &mut items.iter_mut(),
        Value::Object(members) => {
            if members.get("id").is_some_and(Value::is_string) {
                members.remove("id");
            }
            let members = members.iter_mut();
            let schemas = members.filter(|(name, _)| !VALUES.contains(&name.as_str()));
            &mut schemas.map(|(_, below)| below)
        }
        _ => return,
    };
    for below in below {
        remove_ids(below);
    }
}

/// Checks that a document can be held against a schema without ids.
///
/// # Errors
/// [`DocumentError::JsonSchemaProcessing`] if a reference leads nowhere or in a circle, or for too much work.
pub fn check(schema: &Value, document: &Value) -> Result<(), DocumentError> {
    let mut walk = Walk {
        root: schema,
        steps: 0,
    };
    let is_possible = walk.step(schema, document, 0);
    is_possible.ok_or(DocumentError::JsonSchemaProcessing)
}

struct Walk<'a> {
    root: &'a Value,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn step(&mut self, schema: &'a Value, part: &Value, depth: usize) -> Option<()> {
        let Value::Object(schema) = schema else {
            return Some(());
        };
        self.steps += 1 + list(schema, "enum").len();
        if self.steps > MAX_STEPS || depth > MAX_DEPTH {
            return None;
        }
        let depth = depth + 1;
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return self.step(self.find(reference)?, part, depth);
        }
        for name in ["allOf", "anyOf", "oneOf"] {
            for below in list(schema, name) {
                self.step(below, part, depth)?;
            }
        }
        if let Some(below) = schema.get("not") {
            self.step(below, part, depth)?;
        }
        match part {
            Value::Object(members) => {
                for name in members.keys() {
                    let dependent = object(schema, "dependencies").and_then(|all| all.get(name));
                    if let Some(below) = dependent {
                        self.step(below, part, depth)?;
                    }
                }
                self.members(schema, members, depth)
            }
            Value::Array(items) => self.items(schema, items, depth),
            _ => Some(()),
        }
    }

    fn members(
        &mut self,
        schema: &'a Map<String, Value>,
        members: &Map<String, Value>,
        depth: usize,
    ) -> Option<()> {
        let patterns = object(schema, "patternProperties");
        for (name, value) in members {
            let named = object(schema, "properties").and_then(|all| all.get(name));
            let patterns = patterns.into_iter().flat_map(Map::values);
            let others = schema.get("additionalProperties");
            for below in named.into_iter().chain(patterns).chain(others) {
                self.step(below, value, depth)?;
            }
        }
        Some(())
    }

    fn items(
        &mut self,
        schema: &'a Map<String, Value>,
        items: &[Value],
        depth: usize,
    ) -> Option<()> {
        for (index, value) in items.iter().enumerate() {
            let below = match schema.get("items") {
                Some(Value::Array(each)) => {
                    each.get(index).or_else(|| schema.get("additionalItems"))
                }
                all => all,
            };
            if let Some(below) = below {
                self.step(below, value, depth)?;
            }
        }
        Some(())
    }

    /// Returns the part of the schema that a reference points to.
    fn find(&self, reference: &str) -> Option<&'a Value> {
        let pointer = reference.strip_prefix('#')?;
        let pointer = percent_encoding::percent_decode_str(pointer)
            .decode_utf8()
            .ok()?;
        let is_of_values = |name: &str| VALUES.contains(&name);
        if pointer.split('/').any(is_of_values) {
            return None;
        }
        self.root.pointer(&pointer)
    }
}

fn object<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    schema.get(name)?.as_object()
}

fn list<'a>(schema: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    schema
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
