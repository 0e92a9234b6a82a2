//! The GraphQL addresses over HTTP: parsing and routing of requests.
//!
//! Statuses and texts follow recordings of Stargate 2.0.51.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Map, Value};

use super::cql_first::schemas::Schemas;
use super::error::{GraphqlError, json_response};
use super::first::deployed::Registry;
use super::first::{admin, data};
use super::{cql_first, ddl, engine};
use access::{Interface, Logins};
use bridge::{BridgeError, Parameters};

/// Returns the routes of the GraphQL addresses.
pub fn router(logins: Logins) -> Router {
    let addresses = Addresses {
        deployed: Arc::new(Registry::new(logins)),
        generated: Arc::default(),
    };
    Router::new()
        .route("/api/graphql-admin", any(on_admin))
        .route("/api/graphql-schema", any(on_schema))
        .route("/api/graphql", any(no_keyspace))
        .route("/api/graphql/{keyspace}", any(on_keyspace))
        .route("/api/graphql/{keyspace}/{*rest}", any(unknown_with_token))
        .route(
            "/api/graphql-admin/{*rest}",
            any(async || BridgeError::UnknownPath),
        )
        .route(
            "/api/graphql-schema/{*rest}",
            any(async || BridgeError::UnknownPath),
        )
        .layer(middleware::from_fn(methods))
        .with_state(addresses)
}

/// Responds to OPTIONS, and to methods that none of the addresses supports, if there is a token.
async fn methods(request: Request, next: Next) -> Response {
    const METHODS: HeaderValue = HeaderValue::from_static("HEAD, POST, GET, OPTIONS");
    let is_known = matches!(*request.method(), Method::GET | Method::HEAD | Method::POST);
    let mut response = if is_known {
        next.run(request).await
    } else if let Err(error) = token(request.headers()) {
        error.into_response()
    } else if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        BridgeError::WrongMethod.into_response()
    };
    if !is_known
        && matches!(
            response.status(),
            StatusCode::OK | StatusCode::METHOD_NOT_ALLOWED
        )
    {
        response.headers_mut().insert(ALLOW, METHODS);
    }
    response
}

/// Responds to a request without a keyspace. Stargate has no default keyspace.
async fn no_keyspace(headers: HeaderMap) -> Result<Response, GraphqlError> {
    token(&headers)?;
    Err(GraphqlError::NoDefaultKeyspace)
}

async fn unknown_with_token(headers: HeaderMap) -> Result<Response, BridgeError> {
    token(&headers)?;
    Err(BridgeError::UnknownPath)
}

/// State of the addresses between requests.
#[derive(Clone)]
struct Addresses {
    /// GraphQL-first: the schemas that users have deployed.
    deployed: Arc<Registry>,
    /// CQL-first: the schemas of all other keyspaces.
    generated: Arc<Schemas>,
}

async fn on_admin(
    State(addresses): State<Addresses>,
    request: Request,
) -> Result<Response, GraphqlError> {
    let registry = addresses.deployed;
    let token = token(request.headers())?;
    let request = read(request).await?.into_request()?;
    let schema = admin::schema().map_err(GraphqlError::Internal)?;
    // A bad token is told by the fields, in a 200.
    let session = registry.logins.session(&token).await;
    let response = engine::apart(move || async move {
        let prepared = engine::prepare(schema, &request)?;
        let is_mutation = prepared.operation().is_mutation();
        let root = admin::Root::new(registry, session, is_mutation);
        Ok(prepared.execute(&root, root.extras()).await)
    });
    Ok(json_response(StatusCode::OK, &response.await?))
}

async fn on_schema(
    State(addresses): State<Addresses>,
    request: Request,
) -> Result<Response, GraphqlError> {
    let token = token(request.headers())?;
    let request = read(request).await?.into_request()?;
    let schema = ddl::schema().map_err(GraphqlError::Internal)?;
    // A bad token is told by the fields, in a 200.
    let session = addresses.deployed.logins.session(&token).await;
    let response = engine::apart(move || async move {
        let prepared = engine::prepare(schema, &request)?;
        let root = ddl::Root::new(session, prepared.operation().is_mutation());
        Ok(prepared.execute(&root, &engine::Extras::default()).await)
    });
    Ok(json_response(StatusCode::OK, &response.await?))
}

async fn on_keyspace(
    State(addresses): State<Addresses>,
    Path(keyspace): Path<String>,
    request: Request,
) -> Result<Response, GraphqlError> {
    let registry = addresses.deployed;
    let token = token(request.headers())?;
    let request = read(request).await?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if !keyspace.bytes().all(is_name) {
        let message = "Invalid keyspace name".to_owned();
        return Err(GraphqlError::BadRequest(message));
    }
    let session = registry.logins.session(&token).await;
    let session = session.map_err(BridgeError::from)?;
    let opened = session.require_in(Interface::Graphql, &keyspace).await;
    opened.map_err(BridgeError::from)?;
    let schema = registry.logins.current().await;
    let schema = schema.map_err(GraphqlError::Keyspace)?;
    let found = schema.keyspaces.get(&keyspace);
    let found = Arc::clone(found.ok_or(GraphqlError::NoKeyspace)?);
    let is_visible = session.can_see(&keyspace).await;
    if !is_visible.map_err(GraphqlError::Keyspace)? {
        return Err(GraphqlError::Hidden);
    }
    let deployed = registry.find(&found).await?;
    let request = request.into_request()?;
    let response = engine::apart(move || async move {
        if let Some(deployed) = deployed {
            let prepared = engine::prepare(&deployed.schema, &request)?;
            return data::execute(&deployed, &session, &prepared).await;
        }
        let generated = addresses.generated.get(&found, &schema, &request.query);
        let generated = generated.map_err(engine::Rejection::Failed)?;
        let prepared = engine::prepare(&generated.schema, &request)?;
        cql_first::data::execute(&generated, &session, &prepared).await
    });
    Ok(json_response(StatusCode::OK, &response.await?))
}

fn token(headers: &HeaderMap) -> Result<String, BridgeError> {
    // What is no text is no token either; the login says so.
    let token = bridge::token(headers)?.to_str().unwrap_or_default();
    Ok(token.to_owned())
}

/// Parses everything that Stargate's server parses before it checks the token and the keyspace.
async fn read(request: Request) -> Result<Sent, GraphqlError> {
    let parameters = Parameters::read(request.uri()).unwrap_or_default();
    match *request.method() {
        Method::GET | Method::HEAD => Ok(Sent::Get(parameters)),
        Method::POST => {
            let content_type = request.headers().get(CONTENT_TYPE);
            let content_type = content_type.and_then(|t| t.to_str().ok());
            let essence = content_type.unwrap_or("application/json").split(';').next();
            let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
            if !matches!(
                essence.as_str(),
                "application/json" | "application/graphql" | "multipart/form-data"
            ) {
                return Err(BridgeError::WrongContentType.into());
            }
            if essence == "multipart/form-data" {
                let message = "Local Astra does not serve multipart requests";
                return Err(GraphqlError::NotServed(message));
            }
            let body = to_bytes(request.into_body(), bridge::BODY_LIMIT)
                .await
                .map_err(|_| BridgeError::BodyTooLarge)?;
            match essence.as_str() {
                "application/graphql" => {
                    Ok(Sent::Text(String::from_utf8_lossy(&body).into_owned()))
                }
                _ => Ok(Sent::Json(Members::read(&body)?, parameters)),
            }
        }
        _ => Err(BridgeError::WrongMethod.into()),
    }
}

/// A request before its query is extracted.
enum Sent {
    Get(Parameters),
    Text(String),
    Json(Members, Parameters),
}

impl Sent {
    fn into_request(self) -> Result<engine::Request, GraphqlError> {
        match self {
            Sent::Get(parameters) => request_of(&parameters),
            // Blanks are a query, too, with a syntax error.
            Sent::Text(query) if query.is_empty() => {
                Err(bad("You must provide a GraphQL query in the request body"))
            }
            Sent::Text(query) => Ok(engine::Request {
                query,
                ..engine::Request::default()
            }),
            Sent::Json(members, parameters) => members.into_request(&parameters),
        }
    }
}

/// Returns the request in the parameters of a URL.
fn request_of(parameters: &Parameters) -> Result<engine::Request, GraphqlError> {
    let query = parameters.text("query");
    let query = query.ok_or_else(|| bad("You must provide a GraphQL query as a URL parameter"))?;
    let variables = match parameters.text("variables") {
        Some(text) => serde_json::from_str(text)
            .map_err(|error| bad(&format!("Could not parse variables: {error}")))?,
        None => Map::new(),
    };
    Ok(engine::Request {
        query: query.to_owned(),
        operation_name: parameters.text("operationName").map(str::to_owned),
        variables,
    })
}

/// The members of a JSON body. Empty texts count as missing.
struct Members {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Map<String, Value>,
}

impl Members {
    fn read(body: &[u8]) -> Result<Members, BridgeError> {
        let mut members = match body {
            [] => Map::new(),
            body => match read_json(body) {
                Some(Value::Object(members)) => members,
                _ => return Err(BridgeError::BadRequest),
            },
        };
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let query = text("query");
        let operation_name = text("operationName");
        let variables = match members.remove("variables") {
            Some(Value::Object(variables)) => variables,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(BridgeError::BadRequest),
        };
        Ok(Members {
            query,
            operation_name,
            variables,
        })
    }

    fn into_request(self, parameters: &Parameters) -> Result<engine::Request, GraphqlError> {
        let query = parameters.text("query").map(str::to_owned);
        let query = match (query, self.query) {
            (Some(_), Some(_)) => {
                return Err(bad(
                    "You can't provide a GraphQL query both as a query parameter and in the request body",
                ));
            }
            (query, None) | (None, query) => query,
        };
        let query = query.ok_or_else(|| {
            bad("You must provide a GraphQL query, either as a query parameter or in the request body")
        })?;
        Ok(engine::Request {
            query,
            operation_name: self.operation_name,
            variables: self.variables,
        })
    }
}

fn read_json(body: &[u8]) -> Option<Value> {
    let text = bridge::without_lone_surrogates(std::str::from_utf8(body).ok()?);
    serde_json::from_str(&text).ok()
}

fn bad(message: &str) -> GraphqlError {
    GraphqlError::BadRequest(message.to_owned())
}
