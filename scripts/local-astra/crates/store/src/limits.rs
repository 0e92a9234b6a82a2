//! Names that Cassandra accepts although files with these names cannot exist.
//!
//! An index has a folder `.<name>` in the folder of its table. Cassandra creates it after it has added the index to its
//! schema, so a name too long for the file system is rejected too late: Cassandra can then no longer start.

use super::lexer::{Part, Parts};
use super::types::quote_in;
use super::{Code, Store, StoreError};

/// Maximum length of a table name, as on Astra. Cassandra 5 accepts 222 letters, Cassandra 4 this number.
const TABLE_NAME: usize = 48;
/// Maximum length of an index name. File systems allow 255 bytes, and the folder of an index begins with a period.
pub const INDEX_NAME: usize = 254;
/// Maximum length for a storage-attached index, whose files have longer names: `da-<number>-bti-SAI+aa+<name>+Meta.db`.
const CUSTOM_INDEX_NAME: usize = 200;
/// Length of the suffix `_<number>`, which Cassandra appends to a generated index name that already exists.
const NUMBER: usize = 4;

/// Rejects a statement that creates a table or an index with a name that is too long.
///
/// # Errors
/// [`Code::InvalidArgument`]
pub fn check(cql: &str) -> Result<(), StoreError> {
    match too_long(cql) {
        Some(message) => Err(StoreError::new(Code::InvalidArgument, message)),
        None => Ok(()),
    }
}

/// Returns true if an index of this name cannot have a folder.
fn is_unusable_index(name: &str) -> bool {
    name.len() > INDEX_NAME
}

/// Drops each index without a possible folder as soon as it is created over CQL. Otherwise its table could not be
/// flushed to disk, and Cassandra could not start again. Ends with the store.
pub async fn drop_unusable_indexes(store: Store) {
    let mut schemas = store.watch_schema();
    loop {
        let schema = schemas.borrow_and_update().clone();
        let tables = schema
            .keyspaces
            .values()
            .flat_map(|keyspace| keyspace.tables.values());
        for table in tables {
            let indexes = table.indexes.iter();
            for index in indexes.filter(|index| is_unusable_index(&index.name)) {
                let (keyspace, name) = (&table.keyspace, &index.name);
                let cql = format!("DROP INDEX IF EXISTS {}", quote_in(keyspace, name));
                match store.admin().query_unpaged(cql, ()).await {
                    Ok(_) => eprintln!("{}", dropped(&format!("{keyspace}.{} {name}", table.name))),
                    Err(error) => eprintln!("cannot drop index {name} of {keyspace}: {error}"),
                }
            }
        }
        drop(schema);
        if schemas.changed().await.is_err() {
            return;
        }
    }
}

/// Returns the log message about a dropped index.
pub fn dropped(index: &str) -> String {
    format!("dropped an index whose name no file can bear, so that Cassandra starts again: {index}")
}

fn too_long(cql: &str) -> Option<String> {
    let mut parts = Parts::of(cql);
    if !parts.next_is("create") {
        return None;
    }
    let is_custom = parts.next_is("custom");
    if parts.next_is("index") {
        return index(parts, is_custom);
    }
    parts.next_is("materialized");
    if !["table", "columnfamily", "view"]
        .iter()
        .any(|word| parts.next_is(word))
    {
        return None;
    }
    condition(&mut parts);
    let name = qualified(&mut parts)?;
    (name.len() > TABLE_NAME).then(|| {
        format!(
            "Table name must not be empty, more than {TABLE_NAME} characters long, or contain \
             non-alphanumeric-underscore characters (got \"{name}\")"
        )
    })
}

/// Returns the name of the index after `CREATE INDEX`.
fn index(mut parts: Parts<'_>, is_custom: bool) -> Option<String> {
    condition(&mut parts);
    let given = if parts.next_is("on") {
        None
    } else {
        let name = qualified(&mut parts)?;
        parts.next_is("on").then_some(())?;
        Some(name)
    };
    let table = qualified(&mut parts)?;
    let (columns, is_custom) = columns(parts, is_custom);
    let limit = if is_custom {
        CUSTOM_INDEX_NAME
    } else {
        INDEX_NAME
    };
    let (name, limit) = match given {
        Some(name) => (name, limit),
        None => (default_name(&table, &columns), limit - NUMBER),
    };
    (name.len() > limit).then(|| {
        format!(
            "Index name must not be more than {limit} characters long: files bear it (got \"{name}\")"
        )
    })
}

/// Returns Cassandra's default name of an index.
fn default_name(table: &str, columns: &[String]) -> String {
    let [column] = columns else {
        return format!("{table}_idx");
    };
    let is_of_a_word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let column: String = column.chars().filter(is_of_a_word).collect();
    format!("{table}_{column}_idx")
}

/// Returns the columns in parentheses, optionally inside `keys(..)` or another function, and true if `USING` follows.
fn columns(parts: Parts<'_>, mut is_custom: bool) -> (Vec<String>, bool) {
    let mut columns = Vec::new();
    let mut open = 0_usize;
    for part in parts {
        match part {
            Part::Sign('(') => open += 1,
            Part::Sign(')') => open = open.saturating_sub(1),
            Part::Word(word) if open == 0 && word == "using" => is_custom = true,
            Part::Sign(',') if open == 1 => columns.push(String::new()),
            Part::Word(name) | Part::Quoted(name) if open > 0 => {
                columns.pop();
                columns.push(name);
            }
            _ => {}
        }
    }
    (columns, is_custom)
}

/// Skips `IF NOT EXISTS`.
fn condition(parts: &mut Parts<'_>) {
    for word in ["if", "not", "exists"] {
        parts.next_is(word);
    }
}

/// Returns the name after an optional keyspace.
fn qualified(parts: &mut Parts<'_>) -> Option<String> {
    let name = |parts: &mut Parts<'_>| match parts.next() {
        Some(Part::Word(name) | Part::Quoted(name)) => Some(name),
        _ => None,
    };
    let first = name(parts)?;
    if parts.next_is_sign('.') {
        return name(parts);
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(cql: &str) -> bool {
        check(cql).is_err()
    }

    #[test]
    fn a_table_has_the_name_that_astra_takes() {
        for statement in [
            "CREATE TABLE ks.{} (a int PRIMARY KEY)",
            "create columnfamily if not exists {} (a int PRIMARY KEY)",
            "/* CREATE */ CREATE -- \rTABLE \"ks\".\"{}\"(a int PRIMARY KEY)",
            "CREATE MATERIALIZED VIEW ks.{} AS SELECT * FROM ks.t",
        ] {
            let of = |letters| statement.replace("{}", &"n".repeat(letters));
            assert!(!is_refused(&of(48)), "{statement}");
            assert!(is_refused(&of(49)), "{statement}");
        }
    }

    #[test]
    fn an_index_has_a_name_that_a_file_can_bear() {
        for (statement, limit) in [
            ("CREATE INDEX {} ON ks.t (a)", 254),
            ("CREATE INDEX IF NOT EXISTS \"{}\" ON ks.t (a)", 254),
            ("CREATE CUSTOM INDEX {} ON t (a) USING 'sai'", 200),
            ("CREATE INDEX{}ON t (a) USING 'sai'", 200),
            ("CREATE INDEX ON ks.t (keys(\"{}\"))", 250 - 6),
            ("CREATE INDEX ON ks.\"t\"({})", 250 - 6),
            ("CREATE CUSTOM INDEX ON ks.t (full({})) USING 'x'", 196 - 6),
        ] {
            let of = |letters| statement.replace("{}", &"n".repeat(letters));
            let of = |letters| {
                of(letters)
                    .replace("INDEXn", "INDEX\"n")
                    .replace("nON", "n\"ON")
            };
            assert!(!is_refused(&of(limit)), "{statement}");
            assert!(is_refused(&of(limit + 1)), "{statement}");
        }
        // Cassandra names an index of several columns, which only custom ones have, after its table.
        let column = "c".repeat(300);
        assert!(!is_refused(&format!(
            "CREATE CUSTOM INDEX ON t (a, {column}) USING 'x'"
        )));
        // It also omits characters that are not letters.
        assert!(!is_refused(&format!(
            "CREATE INDEX ON t (\"{}\")",
            "-".repeat(300)
        )));
    }

    #[test]
    fn other_statements_are_left_to_cassandra() {
        let long = "n".repeat(300);
        for cql in [
            format!("SELECT * FROM {long}"),
            format!("DROP INDEX {long}"),
            format!("CREATE KEYSPACE {long} WITH x = 1"),
            format!("CREATE INDEX {long}"),
            "CREATE TABLE".to_owned(),
            "CREATE INDEX ON".to_owned(),
            format!("'CREATE TABLE {long}'"),
        ] {
            assert!(!is_refused(&cql), "{cql}");
        }
    }
}
