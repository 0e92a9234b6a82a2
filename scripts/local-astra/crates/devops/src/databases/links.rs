//! Links to secure connect bundles. They are signed, so that nothing is stored for them, and expire after five minutes,
//! as on Astra.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::error::{DevOpsError, json_answer};
use super::super::request::{Caller, Parameters};
use super::super::{DevOps, Inner};
use super::one;
use super::record::DatabaseRecord;
use access::Target;
use store::records;

/// Lifetime of a link in seconds.
const LIFE: u64 = 300;

/// Returns the seconds since the epoch.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Returns a link to a database's bundle, issued at `now`.
pub fn make(inner: &Inner, base: &str, record: &DatabaseRecord, now: u64) -> String {
    let expires = now + LIFE;
    let signature: String = hmac::sign(&inner.link_key, signed(record.id, expires).as_bytes())
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let name = utf8_percent_encode(&record.name, NON_ALPHANUMERIC);
    let id = record.id;
    format!(
        "{base}/secure-bundles/{id}/secure-connect-{name}.zip?expires={expires}&signature={signature}"
    )
}

fn signed(database: Uuid, expires: u64) -> String {
    format!("{database} {expires}")
}

fn is_good(key: &hmac::Key, database: Uuid, expires: u64, signature: &str, now: u64) -> bool {
    let bytes: Option<Vec<u8>> = (0..signature.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(signature.get(at..at + 2)?, 16).ok())
        .collect();
    let signed = signed(database, expires);
    now < expires && bytes.is_some_and(|bytes| hmac::verify(key, signed.as_bytes(), &bytes).is_ok())
}

/// `POST /databases/{id}/secureBundleURL[?all=true]`
pub async fn links(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, DevOpsError> {
    let record = one(&devops, &id).await?;
    caller.require("db-cql", Target::Database(record.id))?;
    if !record.status.is_open() {
        return Err(super::wrong_state(&record, "has no bundle"));
    }
    let link = make(&devops.inner, &caller.base, &record, now());
    let shown = json!({
        "downloadURL": link,
        "downloadURLInternal": link,
        // Misspelt by Astra, and expected by clients.
        "datcenterID": record.datacenter_id(),
        "region": record.region,
        "cloudProvider": record.cloud,
    });
    let body = if parameters.flag("all") {
        Value::Array(vec![shown])
    } else {
        shown
    };
    Ok(json_answer(StatusCode::OK, body))
}

/// `GET /secure-bundles/{id}/{file}`: the zip. The link requires no token.
pub async fn download(
    State(devops): State<DevOps>,
    Path((id, _)): Path<(Uuid, String)>,
    parameters: Parameters,
) -> Result<Response, DevOpsError> {
    let text = |name| parameters.text(name).unwrap_or_default();
    let expires = text("expires").parse().unwrap_or(0);
    if !is_good(
        &devops.inner.link_key,
        id,
        expires,
        text("signature"),
        now(),
    ) {
        return Err(DevOpsError::Text(
            StatusCode::FORBIDDEN,
            "This link is not good, or no longer: ask for another by POST \
             /v2/databases/{id}/secureBundleURL"
                .to_owned(),
        ));
    }
    let admin = devops.inner.logins.admin();
    let record = records::get::<DatabaseRecord>(admin, &id.to_string()).await?;
    let record = record
        .filter(|record| record.status.is_open())
        .ok_or_else(|| super::unknown(&id.to_string()))?;
    let zip = devops.inner.bundles.secure_connect(id).await;
    let zip = zip.map_err(|error| DevOpsError::Failed(error.to_string()))?;
    let name = utf8_percent_encode(&record.name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename=\"secure-connect-{name}.zip\"");
    let headers = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, zip).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_five_minutes_and_for_one_database() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        let other = hmac::Key::new(hmac::HMAC_SHA256, b"other");
        let (id, made) = (Uuid::from_u128(1), 1_000_000);
        let expires = made + LIFE;
        let signature: String = hmac::sign(&key, signed(id, expires).as_bytes())
            .as_ref()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert!(is_good(&key, id, expires, &signature, made));
        assert!(is_good(&key, id, expires, &signature, made + LIFE - 1));
        assert!(!is_good(&key, id, expires, &signature, made + LIFE));
        assert!(!is_good(&key, id, expires + 1, &signature, made));
        assert!(!is_good(
            &key,
            Uuid::from_u128(2),
            expires,
            &signature,
            made
        ));
        assert!(!is_good(&other, id, expires, &signature, made));
        for bad in ["", "0", "é", &signature[2..], "zz"] {
            assert!(!is_good(&key, id, expires, bad, made), "{bad}");
        }
    }
}
