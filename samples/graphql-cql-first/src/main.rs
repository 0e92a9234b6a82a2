//! A table and its rows over Astra's Stargate GraphQL API, CQL-first, with `graphql_client` and `reqwest`.
//!
//! 1. Check that the keyspace exists, and drop a table that a killed run left
//! 2. Create a table
//! 3. Insert two rows in one request
//! 4. Read a row by its primary key
//! 5. Search, page by page
//! 6. Update a column
//! 7. Delete the row
//! 8. Drop the table, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_ID`, `ASTRA_DB_REGION`, `ASTRA_DB_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p graphql-cql-first-sample
//! cargo local run graphql-cql-first-sample    # without an Astra account
//! ```

mod graphql;
mod leftover;

use anyhow::{Context, Result};
use graphql::execute;
use graphql_client::GraphQLQuery;
use reqwest::Client;
use shared::{ExposeSecret, GraphqlCqlFirst};

/// Compiles the operations of a file: `ReadBook` has its variables and its response in the module `read_book`.
macro_rules! operations {
    ($schema:tt, $file:tt: $($name:ident)*) => {$(
        #[derive(GraphQLQuery)]
        #[graphql(schema_path = $schema, query_path = $file,
            response_derives = "Debug, PartialEq", skip_serializing_none)]
        struct $name;
    )*};
}

operations!("graphql/tables.json", "graphql/tables.graphql": FindTable CreateTable DropTable);
operations!("graphql/books.json", "graphql/books.graphql":
    InsertBooks ReadBook FindBooks FirstBooks UpdateBook DeleteBook);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = GraphqlCqlFirst::from_env()?;
    let http = graphql::client("X-Cassandra-Token", astra.token.expose_secret())?;
    tokio::select! {
        checked = check_keyspace(&http, &astra) => checked?,
        stopped = &mut stop => return Err(stopped.into()),
    }
    create_table(&http, &astra.schema_url, astra.keyspace.clone()).await?;
    let story = tokio::select! {
        story = use_table(&http, &astra.url) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let dropped = drop_table(&http, &astra.schema_url, astra.keyspace).await;
    if let (Err(_), Err(error)) = (&story, &dropped) {
        eprintln!("{error:#}");
    }
    story.and(dropped)?;
    Ok(stop.check()?) // a signal during the clean-up
}

async fn check_keyspace(http: &Client, astra: &GraphqlCqlFirst) -> Result<()> {
    let (url, keyspace) = (&astra.schema_url, astra.keyspace.clone());
    let variables = find_table::Variables { keyspace };
    let found = execute::<FindTable>(http, url, variables).await?.keyspace;
    let found = found.context("there is no such keyspace; check ASTRA_DB_KEYSPACE")?;
    println!("1. Found the keyspace");
    if let Some(table) = found.table {
        leftover::remove(http, astra, table).await?;
    }
    Ok(())
}

async fn create_table(http: &Client, url: &str, keyspace: String) -> Result<()> {
    let created = execute::<CreateTable>(http, url, create_table::Variables { keyspace }).await;
    created.context("cannot create table rust_sample_books; the next run drops it if it exists")?;
    println!("2. Created table rust_sample_books");
    Ok(())
}

async fn use_table(http: &Client, url: &str) -> Result<()> {
    let book = |title: &str, year| insert_books::rust_sample_booksInput {
        title: Some(title.into()),
        author: Some("Jane Austen".into()),
        year: Some(year),
    };
    let (one, two) = (book("Emma", 1815), book("Persuasion", 1818));
    execute::<InsertBooks>(http, url, insert_books::Variables { one, two }).await?;
    println!("3. Inserted Emma and Persuasion in one request");

    let emma = read_books(http, url, "Emma").await?;
    println!("4. Read by key: {emma:?}");

    let (mut found, mut page_state) = (Vec::new(), None);
    for _ in 0..10 {
        let titles = Some(vec![Some("Emma".into()), Some("Persuasion".into())]);
        let variables = find_books::Variables { titles, page_state };
        let page = execute::<FindBooks>(http, url, variables).await?.books;
        let page = page.context("no page")?;
        for book in page.values.into_iter().flatten() {
            found.extend(book.title);
        }
        page_state = page.page_state;
        if page_state.is_none() {
            break;
        }
    }
    println!("5. Found, one row per page: {}", found.join(", "));

    let (title, year) = ("Persuasion".into(), 1817);
    execute::<UpdateBook>(http, url, update_book::Variables { title, year }).await?;
    let persuasion = read_books(http, url, "Persuasion").await?;
    println!("6. Updated: {persuasion:?}");

    let title = "Emma".into();
    execute::<DeleteBook>(http, url, delete_book::Variables { title }).await?;
    let emma = read_books(http, url, "Emma").await?;
    println!("7. Deleted, left: {emma:?}");
    Ok(())
}

async fn read_books(http: &Client, url: &str, title: &str) -> Result<Vec<read_book::Book>> {
    let title = title.into();
    let found = execute::<ReadBook>(http, url, read_book::Variables { title }).await?;
    let books = found.books.and_then(|books| books.values);
    Ok(books.unwrap_or_default())
}

async fn drop_table(http: &Client, url: &str, keyspace: String) -> Result<()> {
    let dropped = execute::<DropTable>(http, url, drop_table::Variables { keyspace }).await;
    dropped.context("cannot drop table rust_sample_books; the next run does it")?;
    println!("8. Dropped table rust_sample_books");
    Ok(())
}
