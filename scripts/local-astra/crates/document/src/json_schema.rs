//! The JSON schema of a collection, stored in the comment of its table, and the validation of documents.

mod cost;

use std::collections::HashSet;

use axum::http::StatusCode;
use axum::response::Response;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError, ValidationOptions};
use serde_json::{Value, json};
use uuid::Uuid;

use super::collections::Collection;
use super::error::DocumentError;
use super::request::{self, Address};
use super::response;
use bridge::{Body, Caller};

/// `GET …/collections/{collection}/json-schema`
pub async fn get(caller: Caller, address: Address) -> Result<Response, DocumentError> {
    let collection = Collection::existing(&caller, &address).await?;
    let schema = of(&collection).ok_or(DocumentError::NoJsonSchema)?;
    Ok(response::json(StatusCode::OK, &json!({ "schema": schema })))
}

/// `PUT …/collections/{collection}/json-schema`
pub async fn put(caller: Caller, address: Address, body: Body) -> Result<Response, DocumentError> {
    let schema = request::json(&body, "json schema not provided")?;
    let collection = Collection::existing(&caller, &address).await?;
    check(&schema)?;
    let wrapped = json!({ "schema": schema });
    // Table options cannot be bound values.
    let comment = wrapped.to_string().replace('\'', "''");
    let alter = format!(
        "ALTER TABLE {} WITH comment = '{comment}'",
        collection.table()
    );
    collection.session.change_schema(&alter).await?;
    Ok(response::json(StatusCode::OK, &wrapped))
}

/// Returns the schema of a collection; `None` if the comment is something else.
fn of(collection: &Collection) -> Option<Value> {
    let mut comment: Value = serde_json::from_str(&collection.comment).ok()?;
    comment.get_mut("schema").map(Value::take)
}

/// Checks that this is a valid schema.
pub(super) fn check(schema: &Value) -> Result<(), DocumentError> {
    if !schema.is_object() {
        return Err(DocumentError::Refused(format!(
            "[error]: JSON value is of type {}, not a JSON Schema (expected an object); ",
            kind_of(schema)
        )));
    }
    let validator = jsonschema::draft4::meta::validator();
    let errors = validator.iter_errors(schema);
    let mut texts: String = errors.map(|error| format!("[error]: {error}; ")).collect();
    if texts.is_empty() {
        let problems = problems(schema).into_iter();
        texts = problems.map(|why| format!("[error]: {why}; ")).collect();
    }
    if texts.is_empty() {
        Ok(())
    } else {
        Err(DocumentError::Refused(texts))
    }
}

/// Returns the problems that Stargate's validator finds in a schema beyond the rules of the draft, in all its parts.
fn problems(schema: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut parts = vec![schema];
    while let Some(part) = parts.pop() {
        if let Some(Value::Array(values)) = part.get("enum") {
            let mut known = HashSet::new();
            if !values.iter().all(|value| known.insert(canonical(value))) {
                problems.push("elements in keyword \"enum\" are not unique".to_owned());
            }
        }
        for name in ["$schema", "$ref", "id"] {
            match part.get(name) {
                Some(Value::String(text)) if is_uri(text) => {}
                Some(_) => problems.push(format!("value of keyword \"{name}\" is not a valid URI")),
                None => {}
            }
        }
        for name in [
            "properties",
            "patternProperties",
            "definitions",
            "dependencies",
        ] {
            let members = part.get(name).and_then(Value::as_object);
            for (member, below) in members.into_iter().flatten() {
                let expression = json!({"patternProperties": {member: {}}});
                if name == "patternProperties" && options().build(&expression).is_err() {
                    problems.push(format!(
                        "{member:?} is not a valid ECMA 262 regular expression"
                    ));
                }
                parts.push(below);
            }
        }
        for name in ["allOf", "anyOf", "oneOf", "items"] {
            parts.extend(
                part.get(name)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
        let single = ["items", "not", "additionalItems", "additionalProperties"];
        parts.extend(single.iter().filter_map(|name| part.get(name)));
    }
    problems
}

/// Returns a text that is the same for equal values only. Numbers are compared by value.
fn canonical(value: &Value) -> String {
    let Value::Number(number) = value else {
        return value.to_string();
    };
    let text = number.to_string();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    // Larger exponents do not occur in practice.
    let exponent: i64 = exponent.parse().unwrap_or(i64::MAX / 2);
    let cut = (digits.len() - kept.len()) as i64 - fraction.len() as i64;
    match kept.trim_start_matches('0') {
        "" => "0".to_owned(),
        kept => format!("{sign}{kept}e{}", exponent.saturating_add(cut)),
    }
}

/// Returns the validation options: draft 4, with the formats that Stargate's validator supports. It checks neither
/// dates nor times, and accepts any text that Java accepts as a URI.
fn options() -> ValidationOptions<'static> {
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    jsonschema::options()
        .with_draft(Draft::Draft4)
        .with_format("date", |_: &str| true)
        .with_format("time", |_: &str| true)
        .with_format("uri", is_uri)
        .with_format("uuid", |text: &str| {
            text.len() == 36 && Uuid::try_parse(text).is_ok()
        })
        .with_format("mac", move |text: &str| {
            let parts: Vec<&str> = text.split(':').collect();
            parts.len() == 6 && parts.iter().all(|part| hex(part, 2))
        })
        .with_format("md5", move |text: &str| hex(text, 32))
        .with_format("sha1", move |text: &str| hex(text, 40))
        .with_format("sha256", move |text: &str| hex(text, 64))
        .with_format("sha512", move |text: &str| hex(text, 128))
        .with_format("base64", |text: &str| {
            let digits = text.trim_end_matches('=');
            let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
            text.len().is_multiple_of(4)
                && text.len() - digits.len() <= 2
                && digits.bytes().all(is_digit)
        })
        .with_format("json-pointer", |text: &str| {
            let escapes = text.replace("~0", "").replace("~1", "");
            (text.is_empty() || text.starts_with('/')) && !escapes.contains('~')
        })
}

/// Returns true if Java's `URI` accepts the text, including relative URIs. It treats non-ASCII characters as letters.
fn is_uri(text: &str) -> bool {
    let is_letter = |c: char| !c.is_whitespace() && !c.is_control() && !"\"<>\\^`{|}".contains(c);
    let mut escapes = text.split('%').skip(1);
    let is_escape = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let scheme = text
        .split(['/', '?', '#'])
        .next()
        .and_then(|start| start.split_once(':'));
    let is_scheme = |(name, _): (&str, &str)| {
        let rest = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(rest)
            && text.len() > name.len() + 1
    };
    text.chars().all(is_letter) && escapes.all(is_escape) && scheme.is_none_or(is_scheme)
}

/// Validates a document against the schema of its collection, if any.
///
/// # Errors
/// [`DocumentError::InvalidJson`] for a document that violates the schema.
pub fn validate(collection: &Collection, document: &Value) -> Result<(), DocumentError> {
    match of(collection) {
        Some(schema) => validate_by(schema, document),
        None => Ok(()),
    }
}

pub(super) fn validate_by(mut schema: Value, document: &Value) -> Result<(), DocumentError> {
    // The schema is read as draft 4, regardless of its `$schema`.
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    cost::remove_ids(&mut schema);
    cost::check(&schema, document)?;
    let validator = options().build(&schema).or_else(|_| {
        // An unresolvable reference only matters if the document has the member.
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            properties.retain(|name, _| document.get(name).is_some());
        }
        let again = options().build(&schema);
        again.map_err(|_| DocumentError::JsonSchemaProcessing)
    })?;
    let errors: Vec<String> = validator.iter_errors(document).map(|e| text(&e)).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(DocumentError::InvalidJson(errors.join(", ")))
    }
}

/// Rejects writes of a part of a document in a collection with a schema.
///
/// # Errors
/// [`DocumentError::PartialUpdate`]
pub fn refuse_partial_update(collection: &Collection) -> Result<(), DocumentError> {
    match of(collection) {
        Some(_) => Err(DocumentError::PartialUpdate),
        None => Ok(()),
    }
}

/// Describes a violation, in the words of Stargate's validator where known.
fn text(error: &ValidationError<'_>) -> String {
    let found = error.instance();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("object has missing required properties ([{property}])")
        }
        ValidationErrorKind::Type { kind } => {
            let allowed: Vec<String> = match kind {
                TypeKind::Single(kind) => vec![format!("\"{kind}\"")],
                TypeKind::Multiple(kinds) => {
                    kinds.iter().map(|kind| format!("\"{kind}\"")).collect()
                }
            };
            format!(
                "instance type ({}) does not match any allowed primitive type (allowed: [{}])",
                kind_of(found),
                allowed.join(",")
            )
        }
        ValidationErrorKind::Minimum { limit } => format!(
            "numeric instance is lower than the required minimum (minimum: {limit}, found: {found})"
        ),
        ValidationErrorKind::Maximum { limit } => format!(
            "numeric instance is greater than the required maximum (maximum: {limit}, found: {found})"
        ),
        ValidationErrorKind::MaxLength { limit } => format!(
            "string {found} is too long (length: {}, maximum allowed: {limit})",
            length(found)
        ),
        ValidationErrorKind::MinLength { limit } => format!(
            "string {found} is too short (length: {}, required minimum: {limit})",
            length(found)
        ),
        _ => error.to_string(),
    }
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.to_string().contains(['.', 'e', 'E']) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(format: &str, text: &str) -> bool {
        let schema = json!({"format": format});
        options().build(&schema).unwrap().is_valid(&json!(text))
    }

    #[test]
    fn formats_are_those_of_stargate_s_validator() {
        for (format, text) in [
            ("date", "foo"),
            ("time", "foo"),
            ("uri", ""),
            ("uri", "1.2"),
            ("uri", "a:b"),
            ("uuid", "2a0b9d4e-2f3c-4d5e-8f6a-7b8c9d0e1f2a"),
            ("mac", "01:23:45:67:89:aB"),
            ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
            ("base64", "Zm9vYg=="),
            ("json-pointer", "/a~1b"),
            ("none", "foo"),
        ] {
            assert!(fits(format, text), "{format} {text}");
        }
        for (format, text) in [
            ("date-time", "foo"),
            ("email", "foo"),
            ("ipv4", "foo"),
            ("uri", "a b"),
            ("uri", "%4"),
            ("uri", "1:b"),
            ("uri", "a:"),
            ("uuid", "foo"),
            ("mac", "01:23:45:67:89"),
            ("md5", "foo"),
            ("sha1", "foo"),
            ("base64", "foo"),
            ("json-pointer", "foo"),
        ] {
            assert!(!fits(format, text), "{format} {text}");
        }
    }

    #[test]
    fn a_schema_is_refused_for_what_no_validator_can_use() {
        for schema in [
            json!({"enum": [1, 1.0]}),
            json!({"enum": [100, 1e2]}),
            json!({"items": [{"patternProperties": {"[": {}}}]}),
            json!({"properties": {"a": {"$ref": "%%"}}}),
            json!({"$schema": "nope nope"}),
            json!({"not": {"$ref": 5}}),
        ] {
            assert!(check(&schema).is_err(), "{schema}");
        }
        for schema in [
            json!({"enum": []}),
            json!({"enum": [9_007_199_254_740_992_u64, 9_007_199_254_740_993_u64, "1", 1, 10]}),
            json!({"$schema": "http://json-schema.org/draft-04/schema#"}),
            json!({"properties": {"a": {"$ref": "#/definitions/none"}}}),
        ] {
            check(&schema).unwrap();
        }
    }
}
