//! Comparison of responses with recorded ones, by the rules of a step.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Number, Value};

/// Exceptions to exact comparison, as JSON pointers into the body. `*` stands for any one token.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Rules {
    /// The value must exist with the same JSON type.
    #[serde(default)]
    ignore: Vec<String>,
    /// The value can be missing or different.
    #[serde(default)]
    optional: Vec<String>,
    /// An array in any order.
    #[serde(default)]
    unordered: Vec<String>,
    /// An array that may have more elements.
    #[serde(default)]
    contains: Vec<String>,
}

impl Rules {
    /// Returns the differences, one sentence each.
    pub fn compare(&self, expected: &Value, actual: &Value) -> Vec<String> {
        let mut differences = Vec::new();
        self.values(
            Some(expected),
            Some(actual),
            &mut Vec::new(),
            &mut differences,
        );
        differences
    }

    fn values(
        &self,
        expected: Option<&Value>,
        actual: Option<&Value>,
        path: &mut Vec<String>,
        out: &mut Vec<String>,
    ) {
        if matches(path, &self.optional) {
            return;
        }
        let at = Pointer(path);
        let (expected, actual) = match (expected, actual) {
            (Some(expected), Some(actual)) => (expected, actual),
            (None, Some(actual)) => return out.push(format!("{at}: unexpected {}", short(actual))),
            (Some(expected), None) => {
                return out.push(format!("{at}: missing, expected {}", short(expected)));
            }
            (None, None) => return,
        };
        if matches(path, &self.ignore) {
            if kind(expected) != kind(actual) {
                let (wanted, got) = (kind(expected), kind(actual));
                out.push(format!(
                    "{at}: expected a {wanted}, got a {got}, {}",
                    short(actual)
                ));
            }
            return;
        }
        let differs = || format!("{at}: expected {}, got {}", short(expected), short(actual));
        match (expected, actual) {
            (Value::Object(expected), Value::Object(actual)) => {
                self.members(expected, actual, path, out);
            }
            (Value::Array(wanted), Value::Array(got)) => {
                if matches(path, &self.contains) {
                    self.multiset(wanted, got, true, path, out);
                } else if matches(path, &self.unordered) {
                    self.multiset(wanted, got, false, path, out);
                } else if wanted.len() != got.len() {
                    out.push(differs());
                } else {
                    for (at, (wanted, got)) in wanted.iter().zip(got).enumerate() {
                        path.push(at.to_string());
                        self.values(Some(wanted), Some(got), path, out);
                        path.pop();
                    }
                }
            }
            (Value::Number(wanted), Value::Number(got)) if same_number(wanted, got) => (),
            (expected, actual) if expected == actual => (),
            _ => out.push(differs()),
        }
    }

    fn members(
        &self,
        expected: &Map<String, Value>,
        actual: &Map<String, Value>,
        path: &mut Vec<String>,
        out: &mut Vec<String>,
    ) {
        let more = actual.keys().filter(|name| !expected.contains_key(*name));
        for name in expected.keys().chain(more) {
            path.push(name.clone());
            self.values(expected.get(name), actual.get(name), path, out);
            path.pop();
        }
    }

    fn multiset(
        &self,
        expected: &[Value],
        actual: &[Value],
        more_allowed: bool,
        path: &mut Vec<String>,
        out: &mut Vec<String>,
    ) {
        let mut left: Vec<&Value> = actual.iter().collect();
        for (at, wanted) in expected.iter().enumerate() {
            path.push(at.to_string());
            let found = left.iter().position(|got| {
                let mut differences = Vec::new();
                self.values(Some(wanted), Some(got), path, &mut differences);
                differences.is_empty()
            });
            path.pop();
            match found {
                Some(found) => {
                    left.remove(found);
                }
                None => out.push(format!(
                    "{}: no element equals {}",
                    Pointer(path),
                    short(wanted)
                )),
            }
        }
        if !more_allowed {
            let left = left.into_iter();
            out.extend(
                left.map(|got| format!("{}: unexpected element {}", Pointer(path), short(got))),
            );
        }
    }
}

/// Compares numbers. 5 and 5.0 differ, because a client that reads an integer fails on 5.0; 1e3 and 1000.0 do not.
fn same_number(a: &Number, b: &Number) -> bool {
    let integer = |number: &Number| !number.as_str().contains(['.', 'e', 'E']);
    if integer(a) != integer(b) {
        return false;
    }
    let exact = |number: &Number| number.as_str().parse::<bigdecimal::BigDecimal>().ok();
    exact(a).is_some_and(|a| Some(a) == exact(b))
}

/// Returns the value at a JSON pointer.
pub fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    value.pointer(pointer)
}

fn matches(path: &[String], pointers: &[String]) -> bool {
    pointers.iter().any(|pointer| {
        let tokens: Vec<String> = pointer
            .split('/')
            .skip(1)
            .map(|token| token.replace("~1", "/").replace("~0", "~"))
            .collect();
        tokens.len() == path.len()
            && tokens
                .iter()
                .zip(path)
                .all(|(token, name)| token == "*" || token == name)
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Formats a value for a sentence.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 160 {
        return text;
    }
    text.chars().take(160).chain("...".chars()).collect()
}

struct Pointer<'a>(&'a [String]);

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("(body)"),
            path => write!(f, "/{}", path.join("/")),
        }
    }
}

mod tests {
    use super::*;

    fn differences(rules: &str, expected: &str, actual: &str) -> Vec<String> {
        let rules: Rules = serde_json::from_str(rules).unwrap();
        let read = |text: &str| serde_json::from_str(text).unwrap();
        rules.compare(&read(expected), &read(actual))
    }

    #[test]
    fn equal_bodies_are_equal() {
        for (rules, expected, actual) in [
            (
                "{}",
                r#"{"a":1,"b":[true,null]}"#,
                r#"{"b":[true,null],"a":1}"#,
            ),
            ("{}", "1e3", "1000.0"),
            ("{}", "12.3450", "12.345"),
            (
                "{}",
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            (r#"{"ignore":["/a"]}"#, r#"{"a":"x"}"#, r#"{"a":"y"}"#),
            (r#"{"ignore":["/*/a"]}"#, r#"[{"a":1}]"#, r#"[{"a":2}]"#),
            (r#"{"ignore":["/a~1b"]}"#, r#"{"a/b":1}"#, r#"{"a/b":2}"#),
            (r#"{"optional":["/a","/b"]}"#, r#"{"a":1}"#, r#"{"b":[]}"#),
            (r#"{"unordered":[""]}"#, "[1,2,2]", "[2,1,2]"),
            (r#"{"contains":["/a"]}"#, r#"{"a":[1]}"#, r#"{"a":[3,2,1]}"#),
        ] {
            assert_eq!(
                differences(rules, expected, actual),
                Vec::<String>::new(),
                "{actual}"
            );
        }
    }

    #[test]
    fn a_wrong_body_is_told() {
        for (rules, expected, actual, told) in [
            ("{}", "5", "5.0", "(body): expected 5, got 5.0"),
            ("{}", "1.5", "1.25", "(body): expected 1.5, got 1.25"),
            (
                "{}",
                "9007199254740993",
                "9007199254740992",
                "(body): expected 9007199254740993, got 9007199254740992",
            ),
            ("{}", r#"{"a":1}"#, "{}", "/a: missing, expected 1"),
            ("{}", "{}", r#"{"a":1}"#, "/a: unexpected 1"),
            ("{}", "[1,2]", "[1]", "(body): expected [1,2], got [1]"),
            ("{}", "[1,2]", "[2,1]", "/0: expected 1, got 2"),
            ("{}", r#""a""#, r#""b""#, r#"(body): expected "a", got "b""#),
            ("{}", "null", "false", "(body): expected null, got false"),
            (
                r#"{"ignore":["/a"]}"#,
                r#"{"a":"x"}"#,
                "{}",
                r#"/a: missing, expected "x""#,
            ),
            (
                r#"{"ignore":["/a"]}"#,
                r#"{"a":"x"}"#,
                r#"{"a":1}"#,
                "/a: expected a string, got a number, 1",
            ),
            (
                r#"{"unordered":[""]}"#,
                "[1,2]",
                "[2,2]",
                "(body): no element equals 1",
            ),
            (
                r#"{"unordered":[""]}"#,
                "[1]",
                "[1,2]",
                "(body): unexpected element 2",
            ),
            (
                r#"{"contains":[""]}"#,
                "[1,2]",
                "[1,3]",
                "(body): no element equals 2",
            ),
        ] {
            let all = differences(rules, expected, actual);
            assert_eq!(all.first().map(String::as_str), Some(told), "{all:?}");
        }
    }
}
