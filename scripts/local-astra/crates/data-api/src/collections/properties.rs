//! No body of a client brings the readers of the Data API down.

use super::definition::Definition;
use super::projection::Projection;
use super::{filter, shred};
use crate::command::Command;
use crate::commands::Level;
use crate::json::{Json, reader};

const PIECES: &[&str] = &[
    "find",
    "filter",
    "sort",
    "projection",
    "options",
    "insertOne",
    "document",
    "updateOne",
    "update",
    "_id",
    "a",
    "a.b",
    "a..b",
    "$and",
    "$or",
    "$not",
    "$in",
    "$eq",
    "$exists",
    "$size",
    "$vector",
    "$binary",
    "$date",
    "$uuid",
    "$slice",
    "$set",
    "$push",
    "$each",
    "indexing",
    "deny",
];

#[test]
fn any_body_is_a_command_or_refused() {
    hostile::survives(
        || hostile::json(PIECES),
        |text| {
            for text in [
                format!("{{\"find\":{text}}}"),
                format!("{{\"find\":{{\"filter\":{text}}}}}"),
                text,
            ] {
                let Ok(body) = reader::read(&text) else {
                    continue;
                };
                for level in [Level::Database, Level::Keyspace, Level::Collection] {
                    let _ = Command::read(level, body.clone());
                }
            }
        },
    );
}

#[test]
fn any_value_is_read_or_refused() {
    hostile::survives(
        || hostile::json(PIECES),
        |text| {
            let Ok(Some(value)) = reader::read(&text) else {
                return;
            };
            let _ = filter::parse::read(Some(&value));
            let _ = Projection::read(Some(&value))
                .map(|projection| projection.apply(&mut value.clone()));
            if let Json::Object(options) = &value {
                let _ =
                    Definition::read(options).map(|definition| shred::shred(&value, &definition));
            }
            let mut written = String::new();
            value.write(&mut written);
        },
    );
}
