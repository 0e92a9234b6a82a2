//! The table that a killed run left.

use anyhow::{Result, ensure};
use reqwest::Client;
use shared::GraphqlCqlFirst;

use crate::find_table::{BasicType::*, ColumnKind::*, FindTableKeyspaceTable};
use crate::graphql::execute;
use crate::{DropTable, FirstBooks, drop_table, first_books};

/// Drops the table if it has exactly the columns and only rows that this sample creates. Another table is an error.
pub async fn remove(
    http: &Client,
    astra: &GraphqlCqlFirst,
    table: FindTableKeyspaceTable,
) -> Result<()> {
    let other =
        "rust_sample_books may be another program's table: drop it, or check ASTRA_DB_KEYSPACE";
    let columns: Vec<_> = table.columns.into_iter().flatten().flatten().collect();
    let columns = columns
        .iter()
        .map(|column| (&*column.name, column.kind.as_ref(), &column.type_.basic));
    let ours = [
        ("title", Some(&PARTITION), &TEXT),
        ("author", Some(&REGULAR), &TEXT),
        ("year", Some(&REGULAR), &INT),
    ];
    ensure!(columns.eq(ours), other);

    let books = execute::<FirstBooks>(http, &astra.url, first_books::Variables)
        .await?
        .books;
    let books = books.and_then(|books| books.values).unwrap_or_default();
    let ours = [("Emma", 1815), ("Persuasion", 1818), ("Persuasion", 1817)]
        .map(|(title, year)| (Some(title), Some("Jane Austen"), Some(year)));
    let mut books = books
        .iter()
        .map(|book| (book.title.as_deref(), book.author.as_deref(), book.year));
    ensure!(books.all(|book| ours.contains(&book)), other);

    let keyspace = astra.keyspace.clone();
    execute::<DropTable>(http, &astra.schema_url, drop_table::Variables { keyspace }).await?;
    println!("   Dropped table rust_sample_books, which a killed run left");
    Ok(())
}
