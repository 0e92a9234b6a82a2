//! A keyspace with many tables and documents: what its schema costs, and a search through its documents.

use std::time::Duration;

use anyhow::{Result, ensure};
use axum::http::Method;
use serde_json::{Value, json};
use settings::KEYSPACE;

use crate::figures::{Figure, middle, waited};
use crate::world::{World, documents};

const TABLES: usize = 450;
const DOCUMENTS: usize = 21_000;
/// Documents of a batch.
const TOGETHER: usize = 250;
/// Documents that the search finds.
const HITS: usize = 222;
const COLLECTION: &str = "bench_many";
const REPEATS: usize = 5;

/// Makes the tables and documents, and measures what depends on their number.
///
/// # Errors
/// When a request fails, or does not find what it has to.
pub async fn measure(world: &World) -> Result<Vec<Figure>> {
    for number in 0..TABLES {
        let create = format!(
            "CREATE TABLE bench_many_{number} (id int, at int, name text, tags set<text>, PRIMARY KEY (id, at))"
        );
        world.session.query_unpaged(create, ()).await?;
    }
    fill(world).await?;
    let list = format!("/api/rest/v2/schemas/keyspaces/{KEYSPACE}/tables");
    let mut lists = Vec::new();
    for _ in 0..REPEATS {
        let (time, text) = waited(world.send(Method::GET, &list, None)).await?;
        ensure!(
            text.matches("bench_many_").count() >= TABLES,
            "{list}: {text}"
        );
        lists.push(time);
    }
    let first = graphql(world, 0).await?;
    let again = graphql(world, 0).await?;
    let alter = "ALTER TABLE bench_many_1 ADD note text";
    world.session.query_unpaged(alter, ()).await?;
    let changed = graphql(world, 1).await?;
    let (search, hits) = waited(search(world)).await?;
    ensure!(hits == HITS, "{hits} documents found");
    let tables = format!("with {TABLES} tables");
    Ok(vec![
        Figure::time(format!("REST: list, {tables}"), middle(lists), "40 ms"),
        Figure::time(format!("GraphQL: first request, {tables}"), first, "0.3 s"),
        Figure::time(format!("GraphQL: second request, {tables}"), again, ""),
        Figure::time(
            format!("GraphQL: first request after a change of the schema, {tables}"),
            changed,
            "0.1 s",
        ),
        Figure::time(
            format!("Document: all pages of a range with {HITS} hits among {DOCUMENTS} documents"),
            search,
            "2 s",
        ),
    ])
}

async fn fill(world: &World) -> Result<()> {
    world.create_documents(COLLECTION).await?;
    let batch = format!("{}/batch?id-path=id", documents(COLLECTION));
    for start in (0..DOCUMENTS).step_by(TOGETHER) {
        let some = start..(start + TOGETHER).min(DOCUMENTS);
        let some: Vec<Value> = some
            .map(|n| json!({"id": n.to_string(), "n": n, "title": format!("Title {n}")}))
            .collect();
        world.send(Method::POST, &batch, Some(&json!(some))).await?;
    }
    Ok(())
}

/// A query of one table.
async fn graphql(world: &World, table: usize) -> Result<Duration> {
    let query = format!("{{ bench_many_{table} {{ values {{ id }} }} }}");
    Ok(waited(world.graphql(&query)).await?.0)
}

async fn search(world: &World) -> Result<usize> {
    let range = format!(
        "%7B%22n%22:%7B%22$gte%22:1000,%22$lt%22:{}%7D%7D",
        1000 + HITS
    );
    let (mut hits, mut page) = (0, String::new());
    loop {
        let path = format!("{}?page-size=20&where={range}{page}", documents(COLLECTION));
        let text = world.send(Method::GET, &path, None).await?;
        let found: Value = serde_json::from_str(&text)?;
        hits += found["data"].as_object().map_or(0, serde_json::Map::len);
        match found["pageState"].as_str() {
            Some(state) => {
                let state = percent_encoding::utf8_percent_encode(
                    state,
                    percent_encoding::NON_ALPHANUMERIC,
                );
                page = format!("&page-state={state}");
            }
            None => return Ok(hits),
        }
    }
}
