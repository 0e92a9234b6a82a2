//! Rows: `/keyspaces/{keyspace}/{table}`.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use scylla::cluster::metadata::{ColumnType, NativeType};
use scylla::value::CqlValue;
use serde_json::{Map, Value};

use super::conditions;
use super::error::RestError;
use super::keys;
use super::lookup::{self, Rest};
use super::page;
use super::request::{self, Names};
use super::response;
use access::TokenSession;
use bridge::{Body, Caller, Parameters, first_json};
use store::cql::{self, Expression, Statement};
use store::types::quote;
use store::values::numbers;
use store::values::numbers::JsonNumber;
use store::values::{Maps, ValueError, from_base64, from_json};
use store::{Page, Rows, Table};

/// Options of a read.
struct Reading {
    fields: Vec<Expression>,
    order: Vec<Expression>,
    page_size: i32,
    page_state: Option<String>,
    raw: bool,
    maps: Maps,
}

impl Reading {
    fn new(parameters: &Parameters) -> Result<Reading, RestError> {
        let fields = parameters
            .given("fields")
            .unwrap_or_default()
            .split(',')
            // Java's `trim` treats control characters as blanks.
            .map(|field| field.trim_matches(|c| c <= ' '))
            .filter(|field| !field.is_empty());
        let page_state = parameters
            .given("page-state")
            .filter(|state| !state.is_empty());
        Ok(Reading {
            page_size: request::page_size(parameters)?,
            fields: fields.map(selector).collect(),
            order: order(parameters.given("sort").unwrap_or_default())?,
            page_state: page_state.map(str::to_owned),
            raw: parameters.flag("raw"),
            maps: request::maps(parameters),
        })
    }

    fn page(&self) -> Result<Page, ValueError> {
        let state = self.page_state.as_deref().map(from_base64).transpose()?;
        Ok(Page {
            size: self.page_size,
            state,
        })
    }

    async fn run(
        self,
        session: &TokenSession,
        (keyspace, table): (&str, &str),
        conditions: Vec<Expression>,
        page: Page,
    ) -> Result<Response, RestError> {
        let select = cql::select(keyspace, table, self.fields);
        let statement = select.filter(conditions).order_by(self.order);
        let rows = run(session, statement, page).await?;
        page::response(self.raw, &rows, self.maps)
    }
}

/// `GET …/{table}?where=`: search.
pub async fn search(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    // An invalid number is rejected before all other checks.
    request::page_size(&parameters)?;
    let parameter = parameters
        .given("where")
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| RestError::invalid("'where' must be provided"))?;
    let reading = Reading::new(&parameters)?;
    let session = caller.session().await?;
    let conditions = lookup::build(&rest, &keyspace, &table, |found| {
        conditions::parse(found, parameter, reading.maps)
            .map_err(|error| error.within("Invalid 'where' parameter"))
    })
    .await?;
    let page = reading.page().map_err(exception)?;
    reading
        .run(&session, (&keyspace, &table), conditions, page)
        .await
}

/// `GET …/{table}/rows`: the whole table.
pub async fn all(
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let reading = Reading::new(&parameters)?;
    let page = reading.page().map_err(exception)?;
    let session = caller.session().await?;
    reading
        .run(&session, (&keyspace, &table), Vec::new(), page)
        .await
}

/// `GET …/{table}/{key}…`: rows by primary key.
pub async fn by_key(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table, _)): Names<(String, String, String)>,
    uri: Uri,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let what = "Invalid path for row to find";
    let reading = Reading::new(&parameters)?;
    let session = caller.session().await?;
    let key = lookup::build(&rest, &keyspace, &table, |found| {
        keys::conditions(found, &keys::segments(&uri), reading.maps)
            .map_err(|error| error.within(what))
    })
    .await?;
    let page = reading
        .page()
        .map_err(|error| RestError::BadRequest(error.to_string()).within(what))?;
    reading.run(&session, (&keyspace, &table), key, page).await
}

/// `POST …/{table}`: writes a row, and returns the body unchanged.
pub async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, table)): Names<(String, String)>,
    parameters: Parameters,
    body: Body,
) -> Result<Response, RestError> {
    let what = "Invalid path for row to create";
    let row = row(&body)?;
    let session = caller.session().await?;
    let values = lookup::build(&rest, &keyspace, &table, |found| {
        values(found, &row, request::maps(&parameters)).map_err(|error| error.within(what))
    })
    .await?;
    let statement = cql::insert(&keyspace, &table, values);
    run(&session, statement, Page::first(1)).await?;
    Ok(response::json_text(
        StatusCode::CREATED,
        body.text().into_owned(),
    ))
}

/// `PUT` and `PATCH …/{table}/{key}…`: run the same UPDATE, and return the body.
pub async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    uri: Uri,
    parameters: Parameters,
    body: Body,
) -> Result<Response, RestError> {
    let what = "Invalid path for row to update";
    let (keyspace, table) = keys::table(&uri);
    let row = row(&body)?;
    let session = caller.session().await?;
    let statement = lookup::build(&rest, &keyspace, &table, |found| {
        let values =
            values(found, &row, request::maps(&parameters)).map_err(|error| error.within(what))?;
        let key = keys::conditions(found, &keys::segments(&uri), request::maps(&parameters));
        let assignments = values
            .into_iter()
            .map(|(name, value)| assignment(found, name, value));
        let update = cql::update(&keyspace, &table).set(assignments);
        Ok(update.filter(key.map_err(|error| error.within(what))?))
    })
    .await?;
    run(&session, statement, Page::first(1)).await?;
    let sent = as_java_writes(Value::Object(row));
    Ok(match bridge::mark_lone_surrogates(&body.text()) {
        Cow::Borrowed(_) => response::data(parameters.flag("raw"), sent),
        // The row contains question marks instead; the response shows them as they were sent.
        Cow::Owned(marked) => {
            let marked = serde_json::from_str(&marked).map_or(sent, as_java_writes);
            response::marked_data(parameters.flag("raw"), &marked)
        }
    })
}

/// `DELETE …/{table}/{key}…`: deletes a row, the rows of a clustering prefix, or a partition, even if it does not
/// exist.
pub async fn delete(
    State(rest): State<Rest>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, RestError> {
    let (keyspace, table) = keys::table(&uri);
    let session = caller.session().await?;
    let key = lookup::build(&rest, &keyspace, &table, |found| {
        keys::conditions(found, &keys::segments(&uri), Maps::Compact)
            .map_err(|error| error.within("Invalid path for row to delete"))
    })
    .await?;
    let statement = cql::delete(&keyspace, &table).filter(key);
    run(&session, statement, Page::first(1)).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

async fn run(session: &TokenSession, statement: Statement, page: Page) -> Result<Rows, RestError> {
    bridge::check_statement(&statement.cql, &statement.values)?;
    let rows = session
        .query(&statement.cql, statement.values, page)
        .await?;
    bridge::check_rows(&rows)?;
    Ok(rows)
}

/// Converts the error of an invalid page state, which is an exception where Stargate's path does not check it.
fn exception(error: ValueError) -> RestError {
    RestError::exception(error.to_string())
}

/// Returns the row in the body, which must be an object.
fn row(body: &Body) -> Result<Map<String, Value>, RestError> {
    let row = first_json(&body.text());
    match row.map_err(|error| RestError::BadRequest(format!("Invalid JSON payload: {error}")))? {
        Value::Object(row) => Ok(row),
        Value::Null => Err(RestError::exception(
            "Cannot invoke \"java.util.Map.size()\" because \"payloadMap\" is null",
        )),
        _ => Err(RestError::BadRequest(
            "Invalid JSON payload: Cannot deserialize value of type `java.util.LinkedHashMap<java.lang.Object,java.lang.Object>`"
                .to_owned(),
        )),
    }
}

fn values<'a>(
    table: &Table,
    row: &'a Map<String, Value>,
    maps: Maps,
) -> Result<Vec<(&'a str, Option<CqlValue>)>, RestError> {
    let values = row.iter().map(|(name, value)| {
        if value.is_null() {
            // Stargate does not check the column of a null; Cassandra does.
            return Ok((name.as_str(), None));
        }
        let column = table.column(name);
        let column = column.ok_or_else(|| conditions::unknown_column(table, name))?;
        let value = from_json(value, &column.typ, maps)
            .map_err(|error| RestError::value(&table.name, name, &error))?;
        Ok((name.as_str(), value))
    });
    values.collect()
}

/// Returns the assignment of a value to a column. A counter is incremented by it.
fn assignment(table: &Table, name: &str, value: Option<CqlValue>) -> Expression {
    match table.column(name).map(|column| &column.typ) {
        Some(ColumnType::Native(NativeType::Counter)) => cql::change(name, "+", value),
        _ => cql::equal(name, value),
    }
}

/// Returns a field of the response: a column, or exactly one entry of a map as `m['a']`.
fn selector(field: &str) -> Expression {
    let entry = field
        .strip_suffix("']")
        .and_then(|rest| rest.split_once("['"));
    match entry {
        Some((column, key)) if is_plain(column) && is_escaped(key) => {
            cql::raw(format!("{}['{key}']", quote(column)))
        }
        _ => cql::column(field),
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

/// Formats numbers as Java does after parsing them: `1.50` becomes `1.5`.
fn as_java_writes(value: Value) -> Value {
    match value {
        Value::Number(number) => numbers::number(&JsonNumber::read(&number).text()),
        Value::Array(values) => Value::Array(values.into_iter().map(as_java_writes).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(name, value)| (name, as_java_writes(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

/// Parses the `sort` parameter, an object of columns. Only the exact word `desc` sorts in descending order.
fn order(parameter: &str) -> Result<Vec<Expression>, RestError> {
    let bad = |problem: String| RestError::BadRequest(problem).within("Invalid 'sort' parameter");
    if parameter.is_empty() {
        return Ok(Vec::new());
    }
    let no_object = || {
        bad(format!(
            "Invalid 'sort' argument, not JSON Object ({parameter})"
        ))
    };
    if parameter.trim().is_empty() {
        return Err(no_object());
    }
    let value = first_json(parameter).map_err(|error| {
        bad(format!(
            "Invalid 'sort' argument, not valid JSON ({parameter}): {error}"
        ))
    })?;
    let Value::Object(columns) = value else {
        return Err(no_object());
    };
    let columns = columns.iter();
    let orders = columns.map(|(column, direction)| cql::order(column, direction == "desc"));
    Ok(orders.collect())
}

#[cfg(test)]
pub(super) mod tests {
    use scylla::value::Counter;

    use super::*;
    use store::types::built_in;
    use store::{Column, ColumnKind};

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

    #[test]
    fn only_the_word_desc_is_descending() {
        let read = order(r#"{"a":"desc","b":"DESC","c":"asc","d":-1,"e":null}"#).unwrap();
        let wanted = ["a", "b", "c", "d", "e"].map(|name| cql::order(name, name == "a"));
        assert_eq!(read, wanted);
        assert!(order("").unwrap().is_empty());
        assert!(order("{}").unwrap().is_empty());
        for (parameter, start) in [
            (
                "notjson",
                "Invalid 'sort' parameter, problem: Invalid 'sort' argument, not valid JSON (notjson): ",
            ),
            (
                "[]",
                "Invalid 'sort' parameter, problem: Invalid 'sort' argument, not JSON Object ([])",
            ),
        ] {
            let refused = order(parameter).unwrap_err().to_string();
            assert!(refused.starts_with(start), "{refused}");
        }
    }

    #[test]
    fn a_row_is_read_by_its_columns() {
        let row = |text: &str| -> Map<String, Value> { serde_json::from_str(text).unwrap() };
        let sent = row(r#"{"what":null,"n":"+5"}"#);
        let read = values(&events(), &sent, Maps::Compact).unwrap();
        let five = Some(CqlValue::Counter(Counter(5)));
        assert_eq!(read, [("what", None), ("n", five.clone())]);
        let assignments = read.into_iter();
        let assignments = assignments.map(|(name, value)| assignment(&events(), name, value));
        assert_eq!(
            assignments.collect::<Vec<_>>(),
            [cql::equal("what", None), cql::change("n", "+", five)]
        );
        let refused = values(&events(), &row(r#"{"nocol":1}"#), Maps::Compact).unwrap_err();
        assert_eq!(
            refused.within("Invalid path for row to create").to_string(),
            "Invalid path for row to create, problem: Unknown field name 'nocol' (table 'events'); known fields: \
             [day, at, n, ok, scores, tags, what]"
        );
    }

    #[test]
    fn an_entry_of_a_map_may_be_selected() {
        for (field, wanted) in [
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
            assert_eq!(selector(field), cql::raw(wanted));
        }
    }

    #[test]
    fn numbers_come_back_as_java_writes_them() {
        let sent: Value =
            serde_json::from_str(r#"{"a":[1.50,1e3,5,-0,12345678901234567890]}"#).unwrap();
        let back = as_java_writes(sent).to_string();
        assert_eq!(back, r#"{"a":[1.5,1000.0,5,0,12345678901234567890]}"#);
    }
}
