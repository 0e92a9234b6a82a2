//! One request: its token, what its path names, and its body.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::body::to_bytes;
use axum::extract::{OriginalUri, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response as HttpResponse};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;

use super::caller::Caller;
use super::codes::Code;
use super::collections::{self, Collection};
use super::command::Command;
use super::commands::{Level, require_of_collections, require_of_tables};
use super::error::ApiError;
use super::json::Json;
use super::json::reader::{self, Unread};
use super::response::Response;
use super::tables::{self, Table};
use super::{DataApi, keyspaces};
use access::Interface;

const BODY_LIMIT: usize = 20 * 1024 * 1024;
/// A command takes no longer than a client waits.
const COMMAND_LIMIT: Duration = Duration::from_secs(28);

/// `POST /v1[/{keyspace}[/{collection or table}]]`
pub async fn serve(
    State(api): State<DataApi>,
    OriginalUri(url): OriginalUri,
    request: Request,
) -> HttpResponse {
    let address = Address::read(url.path());
    let (Some(address), &Method::POST) = (address, request.method()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (parts, body) = request.into_parts();
    let token = match token(&parts.headers) {
        Ok(token) => token,
        Err(error) => return error.into_response(),
    };
    if !is_json(&parts.headers) {
        let text = "The Content-Type is not supported.\n\nSend the request with application/json.";
        return ApiError::new(Code::UnsupportedContentType, text).into_response();
    }
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let command = match Command::read(address.level(), body) {
        Ok(command) => command,
        Err(error) => return error.into_response(),
    };
    let served = timeout(COMMAND_LIMIT, run(&api, &token, &address, command)).await;
    let late = || {
        let text =
            "The database did not respond in time. The command may or may not have been executed.";
        Err(ApiError::new(Code::TimeoutReadingData, text))
    };
    match served.unwrap_or_else(|_| late().map(Served::Response)) {
        Ok(Served::Response(response)) => response.into_response(),
        Ok(Served::Not(name)) => not_served(name),
        Err(error) => error.into_response(),
    }
}

enum Served {
    Response(Response),
    /// The name of a command that local Astra does not serve.
    Not(&'static str),
}

async fn run(
    api: &DataApi,
    token: &str,
    address: &Address,
    command: Command,
) -> Result<Served, ApiError> {
    let session = api.logins.session(token).await?;
    session.require(Interface::DataApi)?;
    let caller = Caller { api, session };
    let Some(keyspace) = &address.keyspace else {
        return keyspaces::run(&caller, &command)
            .await
            .map(Served::Response);
    };
    let opened = caller.session.require_in(Interface::DataApi, keyspace);
    if let Err(error) = opened.await {
        caller.visible_keyspace(keyspace).await?;
        return Err(error.into());
    }
    let Some(name) = &address.collection else {
        caller.visible_keyspace(keyspace).await?;
        let response = match command.name {
            "createCollection" | "deleteCollection" | "findCollections" => {
                collections::schema::run(&caller, keyspace, &command).await
            }
            _ => tables::run_at_keyspace(&caller, keyspace, &command).await,
        };
        return response.map(Served::Response);
    };
    let table = caller.table(keyspace, name).await?;
    let served = run_on(&caller, &table, &command).await;
    let errors = match &served {
        Ok(Served::Response(response)) => response.errors.as_slice(),
        Ok(Served::Not(_)) => &[],
        Err(error) => std::slice::from_ref(error),
    };
    // The schema may have changed after it was read.
    let is_doubtful = errors.iter().any(|error| {
        let code = error.code;
        matches!(code, Code::InvalidDatabaseQuery | Code::UnauthorizedAccess)
    });
    if is_doubtful {
        caller.api.logins.refresh().await?;
    }
    // Cassandra has not checked the token for these. A keyspace that a token cannot see does not exist for it.
    let is_unchecked = matches!(served, Ok(Served::Not(_))) || command.name == "listIndexes";
    if is_unchecked || !errors.is_empty() {
        caller.visible_keyspace(keyspace).await?;
    }
    if is_doubtful {
        caller.table(keyspace, name).await?;
    }
    served
}

/// Runs a command on a collection or table.
async fn run_on(
    caller: &Caller<'_>,
    table: &Arc<store::Table>,
    command: &Command,
) -> Result<Served, ApiError> {
    let session = || Arc::clone(&caller.session);
    let (keyspace, name) = (&table.keyspace, &table.name);
    let response = match Collection::of(session(), table)? {
        Some(collection) => {
            require_of_collections(command.name, keyspace, name)?;
            collections::run(caller, &collection, command).await
        }
        None => {
            require_of_tables(command.name, keyspace, name)?;
            if command.name == "createTextIndex" {
                return Ok(Served::Not(command.name));
            }
            let table = Table::new(session(), Arc::clone(table));
            tables::run(caller, &table, command).await
        }
    };
    response.map(Served::Response)
}

fn not_served(command: &str) -> HttpResponse {
    let text = format!(
        "Local Astra does not serve {command}: Cassandra has no indexes of analyzed text. Use createIndex, or Astra."
    );
    let body = Json::object([
        ("description", Json::Text(text)),
        ("code", Json::integer(501)),
    ]);
    let headers = [(CONTENT_TYPE, "application/json")];
    (StatusCode::NOT_IMPLEMENTED, headers, body.to_string()).into_response()
}

/// The names in the path.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    keyspace: Option<String>,
    collection: Option<String>,
}

impl Address {
    /// Reads what follows `/v1`; one slash at the end is forgiven. `None` for another path.
    fn read(path: &str) -> Option<Address> {
        let (_, names) = path.split_once("/v1")?;
        let names = names.strip_suffix('/').unwrap_or(names);
        let mut names = names.split('/').skip(1).map(|name| {
            let decoded = percent_decode_str(name).decode_utf8().ok()?;
            (!decoded.is_empty()).then(|| decoded.into_owned())
        });
        let (keyspace, collection) = (names.next(), names.next());
        if names.next().is_some() || keyspace == Some(None) || collection == Some(None) {
            return None;
        }
        Some(Address {
            keyspace: keyspace.flatten(),
            collection: collection.flatten(),
        })
    }

    fn level(&self) -> Level {
        match (&self.keyspace, &self.collection) {
            (None, _) => Level::Database,
            (Some(_), None) => Level::Keyspace,
            (Some(_), Some(_)) => Level::Collection,
        }
    }
}

/// The token: in `Token`, else under its old name.
fn token(headers: &HeaderMap) -> Result<String, ApiError> {
    let given = headers
        .get("token")
        .or_else(|| headers.get("x-cassandra-token"));
    let Some(given) = given else {
        let text = "The request has no token.\n\nSend it in the header Token.";
        return Err(ApiError::new(Code::MissingAuthenticationToken, text));
    };
    if given.is_empty() {
        let text = "The token is empty.";
        return Err(ApiError::new(Code::InternalServerError, text));
    }
    // What is no text is no token either: the login says so.
    Ok(given.to_str().unwrap_or_default().to_owned())
}

/// No content type is taken for JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let given = headers
        .get(CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or_default());
    given.is_none_or(|given| {
        let essence = given.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

async fn read_body(body: Body) -> Result<Option<Json>, HttpResponse> {
    let Ok(bytes) = to_bytes(body, BODY_LIMIT).await else {
        return Err(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| Unread::Syntax("the body is not UTF-8".to_owned()));
    text.and_then(reader::read).map_err(|unread| {
        let error = match unread {
            Unread::Syntax(reason) => {
                let text = format!("Request not valid JSON: {reason}.");
                ApiError::new(Code::RequestNotJson, text)
            }
            Unread::Limit(reason) => ApiError::new(
                Code::ShredDocLimitViolation,
                format!("Document size limitation violated: {reason}."),
            ),
        };
        error.into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_keyspaces_and_collections() {
        let read =
            |path: &str| Address::read(path).map(|address| (address.keyspace, address.collection));
        let names =
            |k: Option<&str>, c: Option<&str>| Some((k.map(str::to_owned), c.map(str::to_owned)));
        assert_eq!(read("/api/json/v1"), names(None, None));
        assert_eq!(read("/api/json/v1/"), names(None, None));
        assert_eq!(read("/api/json/v1/ks"), names(Some("ks"), None));
        assert_eq!(read("/api/json/v1/ks/c/"), names(Some("ks"), Some("c")));
        assert_eq!(
            read("/api/json/v1/k%2Fs/a%22b"),
            names(Some("k/s"), Some("a\"b"))
        );
        for path in [
            "/api/json/v1/ks/c/d",
            "/api/json/v1//",
            "/api/json/v1//c",
            "/api/json/v1/ks/%FF",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
