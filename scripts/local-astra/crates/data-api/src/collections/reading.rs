//! Documents of rows, a page at a time.

use futures::StreamExt;
use scylla::value::CqlValue;
use uuid::Uuid;

use super::Collection;
use super::filter::Filter;
use super::id::{Key, key_value};
use super::layout::{DOCUMENT, KEY, TX_ID};
use super::plan::Plan;
use super::position::Position;
use super::projection::Projection;
use super::stream::{PageSizes, Row, Stream};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Json, reader};
use store::Page;
use store::cql;

/// Documents that are read at once.
const TOGETHER: usize = 8;

/// A document as it is stored.
#[derive(Clone, Debug)]
pub struct Document {
    pub key: Key,
    pub tx_id: Option<Uuid>,
    text: String,
}

impl Document {
    /// The whole document.
    ///
    /// # Errors
    /// [`Code::DocumentFromDbUnparseable`]
    pub fn json(&self) -> Result<Json, ApiError> {
        reader::read_stored(&self.text).map_err(|_| self.unparseable())
    }

    /// The part of the document that a projection shows.
    ///
    /// # Errors
    /// [`Code::DocumentFromDbUnparseable`]
    pub fn projected(&self, projection: &Projection) -> Result<Json, ApiError> {
        // Most of a document's text is its vector, which is shown on request only.
        let json = if projection.leaves_out("$vector") {
            reader::read_stored_without(&self.text, "$vector")
        } else {
            reader::read_stored(&self.text)
        };
        let mut json = json.map_err(|_| self.unparseable())?;
        projection.apply(&mut json);
        Ok(json)
    }

    fn unparseable(&self) -> ApiError {
        let key = &self.key.1;
        let text = format!("The stored document with the key {key} is not JSON.");
        ApiError::new(Code::DocumentFromDbUnparseable, text)
    }
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
                vec![cql::column(TX_ID), cql::column(DOCUMENT)],
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
    /// Cassandra's own.
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
                let document = read(row.position.key.clone(), row.selected.into_iter());
                document.map(|document| (row.position, document))
            });
            return Ok(documents.flatten().collect());
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
    let select = collection
        .select([cql::column(TX_ID), cql::column(DOCUMENT)])
        .filter([cql::equal(KEY, key_value(key))]);
    let rows = collection.query(select, Page::first(1)).await?;
    match rows.rows.into_iter().next() {
        Some(row) => Ok(read(key.clone(), row.into_iter())),
        None => Ok(None),
    }
}

/// Reads the columns `tx_id` and `doc_json`. A row without a document is none.
pub fn read(key: Key, mut columns: impl Iterator<Item = Option<CqlValue>>) -> Option<Document> {
    let tx_id = match columns.next().flatten() {
        Some(CqlValue::Timeuuid(id)) => Some(Uuid::from(id)),
        _ => None,
    };
    let Some(CqlValue::Text(text)) = columns.next().flatten() else {
        return None;
    };
    Some(Document { key, tx_id, text })
}
