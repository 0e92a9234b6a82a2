//! The table behind a collection: the layout of the open-source Data API, so that both read each other's tables.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};

use store::types::{literal, quote, quote_in};
use store::{ColumnKind, Table};

pub const KEY: &str = "key";
pub const TX_ID: &str = "tx_id";
pub const DOCUMENT: &str = "doc_json";
pub const EXIST: &str = "exist_keys";
pub const SIZES: &str = "array_size";
pub const CONTAINS: &str = "array_contains";
pub const BOOLS: &str = "query_bool_values";
pub const NUMBERS: &str = "query_dbl_values";
pub const TEXTS: &str = "query_text_values";
pub const TIMES: &str = "query_timestamp_values";
pub const NULLS: &str = "query_null_values";
pub const VECTOR: &str = "query_vector_value";

/// The columns that every collection has beside its key, with their types and what of them is indexed.
const COLUMNS: [(&str, &str, Option<&str>); 10] = [
    (TX_ID, "timeuuid", None),
    (DOCUMENT, "text", None),
    (EXIST, "set<text>", Some("values")),
    (SIZES, "map<text, int>", Some("entries")),
    (CONTAINS, "set<text>", Some("values")),
    (BOOLS, "map<text, tinyint>", Some("entries")),
    (NUMBERS, "map<text, decimal>", Some("entries")),
    (TEXTS, "map<text, text>", Some("entries")),
    (TIMES, "map<text, timestamp>", Some("entries")),
    (NULLS, "set<text>", Some("values")),
];

/// Returns true if a table has the columns of a collection.
pub fn is_collection(table: &Table) -> bool {
    let mut keys = table.partition_key();
    let key = keys
        .next()
        .is_some_and(|key| key.name == KEY && is_key(&key.typ));
    let only = keys.next().is_none() && table.clustering_key().next().is_none();
    let has = |(name, typ, _): &(&str, &str, Option<&str>)| {
        let column = table.column(name);
        column.is_some_and(|column| column.kind == ColumnKind::Regular && is_type(&column.typ, typ))
    };
    key && only && !table.is_view && COLUMNS.iter().all(has)
}

/// The number of a vector's elements, if the table has the column.
pub fn vector_dimension(table: &Table) -> Option<u16> {
    match &table.column(VECTOR)?.typ {
        ColumnType::Vector { dimensions, .. } => Some(*dimensions),
        _ => None,
    }
}

fn is_key(typ: &ColumnType<'_>) -> bool {
    let parts = [
        ColumnType::Native(NativeType::TinyInt),
        ColumnType::Native(NativeType::Text),
    ];
    matches!(typ, ColumnType::Tuple(found) if *found == parts)
}

fn is_type(typ: &ColumnType<'_>, name: &str) -> bool {
    let native = |typ: &ColumnType<'_>, name: &str| {
        matches!(
            (typ, name),
            (ColumnType::Native(NativeType::Text), "text")
                | (ColumnType::Native(NativeType::Int), "int")
                | (ColumnType::Native(NativeType::TinyInt), "tinyint")
                | (ColumnType::Native(NativeType::Decimal), "decimal")
                | (ColumnType::Native(NativeType::Timestamp), "timestamp")
                | (ColumnType::Native(NativeType::Timeuuid), "timeuuid")
        )
    };
    match typ {
        ColumnType::Collection { typ, .. } => match typ {
            CollectionType::Set(of) => name == "set<text>" && native(of, "text"),
            CollectionType::Map(of, to) => {
                let to_name = name
                    .strip_prefix("map<text, ")
                    .and_then(|n| n.strip_suffix('>'));
                native(of, "text") && to_name.is_some_and(|name| native(to, name))
            }
            _ => false,
        },
        typ => native(typ, name),
    }
}

/// The statement that creates the table of a collection, with vectors of a dimension if it has any.
pub fn create_table(keyspace: &str, name: &str, dimension: Option<u16>, comment: &str) -> String {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, typ, _)| format!("{name} {typ}"))
        .collect();
    let vector = dimension.map_or_else(String::new, |dimension| {
        format!(", {VECTOR} vector<float, {dimension}>")
    });
    format!(
        "CREATE TABLE {} ({KEY} frozen<tuple<tinyint, text>> PRIMARY KEY, {}{vector}) WITH comment = {}",
        quote_in(keyspace, name),
        columns.join(", "),
        literal(comment),
    )
}

/// The indexes of a collection: name and statement. `metric` is that of its vectors, if it has any.
pub fn create_indexes(keyspace: &str, name: &str, metric: Option<&str>) -> Vec<(String, String)> {
    let table = quote_in(keyspace, name);
    let index = |column: &str, on: String, options: String| {
        let index = index_name(name, column);
        let create = format!(
            "CREATE CUSTOM INDEX {} ON {table} ({on}) USING 'StorageAttachedIndex'{options}",
            quote(&index)
        );
        (index, create)
    };
    let indexed = COLUMNS
        .iter()
        .filter_map(|(name, _, of)| Some((*name, (*of)?)));
    let mut indexes: Vec<(String, String)> = indexed
        .map(|(column, of)| index(column, format!("{of}({column})"), String::new()))
        .collect();
    if let Some(metric) = metric {
        // Cassandra does not know the option `source_model`; the comment keeps it.
        let options = format!(
            " WITH OPTIONS = {{'similarity_function': {}}}",
            literal(metric)
        );
        indexes.push(index(VECTOR, VECTOR.to_owned(), options));
    }
    indexes
}

fn index_name(collection: &str, column: &str) -> String {
    match column {
        EXIST => format!("{collection}_exists_keys"),
        column => format!("{collection}_{column}"),
    }
}

/// Returns true if this index exists under this or its other name.
pub fn has_index(table: &Table, name: &str) -> bool {
    let other = name
        .strip_suffix("_exists_keys")
        .map(|c| format!("{c}_exist_keys"));
    let is_it = |found: &str| found == name || other.as_deref() == Some(found);
    table.indexes.iter().any(|index| is_it(&index.name))
}
