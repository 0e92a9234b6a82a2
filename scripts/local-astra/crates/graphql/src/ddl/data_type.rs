//! CQL types in the format of this API: a basic type, with further information if it is composed of others.

use scylla::cluster::metadata::{CollectionType, ColumnType};
use serde_json::{Value, json};

use crate::run::RunError;
use store::types::{MAX_DEPTH, TypeName, native_name};

/// Returns a `DataType`.
pub fn describe(typ: &ColumnType<'_>) -> Value {
    let (basic, name, parts, frozen) = match typ {
        ColumnType::Native(native) => {
            return json!({"basic": native_name(native).to_uppercase(), "info": null});
        }
        ColumnType::Collection { frozen, typ } => match typ {
            CollectionType::List(element) => ("LIST", None, vec![&**element], *frozen),
            CollectionType::Set(element) => ("SET", None, vec![&**element], *frozen),
            CollectionType::Map(key, value) => ("MAP", None, vec![&**key, &**value], *frozen),
            // The enum is open, CQL is not.
            _ => return custom(),
        },
        ColumnType::Tuple(items) => ("TUPLE", None, items.iter().collect(), true),
        ColumnType::UserDefinedType { frozen, definition } => {
            ("UDT", Some(&*definition.name), Vec::new(), *frozen)
        }
        // Vectors among them: this API has no name for them.
        _ => return custom(),
    };
    let parts: Vec<Value> = parts.into_iter().map(describe).collect();
    let parts = if name.is_some() {
        Value::Null
    } else {
        Value::Array(parts)
    };
    json!({"basic": basic, "info": {"name": name, "subTypes": parts, "frozen": frozen}})
}

fn custom() -> Value {
    json!({"basic": "CUSTOM", "info": null})
}

/// Reads a `DataTypeInput`.
///
/// # Errors
/// A sentence about the missing part.
pub fn read(typ: &Value) -> Result<TypeName, RunError> {
    read_at(typ, 0)
}

fn read_at(typ: &Value, depth: usize) -> Result<TypeName, RunError> {
    if depth > MAX_DEPTH {
        let text = format!("Data type is nested more than {MAX_DEPTH} levels deep");
        return Err(RunError::Invalid(text));
    }
    let read = |typ: &Value| read_at(typ, depth + 1);
    let basic = typ["basic"].as_str().unwrap_or_default();
    let info = &typ["info"];
    let refused = |text: String| Err(RunError::Invalid(text));
    if info.get("frozen") == Some(&Value::Null) {
        return Err(RunError::null("frozen"));
    }
    let word = |shown: &str| -> Result<Vec<TypeName>, RunError> {
        let parts = info["subTypes"].as_array();
        if parts.is_none() {
            let text =
                format!("{shown} type should contain an 'info' field specifying the sub type");
            return Err(RunError::Invalid(text));
        }
        parts.into_iter().flatten().map(read).collect()
    };
    let typ = match basic {
        "LIST" | "SET" | "MAP" => {
            let (shown, wanted) = match basic {
                "LIST" => ("List", 1),
                "SET" => ("Set", 1),
                _ => ("Map", 2),
            };
            let mut parts = word(shown)?.into_iter();
            match (basic, parts.len(), parts.next(), parts.next()) {
                ("LIST", 1, Some(element), None) => TypeName::List(Box::new(element)),
                ("SET", 1, Some(element), None) => TypeName::Set(Box::new(element)),
                ("MAP", 2, Some(key), Some(value)) => TypeName::Map(Box::new(key), Box::new(value)),
                _ => {
                    let s = if wanted == 1 { "" } else { "s" };
                    return refused(format!("{shown} sub types should contain {wanted} item{s}"));
                }
            }
        }
        "TUPLE" => {
            let parts = info["subTypes"].as_array().ok_or_else(|| {
                let text = "TUPLE type should contain an 'info' field specifying the sub types";
                RunError::Invalid(text.to_owned())
            })?;
            if parts.is_empty() {
                return refused("TUPLE type should have at least one sub type".to_owned());
            }
            let parts = parts.iter().map(read).collect::<Result<_, _>>()?;
            return Ok(TypeName::Frozen(Box::new(TypeName::Tuple(parts))));
        }
        "UDT" => match info["name"].as_str() {
            Some(name) => TypeName::UserDefined(name.to_owned()),
            None => {
                let text = "UDT type should contain an 'info' field specifying the UDT name";
                return refused(text.to_owned());
            }
        },
        other => {
            let native = TypeName::parse(&other.to_lowercase()).ok();
            match native {
                Some(native @ TypeName::Native(_)) => return Ok(native),
                _ => return refused(format!("Data type {other} is not supported")),
            }
        }
    };
    Ok(if info["frozen"] == json!(true) {
        TypeName::Frozen(Box::new(typ))
    } else {
        typ
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read() {
        let udt = json!({"basic": "UDT", "info": {"name": "My \"type", "frozen": true}});
        for (given, wanted) in [
            (json!({"basic": "VARCHAR"}), "text"),
            (json!({"basic": "TIMEUUID"}), "timeuuid"),
            (
                json!({"basic": "MAP", "info": {"subTypes": [{"basic": "TEXT"}, udt]}}),
                "map<text, frozen<\"My \"\"type\">>",
            ),
            (
                json!({"basic": "TUPLE", "info": {"subTypes": [{"basic": "INT"}, {"basic": "TEXT"}]}}),
                "frozen<tuple<int, text>>",
            ),
            (
                json!({"basic": "SET", "info": {"subTypes": [{"basic": "INT"}], "frozen": true}}),
                "frozen<set<int>>",
            ),
        ] {
            assert_eq!(read(&given).unwrap().to_cql(), wanted);
        }
    }

    #[test]
    fn what_is_missing_in_a_type_is_said() {
        let int = json!({"basic": "INT"});
        for (given, wanted) in [
            (
                json!({"basic": "LIST"}),
                "List type should contain an 'info' field specifying the sub type",
            ),
            (
                json!({"basic": "MAP", "info": {"subTypes": [int]}}),
                "Map sub types should contain 2 items",
            ),
            (
                json!({"basic": "SET", "info": {"subTypes": [int, int]}}),
                "Set sub types should contain 1 item",
            ),
            (
                json!({"basic": "TUPLE", "info": {"subTypes": []}}),
                "TUPLE type should have at least one sub type",
            ),
            (
                json!({"basic": "UDT"}),
                "UDT type should contain an 'info' field specifying the UDT name",
            ),
            (
                json!({"basic": "CUSTOM"}),
                "Data type CUSTOM is not supported",
            ),
            (
                json!({"basic": "INT", "info": {"frozen": null}}),
                "frozen cannot be null",
            ),
        ] {
            assert_eq!(read(&given).unwrap_err().to_string(), wanted);
        }
    }
}
