//! The settings of the samples, from the environment and from `.env`. It makes no requests.
//!
//! ```no_run
//! let astra = shared::Rest::from_env()?;
//! println!("keyspace {} at {}", astra.keyspace, astra.url);
//! # Ok::<(), shared::Problems>(())
//! ```
//!
//! - One struct for each sample. `from_env` reads what that sample needs and reports everything that is
//!   missing or wrong in one message.
//! - The environment wins over `.env`, which is looked for in the current folder, then in its parents.
//! - A name that is set but empty counts as absent; an empty one in the environment also hides `.env`.
//! - Tokens and passwords are [`SecretString`]s: `Debug` does not show them.
//! - URLs come without a slash at their end.

mod check;
mod dotenv;
mod names;
mod printable;
mod reader;
mod stop;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use names::{ALL, Setting};
pub use printable::printable;
pub use reader::Problems;
pub use secrecy::{ExposeSecret, SecretString};
pub use stop::{Stopped, stop_signal};

use check::{bundle, http_url, identifier, list, path, pulsar_url, token, uuid, word};
use reader::{Reader, read};

/// Name of the struct, the sample it is for, the names it reads, and each field with how it is read.
macro_rules! settings {
    (
        $(#[$about:meta])*
        $struct:ident for $sample:literal reads [$($name:literal),* $(,)?], $from:ident =>
        $($(#[$about_field:meta])* $field:ident: $type:ty = $value:expr;)*
    ) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $struct {
            $($(#[$about_field])* pub $field: $type,)*
        }

        impl $struct {
            /// The names that `from_env` reads.
            pub const NAMES: &[&str] = &[$($name),*];

            /// Reads the environment and `.env`. The error names everything that is missing or wrong.
            pub fn from_env() -> Result<Self, Problems> {
                read($sample, Self::read)
            }

            fn read($from: &mut Reader) -> Self {
                Self { $($field: $value,)* }
            }
        }
    };
}

/// The first of these that is set is the token of the database samples.
const DATABASE_TOKEN: &[&str] = &[
    "ASTRA_DB_APPLICATION_TOKEN",
    "ASTRA_DB_TOKEN",
    "ASTRA_ORG_TOKEN",
];

/// The first of these that is set is the token of the DevOps samples.
const ORG_TOKEN: &[&str] = &[
    "ASTRA_ORG_TOKEN",
    "ASTRA_DB_APPLICATION_TOKEN",
    "ASTRA_DB_TOKEN",
];

const API: &str = "https://api.astra.datastax.com";
const STREAMING_API: &str = "https://api.streaming.datastax.com";

settings! {
    Cql for "cql-sample" reads [
        "ASTRA_DB_CLIENT_ID", "ASTRA_DB_CLIENT_SECRET",
        "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_ORG_TOKEN",
        "CASSANDRA_CONTACT_POINTS", "ASTRA_DB_SECURE_BUNDLE_PATH", "ASTRA_DB_KEYSPACE",
    ], from =>
    contact: Contact = match from.find(&["CASSANDRA_CONTACT_POINTS"], list) {
        Some(points) => Contact::Points(points),
        None => Contact::Bundle(from.need(&["ASTRA_DB_SECURE_BUNDLE_PATH"], bundle)),
    };
    /// The client id; `token` if the password is an application token.
    username: String = from.cql_login().0;
    password: SecretString = from.cql_login().1;
    keyspace: String = from.need(&["ASTRA_DB_KEYSPACE"], identifier);
}

/// Where `cql-sample` connects to.
#[derive(Debug)]
pub enum Contact {
    /// A secure connect bundle, the zip that Astra makes for each database and region.
    Bundle(PathBuf),
    /// `host:port` of a self-hosted Cassandra, Stargate or cql-proxy.
    Points(Vec<String>),
}

settings! {
    Rest for "rest-sample" reads [
        "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_ORG_TOKEN",
        "ASTRA_DB_REST_URL", "ASTRA_DB_API_ENDPOINT", "ASTRA_DB_ID", "ASTRA_DB_REGION",
        "ASTRA_DB_KEYSPACE",
    ], from =>
    /// For the header `X-Cassandra-Token`.
    token: SecretString = from.need(DATABASE_TOKEN, token);
    /// Up to and without `/v2`.
    url: String = from.database_url(&["ASTRA_DB_REST_URL"], "/api/rest");
    keyspace: String = from.need(&["ASTRA_DB_KEYSPACE"], identifier);
}

settings! {
    Document for "document-sample" reads [
        "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_ORG_TOKEN",
        "ASTRA_DB_DOCUMENT_URL", "ASTRA_DB_REST_URL", "ASTRA_DB_API_ENDPOINT", "ASTRA_DB_ID",
        "ASTRA_DB_REGION", "ASTRA_DB_KEYSPACE",
    ], from =>
    /// For the header `X-Cassandra-Token`.
    token: SecretString = from.need(DATABASE_TOKEN, token);
    /// Up to and without `/v2`.
    url: String = from.database_url(&["ASTRA_DB_DOCUMENT_URL", "ASTRA_DB_REST_URL"], "/api/rest");
    /// The Document API calls it a namespace.
    keyspace: String = from.need(&["ASTRA_DB_KEYSPACE"], identifier);
}

settings! {
    GraphqlCqlFirst for "graphql-cql-first-sample" reads [
        "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_ORG_TOKEN",
        "ASTRA_DB_GRAPHQL_URL", "ASTRA_DB_GRAPHQL_URL_SCHEMA", "ASTRA_DB_API_ENDPOINT",
        "ASTRA_DB_ID", "ASTRA_DB_REGION", "ASTRA_DB_KEYSPACE",
    ], from =>
    /// For the header `X-Cassandra-Token`.
    token: SecretString = from.need(DATABASE_TOKEN, token);
    /// Rows: `.../graphql/{keyspace}`.
    url: String = from.graphql_url();
    /// Tables: `.../graphql-schema`.
    schema_url: String = from.database_url(&["ASTRA_DB_GRAPHQL_URL_SCHEMA"], "/api/graphql-schema");
    keyspace: String = from.need(&["ASTRA_DB_KEYSPACE"], identifier);
}

settings! {
    GraphqlFirst for "graphql-first-sample" reads [
        "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_ORG_TOKEN",
        "ASTRA_DB_GRAPHQL_URL_ADMIN", "ASTRA_DB_GRAPHQL_URL_SCHEMA", "ASTRA_DB_API_ENDPOINT",
        "ASTRA_DB_ID", "ASTRA_DB_REGION", "ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", "ASTRA_DB_KEYSPACE",
    ], from =>
    /// For the header `X-Cassandra-Token`.
    token: SecretString = from.need(DATABASE_TOKEN, token);
    /// Where a schema is deployed: `.../graphql-admin`.
    admin_url: String = from.database_url(&["ASTRA_DB_GRAPHQL_URL_ADMIN"], "/api/graphql-admin");
    /// What that schema serves: `.../graphql/{keyspace}`.
    url: String = from.graphql_first_url();
    /// Where the table is dropped at the end: `.../graphql-schema`.
    schema_url: String = from.database_url(&["ASTRA_DB_GRAPHQL_URL_SCHEMA"], "/api/graphql-schema");
    /// For this sample alone, never that of `ASTRA_DB_KEYSPACE`.
    keyspace: String = from.graphql_first_keyspace();
}

settings! {
    Grpc for "grpc-sample" reads [
        "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_ORG_TOKEN",
        "ASTRA_DB_GRPC_URL", "ASTRA_DB_API_ENDPOINT", "ASTRA_DB_ID", "ASTRA_DB_REGION",
        "ASTRA_DB_KEYSPACE",
    ], from =>
    /// For the metadata key `x-cassandra-token`.
    token: SecretString = from.need(DATABASE_TOKEN, token);
    /// `https` means TLS, `http` none.
    url: String = from.database_url(&["ASTRA_DB_GRPC_URL"], "");
    keyspace: String = from.need(&["ASTRA_DB_KEYSPACE"], identifier);
}

settings! {
    PulsarClient for "pulsar-client-sample" reads [
        "ASTRA_STREAMING_NAME", "ASTRA_STREAMING_PULSAR_TOKEN", "ASTRA_STREAMING_BROKER_URL",
        "ASTRA_STREAMING_WEBSERVICE_URL", "ASTRA_STREAMING_CLOUD", "ASTRA_STREAMING_REGION",
    ], from =>
    tenant: String = from.need(&["ASTRA_STREAMING_NAME"], word);
    /// The tenant's own, a JWT, not an Astra token.
    token: SecretString = from.need(&["ASTRA_STREAMING_PULSAR_TOKEN"], token);
    /// `pulsar+ssl://host:6651`, or `pulsar://` without TLS.
    broker_url: String = from.cluster_url(
        "ASTRA_STREAMING_BROKER_URL", pulsar_url, "pulsar+ssl://", ".streaming.datastax.com:6651");
    /// Of the admin API, up to and without `/admin/v2`, to make and remove the topic.
    admin_url: String = from.cluster_url(
        "ASTRA_STREAMING_WEBSERVICE_URL", http_url, "https://", ".api.streaming.datastax.com");
}

settings! {
    PulsarAdmin for "pulsar-admin-sample" reads [
        "ASTRA_STREAMING_NAME", "ASTRA_STREAMING_PULSAR_TOKEN", "ASTRA_STREAMING_WEBSERVICE_URL",
        "ASTRA_STREAMING_CLOUD", "ASTRA_STREAMING_REGION",
    ], from =>
    tenant: String = from.need(&["ASTRA_STREAMING_NAME"], word);
    /// The tenant's own, a JWT, not an Astra token.
    token: SecretString = from.need(&["ASTRA_STREAMING_PULSAR_TOKEN"], token);
    /// Up to and without `/admin/v2`.
    url: String = from.cluster_url(
        "ASTRA_STREAMING_WEBSERVICE_URL", http_url, "https://", ".api.streaming.datastax.com");
}

settings! {
    DevopsDatabase for "devops-database-sample" reads [
        "ASTRA_ORG_TOKEN", "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_API_URL",
        "ASTRA_DB_ID", "ASTRA_DB_REGION", "ASTRA_DB_SECURE_BUNDLE_PATH",
    ], from =>
    /// For `Authorization: Bearer`.
    token: SecretString = from.need(ORG_TOKEN, token);
    /// Up to and without `/v2`.
    url: String = from.find(&["ASTRA_API_URL"], http_url).unwrap_or(API.into());
    database_id: String = from.need(&["ASTRA_DB_ID"], uuid);
    region: String = from.need(&["ASTRA_DB_REGION"], word);
    /// Where the secure connect bundle is written to; it need not exist.
    bundle_path: Option<PathBuf> = from.find(&["ASTRA_DB_SECURE_BUNDLE_PATH"], path);
}

settings! {
    DevopsOrganization for "devops-organization-sample" reads [
        "ASTRA_ORG_TOKEN", "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_API_URL",
    ], from =>
    /// For `Authorization: Bearer`.
    token: SecretString = from.need(ORG_TOKEN, token);
    /// Up to and without `/v2`.
    url: String = from.find(&["ASTRA_API_URL"], http_url).unwrap_or(API.into());
}

settings! {
    DevopsStreaming for "devops-streaming-sample" reads [
        "ASTRA_ORG_TOKEN", "ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_TOKEN", "ASTRA_API_URL",
        "ASTRA_STREAMING_API_URL",
    ], from =>
    /// For `Authorization: Bearer`.
    token: SecretString = from.need(ORG_TOKEN, token);
    /// Up to and without `/v2`.
    url: String = from.find(&["ASTRA_API_URL"], http_url).unwrap_or(API.into());
    /// Up to and without `/v2`.
    streaming_url: String = from.find(&["ASTRA_STREAMING_API_URL"], http_url).unwrap_or(STREAMING_API.into());
}
