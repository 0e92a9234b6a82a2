//! User-defined types: `/schemas/keyspaces/{keyspace}/types`, and the format of types in all schema calls.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scylla::cluster::metadata::{CollectionType, ColumnType};
use scylla::value::CqlValue;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::RestError;
use super::lookup::{self, Rest};
use super::request::{self, Names};
use super::response;
use access::{Logins, TokenSession};
use bridge::{Body, Caller, Parameters, first_json};
use store::cql;
use store::types::{TypeName, native_name, quote, quote_in};
use store::{Code, Page, Rows, StoreError};

/// A limit larger than the number of types of any keyspace.
const ALL: i32 = 10_000;

/// `GET`: the types of a keyspace; empty if the keyspace does not exist.
pub async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    Names(keyspace): Names<String>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let types = find(&rest.logins, &session, &keyspace, None).await?;
    Ok(response::data(parameters.flag("raw"), Value::Array(types)))
}

/// `GET /{type}`.
pub async fn one(
    State(rest): State<Rest>,
    caller: Caller,
    Names((keyspace, name)): Names<(String, String)>,
    parameters: Parameters,
) -> Result<Response, RestError> {
    let session = caller.session().await?;
    let mut types = find(&rest.logins, &session, &keyspace, Some(&name)).await?;
    let found = types.pop().ok_or_else(|| {
        RestError::NotFound(format!(
            "No definition found for UDT '{name}' (keyspace '{keyspace}')"
        ))
    })?;
    Ok(response::data(parameters.flag("raw"), found))
}

/// `POST`: creates a type.
pub async fn create(
    caller: Caller,
    Names(keyspace): Names<String>,
    body: Body,
) -> Result<Response, RestError> {
    if body.0.is_empty() {
        return Err(RestError::invalid("must not be null"));
    }
    let definition: Option<NewType> = first_json(&body.text())
        .map_err(|error| RestError::BadRequest(format!("Invalid JSON payload: {error}")))?;
    let definition = definition.ok_or_else(|| null("udtAdd"))?;
    let name = definition.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Err(RestError::BadRequest(
            "typeName must be provided".to_owned(),
        ));
    }
    let unless = if definition.if_not_exists {
        "IF NOT EXISTS "
    } else {
        ""
    };
    let cql = format!(
        "CREATE TYPE {unless}{} ({})",
        quote_in(&keyspace, name),
        fields(&definition.fields.ok_or_else(|| null("fields"))?)?.join(", ")
    );
    let session = caller.session().await?;
    if let Err(error) = session.change_schema(&cql).await {
        return Err(if error.message.contains("already exists") {
            RestError::BadRequest(format!("Bad request: {}", error.message))
        } else {
            error.into()
        });
    }
    Ok(response::name(StatusCode::CREATED, name))
}

/// `PUT`: adds fields, then renames some. The response has no body.
pub async fn update(
    caller: Caller,
    Names(keyspace): Names<String>,
    body: Body,
) -> Result<Response, RestError> {
    let change: Change = request::object(&body)?;
    let statements = change_cql(&keyspace, &change)?;
    let session = caller.session().await?;
    for cql in statements {
        session.change_schema(&cql).await?;
    }
    Ok(response::empty(StatusCode::OK))
}

/// `DELETE /{type}`: drops it if it exists.
pub async fn delete(
    caller: Caller,
    Names((keyspace, name)): Names<(String, String)>,
) -> Result<Response, RestError> {
    let cql = format!("DROP TYPE IF EXISTS {}", quote_in(&keyspace, &name));
    let session = caller.session().await?;
    session.change_schema(&cql).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

/// Reads one or all user-defined types of a keyspace from Cassandra.
async fn find(
    logins: &Logins,
    session: &TokenSession,
    keyspace: &str,
    name: Option<&str>,
) -> Result<Vec<Value>, RestError> {
    let known = lookup::unnoted_keyspace(logins, keyspace).await?.is_some();
    if !known || !session.can_see(keyspace).await? {
        return Ok(Vec::new());
    }
    let is = |column, value: &str| cql::equal(column, CqlValue::Text(value.to_owned()));
    let conditions = [
        Some(is("keyspace_name", keyspace)),
        name.map(|name| is("type_name", name)),
    ];
    let columns = ["type_name", "field_names", "field_types"].map(cql::column);
    let select = cql::select("system_schema", "types", columns);
    let select = select.filter(conditions.into_iter().flatten());
    let rows = session
        .query(&select.cql, select.values, Page::first(ALL))
        .await?;
    Ok(descriptions(keyspace, &rows))
}

fn descriptions(keyspace: &str, rows: &Rows) -> Vec<Value> {
    let text = |value: &Option<CqlValue>| match value {
        Some(CqlValue::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let texts = |value: &Option<CqlValue>| match value {
        Some(CqlValue::List(values)) => values.iter().map(|v| text(&Some(v.clone()))).collect(),
        _ => Vec::new(),
    };
    let rows = rows.rows.iter();
    rows.filter_map(|row| {
        let [name, names, types] = &row[..] else {
            return None;
        };
        let fields = texts(names).into_iter().zip(texts(types));
        let fields = fields.map(|(name, typ)| json!({ "name": name, "typeDefinition": typ }));
        Some(json!({
            "name": text(name),
            "keyspace": keyspace,
            "fields": fields.collect::<Vec<_>>(),
        }))
    })
    .collect()
}

/// The body of a new type. Other members are rejected.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewType {
    #[serde(default, deserialize_with = "request::text")]
    name: Option<String>,
    fields: Option<Vec<Field>>,
    #[serde(default, deserialize_with = "request::flag")]
    if_not_exists: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Field {
    #[serde(default, deserialize_with = "request::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "request::text")]
    type_definition: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    #[serde(default, deserialize_with = "request::text")]
    name: Option<String>,
    add_fields: Option<Vec<Field>>,
    rename_fields: Option<Vec<Rename>>,
}

#[derive(Debug, Deserialize)]
struct Rename {
    #[serde(default, deserialize_with = "request::text")]
    from: Option<String>,
    #[serde(default, deserialize_with = "request::text")]
    to: Option<String>,
}

/// Returns one ALTER for each added field, then one for all renames.
fn change_cql(keyspace: &str, change: &Change) -> Result<Vec<String>, RestError> {
    let added = change.add_fields.as_deref().unwrap_or_default();
    let renamed = change.rename_fields.as_deref().unwrap_or_default();
    let name = change
        .name
        .as_deref()
        .filter(|name| !name.trim().is_empty());
    let name =
        name.ok_or_else(|| RestError::invalid("UserDefinedTypeUpdate.name must be provided"))?;
    if added.is_empty() && renamed.is_empty() {
        let text = "addFields and/or renameFields is required to update an UDT";
        return Err(RestError::BadRequest(text.to_owned()));
    }
    let alter = format!("ALTER TYPE {}", quote_in(keyspace, name));
    let mut statements = Vec::new();
    if !added.is_empty() {
        let fields = fields(added)?.into_iter();
        statements.extend(fields.map(|field| format!("{alter} ADD {field}")));
    }
    if !renamed.is_empty() {
        let mut known = HashSet::new();
        let mut renames = Vec::new();
        for rename in renamed {
            // In Java a map, which accepts neither null nor a duplicate name.
            let to = rename.to.as_deref().ok_or_else(|| null("value"))?;
            let from = rename.from.as_deref().unwrap_or_default();
            if !known.insert(from) {
                return Err(RestError::exception(format!("Duplicate key {from}")));
            }
            renames.push(format!("{} TO {}", folded(from), folded(to)));
        }
        statements.push(format!("{alter} RENAME {}", renames.join(" AND ")));
    }
    Ok(statements)
}

/// Returns Java's error about an unexpected null.
fn null(what: &str) -> RestError {
    RestError::exception(format!("\"{what}\" is null"))
}

fn fields(fields: &[Field]) -> Result<Vec<String>, RestError> {
    if fields.is_empty() {
        let text = "There should be at least one field defined";
        return Err(RestError::BadRequest(text.to_owned()));
    }
    let mut cql = Vec::with_capacity(fields.len());
    for field in fields {
        let name = field.name.as_deref().unwrap_or_default();
        let typ = field.type_definition.as_deref().unwrap_or_default();
        if name.is_empty() || typ.is_empty() {
            let text = "Field 'name' and 'typeDefinition' must be provided";
            return Err(RestError::BadRequest(text.to_owned()));
        }
        cql.push(format!("{} {}", quote(name), to_cql(typ)?));
    }
    Ok(cql)
}

/// Formats a name of a rename. Stargate does not quote these, so Cassandra converts them to lower case, unless the
/// client has quoted them.
fn folded(name: &str) -> String {
    let quoted = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    match quoted {
        Some(inner) => quote(&inner.replace("\"\"", "\"")),
        None => quote(&name.to_lowercase()),
    }
}

/// Parses the type in a request, and returns its CQL.
///
/// # Errors
/// 500 for unbalanced brackets and for an empty type, 400 for other invalid types.
pub fn to_cql(text: &str) -> Result<String, RestError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(RestError::exception("Invalid empty type name"));
    }
    if let Some((base, _)) = text.split_once('<')
        && !text.ends_with('>')
        && !base.contains('"')
    {
        return Err(RestError::exception(format!(
            "Malformed type name: parameters for type {} are missing a closing '>'",
            base.trim()
        )));
    }
    match TypeName::parse(text) {
        Ok(typ) => Ok(typ.to_cql()),
        Err(error) => Err(StoreError::new(Code::InvalidArgument, error.to_string()).into()),
    }
}

/// Formats a column's type for schema calls: as CQL, but with `udt<name>`, and tuples without `frozen`.
pub fn shown(typ: &ColumnType<'_>) -> String {
    let (frozen, text) = match typ {
        ColumnType::Native(native) => (false, native_name(native).to_owned()),
        ColumnType::Collection { frozen, typ } => {
            let text = match typ {
                CollectionType::List(element) => format!("list<{}>", shown(element)),
                CollectionType::Set(element) => format!("set<{}>", shown(element)),
                CollectionType::Map(key, value) => format!("map<{}, {}>", shown(key), shown(value)),
                // The enum is open, CQL is not.
                _ => "blob".to_owned(),
            };
            (*frozen, text)
        }
        ColumnType::Tuple(types) => {
            let types: Vec<String> = types.iter().map(shown).collect();
            (false, format!("tuple<{}>", types.join(", ")))
        }
        ColumnType::Vector { typ, dimensions } => {
            (false, format!("vector<{}, {dimensions}>", shown(typ)))
        }
        ColumnType::UserDefinedType { frozen, definition } => {
            (*frozen, format!("udt<{}>", definition.name))
        }
        _ => (false, "blob".to_owned()),
    };
    if frozen {
        format!("frozen<{text}>")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::types::UserTypes;

    #[test]
    fn a_type_is_shown_in_stargates_way() {
        let types = UserTypes {
            keyspace: "ks",
            fields: [("addr".to_owned(), Vec::new())].into(),
        };
        for (cql, wanted) in [
            ("varchar", "text"),
            ("map<text,int>", "map<text, int>"),
            ("frozen<tuple<text, int>>", "tuple<text, int>"),
            ("list<frozen<list<int>>>", "list<frozen<list<int>>>"),
            ("addr", "udt<addr>"),
            ("frozen<addr>", "frozen<udt<addr>>"),
            ("map<text, frozen<addr>>", "map<text, frozen<udt<addr>>>"),
            ("vector<float, 3>", "vector<float, 3>"),
        ] {
            let typ = TypeName::parse(cql).unwrap().resolve(&types).unwrap();
            assert_eq!(shown(&typ), wanted);
        }
    }

    #[test]
    fn a_bad_type_is_refused() {
        for (text, wanted) in [
            (" ", "Invalid empty type name"),
            (
                "list<int",
                "Malformed type name: parameters for type list are missing a closing '>'",
            ),
            (
                "udt<addr>",
                "Invalid argument for gRPC operation (Status.Code.INVALID_ARGUMENT->400): INVALID_ARGUMENT: Invalid \
                 type definition 'udt<addr>'",
            ),
        ] {
            assert_eq!(to_cql(text).unwrap_err().to_string(), wanted);
        }
        assert_eq!(to_cql("int) WITH x").unwrap(), "\"int) WITH x\"");
    }

    #[test]
    fn a_change_adds_and_renames() {
        let change: Change = serde_json::from_str(
            r#"{"name":"addr","unknown":1,"addFields":[{"name":"City","typeDefinition":"text"},
                {"name":"z","typeDefinition":"frozen<Other>"}],
                "renameFields":[{"from":"zip","to":"Code"},{"from":"\"A b\"","to":"x TO y; --"}]}"#,
        )
        .unwrap();
        assert_eq!(
            change_cql("ks", &change).unwrap(),
            [
                r#"ALTER TYPE "ks"."addr" ADD "City" text"#,
                r#"ALTER TYPE "ks"."addr" ADD "z" frozen<"Other">"#,
                r#"ALTER TYPE "ks"."addr" RENAME "zip" TO "code" AND "A b" TO "x to y; --""#,
            ]
        );
    }

    #[test]
    fn what_is_missing_is_said_in_stargates_words() {
        let refused = |body: &str| {
            let change: Change = serde_json::from_str(body).unwrap();
            change_cql("ks", &change).unwrap_err().to_string()
        };
        for (body, wanted) in [
            (
                r#"{"name":"a"}"#,
                "addFields and/or renameFields is required to update an UDT",
            ),
            (
                r#"{"name":"a","addFields":[{"name":"b"}]}"#,
                "Field 'name' and 'typeDefinition' must be provided",
            ),
        ] {
            assert_eq!(refused(body), wanted);
        }
        let empty = fields(&[]).unwrap_err().to_string();
        assert_eq!(empty, "There should be at least one field defined");
        assert!(serde_json::from_str::<NewType>(r#"{"name":"a","x":1}"#).is_err());
    }
}
