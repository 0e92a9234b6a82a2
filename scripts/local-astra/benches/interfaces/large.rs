//! A large collection: what a command takes, and what it leaves of the gateway's memory.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::others::memory;
use crate::server::Server;
use crate::world::World;

const COLLECTION: &str = "bench_large";
/// Most documents that can be sorted.
const SORTED: usize = 10_000;
/// The interval between two looks at the memory of a command that runs.
const INTERVAL: Duration = Duration::from_millis(20);

/// An operation on the collection.
pub struct Large {
    pub name: String,
    pub time: Duration,
    /// The gateway's memory before it, and the most while it ran, in bytes.
    pub before: u64,
    pub most: u64,
}

/// Fills a collection with documents of 2 kB, and runs the commands that read many of them.
///
/// # Errors
/// When a command fails, or does not find what it has to.
pub async fn measure(world: &World, server: &Server, documents: usize) -> Result<Vec<Large>> {
    let gateway = server.gateway()?;
    let document = |id: usize| {
        json!({"_id": id, "n": id, "half": id % 2, "sortable": id < SORTED, "text": "x".repeat(1900),
            "$vector": [1.0, id as f64 / documents as f64]})
    };
    let settings = json!({"vector": {"dimension": 2}, "indexing": {"deny": ["text"]}});
    let mut measured = Vec::new();
    let fill = world.fill(COLLECTION, settings, (0..documents).map(document));
    let name = format!("insertMany of 100, all {documents} documents");
    measured.push(watched(gateway, name, fill).await?.0);
    let hundred: Vec<usize> = (0..100).map(|n| n * documents / 100).collect();
    let nearest = json!({"$vector": [1, 0]});
    let commands = [
        ("find: a page", json!({}), json!({}), 50),
        (
            "find by equality",
            json!({"n": documents / 2}),
            json!({}),
            1,
        ),
        (
            "find by $in of 100",
            json!({"n": {"$in": hundred}}),
            json!({}),
            50,
        ),
        (
            "sort of 10,000",
            json!({"sortable": true}),
            json!({"n": -1}),
            50,
        ),
        (
            "find by $vector with $gt",
            json!({"n": {"$gt": documents / 4}}),
            nearest,
            50,
        ),
    ];
    for (name, filter, sort, wanted) in commands {
        let find = json!({"find": {"filter": filter, "sort": sort, "options": {"limit": 50}}});
        let run = world.command(COLLECTION, find);
        let (large, body) = watched(gateway, name.to_owned(), run).await?;
        let found = body["data"]["documents"].as_array().map_or(0, Vec::len);
        ensure!(found == wanted, "{name}: {found} documents");
        measured.push(large);
    }
    let scan = async {
        let (mut found, mut options) = (0, json!({}));
        loop {
            let find = json!({"find": {"filter": {"half": {"$ne": 1}}, "options": options}});
            let body = world.command(COLLECTION, find).await?;
            found += body["data"]["documents"].as_array().map_or(0, Vec::len);
            match body["data"]["nextPageState"].as_str() {
                Some(state) => options = json!({"pageState": state}),
                None => return anyhow::Ok(found),
            }
        }
    };
    let (large, found) = watched(gateway, "all pages of a scan by $ne".to_owned(), scan).await?;
    ensure!(found == documents.div_ceil(2), "{found} documents");
    measured.push(large);
    if documents > SORTED {
        let sort = world.outcome(COLLECTION, json!({"find": {"sort": {"n": -1}}}));
        let name = "sort of more than 10,000: rejected".to_owned();
        let (large, body) = watched(gateway, name, sort).await?;
        let code = &body["errors"][0]["errorCode"];
        ensure!(*code == "OVERLOADED_SORT_ROW_LIMIT", "{body}");
        measured.push(large);
    }
    Ok(measured)
}

async fn watched<T>(
    gateway: u32,
    name: String,
    run: impl Future<Output = Result<T>>,
) -> Result<(Large, T)> {
    let before = memory(gateway)?;
    let began = Instant::now();
    let mut most = before;
    let mut interval = tokio::time::interval(INTERVAL);
    tokio::pin!(run);
    let done = loop {
        tokio::select! {
            done = &mut run => break done,
            _ = interval.tick() => most = most.max(memory(gateway)?),
        }
    };
    let time = began.elapsed();
    most = most.max(memory(gateway)?);
    let done: T = done.with_context(|| name.clone())?;
    println!(
        "{name}: {time:.1?}, memory {} to {} MB",
        before >> 20,
        most >> 20
    );
    let large = Large {
        name,
        time,
        before,
        most,
    };
    Ok((large, done))
}
