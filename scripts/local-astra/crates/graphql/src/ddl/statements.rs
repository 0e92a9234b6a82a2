//! The mutations of this API as CQL. Names are quoted; these statements have no bound values.

use serde_json::{Value, json};

use super::data_type;
use crate::run::{Arguments, RunError};
use store::types::{literal, quote, quote_in};

/// Returns the statement of a mutation.
///
/// # Errors
/// Stargate's own message for arguments without a valid statement.
pub fn cql(mutation: &str, given: &Arguments) -> Result<String, RunError> {
    let given = Given(given);
    let keyspace = given.text("keyspaceName");
    let name = |argument| quote_in(keyspace, given.text(argument));
    let unless = given.flag("ifNotExists", "IF NOT EXISTS ");
    let exists = given.flag("ifExists", "IF EXISTS ");
    // Stargate takes a null for false only in the others.
    let strict = [
        "createKeyspace",
        "dropKeyspace",
        "createTable",
        "createIndex",
        "dropIndex",
    ];
    let mut flags = ["ifNotExists", "ifExists"].iter();
    let null = flags.find(|flag| given.0.get(**flag) == Some(&Value::Null));
    if let Some(flag) = null.filter(|_| strict.contains(&mutation)) {
        return Err(RunError::null(flag));
    }
    Ok(match mutation {
        "createKeyspace" => format!(
            "CREATE KEYSPACE {unless}{} WITH replication = {}",
            quote(given.text("name")),
            replication(&given)?
        ),
        "dropKeyspace" => format!("DROP KEYSPACE {exists}{}", quote(given.text("name"))),
        "createTable" => {
            let table = name("tableName");
            format!("CREATE TABLE {unless}{table} {}", table_body(&given)?)
        }
        "alterTableAdd" => format!(
            "ALTER TABLE {} ADD ({})",
            name("tableName"),
            columns(given.some("toAdd", "toAdd must contain at least one element")?)?.join(", ")
        ),
        "alterTableDrop" => {
            let columns = given.some("toDrop", "toDrop must contain at least one element")?;
            let columns = columns.iter().filter_map(Value::as_str).map(quote);
            let columns = columns.collect::<Vec<_>>().join(", ");
            format!("ALTER TABLE {} DROP ({columns})", name("tableName"))
        }
        "dropTable" => format!("DROP TABLE {exists}{}", name("tableName")),
        "createType" => format!(
            "CREATE TYPE {unless}{} ({})",
            name("typeName"),
            columns(given.some("fields", "Must have at least one field")?)?.join(", ")
        ),
        "dropType" => format!("DROP TYPE {exists}{}", name("typeName")),
        "createIndex" => index(&given, unless),
        "dropIndex" => format!("DROP INDEX {exists}{}", name("indexName")),
        other => return Err(RunError::Invalid(format!("unknown mutation {other}"))),
    })
}

/// The arguments of a mutation.
struct Given<'a>(&'a Arguments);

impl<'a> Given<'a> {
    fn value(&self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> &'a str {
        self.value(name).as_str().unwrap_or_default()
    }

    /// Returns the words if the argument is true.
    fn flag(&self, name: &str, words: &'static str) -> &'static str {
        if *self.value(name) == json!(true) {
            words
        } else {
            ""
        }
    }

    fn list(&self, name: &str) -> &'a [Value] {
        self.value(name).as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns a list that must not be empty.
    fn some(&self, name: &str, empty: &str) -> Result<&'a [Value], RunError> {
        match self.list(name) {
            [] => Err(RunError::Invalid(empty.to_owned())),
            items => Ok(items),
        }
    }
}

fn replication(given: &Given<'_>) -> Result<String, RunError> {
    let refused = |text: &str| Err(RunError::Invalid(text.to_owned()));
    let replicas = given.value("replicas");
    match (replicas.as_i64(), given.value("datacenters").as_array()) {
        (None, None) => refused("You must specify either replicas or datacenters"),
        (Some(_), Some(_)) => refused("You can't specify both replicas and datacenters"),
        (Some(replicas), None) => Ok(format!(
            "{{'class': 'SimpleStrategy', 'replication_factor': {replicas}}}"
        )),
        (None, Some(all)) if all.is_empty() => {
            refused("datacenters must contain at least one element")
        }
        (None, Some(all)) => {
            let options: String = all
                .iter()
                .map(|center| {
                    let name = literal(center["name"].as_str().unwrap_or_default());
                    format!(", {name}: {}", center["replicas"].as_i64().unwrap_or(3))
                })
                .collect();
            Ok(format!("{{'class': 'NetworkTopologyStrategy'{options}}}"))
        }
    }
}

fn table_body(given: &Given<'_>) -> Result<String, RunError> {
    let empty = "partitionKeys must contain at least one element";
    let partition = given.some("partitionKeys", empty)?;
    let clustering = given.list("clusteringKeys");
    let mut parts = columns(partition)?;
    parts.extend(columns(clustering)?);
    parts.extend(columns(given.list("values"))?);
    let names = |columns: &[Value]| {
        let names = columns.iter().map(|column| quote(name_of(column)));
        names.collect::<Vec<_>>()
    };
    let mut key = vec![format!("({})", names(partition).join(", "))];
    key.extend(names(clustering));
    parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    let mut cql = format!("({})", parts.join(", "));
    if !clustering.is_empty() {
        let orders = clustering
            .iter()
            .map(|column| {
                let order = column["order"].as_str().unwrap_or("ASC").to_uppercase();
                match order.as_str() {
                    "ASC" | "DESC" => Ok(format!("{} {order}", quote(name_of(column)))),
                    _ => {
                        let text =
                            format!("Invalid clustering order {order}: expected ASC or DESC");
                        Err(RunError::Invalid(text))
                    }
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        cql.push_str(&format!(
            " WITH CLUSTERING ORDER BY ({})",
            orders.join(", ")
        ));
    }
    Ok(cql)
}

fn name_of(column: &Value) -> &str {
    column["name"].as_str().unwrap_or_default()
}

/// Returns `name type` of each `ColumnInput`.
fn columns(columns: &[Value]) -> Result<Vec<String>, RunError> {
    let columns = columns.iter().map(|column| {
        let typ = data_type::read(&column["type"])?;
        Ok(format!("{} {}", quote(name_of(column)), typ.to_cql()))
    });
    columns.collect()
}

fn index(given: &Given<'_>, unless: &str) -> String {
    let column = quote(given.text("columnName"));
    let target = match given.value("indexKind").as_str() {
        Some(kind) => format!("{kind}({column})"),
        None => column,
    };
    let name = given.value("indexName").as_str();
    let name = name.map_or(String::new(), |name| quote(name) + " ");
    let class = given.value("indexType").as_str();
    let custom = if class.is_some() { "CUSTOM " } else { "" };
    let class = class.map_or(String::new(), |class| format!(" USING {}", literal(class)));
    let table = quote_in(given.text("keyspaceName"), given.text("tableName"));
    format!("CREATE {custom}INDEX {unless}{name}ON {table} ({target}){class}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(mutation: &str, given: Value) -> Result<String, String> {
        let given = given.as_object().unwrap();
        cql(mutation, given).map_err(|error| error.to_string())
    }

    #[test]
    fn mutations_are_statements() {
        let text = json!({"basic": "TEXT"});
        for (mutation, given, wanted) in [
            (
                "createTable",
                json!({"keyspaceName": "ks", "tableName": "T\"t", "ifNotExists": true,
                    "partitionKeys": [{"name": "a", "type": text}, {"name": "b", "type": text}],
                    "clusteringKeys": [{"name": "c", "type": text, "order": "desc"}, {"name": "d", "type": text}],
                    "values": [{"name": "e", "type": {"basic": "COUNTER"}}]}),
                r#"CREATE TABLE IF NOT EXISTS "ks"."T""t" ("a" text, "b" text, "c" text, "d" text, "e" counter, PRIMARY KEY (("a", "b"), "c", "d")) WITH CLUSTERING ORDER BY ("c" DESC, "d" ASC)"#,
            ),
            (
                "createIndex",
                json!({"keyspaceName": "ks", "tableName": "t", "columnName": "c", "indexName": "i",
                    "indexKind": "KEYS", "indexType": "it's"}),
                r#"CREATE CUSTOM INDEX "i" ON "ks"."t" (KEYS("c")) USING 'it''s'"#,
            ),
            (
                "createKeyspace",
                json!({"name": "k", "datacenters": [{"name": "dc'1", "replicas": 2}]}),
                r#"CREATE KEYSPACE "k" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc''1': 2}"#,
            ),
            (
                "dropTable",
                json!({"keyspaceName": "ks", "tableName": "t", "ifExists": null}),
                r#"DROP TABLE "ks"."t""#,
            ),
            (
                "alterTableDrop",
                json!({"keyspaceName": "ks", "tableName": "t", "toDrop": ["a", "b"]}),
                r#"ALTER TABLE "ks"."t" DROP ("a", "b")"#,
            ),
        ] {
            assert_eq!(statement(mutation, given).unwrap(), wanted);
        }
    }

    #[test]
    fn arguments_that_make_no_statement_are_refused() {
        for (mutation, given, wanted) in [
            (
                "createKeyspace",
                json!({"name": "k"}),
                "You must specify either replicas or datacenters",
            ),
            (
                "createKeyspace",
                json!({"name": "k", "replicas": 1, "datacenters": []}),
                "You can't specify both replicas and datacenters",
            ),
            (
                "createTable",
                json!({"partitionKeys": []}),
                "partitionKeys must contain at least one element",
            ),
            (
                "alterTableAdd",
                json!({"toAdd": []}),
                "toAdd must contain at least one element",
            ),
            (
                "createType",
                json!({"fields": []}),
                "Must have at least one field",
            ),
            (
                "dropKeyspace",
                json!({"name": "k", "ifExists": null}),
                "ifExists cannot be null",
            ),
        ] {
            assert_eq!(statement(mutation, given).unwrap_err(), wanted);
        }
    }
}
