//! A table over CQL with the `scylla` driver, through Astra's secure connect bundle and without a sidecar.
//!
//! Set ASTRA_DB_SECURE_BUNDLE_PATH, ASTRA_DB_APPLICATION_TOKEN and ASTRA_DB_KEYSPACE (README.md tells how), then
//! `cargo run -p cql-sample`; with no Astra account, `cargo local run cql-sample`. The story it tells:
//!
//! 1. Cluster cndb, release 5.0.9, node 44aab173-b1fb-4fd5-a4be-35eb0b793087
//! 2. Created table rust_sample_books_1795515605590003_40213
//! 3. Inserted two books with one prepared statement
//! 4. Read: Emma (1815), Persuasion (1818)
//! 5. Read in pages of one: Emma (1815), Persuasion (1818)
//! 6. Changed a year, read again: Emma (1815), Persuasion (1817)
//! 7. Deleted Emma, left: Persuasion (1817)
//! 8. Dropped table rust_sample_books_1795515605590003_40213 (also after an error or Ctrl-C)

mod cleanup;
mod connect;
mod secure_connect;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;
use scylla::DeserializeRow;
use scylla::client::session::Session;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::response::PagingState;
use scylla::statement::Statement;

const AUTHOR: &str = "Jane Austen";

/// A row, by the names of its columns.
#[derive(DeserializeRow)]
struct Book {
    title: String,
    year: i32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let astra = shared::Cql::from_env()?;
    let db = connect::connect(&astra).await?;
    look_around(&db).await?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let table = format!("rust_sample_books_{run}_{}", std::process::id());
    let make = create_table(&db, &table);
    let story = async {
        insert_books(&db, &table).await?;
        println!("4. Read: {}", list(read_books(&db, &table, 100).await?));
        let books = read_books(&db, &table, 1).await?;
        println!("5. Read in pages of one: {}", list(books));
        update_book(&db, &table).await?;
        delete_book(&db, &table).await
    };
    // Over a new connection: the old one may be what has failed.
    let undo = async { drop_table(&connect::connect(&astra).await?, &table).await };
    let thing = format!("table {table} in keyspace {}", astra.keyspace);
    cleanup::around(make, story, undo, &thing).await
}

async fn look_around(db: &Session) -> Result<()> {
    let cql = "SELECT cluster_name, release_version FROM system.local";
    let result = db.query_unpaged(cql, ()).await?.into_rows_result()?;
    let (cluster, release) = result.single_row::<(String, String)>()?;
    print!("1. Cluster {cluster}, release {release}");
    for node in db.get_cluster_state().get_nodes_info() {
        print!(", node {}", node.host_id);
    }
    println!();
    Ok(())
}

/// Never tried twice: a table that is there already would be somebody else's.
async fn create_table(db: &Session, table: &str) -> Result<()> {
    let columns = "author text, title text, year int, PRIMARY KEY (author, title)";
    let mut create = Statement::new(format!("CREATE TABLE {table} ({columns})"));
    create.set_retry_policy(Some(Arc::new(FallthroughRetryPolicy::new())));
    db.query_unpaged(create, ()).await?;
    println!("2. Created table {table}");
    Ok(())
}

/// To run one of these twice does no harm: if a node fails, the driver asks the next one.
fn idempotent(cql: String) -> Statement {
    let mut statement = Statement::new(cql);
    statement.set_is_idempotent(true);
    statement
}

async fn insert_books(db: &Session, table: &str) -> Result<()> {
    let cql = format!("INSERT INTO {table} (author, title, year) VALUES (?, ?, ?)");
    let insert = db.prepare(idempotent(cql)).await?;
    for (title, year) in [("Emma", 1815), ("Persuasion", 1818)] {
        db.execute_unpaged(&insert, (AUTHOR, title, year)).await?;
    }
    println!("3. Inserted two books with one prepared statement");
    Ok(())
}

/// Reads all books of the author. Each page tells how to ask for the next one.
async fn read_books(db: &Session, table: &str, page_size: i32) -> Result<Vec<Book>> {
    let cql = format!("SELECT title, year FROM {table} WHERE author = ?");
    let select = idempotent(cql).with_page_size(page_size);
    let select = db.prepare(select).await?;
    let (mut books, mut state) = (Vec::new(), PagingState::start());
    loop {
        let (page, next) = db.execute_single_page(&select, (AUTHOR,), state).await?;
        for book in page.into_rows_result()?.rows()? {
            books.push(book?);
        }
        match next.into_paging_control_flow() {
            ControlFlow::Continue(next) => state = next,
            ControlFlow::Break(()) => return Ok(books),
        }
    }
}

fn list(books: Vec<Book>) -> String {
    let books = books.iter().map(|b| format!("{} ({})", b.title, b.year));
    books.collect::<Vec<_>>().join(", ")
}

async fn update_book(db: &Session, table: &str) -> Result<()> {
    let cql = format!("UPDATE {table} SET year = ? WHERE author = ? AND title = ?");
    let values = (1817, AUTHOR, "Persuasion");
    db.query_unpaged(idempotent(cql), values).await?;
    let books = read_books(db, table, 100).await?;
    println!("6. Changed a year, read again: {}", list(books));
    Ok(())
}

async fn delete_book(db: &Session, table: &str) -> Result<()> {
    let cql = format!("DELETE FROM {table} WHERE author = ? AND title = ?");
    let key = (AUTHOR, "Emma");
    db.query_unpaged(idempotent(cql), key).await?;
    let books = read_books(db, table, 100).await?;
    println!("7. Deleted Emma, left: {}", list(books));
    Ok(())
}

async fn drop_table(db: &Session, table: &str) -> Result<()> {
    let cql = format!("DROP TABLE IF EXISTS {table}");
    db.query_unpaged(idempotent(cql), ()).await?;
    println!("8. Dropped table {table}");
    Ok(())
}
