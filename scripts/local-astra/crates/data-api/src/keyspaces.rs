//! Commands at the top: keyspaces, under their new and their old name.

use super::caller::Caller;
use super::codes::Code;
use super::command::{Command, invalid_value, mismatch, unknown_field};
use super::commands::Kind;
use super::error::ApiError;
use super::json::Json;
use super::response::Response;
use store::types::{literal, quote};

/// Runs a command at the top.
pub async fn run(caller: &Caller<'_>, command: &Command) -> Result<Response, ApiError> {
    let response = match command.name {
        "findKeyspaces" => find(caller, "keyspaces").await,
        "findNamespaces" => find(caller, "namespaces").await,
        "createKeyspace" | "createNamespace" => create(caller, command).await,
        "dropKeyspace" | "dropNamespace" => drop_keyspace(caller, command).await,
        "findEmbeddingProviders" => Err(vectorize_is_off()),
        _ => Err(reranking_is_off()),
    }?;
    let new_name = match command.name {
        "findNamespaces" => "findKeyspaces",
        "createNamespace" => "createKeyspace",
        "dropNamespace" => "dropKeyspace",
        _ => return Ok(response),
    };
    let old_name = command.name;
    let text = format!("The command {old_name} is deprecated.\n\nUse {new_name} in its place.");
    Ok(response.with_warning(ApiError::new(Code::DeprecatedCommand, text)))
}

/// The error of a command or option that needs embedding providers.
pub fn vectorize_is_off() -> ApiError {
    let text = "Local Astra has no embedding providers: $vectorize is available on Astra only.";
    ApiError::new(Code::VectorizeFeatureNotAvailable, text)
}

/// The error of a command or option that needs reranking providers.
pub fn reranking_is_off() -> ApiError {
    let text = "Local Astra has no reranking providers: reranking is available on Astra only.";
    ApiError::new(Code::RerankingFeatureNotEnabled, text)
}

async fn find(caller: &Caller<'_>, member: &str) -> Result<Response, ApiError> {
    let keyspaces = caller.session.visible_keyspaces().await?;
    let names = Json::texts(keyspaces.iter().map(|keyspace| keyspace.name.as_str()));
    Ok(Response::default().with_status(member, names))
}

async fn create(caller: &Caller<'_>, command: &Command) -> Result<Response, ApiError> {
    let name = valid_name("Keyspace", command.text("name"))?;
    let replication = replication(command)?;
    let create = format!(
        "CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {replication}",
        quote(name)
    );
    caller
        .session
        .change_schema(&create)
        .await
        .map_err(|error| {
            let error = ApiError::from(error);
            if error.code == Code::UnauthorizedAccess {
                return error;
            }
            ApiError::new(Code::UnexpectedDriverError, error.message)
        })?;
    Ok(Response::ok())
}

/// Reads `options.replication`.
fn replication(command: &Command) -> Result<String, ApiError> {
    let options = command.own_options();
    if let Some(unknown) = options.keys().find(|name| *name != "replication") {
        return Err(unknown_field(unknown, ["replication"].into_iter()));
    }
    let one = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    let replication = match options.get("replication") {
        None | Some(Json::Null) => return Ok(one.to_owned()),
        Some(Json::Object(replication)) => replication,
        Some(other) => {
            let found = other.type_name();
            return Err(mismatch(format!(
                "'replication' must be an object, not {found}"
            )));
        }
    };
    let class = match replication.get("class") {
        Some(Json::Text(class)) => class.as_str(),
        None | Some(Json::Null) => {
            let field = "command.options.replication.class";
            return Err(invalid_value(field, "`null`", "must not be null"));
        }
        Some(other) => return Err(mismatch(format!("'class' must be a text, not {other}"))),
    };
    if !["SimpleStrategy", "NetworkTopologyStrategy"].contains(&class) {
        let field = "command.options.replication.class";
        let reason = "must be SimpleStrategy or NetworkTopologyStrategy";
        return Err(invalid_value(field, literal(class), reason));
    }
    let mut options = vec![("class".to_owned(), literal(class))];
    for (name, value) in replication.iter().filter(|(name, _)| *name != "class") {
        let count = value.as_number().and_then(super::json::Decimal::to_i64);
        let kind = Kind::Integer;
        let count = count.ok_or_else(|| mismatch(format!("'{name}' must be of type {kind:?}")))?;
        options.push((name.clone(), format!("'{count}'")));
    }
    if class == "SimpleStrategy" && !replication.contains_key("replication_factor") {
        options.push(("replication_factor".to_owned(), "1".to_owned()));
    }
    let options: Vec<String> = options
        .iter()
        .map(|(name, value)| format!("{}: {value}", literal(name)))
        .collect();
    Ok(format!("{{{}}}", options.join(", ")))
}

async fn drop_keyspace(caller: &Caller<'_>, command: &Command) -> Result<Response, ApiError> {
    let name = given_name(command)?;
    let drop = format!("DROP KEYSPACE IF EXISTS {}", quote(name));
    caller.session.change_schema(&drop).await?;
    Ok(Response::ok())
}

/// The `name` of a command that drops something.
///
/// # Errors
/// [`Code::CommandFieldValueInvalid`] if it is missing or empty.
pub fn given_name(command: &Command) -> Result<&str, ApiError> {
    let name = command.text("name").filter(|name| !name.is_empty());
    name.ok_or_else(|| invalid_value("command.name", "`null`", "must not be empty"))
}

/// A name that a keyspace, collection, table or type can be created with.
pub fn valid_name<'a>(what: &str, name: Option<&'a str>) -> Result<&'a str, ApiError> {
    valid_name_of(what, name, 48)
}

/// A name of at most so many letters, digits and underscores.
///
/// # Errors
/// [`Code::UnsupportedSchemaName`] for one that is missing, too long, or has other characters.
pub fn valid_name_of<'a>(
    what: &str,
    name: Option<&'a str>,
    longest: usize,
) -> Result<&'a str, ApiError> {
    let is_valid = |name: &&str| {
        let mut bytes = name.bytes();
        (1..=longest).contains(&name.len()) && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    name.filter(is_valid).ok_or_else(|| {
        let name = name.map_or_else(|| "(null)".to_owned(), str::to_owned);
        let text = format!(
            "{what} name '{name}' is not supported.\n\nUse 1 to {longest} letters, digits and underscores."
        );
        ApiError::new(Code::UnsupportedSchemaName, text)
    })
}
