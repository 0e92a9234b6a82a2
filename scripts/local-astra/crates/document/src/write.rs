//! Writes and deletes of rows: one logged batch per write, with deletes one microsecond before inserts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use scylla::statement::batch::Batch;
use scylla::value::CqlValue;

use super::collections::Collection;
use super::error::DocumentError;
use super::layout::{
    BOOLEAN, LEAF, MAX_ARRAY_LENGTH, MAX_DEPTH, NUMBER, TEXT, key_columns, path_column,
};
use super::path::is_index;
use super::profile::Profile;
use super::rows::Value;
use super::shred::Leaf;
use bridge::BatchSize;
use store::cql::{self, Statement};
use store::{Code, Page, StoreError};

/// Time of the last write in microseconds.
static LAST: AtomicI64 = AtomicI64::new(0);

/// Returns the time of a write in microseconds since the epoch: the current millisecond, as in Stargate.
///
/// In Stargate, two consecutive requests never fall into the same millisecond. Here they do, and the second must not be
/// lost. It therefore gets the last time plus two: one for its deletes and one for its inserts.
fn now() -> i64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let current = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX / 1000) * 1000;
    let next = |last: i64| current.max(last + 2);
    let last = LAST
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            Some(next(last))
        })
        .unwrap_or_else(|last| last);
    next(last)
}

/// Rows that a write deletes before it inserts its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Delete {
    /// All rows of the document whose path starts with this one; the whole document if it is empty.
    Below(Vec<String>),
    /// The row at this path and nothing below it: a scalar or an empty container.
    Exactly(Vec<String>),
    /// These members of the value at the path, with everything below them.
    Members(Vec<String>, Vec<String>),
    /// The elements of the array at the path.
    Elements(Vec<String>),
}

impl Delete {
    /// Returns the deletions of a PATCH at a path: the members in the patch, and an existing value that is not an
    /// object.
    ///
    /// # Errors
    /// The rows are elements of an array.
    pub fn before_patch(path: &[String], rows: &[Leaf]) -> Result<Vec<Delete>, DocumentError> {
        let mut members: Vec<String> = Vec::new();
        for member in rows.iter().filter_map(|row| row.path.get(path.len())) {
            if is_index(member) {
                return Err(DocumentError::refused(PATCH_ARRAY));
            }
            if members.last() != Some(member) {
                members.push(member.clone());
            }
        }
        Ok(vec![
            Delete::Members(path.to_vec(), members),
            Delete::Exactly(path.to_vec()),
            Delete::Elements(path.to_vec()),
        ])
    }

    /// The columns are not quoted, because the profile shows the statement.
    fn statement(
        &self,
        collection: &Collection,
        id: &str,
        at: i64,
    ) -> Result<Statement, DocumentError> {
        let (Delete::Below(path)
        | Delete::Exactly(path)
        | Delete::Members(path, _)
        | Delete::Elements(path)) = self;
        let deepest = match self {
            Delete::Below(_) | Delete::Exactly(_) => MAX_DEPTH,
            Delete::Members(..) | Delete::Elements(_) => MAX_DEPTH - 1,
        };
        if path.len() > deepest {
            return Err(DocumentError::Depth);
        }
        let column = |depth| cql::raw(path_column(depth));
        let mut restrictions = vec![cql::raw("key").op("=", text(id))];
        let segments = path.iter().enumerate();
        restrictions.extend(segments.map(|(depth, name)| column(depth).op("=", text(name))));
        let next = column(path.len());
        match self {
            Delete::Below(_) => {}
            Delete::Exactly(_) => {
                let rest = path.len()..MAX_DEPTH;
                restrictions.extend(rest.map(|depth| column(depth).op("=", text(""))));
            }
            Delete::Members(_, members) => {
                let members = members.iter().cloned().map(CqlValue::Text).collect();
                restrictions.push(next.op("IN", CqlValue::List(members)));
            }
            Delete::Elements(_) => {
                let last = format!("[{}]", MAX_ARRAY_LENGTH - 1);
                restrictions.push(next.clone().op(">=", text("[000000]")));
                restrictions.push(next.op("<=", text(&last)));
            }
        }
        let delete = cql::delete(&collection.namespace, &collection.name);
        Ok(delete.using(None, Some(at)).filter(restrictions))
    }
}

/// The error of a PATCH with an array.
pub const PATCH_ARRAY: &str = "A patch operation must be done with a JSON object, not an array.";

/// A write of one document: the rows to delete, the rows to insert, and their time to live in seconds (0 and `None`
/// mean unlimited).
#[derive(Clone, Debug)]
pub struct Write<'a> {
    pub id: &'a str,
    pub deletes: Vec<Delete>,
    pub rows: Vec<Leaf>,
    pub ttl: Option<i32>,
    /// Name of the write in the profile.
    pub description: &'static str,
}

impl Write<'_> {
    /// Executes the write.
    ///
    /// # Errors
    /// A path that is too deep, more rows than a message of the bridge holds, and Cassandra's own.
    pub async fn run(
        self,
        collection: &Collection,
        profile: &Profile,
    ) -> Result<(), DocumentError> {
        let now = now();
        let mut batch = Batch::default();
        let mut values = Vec::with_capacity(self.deletes.len() + self.rows.len());
        let mut size = BatchSize::default();
        for delete in &self.deletes {
            let Statement { cql, values: bound } =
                delete.statement(collection, self.id, now - 1)?;
            profile.note(self.description, &cql, 1);
            size.add(&cql, &bound)?;
            batch.append_statement(collection.session.prepare(&cql).await?);
            values.push(bound);
        }
        let insert = insert_statement(collection, self.ttl.is_some());
        let prepared = collection.session.prepare(&insert).await?;
        for row in self.rows {
            profile.note(self.description, &insert, 1);
            let bound = insert_values(self.id, row, self.ttl, now);
            size.add(&insert, &bound)?;
            batch.append_statement(prepared.clone());
            values.push(bound);
        }
        if values.is_empty() {
            // The bridge's message for an empty batch.
            let text = "At least one query must be provided in the batch";
            return Err(StoreError::new(Code::InvalidArgument, text).into());
        }
        let driver = collection.session.driver();
        driver
            .batch(&batch, values)
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }
}

/// Deletes a document or the value at a path in it.
///
/// # Errors
/// A path that is too deep, and Cassandra's own.
pub async fn delete(
    collection: &Collection,
    id: &str,
    path: Vec<String>,
    profile: &Profile,
) -> Result<(), DocumentError> {
    let Statement { cql, values } = Delete::Below(path).statement(collection, id, now())?;
    profile.note("ASYNC DELETE", &cql, 1);
    collection
        .session
        .query(&cql, values, Page::first(1))
        .await?;
    Ok(())
}

/// Returns the statement of all rows, which differ only in their values.
fn insert_statement(collection: &Collection, with_ttl: bool) -> String {
    let columns: Vec<String> = key_columns().collect();
    let markers = vec!["?"; columns.len() + 4].join(", ");
    format!(
        "INSERT INTO {} ({}, {LEAF}, {TEXT}, {NUMBER}, {BOOLEAN}) VALUES ({markers}) USING {}TIMESTAMP ?",
        collection.table(),
        columns.join(", "),
        if with_ttl { "TTL ? AND " } else { "" },
    )
}

fn insert_values(id: &str, row: Leaf, ttl: Option<i32>, now: i64) -> Vec<Option<CqlValue>> {
    let leaf = row.path.last().cloned().unwrap_or_default();
    let rest = MAX_DEPTH - row.path.len();
    let mut values = Vec::with_capacity(MAX_DEPTH + 7);
    values.push(text(id));
    values.extend(
        row.path
            .into_iter()
            .map(|segment| Some(CqlValue::Text(segment))),
    );
    values.extend(std::iter::repeat_n(text(""), rest));
    values.push(text(&leaf));
    // The two other columns are written as null, to hide values of an older row.
    let (mut words, mut number, mut boolean) = (None, None, None);
    match row.value {
        Value::Null => {}
        Value::Text(text) => words = Some(CqlValue::Text(text)),
        Value::Number(n) => number = Some(CqlValue::Double(n)),
        Value::Boolean(b) => boolean = Some(CqlValue::Boolean(b)),
    }
    values.extend([words, number, boolean]);
    values.extend(ttl.map(|ttl| Some(CqlValue::Int(ttl))));
    values.push(Some(CqlValue::BigInt(now)));
    values
}

fn text(text: &str) -> Option<CqlValue> {
    Some(CqlValue::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_write_has_the_time_of_another() {
        let times: Vec<i64> = (0..1000).map(|_| now()).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 2));
    }

    #[test]
    fn a_patch_takes_away_what_it_brings() {
        let leaf = |path: &[&str]| Leaf {
            path: path.iter().map(|&s| s.to_owned()).collect(),
            value: Value::Null,
        };
        let path = ["a".to_owned()];
        let rows = [
            leaf(&["a", "x", "y"]),
            leaf(&["a", "x", "z"]),
            leaf(&["a", "w"]),
        ];
        let deletes = Delete::before_patch(&path, &rows).unwrap();
        let members = vec!["x".to_owned(), "w".to_owned()];
        assert_eq!(deletes[0], Delete::Members(path.to_vec(), members));
        assert_eq!(deletes.len(), 3);
        assert!(Delete::before_patch(&path, &[leaf(&["a", "[000000]"])]).is_err());
    }
}
