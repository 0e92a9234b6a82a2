//! Documents and vector search over Astra's Data API, with nothing but `reqwest`.
//!
//! 1. List the collections of the keyspace
//! 2. Create a collection with vectors of three numbers
//! 3. Insert eight books
//! 4. Insert one again: an error in a response with status 200
//! 5. Find by a filter, page by page
//! 6. Find the nearest to a vector
//! 7. Filter, and find the nearest of the rest
//! 8. Update a book and read it back
//! 9. Delete by a filter, and count the rest
//! 10. Delete the collection, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_API_ENDPOINT`, `ASTRA_DB_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p data-api-sample
//! cargo local run data-api-sample    # without an Astra account
//! ```

mod data_api;

use anyhow::{Context, Result};
use data_api::{ApiError, run};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::ExposeSecret;

/// A document. Its vector says how much adventure, love and fear the book contains.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Book {
    #[serde(rename = "_id")]
    id: String,
    title: String,
    author: String,
    year: i32,
    genres: Vec<String>,
    readers: u32,
    #[serde(rename = "$vector")]
    vector: Vec<f32>, // empty in responses, unless a projection names it
    #[serde(rename = "$similarity", skip_serializing)]
    similarity: f32,
}

/// The `data` of a response. Pass `next_page_state` to get the next page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    documents: Vec<Book>,
    document: Option<Book>,
    next_page_state: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = shared::DataApi::from_env()?;
    let http = data_api::client(astra.token.expose_secret())?;
    let keyspace = format!("{}/v1/{}", astra.url, astra.keyspace);
    tokio::select! {
        listed = list_collections(&http, &keyspace) => listed?,
        stopped = &mut stop => return Err(stopped.into()),
    }
    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_books_{run}_{}", std::process::id());
    create_collection(&http, &keyspace, &name).await?;
    let books = format!("{keyspace}/{name}");
    let story = tokio::select! {
        story = use_collection(&http, &books) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let deleted = delete_collection(&http, &keyspace, &name).await;
    if let (Err(_), Err(error)) = (&story, &deleted) {
        eprintln!("{error:#}");
    }
    story.and(deleted)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn list_collections(http: &Client, keyspace: &str) -> Result<()> {
    let listed: Value = run(http, keyspace, json!({ "findCollections": {} })).await?;
    let count = listed["collections"].as_array().map_or(0, Vec::len);
    let s = if count == 1 { "" } else { "s" };
    println!("1. The keyspace has {count} collection{s}");
    Ok(())
}

async fn create_collection(http: &Client, keyspace: &str, name: &str) -> Result<()> {
    let options = json!({ "vector": { "dimension": 3, "metric": "cosine" } });
    let command = json!({ "createCollection": { "name": name, "options": options } });
    let created = run::<Value>(http, keyspace, command).await;
    created.with_context(|| format!("cannot create collection {name}; delete it if it exists"))?;
    println!("2. Created collection {name}");
    Ok(())
}

async fn use_collection(http: &Client, books: &str) -> Result<()> {
    let new: Vec<Book> = serde_json::from_str(include_str!("books.json"))?;
    let options = json!({ "returnDocumentResponses": true }); // an error then shows what is missing
    let insert = json!({ "insertMany": { "documents": new, "options": options } });
    run::<Value>(http, books, insert).await?;
    println!("3. Inserted {} books", new.len());
    let again = json!({ "insertOne": { "document": new[0] } });
    let twice = run::<Value>(http, books, again).await.err();
    let error = twice.context("a book was inserted twice")?;
    let code = error.downcast::<ApiError>()?.error_code;
    println!("4. Inserted Emma again: 200 OK, but {code}");

    let horror = json!({ "genres": "horror", "year": { "$gte": 1880 } });
    let (mut titles, mut options) = (Vec::new(), json!({}));
    for _ in 0..10 {
        let find = json!({ "filter": horror, "projection": { "title": 1 }, "options": options });
        let page: Found = run(http, books, json!({ "find": find })).await?;
        titles.extend(page.documents.into_iter().map(|book| book.title));
        match page.next_page_state {
            Some(state) => options = json!({ "pageState": state }),
            None => break,
        }
    }
    println!("5. Horror since 1880: {}", titles.join(", "));

    let found = nearest(http, books, json!({}), [0.0, 0.0, 1.0]).await?;
    println!("6. Nearest to scary: {found}");
    let since_1850 = json!({ "year": { "$gte": 1850 } });
    let found = nearest(http, books, since_1850, [1.0, 0.2, 0.0]).await?;
    println!("7. Nearest to an adventure with a little love, since 1850: {found}");

    let update = json!({ "$push": { "genres": "comedy" }, "$inc": { "readers": 1 } });
    let options = json!({ "returnDocument": "after" });
    let change = json!({ "filter": { "_id": "emma" }, "update": update, "options": options });
    let found: Found = run(http, books, json!({ "findOneAndUpdate": change })).await?;
    let emma = found.document.context("Emma is gone")?;
    let (genres, readers) = (emma.genres, emma.readers);
    println!("8. Updated Emma: {genres:?}, {readers} reader");

    let old = json!({ "deleteMany": { "filter": { "year": { "$lt": 1860 } } } });
    for _ in 0..10 {
        let deleted: Value = run(http, books, old.clone()).await?;
        if deleted["moreData"] != true {
            break; // one command deletes 20 documents at most
        }
    }
    let counted: Value = run(http, books, json!({ "countDocuments": {} })).await?;
    println!("9. Deleted books before 1860, left: {}", counted["count"]);
    Ok(())
}

async fn nearest(http: &Client, books: &str, filter: Value, vector: [f32; 3]) -> Result<String> {
    let options = json!({ "limit": 3, "includeSimilarity": true });
    let find = json!({ "filter": filter, "sort": { "$vector": vector }, "options": options });
    let found: Found = run(http, books, json!({ "find": find })).await?;
    let books = found.documents.iter();
    let lines = books.map(|book| format!("{} {:.3}", book.title, book.similarity));
    Ok(lines.collect::<Vec<_>>().join(", "))
}

async fn delete_collection(http: &Client, keyspace: &str, name: &str) -> Result<()> {
    let command = json!({ "deleteCollection": { "name": name } });
    let deleted = run::<Value>(http, keyspace, command).await;
    deleted.with_context(|| format!("cannot delete collection {name}"))?;
    println!("10. Deleted collection {name}");
    Ok(())
}
