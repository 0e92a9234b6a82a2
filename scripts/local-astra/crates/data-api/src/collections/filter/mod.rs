//! Filters: parsed, negations pushed down to the conditions, and turned into tests of columns.

mod conditions;
pub(super) mod parse;
mod tests_of_columns;

use super::Collection;
use super::id::{Id, Key};
use super::indexing::IndexedPaths;
use super::update::locate;
use crate::error::ApiError;
use crate::json::{Decimal, Json, Members};

/// A filter as tests of a row's columns.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of these; none of them: every row.
    All(Vec<Filter>),
    /// One of these; none of them: no row.
    Any(Vec<Filter>),
    Test(Test),
}

/// A test of one row.
#[derive(Clone, Debug)]
pub enum Test {
    /// The key is one of these.
    Keys(Vec<Key>),
    /// A set holds an element, or does not.
    Set {
        column: &'static str,
        element: String,
        holds: bool,
    },
    /// A map has this value at a path, or has not.
    Entry {
        column: &'static str,
        path: String,
        value: Scalar,
        equals: bool,
    },
    /// The value at a path compares like this.
    Range {
        path: String,
        comparison: Comparison,
        value: Scalar,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A value in one of the maps.
#[derive(Clone, Debug)]
pub enum Scalar {
    Bool(bool),
    Number(Decimal),
    Text(String),
    Time(i64),
    Size(i32),
}

/// A filter, and what an upsert takes from it.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub filter: Filter,
    /// The members that a new document gets: path and value.
    equalities: Vec<(String, Json)>,
}

impl Parsed {
    /// Reads the filter of a command. Every document matches a missing filter, and null.
    ///
    /// # Errors
    /// An invalid filter.
    pub fn read(filter: Option<&Json>, collection: &Collection) -> Result<Parsed, ApiError> {
        let indexed = IndexedPaths::new(collection.definition.indexing.as_ref());
        let conditions = parse::read(filter)?;
        conditions.check_indexed(&indexed)?;
        Ok(Parsed {
            filter: tests_of_columns::of(&conditions)?,
            equalities: conditions.equalities(),
        })
    }

    /// Returns true if the filter has no condition.
    pub fn is_empty(&self) -> bool {
        matches!(&self.filter, Filter::All(all) if all.is_empty())
    }

    /// The filter for one document again.
    pub fn of_document(&self, key: &Key) -> Filter {
        let key = Filter::Test(Test::Keys(vec![key.clone()]));
        Filter::All(vec![key, self.filter.clone()])
    }

    /// The document that an upsert begins with.
    ///
    /// # Errors
    /// For paths that cannot be together in one document.
    pub fn new_document(&self) -> Result<Json, ApiError> {
        let mut document = Json::Object(Members::new());
        for (path, value) in &self.equalities {
            let value = match path.as_str() {
                "_id" => Id::read(value)?.to_json(),
                _ => value.clone(),
            };
            locate::set(&mut document, path, value)?;
        }
        Ok(document)
    }
}
