//! Responses: documents in their wrapper, and plain JSON.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Map, Value, json};

const JSON: &str = "application/json;charset=UTF-8";

/// Returns a JSON value.
pub fn json(status: StatusCode, body: &Value) -> Response {
    typed(status, JSON, body.to_string())
}

/// Returns a body with the given content type.
pub fn typed(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = empty(status);
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Returns the methods of a path in Stargate's format: those of all paths that one of its classes serves.
pub async fn options(uri: Uri) -> Response {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let methods = match segments.as_slice() {
        ["schemas", ..] => "HEAD, DELETE, POST, GET, OPTIONS",
        [_, _, _, _, "json-schema"] => "HEAD, GET, OPTIONS, PUT",
        _ => "HEAD, DELETE, POST, GET, OPTIONS, PATCH, PUT",
    };
    allowed(empty(StatusCode::OK), methods)
}

/// Adds the supported methods to a response.
pub fn allowed(mut response: Response, methods: &'static str) -> Response {
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// Returns a response without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Adds the location of a created resource: the URL of the request with the name appended.
pub fn located(mut response: Response, url: &str, name: &str) -> Response {
    let location = format!("{url}/{name}");
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Returns a value in the member `data`, or alone if `raw`.
pub fn data(raw: bool, value: Value) -> Response {
    let body = if raw { value } else { json!({ "data": value }) };
    json(StatusCode::OK, &body)
}

/// Response of most calls on documents. Members that are not set are omitted.
#[derive(Debug, Default)]
pub struct Wrapper {
    pub document_id: Option<String>,
    pub page_state: Option<String>,
    /// Included if set, even if it is null.
    pub data: Option<Value>,
    pub profile: Option<Value>,
}

impl Wrapper {
    /// Returns the response, or the data alone if `raw`.
    pub fn answer(self, status: StatusCode, raw: bool) -> Response {
        if raw {
            return json(status, &self.data.unwrap_or(Value::Null));
        }
        let mut body = Map::new();
        let text = |text: Option<String>| text.map(Value::String);
        for (name, value) in [
            ("documentId", text(self.document_id)),
            ("pageState", text(self.page_state)),
            ("data", self.data),
            ("profile", self.profile),
        ] {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        }
        json(status, &Value::Object(body))
    }
}
