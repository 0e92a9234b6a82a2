//! Tables: `/schemas/keyspaces/{keyspace}/tables`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::columns;
use super::error::RestError;
use super::lookup::{self, Missing, Rest};
use super::request::{self, Names};
use super::response;
use super::types;
use bridge::{Body, Caller, Parameters};
use store::types::{quote, quote_in};
use store::{Column, Table};

/// `GET`: the tables of a keyspace that the caller can see.
pub async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    Names(keyspace): Names<String>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let found = lookup::keyspace(&rest, &keyspace)
        .await?
        .ok_or_else(|| lookup::no_keyspace(&keyspace))?;
    let tables = if session.can_see(&keyspace).await? {
        found
            .tables
            .values()
            .filter(|table| !table.is_view)
            .map(|t| description(t))
            .collect()
    } else {
        Vec::new()
    };
    Ok(response::data(parameters.flag("raw"), Value::Array(tables)))
}

/// `GET /{table}`.
pub async fn one(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let found =
        lookup::visible_table(&rest, &session, &keyspace, &table, Missing::NotFound).await?;
    Ok(response::data(parameters.flag("raw"), description(&found)))
}

/// `POST`: creates a table.
pub async fn create(
    caller: Caller,
    Names(keyspace): Names<String>,
    body: Body,
) -> Result<Response, RestError> {
    let definition: Definition = request::object(&body)?;
    let name = definition.name()?;
    let cql = create_cql(&keyspace, name, &definition)?;
    caller.session().await?.change_schema(&cql).await?;
    Ok(response::name(StatusCode::CREATED, name))
}

/// `PUT /{table}`: sets only the default time to live.
pub async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    body: Body,
) -> Result<Response, RestError> {
    let definition: Definition = request::object(&body)?;
    definition.name()?;
    let bad = |text: &str| RestError::BadRequest(text.to_owned());
    if !definition.clustering().is_empty() {
        return Err(bad("Cannot update the clustering order of a table"));
    }
    let options = definition.table_options.as_ref();
    let time_to_live = options
        .and_then(|options| options.default_time_to_live)
        .ok_or_else(|| bad("No update provided for defaultTTL"))?;
    let session = caller.session().await?;
    lookup::visible_table(
        &rest,
        &session,
        &keyspace,
        &table,
        Missing::BadSchemaRequest,
    )
    .await?;
    let name = quote_in(&keyspace, &table);
    let cql = format!("ALTER TABLE {name} WITH default_time_to_live = {time_to_live}");
    session.change_schema(&cql).await?;
    Ok(response::name(StatusCode::OK, &table))
}

/// `DELETE /{table}`: drops it if it exists.
pub async fn delete(
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
) -> Result<Response, RestError> {
    let cql = format!("DROP TABLE IF EXISTS {}", quote_in(&keyspace, &table));
    let session = caller.session().await?;
    session.change_schema(&cql).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

fn description(table: &Table) -> Value {
    let names = |columns: Vec<&Column>| {
        let names = columns
            .into_iter()
            .map(|column| Value::String(column.name.clone()));
        Value::Array(names.collect())
    };
    let orders: Vec<Value> = table
        .clustering_key()
        .map(|column| {
            let order = if column.descending { "DESC" } else { "ASC" };
            json!({ "column": column.name, "order": order })
        })
        .collect();
    json!({
        "name": table.name,
        "keyspace": table.keyspace,
        "columnDefinitions": table.columns.iter().map(columns::description).collect::<Vec<_>>(),
        "primaryKey": {
            "partitionKey": names(table.partition_key().collect()),
            "clusteringKey": names(table.clustering_key().collect()),
        },
        "tableOptions": {
            "defaultTimeToLive": table.default_time_to_live,
            "clusteringExpression": orders,
        },
    })
}

/// The body of a new table and of a change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Definition {
    #[serde(default, deserialize_with = "request::text")]
    name: Option<String>,
    column_definitions: Option<Vec<columns::Definition>>,
    primary_key: Option<PrimaryKey>,
    table_options: Option<Options>,
    #[serde(default, deserialize_with = "request::flag")]
    if_not_exists: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrimaryKey {
    partition_key: Option<Vec<String>>,
    clustering_key: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    default_time_to_live: Option<i32>,
    clustering_expression: Option<Vec<Clustering>>,
}

#[derive(Debug, Deserialize)]
struct Clustering {
    #[serde(default, deserialize_with = "request::text")]
    column: Option<String>,
    #[serde(default, deserialize_with = "request::text")]
    order: Option<String>,
}

impl Definition {
    fn name(&self) -> Result<&str, RestError> {
        let name = self.name.as_deref().filter(|name| !name.trim().is_empty());
        name.ok_or_else(|| RestError::invalid("TableAdd.name must be provided"))
    }

    fn clustering(&self) -> &[Clustering] {
        let options = self.table_options.as_ref();
        options
            .and_then(|options| options.clustering_expression.as_deref())
            .unwrap_or_default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    PartitionKey,
    Clustering,
    Static,
    Other,
}

struct NewColumn<'a> {
    name: &'a str,
    typ: &'a str,
    kind: Kind,
    order: Option<&'static str>,
}

impl NewColumn<'_> {
    /// Formats the definition as Java prints it, for the text of an error.
    fn java_text(&self) -> String {
        let kind = match self.kind {
            Kind::PartitionKey => ", kind=PARTITION_KEY",
            Kind::Clustering => ", kind=CLUSTERING",
            Kind::Static => ", kind=STATIC",
            Kind::Other => "",
        };
        let order = self
            .order
            .map_or(String::new(), |order| format!(", order={order}"));
        format!(
            "Column{{name={}, type={}{kind}{order}}}",
            self.name, self.typ
        )
    }
}

/// Returns the CREATE TABLE, with the columns of the key first, then the others as given. As in Stargate, a default
/// time to live is accepted for a new table and ignored.
fn create_cql(keyspace: &str, name: &str, definition: &Definition) -> Result<String, RestError> {
    let given = definition.column_definitions.as_deref().unwrap_or_default();
    if given.is_empty() {
        let text = "TableAdd.columnDefinitions must be provided";
        return Err(RestError::BadRequest(text.to_owned()));
    }
    let key = definition.primary_key.as_ref().ok_or_else(|| {
        RestError::exception(
            "Cannot invoke \"io.stargate.sgv2.restapi.service.models.Sgv2Table$PrimaryKey.hasPartitionKey(String)\" because \"primaryKeys\" is null",
        )
    })?;
    let partition = key.partition_key.as_deref().unwrap_or_default();
    let clustering = key.clustering_key.as_deref().unwrap_or_default();

    let mut columns: Vec<NewColumn<'_>> = Vec::new();
    for column in given {
        let column = new_column(column, partition, clustering, definition.clustering())?;
        // The last of several columns with the same name counts.
        match columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => *known = column,
            None => columns.push(column),
        }
    }
    let rank = |column: &NewColumn<'_>| {
        let mut key = partition.iter().chain(clustering);
        key.position(|name| name == column.name)
            .unwrap_or(usize::MAX)
    };
    columns.sort_by_key(rank);

    let of_kind = |kind: Kind| columns.iter().filter(move |column| column.kind == kind);
    if of_kind(Kind::PartitionKey).next().is_none() {
        let columns: Vec<String> = columns.iter().map(NewColumn::java_text).collect();
        return Err(RestError::exception(format!(
            "At least one partition key must be specified for table or materialized view '{name}' [{}]",
            columns.join(", ")
        )));
    }
    let mut parts = Vec::new();
    for column in &columns {
        let fixed = if column.kind == Kind::Static {
            " STATIC"
        } else {
            ""
        };
        parts.push(format!(
            "{} {}{fixed}",
            quote(column.name),
            types::to_cql(column.typ)?
        ));
    }
    let names = |kind: Kind| {
        of_kind(kind)
            .map(|column| quote(column.name))
            .collect::<Vec<_>>()
    };
    let mut key = vec![format!("({})", names(Kind::PartitionKey).join(", "))];
    key.extend(names(Kind::Clustering));
    let mut order = String::new();
    if of_kind(Kind::Clustering).any(|column| column.order.is_some()) {
        let mut directions = Vec::new();
        for column in of_kind(Kind::Clustering) {
            let direction = column.order.ok_or_else(|| {
                RestError::exception(
                    "Cannot invoke \"io.stargate.sgv2.api.common.cql.builder.Column$Order.name()\" because the return value of \"io.stargate.sgv2.api.common.cql.builder.Column.order()\" is null",
                )
            })?;
            directions.push(format!("{} {direction}", quote(column.name)));
        }
        order = format!(" WITH CLUSTERING ORDER BY ({})", directions.join(", "));
    }
    let unless = if definition.if_not_exists {
        "IF NOT EXISTS "
    } else {
        ""
    };
    Ok(format!(
        "CREATE TABLE {unless}{} ({}, PRIMARY KEY ({})){order}",
        quote_in(keyspace, name),
        parts.join(", "),
        key.join(", ")
    ))
}

fn new_column<'a>(
    column: &'a columns::Definition,
    partition: &[String],
    clustering: &[String],
    orders: &[Clustering],
) -> Result<NewColumn<'a>, RestError> {
    let name = column.name();
    let listed = |names: &[String]| names.iter().any(|listed| listed == name);
    let mut order = None;
    for expression in orders.iter().filter(|o| o.column.as_deref() == Some(name)) {
        let given = expression.order.as_deref().unwrap_or("null");
        order = Some(match given.to_ascii_uppercase().as_str() {
            "ASC" => "ASC",
            "DESC" => "DESC",
            _ => {
                return Err(RestError::exception(format!(
                    "Unrecognized ordering value '{given}'"
                )));
            }
        });
    }
    Ok(NewColumn {
        name,
        typ: column.type_definition(),
        kind: if listed(partition) {
            Kind::PartitionKey
        } else if listed(clustering) {
            Kind::Clustering
        } else if column.is_static {
            Kind::Static
        } else {
            Kind::Other
        },
        order,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cql(body: &str) -> Result<String, String> {
        let definition: Definition = serde_json::from_str(body).unwrap();
        create_cql("ks", "t", &definition).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_is_made_in_the_order_of_its_key() {
        let body = r#"{"columnDefinitions":[{"name":"v","typeDefinition":"map<text,int>"},
            {"name":"s","typeDefinition":"int","static":true},{"name":"c","typeDefinition":"date"},
            {"name":"B","typeDefinition":"Addr"},{"name":"a","typeDefinition":"text"}],
            "primaryKey":{"partitionKey":["a","B"],"clusteringKey":["c"]},"ifNotExists":true,
            "tableOptions":{"defaultTimeToLive":60,"clusteringExpression":[{"column":"c","order":"desc"}]}}"#;
        assert_eq!(
            cql(body).unwrap(),
            "CREATE TABLE IF NOT EXISTS \"ks\".\"t\" (\"a\" text, \"B\" \"Addr\", \"c\" date, \"v\" map<text, int>, \
             \"s\" int STATIC, PRIMARY KEY ((\"a\", \"B\"), \"c\")) WITH CLUSTERING ORDER BY (\"c\" DESC)"
        );
    }

    #[test]
    fn hostile_names_stay_names() {
        let body = r#"{"columnDefinitions":[{"name":"a\" int); DROP TABLE x; --","typeDefinition":"x\"; DROP"}],
            "primaryKey":{"partitionKey":["a\" int); DROP TABLE x; --"]}}"#;
        let refused = cql(body).unwrap_err();
        assert!(refused.contains("INVALID_ARGUMENT"), "{refused}");
        let body = body.replace(r#"x\"; DROP"#, "x; DROP");
        assert_eq!(
            cql(&body).unwrap(),
            "CREATE TABLE \"ks\".\"t\" (\"a\"\" int); DROP TABLE x; --\" \"x; DROP\", PRIMARY KEY ((\"a\"\" int); \
             DROP TABLE x; --\")))"
        );
    }

    #[test]
    fn what_is_missing_is_said_in_stargates_words() {
        for (body, wanted) in [
            ("{}", "TableAdd.columnDefinitions must be provided"),
            (
                r#"{"columnDefinitions":[]}"#,
                "TableAdd.columnDefinitions must be provided",
            ),
            (
                r#"{"columnDefinitions":[{"name":"a","typeDefinition":"int"}]}"#,
                "Cannot invoke \"io.stargate.sgv2.restapi.service.models.Sgv2Table$PrimaryKey.hasPartitionKey(String)\" \
                 because \"primaryKeys\" is null",
            ),
            (
                r#"{"columnDefinitions":[{"name":"a","typeDefinition":"int"}],"primaryKey":{"partitionKey":["b"]}}"#,
                "At least one partition key must be specified for table or materialized view 't' [Column{name=a, type=int}]",
            ),
            (
                r#"{"columnDefinitions":[{"name":"a","typeDefinition":"int"}],"primaryKey":{"partitionKey":["a"]},
                    "tableOptions":{"clusteringExpression":[{"column":"a","order":"up"}]}}"#,
                "Unrecognized ordering value 'up'",
            ),
            (
                r#"{"columnDefinitions":[{"name":"a"}],"primaryKey":{"partitionKey":["a"]}}"#,
                "Invalid empty type name",
            ),
        ] {
            assert_eq!(cql(body).unwrap_err(), wanted);
        }
    }
}
