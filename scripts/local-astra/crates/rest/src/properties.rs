//! No body, `where` or key of a client brings the readers of REST down.

use serde_json::Value;

use super::conditions;
use super::{tables, types};
use bridge::first_json;
use store::types::built_in;
use store::values::Maps;
use store::{Column, ColumnKind, Table};

const PIECES: &[&str] = &[
    "a",
    "l",
    "m",
    "$eq",
    "$in",
    "$contains",
    "$containsEntry",
    "$exists",
    "key",
    "value",
    "1",
];

/// A table with columns of the kinds that conditions tell apart.
fn table() -> Table {
    let column = |(name, typ): &(&str, &str)| Column {
        name: (*name).to_owned(),
        kind: ColumnKind::Regular,
        typ: built_in(typ).unwrap(),
        descending: false,
    };
    let columns = [
        ("a", "int"),
        ("l", "list<text>"),
        ("m", "map<text, decimal>"),
    ];
    Table {
        keyspace: "ks".to_owned(),
        name: "t".to_owned(),
        columns: columns.iter().map(column).collect(),
        default_time_to_live: 0,
        comment: String::new(),
        indexes: Vec::new(),
        is_view: false,
    }
}

#[test]
fn any_where_is_read_or_refused() {
    let table = table();
    hostile::survives(
        || hostile::json(PIECES),
        move |text| {
            let _ = conditions::parse(&table, &text, Maps::Entries);
            let _ = conditions::parse(&table, &format!("{{\"m\":{text}}}"), Maps::Compact);
        },
    );
}

#[test]
fn any_body_is_read_or_refused() {
    hostile::survives(
        || hostile::json(PIECES),
        |text| {
            let _ = first_json::<Value>(&text);
            let _ = first_json::<tables::Definition>(&text);
        },
    );
}

#[test]
fn any_type_text_is_read_or_refused() {
    const TYPES: &[&str] = &[
        "int", "Map<", "list<", "frozen<", ">", ",", " ", "\"", "é", "{",
    ];
    hostile::survives(
        || hostile::texts(TYPES),
        |text| {
            let _ = types::to_cql(&text);
        },
    );
}
