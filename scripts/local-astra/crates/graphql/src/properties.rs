//! No document, variables or schema of a client brings the readers of GraphQL down.

use apollo_compiler::Schema;
use proptest::strategy::Strategy;

use super::engine::{self, Request};
use super::first::deploy;

const SCHEMA: &str = "type Query { t(value: I, many: [[I]]): T } type T { a: String t: T l: [T] } \
     input I { a: String i: I l: [I] n: Int s: S } scalar S";
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "t",
    "a",
    "l",
    ":",
    "$",
    "$v",
    "!",
    "\"",
    "\"\"\"",
    "...",
    "...F ",
    " on ",
    "fragment F on T",
    "query",
    "mutation",
    "@skip(if:",
    "value:",
    "__typename ",
    "__schema",
    "types{",
    "fields{",
    "type{",
    "ofType{",
    " ",
    "#",
    "1",
    "null",
    "&",
    "|",
    "é",
];

#[test]
fn any_document_is_prepared_or_refused() {
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    hostile::survives(
        || hostile::texts(PIECES),
        move |query| {
            for query in [format!("{{t{{{query}}}}}"), format!("{{{query}}}"), query] {
                let request = Request {
                    query,
                    ..Request::default()
                };
                let _ = engine::prepare(&schema, &request);
            }
        },
    );
}

#[test]
fn any_value_is_taken_or_refused() {
    const VALUES: &[&str] = &["a", "i", "l", "n", "s", "v", "1"];
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    hostile::survives(
        || hostile::json(VALUES),
        move |text| {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else {
                return;
            };
            for typ in ["I", "[[I]]", "S", "Int", "[String!]!"] {
                let request = Request {
                    query: format!("query($v:{typ}){{t(value:{{s:$v}}){{a}}}}"),
                    variables: [("v".to_owned(), value.clone())].into_iter().collect(),
                    ..Request::default()
                };
                let _ = engine::prepare(&schema, &request);
            }
        },
    );
}

#[test]
fn any_schema_is_deployed_or_refused() {
    const SDL: &[&str] = &[
        "type T ",
        "type Query ",
        "input I ",
        "enum E ",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "a",
        "T",
        "Int",
        "Uuid",
        " @cql_entity(name:",
        " @cql_column(",
        "\"",
        "\"\"\"",
        "implements ",
        "union U = ",
        "|",
        "&",
        "extend ",
        "directive @d on ",
        " ",
        "=",
        "{}",
        "é",
    ];
    hostile::survives(
        || hostile::texts(SDL),
        |text| {
            let _ = deploy::prepare(&text);
            let _ = deploy::prepare(&format!("type T {{ id: ID! a: {text} }}"));
        },
    );
}

#[test]
fn fragments_in_a_long_chain_come_to_an_end() {
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    let chains = || {
        (1..400_usize, 1..3_usize).prop_map(|(length, times)| {
            let spread = |n: usize| format!("...F{n} ").repeat(times);
            let all = (0..length).map(|n| format!("fragment F{n} on T{{{}}} ", spread(n + 1)));
            format!(
                "{{t{{...F0}}}} {} fragment F{length} on T{{a}}",
                all.collect::<String>()
            )
        })
    };
    hostile::survives(chains, move |query| {
        let request = Request {
            query,
            ..Request::default()
        };
        let _ = engine::prepare(&schema, &request);
    });
}
