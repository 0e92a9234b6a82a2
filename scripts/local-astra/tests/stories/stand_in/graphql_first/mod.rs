//! Behavior of GraphQL-first that the recordings do not cover: interrupted and concurrent deployments, hostile schemas,
//! permissions, persistence, and other combinations of the directives.

mod answers;
mod directives;

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use access::Logins;
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use settings::layout::Layout;
use settings::secrets::Secrets;
use settings::token::{Credentials, Token};
use store::Store;
use tokio::sync::watch;

use crate::astra::{RUN_LIMIT, block_on, local_astra};

const BOOKS: &str = "type Book @cql_input { title: String! @cql_column(partitionKey: true) author: String } \
     type Query { book(title: String!): Book } \
     type Mutation { insertBook(book: BookInput!): Book deleteBook(book: BookInput!): Boolean }";

const DEPLOY: &str = "mutation($keyspace: String!, $schema: String!, $expectedVersion: String, $force: Boolean = false, \
     $dryRun: Boolean = false, $strategy: MigrationStrategy = ADD_MISSING_TABLES_AND_COLUMNS) { \
     deploySchema(keyspace: $keyspace, schema: $schema, expectedVersion: $expectedVersion, force: $force, \
     dryRun: $dryRun, migrationStrategy: $strategy) { version cqlChanges } }";

/// A client of one keyspace.
struct First {
    base: String,
    token: String,
    keyspace: String,
    client: Client,
}

impl First {
    /// Creates a client with a separate keyspace and the application token.
    fn new() -> First {
        let astra = local_astra();
        First::at(astra.url(), astra.application(), astra.keyspace())
    }

    fn at(base: String, token: String, keyspace: String) -> First {
        First {
            base,
            token,
            keyspace,
            client: crate::astra::client(),
        }
    }

    async fn post(&self, path: &str, query: &str, variables: Value) -> (u16, Value) {
        let request = self
            .client
            .post(format!("{}/api/{path}", self.base))
            .header("X-Cassandra-Token", &self.token)
            .timeout(Duration::from_secs(60))
            .json(&json!({"query": query, "variables": variables}));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// Sends an operation of the deployed schema.
    async fn ask(&self, query: &str) -> Value {
        let path = format!("graphql/{}", self.keyspace);
        let (status, body) = self.post(&path, query, json!({})).await;
        assert_eq!(status, 200, "{query}: {body}");
        body
    }

    /// Returns the data of an operation that must succeed.
    async fn data(&self, query: &str) -> Value {
        let body = self.ask(query).await;
        assert!(body.get("errors").is_none(), "{query}: {body}");
        body["data"].clone()
    }

    async fn deploy(&self, schema: &str, more: Value) -> Result<Value, Value> {
        let mut variables = json!({"keyspace": self.keyspace, "schema": schema});
        let (to, from) = (variables.as_object_mut().unwrap(), more);
        to.extend(from.as_object().unwrap().clone());
        let (status, body) = self.post("graphql-admin", DEPLOY, variables).await;
        assert_eq!(status, 200, "{body}");
        match body.get("errors") {
            Some(errors) => Err(errors[0].clone()),
            None => Ok(body["data"]["deploySchema"].clone()),
        }
    }

    async fn versions(&self) -> Vec<Value> {
        let query = "query($keyspace: String!) { schemas(keyspace: $keyspace) { version } }";
        let variables = json!({"keyspace": self.keyspace});
        let (_, body) = self.post("graphql-admin", query, variables).await;
        let schemas = body["data"]["schemas"].as_array();
        schemas.unwrap_or_else(|| panic!("{body}")).clone()
    }
}

fn message(error: &Value) -> &str {
    error["message"].as_str().unwrap_or_default()
}

/// Deploys on a separate local Astra, and writes a row.
pub fn deploy_on(data: &Path) {
    block_on(async {
        let first = of_data(data);
        first.deploy(BOOKS, json!({})).await.unwrap();
        let insert = "mutation { insertBook(book: { title: \"Emma\" }) { title } }";
        first.data(insert).await;
    });
}

/// Checks that the deployed schema still works, with its version.
pub fn answers_on(data: &Path) {
    block_on(async {
        let first = of_data(data);
        let found = first.data("{ book(title: \"Emma\") { title } }").await;
        assert_eq!(found["book"]["title"], "Emma");
        let refused = first.deploy(BOOKS, json!({})).await.unwrap_err();
        assert!(
            message(&refused).contains("more recent version"),
            "{refused}"
        );
    });
}

fn of_data(data: &Path) -> First {
    let ports = Layout::of(data, None).unwrap().ports;
    let token = Secrets::of(data).unwrap().application.token.text();
    First::at(
        format!("http://127.0.0.1:{}", ports.plain),
        token.expose_secret().to_owned(),
        settings::GRAPHQL_FIRST_KEYSPACE.to_owned(),
    )
}

#[test]
fn a_deployment_that_broke_off_blocks_the_next_one_until_it_is_forced() {
    let first = First::new();
    let typed = |typ: &str| {
        format!(
            "type B @cql_input {{ id: ID! u: U }} type U @cql_entity(target: UDT) @cql_input {{ x: {typ} }} \
             type Query {{ b(id: ID!): B }}"
        )
    };
    block_on(async {
        let deployed = first.deploy(&typed("Int"), json!({})).await.unwrap();
        let version = &deployed["version"];
        // Only the type differs, and Cassandra does not drop a type that a table has: it fails in the middle.
        let strategy = "DROP_AND_RECREATE_IF_MISMATCH";
        let more = json!({"expectedVersion": version, "strategy": strategy});
        let broken = first.deploy(&typed("String"), more).await.unwrap_err();
        assert!(
            message(&broken).contains("Cannot drop user type"),
            "{broken}"
        );
        let more = json!({"expectedVersion": version});
        let blocked = first.deploy(&typed("Int"), more).await.unwrap_err();
        assert!(
            message(&blocked).contains("someone else is deploying"),
            "{blocked}"
        );
        let undeploy = "mutation($keyspace: String!, $version: String!) { \
             undeploySchema(keyspace: $keyspace, expectedVersion: $version) }";
        let variables = json!({"keyspace": first.keyspace, "version": version});
        let (_, body) = first.post("graphql-admin", undeploy, variables).await;
        let blocked = body["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(blocked.contains("someone else is deploying"), "{body}");
        assert_eq!(
            first
                .data("{ b(id: \"00000000-0000-4000-8000-000000000001\") { id } }")
                .await["b"],
            Value::Null
        );
        let more = json!({"expectedVersion": version, "force": true});
        first.deploy(&typed("Int"), more).await.unwrap();
        assert_eq!(first.versions().await.len(), 2);
    });
}

#[test]
fn of_deployments_at_the_same_time_one_wins() {
    let first = First::new();
    block_on(async {
        let all = (0..8).map(|_| first.deploy(BOOKS, json!({})));
        let done = futures::future::join_all(all).await;
        let won = done.iter().filter(|done| done.is_ok()).count();
        assert_eq!(won, 1, "{done:?}");
        assert_eq!(first.versions().await.len(), 1);
    });
}

#[test]
fn the_newest_ten_versions_are_kept() {
    let first = First::new();
    block_on(async {
        let mut version = Value::Null;
        for _ in 0..12 {
            let more = json!({"expectedVersion": version});
            version = first.deploy(BOOKS, more).await.unwrap()["version"].clone();
        }
        let versions = first.versions().await;
        assert_eq!(versions.len(), 10);
        assert_eq!(versions[0]["version"], version);
    });
}

#[test]
fn hostile_schemas_and_queries_are_refused() {
    let first = First::new();
    let udt = "@cql_entity(target: UDT)";
    let deep = format!(
        "type A {{ a: {}Int{} }}",
        "[".repeat(9_000),
        "]".repeat(9_000)
    );
    let circle = format!(
        "type A {{ id: ID! }} type Query {{ a(id: ID!): A }} type U {udt} {{ v: V }} type V {udt} {{ u: U }}"
    );
    let inputs = "type A { id: ID! } type Query { a(id: ID!): A } input I { i: I! } \
         type Mutation { updateA(id: ID, i: I): Boolean @cql_update(targetEntity: \"A\") }";
    block_on(async {
        for (schema, wanted) in [
            (deep.as_str(), "recursion limit"),
            (&"type A { a: Int } ".repeat(60_000), "bytes"),
            (&"type A { a: Int } ".repeat(50_000), "limit"),
            (&"#".repeat(3_000_000), "bytes"),
            (&circle, "cycle"),
            (inputs, "could not find field i"),
        ] {
            for dry_run in [true, false] {
                let more = json!({"dryRun": dry_run});
                let refused = first.deploy(schema, more).await.unwrap_err().to_string();
                assert!(refused.contains(wanted), "{wanted}: {refused:.400}");
            }
        }
        // A schema that names its fields in a circle is fine; a query has limits of depth and of its response.
        first.deploy(BOOKS, json!({})).await.unwrap();
        let deep = format!("{}a{}", "{a".repeat(5_000), "}".repeat(5_000));
        let many = format!("{{{}}}", "a:__typename ".repeat(50_000));
        let names: String = (0..100).map(|n| format!("n{n}: name ")).collect();
        let schemas: String = (0..600)
            .map(|n| format!("s{n}: __schema {{ ...S }} "))
            .collect();
        let types = format!(
            "{{ {schemas} }} fragment S on __Schema {{ types {{ fields {{ {names} }} }} }}"
        );
        let circle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
        for query in [deep.as_str(), &many, &types, circle] {
            let refused = first.ask(query).await;
            assert!(refused.get("data").is_none(), "{refused:.400}");
        }
    });
}

#[test]
fn who_may_change_tables_may_deploy() {
    let owner = First::new();
    let astra = local_astra();
    block_on(async {
        owner.deploy(BOOKS, json!({})).await.unwrap();
        let made = Credentials::generate().unwrap();
        let token = Token::of(&made.client_id, &made.secret).unwrap();
        let session = astra.cql().await;
        access::create_role(&session, &token, false).await.unwrap();
        let reader = First::at(
            astra.url(),
            token.text().expose_secret().to_owned(),
            owner.keyspace.clone(),
        );
        let hidden = reader.deploy(BOOKS, json!({})).await.unwrap_err();
        assert!(message(&hidden).contains("does not exist"), "{hidden}");
        let path = format!("graphql/{}", reader.keyspace);
        let (status, body) = reader.post(&path, "{ __typename }", json!({})).await;
        assert_eq!(status, 401, "{body}");
        let grant = format!(
            "GRANT SELECT ON ALL TABLES IN KEYSPACE {} TO \"{}\"",
            owner.keyspace, made.client_id
        );
        session.query_unpaged(grant, ()).await.unwrap();
        access::clear_caches(&session).await.unwrap();
        assert_eq!(
            reader.data("{ book(title: \"x\") { title } }").await["book"],
            Value::Null
        );
        let refused = reader
            .deploy(BOOKS, json!({"dryRun": true}))
            .await
            .unwrap_err();
        assert!(message(&refused).contains("PERMISSION_DENIED"), "{refused}");
        let insert = "mutation { insertBook(book: { title: \"x\" }) { title } }";
        let refused = reader.ask(insert).await.to_string();
        assert!(refused.contains("PERMISSION_DENIED"), "{refused}");
    });
}

#[test]
fn what_one_gateway_deploys_another_answers() {
    let first = First::new();
    let astra = local_astra();
    // Its own runtime goes on answering while the test asks.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_running, stop) = watch::channel(false);
    let other = runtime.block_on(async {
        let nodes = astra.layout.cassandra();
        let store = Store::open(nodes, astra.cql().await, astra.login()).await;
        let app = graphql::router(Logins::new(store.unwrap()));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(gateway::serve(listener, None, app, stop));
        First::at(base, astra.application(), first.keyspace.clone())
    });
    runtime.block_on(async {
        let deployed = first.deploy(BOOKS, json!({})).await.unwrap();
        let insert =
            "mutation { insertBook(book: { title: \"Emma\", author: \"Jane\" }) { title } }";
        first.data(insert).await;
        let ask = "{ book(title: \"Emma\") { author } }";
        // Its picture of the tables may be as old as its last look at them.
        let until = Instant::now() + RUN_LIMIT;
        let path = format!("graphql/{}", other.keyspace);
        let found = loop {
            let (status, body) = other.post(&path, ask, json!({})).await;
            if status == 200 && body["data"]["book"].is_object() {
                break body;
            }
            assert!(Instant::now() < until, "{body}");
        };
        assert_eq!(found["data"]["book"]["author"], "Jane");
        // And the other way round: a newer version of the other is this one's too, at once.
        let newer = BOOKS.replace("author: String", "author: String pages: Int");
        let more = json!({"expectedVersion": deployed["version"]});
        other.deploy(&newer, more).await.unwrap();
        first.data("{ book(title: \"Emma\") { pages } }").await;
    });
}

#[test]
fn tables_changed_behind_its_back_make_a_schema_unusable_until_they_fit_again() {
    let first = First::new();
    block_on(async {
        first.deploy(BOOKS, json!({})).await.unwrap();
        let session = local_astra().cql().await;
        let path = format!("graphql/{}", first.keyspace);
        let alter = |what: &str| format!("ALTER TABLE {}.\"Book\" {what}", first.keyspace);
        session
            .query_unpaged(alter("DROP author"), ())
            .await
            .unwrap();
        let (status, body) = first.post(&path, "{ __typename }", json!({})).await;
        assert_eq!(status, 500, "{body}");
        let missing = &body["errors"][0]["extensions"]["migrationErrors"];
        assert_eq!(*missing, json!(["[MISSING_COLUMN] Book.author"]));
        session
            .query_unpaged(alter("ADD author text"), ())
            .await
            .unwrap();
        first.data("{ book(title: \"x\") { author } }").await;
    });
}
