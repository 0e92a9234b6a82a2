//! A table over Astra's Stargate GraphQL API, CQL-first: the server makes the GraphQL schema from the tables. With
//! `graphql_client`, which turns the queries in `graphql` into types, and `reqwest`.
//!
//! Set ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_ID, ASTRA_DB_REGION and ASTRA_DB_KEYSPACE (README.md tells how), then
//! `cargo run -p graphql-cql-first-sample`; with no Astra account, `cargo local run graphql-cql-first-sample`. The
//! story it tells:
//!
//! 1. Found keyspace samples, tables in it: 0
//! 2. Created table rust_sample_books
//! 3. Inserted Emma and Persuasion in one request
//! 4. Read by key: [Book { title: Some("Emma"), author: Some("Jane Austen"), year: Some(1815) }]
//! 5. Found in pages of one: Emma, Persuasion
//! 6. Changed a year, read again: [Book { title: Some("Persuasion"), author: Some("Jane Austen"), year: Some(1817) }]
//! 7. Deleted Emma, read again: 0 books
//! 8. Dropped table rust_sample_books (also after an error or Ctrl-C)

mod api;
mod cleanup;
mod request;

use anyhow::{Context, Result, ensure};
use api::read_book::Book;
use api::*;
use reqwest::Client;

/// The queries are compiled, so the table has one name in every run: one run a keyspace at a time.
const TABLE: &str = "rust_sample_books";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let astra = shared::GraphqlCqlFirst::from_env()?;
    let http = request::client("X-Cassandra-Token", &astra.token)?;
    let (tables, books, keyspace) = (astra.schema_url, astra.url, astra.keyspace);
    find_keyspace(&http, &tables, &keyspace).await?;

    let make = create_table(&http, &tables, &keyspace);
    let story = async {
        insert_books(&http, &books).await?;
        let emma = read_book(&http, &books, "Emma").await?;
        println!("4. Read by key: {emma:?}");
        find_books(&http, &books).await?;
        update_book(&http, &books, "Persuasion").await?;
        delete_book(&http, &books, "Emma").await
    };
    let undo = drop_table(&http, &tables, &keyspace);
    let thing = format!("table {TABLE} in keyspace {keyspace}");
    cleanup::around(make, story, undo, &thing).await
}

async fn find_keyspace(http: &Client, url: &str, name: &str) -> Result<()> {
    let keyspace = name.into();
    let found = ask::<Tables>(http, url, tables::Variables { keyspace }).await?;
    let hint = format!("make it (astra db create-keyspace DB -k {name}) or set ASTRA_DB_KEYSPACE");
    let missing = || format!("there is no keyspace {name}: {hint}");
    let keyspace = found.keyspace.with_context(missing)?;
    let tables: Vec<_> = keyspace.tables.into_iter().flatten().flatten().collect();
    ensure!(
        tables.iter().all(|table| table.name != TABLE),
        "{name} has a table {TABLE}, of a run that goes on or was killed: README.md tells how to drop it"
    );
    println!("1. Found keyspace {name}, tables in it: {}", tables.len());
    Ok(())
}

async fn create_table(http: &Client, url: &str, keyspace: &str) -> Result<()> {
    let (keyspace, table) = (keyspace.into(), TABLE.into());
    ask::<CreateTable>(http, url, create_table::Variables { keyspace, table }).await?;
    println!("2. Created table {TABLE}");
    Ok(())
}

async fn insert_books(http: &Client, url: &str) -> Result<()> {
    let [one, two] = [("Emma", 1815), ("Persuasion", 1818)].map(|(title, year)| {
        let [title, author] = [title, "Jane Austen"].map(|text| Some(text.into()));
        let year = Some(year);
        insert_books::rust_sample_booksInput {
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
    Ok(found.books.and_then(|b| b.values).unwrap_or_default())
}

async fn find_books(http: &Client, url: &str) -> Result<()> {
    let (mut found, mut page_state) = (Vec::new(), None);
    for pages in 1.. {
        ensure!(pages < 10, "the pages have no end");
        let titles = Some(vec![Some("Emma".into()), Some("Persuasion".into())]);
        let variables = find_books::Variables {
            titles,
            page_size: Some(1),
            page_state,
        };
        let page = ask::<FindBooks>(http, url, variables).await?.books;
        let page = page.context("there is no page")?;
        let books = page.values.into_iter().flatten();
        found.extend(books.filter_map(|book| book.title));
        page_state = page.page_state;
        if page_state.is_none() {
            break;
        }
    }
    println!("5. Found in pages of one: {}", found.join(", "));
    Ok(())
}

async fn update_book(http: &Client, url: &str, name: &str) -> Result<()> {
    let (title, year) = (name.into(), 1817);
    let done = ask::<UpdateBook>(http, url, update_book::Variables { title, year }).await?;
    let applied = done.update.and_then(|update| update.applied);
    ensure!(applied == Some(true), "{name} is not there");
    let book = read_book(http, url, name).await?;
    println!("6. Changed a year, read again: {book:?}");
    Ok(())
}

async fn delete_book(http: &Client, url: &str, name: &str) -> Result<()> {
    let title = name.into();
    ask::<DeleteBook>(http, url, delete_book::Variables { title }).await?;
    let left = read_book(http, url, name).await?.len();
    ensure!(left == 0, "the deleted book is still there");
    println!("7. Deleted {name}, read again: {left} books");
    Ok(())
}

async fn drop_table(http: &Client, url: &str, keyspace: &str) -> Result<()> {
    let (keyspace, table) = (keyspace.into(), TABLE.into());
    ask::<DropTable>(http, url, drop_table::Variables { keyspace, table }).await?;
    println!("8. Dropped table {TABLE}");
    Ok(())
}
