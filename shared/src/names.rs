//! Every name that a sample reads, what it is, and how somebody with an Astra account gets it.

/// A name in the environment or in `.env`.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Where it comes from: a command of the Astra CLI, a place in the console.
    pub get: &'static str,
}

const fn setting(name: &'static str, what: &'static str, get: &'static str) -> Setting {
    Setting { name, what, get }
}

const DOTENV: &str = "`astra db create-dotenv DB`, or the page of the database in the console";
const TENANT_TOKEN: &str = "Create Token in the tenant's Settings tab in the console, or CLI 0.x: \
     `astra streaming create-dotenv TENANT`, or CLI 1.x: `astra streaming pulsar-token TENANT`";
const TENANT: &str =
    "the tenant's Connect tab in the console, or CLI 0.x: `astra streaming create-dotenv TENANT`";
const OPTIONAL: &str = "optional: follows from ASTRA_DB_ID and ASTRA_DB_REGION";

/// All settings of all samples, in the order of `.env.example`.
#[rustfmt::skip]
pub const ALL: &[Setting] = &[
    setting("ASTRA_DB_APPLICATION_TOKEN", "application token for a database, AstraCS:...",
        "`astra db create-dotenv DB`, or Settings > Tokens in the console (role Database Administrator)"),
    setting("ASTRA_DB_TOKEN", "the same, as version 1 of the Astra CLI names it; read if the one above is empty",
        "version 1 of the Astra CLI writes it: `astra db create-dotenv DB`"),
    setting("ASTRA_ORG_TOKEN", "application token for the DevOps API, AstraCS:...",
        "`astra db create-dotenv DB`, or Settings > Tokens in the console (role Organization Administrator)"),
    setting("ASTRA_DB_ID", "id of the database, a UUID", DOTENV),
    setting("ASTRA_DB_REGION", "region of the database, such as us-east1", DOTENV),
    setting("ASTRA_DB_KEYSPACE", "keyspace in which the samples make their tables",
        "`astra db create-keyspace DB -k NAME`, or the page of the database in the console"),
    setting("ASTRA_DB_API_ENDPOINT", "base URL of the database's APIs", OPTIONAL),
    setting("ASTRA_DB_REST_URL", "base URL of the REST API, before /v2", OPTIONAL),
    setting("ASTRA_DB_DOCUMENT_URL", "base URL of the Document API, before /v2", OPTIONAL),
    setting("ASTRA_DB_GRAPHQL_URL", "GraphQL, CQL-first: URL of the keyspace's data", OPTIONAL),
    setting("ASTRA_DB_GRAPHQL_URL_SCHEMA", "GraphQL: URL of the schema of tables", OPTIONAL),
    setting("ASTRA_DB_GRAPHQL_URL_ADMIN", "GraphQL-first: URL to which a schema is deployed", OPTIONAL),
    setting("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", "a second keyspace, for GraphQL-first alone",
        "`astra db create-keyspace DB -k NAME`, or the page of the database in the console"),
    setting("ASTRA_DB_GRPC_URL", "URL of the gRPC API", OPTIONAL),
    setting("ASTRA_DB_SECURE_BUNDLE_PATH", "path of the secure connect bundle, a zip",
        "`astra db download-scb DB`, or the page of the database in the console, or devops-database-sample"),
    setting("ASTRA_DB_CLIENT_ID", "client id of a token, with ASTRA_DB_CLIENT_SECRET, in place of a token",
        "Settings > Tokens in the console, shown once when a token is made"),
    setting("ASTRA_DB_CLIENT_SECRET", "secret of a token, with ASTRA_DB_CLIENT_ID, in place of a token",
        "Settings > Tokens in the console, shown once when a token is made"),
    setting("CASSANDRA_CONTACT_POINTS", "host:port,... of a self-hosted Cassandra, in place of a bundle",
        "your own cluster; for Astra leave it empty"),
    setting("ASTRA_API_URL", "base URL of the DevOps API, before /v2", "optional: https://api.astra.datastax.com"),
    setting("ASTRA_STREAMING_API_URL", "base URL of the streaming API, before /v2",
        "optional: https://api.streaming.datastax.com"),
    setting("ASTRA_STREAMING_NAME", "name of the streaming tenant", TENANT),
    setting("ASTRA_STREAMING_PULSAR_TOKEN", "Pulsar token of the tenant, a JWT (no Astra token)", TENANT_TOKEN),
    setting("ASTRA_STREAMING_BROKER_URL", "broker service URL, pulsar+ssl://...:6651", TENANT),
    setting("ASTRA_STREAMING_WEBSERVICE_URL", "web service URL, https://...", TENANT),
    setting("ASTRA_STREAMING_CLOUD", "cloud of the tenant, such as aws; with the region enough if a URL is empty", TENANT),
    setting("ASTRA_STREAMING_REGION", "region of the tenant, without dashes, such as useast2", TENANT),
];
