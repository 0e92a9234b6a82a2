//! Statements on rows. Names are quoted and values are bound, so no client input is parsed as CQL.
//!
//! [`select`], [`insert`], [`update`] and [`delete`] begin a statement, the methods of [`Statement`] append its clauses.
//! Call them in the order of CQL. A text depends only on the names and clauses, so that it is prepared once.

use scylla::value::CqlValue;

use super::types::{quote, quote_in};

/// A statement, and the values of its markers in the order of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub cql: String,
    pub values: Vec<Option<CqlValue>>,
}

/// A selector, condition, assignment or order, with the values of its markers.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    cql: String,
    values: Vec<Option<CqlValue>>,
}

/// Begins a SELECT, of all columns if there are no selectors.
pub fn select(
    keyspace: &str,
    table: &str,
    selectors: impl IntoIterator<Item = Expression>,
) -> Statement {
    let mut selectors = selectors.into_iter().peekable();
    let all = selectors.peek().is_none().then(|| raw("*"));
    Statement::new("SELECT")
        .list(" ", selectors.chain(all), ", ")
        .text(&format!(" FROM {}", quote_in(keyspace, table)))
}

/// Begins an INSERT of a row: the names of the columns and their values.
pub fn insert(
    keyspace: &str,
    table: &str,
    row: impl IntoIterator<Item = (impl AsRef<str>, Option<CqlValue>)>,
) -> Statement {
    let row = row.into_iter();
    let (names, values): (Vec<String>, Vec<_>) = row
        .map(|(name, value)| (quote(name.as_ref()), value))
        .unzip();
    let markers = vec!["?"; names.len()].join(", ");
    let (table, names) = (quote_in(keyspace, table), names.join(", "));
    Statement {
        cql: format!("INSERT INTO {table} ({names}) VALUES ({markers})"),
        values,
    }
}

/// Begins an UPDATE, which needs [`Statement::set`].
pub fn update(keyspace: &str, table: &str) -> Statement {
    Statement::new("UPDATE ").text(&quote_in(keyspace, table))
}

/// Begins a DELETE of rows.
pub fn delete(keyspace: &str, table: &str) -> Statement {
    Statement::new("DELETE FROM ").text(&quote_in(keyspace, table))
}

/// Deletes all rows.
pub fn truncate(keyspace: &str, table: &str) -> Statement {
    Statement::new("TRUNCATE ").text(&quote_in(keyspace, table))
}

impl Statement {
    fn new(cql: &str) -> Statement {
        Statement {
            cql: cql.to_owned(),
            values: Vec::new(),
        }
    }

    /// Appends `USING`, with a time to live in seconds and a write time in microseconds since the epoch.
    pub fn using(self, ttl: Option<i32>, timestamp: Option<i64>) -> Statement {
        let ttl = ttl.map(|ttl| raw("TTL ?").bind(CqlValue::Int(ttl)));
        let timestamp = timestamp.map(|time| raw("TIMESTAMP ?").bind(CqlValue::BigInt(time)));
        self.list(" USING ", ttl.into_iter().chain(timestamp), " AND ")
    }

    /// Appends the assignments of an UPDATE.
    pub fn set(self, assignments: impl IntoIterator<Item = Expression>) -> Statement {
        self.text(" SET ").list("", assignments, ", ")
    }

    /// Appends `WHERE`, if there are any conditions.
    pub fn filter(self, conditions: impl IntoIterator<Item = Expression>) -> Statement {
        self.list(" WHERE ", conditions, " AND ")
    }

    /// Appends `IF`, if there are any conditions. [`exists`] is one.
    pub fn only_if(self, conditions: impl IntoIterator<Item = Expression>) -> Statement {
        self.list(" IF ", conditions, " AND ")
    }

    /// Appends `IF NOT EXISTS` if `wanted`.
    pub fn if_not_exists(self, wanted: bool) -> Statement {
        self.only_if(wanted.then(|| raw("NOT EXISTS")))
    }

    /// Appends `GROUP BY`, if there are any columns.
    pub fn group_by(self, columns: impl IntoIterator<Item = Expression>) -> Statement {
        self.list(" GROUP BY ", columns, ", ")
    }

    /// Appends `ORDER BY`, if there are any orders.
    pub fn order_by(self, orders: impl IntoIterator<Item = Expression>) -> Statement {
        self.list(" ORDER BY ", orders, ", ")
    }

    /// Appends `LIMIT`, if there is one.
    pub fn limit(self, rows: Option<i32>) -> Statement {
        let rows = rows.map(|rows| raw("?").bind(CqlValue::Int(rows)));
        self.list(" LIMIT ", rows, "")
    }

    /// Appends `ALLOW FILTERING` if `allowed`.
    pub fn allow_filtering(self, allowed: bool) -> Statement {
        self.text(if allowed { " ALLOW FILTERING" } else { "" })
    }

    fn text(mut self, cql: &str) -> Statement {
        self.cql.push_str(cql);
        self
    }

    /// Appends a clause, or nothing without expressions.
    fn list(
        mut self,
        keyword: &str,
        expressions: impl IntoIterator<Item = Expression>,
        separator: &str,
    ) -> Statement {
        let mut before = keyword;
        for expression in expressions {
            self.cql.extend([before, &expression.cql]);
            self.values.extend(expression.values);
            before = separator;
        }
        self
    }
}

/// CQL as it is. Client input has to be quoted or bound.
pub fn raw(cql: impl Into<String>) -> Expression {
    Expression {
        cql: cql.into(),
        values: Vec::new(),
    }
}

/// A column: `"a"`.
pub fn column(name: &str) -> Expression {
    raw(quote(name))
}

/// An entry of a map, or an element of a set: `"a"[?]`.
pub fn entry(column: &str, key: impl Into<Option<CqlValue>>) -> Expression {
    raw(format!("{}[?]", quote(column))).bind(key)
}

/// The condition or assignment `"a" = ?`.
pub fn equal(name: &str, value: impl Into<Option<CqlValue>>) -> Expression {
    column(name).op("=", value)
}

/// The assignment of an increment: `"a" = "a" + ?`, or another operator.
pub fn change(name: &str, operator: &str, value: impl Into<Option<CqlValue>>) -> Expression {
    let name = quote(name);
    raw(format!("{name} = {name}")).op(operator, value)
}

/// The condition that the row exists.
pub fn exists() -> Expression {
    raw("EXISTS")
}

/// The order of a column: `"a" ASC`.
pub fn order(name: &str, descending: bool) -> Expression {
    let direction = if descending { "DESC" } else { "ASC" };
    raw(format!("{} {direction}", quote(name)))
}

impl Expression {
    /// Appends an operator and a marker for its value.
    pub fn op(mut self, operator: &str, value: impl Into<Option<CqlValue>>) -> Expression {
        self.cql.extend([" ", operator, " ?"]);
        self.bind(value)
    }

    /// Binds the value of the next marker of a [`raw`] text.
    pub fn bind(mut self, value: impl Into<Option<CqlValue>>) -> Expression {
        self.values.push(value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(n: i32) -> Option<CqlValue> {
        Some(CqlValue::Int(n))
    }

    fn assert_is(statement: Statement, cql: &str, values: &[Option<CqlValue>]) {
        assert_eq!(statement.cql, cql);
        assert_eq!(statement.values, values, "{cql}");
    }

    #[test]
    fn a_select_has_its_clauses_and_values_in_order() {
        let all = select("ks", "t", []);
        assert_is(all, r#"SELECT * FROM "ks"."t""#, &[]);
        let selectors = [column("a"), entry("m", int(1)), raw("f(?)").bind(int(2))];
        let conditions = [equal("a", int(3)), entry("m", int(4)).op(">=", int(5))];
        let nearest = column("v").op("ANN OF", int(6));
        let statement = select("ks", "t", selectors)
            .filter(conditions)
            .group_by([column("a"), column("b")])
            .order_by([order("b", true), order("c", false), nearest])
            .limit(Some(7))
            .allow_filtering(true);
        assert_is(
            statement,
            "SELECT \"a\", \"m\"[?], f(?) FROM \"ks\".\"t\" WHERE \"a\" = ? AND \"m\"[?] >= ? GROUP BY \"a\", \"b\" \
             ORDER BY \"b\" DESC, \"c\" ASC, \"v\" ANN OF ? LIMIT ? ALLOW FILTERING",
            &[1, 2, 3, 4, 5, 6, 7].map(int),
        );
    }

    #[test]
    fn an_insert_has_its_clauses_and_values_in_order() {
        let row = [("a", int(1)), ("B c", None)];
        let statement = insert("ks", "t", row)
            .if_not_exists(true)
            .using(Some(2), Some(3));
        assert_is(
            statement,
            r#"INSERT INTO "ks"."t" ("a", "B c") VALUES (?, ?) IF NOT EXISTS USING TTL ? AND TIMESTAMP ?"#,
            &[int(1), None, int(2), Some(CqlValue::BigInt(3))],
        );
    }

    #[test]
    fn an_update_has_its_clauses_and_values_in_order() {
        let statement = update("ks", "t")
            .using(Some(1), None)
            .set([equal("v", int(2)), change("n", "+", int(3))])
            .filter([equal("a", int(4))])
            .only_if([exists(), equal("v", int(5))]);
        assert_is(
            statement,
            r#"UPDATE "ks"."t" USING TTL ? SET "v" = ?, "n" = "n" + ? WHERE "a" = ? IF EXISTS AND "v" = ?"#,
            &[1, 2, 3, 4, 5].map(int),
        );
    }

    #[test]
    fn a_delete_has_its_clauses_and_values_in_order() {
        let statement = delete("ks", "t")
            .using(None, Some(1))
            .filter([equal("a", int(2))])
            .only_if([equal("v", int(3))]);
        assert_is(
            statement,
            r#"DELETE FROM "ks"."t" USING TIMESTAMP ? WHERE "a" = ? IF "v" = ?"#,
            &[Some(CqlValue::BigInt(1)), int(2), int(3)],
        );
    }

    #[test]
    fn a_clause_without_content_is_omitted() {
        let statement = select("ks", "t", [column("a")]).filter([]).only_if([]);
        let statement = statement.group_by([]).order_by([]).limit(None);
        let statement = statement.using(None, None).if_not_exists(false);
        let statement = statement.allow_filtering(false);
        assert_is(statement, r#"SELECT "a" FROM "ks"."t""#, &[]);
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
            let value = Some(CqlValue::Text(hostile.to_owned()));
            let conditions = || {
                let entry = entry(hostile, value.clone()).op("=", value.clone());
                [equal(hostile, value.clone()), entry]
            };
            let select = select(hostile, hostile, [column(hostile)]).filter(conditions());
            let select = select.group_by([column(hostile)]);
            let assignments = [
                equal(hostile, value.clone()),
                change(hostile, "-", value.clone()),
            ];
            let update = update(hostile, hostile).set(assignments);
            for (statement, wanted, values) in [
                (
                    select.order_by([order(hostile, false)]),
                    "SELECT  FROM . WHERE  = ? AND [?] = ? GROUP BY  ORDER BY  ASC",
                    3,
                ),
                (
                    insert(hostile, hostile, [(hostile, value.clone())]),
                    "INSERT INTO . () VALUES (?)",
                    1,
                ),
                (
                    update.filter(conditions()).only_if(conditions()),
                    "UPDATE . SET  = ?,  =  - ? WHERE  = ? AND [?] = ? IF  = ? AND [?] = ?",
                    8,
                ),
                (
                    delete(hostile, hostile).filter(conditions()),
                    "DELETE FROM . WHERE  = ? AND [?] = ?",
                    3,
                ),
            ] {
                assert_eq!(skeleton(&statement.cql), wanted, "{}", statement.cql);
                assert_eq!(statement.values, vec![value.clone(); values]);
            }
        }
    }
}
