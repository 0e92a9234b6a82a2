//! Secondary indexes: `/schemas/keyspaces/{keyspace}/tables/{table}/indexes`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scylla::value::CqlValue;
use serde::Deserialize;
use serde_json::json;

use super::columns;
use super::error::RestError;
use super::lookup::{self, Missing, Rest};
use super::page;
use super::request::{self, Names};
use super::response;
use bridge::{Body, Caller, Parameters};
use store::cql;
use store::types::{literal, quote, quote_in};
use store::{ColumnKind, Page, Table};

/// A limit larger than the number of indexes of any table.
const ALL: i32 = 10_000;

/// `GET`: the rows of a table's indexes in Cassandra, always as an array.
pub async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let missing = Missing::BadSchemaRequest;
    lookup::visible_table(&rest, &session, &keyspace, &table, missing).await?;
    let is = |column, value: String| cql::equal(column, CqlValue::Text(value));
    let conditions = [is("keyspace_name", keyspace), is("table_name", table)];
    let select = cql::select("system_schema", "indexes", []).filter(conditions);
    let rows = session
        .query(&select.cql, select.values, Page::first(ALL))
        .await?;
    page::response(true, &rows, request::maps(&parameters))
}

/// `POST`: creates an index.
pub async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    body: Body,
) -> Result<Response, RestError> {
    let index: Definition = request::object(&body)?;
    let column = index
        .column
        .as_deref()
        .filter(|column| !column.trim().is_empty());
    let column =
        column.ok_or_else(|| RestError::invalid("IndexAddRequest.column must be provided"))?;
    let session = caller.session().await?;
    let missing = Missing::BadSchemaRequest;
    let found = lookup::visible_table(&rest, &session, &keyspace, &table, missing).await?;
    session
        .change_schema(&create_cql(&found, column, &index)?)
        .await?;
    Ok(response::json(
        StatusCode::CREATED,
        &json!({ "success": true }),
    ))
}

/// `DELETE /{index}`.
pub async fn delete(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table, index)): Names<(String, String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let missing = Missing::BadSchemaRequest;
    lookup::visible_table(&rest, &session, &keyspace, &table, missing).await?;
    let unless = if parameters.flag("ifExists") {
        "IF EXISTS "
    } else {
        ""
    };
    let cql = format!("DROP INDEX {unless}{}", quote_in(&keyspace, &index));
    session.change_schema(&cql).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(default, deserialize_with = "request::text")]
    column: Option<String>,
    #[serde(default, deserialize_with = "request::text")]
    name: Option<String>,
    /// The class of a custom index.
    #[serde(default, rename = "type", deserialize_with = "request::text")]
    class: Option<String>,
    kind: Option<Kind>,
    options: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "request::flag")]
    if_not_exists: bool,
}

/// The indexed part of a collection.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    Keys,
    Values,
    Entries,
    Full,
}

fn create_cql(table: &Table, column: &str, index: &Definition) -> Result<String, RestError> {
    // Static columns are not found, either.
    let known = table
        .column(column)
        .is_some_and(|column| column.kind != ColumnKind::Static);
    if !known {
        return Err(RestError::NotFound(columns::no_column(&table.name, column)));
    }
    let options = index.options.as_ref().filter(|options| !options.is_empty());
    if options.is_some() && index.class.is_none() {
        let text = "Index 'type' must be specified if 'options' are specified";
        return Err(RestError::BadRequest(text.to_owned()));
    }
    let column = quote(column);
    let target = match index.kind {
        None => column,
        Some(Kind::Keys) => format!("KEYS({column})"),
        Some(Kind::Values) => format!("VALUES({column})"),
        Some(Kind::Entries) => format!("ENTRIES({column})"),
        Some(Kind::Full) => format!("FULL({column})"),
    };
    let custom = if index.class.is_some() { "CUSTOM " } else { "" };
    let unless = if index.if_not_exists {
        "IF NOT EXISTS "
    } else {
        ""
    };
    let name = index
        .name
        .as_deref()
        .map_or(String::new(), |name| quote(name) + " ");
    let class = index
        .class
        .as_deref()
        .map_or(String::new(), |class| format!(" USING {}", literal(class)));
    let options = options.map_or(String::new(), |options| {
        let options = options
            .iter()
            .map(|(name, value)| format!("{}: {}", literal(name), literal(value)));
        format!(
            " WITH OPTIONS = {{{}}}",
            options.collect::<Vec<_>>().join(", ")
        )
    });
    Ok(format!(
        "CREATE {custom}INDEX {unless}{name}ON {} ({target}){class}{options}",
        quote_in(&table.keyspace, &table.name)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::events;
    use super::*;

    fn cql(body: &str) -> Result<String, String> {
        let index: Definition = serde_json::from_str(body).unwrap();
        let column = index.column.clone().unwrap();
        create_cql(&events(), &column, &index).map_err(|error| error.to_string())
    }

    #[test]
    fn an_index_has_a_kind_or_a_class() {
        for (body, wanted) in [
            (
                r#"{"column":"what"}"#,
                r#"CREATE INDEX ON "ks"."events" ("what")"#,
            ),
            (
                r#"{"column":"tags","name":"i","kind":"VALUES","ifNotExists":true}"#,
                r#"CREATE INDEX IF NOT EXISTS "i" ON "ks"."events" (VALUES("tags"))"#,
            ),
            (
                r#"{"column":"what","type":"sai","options":{"case_sensitive":"it's","a":"1"}}"#,
                "CREATE CUSTOM INDEX ON \"ks\".\"events\" (\"what\") USING 'sai' WITH OPTIONS = {'a': '1', \
                 'case_sensitive': 'it''s'}",
            ),
            (
                r#"{"column":"what","type":"x' WITH OPTIONS = {'a","name":"i\" ON x (y); --"}"#,
                "CREATE CUSTOM INDEX \"i\"\" ON x (y); --\" ON \"ks\".\"events\" (\"what\") USING 'x'' WITH OPTIONS = \
                 {''a'",
            ),
        ] {
            assert_eq!(cql(body).unwrap(), wanted);
        }
    }

    #[test]
    fn a_bad_index_is_refused() {
        assert_eq!(
            cql(r#"{"column":"nocol"}"#).unwrap_err(),
            "Column 'nocol' not found in table 'events'"
        );
        assert_eq!(
            cql(r#"{"column":"what","options":{"a":"1"}}"#).unwrap_err(),
            "Index 'type' must be specified if 'options' are specified"
        );
        let unknown = serde_json::from_str::<Definition>(r#"{"column":"what","kind":"ALL"}"#);
        assert!(unknown.is_err());
    }
}
