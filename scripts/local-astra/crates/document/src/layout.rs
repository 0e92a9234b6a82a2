//! The table of a collection: one row per leaf of the JSON tree, in Stargate's layout.
//!
//! `key` is the document's id, `p0` to `p63` the path of the leaf (padded with the empty text), `leaf` the last
//! segment. At most one of the three value columns is set; none for a JSON null.

use scylla::cluster::metadata::{ColumnType, NativeType};

use store::types::{quote, quote_in};
use store::{ColumnKind, Table};

/// Maximum depth of a document.
pub const MAX_DEPTH: usize = 64;
/// Maximum length of an array.
pub const MAX_ARRAY_LENGTH: usize = 1_000_000;

pub const LEAF: &str = "leaf";
pub const TEXT: &str = "text_value";
pub const NUMBER: &str = "dbl_value";
pub const BOOLEAN: &str = "bool_value";
/// The columns that are indexed.
pub const INDEXED: [&str; 4] = [LEAF, TEXT, NUMBER, BOOLEAN];

/// The text that represents `{}`.
pub const EMPTY_OBJECT: &str = "EMPTYOBJ-bccbeee1-6173-4120-8492-7d7bafaefb1f";
/// The text that represents `[]`.
pub const EMPTY_ARRAY: &str = "EMPTYARRAY-9df4802a-c135-42d6-8be3-d23d9520a4e7";
/// The leaf of a row without a value that old versions of Stargate wrote for each document.
pub const ROOT: &str = "DOCROOT-a9fb1f04-0394-4c74-b77b-49b4e0ef7900";

/// Returns the name of a path column.
pub fn path_column(depth: usize) -> String {
    format!("p{depth}")
}

/// Returns all columns except the leaf and the three values, in order.
pub fn key_columns() -> impl Iterator<Item = String> {
    std::iter::once("key".to_owned()).chain((0..MAX_DEPTH).map(path_column))
}

/// Returns true if this table is a collection. Tables with other columns are not, and are never changed.
pub fn is_collection(table: &Table) -> bool {
    let of_kind = |kind: ColumnKind| table.columns.iter().filter(move |c| c.kind == kind);
    let text = ColumnType::Native(NativeType::Text);
    let clustering: Vec<&str> = of_kind(ColumnKind::Clustering)
        .filter(|c| c.typ == text)
        .map(|c| c.name.as_str())
        .collect();
    let mut values: Vec<&str> = of_kind(ColumnKind::Regular)
        .map(|c| c.name.as_str())
        .collect();
    values.sort_unstable();
    let mut wanted = INDEXED;
    wanted.sort_unstable();
    !table.is_view
        && of_kind(ColumnKind::PartitionKey)
            .map(|c| c.name.as_str())
            .eq(["key"])
        && of_kind(ColumnKind::Clustering).count() == MAX_DEPTH
        && clustering.into_iter().eq((0..MAX_DEPTH).map(path_column))
        && values == wanted
        && of_kind(ColumnKind::Static).next().is_none()
}

/// Returns the `CREATE TABLE` of a collection, without IF NOT EXISTS, so that only one of two concurrent creations
/// succeeds.
pub fn create_table(namespace: &str, collection: &str) -> String {
    let columns: Vec<String> = key_columns()
        .chain([LEAF.to_owned(), TEXT.to_owned()])
        .map(|column| format!("{column} text"))
        .collect();
    let path: Vec<String> = (0..MAX_DEPTH).map(path_column).collect();
    format!(
        "CREATE TABLE {} ({}, {NUMBER} double, {BOOLEAN} boolean, PRIMARY KEY (key, {}))",
        quote_in(namespace, collection),
        columns.join(", "),
        path.join(", "),
    )
}

/// Returns the `CREATE INDEX` on one of the [`INDEXED`] columns, with Cassandra's default kind.
pub fn create_index(namespace: &str, collection: &str, column: &str) -> String {
    format!(
        "CREATE INDEX IF NOT EXISTS {} ON {} ({column})",
        quote(&index_name(collection, column)),
        quote_in(namespace, collection),
    )
}

/// Returns Cassandra's default name of the index.
pub fn index_name(collection: &str, column: &str) -> String {
    format!("{collection}_{column}_idx")
}
