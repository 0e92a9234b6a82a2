//! The settings of the samples, from the environment and from `.env`; a stop signal; and printable text. Nothing here
//! makes a request.
//!
//! ```no_run
//! let astra = shared::Rest::from_env()?;
//! println!("keyspace {} at {}", astra.keyspace, astra.url);
//! # Ok::<(), shared::Problems>(())
//! ```
//!
//! - One struct per sample. `from_env` reads the settings that the sample needs, and reports everything that is
//!   missing or wrong in one message.
//! - The environment wins over `.env`, which is searched for in the current folder, then in its parents.
//! - A name that is set but empty counts as absent. In the environment, it also hides the one in `.env`.
//! - Tokens and passwords are [`SecretString`]s: `Debug` does not show them.
//! - URLs have no slash at their end.
//!
//! To add a setting, describe it in `names.rs` and read it here. Everything else follows from that: [`SAMPLES`],
//! `.env.example`, `cargo local run` and `scripts/copy-sample`.

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
pub use reader::{Problems, Sample};
pub use secrecy::{ExposeSecret, SecretString};
pub use stop::{StopSignal, Stopped, stop_signal};

use check::{file, http_url, identifier, list, path, pulsar_url, token, uuid, word};
use names::*;
use reader::{Reader, read};

/// Defines a struct per sample, whose fields are read in their order, and the list of the samples.
macro_rules! samples {
    ($($sample:literal: $struct:ident, $from:ident => {
        $($(#[$about:meta])* $field:ident: $type:ty = $value:expr;)*
    })*) => {
        /// All samples.
        pub const SAMPLES: &[Sample] =
            &[$(Sample { name: $sample, constructor: |from| drop($struct::read(from)) }),*];

        $(
            #[doc = concat!("The settings of `", $sample, "`.")]
            #[derive(Debug)]
            pub struct $struct {
                $($(#[$about])* pub $field: $type,)*
            }

            impl $struct {
                /// Reads the environment and `.env`. The error names everything that is missing or wrong.
                pub fn from_env() -> Result<Self, Problems> {
                    read($sample, Self::read)
                }

                fn read($from: &mut Reader) -> Self {
                    Self { $($field: $value,)* }
                }
            }
        )*
    };
}

/// Settings for the token of the database samples; the first that is set counts.
const DATABASE_TOKEN: &[Setting] = &[ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_TOKEN, ASTRA_ORG_TOKEN];

/// Settings for the token of the DevOps samples; the first that is set counts.
const ORG_TOKEN: &[Setting] = &[ASTRA_ORG_TOKEN, ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_TOKEN];

const API: &str = "https://api.astra.datastax.com";
const STREAMING_API: &str = "https://api.streaming.datastax.com";

/// The target that `cql-sample` connects to.
#[derive(Debug)]
pub enum Contact {
    /// A secure connect bundle, the zip that Astra creates per database and region.
    Bundle(PathBuf),
    /// `host:port` of each node of a self-hosted Cassandra, Stargate or cql-proxy.
    Points(Vec<String>),
}

samples! {
    "cql-sample": Cql, from => {
        contact: Contact = match from.find(&[CASSANDRA_CONTACT_POINTS], list) {
            Some(points) => Contact::Points(points),
            None => Contact::Bundle(from.need(&[ASTRA_DB_SECURE_BUNDLE_PATH], file)),
        };
        /// The client id; `token` if the password is an application token.
        username: String = from.cql_login().0;
        password: SecretString = from.cql_login().1;
        keyspace: String = from.need(&[ASTRA_DB_KEYSPACE], identifier);
    }

    "rest-sample": Rest, from => {
        /// For the header `X-Cassandra-Token`.
        token: SecretString = from.need(DATABASE_TOKEN, token);
        /// Up to and without `/v2`.
        url: String = from.database_url(&[ASTRA_DB_REST_URL], "/api/rest");
        keyspace: String = from.need(&[ASTRA_DB_KEYSPACE], identifier);
    }

    "document-sample": Document, from => {
        /// For the header `X-Cassandra-Token`.
        token: SecretString = from.need(DATABASE_TOKEN, token);
        /// Up to and without `/v2`.
        url: String = from.database_url(&[ASTRA_DB_DOCUMENT_URL, ASTRA_DB_REST_URL], "/api/rest");
        /// The Document API calls it a namespace.
        keyspace: String = from.need(&[ASTRA_DB_KEYSPACE], identifier);
    }

    "graphql-cql-first-sample": GraphqlCqlFirst, from => {
        /// For the header `X-Cassandra-Token`.
        token: SecretString = from.need(DATABASE_TOKEN, token);
        /// Rows: `.../graphql/{keyspace}`.
        url: String = from.graphql_url();
        /// Tables: `.../graphql-schema`.
        schema_url: String = from.database_url(&[ASTRA_DB_GRAPHQL_URL_SCHEMA], "/api/graphql-schema");
        keyspace: String = from.need(&[ASTRA_DB_KEYSPACE], identifier);
    }

    "graphql-first-sample": GraphqlFirst, from => {
        /// For the header `X-Cassandra-Token`.
        token: SecretString = from.need(DATABASE_TOKEN, token);
        /// Deploys a schema: `.../graphql-admin`.
        admin_url: String = from.database_url(&[ASTRA_DB_GRAPHQL_URL_ADMIN], "/api/graphql-admin");
        /// Serves the deployed schema: `.../graphql/{keyspace}`.
        url: String = from.graphql_first_url();
        /// Drops the table at the end: `.../graphql-schema`.
        schema_url: String = from.database_url(&[ASTRA_DB_GRAPHQL_URL_SCHEMA], "/api/graphql-schema");
        /// For this sample only, never the one of `ASTRA_DB_KEYSPACE`.
        keyspace: String = from.graphql_first_keyspace();
    }

    "grpc-sample": Grpc, from => {
        /// For the metadata key `x-cassandra-token`.
        token: SecretString = from.need(DATABASE_TOKEN, token);
        /// With TLS if it begins with `https`, without if it begins with `http`.
        url: String = from.database_url(&[ASTRA_DB_GRPC_URL], "");
        keyspace: String = from.need(&[ASTRA_DB_KEYSPACE], identifier);
    }

    "pulsar-client-sample": PulsarClient, from => {
        tenant: String = from.need(&[ASTRA_STREAMING_NAME], word);
        /// The token of the tenant, a JWT, not an Astra token.
        token: SecretString = from.need(&[ASTRA_STREAMING_PULSAR_TOKEN], token);
        /// `pulsar+ssl://host:6651`, or `pulsar://` without TLS.
        broker_url: String = from.cluster_url(
            ASTRA_STREAMING_BROKER_URL, pulsar_url, "pulsar+ssl://", ".streaming.datastax.com:6651");
        /// The admin API, up to and without `/admin/v2`. It creates and deletes the topic.
        admin_url: String = from.cluster_url(
            ASTRA_STREAMING_WEBSERVICE_URL, http_url, "https://", ".api.streaming.datastax.com");
    }

    "pulsar-admin-sample": PulsarAdmin, from => {
        tenant: String = from.need(&[ASTRA_STREAMING_NAME], word);
        /// The token of the tenant, a JWT, not an Astra token.
        token: SecretString = from.need(&[ASTRA_STREAMING_PULSAR_TOKEN], token);
        /// Up to and without `/admin/v2`.
        url: String = from.cluster_url(
            ASTRA_STREAMING_WEBSERVICE_URL, http_url, "https://", ".api.streaming.datastax.com");
    }

    "data-api-sample": DataApi, from => {
        /// For the header `Token`.
        token: SecretString = from.need(DATABASE_TOKEN, token);
        /// Up to and without `/v1`.
        url: String = from.database_url(&[ASTRA_DB_DATA_API_URL], "/api/json");
        keyspace: String = from.need(&[ASTRA_DB_KEYSPACE], identifier);
    }

    "data-api-tables-sample": DataApiTables, from => {
        /// For the header `Token`.
        token: SecretString = from.need(DATABASE_TOKEN, token);
        /// Up to and without `/v1`.
        url: String = from.database_url(&[ASTRA_DB_DATA_API_URL], "/api/json");
        keyspace: String = from.need(&[ASTRA_DB_KEYSPACE], identifier);
    }

    "devops-database-sample": DevopsDatabase, from => {
        /// For `Authorization: Bearer`.
        token: SecretString = from.need(ORG_TOKEN, token);
        /// Up to and without `/v2`.
        url: String = from.find(&[ASTRA_API_URL], http_url).unwrap_or(API.into());
        database_id: String = from.need(&[ASTRA_DB_ID], uuid);
        region: String = from.need(&[ASTRA_DB_REGION], word);
        /// The file for the downloaded secure connect bundle, which need not exist.
        bundle_path: Option<PathBuf> = from.find(&[ASTRA_DB_SECURE_BUNDLE_PATH], path);
    }

    "devops-organization-sample": DevopsOrganization, from => {
        /// For `Authorization: Bearer`.
        token: SecretString = from.need(ORG_TOKEN, token);
        /// Up to and without `/v2`.
        url: String = from.find(&[ASTRA_API_URL], http_url).unwrap_or(API.into());
    }

    "devops-streaming-sample": DevopsStreaming, from => {
        /// For `Authorization: Bearer`.
        token: SecretString = from.need(ORG_TOKEN, token);
        /// Up to and without `/v2`.
        url: String = from.find(&[ASTRA_API_URL], http_url).unwrap_or(API.into());
        /// Up to and without `/v2`.
        streaming_url: String =
            from.find(&[ASTRA_STREAMING_API_URL], http_url).unwrap_or(STREAMING_API.into());
    }
}
