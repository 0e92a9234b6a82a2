//! The calls of the admin API that Astra allows to tenants. See
//! <https://docs.datastax.com/en/astra-streaming/apis/api-operations.html> and, for rejected ones,
//! <https://docs.datastax.com/en/astra-streaming/operations/astream-limits.html>.

use axum::http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::error::PulsarAdminError;

/// Policies of a namespace that a tenant can read but not change.
const READ_ONLY: [&str; 13] = [
    "bundles",
    "delayedDelivery",
    "dispatchRate",
    "offloadDeletionLagMs",
    "offloadPolicies",
    "offloadThreshold",
    "persistence",
    "replication",
    "replicatorDispatchRate",
    "resourcegroup",
    "subscribeRate",
    "subscriptionAuthMode",
    "subscriptionDispatchRate",
];

/// Objects whose statistics are requested one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Topics,
    Namespaces,
}

/// A request that a tenant can send about itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET tenants`
    Tenants,
    /// `GET tenants/{tenant}`
    Tenant { tenant: String },
    /// `PUT namespaces/{tenant}/{namespace}`, which is limited by a quota.
    NewNamespace { tenant: String, path: String },
    /// `GET stats/{topics|namespaces}/{tenant}[/{namespace}]`, which only Astra has.
    Stats {
        of: Of,
        tenant: String,
        namespace: Option<String>,
    },
    /// Any other request within a tenant, forwarded to `path`, which begins with `/admin/` or `/lookup/`.
    Within { tenant: String, path: String },
}

impl Call {
    /// Parses a method and an encoded path that begins with `/admin/` or `/lookup/`.
    ///
    /// The forwarded path is rebuilt from the parsed one, so that Pulsar cannot interpret it as that of another tenant.
    ///
    /// # Errors
    /// 400 for an invalid path, 401 for requests that no tenant is allowed, 501 for requests that are not served.
    pub fn of(method: &Method, path: &str) -> Result<Call, PulsarAdminError> {
        let parts = parts(path)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let within = |tenant: &str| Call::Within {
            tenant: tenant.to_owned(),
            path: encode(&parts),
        };
        match &parts[..] {
            ["admin", "v2", "tenants"] if method == Method::GET => Ok(Call::Tenants),
            ["admin", "v2", "tenants", tenant] if method == Method::GET => Ok(Call::Tenant {
                tenant: (*tenant).to_owned(),
            }),
            ["admin", "v2", "namespaces", tenant, _] if method == Method::PUT => {
                Ok(Call::NewNamespace {
                    tenant: (*tenant).to_owned(),
                    path: encode(&parts),
                })
            }
            ["admin", "v2", "namespaces", _, _, policy]
                if READ_ONLY.contains(policy) && method != Method::GET =>
            {
                Err(PulsarAdminError::Unauthorized)
            }
            ["admin", "v2", "namespaces", tenant, ..]
            | [
                "admin",
                "v2",
                "persistent" | "non-persistent" | "schemas",
                tenant,
                ..,
            ] => Ok(within(tenant)),
            [
                "lookup",
                "v2",
                "topic",
                "persistent" | "non-persistent",
                tenant,
                _,
                _,
            ]
            | [
                "lookup",
                "v2",
                "topic",
                "persistent" | "non-persistent",
                tenant,
                _,
                _,
                "bundle",
            ] if method == Method::GET => Ok(within(tenant)),
            ["lookup", ..] => Err(PulsarAdminError::NotServed(format!(
                "Local Astra does not serve {method} on this path: it looks up topics alone, at \
                 /lookup/v2/topic/persistent/TENANT/NAMESPACE/TOPIC"
            ))),
            [
                "admin",
                "v2",
                "stats",
                of @ ("topics" | "namespaces"),
                tenant,
            ]
            | [
                "admin",
                "v2",
                "stats",
                of @ ("topics" | "namespaces"),
                tenant,
                _,
            ] if method == Method::GET => Ok(Call::Stats {
                of: match *of {
                    "topics" => Of::Topics,
                    _ => Of::Namespaces,
                },
                tenant: (*tenant).to_owned(),
                namespace: parts.get(5).map(|&namespace| namespace.to_owned()),
            }),
            ["admin", "v2", "stats" | "secrets", ..] | ["admin", "v3", ..] => {
                let what = parts[1..].iter().take(2).copied().collect::<Vec<_>>();
                Err(PulsarAdminError::NotServed(format!(
                    "Local Astra does not serve {method} /admin/{}: it runs no functions, sinks, sources or \
                     packages, and keeps no secrets",
                    what.join("/")
                )))
            }
            // Brokers, clusters, quotas, tenants and so on are reserved for the cluster's operator.
            _ => Err(PulsarAdminError::Unauthorized),
        }
    }
}

/// Returns the decoded parts of a path.
fn parts(path: &str) -> Result<Vec<String>, PulsarAdminError> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/')
        .map(|part| {
            let part = percent_decode_str(part)
                .decode_utf8()
                .map_err(|_| PulsarAdminError::Path("it is not UTF-8"))?;
            match &*part {
                "" | "." | ".." => Err(PulsarAdminError::Path("it has an empty part, or . or ..")),
                part if part.chars().any(char::is_control) => {
                    Err(PulsarAdminError::Path("it has a control character"))
                }
                part => Ok(part.to_owned()),
            }
        })
        .collect()
}

fn encode(parts: &[&str]) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b':');
    parts
        .iter()
        .map(|part| format!("/{}", utf8_percent_encode(part, KEPT)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(method: &Method, path: &str) -> Option<String> {
        match Call::of(method, path) {
            Ok(Call::Tenant { tenant })
            | Ok(Call::NewNamespace { tenant, .. })
            | Ok(Call::Stats { tenant, .. })
            | Ok(Call::Within { tenant, .. }) => Some(tenant),
            Ok(Call::Tenants) | Err(_) => None,
        }
    }

    #[test]
    fn the_tenant_is_the_one_that_pulsar_will_see() {
        for path in [
            "/admin/v2/namespaces/t",
            "/admin/v2/namespaces/t/n/",
            "/admin/v2/persistent/t/n/topic/stats",
            "/admin/v2/non-persistent/t/n",
            "/admin/v2/schemas/t/n/topic/schema",
            "/admin/v2/tenants/t",
            "/admin/v2/namespaces/%74/n/retention",
            "/admin/v2/stats/topics/t",
            "/admin/v2/stats/namespaces/t/n",
            "/lookup/v2/topic/persistent/t/n/topic",
            "/lookup/v2/topic/persistent/t/n/topic/bundle",
        ] {
            assert_eq!(tenant(&Method::GET, path).as_deref(), Some("t"), "{path}");
        }
        let odd = Call::of(&Method::GET, "/admin/v2/persistent/t;a=b/n/..%2f..%2fx").unwrap();
        let expected = Call::Within {
            tenant: "t;a=b".to_owned(),
            path: "/admin/v2/persistent/t%3Ba%3Db/n/..%2F..%2Fx".to_owned(),
        };
        assert_eq!(odd, expected);
    }

    #[test]
    fn paths_that_nobody_means_are_refused() {
        for path in [
            "/admin/v2/persistent/t/../u",
            "/admin/v2/persistent/t/%2e%2e/u",
            "/admin/v2//persistent/t",
            "/admin/v2/persistent/t/%ff",
            "/admin/v2/persistent/t/a%00b",
        ] {
            let refused = Call::of(&Method::GET, path);
            assert!(matches!(refused, Err(PulsarAdminError::Path(_))), "{path}");
        }
    }

    #[test]
    fn what_belongs_to_the_operator_is_unauthorized() {
        for (method, path) in [
            (Method::PUT, "/admin/v2/tenants/t"),
            (Method::POST, "/admin/v2/tenants/t"),
            (Method::DELETE, "/admin/v2/tenants/t"),
            (Method::GET, "/admin/v2/clusters"),
            (Method::GET, "/admin/v2/brokers/health"),
            (Method::GET, "/admin/v2/broker-stats/metrics"),
            (Method::GET, "/admin/v2/resource-quotas"),
            (Method::POST, "/admin/v2/namespaces/t/n/persistence"),
            (Method::POST, "/admin/v2/namespaces/t/n/replication"),
            (Method::GET, "/admin/v2/namespaces"),
        ] {
            let refused = Call::of(&method, path);
            assert!(
                matches!(refused, Err(PulsarAdminError::Unauthorized)),
                "{method} {path}"
            );
        }
        let read = Call::of(&Method::GET, "/admin/v2/namespaces/t/n/persistence");
        assert!(read.is_ok());
    }
}
