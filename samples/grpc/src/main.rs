//! A table over Astra's Stargate gRPC API: CQL in, typed values out, by the `.proto` files in `proto`.
//!
//! Set ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_ID, ASTRA_DB_REGION and ASTRA_DB_KEYSPACE (README.md tells how), then
//! `cargo run -p grpc-sample`; with no Astra account, `cargo local run grpc-sample`. The story it tells:
//!
//! 1. Connected to data center datacenter1
//! 2. Wrong token: Unauthenticated, Invalid token
//! 3. Created table "samples".rust_sample_books_1795516993042950_40213
//! 4. Inserted Emma and Moby Dick in one batch
//! 5. Selected by title: Book { title: "Emma", author: "Jane Austen", pages: 474 }
//! 6. Read in pages of one: Emma, Moby Dick
//! 7. Deleted Emma, selected again: 0 rows
//! 8. Dropped table "samples".rust_sample_books_1795516993042950_40213 (also after an error or Ctrl-C)

mod api;
mod book;
mod cleanup;
mod request;

use anyhow::{Context, Result, ensure};
use api::{Batch, BatchQuery, Query, QueryParameters};
use book::Book;
use request::{Client, Refused, execute, execute_batch, query};
use shared::SecretString;
use tonic::Code;

const DATA_CENTER: &str = "SELECT data_center FROM system.local";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let astra = shared::Grpc::from_env()?;
    let connect = async || request::connect(&astra.url, "x-cassandra-token", &astra.token).await;
    let stargate = connect().await?;
    find_data_center(&stargate).await?;
    try_wrong_token(&astra.url).await?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let (keyspace, process) = (&astra.keyspace, std::process::id());
    let table = format!("\"{keyspace}\".rust_sample_books_{run}_{process}");
    let make = create_table(&stargate, &table);
    let story = async {
        insert_books(&stargate, &table).await?;
        select_book(&stargate, &table).await?;
        read_all(&stargate, &table).await?;
        delete_book(&stargate, &table).await
    };
    // Over a new connection: the old one may be what has failed.
    let undo = async { drop_table(&connect().await?, &table).await };
    cleanup::around(make, story, undo, &format!("table {table}")).await
}

async fn find_data_center(stargate: &Client) -> Result<()> {
    let found = execute(stargate, query(DATA_CENTER, [])).await?;
    let value = found.rows.into_iter().flat_map(|row| row.values).next();
    let name = String::try_from(value.context("system.local is empty")?)?;
    println!("1. Connected to data center {name}");
    Ok(())
}

async fn try_wrong_token(url: &str) -> Result<()> {
    let wrong = SecretString::from("AstraCS:wrong");
    let stargate = request::connect(url, "x-cassandra-token", &wrong).await?;
    let answer = execute(&stargate, query(DATA_CENTER, [])).await;
    let refused: Refused = answer.err().context("a wrong token works")?.downcast()?;
    ensure!(refused.code == Code::Unauthenticated, refused);
    println!("2. Wrong token: {:?}, {}", refused.code, refused.said);
    Ok(())
}

async fn create_table(stargate: &Client, table: &str) -> Result<()> {
    let columns = "title text PRIMARY KEY, author text, pages int";
    let create = query(format!("CREATE TABLE {table} ({columns})"), []);
    execute(stargate, create).await?;
    println!("3. Created table {table}");
    Ok(())
}

/// A batch is done as a whole or not at all.
async fn insert_books(stargate: &Client, table: &str) -> Result<()> {
    let insert = |title: &str, author: &str, pages: i64| {
        let cql = format!("INSERT INTO {table} (title, author, pages) VALUES (?, ?, ?)");
        let Query { cql, values, .. } = query(cql, [title.into(), author.into(), pages.into()]);
        BatchQuery { cql, values }
    };
    let emma = insert("Emma", "Jane Austen", 474);
    let moby_dick = insert("Moby Dick", "Herman Melville", 635);
    let queries = vec![emma, moby_dick];
    let batch = Batch {
        queries,
        ..Batch::default()
    };
    execute_batch(stargate, batch).await?;
    println!("4. Inserted Emma and Moby Dick in one batch");
    Ok(())
}

async fn select_book(stargate: &Client, table: &str) -> Result<()> {
    let cql = format!("SELECT title, author, pages FROM {table} WHERE title = ?");
    let found = execute(stargate, query(cql, ["Emma".into()])).await?;
    let row = found
        .rows
        .into_iter()
        .next()
        .context("the row is not there")?;
    println!("5. Selected by title: {:?}", Book::try_from(row)?);
    Ok(())
}

/// Each page brings the paging state of the next one; the last page has none.
async fn read_all(stargate: &Client, table: &str) -> Result<()> {
    let mut all = query(format!("SELECT title, author, pages FROM {table}"), []);
    let mut next = QueryParameters {
        page_size: Some(1),
        ..QueryParameters::default()
    };
    let mut titles = Vec::new();
    for pages in 1.. {
        ensure!(pages < 10, "the pages have no end");
        all.parameters = Some(next.clone());
        let page = execute(stargate, all.clone()).await?;
        for row in page.rows {
            titles.push(Book::try_from(row)?.title);
        }
        let Some(state) = page.paging_state else {
            break;
        };
        next.paging_state = Some(state);
    }
    println!("6. Read in pages of one: {}", titles.join(", "));
    Ok(())
}

async fn delete_book(stargate: &Client, table: &str) -> Result<()> {
    let cql = format!("DELETE FROM {table} WHERE title = ?");
    execute(stargate, query(cql, ["Emma".into()])).await?;
    let cql = format!("SELECT title FROM {table} WHERE title = ?");
    let left = execute(stargate, query(cql, ["Emma".into()])).await?.rows;
    ensure!(left.is_empty(), "the deleted row is still there");
    println!("7. Deleted Emma, selected again: {} rows", left.len());
    Ok(())
}

async fn drop_table(stargate: &Client, table: &str) -> Result<()> {
    let drop = query(format!("DROP TABLE IF EXISTS {table}"), []);
    execute(stargate, drop).await?;
    println!("8. Dropped table {table}");
    Ok(())
}
