//! Responses: documents in their wrapper, and plain JSON.

use axum::http::header::{ALLOW, LOCATION};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Map, Value};

pub use bridge::response::{data, empty, json, typed};

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

/// Adds the location of a created resource: the URL of the request with the name appended.
pub fn located(mut response: Response, url: &str, name: &str) -> Response {
    let location = format!("{url}/{name}");
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
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
    pub fn into_response(self, status: StatusCode, raw: bool) -> Response {
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
