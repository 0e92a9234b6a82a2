//! Client for Pulsar's admin API with the superuser's token: tenants, namespaces, policies.
//!
//! <https://pulsar.apache.org/admin-rest-api/>, version 4.0.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use settings::CLUSTER;

/// Limit for one request. Creating a topic with one hundred partitions is a single request.
const LIMIT: Duration = Duration::from_secs(120);

/// The superuser's client. Clones are cheap.
#[derive(Clone)]
pub struct Admin {
    http: Client,
    base: String,
    token: SecretString,
}

/// A tenant in Pulsar's format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// Roles (`sub` of tokens) that can administer the tenant, and read and write everything in it.
    pub admin_roles: Vec<String>,
    pub allowed_clusters: Vec<String>,
}

/// Failure of an admin request.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Pulsar cannot be reached.
    #[error("Pulsar does not respond: {0}")]
    Away(String),
    /// Pulsar rejected the request: 404 not found, 409 already exists, 412 invalid name, and so on.
    #[error("Pulsar refused {what}: {status} {reason}")]
    Refused {
        what: String,
        status: u16,
        reason: String,
    },
    /// The response has an unexpected form.
    #[error("cannot read Pulsar's response to {what}: {why}")]
    Response { what: String, why: String },
}

impl AdminError {
    /// HTTP status of a rejected request.
    pub fn status(&self) -> Option<u16> {
        match self {
            AdminError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl Admin {
    /// Creates a client for the admin API at `web` (loopback, without TLS) with the superuser's `token`.
    ///
    /// # Errors
    /// The HTTP client cannot be created.
    pub fn new(web: SocketAddr, token: SecretString) -> Result<Admin, AdminError> {
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(LIMIT)
            .build()
            .map_err(away)?;
        Ok(Admin {
            http,
            base: format!("http://{web}"),
            token,
        })
    }

    /// Returns a client that uses another token, whose permissions Pulsar then checks.
    pub fn with_token(&self, token: SecretString) -> Admin {
        Admin {
            token,
            ..self.clone()
        }
    }

    /// Checks that Pulsar is ready: it creates `public/default` in the last step of its start.
    ///
    /// # Errors
    /// The reason it is not ready yet.
    pub async fn ready(&self) -> Result<(), AdminError> {
        let known = self.namespaces("public").await?;
        if known.iter().any(|name| name == "public/default") {
            return Ok(());
        }
        Err(AdminError::Away(
            "the namespace public/default is not there yet".to_owned(),
        ))
    }

    /// Lists the names of all tenants, including Pulsar's own (`public`, `pulsar`, `sample`).
    pub async fn tenants(&self) -> Result<Vec<String>, AdminError> {
        self.get("tenants").await
    }

    /// Returns a tenant, or `None` if it does not exist.
    pub async fn tenant(&self, tenant: &str) -> Result<Option<Tenant>, AdminError> {
        found(self.get(&format!("tenants/{}", part(tenant))).await)
    }

    /// Creates a tenant, without namespaces, and sets the roles that can administer it.
    ///
    /// # Errors
    /// See [`AdminError`]; 409 if it already exists.
    pub async fn create_tenant(&self, tenant: &str, roles: &[String]) -> Result<(), AdminError> {
        self.put_tenant(Method::PUT, tenant, roles).await
    }

    /// Replaces the roles of a tenant. Tokens of removed roles are rejected from then on.
    ///
    /// # Errors
    /// See [`AdminError`]; 404 if it does not exist.
    pub async fn set_tenant_roles(&self, tenant: &str, roles: &[String]) -> Result<(), AdminError> {
        self.put_tenant(Method::POST, tenant, roles).await
    }

    async fn put_tenant(
        &self,
        method: Method,
        tenant: &str,
        roles: &[String],
    ) -> Result<(), AdminError> {
        let body = serde_json::json!({"adminRoles": roles, "allowedClusters": [CLUSTER]});
        let path = format!("tenants/{}", part(tenant));
        self.ask(method, &path, Some(body)).await.map(drop)
    }

    /// Deletes a tenant. With `force`, also deletes all its namespaces, topics and messages; otherwise returns 409 if
    /// it has any.
    ///
    /// # Errors
    /// See [`AdminError`]; 404 if it does not exist.
    pub async fn delete_tenant(&self, tenant: &str, force: bool) -> Result<(), AdminError> {
        if force {
            // Topics first, then namespaces: Pulsar itself rejects the forced deletion of tenants and namespaces.
            for name in self.namespaces(tenant).await? {
                if let Some((_, namespace)) = name.split_once('/') {
                    self.empty_namespace(tenant, namespace).await?;
                    self.delete_namespace(tenant, namespace).await?;
                }
            }
        }
        let path = format!("tenants/{}", part(tenant));
        self.ask(Method::DELETE, &path, None).await.map(drop)
    }

    /// Lists the namespaces of a tenant, each as `tenant/namespace`.
    ///
    /// # Errors
    /// See [`AdminError`]; 404 if the tenant does not exist.
    pub async fn namespaces(&self, tenant: &str) -> Result<Vec<String>, AdminError> {
        self.get(&format!("namespaces/{}", part(tenant))).await
    }

    /// Creates a namespace with the cluster's default policies.
    ///
    /// # Errors
    /// See [`AdminError`]; 409 if it already exists.
    pub async fn create_namespace(&self, tenant: &str, namespace: &str) -> Result<(), AdminError> {
        let path = namespace_path(tenant, namespace);
        self.ask(Method::PUT, &path, None).await.map(drop)
    }

    /// Deletes an empty namespace.
    ///
    /// # Errors
    /// See [`AdminError`]; 409 if it has topics, 404 if it does not exist.
    pub async fn delete_namespace(&self, tenant: &str, namespace: &str) -> Result<(), AdminError> {
        let path = namespace_path(tenant, namespace);
        self.ask(Method::DELETE, &path, None).await.map(drop)
    }

    /// Returns all policies of a namespace in Pulsar's JSON, or `None` if the namespace does not exist.
    pub async fn policies(
        &self,
        tenant: &str,
        namespace: &str,
    ) -> Result<Option<Value>, AdminError> {
        found(self.get(&namespace_path(tenant, namespace)).await)
    }

    /// Sets one policy by its name in the admin API, such as `retention`, `messageTTL`, `permissions/<role>`.
    pub async fn set_policy(
        &self,
        tenant: &str,
        namespace: &str,
        policy: &str,
        value: Value,
    ) -> Result<(), AdminError> {
        let path = policy_path(tenant, namespace, policy);
        self.ask(Method::POST, &path, Some(value)).await.map(drop)
    }

    /// Lists the topics of a namespace by their full names. Lists the partitions of a partitioned topic, but not the
    /// topic itself: see [`Admin::partitioned_topics`].
    pub async fn topics(&self, tenant: &str, namespace: &str) -> Result<Vec<String>, AdminError> {
        let path = format!("persistent/{}/{}", part(tenant), part(namespace));
        self.get(&path).await
    }

    /// Lists the partitioned topics of a namespace by their full names.
    pub async fn partitioned_topics(
        &self,
        tenant: &str,
        namespace: &str,
    ) -> Result<Vec<String>, AdminError> {
        let path = format!(
            "persistent/{}/{}/partitioned",
            part(tenant),
            part(namespace)
        );
        self.get(&path).await
    }

    /// Creates a topic without partitions.
    ///
    /// # Errors
    /// See [`AdminError`]; 409 if it already exists.
    pub async fn create_topic(
        &self,
        tenant: &str,
        namespace: &str,
        topic: &str,
    ) -> Result<(), AdminError> {
        let path = format!(
            "persistent/{}/{}/{}",
            part(tenant),
            part(namespace),
            part(topic)
        );
        self.ask(Method::PUT, &path, None).await.map(drop)
    }

    /// Returns the statistics of a topic, given its full name, in Pulsar's JSON. `None` if the topic does not exist.
    pub async fn topic_stats<T: serde::de::DeserializeOwned>(
        &self,
        topic: &str,
    ) -> Result<Option<T>, AdminError> {
        let parts: Vec<String> = topic
            .replacen("://", "/", 1)
            .splitn(4, '/')
            .map(part)
            .collect();
        found(self.get(&format!("{}/stats", parts.join("/"))).await)
    }

    /// Forwards a client's request unchanged to `target`, a path that begins with `/admin/`, with an optional query.
    /// Uses the token `as_whom`, or the superuser's.
    ///
    /// # Errors
    /// [`AdminError::Away`]. A rejection by Pulsar is returned as a response.
    pub async fn pass(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: Bytes,
        as_whom: Option<SecretString>,
    ) -> Result<Response, AdminError> {
        let token = as_whom.as_ref().unwrap_or(&self.token).expose_secret();
        self.http
            .request(method, format!("{}{target}", self.base))
            .headers(headers)
            .bearer_auth(token)
            .body(body)
            .send()
            .await
            .map_err(Self::away)
    }

    /// Converts the error of a request that did not reach Pulsar or was cut off.
    pub fn away(error: reqwest::Error) -> AdminError {
        away(error)
    }

    async fn empty_namespace(&self, tenant: &str, namespace: &str) -> Result<(), AdminError> {
        let partitioned = self.partitioned_topics(tenant, namespace).await?;
        let remove = async |topic: &str, tail: &str| {
            let topic = topic.rsplit('/').next().unwrap_or(topic);
            let (t, n, topic) = (part(tenant), part(namespace), part(topic));
            let path = format!("persistent/{t}/{n}/{topic}{tail}?force=true");
            match self.ask(Method::DELETE, &path, None).await {
                Err(error) if error.status() == Some(404) => Ok(()),
                done => done.map(drop),
            }
        };
        for topic in &partitioned {
            remove(topic, "/partitions").await?;
        }
        for topic in self.topics(tenant, namespace).await? {
            remove(&topic, "").await?;
        }
        Ok(())
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, AdminError> {
        let body = self.ask(Method::GET, path, None).await?;
        serde_json::from_slice(&body).map_err(|error| AdminError::Response {
            what: format!("GET {path}"),
            why: error.to_string(),
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Bytes, AdminError> {
        let url = format!("{}/admin/v2/{path}", self.base);
        let mut request = self
            .http
            .request(method.clone(), url)
            .bearer_auth(self.token.expose_secret());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        let body = response.bytes().await.map_err(away)?;
        if status.is_success() {
            return Ok(body);
        }
        Err(AdminError::Refused {
            what: format!("{method} {path}"),
            status: status.as_u16(),
            reason: reason(status, &body),
        })
    }
}

/// Extracts the reason of a rejection: `{"reason": ...}`, or the standard text of the status if Jetty sends an HTML
/// page.
fn reason(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        reason: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => refusal.reason,
        Err(_) => status.canonical_reason().unwrap_or_default().to_owned(),
    }
}

fn away(error: reqwest::Error) -> AdminError {
    use std::error::Error;
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        why = cause.to_string();
        source = cause.source();
    }
    AdminError::Away(why)
}

fn found<T>(response: Result<T, AdminError>) -> Result<Option<T>, AdminError> {
    match response {
        Err(error) if error.status() == Some(404) => Ok(None),
        response => response.map(Some),
    }
}

fn namespace_path(tenant: &str, namespace: &str) -> String {
    format!("namespaces/{}/{}", part(tenant), part(namespace))
}

/// Builds the path of a policy. The name may have several parts, and the last may be a role that contains `;` and `=`.
fn policy_path(tenant: &str, namespace: &str, policy: &str) -> String {
    let policy: Vec<String> = policy.split('/').map(part).collect();
    format!("{}/{}", namespace_path(tenant, namespace), policy.join("/"))
}

/// Percent-encodes one part of a path.
fn part(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_leave_their_part_of_a_path() {
        assert_eq!(
            policy_path("a/../b", "c?d", "permissions/client;x;eQ=="),
            "namespaces/a%2F..%2Fb/c%3Fd/permissions/client%3Bx%3BeQ%3D%3D"
        );
    }

    #[test]
    fn a_refusal_tells_the_reason_and_never_a_page() {
        let conflict = StatusCode::CONFLICT;
        assert_eq!(reason(conflict, br#"{"reason":"exists"}"#), "exists");
        assert_eq!(reason(conflict, b"<html>"), "Conflict");
    }
}
