//! Documents of rows, a page at a time.

use futures::StreamExt;
use scylla::value::CqlValue;
use uuid::Uuid;

use super::Collection;
use super::filter::Filter;
use super::id::{Key, key_value};
use super::layout::{DOCUMENT, TX_ID};
use super::plan::Plan;
use super::position::Position;
use super::stream::{PageSizes, Row, Selected, Stream};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Json, reader};
use store::Page;

/// Documents that are read at once.
const TOGETHER: usize = 8;

/// A document as it is stored.
#[derive(Clone, Debug)]
pub struct Document {
    pub key: Key,
    pub tx_id: Option<Uuid>,
    pub json: Json,
}

/// The documents of a filter, in the order of their tokens.
pub struct Documents<'a> {
    collection: &'a Collection,
    stream: Stream<'a>,
    /// True if the stream reads the documents itself.
    direct: bool,
}

impl<'a> Documents<'a> {
    /// Reads the documents after a position, in pages of so many.
    pub fn new(
        collection: &'a Collection,
        filter: &Filter,
        after: Option<&Position>,
        page: usize,
    ) -> Documents<'a> {
        let plan = Plan::of(filter);
        let direct = plan.check.is_none() && (plan.leads.len() == 1 || plan.is_by_key());
        let (selected, sizes) = if direct {
            (
                vec![Selected::column(TX_ID), Selected::column(DOCUMENT)],
                PageSizes::of_documents(page),
            )
        } else {
            (Vec::new(), PageSizes::growing(page))
        };
        Documents {
            collection,
            stream: Stream::new(collection, plan, &selected, after, sizes),
            direct,
        }
    }

    /// The next documents, up to so many; fewer only at the end.
    ///
    /// # Errors
    /// Cassandra's own; [`Code::DocumentFromDbUnparseable`].
    pub async fn next(&mut self, count: usize) -> Result<Vec<(Position, Document)>, ApiError> {
        let mut documents = Vec::new();
        while documents.len() < count {
            let mut rows = Vec::new();
            while documents.len() + rows.len() < count {
                let Some(row) = self.stream.next().await? else {
                    break;
                };
                rows.push(row);
            }
            if rows.is_empty() {
                break;
            }
            documents.extend(self.of_rows(rows).await?);
        }
        Ok(documents)
    }

    async fn of_rows(&self, rows: Vec<Row>) -> Result<Vec<(Position, Document)>, ApiError> {
        if self.direct {
            let documents = rows.into_iter().map(|row| {
                let document = read(row.position.key.clone(), row.selected.into_iter())?;
                Ok(document.map(|document| (row.position, document)))
            });
            return documents.filter_map(Result::transpose).collect();
        }
        let positions = rows.into_iter().map(|row| row.position).collect();
        by_position(self.collection, positions).await
    }
}

/// The documents at these positions; those that were deleted meanwhile are left out.
pub async fn by_position(
    collection: &Collection,
    positions: Vec<Position>,
) -> Result<Vec<(Position, Document)>, ApiError> {
    let read = positions.into_iter().map(async |position| {
        let document = by_key(collection, &position.key).await?;
        Ok(document.map(|document| (position, document)))
    });
    let read: Vec<Result<Option<_>, ApiError>> = futures::stream::iter(read)
        .buffered(TOGETHER)
        .collect()
        .await;
    read.into_iter().filter_map(Result::transpose).collect()
}

/// The document of a key.
pub async fn by_key(collection: &Collection, key: &Key) -> Result<Option<Document>, ApiError> {
    let cql = format!(
        "SELECT {TX_ID}, {DOCUMENT} FROM {} WHERE key = ?",
        collection.table()
    );
    let rows = collection
        .query(&cql, vec![key_value(key)], Page::first(1))
        .await?;
    match rows.rows.into_iter().next() {
        Some(row) => read(key.clone(), row.into_iter()),
        None => Ok(None),
    }
}

/// Reads the columns `tx_id` and `doc_json`. A row without a document is none.
///
/// # Errors
/// [`Code::DocumentFromDbUnparseable`]
pub fn read(
    key: Key,
    mut columns: impl Iterator<Item = Option<CqlValue>>,
) -> Result<Option<Document>, ApiError> {
    let tx_id = match columns.next().flatten() {
        Some(CqlValue::Timeuuid(id)) => Some(Uuid::from(id)),
        _ => None,
    };
    let Some(CqlValue::Text(text)) = columns.next().flatten() else {
        return Ok(None);
    };
    let json = reader::read_stored(&text).map_err(|_| {
        let text = format!("The stored document with the key {} is not JSON.", key.1);
        ApiError::new(Code::DocumentFromDbUnparseable, text)
    })?;
    Ok(Some(Document { key, tx_id, json }))
}
