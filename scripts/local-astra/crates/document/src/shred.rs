//! Conversion of JSON to rows: one row per leaf, and one for each empty object or array.

use serde_json::Value as Json;

use super::error::DocumentError;
use super::layout::{EMPTY_ARRAY, EMPTY_OBJECT, MAX_ARRAY_LENGTH, MAX_DEPTH};
use super::path::{is_valid_name, unescape};
use super::rows::Value;
use store::values::numbers::JsonNumber;

/// A row to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    pub path: Vec<String>,
    pub value: Value,
}

/// Converts a whole document to rows.
///
/// # Errors
/// The document is empty or not a container, and those of [`shred_at`].
pub fn shred(document: &Json) -> Result<Vec<Leaf>, DocumentError> {
    const HINT: &str =
        "is not allowed. Hint: update the parent path with a defined object instead.";
    let is_empty = match document {
        Json::Object(members) => members.is_empty(),
        Json::Array(elements) => elements.is_empty(),
        _ => {
            return Err(DocumentError::refused(format!(
                "Updating a key with just a JSON primitive {HINT}"
            )));
        }
    };
    if is_empty {
        return Err(DocumentError::refused(format!(
            "Updating a key with just an empty object or an empty array {HINT}"
        )));
    }
    shred_at(document, &[])
}

/// Converts any JSON value at a path to rows. The segments of the path are in stored form.
///
/// # Errors
/// Invalid names, or a value that is too deep or too long.
pub fn shred_at(json: &Json, path: &[String]) -> Result<Vec<Leaf>, DocumentError> {
    let mut rows = Vec::new();
    let mut path = path.to_vec();
    walk(json, &mut path, &mut rows)?;
    Ok(rows)
}

fn walk(json: &Json, path: &mut Vec<String>, rows: &mut Vec<Leaf>) -> Result<(), DocumentError> {
    let value = match json {
        Json::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                path.push(stored_name(name)?);
                walk(member, path, rows)?;
                path.pop();
            }
            return Ok(());
        }
        Json::Array(elements) if !elements.is_empty() => {
            if elements.len() > MAX_ARRAY_LENGTH {
                return Err(DocumentError::ArrayLength);
            }
            for (index, element) in elements.iter().enumerate() {
                path.push(format!("[{index:0>6}]"));
                walk(element, path, rows)?;
                path.pop();
            }
            return Ok(());
        }
        Json::Object(_) => Value::Text(EMPTY_OBJECT.to_owned()),
        Json::Array(_) => Value::Text(EMPTY_ARRAY.to_owned()),
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::Number(number) => Value::Number(double(number)),
        Json::String(text) => Value::Text(text.clone()),
    };
    if path.is_empty() {
        return Err(DocumentError::exception(
            "Shredded row does not contain a single path.",
        ));
    }
    if path.len() > MAX_DEPTH {
        return Err(DocumentError::Depth);
    }
    rows.push(Leaf {
        path: path.clone(),
        value,
    });
    Ok(())
}

fn stored_name(name: &str) -> Result<String, DocumentError> {
    if name.is_empty() {
        return Err(DocumentError::refused(
            "JSON objects containing empty field names are not supported at the moment.",
        ));
    }
    if !is_valid_name(name) {
        return Err(DocumentError::refused(format!(
            "Array paths contained in square brackets, periods, single quotes, and backslash are not allowed \
             in field names, invalid field {name}"
        )));
    }
    Ok(unescape(name))
}

/// Converts a number to a double, the only stored type. As in Java, one that is too large becomes infinite. An integer
/// has no negative zero.
pub fn double(number: &serde_json::Number) -> f64 {
    JsonNumber::read(number).to_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn leaf(path: &[&str], value: Value) -> Leaf {
        Leaf {
            path: path.iter().map(|&s| s.to_owned()).collect(),
            value,
        }
    }

    #[test]
    fn each_leaf_is_a_row() {
        let document =
            json!({"a": {"b": [1, {"c": null}]}, "e": {}, "f": [], "t": "x", r"v\.1": true});
        let wanted = [
            leaf(&["a", "b", "[000000]"], Value::Number(1.0)),
            leaf(&["a", "b", "[000001]", "c"], Value::Null),
            leaf(&["e"], Value::Text(EMPTY_OBJECT.to_owned())),
            leaf(&["f"], Value::Text(EMPTY_ARRAY.to_owned())),
            leaf(&["t"], Value::Text("x".to_owned())),
            leaf(&["v.1"], Value::Boolean(true)),
        ];
        assert_eq!(shred(&document).unwrap(), wanted);
        let below = shred_at(&json!(5), &["a".to_owned()]).unwrap();
        assert_eq!(below, [leaf(&["a"], Value::Number(5.0))]);
    }

    #[test]
    fn numbers_are_doubles() {
        for (text, wanted) in [
            ("9007199254740993", 9007199254740992.0),
            ("1e3", 1000.0),
            ("1e400", f64::INFINITY),
            ("0.1", 0.1),
        ] {
            let number = serde_json::from_str(text).unwrap();
            assert_eq!(double(&number), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for document in [json!({}), json!([]), json!(5), json!("x"), json!(null)] {
            assert!(shred(&document).is_err(), "{document}");
        }
        for document in [
            json!({"": 1}),
            json!({"a": [{"b.c": 1}]}),
            json!({"[0]": 1}),
        ] {
            assert!(shred(&document).is_err(), "{document}");
        }
    }

    #[test]
    fn depth_ends_at_64() {
        let nested =
            |levels: usize| (1..levels).fold(json!({"v": 1}), |inner, _| json!({"k": inner}));
        assert_eq!(shred(&nested(64)).unwrap()[0].path.len(), 64);
        assert!(matches!(shred(&nested(65)), Err(DocumentError::Depth)));
    }
}
