//! A GraphQL schema of our own on Astra's Stargate, GraphQL-first: the server makes the tables from the schema. With
//! `graphql_client`, which turns the queries in `graphql` into types, and `reqwest`.
//!
//! Set ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_ID, ASTRA_DB_REGION and ASTRA_DB_GRAPHQL_FIRST_KEYSPACE (README.md tells
//! how), then `cargo run -p graphql-first-sample`; with no Astra account, `cargo local run graphql-first-sample`. The
//! story it tells:
//!
//! 1. Keyspace samples_graphql_first, version of its last schema: none
//! 2. Deployed src/schema.graphql as version 2538db20-e7c6-11f1-8f6a-2fbb27b8cfaa: Create table rust_sample_books
//! 3. Inserted Emma and Persuasion in one request
//! 4. Read by title: [Book { title: "Emma", author: "Jane Austen", year: 1815 }]
//! 5. Changed a year, read again: [Book { title: "Persuasion", author: "Jane Austen", year: 1817 }]
//! 6. Deleted Emma, read again: 0 books
//! 7. Undeployed version 2538db20-e7c6-11f1-8f6a-2fbb27b8cfaa
//! 8. Dropped table rust_sample_books (7 and 8 also after an error or Ctrl-C)

mod api;
mod cleanup;
mod deployment;
mod request;

use anyhow::{Result, ensure};
use api::read_book::Book;
use api::{ChangeYear, DeleteBook, DropTable, InsertBooks, ReadBook, Tables, ask};
use api::{change_year, delete_book, drop_table, insert_books, read_book, tables};
use deployment::{deploy, last_schema, undeploy};
use reqwest::Client;

/// The table that it makes. It has one name in every run: one run a keyspace at a time.
const TABLE: &str = "rust_sample_books";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let astra = shared::GraphqlFirst::from_env()?;
    let http = request::client("X-Cassandra-Token", &astra.token)?;
    let (admin, tables, books) = (astra.admin_url, astra.schema_url, astra.url);
    let keyspace = astra.keyspace;
    look_around(&http, &admin, &tables, &keyspace).await?;

    let make = deploy(&http, &admin, &keyspace);
    let story = async {
        insert_books(&http, &books).await?;
        let emma = read_book(&http, &books, "Emma").await?;
        println!("4. Read by title: {emma:?}");
        change_year(&http, &books, "Persuasion").await?;
        delete_book(&http, &books, "Emma").await
    };
    let undo = async {
        let undeployed = undeploy(&http, &admin, &keyspace).await?;
        drop_table(&http, &tables, &keyspace).await?;
        // Only now: with nobody to read it, `println!` panics.
        let version = undeployed.as_deref().unwrap_or("none");
        println!("7. Undeployed version {version}");
        println!("8. Dropped table {TABLE}");
        Ok(())
    };
    let thing = format!("our schema and table {TABLE} in keyspace {keyspace}");
    cleanup::around(make, story, undo, &thing).await
}

async fn look_around(http: &Client, admin: &str, tables: &str, name: &str) -> Result<()> {
    let last = last_schema(http, admin, name)
        .await?
        .and_then(|schema| schema.version);
    let keyspace = name.into();
    let found = ask::<Tables>(http, tables, tables::Variables { keyspace }).await?;
    let tables = found.keyspace.and_then(|keyspace| keyspace.tables);
    ensure!(
        tables
            .into_iter()
            .flatten()
            .flatten()
            .all(|table| table.name != TABLE),
        "{name} has a table {TABLE}, of a run that goes on or was killed: README.md tells how to drop it"
    );
    let last = last.as_deref().unwrap_or("none");
    println!("1. Keyspace {name}, version of its last schema: {last}");
    Ok(())
}

async fn insert_books(http: &Client, url: &str) -> Result<()> {
    let [one, two] = [("Emma", 1815), ("Persuasion", 1818)].map(|(title, year)| {
        let [title, author] = [title, "Jane Austen"].map(String::from);
        insert_books::BookInput {
            title,
            author,
            year,
        }
    });
    ask::<InsertBooks>(http, url, insert_books::Variables { one, two }).await?;
    println!("3. Inserted Emma and Persuasion in one request");
    Ok(())
}

async fn read_book(http: &Client, url: &str, title: &str) -> Result<Vec<Book>> {
    let title = title.into();
    let found = ask::<ReadBook>(http, url, read_book::Variables { title }).await?;
    Ok(found.books.into_iter().flatten().flatten().collect())
}

async fn change_year(http: &Client, url: &str, name: &str) -> Result<()> {
    let (title, year) = (name.into(), 1817);
    ask::<ChangeYear>(http, url, change_year::Variables { title, year }).await?;
    let book = read_book(http, url, name).await?;
    println!("5. Changed a year, read again: {book:?}");
    Ok(())
}

async fn delete_book(http: &Client, url: &str, name: &str) -> Result<()> {
    let title = name.into();
    ask::<DeleteBook>(http, url, delete_book::Variables { title }).await?;
    let left = read_book(http, url, name).await?.len();
    ensure!(left == 0, "the deleted book is still there");
    println!("6. Deleted {name}, read again: {left} books");
    Ok(())
}

async fn drop_table(http: &Client, url: &str, keyspace: &str) -> Result<()> {
    let (keyspace, table) = (keyspace.into(), TABLE.into());
    ask::<DropTable>(http, url, drop_table::Variables { keyspace, table }).await?;
    Ok(())
}
