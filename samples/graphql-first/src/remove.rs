//! Removes the schema and its table: at the end of a run, and if a killed run left them.

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use shared::GraphqlFirst;

use crate::find_table::FindTableKeyspaceTable as Table;
use crate::graphql::execute;
use crate::{DropTable, LastSchema, Undeploy, drop_table, last_schema, undeploy};

/// Undeploys this version of the schema and drops its table, which the server keeps.
pub async fn remove(http: &Client, astra: &GraphqlFirst, version: String) -> Result<()> {
    let left = "the next run removes the schema and its table rust_sample_books";
    undeploy(http, astra, version, false).await.context(left)?;
    println!("7. Undeployed the schema");
    drop_table(http, astra).await.context(left)?;
    println!("8. Dropped table rust_sample_books");
    Ok(())
}

/// Removes what a killed run left. It is an error if the table has other columns or rows than this sample creates.
pub async fn remove_leftover(http: &Client, astra: &GraphqlFirst, table: Table) -> Result<()> {
    const OTHER: &str = "rust_sample_books may be another program's table: drop it, or check \
        ASTRA_DB_GRAPHQL_FIRST_KEYSPACE";
    let columns = table.columns.into_iter().flatten().flatten();
    let columns = columns.map(|c| format!("{} {:?} {:?}", c.name, c.kind, c.type_.basic));
    let ours = [
        "title Some(PARTITION) TEXT",
        "author Some(REGULAR) TEXT",
        "year Some(REGULAR) INT",
    ];
    ensure!(columns.eq(ours), OTHER);

    // A GraphQL-first schema cannot have a query for all rows. REST has one, at the same host.
    let rest = astra
        .schema_url
        .replace("graphql-schema", "rest/v2/keyspaces");
    let rows = format!(
        "{rest}/{}/rust_sample_books/rows?page-size=3",
        astra.keyspace
    );
    let rows: Value = http.get(rows).send().await?.json().await.context(OTHER)?;
    let ours = [("Emma", 1815), ("Persuasion", 1818), ("Persuasion", 1817)]
        .map(|(title, year)| json!({ "title": title, "author": "Jane Austen", "year": year }));
    let rows = rows["data"].as_array().context(OTHER)?;
    ensure!(rows.iter().all(|row| ours.contains(row)), OTHER);

    let keyspace = astra.keyspace.clone();
    let last = execute::<LastSchema>(http, &astra.admin_url, last_schema::Variables { keyspace });
    if let Ok(last) = last.await
        && let Some(schema) = last.schema
        && let Some(version) = schema.version
        && schema
            .contents
            .is_some_and(|schema| schema.contains("rust_sample_books"))
    {
        // Fails if the run was killed after it had undeployed the schema.
        drop(undeploy(http, astra, version, true).await);
    }
    drop_table(http, astra).await?;
    println!("   Removed table rust_sample_books, which a killed run left");
    Ok(())
}

async fn undeploy(http: &Client, astra: &GraphqlFirst, version: String, force: bool) -> Result<()> {
    let keyspace = astra.keyspace.clone();
    let variables = undeploy::Variables {
        keyspace,
        version,
        force,
    };
    execute::<Undeploy>(http, &astra.admin_url, variables)
        .await
        .map(drop)
}

async fn drop_table(http: &Client, astra: &GraphqlFirst) -> Result<()> {
    let keyspace = astra.keyspace.clone();
    let variables = drop_table::Variables { keyspace };
    execute::<DropTable>(http, &astra.schema_url, variables)
        .await
        .map(drop)
}
