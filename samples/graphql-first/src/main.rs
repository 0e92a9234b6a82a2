//! A schema of your own on Astra's Stargate GraphQL API, GraphQL-first, with `graphql_client` and `reqwest`.
//!
//! 1. Check that the keyspace exists, and remove what a killed run left
//! 2. Deploy the schema, from which the server creates a table
//! 3. Insert two rows in one request
//! 4. Read a row by its primary key
//! 5. Update a column
//! 6. Delete the row
//! 7. Undeploy the schema, also after an error or Ctrl-C
//! 8. Drop the table, also after an error or Ctrl-C
//!
//! # Prerequisites
//!
//! `ASTRA_DB_APPLICATION_TOKEN`, `ASTRA_DB_ID`, `ASTRA_DB_REGION`, `ASTRA_DB_GRAPHQL_FIRST_KEYSPACE`: see README.md.
//!
//! # Usage
//!
//! ```sh
//! cargo run -p graphql-first-sample
//! cargo local run graphql-first-sample    # without an Astra account
//! ```

mod graphql;
mod remove;

use anyhow::{Context, Result};
use graphql::execute;
use graphql_client::GraphQLQuery;
use reqwest::Client;
use shared::{ExposeSecret, GraphqlFirst};

/// Compiles the operations of a file: `ReadBook` has its variables and its response in the module `read_book`.
macro_rules! operations {
    ($schema:tt, $file:tt: $($name:ident)*) => {$(
        #[derive(GraphQLQuery)]
        #[graphql(schema_path = $schema, query_path = $file,
            response_derives = "Debug, PartialEq", skip_serializing_none)]
        struct $name;
    )*};
}

operations!("graphql/admin.json", "graphql/admin.graphql": LastSchema Deploy Undeploy);
operations!("graphql/tables.json", "graphql/tables.graphql": FindTable DropTable);
operations!("graphql/books.json", "graphql/books.graphql": InsertBooks ReadBook ChangeYear DeleteBook);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut stop = shared::stop_signal()?;
    let astra = GraphqlFirst::from_env()?;
    let http = graphql::client("X-Cassandra-Token", astra.token.expose_secret())?;
    let force = tokio::select! {
        checked = check_keyspace(&http, &astra) => checked?,
        stopped = &mut stop => return Err(stopped.into()),
    };

    let left = "cannot deploy the schema; the next run drops table rust_sample_books if it exists";
    let version = deploy(&http, &astra, force).await.context(left)?;
    let story = tokio::select! {
        story = use_schema(&http, &astra.url) => story,
        stopped = &mut stop => Err(stopped.into()),
    };
    let removed = remove::remove(&http, &astra, version).await;
    if let (Err(_), Err(error)) = (&story, &removed) {
        eprintln!("{error:#}");
    }
    story.and(removed)?;
    Ok(stop.check()?) // a signal during the clean-up
}

/// Returns whether a killed run left something, after which deploying has to be forced.
async fn check_keyspace(http: &Client, astra: &GraphqlFirst) -> Result<bool> {
    let (url, keyspace) = (&astra.schema_url, astra.keyspace.clone());
    let variables = find_table::Variables { keyspace };
    let found = execute::<FindTable>(http, url, variables).await?.keyspace;
    let found =
        found.context("there is no such keyspace; check ASTRA_DB_GRAPHQL_FIRST_KEYSPACE")?;
    println!("1. Found the keyspace");
    let Some(table) = found.table else {
        return Ok(false);
    };
    remove::remove_leftover(http, astra, table).await?;
    Ok(true)
}

async fn deploy(http: &Client, astra: &GraphqlFirst, force: bool) -> Result<String> {
    let (keyspace, schema) = (
        astra.keyspace.clone(),
        include_str!("schema.graphql").into(),
    );
    let variables = deploy::Variables {
        keyspace,
        schema,
        force,
    };
    let deployed = execute::<Deploy>(http, &astra.admin_url, variables).await?;
    let deployed = deployed.deploy_schema.context("nothing is deployed")?;
    let version = deployed.version.context("the schema has no version")?;
    println!("2. Deployed src/schema.graphql as version {version}");
    for change in deployed.cql_changes.into_iter().flatten().flatten() {
        println!("   {change}");
    }
    Ok(version)
}

async fn use_schema(http: &Client, url: &str) -> Result<()> {
    let book = |title: &str, year| insert_books::BookInput {
        title: title.into(),
        author: "Jane Austen".into(),
        year,
    };
    let (one, two) = (book("Emma", 1815), book("Persuasion", 1818));
    execute::<InsertBooks>(http, url, insert_books::Variables { one, two }).await?;
    println!("3. Inserted Emma and Persuasion in one request");

    let emma = read_books(http, url, "Emma").await?;
    println!("4. Read by key: {emma:?}");

    let (title, year) = ("Persuasion".into(), 1817);
    execute::<ChangeYear>(http, url, change_year::Variables { title, year }).await?;
    let persuasion = read_books(http, url, "Persuasion").await?;
    println!("5. Updated: {persuasion:?}");

    let title = "Emma".into();
    execute::<DeleteBook>(http, url, delete_book::Variables { title }).await?;
    let emma = read_books(http, url, "Emma").await?;
    println!("6. Deleted, left: {emma:?}");
    Ok(())
}

async fn read_books(http: &Client, url: &str, title: &str) -> Result<Vec<read_book::Book>> {
    let title = title.into();
    let found = execute::<ReadBook>(http, url, read_book::Variables { title }).await?;
    Ok(found.books.into_iter().flatten().flatten().collect())
}
