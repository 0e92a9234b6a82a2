//! No body of a client brings the readers of the DevOps API down.

use bytes::Bytes;
use serde_json::Value;

use super::error::DevOpsError;
use super::request;

#[test]
fn any_body_is_read_or_refused() {
    const PIECES: &[&str] = &[
        "name",
        "keyspace",
        "tier",
        "policy",
        "actions",
        "resources",
        "roles",
        "orgId",
        "drn:astra",
    ];
    hostile::survives(
        || hostile::json(PIECES),
        |text| {
            let body = Bytes::from(text);
            let _ = request::json::<Value, _>(&body, DevOpsError::BadRequest);
            let _ = request::json::<access::Policy, _>(&body, DevOpsError::BadRequest);
        },
    );
}
