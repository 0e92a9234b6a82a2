//! Statements with their values, and the rows that they return.

use anyhow::{Error, Result, bail};

use crate::client::{Client, Stargate};
use crate::stargate::value::Inner::{self, Int, String as Text};
use crate::stargate::{Batch, BatchQuery, Query, ResultSet, Row, Value, Values, response};

#[derive(Debug)]
#[expect(dead_code, reason = "only printed")]
pub struct Book {
    pub title: String,
    author: String,
    pages: i64,
}

/// Returns a statement with a value for each of its markers.
pub fn query(cql: &str, values: impl IntoIterator<Item = Inner>) -> Query {
    let values = values.into_iter().map(Some).map(|inner| Value { inner });
    let (values, value_names) = (values.collect(), Vec::new());
    Query {
        cql: cql.into(),
        values: Some(Values {
            values,
            value_names,
        }),
        parameters: None,
    }
}

/// Runs a statement and returns its rows, if it has any.
pub async fn execute(client: &Client, query: &Query) -> Result<ResultSet> {
    let call = async |mut api: Stargate| api.execute_query(client.request(query)).await;
    match client.send(call).await?.result {
        Some(response::Result::ResultSet(rows)) => Ok(rows),
        _ => Ok(ResultSet::default()),
    }
}

/// Runs the statements of a batch: all or none.
pub async fn execute_batch(client: &Client, queries: Vec<Query>) -> Result<()> {
    let queries = queries.into_iter().map(|query| BatchQuery {
        cql: query.cql,
        values: query.values,
    });
    let batch = Batch {
        queries: queries.collect(),
        ..Batch::default()
    };
    let call = async |mut api: Stargate| api.execute_batch(client.request(&batch)).await;
    client.send(call).await.map(drop)
}

/// Converts a row of title, author and pages.
impl TryFrom<Row> for Book {
    type Error = Error;

    fn try_from(row: Row) -> Result<Book> {
        let mut values = row.values.into_iter().map(|value| value.inner);
        let mut next = || values.next().flatten();
        match (next(), next(), next()) {
            (Some(Text(title)), Some(Text(author)), Some(Int(pages))) => Ok(Book {
                title,
                author,
                pages,
            }),
            _ => bail!("a row is not a text, a text and a number"),
        }
    }
}
