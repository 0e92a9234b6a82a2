//! The CQL-first GraphQL API: the recordings, and behavior that they do not cover.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use crate::astra::{RUN_LIMIT, block_on, local_astra};

/// A client of one keyspace.
pub struct Graphql {
    token: String,
    pub keyspace: String,
    client: Client,
}

impl Graphql {
    /// Creates a client with a separate keyspace and the application token.
    pub fn new() -> Graphql {
        let astra = local_astra();
        Graphql {
            token: astra.application(),
            keyspace: astra.keyspace(),
            client: crate::astra::client(),
        }
    }

    async fn post(&self, path: &str, body: String) -> (u16, Value) {
        let request = self
            .client
            .post(format!("{}/api/{path}", local_astra().url()))
            .header("X-Cassandra-Token", &self.token)
            .header("Content-Type", "application/json")
            .timeout(Duration::from_secs(60))
            .body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    pub async fn ask(&self, query: &str) -> Value {
        let body = json!({ "query": query }).to_string();
        let (status, answer) = self.post(&format!("graphql/{}", self.keyspace), body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub async fn data(&self, query: &str) -> Value {
        let answer = self.ask(query).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].clone()
    }

    pub async fn change(&self, mutation: &str) -> Value {
        let mutation = mutation.replace("KS", &self.keyspace);
        let body = json!({ "query": format!("mutation {{ {mutation} }}") });
        self.post("graphql-schema", body.to_string()).await.1
    }

    async fn books(&self) {
        let made = self.change(
            "createTable(keyspaceName: \"KS\", tableName: \"books\", \
             partitionKeys: [{name: \"title\", type: {basic: TEXT}}], values: [{name: \"pages\", type: {basic: INT}}])",
        );
        assert_eq!(made.await, json!({"data": {"createTable": true}}));
    }
}

#[test]
fn what_changes_over_cql_shows_by_itself() {
    let graphql = Graphql::new();
    block_on(async {
        let cql = local_astra().cql().await;
        graphql.data("{ conversionWarnings }").await;
        for (statement, field) in [
            ("CREATE TABLE KS.made (id int PRIMARY KEY)", "id"),
            ("ALTER TABLE KS.made ADD more text", "more"),
        ] {
            let statement = statement.replace("KS", &graphql.keyspace);
            cql.query_unpaged(statement, ()).await.unwrap();
            let since = Instant::now();
            let query = format!("{{ made {{ values {{ {field} }} }} }}");
            while graphql.ask(&query).await.get("errors").is_some() {
                assert!(since.elapsed() < RUN_LIMIT, "{field} does not show");
            }
        }
        let dropped = format!("DROP TABLE {}.made", graphql.keyspace);
        cql.query_unpaged(dropped, ()).await.unwrap();
        let since = Instant::now();
        while graphql
            .ask("{ made { values { id } } }")
            .await
            .get("errors")
            .is_none()
        {
            assert!(since.elapsed() < RUN_LIMIT, "the table still shows");
        }
    });
}

#[test]
fn an_atomic_mutation_is_all_or_nothing() {
    let graphql = Graphql::new();
    block_on(async {
        graphql.books().await;
        let titles = "{ books { values { title } } }";
        let none = json!({"books": {"values": []}});
        // The second has no key, so the first is not written either.
        let refused = graphql
            .ask(
                "mutation @atomic { a: insertbooks(value: {title: \"a\"}) { applied } \
                 b: insertbooks(value: {pages: 1}) { applied } }",
            )
            .await;
        assert_eq!(refused["data"], json!({"a": null, "b": null}));
        assert_eq!(refused["errors"].as_array().unwrap().len(), 2, "{refused}");
        assert_eq!(graphql.data(titles).await, none);
        let refused = graphql
            .ask(
                "mutation @atomic { a: insertbooks(value: {title: \"a\"}, options: {ttl: 5}) { applied } \
                 b: insertbooks(value: {title: \"b\"}, options: {ttl: 6}) { applied } }",
            )
            .await;
        let message = refused["errors"][0]["message"].as_str().unwrap();
        assert!(message.ends_with("can only de defined once in an @atomic mutation selection"));
        assert_eq!(graphql.data(titles).await, none);
        let applied = graphql
            .data(
                "mutation @atomic { bulkInsertbooks(values: [{title: \"a\", pages: 1}, {title: \"b\"}]) \
                 { applied value { title pages } } }",
            )
            .await;
        let wanted = json!([
            {"applied": true, "value": {"title": "a", "pages": 1}},
            {"applied": true, "value": {"title": "b", "pages": null}},
        ]);
        assert_eq!(applied["bulkInsertbooks"], wanted);
        let found =
            graphql.data("{ books(filter: {title: {in: [\"a\", \"b\"]}}) { values { title } } }");
        assert_eq!(found.await["books"]["values"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn hostile_requests_are_refused() {
    let graphql = Graphql::new();
    block_on(async {
        graphql.books().await;
        let path = format!("graphql/{}", graphql.keyspace);
        let deep = format!("{{ {}x{} }}", "a { ".repeat(100_000), " }".repeat(100_000));
        let deep_value = format!(
            "{{ books(value: {}1{}) {{ pageState }} }}",
            "[".repeat(9_000),
            "]".repeat(9_000)
        );
        let many: String = (0..20_000)
            .map(|n| format!("a{n}: conversionWarnings "))
            .collect();
        let circle = "{ books { values { ...f } } } fragment f on books { ...f }".to_owned();
        for query in [deep, deep_value, format!("{{ {many} }}"), circle] {
            let answer = graphql.ask(&query).await;
            assert!(answer.get("data").is_none(), "{answer}");
            assert!(!answer["errors"][0]["message"].as_str().unwrap().is_empty());
        }
        let large = json!({ "query": " ".repeat(11 * 1024 * 1024) }).to_string();
        assert_eq!(graphql.post(&path, large).await.0, 413);
        let deep = format!(
            "{{\"query\":\"{{__typename}}\",\"variables\":{}{}",
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert_eq!(graphql.post(&path, deep + "}").await.0, 400);
        // It still answers.
        graphql.data("{ books { values { title } } }").await;
    });
}

#[test]
fn what_is_not_served_says_so() {
    let graphql = Graphql::new();
    block_on(async {
        let query = json!({ "query": "{ __typename }" }).to_string();
        for path in ["graphql", "graphql/"] {
            let (status, answer) = graphql.post(path, query.clone()).await;
            assert_eq!(status, 404, "{path}: {answer}");
        }
        for path in ["graphql-files/keyspace/x.graphql", "playground", "other"] {
            let (status, answer) = graphql.post(path, query.clone()).await;
            assert_eq!(status, 501, "{path}: {answer}");
        }
    });
}

#[test]
fn an_application_makes_and_drops_no_keyspaces() {
    let graphql = Graphql::new();
    block_on(async {
        for mutation in [
            "createKeyspace(name: \"forbidden\", replicas: 1)",
            "dropKeyspace(name: \"KS\")",
        ] {
            let refused = graphql.change(mutation).await;
            let message = refused["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("PERMISSION_DENIED"), "{message}");
        }
        graphql.data("{ conversionWarnings }").await;
    });
}

#[test]
fn tables_whose_types_collide_do_not_break_the_schema() {
    let graphql = Graphql::new();
    block_on(async {
        let cql = local_astra().cql().await;
        for statement in [
            "CREATE TABLE KS.a (id int PRIMARY KEY, \"_int_function\" int, \"__typename\" text)",
            "CREATE TABLE KS.\"aFilter\" (id int PRIMARY KEY)",
            "CREATE TABLE KS.\"Float32\" (id int PRIMARY KEY)",
            "CREATE TABLE KS.\"ID\" (id int PRIMARY KEY)",
            "CREATE TABLE KS.\"ListInt\" (id int PRIMARY KEY, l list<int>)",
            "CREATE TYPE KS.\"a b\" (\"c d\" int)",
            "CREATE TABLE KS.v (id int PRIMARY KEY, v vector<float, 2>, u \"a b\", l list<frozen<map<int, int>>>, m map<int, int>)",
        ] {
            let statement = statement.replace("KS", &graphql.keyspace);
            cql.query_unpaged(statement, ()).await.unwrap();
        }
        let warnings = graphql.data("{ conversionWarnings }").await;
        let warnings = warnings["conversionWarnings"].to_string();
        for wanted in [
            "Couldn't convert table aFilter because its GraphQL name aFilterInput would collide with table a",
            "Couldn't convert table Float32 ",
            "Couldn't convert table ListInt ",
            "UDT a b mapped as ax20_bUdt",
            "Table ID mapped as Ix44_",
        ] {
            assert!(warnings.contains(wanted), "{warnings}");
        }
        graphql
            .data("mutation { insertv(value: {id: 1, v: [1, 2.5], u: {cx20_d: 3}}) { applied } }")
            .await;
        let found = graphql
            .data("{ v(value: {id: 1}) { values { v u { cx20_d } } } }")
            .await;
        assert_eq!(
            found["v"]["values"],
            json!([{"v": [1.0, 2.5], "u": {"cx20_d": 3}}])
        );
    });
}

#[test]
fn options_and_aggregates_take_variables() {
    let graphql = Graphql::new();
    block_on(async {
        graphql.books().await;
        for title in ["a", "b", "c"] {
            let insert = format!(
                "mutation {{ insertbooks(value: {{title: \"{title}\", pages: 2}}) {{ applied }} }}"
            );
            graphql.data(&insert).await;
        }
        let query = "query Q($f: String!, $c: String!, $size: Int) { \
             all: books { values { sum: _int_function(name: $f, args: [$c]) } } \
             page: books(options: {pageSize: $size}) { values { title } pageState } }";
        let body =
            json!({"query": query, "variables": {"f": "SUM", "c": "pages", "size": 2}}).to_string();
        let (_, answer) = graphql
            .post(&format!("graphql/{}", graphql.keyspace), body)
            .await;
        assert_eq!(
            answer["data"]["all"]["values"],
            json!([{"sum": 6}]),
            "{answer}"
        );
        assert_eq!(
            answer["data"]["page"]["values"].as_array().unwrap().len(),
            2
        );
        assert!(answer["data"]["page"]["pageState"].is_string());
    });
}

#[test]
fn a_variable_without_a_value_is_left_out() {
    let graphql = Graphql::new();
    block_on(async {
        graphql.books().await;
        let path = format!("graphql/{}", graphql.keyspace);
        let insert = "mutation($p: Int, $t: String) { insertbooks(value: {title: $t, pages: $p}) { applied } }";
        let query = "query($t: String) { books(value: {title: $t}) { values { title pages } } }";
        let applied = json!({"data": {"insertbooks": {"applied": true}}});
        let found = json!({"data": {"books": {"values": [{"title": "[1]", "pages": 2}]}}});
        for (query, variables, wanted) in [
            (insert, json!({"t": [1], "p": 2.0}), &applied),
            // Not even a null: the pages stay.
            (insert, json!({"t": "[1]"}), &applied),
            (query, json!({"t": "[1]"}), &found),
            // No condition is left, so these are all books.
            (query, json!({}), &found),
        ] {
            let body = json!({"query": query, "variables": variables}).to_string();
            assert_eq!(&graphql.post(&path, body).await.1, wanted, "{variables}");
        }
    });
}

#[test]
fn a_request_is_read_before_its_token_and_its_keyspace() {
    let graphql = Graphql::new();
    block_on(async {
        let keyspace = graphql.keyspace.clone();
        let json = "application/json";
        for (token, keyspace, content_type, body, wanted) in [
            ("bad", "no-name", json, "{}", 400),
            ("bad", keyspace.as_str(), json, "{", 400),
            ("bad", keyspace.as_str(), json, "[]", 400),
            ("bad", keyspace.as_str(), "text/plain", "{}", 415),
            ("bad", keyspace.as_str(), json, "{}", 401),
            (graphql.token.as_str(), "unknown", json, "{}", 500),
            (graphql.token.as_str(), keyspace.as_str(), json, "{}", 400),
            (
                graphql.token.as_str(),
                keyspace.as_str(),
                "application/graphql",
                "",
                400,
            ),
            // A syntax error.
            (
                graphql.token.as_str(),
                keyspace.as_str(),
                "application/graphql",
                " ",
                200,
            ),
        ] {
            let request = graphql
                .client
                .post(format!("{}/api/graphql/{keyspace}", local_astra().url()))
                .header("X-Cassandra-Token", token)
                .header("Content-Type", content_type)
                .body(body);
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status, wanted, "{token} {keyspace} {content_type} {body}");
        }
    });
}
