//! Who asks: the bearer token, and what its roles allow; and what comes with the request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::DevOps;
use super::error::DevOpsError;
use crate::access::{Target, Token};
use crate::settings::environment::{self, Door};
use crate::store::{Code, TokenSession};

/// The login of the request's token.
pub struct Caller {
    session: Arc<TokenSession>,
    /// The door that the caller came in by, as the settings name it: what the request calls this host does not count.
    pub base: String,
}

impl FromRequestParts<DevOps> for Caller {
    type Rejection = DevOpsError;

    async fn from_request_parts(parts: &mut Parts, devops: &DevOps) -> Result<Self, DevOpsError> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .ok_or(DevOpsError::NoToken)?;
        let header = header.to_str().map_err(|_| DevOpsError::BadToken)?;
        let (scheme, token) = header.split_once(' ').ok_or(DevOpsError::NoToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(DevOpsError::NoToken);
        }
        let token = token.trim();
        let parsed = Token::parse(token).ok_or(DevOpsError::BadToken)?;
        let session =
            devops
                .inner
                .store
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
    /// The client id of the token: who made a thing.
    pub fn client_id(&self) -> &str {
        self.session.role()
    }

    /// May the caller do this?
    pub fn may(&self, action: &str, target: Target<'_>) -> bool {
        self.session.rights().allow(action, target)
    }

    /// May the caller do this to any database at all?
    pub fn may_somewhere(&self, action: &str) -> bool {
        self.session.rights().allow_somewhere(action)
    }

    /// Refuses a caller who may not do this.
    ///
    /// # Errors
    /// [`DevOpsError::Forbidden`]
    pub fn require(&self, action: &str, target: Target<'_>) -> Result<(), DevOpsError> {
        match self.may(action, target) {
            true => Ok(()),
            false => Err(DevOpsError::Forbidden),
        }
    }
}

/// The gateway tells each request its door.
fn door(parts: &Parts) -> Door {
    parts.extensions.get().copied().unwrap_or(Door::Plain)
}

/// A JSON body.
///
/// # Errors
/// [`DevOpsError::BadRequest`] with what is wrong.
pub fn json<T: DeserializeOwned>(body: &Bytes) -> Result<T, DevOpsError> {
    serde_json::from_slice(body).map_err(|error| DevOpsError::BadRequest(problem(&error)))
}

/// Says what is wrong with a JSON body, without the words of the parser or a value.
pub fn problem(error: &serde_json::Error) -> String {
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

/// The query parameters; of several with one name the first counts.
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
    /// The value of a parameter; an empty one is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    /// Is the parameter `true`?
    pub fn flag(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}
