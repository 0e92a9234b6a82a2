//! Documents of the Data API, beside the statements on their tables that the driver would run.

use std::sync::Arc;

use anyhow::{Context, Result};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row as CqlRow};
use serde_json::{Value, json};
use settings::KEYSPACE;

use crate::load::{Level, Row, Side, one_and_many};
use crate::world::{World, execute};

/// Documents that are read and changed; the driver changes as many others.
const DOCUMENTS: u64 = 1_000;
/// Documents of an `insertMany`.
const MANY: u64 = 20;
const DIMENSION: u64 = 64;

/// A document of about 300 characters with seven paths.
fn document(id: u64) -> Value {
    json!({"_id": id, "title": format!("Title {id}"), "year": 1900 + id % 120, "price": 9.5, "sold": id.is_multiple_of(2),
        "author": {"name": format!("Author {}", id % 100), "about": "x".repeat(160)}})
}

fn vector(seed: u64) -> Vec<f32> {
    let component = |d: u64| ((seed * 31 + d * 7) % 97 + 1) as f32;
    (0..DIMENSION).map(component).collect()
}

fn id_of(id: u64) -> CqlValue {
    let id = CqlValue::Text(id.to_string());
    CqlValue::Tuple(vec![Some(CqlValue::TinyInt(2)), Some(id)])
}

/// The data, and a row for each command.
///
/// # Errors
/// When the data cannot be made.
pub async fn rows(world: &Arc<World>) -> Result<Vec<Row>> {
    let documents = (0..2 * DOCUMENTS).map(document);
    world.fill("bench_documents", json!({}), documents).await?;
    let vectors = (0..DOCUMENTS).map(|id| json!({"_id": id, "$vector": vector(id)}));
    let settings = json!({"vector": {"dimension": DIMENSION}});
    world.fill("bench_vectors", settings, vectors).await?;
    let name = |command: &str| format!("Data API {command}");
    Ok(vec![
        Row {
            name: name("insertOne"),
            against: "INSERT IF NOT EXISTS, same table".to_owned(),
            ours: on_documents(world, |n| {
                json!({"insertOne": {"document": document(1_000_000 + n)}})
            }),
            driver: insert(world, 2_000_000).await?,
            levels: one_and_many("1.3", "1.5"),
        },
        Row {
            name: name("findOne by _id"),
            against: "SELECT by key".to_owned(),
            ours: on_documents(
                world,
                |n| json!({"findOne": {"filter": {"_id": n % DOCUMENTS}}}),
            ),
            driver: statement(
                world,
                "SELECT key, tx_id, doc_json FROM bench_documents WHERE key = ?",
                |n| vec![id_of(n % DOCUMENTS)],
            )
            .await?,
            levels: one_and_many("2.0", "3.0"),
        },
        Row {
            name: name("find by one equality"),
            against: "SELECT by the index".to_owned(),
            ours: on_documents(world, |n| {
                let title = format!("Title {}", n % DOCUMENTS);
                json!({"find": {"filter": {"title": title}, "options": {"limit": 1}}})
            }),
            driver: statement(
                world,
                "SELECT key, tx_id, doc_json FROM bench_documents WHERE array_contains CONTAINS ? LIMIT 1",
                |n| vec![CqlValue::Text(format!("title STitle {}", n % DOCUMENTS))],
            )
            .await?,
            levels: one_and_many("2.0", "2.5"),
        },
        Row {
            name: name("updateOne $set by _id"),
            against: "SELECT, UPDATE IF tx_id".to_owned(),
            ours: on_documents(world, |n| {
                let filter = json!({"_id": n % DOCUMENTS});
                json!({"updateOne": {"filter": filter, "update": {"$set": {"year": n}}}})
            }),
            driver: update(world).await?,
            levels: one_and_many("1.5", "1.7"),
        },
        Row {
            name: name("find by $vector, limit 10"),
            against: "SELECT ORDER BY ANN LIMIT 10".to_owned(),
            ours: command(world, "bench_vectors", |n| {
                json!({"find": {"sort": {"$vector": vector(n)}, "options": {"limit": 10}}})
            }),
            driver: statement(
                world,
                "SELECT key, doc_json FROM bench_vectors ORDER BY query_vector_value ANN OF ? LIMIT 10",
                |n| {
                    let components = vector(n).into_iter().map(CqlValue::Float);
                    vec![CqlValue::Vector(components.collect())]
                },
            )
            .await?,
            levels: one_and_many("1.5", "1.5"),
        },
        Row {
            name: name("insertMany of 20, documents"),
            against: "INSERT IF NOT EXISTS, 8 in flight".to_owned(),
            ours: on_documents(world, |n| {
                let ids = (0..MANY).map(|some| 3_000_000 + n * MANY + some);
                json!({"insertMany": {"documents": ids.map(document).collect::<Vec<_>>()}})
            })
            .worth(MANY as f64),
            driver: insert(world, 8_000_000).await?,
            levels: vec![Level { ours: 1, driver: 8, aim: "1.5" }],
        },
        create_collection(world),
    ])
}

/// Calls a command, which is made of a number.
pub fn command(
    world: &Arc<World>,
    collection: &'static str,
    of: impl Fn(u64) -> Value + Send + Sync + 'static,
) -> Side {
    let world = Arc::clone(world);
    Side::new(move |number| {
        let (world, command) = (Arc::clone(&world), of(number));
        async move { world.command(collection, command).await.map(drop) }
    })
}

fn on_documents(world: &Arc<World>, of: impl Fn(u64) -> Value + Send + Sync + 'static) -> Side {
    command(world, "bench_documents", of)
}

/// Runs a statement with values, which are made of a number.
///
/// # Errors
/// When Cassandra rejects the statement.
pub async fn statement(
    world: &Arc<World>,
    cql: &str,
    values: impl Fn(u64) -> Vec<CqlValue> + Send + Sync + 'static,
) -> Result<Side> {
    let statement = Arc::new(world.session.prepare(cql).await?);
    let world = Arc::clone(world);
    Ok(Side::new(move |number| {
        execute(Arc::clone(&world), Arc::clone(&statement), values(number))
    }))
}

/// The columns of a document as the Data API has written them.
async fn columns(world: &World) -> Result<(Vec<String>, Vec<CqlValue>)> {
    let select = "SELECT * FROM bench_documents WHERE key = ?";
    let result = world.session.query_unpaged(select, (id_of(0),)).await?;
    let rows = result.into_rows_result()?;
    let names: Vec<String> = rows
        .column_specs()
        .iter()
        .map(|spec| spec.name().to_owned())
        .collect();
    let row: CqlRow = rows.first_row()?;
    let columns = names.into_iter().zip(row.columns);
    let given = columns.filter_map(|(name, value)| Some((name, value?)));
    Ok(given.filter(|(name, _)| name != "key").unzip())
}

/// Inserts rows with all columns and indexes of a document.
async fn insert(world: &Arc<World>, first: u64) -> Result<Side> {
    let (names, values) = columns(world).await?;
    let cql = format!(
        "INSERT INTO bench_documents (key, {}) VALUES (?{}) IF NOT EXISTS",
        names.join(", "),
        ", ?".repeat(names.len())
    );
    statement(world, &cql, move |number| {
        let key = id_of(first + number);
        [vec![key], values.clone()].concat()
    })
    .await
}

async fn update(world: &Arc<World>) -> Result<Side> {
    let (names, values) = columns(world).await?;
    let assignments: Vec<String> = names.iter().map(|name| format!("{name} = ?")).collect();
    let update = format!(
        "UPDATE bench_documents SET {} WHERE key = ? IF tx_id = ?",
        assignments.join(", ").replace("tx_id = ?", "tx_id = now()")
    );
    let update = Arc::new(world.session.prepare(update).await?);
    let select = "SELECT tx_id, doc_json FROM bench_documents WHERE key = ?";
    let select = Arc::new(world.session.prepare(select).await?);
    let values: Vec<CqlValue> = names
        .iter()
        .zip(values)
        .filter_map(|(name, value)| (name != "tx_id").then_some(value))
        .collect();
    let world = Arc::clone(world);
    Ok(Side::new(move |number| {
        let (world, values) = (Arc::clone(&world), values.clone());
        let (select, update) = (Arc::clone(&select), Arc::clone(&update));
        async move {
            // Its rows become copies of one document, which no command may meet.
            let key = id_of(DOCUMENTS + number % DOCUMENTS);
            let tx_id = read_tx_id(&world, &select, &key).await?;
            execute(world, update, [values, vec![key, tx_id]].concat()).await
        }
    }))
}

async fn read_tx_id(world: &World, select: &PreparedStatement, key: &CqlValue) -> Result<CqlValue> {
    let found = world.session.execute_unpaged(select, (key,)).await?;
    let row: CqlRow = found.into_rows_result()?.first_row()?;
    row.columns.into_iter().next().flatten().context("no tx_id")
}

/// A table with nine indexes by the driver: its own statements, which it waits for.
fn create_collection(world: &Arc<World>) -> Row {
    let [for_driver, for_undo, for_ours, for_ours_undo] = [(); 4].map(|()| Arc::clone(world));
    Row {
        name: "Data API createCollection, vectors".to_owned(),
        against: "CREATE TABLE, nine CREATE INDEX at once".to_owned(),
        ours: Side::new(move |number| {
            let world = Arc::clone(&for_ours);
            let settings = json!({"vector": {"dimension": DIMENSION}});
            let create = json!({"createCollection": {"name": format!("bench_new_{number}"), "options": settings}});
            async move { world.command("", create).await.map(drop) }
        })
        .undone_by(move |number| {
            let world = Arc::clone(&for_ours_undo);
            let delete = json!({"deleteCollection": {"name": format!("bench_new_{number}")}});
            async move { world.command("", delete).await.map(drop) }
        }),
        driver: Side::new(move |number| create_table(Arc::clone(&for_driver), number)).undone_by(
            move |number| {
                let world = Arc::clone(&for_undo);
                async move {
                    let drop_table = format!("DROP TABLE {KEYSPACE}.bench_table_{number}");
                    world.session.query_unpaged(drop_table, ()).await?;
                    Ok(())
                }
            },
        ),
        levels: vec![Level { ours: 1, driver: 1, aim: "at most 3 s" }],
    }
}

async fn create_table(world: Arc<World>, number: u64) -> Result<()> {
    let table = format!("bench_table_{number}");
    let columns = [
        ("exist_keys", "set<text>", "values(exist_keys)"),
        ("array_size", "map<text, int>", "entries(array_size)"),
        ("array_contains", "set<text>", "values(array_contains)"),
        ("bools", "map<text, tinyint>", "entries(bools)"),
        ("numbers", "map<text, decimal>", "entries(numbers)"),
        ("texts", "map<text, text>", "entries(texts)"),
        ("times", "map<text, timestamp>", "entries(times)"),
        ("nulls", "set<text>", "values(nulls)"),
        ("nearest", "vector<float, 64>", "nearest"),
    ];
    let definitions = columns.map(|(name, typ, _)| format!("{name} {typ}"));
    let create = format!(
        "CREATE TABLE {KEYSPACE}.{table} (key frozen<tuple<tinyint, text>> PRIMARY KEY, tx_id timeuuid, \
         doc_json text, {})",
        definitions.join(", ")
    );
    world.session.query_unpaged(create, ()).await?;
    let indexes = columns.map(|(_, _, indexed)| {
        let create =
            format!("CREATE INDEX ON {KEYSPACE}.{table} ({indexed}) USING 'StorageAttachedIndex'");
        world.session.query_unpaged(create, ())
    });
    futures::future::try_join_all(indexes).await?;
    Ok(())
}
