//! The settings of all samples: descriptions, and instructions to obtain them.

/// A name in the environment or in `.env`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    /// The part of `.env.example` that it belongs to.
    pub part: &'static str,
    /// Description of the value.
    pub what: &'static str,
    /// Source of the value: a command of the Astra CLI, or a place in the console.
    pub from: &'static str,
}

/// Defines a constant for each setting, and `ALL`.
macro_rules! settings {
    ($($part:literal { $($name:ident: $what:expr, from $from:expr;)* })*) => {
        $($(pub(crate) const $name: Setting =
            Setting { name: stringify!($name), part: $part, what: $what, from: $from };)*)*

        /// All settings of all samples, in the order of `.env.example`.
        pub const ALL: &[Setting] = &[$($($name),*),*];
    };
}

const DOTENV: &str = "`astra db create-dotenv DB`, or the page of the database in the console";
const KEYSPACE: &str =
    "`astra db create-keyspace DB -k NAME`, or the page of the database in the console";
const CLIENT: &str = "Settings > Tokens in the console, shown once when you create a token";
const TENANT: &str =
    "the tenant's Connect tab in the console, or CLI 0.x: `astra streaming create-dotenv TENANT`";
const TENANT_TOKEN: &str = "Create Token in the tenant's Settings tab in the console, or CLI 0.x: \
     `astra streaming create-dotenv TENANT`, or CLI 1.x: `astra streaming pulsar-token TENANT`";
const ENDPOINT: &str = "optional: the page of the database in the console, or derived from ASTRA_DB_ID and \
     ASTRA_DB_REGION";
const OPTIONAL: &str =
    "optional: derived from ASTRA_DB_API_ENDPOINT, or from ASTRA_DB_ID and ASTRA_DB_REGION";

settings! {
    "Databases" {
        ASTRA_DB_APPLICATION_TOKEN: "application token for a database, AstraCS:...",
            from "`astra db create-dotenv DB`, or Settings > Tokens in the console (role Database Administrator)";
        ASTRA_DB_TOKEN: "the same, under the name that version 1 of the Astra CLI uses; read if the one above is empty",
            from "version 1 of the Astra CLI: `astra db create-dotenv DB`";
        ASTRA_ORG_TOKEN: "application token for the DevOps API, AstraCS:...",
            from "`astra db create-dotenv DB`, or Settings > Tokens in the console (role Organization Administrator)";
        ASTRA_DB_ID: "id of the database, a UUID", from DOTENV;
        ASTRA_DB_REGION: "region of the database, such as us-east1", from DOTENV;
        ASTRA_DB_KEYSPACE: "keyspace in which the samples create their tables", from KEYSPACE;
    }
    "REST, Document, GraphQL, gRPC and Data API" {
        ASTRA_DB_API_ENDPOINT: "base URL of the database's APIs", from ENDPOINT;
        ASTRA_DB_REST_URL: "base URL of the REST API, before /v2", from OPTIONAL;
        ASTRA_DB_DOCUMENT_URL: "base URL of the Document API, before /v2", from OPTIONAL;
        ASTRA_DB_GRAPHQL_URL: "GraphQL, CQL-first: URL of the keyspace's data", from OPTIONAL;
        ASTRA_DB_GRAPHQL_URL_SCHEMA: "GraphQL: URL of the schema of tables", from OPTIONAL;
        ASTRA_DB_GRAPHQL_URL_ADMIN: "GraphQL-first: URL to which a schema is deployed", from OPTIONAL;
        ASTRA_DB_GRAPHQL_FIRST_KEYSPACE: "a second keyspace, for GraphQL-first only", from KEYSPACE;
        ASTRA_DB_GRPC_URL: "URL of the gRPC API", from OPTIONAL;
        ASTRA_DB_DATA_API_URL: "base URL of the Data API, before /v1", from OPTIONAL;
    }
    "CQL" {
        ASTRA_DB_SECURE_BUNDLE_PATH: "path of the secure connect bundle, a zip",
            from "`astra db download-scb DB`, or the page of the database in the console, or devops-database-sample";
        ASTRA_DB_CLIENT_ID: "client id of a token, with ASTRA_DB_CLIENT_SECRET, instead of a token; or your own user",
            from CLIENT;
        ASTRA_DB_CLIENT_SECRET: "secret of a token, with ASTRA_DB_CLIENT_ID, instead of a token; or your own password",
            from CLIENT;
        CASSANDRA_CONTACT_POINTS: "host:port,... of a self-hosted Cassandra, instead of a bundle",
            from "your own cluster; for Astra leave it empty";
    }
    "DevOps API" {
        ASTRA_API_URL: "base URL of the DevOps API, before /v2", from "optional: https://api.astra.datastax.com";
        ASTRA_STREAMING_API_URL: "base URL of the streaming API, before /v2",
            from "optional: https://api.streaming.datastax.com";
    }
    "Pulsar" {
        ASTRA_STREAMING_NAME: "name of the streaming tenant", from TENANT;
        ASTRA_STREAMING_PULSAR_TOKEN: "Pulsar token of the tenant, a JWT (not an Astra token)", from TENANT_TOKEN;
        ASTRA_STREAMING_BROKER_URL: "broker service URL, pulsar+ssl://...:6651", from TENANT;
        ASTRA_STREAMING_WEBSERVICE_URL: "web service URL, https://...", from TENANT;
        ASTRA_STREAMING_CLOUD: "cloud of the tenant, such as aws; with the region it replaces an empty URL", from TENANT;
        ASTRA_STREAMING_REGION: "region of the tenant, without dashes, such as useast2", from TENANT;
    }
}
