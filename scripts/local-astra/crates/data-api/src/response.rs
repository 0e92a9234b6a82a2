//! Responses: `data`, `status`, `errors`.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response as HttpResponse};

use super::codes::Code;
use super::error::ApiError;
use super::json::{Json, Members};

/// The response to a command.
#[derive(Debug, Default)]
pub struct Response {
    pub data: Option<Json>,
    pub status: Members,
    pub errors: Vec<ApiError>,
    pub warnings: Vec<ApiError>,
}

impl Response {
    /// `{"status":{"ok":1}}`
    pub fn ok() -> Response {
        Response::default().with_status("ok", Json::integer(1))
    }

    /// `{"data":{"document":...}}`
    pub fn document(document: Option<Json>) -> Response {
        let document = document.unwrap_or(Json::Null);
        Response {
            data: Some(Json::object([("document", document)])),
            ..Response::default()
        }
    }

    /// Adds a member of `status`.
    pub fn with_status(mut self, name: &str, value: Json) -> Response {
        self.status.insert(name.to_owned(), value);
        self
    }

    /// Adds a warning.
    pub fn with_warning(mut self, warning: ApiError) -> Response {
        self.warnings.push(warning);
        self
    }

    fn body(mut self) -> Json {
        let mut body = Members::new();
        if let Some(data) = self.data {
            body.insert("data".to_owned(), data);
        }
        if !self.warnings.is_empty() {
            let warnings = self.warnings.iter().map(ApiError::to_json).collect();
            self.status.insert("warnings".to_owned(), warnings);
        }
        if !self.status.is_empty() {
            body.insert("status".to_owned(), Json::Object(self.status));
        }
        if !self.errors.is_empty() {
            let errors = self.errors.iter().map(ApiError::to_json).collect();
            body.insert("errors".to_owned(), errors);
        }
        Json::Object(body)
    }
}

impl From<ApiError> for Response {
    fn from(error: ApiError) -> Response {
        Response {
            errors: vec![error],
            ..Response::default()
        }
    }
}

impl IntoResponse for Response {
    fn into_response(self) -> HttpResponse {
        // A refusal of one of many documents is no refusal of the request.
        let whole = self.data.is_none() && self.status.is_empty();
        let code = self.errors.first().map(|error| error.code);
        let status = code.filter(|code| whole || *code == Code::UnauthorizedAccess);
        let status = status.map_or(StatusCode::OK, Code::status);
        let content_type = match code {
            Some(Code::MissingAuthenticationToken) => "application/json",
            _ => "application/json;charset=UTF-8",
        };
        let mut response = HttpResponse::new(Body::from(self.body().to_string()));
        *response.status_mut() = status;
        let content_type = HeaderValue::from_static(content_type);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> HttpResponse {
        Response::from(self).into_response()
    }
}
