//! Rows of a table over the Data API, beside the driver's statements on the same table.

use std::sync::Arc;

use anyhow::Result;
use scylla::value::CqlValue;
use serde_json::{Value, json};

use super::data_api::{command, statement};
use crate::load::{Row, one_and_many};
use crate::world::World;

/// Rows that are read.
const ROWS: u64 = 1_000;
const TABLE: &str = "bench_table_rows";

/// A row of about 200 characters. The driver writes the same values.
fn row(id: u64) -> Value {
    json!({"id": id, "title": title(id), "year": 2000, "price": 9.5, "sold": true, "about": about()})
}

fn title(id: u64) -> String {
    format!("Title {id}")
}

fn about() -> String {
    "x".repeat(160)
}

fn id_of(id: u64) -> CqlValue {
    CqlValue::BigInt(id.cast_signed())
}

/// The table with its rows, and a row of the benchmark for each command.
///
/// # Errors
/// When the table cannot be created or filled.
pub async fn rows(world: &Arc<World>) -> Result<Vec<Row>> {
    let columns = json!({"id": "bigint", "title": "text", "year": "int", "price": "double",
        "sold": "boolean", "about": "text"});
    let definition = json!({"columns": columns, "primaryKey": "id"});
    let create = json!({"createTable": {"name": TABLE, "definition": definition}});
    world.command("", create).await?;
    world.insert(TABLE, (0..ROWS).map(row)).await?;
    let insert = format!(
        "INSERT INTO {TABLE} (id, title, year, price, sold, about) VALUES (?, ?, ?, ?, ?, ?)"
    );
    let select = format!("SELECT id, title, year, price, sold, about FROM {TABLE} WHERE id = ?");
    Ok(vec![
        Row {
            name: "Data API table insertOne".to_owned(),
            against: "INSERT, same table".to_owned(),
            ours: command(
                world,
                TABLE,
                |n| json!({"insertOne": {"document": row(1_000_000_000 + n)}}),
            ),
            driver: statement(world, &insert, |n| {
                let id = 2_000_000_000 + n;
                vec![
                    id_of(id),
                    CqlValue::Text(title(id)),
                    CqlValue::Int(2000),
                    CqlValue::Double(9.5),
                    CqlValue::Boolean(true),
                    CqlValue::Text(about()),
                ]
            })
            .await?,
            levels: one_and_many("1.5", "1.5"),
        },
        Row {
            name: "Data API table findOne by key".to_owned(),
            against: "SELECT by key".to_owned(),
            ours: command(
                world,
                TABLE,
                |n| json!({"findOne": {"filter": {"id": n % ROWS}}}),
            ),
            driver: statement(world, &select, |n| vec![id_of(n % ROWS)]).await?,
            levels: one_and_many("1.5", "1.5"),
        },
    ])
}
