//! Pulsar's admin API with the superuser's token: tenants, namespaces, policies.
//!
//! <https://pulsar.apache.org/admin-rest-api/>, version 4.0.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CLUSTER;

/// How long one request may take: a topic with its hundred partitions goes in one.
const LIMIT: Duration = Duration::from_secs(120);

/// The superuser's client. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    http: Client,
    base: String,
    token: SecretString,
}

/// A tenant as Pulsar keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// The roles (`sub` of tokens) that may administer it, and read and write everything in it.
    pub admin_roles: Vec<String>,
    pub allowed_clusters: Vec<String>,
}

/// Why Pulsar did not do it.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Pulsar cannot be asked.
    #[error("Pulsar does not answer: {0}")]
    Away(String),
    /// Pulsar's own refusal: 404 missing, 409 there already, 412 a bad name and so on.
    #[error("Pulsar refused {what}: {status} {reason}")]
    Refused {
        what: String,
        status: u16,
        reason: String,
    },
    /// An answer of another form.
    #[error("cannot read Pulsar's answer to {what}: {why}")]
    Answer { what: String, why: String },
}

impl AdminError {
    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            AdminError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl Admin {
    /// A client for the admin API at `web` (no TLS, loopback) with the superuser's `token`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
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

    /// The same with another's token: Pulsar then decides what may be asked.
    pub fn with_token(&self, token: SecretString) -> Admin {
        Admin {
            token,
            ..self.clone()
        }
    }

    /// Whether Pulsar is ready: the last thing that its start makes is `public/default`.
    ///
    /// # Errors
    /// When it is not ready yet, and why.
    pub async fn ready(&self) -> Result<(), AdminError> {
        let known = self.namespaces("public").await?;
        if known.iter().any(|name| name == "public/default") {
            return Ok(());
        }
        Err(AdminError::Away(
            "the namespace public/default is not there yet".to_owned(),
        ))
    }

    /// The names of all tenants, Pulsar's own (`public`, `pulsar`, `sample`) too.
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn tenants(&self) -> Result<Vec<String>, AdminError> {
        self.get("tenants").await
    }

    /// A tenant; `None` if there is none of that name.
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn tenant(&self, tenant: &str) -> Result<Option<Tenant>, AdminError> {
        found(self.get(&format!("tenants/{}", part(tenant))).await)
    }

    /// Makes a tenant with the roles that may administer it. No namespace is made. 409 if it is there.
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn create_tenant(&self, tenant: &str, roles: &[String]) -> Result<(), AdminError> {
        self.put_tenant(Method::PUT, tenant, roles).await
    }

    /// Gives a tenant other roles: a token whose role is left out is refused from then on. 404 if it is not there.
    ///
    /// # Errors
    /// As of [`AdminError`].
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

    /// Removes a tenant; with `force` all its namespaces, topics and messages too, else 409 if it has any.
    ///
    /// # Errors
    /// As of [`AdminError`]; 404 if it is not there.
    pub async fn delete_tenant(&self, tenant: &str, force: bool) -> Result<(), AdminError> {
        if force {
            // Topics first, then namespaces: Pulsar itself forbids to force a tenant's or namespace's deletion.
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

    /// The namespaces of a tenant, each as `tenant/namespace`. 404 if there is no such tenant.
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn namespaces(&self, tenant: &str) -> Result<Vec<String>, AdminError> {
        self.get(&format!("namespaces/{}", part(tenant))).await
    }

    /// Makes a namespace with the cluster's default policies. 409 if it is there.
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn create_namespace(&self, tenant: &str, namespace: &str) -> Result<(), AdminError> {
        let path = namespace_path(tenant, namespace);
        self.ask(Method::PUT, &path, None).await.map(drop)
    }

    /// Removes an empty namespace. 409 if it has topics.
    ///
    /// # Errors
    /// As of [`AdminError`]; 404 if it is not there.
    pub async fn delete_namespace(&self, tenant: &str, namespace: &str) -> Result<(), AdminError> {
        let path = namespace_path(tenant, namespace);
        self.ask(Method::DELETE, &path, None).await.map(drop)
    }

    /// All policies of a namespace, in Pulsar's JSON; `None` if there is no such namespace.
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn policies(
        &self,
        tenant: &str,
        namespace: &str,
    ) -> Result<Option<Value>, AdminError> {
        found(self.get(&namespace_path(tenant, namespace)).await)
    }

    /// Sets one policy by its name in the admin API, such as `retention`, `messageTTL`, `permissions/<role>`.
    ///
    /// # Errors
    /// As of [`AdminError`].
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

    /// Takes one policy back: see [`Admin::set_policy`].
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn remove_policy(
        &self,
        tenant: &str,
        namespace: &str,
        policy: &str,
    ) -> Result<(), AdminError> {
        let path = policy_path(tenant, namespace, policy);
        self.ask(Method::DELETE, &path, None).await.map(drop)
    }

    /// The topics of a namespace by their full names. A partitioned one shows each partition, and not itself:
    /// see [`Admin::partitioned_topics`].
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn topics(&self, tenant: &str, namespace: &str) -> Result<Vec<String>, AdminError> {
        let path = format!("persistent/{}/{}", part(tenant), part(namespace));
        self.get(&path).await
    }

    /// The partitioned topics of a namespace by their full names.
    ///
    /// # Errors
    /// As of [`AdminError`].
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

    /// Makes a topic without partitions. 409 if it is there.
    ///
    /// # Errors
    /// As of [`AdminError`].
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

    /// The statistics of a topic by its full name, in Pulsar's JSON; `None` if there is no such topic.
    ///
    /// # Errors
    /// As of [`AdminError`].
    pub async fn topic_stats<T: serde::de::DeserializeOwned>(
        &self,
        topic: &str,
    ) -> Result<Option<T>, AdminError> {
        let parts = topic.replacen("://", "/", 1);
        let parts: Vec<String> = parts.splitn(4, '/').map(part).collect();
        found(self.get(&format!("{}/stats", parts.join("/"))).await)
    }

    /// Passes somebody's request on as it is, to `target`: a path that begins with `/admin/`, and a query. With the
    /// token `as_whom`, or with the superuser's.
    ///
    /// # Errors
    /// [`AdminError::Away`]; a refusal is an answer here.
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

    /// Why Pulsar could not be asked, or not to the end.
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
        serde_json::from_slice(&body).map_err(|error| AdminError::Answer {
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
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(away)?;
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

/// What a refusal says: `{"reason": ...}`, or nothing where Jetty answers with a page.
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

fn found<T>(answer: Result<T, AdminError>) -> Result<Option<T>, AdminError> {
    match answer {
        Err(error) if error.status() == Some(404) => Ok(None),
        answer => answer.map(Some),
    }
}

fn namespace_path(tenant: &str, namespace: &str) -> String {
    format!("namespaces/{}/{}", part(tenant), part(namespace))
}

/// A policy's name may have several parts, of which the last may be a role with `;` and `=` in it.
fn policy_path(tenant: &str, namespace: &str, policy: &str) -> String {
    let policy: Vec<String> = policy.split('/').map(part).collect();
    format!("{}/{}", namespace_path(tenant, namespace), policy.join("/"))
}

/// One part of a path.
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
