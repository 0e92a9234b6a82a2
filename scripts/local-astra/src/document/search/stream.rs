//! Rows of many documents, page by page, in the order of the documents' tokens.

use std::collections::VecDeque;

use scylla::value::CqlValue;

use crate::document::collections::Collection;
use crate::document::error::DocumentError;
use crate::document::profile::Profile;
use crate::document::rows::{PAGE, Row, Select, leaf_row};
use crate::store::Page;

/// Position of a document in a collection: ordered by the token of its id, then by the id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub token: i64,
    pub id: String,
}

/// A statement read page by page. Only one page of its rows is in memory.
pub struct Stream<'a> {
    collection: &'a Collection,
    profile: &'a Profile,
    description: String,
    select: Select,
    /// Number of path columns per row, if any.
    depth: Option<usize>,
    /// Documents up to this one are skipped.
    after: Option<Position>,
    /// The page to read next; `None` at the end.
    next: Option<Page>,
    read: VecDeque<(Position, Option<Row>)>,
    /// True if it has returned a document, in this request or an earlier one.
    pub has_given: bool,
}

impl<'a> Stream<'a> {
    /// Reads a [`Select::ids`] or [`Select::documents`], or with a depth a [`Select::leaves`]. The first page has
    /// `page_size` rows, and each further page twice as many, up to [`PAGE`].
    pub fn new(
        collection: &'a Collection,
        profile: &'a Profile,
        description: String,
        select: Select,
        depth: Option<usize>,
        after: Option<&Position>,
        page_size: i32,
    ) -> Stream<'a> {
        let select = match after {
            Some(position) => select.starting_at(position.token),
            None => select,
        };
        Stream {
            collection,
            profile,
            description,
            select,
            depth,
            after: after.cloned(),
            next: Some(Page::first(page_size.min(PAGE))),
            read: VecDeque::new(),
            has_given: false,
        }
    }

    /// Returns the next document without consuming it; `None` at the end.
    ///
    /// # Errors
    /// Cassandra's own.
    pub async fn peek(&mut self) -> Result<Option<&Position>, DocumentError> {
        while self.read.is_empty() {
            let Some(page) = self.next.take() else {
                return Ok(None);
            };
            self.fetch(page).await?;
        }
        Ok(self.read.front().map(|(position, _)| position))
    }

    /// Returns the rows of the next document if it is this one.
    ///
    /// # Errors
    /// Cassandra's own.
    pub async fn take(
        &mut self,
        document: &Position,
        mut look_at: impl FnMut(&Row),
    ) -> Result<bool, DocumentError> {
        let mut taken = false;
        while self.peek().await?.is_some_and(|next| next <= document) {
            if let Some((position, row)) = self.read.pop_front()
                && position == *document
            {
                taken = true;
                if let Some(row) = &row {
                    look_at(row);
                }
            }
        }
        self.has_given |= taken;
        Ok(taken)
    }

    async fn fetch(&mut self, page: Page) -> Result<(), DocumentError> {
        let size = page.size;
        let rows = self
            .select
            .page(self.collection, page, self.profile, &self.description)
            .await?;
        self.next = rows.page_state.map(|state| Page {
            size: (size * 2).min(PAGE),
            state: Some(state),
        });
        for row in rows.rows {
            let mut columns = row.into_iter();
            let (Some(CqlValue::Text(id)), Some(CqlValue::BigInt(token))) =
                (columns.next().flatten(), columns.next().flatten())
            else {
                continue;
            };
            let position = Position { token, id };
            if self.after.as_ref().is_some_and(|after| position <= *after) {
                continue;
            }
            let row = self.depth.map(|depth| leaf_row(columns, depth));
            self.read.push_back((position, row));
        }
        Ok(())
    }
}
