//! The samples' settings with local Astra's values.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};

use super::layout::Ports;
use super::secrets::Secrets;
use super::{
    DATABASE_ID, DATABASE_REGION, Folders, GRAPHQL_FIRST_KEYSPACE, KEYSPACE, TENANT, TENANT_CLOUD,
    TENANT_REGION,
};

/// The gateway port that a sample uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// TLS, as on Astra. The sample has to trust local Astra's authority.
    Tls,
    /// No TLS. Works from a `.env` on every platform.
    Plain,
}

/// The token that a sample uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Astra's rules: keyspaces cannot be created or dropped.
    Application,
    /// A self-hosted Stargate's rules: everything is allowed.
    Operator,
}

/// Returns scheme, host and port of a door.
pub fn base(ports: &Ports, door: Door) -> String {
    match door {
        Door::Tls => format!("https://localhost:{}", ports.tls),
        Door::Plain => format!("http://localhost:{}", ports.plain),
    }
}

/// Returns every setting of the samples with its value for local Astra. A setting without a value is empty, which hides
/// the value in a `.env`, so that no local token is ever sent to the cloud.
pub fn of(
    folders: &Folders,
    ports: &Ports,
    secrets: &Secrets,
    door: Door,
    who: Who,
) -> Vec<(&'static str, SecretString)> {
    let base = base(ports, door);
    let login = match who {
        Who::Application => &secrets.application,
        Who::Operator => &secrets.operator,
    };
    let broker = ports.pulsar.broker_url(door == Door::Tls);
    let token = login.token.text();
    let values = [
        (
            "ASTRA_DB_APPLICATION_TOKEN",
            token.expose_secret().to_owned(),
        ),
        ("ASTRA_ORG_TOKEN", token.expose_secret().to_owned()),
        ("ASTRA_DB_ID", DATABASE_ID.to_owned()),
        ("ASTRA_DB_REGION", DATABASE_REGION.to_owned()),
        ("ASTRA_DB_KEYSPACE", KEYSPACE.to_owned()),
        (
            "ASTRA_DB_GRAPHQL_FIRST_KEYSPACE",
            GRAPHQL_FIRST_KEYSPACE.to_owned(),
        ),
        ("ASTRA_DB_SECURE_BUNDLE_PATH", bundle(folders)),
        ("ASTRA_DB_CLIENT_ID", login.client_id.clone()),
        (
            "ASTRA_DB_CLIENT_SECRET",
            login.secret.expose_secret().to_owned(),
        ),
        ("ASTRA_DB_API_ENDPOINT", base.clone()),
        ("ASTRA_DB_REST_URL", format!("{base}/api/rest")),
        (
            "ASTRA_DB_GRAPHQL_URL",
            format!("{base}/api/graphql/{KEYSPACE}"),
        ),
        (
            "ASTRA_DB_GRAPHQL_URL_SCHEMA",
            format!("{base}/api/graphql-schema"),
        ),
        (
            "ASTRA_DB_GRAPHQL_URL_ADMIN",
            format!("{base}/api/graphql-admin"),
        ),
        ("ASTRA_DB_GRPC_URL", base.clone()),
        ("ASTRA_DB_DATA_API_URL", format!("{base}/api/json")),
        ("ASTRA_API_URL", base.clone()),
        ("ASTRA_STREAMING_API_URL", base.clone()),
        ("ASTRA_STREAMING_NAME", TENANT.to_owned()),
        ("ASTRA_STREAMING_CLOUD", TENANT_CLOUD.to_owned()),
        ("ASTRA_STREAMING_REGION", TENANT_REGION.to_owned()),
        (
            "ASTRA_STREAMING_PULSAR_TOKEN",
            secrets.tenant.expose_secret().to_owned(),
        ),
        ("ASTRA_STREAMING_BROKER_URL", broker),
        ("ASTRA_STREAMING_WEBSERVICE_URL", base),
    ];
    let mut values = HashMap::from(values);
    let mut settings = Vec::new();
    for setting in shared::ALL {
        let value = values.remove(setting.name).unwrap_or_default();
        settings.push((setting.name, value.into()));
    }
    debug_assert!(values.is_empty(), "not in shared: {:?}", values.keys());
    settings
}

/// Returns the path of the first database's bundle, if local Astra has written it.
fn bundle(folders: &Folders) -> String {
    let bundle = folders.bundle();
    if bundle.exists() {
        bundle.display().to_string()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn every_setting_of_every_sample_is_set_even_if_to_nothing() {
        let data = tempfile::tempdir().unwrap();
        let folders = Folders::new(Some(data.path())).unwrap();
        let layout = Layout::of(data.path(), None).unwrap();
        let secrets = Secrets::of(data.path()).unwrap();
        let (ports, who) = (&layout.ports, Who::Application);
        let settings = of(&folders, ports, &secrets, Door::Tls, who);
        let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
        let all: Vec<&str> = shared::ALL.iter().map(|setting| setting.name).collect();
        assert_eq!(names, all);
        let value = |name: &str| {
            let (_, value) = settings.iter().find(|(known, _)| *known == name).unwrap();
            value.expose_secret().to_owned()
        };
        assert_eq!(value("CASSANDRA_CONTACT_POINTS"), "");
        assert_eq!(value("ASTRA_DB_KEYSPACE"), KEYSPACE);
    }
}
