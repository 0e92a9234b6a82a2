//! A table over CQL with the `scylla` driver, through Astra's secure connect bundle.
//!
//! 1. Connect, and show the cluster and its nodes
//! 2. Create a table
//! 3. Insert two rows with one prepared statement
//! 4. Read the rows of a partition
//! 5. Read them page by page
//! 6. Update a column
//! 7. Delete a row
//! 8. Drop the table, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_SECURE_BUNDLE_PATH`, `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p cql-sample
//! cargo local run cql-sample    # without an Astra account
//! ```

mod connect;

use anyhow::{Context, Result};
use connect::connect;
use futures::TryStreamExt;
use scylla::DeserializeRow;
use scylla::client::session::Session;
use scylla::statement::Statement;
use shared::Cql;

const AUTHOR: &str = "Jane Austen";

#[derive(DeserializeRow)]
struct Book {
    title: String,
    year: i32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = Cql::from_env()?;
    let db = tokio::select! {
        db = open_session(&astra) => db?,
        stopped = &mut stop => return Err(stopped.into()),
    };

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let table = format!("rust_sample_books_{run}_{}", std::process::id());
    create_table(&db, &table).await?;
    let story = tokio::select! {
        story = use_table(&db, &table) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let dropped = drop_table(&astra, &table).await;
    if let (Err(_), Err(error)) = (&story, &dropped) {
        eprintln!("{error:#}");
    }
    story.and(dropped)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn open_session(astra: &Cql) -> Result<Session> {
    let db = connect(astra).await?;
    let cql = "SELECT cluster_name, release_version FROM system.local";
    let result = db.query_unpaged(cql, ()).await?.into_rows_result()?;
    let (cluster, release) = result.single_row::<(String, String)>()?;
    print!("1. Connected to cluster {cluster}, release {release}");
    for node in db.get_cluster_state().get_nodes_info() {
        print!(", node {}", node.host_id);
    }
    println!();
    Ok(db)
}

async fn create_table(db: &Session, table: &str) -> Result<()> {
    let columns = "author text, title text, year int, PRIMARY KEY (author, title)";
    let cql = format!("CREATE TABLE {table} ({columns})");
    let created = db.query_unpaged(cql, ()).await;
    created.with_context(|| format!("cannot create table {table}; drop it if it exists"))?;
    println!("2. Created table {table}");
    Ok(())
}

/// Marks a statement that may run twice: if a node fails, the driver sends it to the next one.
fn idempotent(cql: String) -> Statement {
    let mut statement = Statement::new(cql);
    statement.set_is_idempotent(true);
    statement
}

async fn use_table(db: &Session, table: &str) -> Result<()> {
    let cql = format!("INSERT INTO {table} (author, title, year) VALUES (?, ?, ?)");
    let insert = db.prepare(idempotent(cql)).await?;
    for (title, year) in [("Emma", 1815), ("Persuasion", 1818)] {
        db.execute_unpaged(&insert, (AUTHOR, title, year)).await?;
    }
    println!("3. Inserted Emma and Persuasion");
    println!("4. Read: {}", read_books(db, table, 100).await?);
    println!("5. Read page by page: {}", read_books(db, table, 1).await?);

    let cql = format!("UPDATE {table} SET year = ? WHERE author = ? AND title = ?");
    let values = (1817, AUTHOR, "Persuasion");
    db.query_unpaged(idempotent(cql), values).await?;
    println!("6. Updated: {}", read_books(db, table, 100).await?);

    let cql = format!("DELETE FROM {table} WHERE author = ? AND title = ?");
    db.query_unpaged(idempotent(cql), (AUTHOR, "Emma")).await?;
    println!("7. Deleted, left: {}", read_books(db, table, 100).await?);
    Ok(())
}

/// Reads the rows of the partition. The driver requests one page after the other.
async fn read_books(db: &Session, table: &str, page_size: i32) -> Result<String> {
    let cql = format!("SELECT title, year FROM {table} WHERE author = ?");
    let mut select = db.prepare(idempotent(cql)).await?;
    select.set_page_size(page_size);
    let pager = db.execute_iter(select, (AUTHOR,)).await?;
    let (mut rows, mut books) = (pager.rows_stream()?, Vec::new());
    while let Some(Book { title, year }) = rows.try_next().await? {
        books.push(format!("{title} ({year})"));
    }
    Ok(books.join(", "))
}

/// Drops the table over a new session, because the connections of the first may be what failed.
async fn drop_table(astra: &Cql, table: &str) -> Result<()> {
    let hint = || format!("cannot drop table {table}; drop it with cqlsh");
    let db = connect(astra).await.with_context(hint)?;
    let cql = idempotent(format!("DROP TABLE IF EXISTS {table}"));
    db.query_unpaged(cql, ()).await.with_context(hint)?;
    println!("8. Dropped table {table}");
    Ok(())
}
