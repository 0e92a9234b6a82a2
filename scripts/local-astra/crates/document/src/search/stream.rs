//! Rows of many documents, page by page, in the order of the documents' tokens.

use std::collections::VecDeque;

use scylla::value::CqlValue;

use crate::collections::Collection;
use crate::error::DocumentError;
use crate::profile::Profile;
use crate::rows::{PAGE, Row, Select, leaf_row};
use store::Page;

/// Position of a document in a collection: ordered by the token of its id, then by the id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub token: i64,
    pub id: String,
}

/// Progress of a stream after a document, as Stargate's page state expresses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// It has not returned anything yet. Stargate expects more from it, even if it is empty.
    #[default]
    NotStarted,
    /// It has returned rows, this many of them of the document. Stargate expects more, even if the last row filled its
    /// page and nothing follows.
    Open(u32),
    /// Its last row ended a page that had no next page.
    Exhausted,
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
    /// The number of rows of that page, without the repeated rows of the last document.
    size: i32,
    read: VecDeque<(Position, Option<Row>)>,
    progress: Progress,
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
            size: page_size.min(PAGE),
            read: VecDeque::new(),
            progress: Progress::NotStarted,
        }
    }

    /// Continues from the progress of the previous page. Stargate's pages begin after the last document; here its rows
    /// are read again, so the first page has room for them in addition.
    pub fn resume(&mut self, progress: Progress) {
        self.progress = progress;
        match progress {
            Progress::NotStarted => {}
            Progress::Open(rows) => {
                let again = i32::try_from(rows).unwrap_or(PAGE).min(PAGE);
                self.next = Some(Page::first(self.size + again));
            }
            Progress::Exhausted => self.next = None,
        }
    }

    /// Returns the progress after the document that was taken last.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Returns the next document without consuming it; `None` at the end.
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
    pub async fn take(
        &mut self,
        document: &Position,
        mut look_at: impl FnMut(&Row),
    ) -> Result<bool, DocumentError> {
        let mut taken = 0;
        let mut is_exhausted = self.progress == Progress::Exhausted;
        while self.peek().await?.is_some_and(|next| next <= document) {
            if let Some((position, row)) = self.read.pop_front()
                && position == *document
            {
                taken += 1;
                is_exhausted = self.read.is_empty() && self.next.is_none();
                if let Some(row) = &row {
                    look_at(row);
                }
            }
        }
        self.progress = match self.progress {
            _ if is_exhausted => Progress::Exhausted,
            Progress::NotStarted if taken == 0 => Progress::NotStarted,
            _ => Progress::Open(taken),
        };
        Ok(taken > 0)
    }

    async fn fetch(&mut self, page: Page) -> Result<(), DocumentError> {
        let rows = self
            .select
            .page(self.collection, page, self.profile, &self.description)
            .await?;
        self.size = (self.size * 2).min(PAGE);
        self.next = rows.page_state.map(|state| Page {
            size: self.size,
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
