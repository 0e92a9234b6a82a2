//! No text of a client brings the readers of types, values and statements down.

use super::lexer::{self, Parts};
use super::limits;
use super::types::{TypeName, UserTypes, built_in};
use super::values::{Maps, from_json, from_text};

const TYPES: &[&str] = &[
    "int", "text", "map<", "list<", "set<", "tuple<", "frozen<", "vector<", ">", ",", " ", "3>",
    "65535>", "\"", "\"\"", "t", "é", "(",
];
const VALUES: &[&str] = &[
    "[", "]", "{", "}", "(", ")", ":", ",", "'", "\"", "\\", " ", "1", "-", "é", "a", "null",
    "12:00:00", "1y", "0x", "P1D", ".", "e9",
];

const ALL_TYPES: [&str; 18] = [
    "int",
    "text",
    "blob",
    "decimal",
    "varint",
    "double",
    "duration",
    "timestamp",
    "time",
    "date",
    "inet",
    "uuid",
    "boolean",
    "list<frozen<list<text>>>",
    "map<text, int>",
    "tuple<int, text>",
    "set<uuid>",
    "vector<float, 3>",
];

#[test]
fn any_text_is_read_as_a_type_or_refused() {
    hostile::survives(
        || hostile::texts(TYPES),
        |text| {
            if let Ok(typ) = TypeName::parse(&text) {
                let none = UserTypes {
                    keyspace: "ks",
                    fields: Default::default(),
                };
                let _ = typ.resolve(&none);
                assert_eq!(TypeName::parse(&typ.to_cql()), Ok(typ));
            }
        },
    );
}

#[test]
fn any_text_is_read_as_a_value_or_refused() {
    let types = ALL_TYPES.map(|text| built_in(text).unwrap());
    hostile::survives(
        || hostile::texts(VALUES),
        move |text| {
            for typ in &types {
                for maps in [Maps::Compact, Maps::Entries] {
                    let _ = from_text(&text, typ, maps);
                }
            }
        },
    );
}

#[test]
fn any_json_is_read_as_a_value_or_refused() {
    let types = ALL_TYPES.map(|text| built_in(text).unwrap());
    hostile::survives(
        || hostile::json(VALUES),
        move |text| {
            let Ok(value) = serde_json::from_str(&text) else {
                return;
            };
            for typ in &types {
                for maps in [Maps::Compact, Maps::Entries] {
                    let _ = from_json(&value, typ, maps);
                }
            }
        },
    );
}

#[test]
fn any_text_is_read_as_a_statement() {
    const CQL: &[&str] = &[
        "CREATE ",
        "TABLE ",
        "INDEX ",
        "ON ",
        "IF NOT EXISTS ",
        "a",
        ".",
        "(",
        ")",
        ",",
        "'",
        "$$",
        "\"",
        "/*",
        "*/",
        "--",
        "\n",
        "//",
        "é",
        "keys(",
        "USE ",
        ";",
    ];
    hostile::survives(
        || hostile::texts(CQL),
        |text| {
            let _ = Parts::of(&text).count();
            let _ = (limits::check(&text), lexer::qualifiers(&text));
            let _ = (lexer::is_use(&text), lexer::is_conditional(&text));
        },
    );
}
