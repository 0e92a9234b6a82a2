//! Errors of the DevOps API in Astra's formats.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use store::{Code, StoreError};

/// An error response.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DevOpsError {
    #[error("no bearer token in request")]
    NoToken,
    #[error("invalid token format")]
    BadToken,
    /// Contains the client id, never the rest of the token.
    #[error("Resource not found: token with identifier: {0}")]
    UnknownToken(String),
    /// No role of the token allows the request. For databases and regions the body is `null`.
    #[error("null")]
    Forbidden,
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    NotFound(String),
    /// The state of the database does not allow the request now. Clients retry.
    #[error("{0}")]
    WrongState(String),
    #[error("{0}")]
    Unprocessable(String),
    #[error("this path has no such method")]
    WrongMethod,
    #[error("{0}")]
    NotServed(String),
    /// A JSON string, the error format of users, roles and tokens.
    #[error("{1}")]
    Text(StatusCode, String),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Failed(String),
}

impl DevOpsError {
    fn status(&self) -> StatusCode {
        match self {
            // Also for a missing permission: this API has no 403 for it.
            DevOpsError::NoToken
            | DevOpsError::BadToken
            | DevOpsError::UnknownToken(_)
            | DevOpsError::Forbidden => StatusCode::UNAUTHORIZED,
            DevOpsError::BadRequest(_) => StatusCode::BAD_REQUEST,
            DevOpsError::NotFound(_) => StatusCode::NOT_FOUND,
            DevOpsError::WrongState(_) => StatusCode::CONFLICT,
            DevOpsError::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            DevOpsError::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            DevOpsError::NotServed(_) => StatusCode::NOT_IMPLEMENTED,
            DevOpsError::Text(status, _) => *status,
            DevOpsError::Store(error) => match error.code {
                Code::Unavailable | Code::DeadlineExceeded => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            DevOpsError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns Astra's error number if known; otherwise the status, which is not a number of Astra's.
    fn id(&self) -> u32 {
        match self {
            DevOpsError::NoToken => 340_002,
            DevOpsError::BadToken => 340_012,
            DevOpsError::UnknownToken(_) => 340_018,
            other => other.status().as_u16().into(),
        }
    }
}

impl IntoResponse for DevOpsError {
    fn into_response(self) -> Response {
        let body = match &self {
            DevOpsError::Forbidden => Value::Null,
            DevOpsError::Text(_, text) => Value::String(text.clone()),
            other => json!({"errors": [{"ID": self.id(), "message": other.to_string()}]}),
        };
        json_answer(self.status(), body)
    }
}

/// Returns JSON with the content type of this API.
pub fn json_answer(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    let json = axum::http::HeaderValue::from_static("application/json; charset=UTF-8");
    response
        .headers_mut()
        .insert(axum::http::header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parts(error: DevOpsError) -> (u16, Value) {
        let response = error.into_response();
        assert_eq!(
            response.headers()["content-type"],
            "application/json; charset=UTF-8"
        );
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 16)
            .await
            .unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn each_refusal_has_its_shape() {
        let errors = |id: u32, text: &str| json!({"errors": [{"ID": id, "message": text}]});
        for (error, status, body) in [
            (
                DevOpsError::NoToken,
                401,
                errors(340_002, "no bearer token in request"),
            ),
            (
                DevOpsError::BadToken,
                401,
                errors(340_012, "invalid token format"),
            ),
            (
                DevOpsError::UnknownToken("abc".to_owned()),
                401,
                errors(340_018, "Resource not found: token with identifier: abc"),
            ),
            (DevOpsError::Forbidden, 401, Value::Null),
            (
                DevOpsError::WrongState("wait".to_owned()),
                409,
                errors(409, "wait"),
            ),
            (
                DevOpsError::Text(StatusCode::FORBIDDEN, "no".to_owned()),
                403,
                json!("no"),
            ),
            (
                StoreError::new(Code::Unavailable, "gone").into(),
                503,
                errors(503, "UNAVAILABLE: gone"),
            ),
        ] {
            assert_eq!(parts(error).await, (status, body));
        }
    }
}
