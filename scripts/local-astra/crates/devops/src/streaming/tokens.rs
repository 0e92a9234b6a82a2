//! `/streaming/tenants/{tenant}/tokens`. A token is a JWT whose role is in the list of its tenant until it is revoked.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::DevOps;
use super::super::request::{Caller, Parameters, json};
use super::error::StreamingError;
use super::{admitted, find_on_cluster};
use settings::ORGANIZATION_ID;
use settings::streaming::Claims;
use store::records;

/// `GET`: the claims of the tokens, without the tokens.
pub async fn list(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Vec<Claims>>, StreamingError> {
    let pulsar = admitted(&devops, &caller)?;
    let record = find_on_cluster(&devops, &pulsar, &tenant, &headers).await?;
    Ok(Json(record.tokens))
}

/// `GET /{id}`: the token as plain text.
pub async fn one(
    State(devops): State<DevOps>,
    caller: Caller,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<String, StreamingError> {
    let pulsar = admitted(&devops, &caller)?;
    let record = find_on_cluster(&devops, &pulsar, &tenant, &headers).await?;
    let claims = record.tokens.iter().find(|token| token.tokenid == id);
    let claims = claims.ok_or(StreamingError::NoToken)?;
    let token = devops.inner.pulsar.keys.issue(claims)?;
    Ok(token.expose_secret().to_owned())
}

/// `POST[?exp=1d]`: the new token as plain text. Without `exp` it never expires.
pub async fn create(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(tenant): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, StreamingError> {
    let (_, token) = make(&devops, &caller, &tenant, &headers, parameters.text("exp")).await?;
    Ok((StatusCode::CREATED, token.expose_secret().to_owned()).into_response())
}

#[derive(Default, Deserialize)]
struct NewToken {
    exp: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `POST /v3/...`: the new token in JSON.
pub async fn create_v3(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StreamingError> {
    let body: NewToken = if body.is_empty() {
        NewToken::default()
    } else {
        json(&body, StreamingError::BadRequest)?
    };
    match body.kind.as_deref() {
        None | Some("" | "admin") => (),
        Some("non-admin") => {
            let why = "Local Astra makes admin tokens only: leave type out";
            return Err(StreamingError::NotServed(why.to_owned()));
        }
        Some(other) => {
            let why = format!("type {other:?} is none: admin or non-admin");
            return Err(StreamingError::BadRequest(why));
        }
    }
    let exp = body.exp.as_deref().filter(|exp| !exp.is_empty());
    let (id, token) = make(&devops, &caller, &tenant, &headers, exp).await?;
    let shown = json!({"id": id, "rolename": "admin", "token": token.expose_secret()});
    Ok((StatusCode::CREATED, Json::<Value>(shown)).into_response())
}

/// Creates a token, and returns it with its id.
async fn make(
    devops: &DevOps,
    caller: &Caller,
    tenant: &str,
    headers: &HeaderMap,
    exp: Option<&str>,
) -> Result<(String, SecretString), StreamingError> {
    let pulsar = admitted(devops, caller)?;
    let exp = exp.map(ends).transpose()?;
    let _changing = devops.inner.changing.lock().await;
    let mut record = find_on_cluster(devops, &pulsar, tenant, headers).await?;
    let claims = Claims::new(ORGANIZATION_ID, tenant, exp)?;
    let token = devops.inner.pulsar.keys.issue(&claims)?;
    let id = claims.tokenid.clone();
    record.tokens.push(claims);
    pulsar.set_tenant_roles(tenant, &record.roles()).await?;
    records::put(devops.inner.logins.admin(), &record).await?;
    Ok((id, token))
}

/// `DELETE /{id}`
pub async fn revoke(
    State(devops): State<DevOps>,
    caller: Caller,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, StreamingError> {
    let pulsar = admitted(&devops, &caller)?;
    let _changing = devops.inner.changing.lock().await;
    let mut record = find_on_cluster(&devops, &pulsar, &tenant, &headers).await?;
    let at = record.tokens.iter().position(|token| token.tokenid == id);
    let at = at.ok_or(StreamingError::NoToken)?;
    if record.tokens[at].sub == devops.inner.own_tenant_role {
        let why = "this is local Astra's own token, which its settings name: it stays";
        return Err(StreamingError::Conflict(why.to_owned()));
    }
    record.tokens.remove(at);
    pulsar.set_tenant_roles(&tenant, &record.roles()).await?;
    records::put(devops.inner.logins.admin(), &record).await?;
    Ok(StatusCode::OK)
}

/// Returns the expiry of a token in seconds since the epoch, from a lifetime of a number and a unit.
fn ends(life: &str) -> Result<u64, StreamingError> {
    let wrong = || {
        let why = format!("exp {life:?} is none: a number and s, m, h, d, w or y, such as 1d");
        StreamingError::BadRequest(why)
    };
    let (number, unit) =
        life.split_at(life.len() - life.chars().next_back().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "y" => 365 * 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_secs());
    number
        .checked_mul(seconds)
        .filter(|life| *life > 0)
        .and_then(|life| now.checked_add(life))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_a_number_and_a_unit() {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        for (life, seconds) in [
            ("1d", 86_400),
            ("90s", 90),
            ("2w", 1_209_600),
            ("1y", 31_536_000),
        ] {
            let ends = ends(life).unwrap();
            assert!(
                (now + seconds..now + seconds + 60).contains(&ends),
                "{life}"
            );
        }
        for bad in [
            "",
            "d",
            "1",
            "0d",
            "-1d",
            "1 d",
            "1ü",
            "99999999999999999999d",
            "1e3d",
        ] {
            assert!(ends(bad).is_err(), "{bad}");
        }
    }
}
