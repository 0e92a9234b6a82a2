//! No path, body or schema of a client brings the readers of documents down.

use serde_json::Value;

use super::{json_schema, path, shred};
use bridge::first_json;

const NAMES: &[&str] = &["a", "a.b", "[0]", "[*]", "*", "b'", "\\", "é", ""];

#[test]
fn any_path_is_read_or_refused() {
    const PIECES: &[&str] = &[
        "a", ".", "\\", ",", "*", "[", "]", "[0]", "[*]", "999999", "-", "é", " ", "/",
    ];
    hostile::survives(
        || hostile::texts(PIECES),
        |text| {
            let _ = path::field_path(&text);
            let _ = path::stored(&text).map(|segment| path::Pattern::read(&segment).fits(&text));
            let _ = path::is_valid_name(&path::unescape(&text));
        },
    );
}

#[test]
fn any_document_is_shredded_or_refused() {
    hostile::survives(
        || hostile::json(NAMES),
        |text| {
            if let Ok(document) = first_json(&text) {
                let _ = shred::shred(&document);
            }
        },
    );
}

const SCHEMA: &[&str] = &[
    "type",
    "properties",
    "items",
    "allOf",
    "anyOf",
    "not",
    "$ref",
    "#",
    "#/properties/a",
    "id",
    "definitions",
    "enum",
    "required",
    "dependencies",
    "patternProperties",
    "(a+)+$",
    "a",
    "additionalProperties",
    "format",
    "object",
    "array",
    "http://example.com/",
];

#[test]
fn any_schema_is_taken_or_refused() {
    hostile::survives(
        || hostile::json(SCHEMA),
        |text| {
            let Ok(schema) = first_json(&text) else {
                return;
            };
            if json_schema::check(&schema).is_ok() {
                let document =
                    serde_json::json!({"a": [{"a": "aaaaaaaaaaaaaaaaaaaa!"}, 1], "$ref": {}});
                let _ = json_schema::validate_by(schema, &document);
            }
        },
    );
}

/// Returns true if a document can be checked against a schema, and fits.
fn fits(schema: &str, document: &str) -> bool {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let document = serde_json::from_str(document).unwrap();
    json_schema::check(&schema).unwrap();
    json_schema::validate_by(schema, &document).is_ok()
}

#[test]
fn a_schema_that_leads_in_a_circle_is_refused_where_a_document_meets_the_circle() {
    for circle in [
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"$ref": "#"}]}"##,
        r##"{"properties": {"a": {"not": {"$ref": "#/properties/a"}}}}"##,
        r##"{"properties": {"a": {"$ref": "#/definitions/b"}},
            "definitions": {"b": {"anyOf": [{"$ref": "#/definitions/c"}]}, "c": {"$ref": "#/definitions/b"}}}"##,
        r##"{"properties": {"a": {"id": "http://example.com/", "allOf": [{"$ref": "#/properties/a"}]}}}"##,
        r##"{"dependencies": {"a": {"$ref": "#"}}}"##,
    ] {
        assert!(!fits(circle, r#"{"a": 1}"#), "{circle}");
    }
    let list = r##"{"properties": {"next": {"$ref": "#"}, "value": {"type": "integer"}}}"##;
    assert!(fits(
        list,
        r#"{"value": 1, "next": {"next": {"value": 2}}}"#
    ));
    assert!(!fits(
        list,
        r#"{"value": 1, "next": {"next": {"value": "x"}}}"#
    ));
}

#[test]
fn a_schema_that_doubles_with_each_reference_is_refused() {
    let levels: String = (0..40)
        .map(|n| {
            let next = format!("{{\"$ref\": \"#/definitions/{}\"}}", n + 1);
            format!("\"{n}\": {{\"allOf\": [{next}, {next}]}}, ")
        })
        .collect();
    let schema =
        format!(r##"{{"definitions": {{{levels}"40": {{}}}}, "$ref": "#/definitions/0"}}"##);
    assert!(!fits(&schema, "{}"));
    // Or with each level of the document.
    let both = r##"{"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}"##;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(50), "}".repeat(50));
    assert!(!fits(both, &deep));
    assert!(fits(both, r#"{"a": {"a": {"a": 1}}}"#));
}
