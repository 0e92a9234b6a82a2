//! Stargate's interfaces byte by byte: addresses, methods, texts and limits as a real Stargate 2.0.51 has them.

mod values;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use reqwest::Method;
use serde_json::{Value, json};
use store::Session;

use crate::astra::{RUN_LIMIT, block_on, local_astra};
use crate::recorded::grpc::Stargate;

/// A client that sends what it is given, unchanged.
struct Wire {
    keyspace: String,
    token: String,
}

/// A response, its head in lower case.
struct Reply {
    status: u16,
    head: String,
    text: String,
    body: Value,
}

impl Wire {
    /// With a keyspace of its own in which these statements were run.
    fn with(statements: &[&str]) -> Wire {
        let astra = local_astra();
        let wire = Wire {
            keyspace: astra.keyspace(),
            token: astra.application(),
        };
        block_on(async {
            let cql = astra.cql().await;
            for statement in statements {
                wire.run(&cql, statement).await;
            }
        });
        wire
    }

    async fn run(&self, cql: &Session, statement: &str) {
        let statement = statement.replace("KS", &self.keyspace);
        cql.query_unpaged(statement, ()).await.unwrap();
    }

    /// Sends a request below `/api/`; `KS` stands for the keyspace.
    fn ask(&self, method: Method, path: &str, body: &str) -> Reply {
        let port = local_astra().layout.ports.plain;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(RUN_LIMIT)).unwrap();
        let path = path.replace("KS", &self.keyspace);
        let head = format!(
            "{method} /api/{path} HTTP/1.1\r\nHost: localhost:{port}\r\nX-Cassandra-Token: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        Reply {
            status: status.parse().unwrap(),
            head: head.to_ascii_lowercase(),
            text: body.to_owned(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, "")
    }

    /// Sends a request that has to succeed.
    fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let reply = self.ask(method, path, &body.to_string());
        assert!(
            reply.status < 300,
            "{path}: {} {}",
            reply.status,
            reply.body
        );
        reply.body
    }

    fn graphql(&self, query: &str) -> Value {
        let query = json!({ "query": query });
        self.done(Method::POST, "graphql/KS", query)
    }
}

/// The value of a header; nothing without it.
fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let mut lines = reply.head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

#[test]
fn slashes_count_where_they_count_for_a_real_stargate() {
    let wire = Wire::with(&["CREATE TABLE KS.t (k int PRIMARY KEY)"]);
    wire.done(
        Method::PUT,
        "rest/v2/namespaces/KS/collections/c/one",
        json!({"a": 1}),
    );
    for (method, path, wanted) in [
        (Method::GET, "rest/v2/schemas/keyspaces/", 200),
        (Method::GET, "rest/v2/schemas/keyspaces/KS/tables/t/", 200),
        (Method::GET, "rest/v2//keyspaces//KS/t/1/", 200),
        (Method::GET, "rest/v2/keyspaces/KS/t;x=1/1", 200),
        (Method::GET, "rest/v2/namespaces/KS/collections/", 200),
        (Method::GET, "rest/v2/namespaces/KS/collections/c/one", 200),
        (Method::GET, "rest/v2/namespaces/KS/collections/c/one/", 404),
        (Method::PUT, "rest/v2/namespaces/KS/collections/c/two/", 404),
        (Method::GET, "rest/v2/namespaces/KS/collections/c/two", 404),
        (Method::POST, "graphql-schema/", 200),
        (Method::POST, "graphql/KS/", 200),
        (Method::POST, "graphql/", 404),
        (Method::GET, "rest/v2/keyspaces/KS/t/%zz", 400),
    ] {
        let reply = wire.ask(method.clone(), path, r#"{"query": "{__typename}"}"#);
        assert_eq!(reply.status, wanted, "{method} {path}: {}", reply.body);
    }
    let reply = wire.ask(Method::POST, "graphql/", r#"{"query": "{__typename}"}"#);
    let message = &reply.body["errors"][0]["message"];
    assert_eq!(message, "No default keyspace defined");
}

#[test]
fn what_cql_changes_is_known_to_the_next_request() {
    let wire = Wire::with(&[
        "CREATE TYPE KS.address (street text)",
        "CREATE TABLE KS.t (k int PRIMARY KEY, a frozen<address>)",
    ]);
    let path = "rest/v2/keyspaces/KS/t/1";
    block_on(async {
        let cql = local_astra().cql().await;
        for n in 0..8 {
            let column = format!("c{n}");
            wire.run(&cql, &format!("ALTER TABLE KS.t ADD {column} int"))
                .await;
            wire.run(&cql, &format!("ALTER TYPE KS.address ADD f{n} int"))
                .await;
            // REST learns of a new column by a read, and of a change by CQL at once.
            wire.get(path);
            let row = json!({&column: n, "a": {format!("f{n}"): n}});
            wire.done(Method::PATCH, path, row);
            let query = format!("{{t(value:{{k:1}}){{values{{{column} a{{f{n}}}}}}}}}");
            let shown = wire.graphql(&query);
            let shown = &shown["data"]["t"]["values"][0];
            assert_eq!(shown[&column], json!(n), "{column}");
            assert_eq!(shown["a"][format!("f{n}")], json!(n), "{column}");
        }
        for _ in 0..4 {
            for (typ, key) in [("text", json!("5")), ("int", json!(5))] {
                wire.run(&cql, "DROP TABLE IF EXISTS KS.u").await;
                wire.run(&cql, &format!("CREATE TABLE KS.u (k {typ} PRIMARY KEY)"))
                    .await;
                let path = "rest/v2/keyspaces/KS/u";
                let row = json!({ "k": key });
                assert_eq!(wire.done(Method::POST, path, row.clone()), row);
                let read = wire.get("rest/v2/keyspaces/KS/u/5?raw=true");
                assert_eq!(read.body, json!([row]), "{typ}");
            }
        }
    });
}

#[test]
fn an_address_may_hold_what_should_be_encoded() {
    let wire = Wire::with(&["CREATE TABLE KS.people (name text PRIMARY KEY)"]);
    let name = "I`d<a>";
    wire.done(
        Method::POST,
        "rest/v2/keyspaces/KS/people",
        json!({ "name": name }),
    );
    wire.done(
        Method::PUT,
        "rest/v2/namespaces/KS/collections/c/one",
        json!({ "name": name }),
    );
    let condition = format!("where={{\"name\":{{\"$eq\":\"{name}\"}}}}");
    let found = wire.get(&format!("rest/v2/keyspaces/KS/people?{condition}"));
    assert_eq!(found.body["data"], json!([{ "name": name }]));
    let path = format!("rest/v2/namespaces/KS/collections/c?{condition}");
    let found = wire.get(&path);
    assert_eq!(found.body["data"]["one"], json!({ "name": name }));
    let found = wire.get(&format!("rest/v2/keyspaces/KS/people/{name}?raw=true"));
    assert_eq!(found.body, json!([{ "name": name }]));
    let query = wire.get("graphql/KS?query={people(value:{name:\"I`d<a>\"}){values{name}}}");
    let shown = &query.body["data"]["people"]["values"];
    assert_eq!(*shown, json!([{ "name": name }]));
}

#[test]
fn a_compressed_call_is_read() {
    let astra = local_astra();
    let stargate = Stargate::new(&astra.url()).compressing();
    let query = json!({"cql": "SELECT key FROM system.local WHERE key = 'local'"});
    let token = astra.application();
    block_on(async {
        let answer = stargate.call("ExecuteQuery", &query, Some(&token)).await;
        assert_eq!(answer.code, "OK", "{}", answer.message);
        let calls = json!([query, query]);
        let call = stargate.call("ExecuteQueryStream", &calls, Some(&token));
        let answer = call.await;
        assert_eq!(answer.code, "OK", "{}", answer.message);
        assert_eq!(answer.members["responses"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn a_path_tells_its_methods() {
    let wire = Wire::with(&["CREATE TABLE KS.t (k int PRIMARY KEY)"]);
    for (path, methods) in [
        ("rest/v2/keyspaces/KS/t", &["get", "post"][..]),
        ("rest/v2/schemas/keyspaces/KS", &["get", "delete"]),
        ("rest/v2/namespaces/KS/collections/c", &["get", "post"]),
        ("graphql-schema", &["get", "post"]),
        ("graphql/KS", &["get", "post"]),
    ] {
        for (method, status) in [(Method::OPTIONS, 200), (Method::TRACE, 405)] {
            let reply = wire.ask(method.clone(), path, "");
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
            let allowed: Vec<&str> = header(&reply, "allow")
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .collect();
            for method in methods {
                assert!(allowed.contains(method), "{path}: {allowed:?}");
            }
        }
    }
    let made = wire.ask(
        Method::POST,
        "rest/v2/namespaces/KS/collections/c",
        r#"{"a": 1}"#,
    );
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["documentId"].as_str().unwrap();
    let port = local_astra().layout.ports.plain;
    let url = format!(
        "http://localhost:{port}/api/rest/v2/namespaces/{}/collections/c/{id}",
        wire.keyspace
    );
    assert_eq!(header(&made, "location"), Some(url.as_str()));
}

#[test]
fn a_message_over_4_mib_and_a_long_address_are_refused() {
    let wire = Wire::with(&["CREATE TABLE KS.t (k int PRIMARY KEY, v text)"]);
    let large = |size: usize| "x".repeat(size);
    let refused = |reply: &Reply| {
        assert_eq!(reply.status, 500, "{}", reply.body);
        assert_eq!(reply.body["grpcStatus"], "RESOURCE_EXHAUSTED");
    };
    let path = "rest/v2/keyspaces/KS/t";
    let row = |k: i32, size: usize| json!({"k": k, "v": large(size)}).to_string();
    refused(&wire.ask(Method::POST, path, &row(1, 4 << 20)));
    for k in 0..3 {
        let written = wire.ask(Method::POST, path, &row(k, 2_000_000));
        assert_eq!(written.status, 201, "{k}");
    }
    // The rows are a message, too.
    refused(&wire.get("rest/v2/keyspaces/KS/t/rows"));
    let page = wire.get("rest/v2/keyspaces/KS/t/rows?page-size=2");
    assert_eq!(page.body["count"], 2);

    let document = json!({"v": large(4 << 20)}).to_string();
    let path = "rest/v2/namespaces/KS/collections/c/one";
    refused(&wire.ask(Method::PUT, path, &document));
    // Each leaf is a statement of its own, and all of them are one message.
    let leaves: serde_json::Map<String, Value> =
        (0..65_536).map(|n| (format!("k{n}"), json!(n))).collect();
    refused(&wire.ask(Method::PUT, path, &Value::Object(leaves).to_string()));
    assert_eq!(wire.get(path).status, 404);
    let leaves: Vec<Value> = (0..1000).map(|n| json!(n)).collect();
    wire.done(Method::PUT, path, json!({ "a": leaves }));

    // A query is told that the database is overloaded, which a real Stargate fails to tell.
    let query = json!({"query": "{t{values{k v}}}"}).to_string();
    let reply = wire.ask(Method::POST, "graphql/KS", &query);
    let wanted = json!({"errors": [{"message": "Internal server error"}]});
    assert_eq!((reply.status, reply.body), (500, wanted));
    let mutation = json!({"query": "mutation($v: String) {insertt(value: {k: 1, v: $v}) {applied}}",
        "variables": {"v": large(4 << 20)}});
    let reply = wire.ask(Method::POST, "graphql/KS", &mutation.to_string());
    assert_eq!(reply.status, 200, "{}", reply.body);
    let message = reply.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("RESOURCE_EXHAUSTED"), "{message}");

    for path in [
        "rest/v2/keyspaces/KS/t",
        "rest/v2/namespaces/KS/collections/c",
        "graphql/KS",
    ] {
        let reply = wire.get(&format!("{path}?x={}", large(7000)));
        assert_eq!(reply.status, 414, "{path}");
        let reply = wire.get(&format!("{path}?x={}", large(3000)));
        assert_ne!(reply.status, 414, "{path}");
    }
}

#[test]
fn a_search_for_alternatives_has_pages() {
    let wire = Wire::with(&[]);
    let path = "rest/v2/namespaces/KS/collections/c";
    for id in ["a", "b", "c"] {
        wire.done(Method::PUT, &format!("{path}/{id}"), json!({ "value": id }));
    }
    for (condition, has_empty_page) in [
        (
            r#"{"$or":[{"value":{"$eq":"b"}},{"value":{"$in":["a"]}}]}"#,
            true,
        ),
        (
            r#"{"$or":[{"value":{"$eq":"b"}},{"value":{"$eq":"a"}}]}"#,
            false,
        ),
        (r#"{"value":{"$in":["a","b"]}}"#, true),
    ] {
        let condition =
            percent_encoding::utf8_percent_encode(condition, percent_encoding::NON_ALPHANUMERIC);
        let url = format!("{path}?where={condition}&page-size=1");
        let mut pages = Vec::new();
        let mut state = String::new();
        loop {
            let page = wire.get(&format!("{url}{state}"));
            assert_eq!(page.status, 200, "{}", page.body);
            pages.push(page.body["data"].as_object().unwrap().len());
            let Some(next) = page.body["pageState"].as_str() else {
                break;
            };
            state = format!("&page-state={next}");
        }
        let wanted: &[usize] = if has_empty_page { &[1, 1, 0] } else { &[1, 1] };
        assert_eq!(pages, wanted, "{condition}");
    }
}

#[test]
fn introspection_describes_what_it_lists() {
    let wire = Wire::with(&[
        "CREATE TABLE KS.books (title text PRIMARY KEY, pages int, m map<text, int>, \
         t frozen<tuple<int, uuid>>)",
        "INSERT INTO KS.books (title, pages) VALUES ('Saga', 7)",
    ]);
    let described = |path: &str, query: &str| {
        let reply = wire.done(Method::POST, path, json!({ "query": query }));
        assert_eq!(reply["errors"], Value::Null, "{reply}");
        reply["data"].clone()
    };
    let types = described("graphql/KS", "{__schema{types{name description}}}");
    for name in [
        "books",
        "booksInput",
        "booksFilterInput",
        "booksOrder",
        "booksMutationResult",
        "QueryOptions",
        "MutationOptions",
        "Uuid",
        "EntryStringKeyIntValue",
        "TupleIntUuidInput",
    ] {
        let types = types["__schema"]["types"].as_array().unwrap();
        let found = types.iter().find(|typ| typ["name"] == name).unwrap();
        assert!(found["description"].is_string(), "{found}");
    }
    for (path, typ) in [("graphql/KS", "Mutation"), ("graphql/KS", "Query")] {
        let query = format!("{{__type(name:\"{typ}\"){{fields{{name description}}}}}}");
        let fields = described(path, &query);
        let fields = fields["__type"]["fields"].as_array().unwrap();
        assert!(fields.iter().all(|field| field["description"].is_string()));
    }
    let query = "{__type(name:\"Mutation\"){fields{name description args{name description}}}}";
    let fields = described("graphql-schema", query);
    let fields = fields["__type"]["fields"].as_array().unwrap();
    let create = fields
        .iter()
        .find(|field| field["name"] == "createKeyspace");
    assert!(create.unwrap()["args"][0]["description"].is_string());

    let listed = described("graphql/KS", "{__type(name:\"__Type\"){fields{name}}}");
    let listed = listed["__type"]["fields"].as_array().unwrap();
    let names: Vec<&str> = listed
        .iter()
        .filter_map(|field| field["name"].as_str())
        .collect();
    let fields: Vec<&str> = names
        .iter()
        .filter(|name| !matches!(**name, "fields" | "interfaces" | "possibleTypes"))
        .filter(|name| !matches!(**name, "enumValues" | "inputFields" | "ofType"))
        .copied()
        .collect();
    assert!(fields.contains(&"specifiedByUrl"), "{fields:?}");
    let query = format!("{{__type(name:\"Uuid\"){{{}}}}}", fields.join(" "));
    described("graphql/KS", &query);

    // An unknown function is not called; its alias may be the name of a column.
    let shown = wire.graphql("{books{values{pages:_int_function(name:\"nope\",args:[\"x\"])}}}");
    assert_eq!(shown["data"]["books"]["values"], json!([{"pages": 7}]));
    let refused = wire.graphql("{books{values{x:_int_function(name:\"nope\",args:[\"x\"])}}}");
    assert_eq!(refused["data"]["books"], Value::Null);
    assert_eq!(refused["errors"][0]["path"], json!(["books"]));
}

#[test]
fn a_second_row_of_system_local_breaks_nothing() {
    let wire = Wire::with(&[]);
    block_on(async {
        let cql = local_astra().cql().await;
        wire.run(
            &cql,
            "INSERT INTO system.local (key, data_center) VALUES ('x', 'x')",
        )
        .await;
        let table =
            json!({"name": "t", "columnDefinitions": [{"name": "k", "typeDefinition": "int"}],
            "primaryKey": {"partitionKey": ["k"]}})
            .to_string();
        let made = wire.ask(Method::POST, "rest/v2/schemas/keyspaces/KS/tables", &table);
        let written = wire.ask(Method::POST, "rest/v2/keyspaces/KS/t", r#"{"k": 1}"#);
        let shown = wire.ask(Method::POST, "graphql/KS", r#"{"query": "{t{values{k}}}"}"#);
        wire.run(&cql, "DELETE FROM system.local WHERE key = 'x'")
            .await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(written.status, 201, "{}", written.body);
        assert_eq!(shown.body["data"]["t"]["values"], json!([{"k": 1}]));
    });
}
