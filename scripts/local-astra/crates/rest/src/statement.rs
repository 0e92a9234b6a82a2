//! Statements on rows. Names are quoted and values are bound, so no client input is parsed as CQL.

use scylla::value::CqlValue;

use store::types::{quote, quote_in};

/// A statement and its bound values.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub cql: String,
    pub values: Vec<Option<CqlValue>>,
}

/// A condition of a WHERE clause.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    column: String,
    /// The key, for an entry of a map.
    key: Option<CqlValue>,
    operator: &'static str,
    value: Option<CqlValue>,
}

impl Condition {
    pub fn column(column: &str, operator: &'static str, value: Option<CqlValue>) -> Condition {
        Condition {
            column: column.to_owned(),
            key: None,
            operator,
            value,
        }
    }

    pub fn entry(column: &str, key: CqlValue, value: CqlValue) -> Condition {
        Condition {
            column: column.to_owned(),
            key: Some(key),
            operator: "=",
            value: Some(value),
        }
    }
}

/// A column of a SELECT or a direction of an ORDER BY.
pub type Order = (String, &'static str);

/// The table of a statement.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub keyspace: &'a str,
    pub table: &'a str,
}

impl Target<'_> {
    fn cql(&self) -> String {
        quote_in(self.keyspace, self.table)
    }
}

/// Selects rows, with all columns if `fields` is empty.
pub fn select(
    target: Target<'_>,
    fields: &[String],
    conditions: Vec<Condition>,
    order: &[Order],
) -> Statement {
    let fields = match fields {
        [] => "*".to_owned(),
        fields => joined(fields.iter().map(|field| selector(field))),
    };
    let mut statement = Statement {
        cql: format!("SELECT {fields} FROM {}", target.cql()),
        values: Vec::new(),
    };
    filter(&mut statement, conditions);
    if !order.is_empty() {
        let order = order.iter();
        let order =
            joined(order.map(|(column, direction)| format!("{} {direction}", quote(column))));
        statement.cql.push_str(&format!(" ORDER BY {order}"));
    }
    statement
}

/// Inserts a row.
pub fn insert(target: Target<'_>, values: Vec<(String, Option<CqlValue>)>) -> Statement {
    let names = joined(values.iter().map(|(name, _)| quote(name)));
    let markers = joined(values.iter().map(|_| "?".to_owned()));
    Statement {
        cql: format!("INSERT INTO {} ({names}) VALUES ({markers})", target.cql()),
        values: values.into_iter().map(|(_, value)| value).collect(),
    }
}

/// An assignment of an UPDATE.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    pub column: String,
    pub value: Option<CqlValue>,
    /// True for a counter, which is incremented instead of set.
    pub counter: bool,
}

/// Updates a row.
pub fn update(target: Target<'_>, assignments: Vec<Assignment>, key: Vec<Condition>) -> Statement {
    let columns = joined(assignments.iter().map(|assignment| {
        let name = quote(&assignment.column);
        if assignment.counter {
            format!("{name} = {name} + ?")
        } else {
            format!("{name} = ?")
        }
    }));
    let mut statement = Statement {
        cql: format!("UPDATE {} SET {columns}", target.cql()),
        values: assignments
            .into_iter()
            .map(|assignment| assignment.value)
            .collect(),
    };
    filter(&mut statement, key);
    statement
}

/// Deletes a row, a range of rows or a partition.
pub fn delete(target: Target<'_>, key: Vec<Condition>) -> Statement {
    let mut statement = Statement {
        cql: format!("DELETE FROM {}", target.cql()),
        values: Vec::new(),
    };
    filter(&mut statement, key);
    statement
}

fn filter(statement: &mut Statement, conditions: Vec<Condition>) {
    let mut keyword = " WHERE ";
    for condition in conditions {
        let name = quote(&condition.column);
        let left = match condition.key {
            Some(key) => {
                statement.values.push(Some(key));
                format!("{name}[?]")
            }
            None => name,
        };
        let operator = condition.operator;
        statement
            .cql
            .push_str(&format!("{keyword}{left} {operator} ?"));
        statement.values.push(condition.value);
        keyword = " AND ";
    }
}

/// Quotes a name, or exactly one entry of a collection: `m['a']`.
fn selector(field: &str) -> String {
    let entry = field
        .strip_suffix("']")
        .and_then(|rest| rest.split_once("['"));
    match entry {
        Some((column, key)) if is_plain(column) && is_escaped(key) => {
            format!("{}['{key}']", quote(column))
        }
        _ => quote(field),
    }
}

fn is_plain(column: &str) -> bool {
    column.starts_with(|c: char| c.is_ascii_lowercase())
        && column
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Returns true if all quotes are doubled, so that none ends the text.
fn is_escaped(text: &str) -> bool {
    !text.replace("''", "").contains('\'')
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use scylla::cluster::metadata::{ColumnType, NativeType};

    use super::*;
    use store::types::built_in;
    use store::{Column, ColumnKind, Table};

    /// `events (day text, at int, what text, tags set<text>, scores map<text, int>, n counter, ok boolean)`.
    pub fn events() -> Table {
        let column = |name: &str, kind, typ: ColumnType<'static>| Column {
            name: name.to_owned(),
            kind,
            typ,
            descending: false,
        };
        Table {
            keyspace: "ks".to_owned(),
            name: "events".to_owned(),
            columns: vec![
                column("day", ColumnKind::PartitionKey, built_in("text").unwrap()),
                column("at", ColumnKind::Clustering, built_in("int").unwrap()),
                column(
                    "n",
                    ColumnKind::Regular,
                    ColumnType::Native(NativeType::Counter),
                ),
                column("ok", ColumnKind::Regular, built_in("boolean").unwrap()),
                column(
                    "scores",
                    ColumnKind::Regular,
                    built_in("map<text, int>").unwrap(),
                ),
                column("tags", ColumnKind::Regular, built_in("set<text>").unwrap()),
                column("what", ColumnKind::Regular, built_in("text").unwrap()),
            ],
            default_time_to_live: 0,
            comment: String::new(),
            indexes: Vec::new(),
            is_view: false,
        }
    }

    const TARGET: Target<'static> = Target {
        keyspace: "ks",
        table: "t",
    };

    #[test]
    fn statements_bind_their_values() {
        let key = || vec![Condition::column("a", "=", Some(CqlValue::Int(1)))];
        let text = |t: &str| Some(CqlValue::Text(t.to_owned()));
        assert_eq!(
            select(TARGET, &[], key(), &[("b".to_owned(), "DESC")]),
            Statement {
                cql: r#"SELECT * FROM "ks"."t" WHERE "a" = ? ORDER BY "b" DESC"#.to_owned(),
                values: vec![Some(CqlValue::Int(1))],
            }
        );
        assert_eq!(
            insert(
                TARGET,
                vec![("a".to_owned(), None), ("B c".to_owned(), text("x"))]
            ),
            Statement {
                cql: r#"INSERT INTO "ks"."t" ("a", "B c") VALUES (?, ?)"#.to_owned(),
                values: vec![None, text("x")],
            }
        );
        let set = |column: &str, counter| Assignment {
            column: column.to_owned(),
            value: text(column),
            counter,
        };
        assert_eq!(
            update(TARGET, vec![set("v", false), set("n", true)], key()),
            Statement {
                cql: r#"UPDATE "ks"."t" SET "v" = ?, "n" = "n" + ? WHERE "a" = ?"#.to_owned(),
                values: vec![text("v"), text("n"), Some(CqlValue::Int(1))],
            }
        );
        let entry = Condition::entry("m", CqlValue::Int(2), CqlValue::Int(3));
        assert_eq!(
            delete(TARGET, [key(), vec![entry]].concat()),
            Statement {
                cql: r#"DELETE FROM "ks"."t" WHERE "a" = ? AND "m"[?] = ?"#.to_owned(),
                values: vec![
                    Some(CqlValue::Int(1)),
                    Some(CqlValue::Int(2)),
                    Some(CqlValue::Int(3))
                ],
            }
        );
    }

    #[test]
    fn an_entry_of_a_map_may_be_selected() {
        for (field, cql) in [
            ("m['a']", r#""m"['a']"#),
            ("m['it''s']", r#""m"['it''s']"#),
            ("m['it's']", r#""m['it's']""#),
            ("M['a']", r#""M['a']""#),
            (
                "m['a'] FROM system.local --']",
                r#""m['a'] FROM system.local --']""#,
            ),
            ("m['", r#""m['""#),
            ("a\" FROM x; --", r#""a"" FROM x; --""#),
        ] {
            assert_eq!(selector(field), cql);
        }
    }

    /// Removes the quoted parts of a statement, as Cassandra parses it. The rest must be the statement's own text.
    fn skeleton(cql: &str) -> String {
        let mut out = String::new();
        let mut open = None;
        for c in cql.chars() {
            match (open, c) {
                (None, '"' | '\'') => open = Some(c),
                (Some(quote), c) if c == quote => open = None,
                (Some(_), _) => {}
                (None, c) => out.push(c),
            }
        }
        assert_eq!(open, None, "{cql}");
        out
    }

    #[test]
    fn hostile_names_and_values_never_change_a_statement() {
        for hostile in [
            "\"; DROP TABLE t; --",
            "a\"\"\"b",
            "x' OR '1'='1",
            "m['a'] = ? OR \"b",
            "m['']; DROP KEYSPACE ks; --']",
            "/* */ ; \u{0} \n",
            "?",
            "",
        ] {
            let target = Target {
                keyspace: hostile,
                table: hostile,
            };
            let value = Some(CqlValue::Text(hostile.to_owned()));
            let condition = || vec![Condition::column(hostile, "=", value.clone())];
            let row = vec![(hostile.to_owned(), value.clone())];
            let assignment = Assignment {
                column: hostile.to_owned(),
                value: value.clone(),
                counter: true,
            };
            let order = [(hostile.to_owned(), "ASC")];
            for (statement, wanted, values) in [
                (
                    select(target, &[hostile.to_owned()], condition(), &order),
                    "SELECT  FROM . WHERE  = ? ORDER BY  ASC",
                    1,
                ),
                (insert(target, row), "INSERT INTO . () VALUES (?)", 1),
                (
                    update(target, vec![assignment], condition()),
                    "UPDATE . SET  =  + ? WHERE  = ?",
                    2,
                ),
                (delete(target, condition()), "DELETE FROM . WHERE  = ?", 1),
            ] {
                assert_eq!(skeleton(&statement.cql), wanted, "{}", statement.cql);
                assert_eq!(statement.values, vec![value.clone(); values]);
            }
        }
    }
}
