//! Attacks over the wire: local Astra rejects the request, and serves the next one.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use bundle::connections;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::astra::{LocalAstra, RUN_LIMIT, block_on, local_astra};
use crate::stand_in::graphql::Graphql;

/// The application's requests.
struct Attacker {
    astra: &'static LocalAstra,
    keyspace: String,
}

impl Attacker {
    fn new() -> Attacker {
        let astra = local_astra();
        Attacker {
            keyspace: astra.keyspace(),
            astra,
        }
    }

    /// Status and body. `KS` stands for the keyspace.
    async fn send(&self, method: Method, path: &str, body: impl Into<String>) -> (u16, Value) {
        let path = path.replace("KS", &self.keyspace);
        let url = Url::parse(&format!("{}{path}", self.astra.url())).unwrap();
        let token = self.astra.application();
        let request = crate::astra::client()
            .request(method, url)
            .bearer_auth(&token)
            .header("X-Cassandra-Token", &token)
            .header("Token", &token)
            .header("Content-Type", "application/json")
            .body(body.into());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = serde_json::from_str(&answer.text().await.unwrap());
        (status, body.unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, body.to_string()).await
    }

    /// A table `t` and a collection `docs`.
    async fn with_data(self) -> Attacker {
        let table = json!({"name": "t", "primaryKey": {"partitionKey": ["a"]},
            "columnDefinitions": [{"name": "a", "typeDefinition": "text"},
                {"name": "m", "typeDefinition": "map<text, int>"}]});
        for (path, body) in [(TABLES, table), (COLLECTIONS, json!({"name": "docs"}))] {
            let (status, said) = self.post(path, &body).await;
            assert_eq!(status, 201, "{said}");
        }
        self
    }
}

const TABLES: &str = "/api/rest/v2/schemas/keyspaces/KS/tables";
const ROWS: &str = "/api/rest/v2/keyspaces/KS/t";
const COLLECTIONS: &str = "/api/rest/v2/namespaces/KS/collections";
const SCHEMA: &str = "/api/rest/v2/namespaces/KS/collections/docs/json-schema";

fn nested(open: &str, times: usize, close: &str) -> String {
    format!("{}1{}", open.repeat(times), close.repeat(times))
}

#[test]
fn what_is_nested_without_end_is_refused_and_the_next_request_served() {
    let post = Method::POST;
    let (list, object) = (nested("[", 6_000, "]"), nested("{\"a\":", 2_000, "}"));
    // An address is longer when it is encoded, and has a limit of its own.
    let short = [nested("[", 1_500, "]"), nested("{\"a\":", 190, "}")];
    let types = nested("map<", 5_000, ">");
    let selections = nested("{t", 5_000, "}");
    let circle = r##"{"allOf": [{"$ref": "#"}]}"##;
    let graphql = |query: &str, variables: &str| {
        format!(
            "{{\"query\":{},\"variables\":{{\"v\":{variables}}}}}",
            json!(query)
        )
    };
    let column = json!({"name": "x", "typeDefinition": types}).to_string();
    let table = json!({"name": "x", "primaryKey": {"partitionKey": ["a"]},
        "columnDefinitions": [{"name": "a", "typeDefinition": types}]});
    let attacker = Attacker::new();
    block_on(async {
        let attacker = attacker.with_data().await;
        for (deep, short) in [&list, &object].into_iter().zip(&short) {
            let wrapped = format!("{{\"a\":{{\"$eq\":{short}}}}}");
            for (method, path, body) in [
                (Method::GET, format!("{ROWS}?where={short}"), String::new()),
                (
                    Method::GET,
                    format!("{ROWS}?where={wrapped}"),
                    String::new(),
                ),
                (
                    post.clone(),
                    ROWS.to_owned(),
                    format!("{{\"a\":\"1\",\"m\":{deep}}}"),
                ),
                (
                    Method::GET,
                    format!("{COLLECTIONS}/docs?where={short}"),
                    String::new(),
                ),
                (post.clone(), format!("{COLLECTIONS}/docs"), deep.clone()),
                (Method::PUT, SCHEMA.to_owned(), deep.clone()),
                (post.clone(), "/api/json/v1/KS".to_owned(), deep.clone()),
                (
                    post.clone(),
                    "/api/graphql/KS".to_owned(),
                    graphql("{__typename}", deep),
                ),
                (
                    post.clone(),
                    "/v2/organizations/roles".to_owned(),
                    deep.clone(),
                ),
            ] {
                let (status, said) = attacker.send(method, &path, body).await;
                let path = &path[..path.len().min(60)];
                assert!(matches!(status, 200 | 400), "{path}: {status}: {said}");
                assert!(status == 400 || said["errors"].is_array(), "{path}: {said}");
            }
        }
        let columns = format!("{TABLES}/t/columns");
        for (path, body) in [
            (TABLES, table.to_string()),
            (&columns, column),
            ("/api/graphql/KS", graphql(&selections, "1")),
        ] {
            let (status, said) = attacker.send(post.clone(), path, body).await;
            let is_refused = matches!(status, 400 | 500) || said["errors"].is_array();
            assert!(is_refused, "{path}: {status}: {said}");
        }
        let (status, said) = attacker.send(Method::PUT, SCHEMA, circle).await;
        assert_eq!(status, 200, "{said}");
        let document = (&*format!("{COLLECTIONS}/docs"), json!({"b": 1}));
        assert_eq!(attacker.post(document.0, &document.1).await.0, 500);
        assert_eq!(attacker.send(Method::GET, ROWS, "").await.0, 400);
        let (status, said) = attacker.send(Method::GET, &format!("{ROWS}/1"), "").await;
        assert_eq!(status, 200, "{said}");
    });
}

#[test]
fn an_index_that_no_file_can_bear_is_refused_and_over_cql_dropped() {
    let name = "n".repeat(255);
    let attacker = Attacker::new();
    block_on(async {
        let attacker = attacker.with_data().await;
        let index = json!({"column": "m", "name": name, "kind": "KEYS"});
        let indexes = format!("{TABLES}/t/indexes");
        let (status, said) = attacker.post(&indexes, &index).await;
        assert_eq!(status, 400, "{said}");
        let mutation = format!(
            "mutation {{ createIndex(keyspaceName: \"{}\", tableName: \"t\", columnName: \"m\", indexName: \"{name}\") }}",
            attacker.keyspace
        );
        let (_, said) = attacker
            .post("/api/graphql-schema", &json!({"query": mutation}))
            .await;
        assert!(said["errors"].is_array(), "{said}");
        let long = json!({"name": name, "primaryKey": {"partitionKey": ["a"]},
            "columnDefinitions": [{"name": "a", "typeDefinition": "text"}]});
        let (status, said) = attacker.post(TABLES, &long).await;
        assert_eq!(status, 400, "{said}");

        let session = attacker.astra.cql().await;
        let listed = format!(
            "SELECT index_name FROM system_schema.indexes WHERE keyspace_name = '{}' AND table_name = 't'",
            attacker.keyspace
        );
        let count = async || {
            let found = session.query_unpaged(listed.as_str(), ()).await.unwrap();
            found.into_rows_result().unwrap().rows_num()
        };
        assert_eq!(count().await, 0);
        // Cassandra refuses it too late.
        let create = format!("CREATE INDEX {name} ON {}.t (keys(m))", attacker.keyspace);
        let made = session.query_unpaged(create, ()).await;
        assert!(made.is_err());
        let limit = Instant::now() + RUN_LIMIT;
        while count().await > 0 {
            assert!(Instant::now() < limit, "the index stays");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn a_door_full_of_idle_connections_serves_the_next_one() {
    connections::allow_open_files();
    let ports = &local_astra().layout.ports;
    let graphql = Graphql::new();
    for port in [ports.plain, ports.tls] {
        let held: Vec<TcpStream> = (0..1_024)
            .map(|number| {
                let mut held = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
                if number % 2 == 0 {
                    // The door may have sent it away meanwhile.
                    let _sent = held.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
                }
                held
            })
            .collect();
        block_on(graphql.data("{ __typename }"));
        drop(held);
    }
}

#[test]
fn a_response_without_end_is_ended_and_one_of_a_usual_size_is_not() {
    let aliases = |times: usize, selection: &str| {
        let all = (0..times).map(|n| format!("a{n}: {selection} "));
        all.collect::<String>()
    };
    let graphql = Graphql::new();
    block_on(async {
        let text = "x".repeat(1 << 20);
        graphql
            .change("createTable(keyspaceName: \"KS\", tableName: \"t\", partitionKeys: [{name: \"k\", type: {basic: TEXT}}], values: [{name: \"v\", type: {basic: TEXT}}])")
            .await;
        let insert =
            format!("mutation {{ insertt(value: {{k: \"a\", v: \"{text}\"}}) {{ applied }} }}");
        graphql.data(&insert).await;
        let usual = "{ __schema { types { name fields { name args { name } type { name ofType { name } } } } } }";
        graphql.data(usual).await;
        graphql
            .data(&format!("{{ t {{ values {{ k {} }} }} }}", aliases(8, "v")))
            .await;
        let types = format!("types {{ fields {{ {} }} }}", aliases(100, "name"));
        let schemas = aliases(300, "__schema { ...S }");
        for query in [
            format!("{{ {schemas} }} fragment S on __Schema {{ {types} }}"),
            format!("{{ t {{ values {{ {} }} }} }}", aliases(80, "v")),
            format!(
                "{{ {} }}",
                aliases(20, &format!("t {{ values {{ {} }} }}", aliases(4, "v")))
            ),
        ] {
            let answer = graphql.ask(&query).await;
            let error = &answer["errors"][0]["extensions"]["classification"];
            assert_eq!(error, "ExecutionAborted", "{answer}");
            assert!(answer.get("data").is_none(), "{answer}");
        }
    });
}

#[test]
fn a_type_may_have_a_name_that_is_not_ascii() {
    let attacker = Attacker::new();
    block_on(async {
        let types = "/api/rest/v2/schemas/keyspaces/KS/types";
        let typ = json!({"name": "größe", "fields": [{"name": "höhe", "typeDefinition": "int"}]});
        let (status, said) = attacker.post(types, &typ).await;
        assert_eq!(status, 201, "{said}");
        let (status, said) = attacker
            .send(Method::GET, &format!("{types}/größe"), "")
            .await;
        assert_eq!(status, 200, "{said}");
        assert_eq!(said["data"]["name"], "größe");
        let table = json!({"name": "t", "primaryKey": {"partitionKey": ["a"]},
            "columnDefinitions": [{"name": "a", "typeDefinition": "text"},
                {"name": "m", "typeDefinition": "frozen<\"größe\">"}]});
        let (status, said) = attacker.post(TABLES, &table).await;
        assert_eq!(status, 201, "{said}");
        let row = json!({"a": "1", "m": {"höhe": 2}});
        let (status, said) = attacker.post(ROWS, &row).await;
        assert_eq!(status, 201, "{said}");
        let (status, said) = attacker.send(Method::GET, &format!("{ROWS}/1"), "").await;
        assert_eq!(status, 200, "{said}");
        assert_eq!(said["data"][0], row);
    });
}

#[test]
fn a_link_leads_to_the_door_whatever_the_request_calls_it() {
    block_on(async {
        let astra = local_astra();
        let path = format!("/v2/databases/{}/secureBundleURL", settings::DATABASE_ID);
        let request = crate::astra::client()
            .post(format!("{}{path}", astra.url()))
            .bearer_auth(astra.application())
            .header("Host", "elsewhere.example")
            .header("X-Forwarded-Host", "elsewhere.example");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let link = answer["downloadURL"].as_str().unwrap();
        let port = astra.layout.ports.plain;
        assert!(
            link.starts_with(&format!("http://localhost:{port}/")),
            "{link}"
        );
    });
}
