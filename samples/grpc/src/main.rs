//! CQL over Astra's Stargate gRPC API, with `tonic` and the messages described in `proto`.
//!
//! 1. Connect
//! 2. Show that a wrong token is rejected
//! 3. Create a table
//! 4. Insert two rows in one batch
//! 5. Select a row by its primary key
//! 6. Select all rows, page by page
//! 7. Delete a row
//! 8. Drop the table, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_ID`, `ASTRA_DB_REGION`, `ASTRA_DB_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p grpc-sample
//! cargo local run grpc-sample    # without an Astra account
//! ```

mod client;
mod query;

use anyhow::{Context, Result, bail, ensure};
use client::Client;
use query::{Book, execute, execute_batch, query};
use shared::ExposeSecret;
use stargate::value::Inner::{Int, String as Text};
use stargate::{Query, QueryParameters};

// The modules `google` and `stargate`, which build.rs generates from the files in `proto`.
include!(concat!(env!("OUT_DIR"), "/api.rs"));

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = shared::Grpc::from_env()?;
    let connect = || Client::new(&astra.url, astra.token.expose_secret());
    let client = connect()?;
    tokio::select! {
        checked = check_token(&client, &astra.url) => checked?,
        stopped = &mut stop => return Err(stopped.into()),
    }
    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let (keyspace, process) = (&astra.keyspace, std::process::id());
    let table = format!("\"{keyspace}\".rust_sample_books_{run}_{process}");
    create_table(&client, &table).await?;
    let story = tokio::select! {
        story = use_table(&client, &table) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    // Over a new connection: the old one may be what failed.
    let dropped = drop_table(&connect()?, &table).await;
    if let (Err(_), Err(error)) = (&story, &dropped) {
        eprintln!("{error:#}");
    }
    story.and(dropped)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn check_token(client: &Client, url: &str) -> Result<()> {
    let query = query("SELECT data_center FROM system.local", []);
    let rows = execute(client, &query).await?.rows;
    let mut values = rows.into_iter().flat_map(|row| row.values);
    let Some(Text(name)) = values.next().and_then(|value| value.inner) else {
        bail!("system.local has no data center; check ASTRA_DB_GRPC_URL");
    };
    println!("1. Connected to data center {name}");

    let wrong = execute(&Client::new(url, "wrong")?, &query).await;
    let error = wrong.err().context("a wrong token works")?;
    ensure!(error.to_string().starts_with("Unauthenticated"), error);
    println!("2. Wrong token: Unauthenticated");
    Ok(())
}

async fn create_table(client: &Client, table: &str) -> Result<()> {
    let cql = format!("CREATE TABLE {table} (title text PRIMARY KEY, author text, pages int)");
    let created = execute(client, &query(&cql, [])).await;
    created.with_context(|| format!("cannot create table {table}; drop it if it exists"))?;
    println!("3. Created table {table}");
    Ok(())
}

async fn use_table(client: &Client, table: &str) -> Result<()> {
    let insert = |title: &str, author: &str, pages| {
        let cql = format!("INSERT INTO {table} (title, author, pages) VALUES (?, ?, ?)");
        query(&cql, [Text(title.into()), Text(author.into()), Int(pages)])
    };
    let emma = insert("Emma", "Jane Austen", 474);
    let moby_dick = insert("Moby Dick", "Herman Melville", 635);
    execute_batch(client, vec![emma, moby_dick]).await?;
    println!("4. Inserted Emma and Moby Dick in one batch");

    let select = format!("SELECT title, author, pages FROM {table}");
    let emma = query(&format!("{select} WHERE title = ?"), [Text("Emma".into())]);
    let found = select_books(client, emma.clone()).await?;
    println!("5. Selected by key: {found:?}");

    let found = select_books(client, query(&select, [])).await?;
    let titles: Vec<_> = found.iter().map(|book| &*book.title).collect();
    println!("6. Selected all, one row per page: {}", titles.join(", "));

    let delete = format!("DELETE FROM {table} WHERE title = ?");
    execute(client, &query(&delete, [Text("Emma".into())])).await?;
    let left = select_books(client, emma).await?;
    println!("7. Deleted, left: {left:?}");
    Ok(())
}

/// Runs a SELECT, one row per page.
async fn select_books(client: &Client, mut query: Query) -> Result<Vec<Book>> {
    let (mut books, mut paging_state) = (Vec::new(), None);
    for _ in 0..10 {
        query.parameters = Some(QueryParameters {
            page_size: Some(1),
            paging_state,
            ..QueryParameters::default()
        });
        let page = execute(client, &query).await?;
        for row in page.rows {
            books.push(Book::try_from(row)?);
        }
        paging_state = page.paging_state;
        if paging_state.is_none() {
            break;
        }
    }
    Ok(books)
}

async fn drop_table(client: &Client, table: &str) -> Result<()> {
    let cql = format!("DROP TABLE IF EXISTS {table}");
    let dropped = execute(client, &query(&cql, [])).await;
    dropped.with_context(|| format!("cannot drop table {table}"))?;
    println!("8. Dropped table {table}");
    Ok(())
}
