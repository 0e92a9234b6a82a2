//! The methods of a path: responses to OPTIONS and to unsupported methods.

use axum::extract::Request;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::response;
use bridge::BridgeError;

/// Responds to OPTIONS for every path, and removes `Allow` from all responses but 405.
pub async fn handle_options(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        let mut response = response::empty(StatusCode::OK);
        let methods = HeaderValue::from_static(methods(request.uri().path()));
        response.headers_mut().insert(ALLOW, methods);
        return response;
    }
    let mut response = next.run(request).await;
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().remove(ALLOW);
    }
    response
}

/// The error for an unsupported method. Below a keyspace's schema, several of Stargate's classes serve one path, and
/// the error is that of an unknown path.
pub async fn wrong(uri: Uri) -> BridgeError {
    match segments(uri.path()).as_slice() {
        ["schemas", "keyspaces", _, _, ..] => BridgeError::UnknownPath,
        _ => BridgeError::WrongMethod,
    }
}

/// Returns the methods in Stargate's response: those of all paths served by the same classes.
fn methods(path: &str) -> &'static str {
    match segments(path).as_slice() {
        ["schemas", "keyspaces"]
        | ["schemas", "keyspaces", _]
        | ["schemas", "keyspaces", _, "tables", _, "indexes", ..] => {
            "HEAD, DELETE, POST, GET, OPTIONS"
        }
        ["schemas", "keyspaces", _, "tables" | "types", ..] => {
            "HEAD, DELETE, POST, GET, OPTIONS, PUT"
        }
        ["keyspaces", _, _, ..] => "HEAD, DELETE, POST, GET, OPTIONS, PUT, PATCH",
        _ => "HEAD, GET, OPTIONS",
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').skip(1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_the_methods_of_their_classes() {
        for (path, wanted) in [
            ("/schemas/keyspaces", "HEAD, DELETE, POST, GET, OPTIONS"),
            (
                "/schemas/keyspaces/ks/tables/t/columns",
                "HEAD, DELETE, POST, GET, OPTIONS, PUT",
            ),
            (
                "/schemas/keyspaces/ks/tables/t/indexes/i",
                "HEAD, DELETE, POST, GET, OPTIONS",
            ),
            (
                "/keyspaces/ks/t/a/b",
                "HEAD, DELETE, POST, GET, OPTIONS, PUT, PATCH",
            ),
            ("/keyspaces/ks", "HEAD, GET, OPTIONS"),
        ] {
            assert_eq!(methods(path), wanted, "{path}");
        }
    }
}
