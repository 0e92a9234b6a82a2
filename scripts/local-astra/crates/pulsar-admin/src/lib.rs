//! Pulsar's admin API at the web service URL, as Astra opens it to tenants: a token can access its own tenant, and
//! Pulsar itself checks the rest. See <https://docs.datastax.com/en/astra-streaming/apis/api-operations.html>.
//!
//! - [`call`]: requests, and those that no tenant is allowed
//! - [`stats`]: Astra's own statistics, computed from Pulsar's
//! - [`error`]: errors other than Pulsar's own

mod call;
mod error;
mod stats;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use secrecy::SecretString;
use tokio::sync::{Mutex, watch};

use access::Logins;
use access::may_administer;
use call::Call;
use engines::pulsar::{Admin, NAMESPACES};
use error::PulsarAdminError;
use settings::streaming::{Claims, StreamingKeys};
use settings::token::Token;

/// Maximum size of a request body. Schemas are the largest.
const BODY_LIMIT: usize = 1024 * 1024;
/// Maximum size of a response body. A peeked message has up to 5 MB, statistics of many topics have more.
const ANSWER_LIMIT: usize = 32 * 1024 * 1024;

/// State of the admin API.
#[derive(Clone)]
pub struct Streaming {
    /// Pulsar's admin client, while Pulsar is running.
    pub pulsar: watch::Receiver<Option<Admin>>,
    pub keys: Arc<StreamingKeys>,
    /// The logins, while Cassandra is running. They check Astra's own tokens.
    pub logins: Option<Logins>,
    /// Serializes the creation of namespaces, because they are counted.
    pub making: Arc<Mutex<()>>,
}

/// Returns the routes of `/admin/v2`, `/admin/v3` and `/lookup/v2`.
pub fn router(streaming: Streaming) -> Router {
    Router::new()
        .route("/lookup/{*path}", axum::routing::any(serve))
        .route("/admin/{*path}", axum::routing::any(serve))
        .with_state(streaming)
}

async fn serve(State(streaming): State<Streaming>, request: Request) -> Response {
    match handle(&streaming, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// The sender of a request.
enum Caller {
    /// A client with a tenant's token, which is forwarded to Pulsar.
    Tenant { tenant: String, token: SecretString },
    /// A client with an Astra token, for whom local Astra sends requests to Pulsar.
    Astra(Token),
}

async fn handle(streaming: &Streaming, request: Request) -> Result<Response, PulsarAdminError> {
    let (head, body) = request.into_parts();
    let caller = caller(streaming, &head.headers)?;
    let call = Call::of(&head.method, head.uri.path())?;
    let pulsar = streaming
        .pulsar
        .borrow()
        .clone()
        .ok_or(PulsarAdminError::NotRunning)?;
    let tenant = match (&call, &caller) {
        (Call::Tenants, Caller::Tenant { tenant, .. }) => tenant.clone(),
        (Call::Tenants, Caller::Astra(_)) => return Err(PulsarAdminError::Unauthorized),
        (
            Call::Tenant { tenant }
            | Call::NewNamespace { tenant, .. }
            | Call::Stats { tenant, .. }
            | Call::Within { tenant, .. },
            _,
        ) => tenant.clone(),
    };
    let as_whom = allowed(streaming, &caller, &tenant).await?;
    let mut _making = None;
    let path = match call {
        // Pulsar only allows the superuser to read a tenant. The response only contains the caller's own.
        Call::Tenants | Call::Tenant { .. } => {
            let known = pulsar
                .tenant(&tenant)
                .await?
                .ok_or(PulsarAdminError::Unauthorized)?;
            if let Some(token) = as_whom {
                let role = streaming
                    .keys
                    .verify(secrecy::ExposeSecret::expose_secret(&token));
                if !role.is_some_and(|claims| known.admin_roles.contains(&claims.sub)) {
                    return Err(PulsarAdminError::Unauthorized);
                }
            }
            return Ok(match call {
                Call::Tenants => axum::Json([tenant]).into_response(),
                _ => axum::Json(known).into_response(),
            });
        }
        Call::Stats {
            of, ref namespace, ..
        } => {
            let stats = stats::read(&pulsar, of, &tenant, namespace.as_deref(), as_whom);
            return Ok(axum::Json(stats.await?).into_response());
        }
        Call::NewNamespace { path, .. } => {
            _making = Some(streaming.making.lock().await);
            match pulsar.namespaces(&tenant).await {
                Ok(known) if known.len() >= NAMESPACES => return Err(PulsarAdminError::Quota),
                Ok(_) => (),
                Err(error) if error.status() == Some(404) => {
                    return Err(PulsarAdminError::Unauthorized);
                }
                Err(error) => return Err(error.into()),
            }
            path
        }
        Call::Within { path, .. } => path,
    };
    let target = match head.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let body = read(body).await?;
    let headers = kept(&head.headers, &[header::CONTENT_TYPE, header::ACCEPT]);
    let mut passed = pulsar
        .pass(head.method, &target, headers, body, as_whom)
        .await?;
    let mut content = BytesMut::new();
    while let Some(chunk) = passed.chunk().await.map_err(Admin::away)? {
        if content.len() + chunk.len() > ANSWER_LIMIT {
            return Err(PulsarAdminError::AnswerTooLarge(ANSWER_LIMIT));
        }
        content.extend_from_slice(&chunk);
    }
    let status = passed.status();
    let mut response = (status, content.freeze()).into_response();
    // A body without a type keeps none.
    response.headers_mut().remove(header::CONTENT_TYPE);
    if status != StatusCode::NO_CONTENT {
        let content_type = kept(passed.headers(), &[header::CONTENT_TYPE]);
        response.headers_mut().extend(content_type);
    }
    // These headers contain the properties of a peeked message.
    let properties = passed.headers().iter();
    let properties = properties.filter(|(name, _)| name.as_str().starts_with("x-pulsar-"));
    for (name, value) in properties {
        response.headers_mut().append(name, value.clone());
    }
    Ok(response)
}

/// Reads the token, which some clients send without the scheme before it.
fn caller(streaming: &Streaming, headers: &HeaderMap) -> Result<Caller, PulsarAdminError> {
    let value = headers
        .get(header::AUTHORIZATION)
        .ok_or(PulsarAdminError::NoSubject)?;
    let value = value
        .to_str()
        .map_err(|_| PulsarAdminError::NoSubject)?
        .trim();
    let text = match value.split_once(' ') {
        Some((word, rest)) if word.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => value,
    };
    if let Some(token) = Token::parse(text) {
        return Ok(Caller::Astra(token));
    }
    let claims = streaming
        .keys
        .verify(text)
        .ok_or(PulsarAdminError::NoSubject)?;
    let tenant = Claims::tenant(&claims).ok_or(PulsarAdminError::Unauthorized)?;
    Ok(Caller::Tenant {
        tenant,
        token: SecretString::from(text),
    })
}

/// Returns the token for Pulsar: the caller's, or `None` for local Astra's own if the caller has an Astra token.
async fn allowed(
    streaming: &Streaming,
    caller: &Caller,
    tenant: &str,
) -> Result<Option<SecretString>, PulsarAdminError> {
    match caller {
        Caller::Tenant { tenant: own, token } if own == tenant => Ok(Some(token.clone())),
        Caller::Astra(token)
            if may_administer(streaming.logins.as_ref(), token, tenant).await? =>
        {
            Ok(None)
        }
        _ => Err(PulsarAdminError::Unauthorized),
    }
}

async fn read(body: Body) -> Result<Bytes, PulsarAdminError> {
    to_bytes(body, BODY_LIMIT)
        .await
        .map_err(|_| PulsarAdminError::TooLarge(BODY_LIMIT))
}

fn kept(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    names
        .iter()
        .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
        .collect()
}
