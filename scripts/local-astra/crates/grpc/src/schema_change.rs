//! Detection of schema changes.
//!
//! Cassandra reports them in its response, but the driver does not expose that. So the object of the change is parsed
//! from the statement, and read before and after it. Nothing has changed after `IF NOT EXISTS` for an existing object,
//! or an `ALTER` without effect. Functions and aggregates are not covered: they are disabled in this Cassandra, as on
//! Astra.

use std::iter::Peekable;

use scylla::value::CqlValue;

use super::error::GrpcError;

use super::proto::stargate::SchemaChange;
use super::proto::stargate::schema_change::{Target, Type};
use access::TokenSession;
use store::lexer::{Part, Parts};
use store::{Page, Schema};

/// A schema change that a statement is about to perform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    kind: Type,
    target: Target,
    keyspace: String,
    /// `None` for a keyspace.
    name: Option<String>,
}

/// The object in `system_schema`: its rows in each of the tables.
#[derive(Debug, PartialEq)]
pub struct Seen(Vec<Vec<Vec<Option<CqlValue>>>>);

impl Change {
    /// Returns the change made by this statement. `None` for other statements, or if the object does not exist.
    pub fn of(cql: &str, keyspace: Option<&str>, schema: &Schema) -> Option<Change> {
        let mut parts = Parts::of(cql);
        let kind = match parts.next()? {
            verb if verb.is("create") => Type::Created,
            verb if verb.is("alter") => Type::Updated,
            verb if verb.is("drop") => Type::Dropped,
            _ => return None,
        };
        let mut reader = Reader {
            parts: parts.peekable(),
        };
        let what = reader.word()?;
        let what = match what.as_str() {
            "custom" | "materialized" => reader.word()?,
            _ => what,
        };
        let change = |kind, target, (keyspace, name): (String, String)| Change {
            kind,
            target,
            keyspace,
            name: Some(name),
        };
        match what.as_str() {
            "keyspace" | "schema" => {
                reader.condition();
                Some(Change {
                    kind,
                    target: Target::Keyspace,
                    keyspace: reader.name()?,
                    name: None,
                })
            }
            // A view is reported as a table.
            "table" | "columnfamily" | "view" => {
                reader.condition();
                Some(change(kind, Target::Table, reader.qualified(keyspace)?))
            }
            "type" => {
                reader.condition();
                Some(change(kind, Target::Type, reader.qualified(keyspace)?))
            }
            // An index or a trigger changes its table.
            "index" if kind == Type::Dropped => {
                reader.condition();
                let (keyspace, index) = reader.qualified(keyspace)?;
                let tables = &schema.keyspaces.get(&keyspace)?.tables;
                let table = tables
                    .values()
                    .find(|table| table.indexes.iter().any(|own| own.name == index))?;
                let name = (keyspace, table.name.clone());
                Some(change(Type::Updated, Target::Table, name))
            }
            "index" | "trigger" => {
                while !reader.word_is("on") {
                    reader.parts.next()?;
                }
                let name = reader.qualified(keyspace)?;
                Some(change(Type::Updated, Target::Table, name))
            }
            _ => None,
        }
    }

    /// Reads the object. Every token can read the schema.
    pub async fn look(&self, session: &TokenSession) -> Result<Seen, GrpcError> {
        let tables: &[(&str, Option<&str>)] = match self.target {
            Target::Keyspace => &[("keyspaces", None)],
            Target::Table => &[
                ("tables", Some("table_name")),
                ("views", Some("view_name")),
                ("columns", Some("table_name")),
                ("dropped_columns", Some("table_name")),
                ("indexes", Some("table_name")),
                ("triggers", Some("table_name")),
            ],
            _ => &[("types", Some("type_name"))],
        };
        let mut seen = Vec::new();
        for (table, column) in tables {
            let mut cql = format!("SELECT * FROM system_schema.{table} WHERE keyspace_name = ?");
            let mut values = vec![Some(CqlValue::Text(self.keyspace.clone()))];
            if let (Some(column), Some(name)) = (column, &self.name) {
                cql.push_str(&format!(" AND {column} = ?"));
                values.push(Some(CqlValue::Text(name.clone())));
            }
            // One page is enough. With more columns, only a difference beyond it would be missed.
            let rows = session.query(&cql, values, Page::first(5000)).await?;
            seen.push(rows.rows);
        }
        Ok(Seen(seen))
    }

    /// Converts the change to its message.
    pub fn into_message(self) -> SchemaChange {
        SchemaChange {
            change_type: self.kind.into(),
            target: self.target.into(),
            keyspace: self.keyspace,
            name: self.name,
            argument_types: Vec::new(),
        }
    }
}

struct Reader<'a> {
    parts: Peekable<Parts<'a>>,
}

impl Reader<'_> {
    fn word(&mut self) -> Option<String> {
        match self.parts.next()? {
            Part::Word(word) => Some(word),
            _ => None,
        }
    }

    fn word_is(&mut self, keyword: &str) -> bool {
        self.parts.next_if(|part| part.is(keyword)).is_some()
    }

    /// Skips `IF EXISTS` or `IF NOT EXISTS`.
    fn condition(&mut self) {
        if self.word_is("if") {
            self.word_is("not");
            self.word_is("exists");
        }
    }

    fn name(&mut self) -> Option<String> {
        match self.parts.next()? {
            Part::Word(name) | Part::Quoted(name) => Some(name),
            _ => None,
        }
    }

    /// Reads `keyspace.name`, or a name in the default keyspace.
    fn qualified(&mut self, default: Option<&str>) -> Option<(String, String)> {
        let first = self.name()?;
        if self.parts.next_if_eq(&Part::Sign('.')).is_some() {
            return Some((first, self.name()?));
        }
        Some((default?.to_owned(), first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use store::{Index, Keyspace, Table};

    fn schema() -> Schema {
        let table = Table {
            keyspace: "ks".into(),
            name: "Books".into(),
            columns: Vec::new(),
            default_time_to_live: 0,
            comment: String::new(),
            indexes: vec![Index {
                name: "by_isbn".into(),
                kind: "COMPOSITES".into(),
                options: BTreeMap::new(),
            }],
            is_view: false,
        };
        let keyspace = Keyspace {
            name: "ks".into(),
            replication: BTreeMap::new(),
            tables: [("Books".to_owned(), Arc::new(table))].into(),
            types: BTreeMap::new(),
        };
        Schema {
            keyspaces: [("ks".to_owned(), Arc::new(keyspace))].into(),
            ..Schema::default()
        }
    }

    #[test]
    fn a_statement_says_what_it_changes() {
        for (cql, wanted) in [
            ("CREATE TABLE ks.t (a int)", "Created Table ks t"),
            ("create columnfamily T (a int)", "Created Table own t"),
            (
                "CREATE TABLE IF NOT EXISTS \"K\".\"if\" (a int)",
                "Created Table K if",
            ),
            ("ALTER TABLE ks.t DROP a", "Updated Table ks t"),
            ("DROP TABLE IF EXISTS ks . t", "Dropped Table ks t"),
            ("CREATE TYPE ks.a (b int)", "Created Type ks a"),
            ("DROP TYPE a", "Dropped Type own a"),
            ("CREATE INDEX ON ks.t (a)", "Updated Table ks t"),
            (
                "CREATE INDEX IF NOT EXISTS i ON t (a)",
                "Updated Table own t",
            ),
            (
                "CREATE CUSTOM INDEX i ON ks.t (a) USING 'sai'",
                "Updated Table ks t",
            ),
            ("DROP INDEX ks.by_isbn", "Updated Table ks Books"),
            (
                "CREATE MATERIALIZED VIEW ks.v AS SELECT",
                "Created Table ks v",
            ),
            (
                "DROP MATERIALIZED VIEW IF EXISTS ks.v",
                "Dropped Table ks v",
            ),
        ] {
            let change = Change::of(cql, Some("own"), &schema()).unwrap();
            let (kind, target, name) = (change.kind, change.target, change.name.unwrap());
            let shown = format!("{kind:?} {target:?} {} {name}", change.keyspace);
            assert_eq!(shown, wanted, "{cql}");
        }
        let keyspace = Change::of("DROP KEYSPACE IF EXISTS ks", None, &schema()).unwrap();
        assert_eq!(keyspace.into_message().name, None);
    }

    #[test]
    fn other_statements_change_nothing() {
        for cql in [
            "",
            "SELECT * FROM ks.t",
            "DROP",
            "CREATE ROLE r",
            "DROP INDEX ks.other",
            "DROP INDEX nope.by_isbn",
            "CREATE INDEX",
            "CREATE TABLE t",
            "TRUNCATE ks.t",
            "CREATE TABLE 'x'",
        ] {
            assert_eq!(Change::of(cql, None, &schema()), None, "{cql}");
        }
    }
}
