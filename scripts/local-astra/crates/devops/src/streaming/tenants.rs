//! `/streaming/tenants`: tenants of Pulsar with the namespace `default`, each with a record.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::DevOps;
use super::super::request::{Caller, Parameters, json};
use super::clusters::{self, INSTANCE, Urls, ZONE};
use super::error::StreamingError;
use super::{admitted, find, find_on_cluster, own_organization};
use access::TenantRecord;
use engines::jars::PULSAR;
use engines::pulsar::{Admin, NAMESPACES, TOPICS};
use settings::streaming::Claims;
use settings::{ORGANIZATION_ID, TENANT, TENANT_NAMESPACE};
use store::records;

/// Maximum number of tenants per organization on shared clusters (limits page of the Astra Streaming docs).
const TENANTS: usize = 10;
/// Maximum total length of the names of a tenant, a namespace and a function.
const NAME_LENGTH: usize = 54;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewTenant {
    tenant_name: String,
    #[serde(default)]
    cloud_provider: String,
    #[serde(default)]
    cloud_region: String,
    /// Alternative to provider and region.
    #[serde(default)]
    cluster_name: String,
    #[serde(default)]
    user_email: String,
}

/// `GET /streaming/tenants`
pub async fn list(
    State(devops): State<DevOps>,
    caller: Caller,
) -> Result<Json<Value>, StreamingError> {
    let pulsar = admitted(&devops, &caller)?;
    let known = pulsar.tenants().await?;
    let all = records::all::<TenantRecord>(devops.inner.logins.admin()).await?;
    let there = all.iter().filter(|record| known.contains(&record.name));
    let shown: Result<Vec<Value>, StreamingError> = there
        .map(|record| shown(&devops, &caller, record))
        .collect();
    Ok(Json(Value::Array(shown?)))
}

/// `GET /streaming/orgs/{organization}/tenants`
pub async fn list_of(
    devops: State<DevOps>,
    caller: Caller,
    Path(organization): Path<String>,
) -> Result<Json<Value>, StreamingError> {
    own_organization(&organization)?;
    list(devops, caller).await
}

/// `GET /streaming/tenants/{tenant}`. Errors have no body.
pub async fn one(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Response> {
    let found = async {
        let pulsar = admitted(&devops, &caller)?;
        let record = find_on_cluster(&devops, &pulsar, &tenant, &headers).await?;
        shown(&devops, &caller, &record)
    };
    found.await.map(Json).map_err(without_body)
}

/// `GET /streaming/orgs/{organization}/tenants/{tenant}`, which requires no cluster.
pub async fn one_of(
    State(devops): State<DevOps>,
    caller: Caller,
    Path((organization, tenant)): Path<(String, String)>,
) -> Result<Json<Value>, StreamingError> {
    own_organization(&organization)?;
    let pulsar = admitted(&devops, &caller)?;
    let record = find(&devops, &pulsar, &tenant).await?;
    Ok(Json(shown(&devops, &caller, &record)?))
}

/// `HEAD /streaming/tenants/{tenant}`: 200 if the name is taken by any organization, 404 if it is free.
pub async fn is_taken(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(tenant): Path<String>,
) -> Response {
    let found = async {
        let pulsar = admitted(&devops, &caller)?;
        let found = pulsar.tenant(&tenant).await?;
        found.map(drop).ok_or(StreamingError::NoTenant)
    };
    match found.await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => without_body(error),
    }
}

/// `POST /streaming/tenants[?topic=]`: 200 rather than 201. Some members of the response are empty until the tenant is
/// read again.
pub async fn create(
    State(devops): State<DevOps>,
    caller: Caller,
    parameters: Parameters,
    body: Bytes,
) -> Result<Json<Value>, StreamingError> {
    let pulsar = admitted(&devops, &caller)?;
    let body: NewTenant = json(&body, StreamingError::BadRequest)?;
    let mut record = checked(&body)?;
    record.email = body.user_email;
    let _changing = devops.inner.changing.lock().await;
    let known = pulsar.tenants().await?;
    if known.contains(&record.name) {
        let why = format!("tenant {} exists already", record.name);
        return Err(StreamingError::Conflict(why));
    }
    let store = devops.inner.logins.admin();
    let ours = records::all::<TenantRecord>(store).await?;
    let ours = ours.iter().filter(|record| known.contains(&record.name));
    if ours.count() >= TENANTS {
        let why = format!("an organization may have {TENANTS} tenants on shared clusters");
        return Err(StreamingError::Unprocessable(why));
    }
    // A record without its tenant is ignored, so a failure between the two steps leaves the name free.
    records::put(store, &record).await?;
    let topic = parameters.text("topic");
    if let Err(error) = make(&pulsar, &record, topic).await {
        // Return the first cause, which the caller needs.
        if let Err(second) = pulsar.delete_tenant(&record.name, true).await {
            eprintln!("cannot take back tenant {}: {second}", record.name);
        }
        return Err(error);
    }
    let mut shown = shown(&devops, &caller, &record)?;
    let more = json!({
        "namespace": TENANT_NAMESPACE,
        "topic": topic.unwrap_or_default(),
        "id": "",
        "planCode": "",
        "cloudProviderCode": "",
        "regionZone": "",
        "Email": "",
        "userMetricsUrl": "",
        "pulsarInstance": "",
    });
    if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
        shown.extend(more);
    }
    Ok(Json(shown))
}

async fn make(
    pulsar: &Admin,
    record: &TenantRecord,
    topic: Option<&str>,
) -> Result<(), StreamingError> {
    pulsar.create_tenant(&record.name, &record.roles()).await?;
    pulsar
        .create_namespace(&record.name, TENANT_NAMESPACE)
        .await?;
    if let Some(topic) = topic {
        pulsar
            .create_topic(&record.name, TENANT_NAMESPACE, topic)
            .await?;
    }
    Ok(())
}

/// Returns the record of the requested tenant.
fn checked(body: &NewTenant) -> Result<TenantRecord, StreamingError> {
    let wrong = |why: String| Err(StreamingError::Unprocessable(why));
    let name = body.tenant_name.as_str();
    if !is_name(name) {
        return wrong(format!(
            "{name:?} is no name of a tenant: 2 to {NAME_LENGTH} lower-case letters, digits and dashes, of which a \
             letter is first and no dash last"
        ));
    }
    let (cloud, region) = match body.cluster_name.as_str() {
        "" => match clusters::of(&body.cloud_provider, &body.cloud_region) {
            Some(found) => found,
            None => {
                return wrong(format!(
                    "there is no region {:?} of {:?}: GET /v2/streaming/providers lists them, without dashes",
                    body.cloud_region, body.cloud_provider
                ));
            }
        },
        cluster => match clusters::find(cluster) {
            Some(found) => found,
            None => return wrong(format!("there is no cluster {cluster:?}")),
        },
    };
    let cluster = clusters::name(cloud, region);
    let token = Claims::new(ORGANIZATION_ID, name, None)?;
    Ok(TenantRecord::new(name, cloud, region, &cluster, token))
}

/// Returns true for names that Astra's Terraform provider accepts.
fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let inner = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (2..=NAME_LENGTH).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes.iter().all(inner)
        && !name.ends_with('-')
}

/// `DELETE /streaming/tenants/{tenant}/clusters/{cluster}[?opt=soft]`
pub async fn delete(
    State(devops): State<DevOps>,
    caller: Caller,
    Path((tenant, cluster)): Path<(String, String)>,
    parameters: Parameters,
) -> Result<StatusCode, StreamingError> {
    let pulsar = admitted(&devops, &caller)?;
    if let Some(how) = parameters.text("opt") {
        let why = format!("Local Astra does not serve opt={how}: a deleted tenant is gone at once");
        return Err(StreamingError::NotServed(why));
    }
    let _changing = devops.inner.changing.lock().await;
    let record = find(&devops, &pulsar, &tenant).await?;
    if record.cluster != cluster {
        return Err(StreamingError::NoTenant);
    }
    if record.name == TENANT {
        let why = "local Astra keeps its first tenant, which its settings name";
        return Err(StreamingError::Conflict(why.to_owned()));
    }
    pulsar.delete_tenant(&tenant, true).await?;
    records::delete::<TenantRecord>(devops.inner.logins.admin(), &tenant).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /streaming/tenants/{tenant}/limits`
pub async fn limits(
    State(devops): State<DevOps>,
    caller: Caller,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, StreamingError> {
    let pulsar = admitted(&devops, &caller)?;
    let record = find_on_cluster(&devops, &pulsar, &tenant, &headers).await?;
    let mut usage = Vec::new();
    for name in pulsar.namespaces(&record.name).await? {
        let namespace = name.split_once('/').map_or("", |(_, namespace)| namespace);
        let topics = pulsar.topics(&record.name, namespace).await?;
        usage.push(json!({"namespace": name, "topics": topics}));
    }
    Ok(Json(json!({
        "namespace_limit": NAMESPACES,
        "topic_per_namespace_limit": TOPICS,
        "usage": usage,
    })))
}

/// Returns a tenant as in lists and reads, with its first token.
fn shown(devops: &DevOps, caller: &Caller, record: &TenantRecord) -> Result<Value, StreamingError> {
    let urls = Urls::of(devops, &caller.base);
    let token = match record.tokens.first() {
        Some(claims) => devops.inner.pulsar.keys.issue(claims)?,
        None => String::new().into(),
    };
    let code = match record.cloud.as_str() {
        "aws" => "1",
        "gcp" => "2",
        _ => "3",
    };
    Ok(json!({
        "id": record.id,
        "tenantName": record.name,
        "clusterName": record.cluster,
        "webServiceUrl": urls.web_service,
        "brokerServiceUrl": urls.broker,
        // Local Astra opens no WebSockets.
        "websocketUrl": "",
        "websocketQueryParamUrl": "",
        "pulsarToken": token.expose_secret(),
        "plan": "payg",
        "planCode": "1",
        "astraOrgGUID": ORGANIZATION_ID,
        "cloudProvider": record.cloud,
        "cloudProviderCode": code,
        "cloudRegion": record.region,
        "status": "active",
        "jvmVersion": "",
        "pulsarVersion": PULSAR.version(),
        "regionZone": ZONE,
        "Email": record.email,
        "userMetricsUrl": "",
        "pulsarInstance": INSTANCE,
        "clusterType": "cloud",
        "azType": "",
        "pulsarClusterDNS": "localhost",
    }))
}

/// Removes the body from an error of a read or a HEAD, except for local Astra's own errors.
fn without_body(error: StreamingError) -> Response {
    match error {
        StreamingError::Forbidden => StatusCode::UNAUTHORIZED.into_response(),
        StreamingError::NoTenant => StatusCode::NOT_FOUND.into_response(),
        other => other.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_astra_takes() {
        for good in ["ab", "a-b", "rust-sample-1795517143324898-40213", "a1"] {
            assert!(is_name(good), "{good}");
        }
        let long = "a".repeat(NAME_LENGTH + 1);
        for bad in ["", "a", "1a", "-a", "a-", "A1", "a_b", "a/b", "ä1", &long] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
