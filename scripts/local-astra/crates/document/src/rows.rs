//! Reading of rows: the statements on a collection's table, and their results.

use scylla::value::CqlValue;

use super::collections::Collection;
use super::error::DocumentError;
use super::layout::{BOOLEAN, LEAF, MAX_DEPTH, NUMBER, TEXT, path_column};
use super::path::Pattern;
use super::profile::Profile;
use store::cql::{self, Expression, Statement};
use store::{Page, Rows};

/// Number of rows per page when all rows are read.
pub const PAGE: i32 = 1000;

/// Value of a leaf.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Number(f64),
    Boolean(bool),
}

/// A row: a leaf of a document, with the path to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The segments in use.
    pub path: Vec<String>,
    pub leaf: String,
    pub value: Value,
    /// Write time in microseconds since the epoch.
    pub written: i64,
}

/// A `SELECT` on a collection. Its columns are not quoted, because the profile shows it.
#[derive(Clone, Debug, Default)]
pub struct Select {
    columns: String,
    restrictions: Vec<Expression>,
    filtering: bool,
}

impl Select {
    /// Selects the id of each document and its token: `key, token(key)`.
    pub fn documents() -> Select {
        Select::of("DISTINCT key, token(key)".to_owned())
    }

    /// Selects the id of each row's document, and its token.
    pub fn ids() -> Select {
        Select::of("key, token(key)".to_owned())
    }

    /// Selects as [`Select::ids`], and additionally `depth` path columns, the leaf and the value of each row.
    pub fn leaves(depth: usize) -> Select {
        let path = path_columns(depth.min(MAX_DEPTH));
        Select::of(format!(
            "key, token(key), {path}, {LEAF}, {TEXT}, {NUMBER}, {BOOLEAN}"
        ))
    }

    /// Selects whole rows, as [`rows`] reads them.
    pub fn rows() -> Select {
        let path = path_columns(MAX_DEPTH);
        Select::of(format!(
            "{path}, {LEAF}, {TEXT}, {NUMBER}, {BOOLEAN}, WRITETIME({LEAF})"
        ))
    }

    /// Selects the remaining time to live of the rows, in seconds.
    pub fn ttl() -> Select {
        Select::of(format!("TTL({LEAF})"))
    }

    fn of(columns: String) -> Select {
        Select {
            columns,
            ..Select::default()
        }
    }

    /// Restricts to one document.
    pub fn of_document(self, id: &str) -> Select {
        self.restrict(cql::raw("key").op("=", text(id)))
    }

    /// Restricts to documents from this token on.
    pub fn starting_at(self, token: i64) -> Select {
        self.restrict(cql::raw("token(key)").op(">=", CqlValue::BigInt(token)))
    }

    /// Restricts to rows at this path or below it.
    ///
    /// # Errors
    /// The path is deeper than the maximum depth of documents.
    pub fn below(mut self, path: &[Pattern]) -> Result<Select, DocumentError> {
        if path.len() > MAX_DEPTH {
            return Err(DocumentError::Depth);
        }
        for (depth, pattern) in path.iter().enumerate() {
            let column = cql::raw(path_column(depth));
            self = self.restrict(match pattern {
                Pattern::Any | Pattern::AnyIndex => column.op(">", text("")),
                Pattern::OneOf(names) => match names.as_slice() {
                    [name] => column.op("=", text(name)),
                    names => {
                        let names = names.iter().map(|name| text(name)).collect();
                        column.op("IN", CqlValue::List(names))
                    }
                },
            });
        }
        Ok(self.filtering(!path.is_empty()))
    }

    /// Restricts to rows whose path column is greater than or equal to this text.
    pub fn at_least(mut self, depth: usize, segment: &str) -> Select {
        let column = cql::raw(path_column(depth));
        // Replaces the restriction of a wildcard, because Cassandra accepts only one lower bound.
        let wildcard = column.clone().op(">", text(""));
        let found = self.restrictions.iter_mut().find(|r| **r == wildcard);
        if let Some(restriction) = found {
            *restriction = column.op(">=", text(segment));
        }
        self
    }

    /// Restricts to leaves that are a member `field` of the value at the path.
    ///
    /// # Errors
    /// The path is deeper than the maximum depth of documents.
    pub fn member(self, parent: &[Pattern], field: &str) -> Result<Select, DocumentError> {
        let depth = parent.len();
        if depth >= MAX_DEPTH {
            return Err(DocumentError::Depth);
        }
        // Redundant, but only the leaf has an index.
        let mut select = self
            .below(parent)?
            .restrict(cql::raw(path_column(depth)).op("=", text(field)))
            .restrict(cql::raw(LEAF).op("=", text(field)));
        if depth + 1 < MAX_DEPTH {
            select = select.restrict(cql::raw(path_column(depth + 1)).op("=", text("")));
        }
        Ok(select.filtering(true))
    }

    /// Adds a restriction.
    pub fn restrict(mut self, restriction: Expression) -> Select {
        self.restrictions.push(restriction);
        self
    }

    fn filtering(mut self, filtering: bool) -> Select {
        self.filtering |= filtering;
        self
    }

    fn statement(&self, collection: &Collection) -> Statement {
        let columns = [cql::raw(&self.columns)];
        cql::select(&collection.namespace, &collection.name, columns)
            .filter(self.restrictions.iter().cloned())
            .allow_filtering(self.filtering)
    }

    /// Returns one page of the statement's result.
    ///
    /// # Errors
    /// Cassandra's own, and for a page that is larger than a message of the bridge.
    pub async fn page(
        &self,
        collection: &Collection,
        page: Page,
        profile: &Profile,
        description: &str,
    ) -> Result<Rows, DocumentError> {
        let Statement { cql, values } = self.statement(collection);
        bridge::check_statement(&cql, &values)?;
        let rows = collection.session.query(&cql, values, page).await?;
        bridge::check_rows(&rows)?;
        profile.note(description, &cql, rows.rows.len());
        Ok(rows)
    }

    /// Returns all rows of a [`Select::rows`].
    pub async fn all(
        &self,
        collection: &Collection,
        profile: &Profile,
        description: &str,
    ) -> Result<Vec<Row>, DocumentError> {
        let mut all = Vec::new();
        let mut page = Page::first(PAGE);
        loop {
            let rows = self.page(collection, page, profile, description).await?;
            all.extend(rows.rows.into_iter().map(whole_row));
            match rows.page_state {
                Some(state) => {
                    page = Page {
                        size: PAGE,
                        state: Some(state),
                    }
                }
                None => return Ok(all),
            }
        }
    }
}

/// Returns the rows of a document in the order of their paths; empty if the document does not exist.
pub async fn of_document(
    collection: &Collection,
    id: &str,
    profile: &Profile,
    description: &str,
) -> Result<Vec<Row>, DocumentError> {
    let select = Select::rows().of_document(id);
    select.all(collection, profile, description).await
}

/// Reads a row of [`Select::rows`].
pub fn whole_row(columns: Vec<Option<CqlValue>>) -> Row {
    let mut columns = columns.into_iter();
    let path = path(&mut columns, MAX_DEPTH);
    let leaf = take_text(columns.next()).unwrap_or_default();
    let value = value(&mut columns);
    let written = match columns.next().flatten() {
        Some(CqlValue::BigInt(written)) => written,
        _ => 0,
    };
    Row {
        path,
        leaf,
        value,
        written,
    }
}

/// Reads a row of [`Select::leaves`], after its first two columns.
pub fn leaf_row(mut columns: impl Iterator<Item = Option<CqlValue>>, depth: usize) -> Row {
    let path = path(&mut columns, depth.min(MAX_DEPTH));
    let leaf = take_text(columns.next()).unwrap_or_default();
    Row {
        path,
        leaf,
        value: value(&mut columns),
        written: 0,
    }
}

fn path(columns: &mut impl Iterator<Item = Option<CqlValue>>, depth: usize) -> Vec<String> {
    let mut path = Vec::new();
    let mut ended = false;
    for column in columns.take(depth) {
        let segment = take_text(Some(column)).unwrap_or_default();
        ended |= segment.is_empty();
        if !ended {
            path.push(segment);
        }
    }
    path
}

fn value(columns: &mut impl Iterator<Item = Option<CqlValue>>) -> Value {
    let (text, number, boolean) = (columns.next(), columns.next(), columns.next());
    match (text.flatten(), number.flatten(), boolean.flatten()) {
        (Some(CqlValue::Text(text)), ..) => Value::Text(text),
        (_, _, Some(CqlValue::Boolean(boolean))) => Value::Boolean(boolean),
        (_, Some(CqlValue::Double(number)), _) => Value::Number(number),
        _ => Value::Null,
    }
}

fn take_text(column: Option<Option<CqlValue>>) -> Option<String> {
    match column.flatten()? {
        CqlValue::Text(text) => Some(text),
        _ => None,
    }
}

fn text(text: &str) -> CqlValue {
    CqlValue::Text(text.to_owned())
}

fn path_columns(depth: usize) -> String {
    let columns: Vec<String> = (0..depth).map(path_column).collect();
    columns.join(", ")
}
