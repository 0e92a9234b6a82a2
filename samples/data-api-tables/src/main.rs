//! Tables with typed rows over Astra's Data API, with nothing but `reqwest`.
//!
//! 1. Create a table of loans
//! 2. Create an index on a column
//! 3. Insert four loans
//! 4. Find the loans of one book, in the order of the table
//! 5. Find by the index
//! 6. Update a loan and read it back
//! 7. Insert a wrong value: an error in a response with status 200
//! 8. Delete a loan and read the rest
//! 9. Drop the table, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_API_ENDPOINT`, `ASTRA_DB_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p data-api-tables-sample
//! cargo local run data-api-tables-sample    # without an Astra account
//! ```

mod data_api;

use anyhow::{Context, Result};
use data_api::{ApiError, run};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::ExposeSecret;

/// A row. Columns without a value are missing in responses.
#[derive(Debug, Deserialize, Serialize)]
struct Loan {
    book: String,
    date: String,
    days: i32,
    #[serde(default)]
    tags: Vec<String>,
}

/// The `data` of a response.
#[derive(Deserialize)]
struct Found {
    documents: Vec<Loan>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = shared::DataApiTables::from_env()?;
    let http = data_api::client(astra.token.expose_secret())?;
    let keyspace = format!("{}/v1/{}", astra.url, astra.keyspace);
    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("rust_sample_loans_{run}_{}", std::process::id());
    create_table(&http, &keyspace, &name).await?;
    let loans = format!("{keyspace}/{name}");
    let story = tokio::select! {
        story = use_table(&http, &loans, &name) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let dropped = drop_table(&http, &keyspace, &name).await;
    if let (Err(_), Err(error)) = (&story, &dropped) {
        eprintln!("{error:#}");
    }
    story.and(dropped)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn create_table(http: &Client, keyspace: &str, name: &str) -> Result<()> {
    let columns = json!({
        "book": "text",
        "date": "date",
        "days": "int",
        "tags": { "type": "set", "valueType": "text" },
    });
    // One partition per book, its rows sorted by date, newest first.
    let key = json!({ "partitionBy": ["book"], "partitionSort": { "date": -1 } });
    let definition = json!({ "columns": columns, "primaryKey": key });
    let command = json!({ "createTable": { "name": name, "definition": definition } });
    let created = run::<Value>(http, keyspace, command).await;
    created.with_context(|| format!("cannot create table {name}; drop it if it exists"))?;
    println!("1. Created table {name}");
    Ok(())
}

async fn use_table(http: &Client, loans: &str, name: &str) -> Result<()> {
    let index = json!({ "name": format!("{name}_days"), "definition": { "column": "days" } });
    run::<Value>(http, loans, json!({ "createIndex": index })).await?;
    println!("2. Created an index on days");

    let loan = |book: &str, date: &str, days, tags: &[&str]| Loan {
        book: book.into(),
        date: date.into(),
        days,
        tags: tags.iter().map(|tag| tag.to_string()).collect(),
    };
    let new = [
        loan("Emma", "2026-01-12", 14, &["student"]),
        loan("Emma", "2026-03-02", 28, &["renewed", "student"]),
        loan("Dracula", "2026-02-20", 21, &[]),
        loan("Dracula", "2026-03-16", 7, &["weekend"]),
    ];
    let insert = json!({ "insertMany": { "documents": new } });
    run::<Value>(http, loans, insert).await?;
    println!("3. Inserted {} loans", new.len());

    let dates = dates_of(http, loans, "Emma").await?;
    println!("4. Loans of Emma, newest first: {dates}");

    let over_20 = json!({ "days": { "$gt": 20 } });
    let mut long = find(http, loans, over_20).await?;
    long.sort_by(|a, b| a.date.cmp(&b.date)); // partitions come in the order of their tokens
    let long = long
        .iter()
        .map(|loan| format!("{} {}", loan.book, loan.days));
    println!("5. Over 20 days: {}", long.collect::<Vec<_>>().join(", "));

    // An update and a delete of one row need its whole primary key.
    let key = json!({ "book": "Dracula", "date": "2026-03-16" });
    let change = json!({ "filter": key, "update": { "$set": { "days": 10 } } });
    run::<Value>(http, loans, json!({ "updateOne": change })).await?;
    println!("6. Updated: {:?}", find(http, loans, key.clone()).await?);

    let wrong = json!({ "book": "Emma", "date": "2026-04-01", "days": "two weeks" });
    let insert = json!({ "insertOne": { "document": wrong } });
    let error = run::<Value>(http, loans, insert).await.err();
    let error = error.context("a text was inserted as a number")?;
    let code = error.downcast::<ApiError>()?.error_code;
    println!("7. Inserted a text as days: 200 OK, but {code}");

    run::<Value>(http, loans, json!({ "deleteOne": { "filter": key } })).await?;
    let dates = dates_of(http, loans, "Dracula").await?;
    println!("8. Deleted a loan of Dracula, left: {dates}");
    Ok(())
}

async fn find(http: &Client, loans: &str, filter: Value) -> Result<Vec<Loan>> {
    let command = json!({ "find": { "filter": filter } });
    let found: Found = run(http, loans, command).await?;
    Ok(found.documents)
}

async fn dates_of(http: &Client, loans: &str, book: &str) -> Result<String> {
    let found = find(http, loans, json!({ "book": book })).await?;
    let dates = found.into_iter().map(|loan| loan.date);
    Ok(dates.collect::<Vec<_>>().join(", "))
}

async fn drop_table(http: &Client, keyspace: &str, name: &str) -> Result<()> {
    let command = json!({ "dropTable": { "name": name } });
    let dropped = run::<Value>(http, keyspace, command).await;
    dropped.with_context(|| format!("cannot drop table {name}"))?;
    println!("9. Dropped table {name}");
    Ok(())
}
