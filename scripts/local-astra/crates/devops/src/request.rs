//! The caller of a request, by its bearer token and its roles, and the contents of the request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::DevOps;
use super::error::DevOpsError;
use access::{Target, TokenSession};
use settings::environment;
use settings::environment::Door;
use settings::token::Token;
use store::Code;

/// The login of the request's token.
pub struct Caller {
    session: Arc<TokenSession>,
    /// The caller's URL of this gateway, from the settings. The host name in the request is ignored.
    pub base: String,
}

impl FromRequestParts<DevOps> for Caller {
    type Rejection = DevOpsError;

    async fn from_request_parts(parts: &mut Parts, devops: &DevOps) -> Result<Self, DevOpsError> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .ok_or(DevOpsError::NoToken)?
            .to_str()
            .map_err(|_| DevOpsError::BadToken)?;
        let (scheme, token) = header.split_once(' ').ok_or(DevOpsError::NoToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(DevOpsError::NoToken);
        }
        let token = token.trim();
        let parsed = Token::parse(token).ok_or(DevOpsError::BadToken)?;
        let session =
            devops
                .inner
                .logins
                .session(token)
                .await
                .map_err(|error| match error.code {
                    Code::Unauthenticated => {
                        DevOpsError::UnknownToken(parsed.client_id().to_owned())
                    }
                    _ => error.into(),
                })?;
        Ok(Caller {
            session,
            base: environment::base(&devops.inner.ports, door(parts)),
        })
    }
}

impl Caller {
    /// Returns the client id of the token, recorded as the creator.
    pub fn client_id(&self) -> &str {
        self.session.role()
    }

    /// Returns true if the caller can perform the action.
    pub fn may(&self, action: &str, target: Target<'_>) -> bool {
        self.session.rights().allow(action, target)
    }

    /// Returns true if the caller can perform the action on any database.
    pub fn may_somewhere(&self, action: &str) -> bool {
        self.session.rights().allow_somewhere(action)
    }

    /// Rejects a caller who cannot perform the action.
    ///
    /// # Errors
    /// [`DevOpsError::Forbidden`]
    pub fn require(&self, action: &str, target: Target<'_>) -> Result<(), DevOpsError> {
        if self.may(action, target) {
            Ok(())
        } else {
            Err(DevOpsError::Forbidden)
        }
    }
}

/// Returns the door, which the gateway adds to each request.
fn door(parts: &Parts) -> Door {
    parts.extensions.get().copied().unwrap_or(Door::Plain)
}

/// Parses a JSON body.
///
/// # Errors
/// `bad` with the problem.
pub fn json<T: DeserializeOwned, E>(body: &Bytes, bad: impl FnOnce(String) -> E) -> Result<T, E> {
    serde_json::from_slice(body).map_err(|error| bad(problem(&error)))
}

/// Describes a problem of a JSON body, without the parser's words or any value.
fn problem(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let place = format!("line {line}, column {column}");
    let text = error.to_string();
    let field = |start: &str| text.strip_prefix(start)?.split('`').next();
    match error.classify() {
        _ if let Some(name) = field("missing field `") => format!("{name} is missing"),
        Category::Data => format!("the body has a value of another type than expected ({place})"),
        _ => format!("the body is no JSON ({place})"),
    }
}

/// The query parameters. The first of several with the same name counts.
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = DevOpsError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, DevOpsError> {
        let query = Query::try_from_uri(&parts.uri);
        let Query(pairs) = query.map_err(|error| DevOpsError::BadRequest(error.to_string()))?;
        Ok(Parameters(pairs))
    }
}

impl Parameters {
    /// Returns the value of a parameter; `None` if it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    /// Returns true if the parameter is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}
