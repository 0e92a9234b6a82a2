//! Values in and out as Java's libraries read and write them.

use reqwest::Method;
use serde_json::{Value, json};

use super::Wire;
use crate::astra::{block_on, local_astra};
use crate::recorded::grpc::Stargate;

#[test]
fn times_and_numbers_are_written_as_java_writes_them() {
    let wire = Wire::with(&[
        "CREATE TABLE KS.t (k int PRIMARY KEY, t time, ts list<time>, m map<time, double>, d double)",
        "CREATE TABLE KS.u (t time PRIMARY KEY)",
        "INSERT INTO KS.t (k, t, ts, m, d) VALUES (1, '08:30:00', ['08:30:00.500', '08:30:00.000000001'], \
         {'08:30:00': -0.0, '08:30:00.010': 4.9E-324}, 1.0E10)",
        "INSERT INTO KS.u (t) VALUES ('08:30:00.5')",
    ]);
    let row = wire.get("rest/v2/keyspaces/KS/t/1?raw=true&fields=t,ts,m,d");
    // Jackson writes values, and Java's `toString` member names.
    for wanted in [
        r#""t":"08:30:00""#,
        r#""ts":["08:30:00.5","08:30:00.000000001"]"#,
        r#""m":{"08:30":-0.0,"08:30:00.010":4.9E-324}"#,
        r#""d":1.0E10"#,
    ] {
        assert!(row.text.contains(wanted), "{wanted}: {}", row.text);
    }
    let row = wire.get("rest/v2/keyspaces/KS/t/1?raw=true&fields=m&compactMapData=false");
    let wanted = r#"[{"key":"08:30:00","value":-0.0},{"key":"08:30:00.01","value":4.9E-324}]"#;
    assert!(row.text.contains(wanted), "{}", row.text);
    for key in ["08:30:00.5", "08:30:00.500"] {
        let found = wire.get(&format!("rest/v2/keyspaces/KS/u/{key}?raw=true"));
        assert_eq!(found.body, json!([{"t": "08:30:00.5"}]), "{key}");
    }
    // GraphQL has all nine digits of a time.
    let query = json!({"query": "{t(value:{k:1}){values{t d m{key value}}}}"}).to_string();
    let shown = wire.ask(Method::POST, "graphql/KS", &query);
    for wanted in [
        r#""t":"08:30:00.000000000""#,
        r#""d":1.0E10"#,
        r#"{"key":"08:30:00.010000000","value":4.9E-324}"#,
    ] {
        assert!(shown.text.contains(wanted), "{wanted}: {}", shown.text);
    }
}

#[test]
fn half_a_character_is_stored_as_a_question_mark() {
    let wire = Wire::with(&["CREATE TABLE KS.t (k int PRIMARY KEY, v text)"]);
    let path = "rest/v2/keyspaces/KS/t";
    let written = wire.ask(Method::POST, path, r#"{"k": 1, "v": "nice \ud83d"}"#);
    assert_eq!(written.status, 201, "{}", written.body);
    let path = "rest/v2/namespaces/KS/collections/c/one";
    let written = wire.ask(
        Method::PUT,
        path,
        r#"{"v": "nice \ud83d", "w": "\ud83d\ude00"}"#,
    );
    assert_eq!(written.status, 200, "{}", written.body);
    let query = r#"{"query": "mutation($v: String) {insertt(value: {k: 2, v: $v}) {applied}}",
        "variables": {"v": "nice \udc00"}}"#;
    let written = wire.ask(Method::POST, "graphql/KS", query);
    assert_eq!(written.body["errors"], Value::Null, "{}", written.body);
    for key in [1, 2] {
        let read = wire.get(&format!("rest/v2/keyspaces/KS/t/{key}?raw=true"));
        assert_eq!(read.body[0]["v"], "nice ?", "{key}");
    }
    let read = wire.get("rest/v2/namespaces/KS/collections/c/one?raw=true");
    assert_eq!(read.body, json!({"v": "nice ?", "w": "😀"}));
}

#[test]
fn an_empty_value_reads_alike_in_all_interfaces() {
    let wire = Wire::with(&[
        "CREATE TABLE KS.t (k int PRIMARY KEY, i int, b boolean, d double)",
        "CREATE TABLE KS.u (k int PRIMARY KEY, u uuid)",
        "INSERT INTO KS.t (k, i, b, d) VALUES (1, blobAsInt(0x), blobAsBoolean(0x), blobAsDouble(0x))",
        "INSERT INTO KS.u (k, u) VALUES (1, blobAsUuid(0x))",
    ]);
    let row = json!({"i": 0, "b": false, "d": 0.0});
    let read = wire.get("rest/v2/keyspaces/KS/t/1?raw=true&fields=i,b,d");
    assert_eq!(read.body, json!([row]));
    let shown = wire.graphql("{t(value:{k:1}){values{i b d}}}");
    assert_eq!(shown["data"]["t"]["values"], json!([row]));
    let grpc = |cql: &str| {
        let query = json!({ "cql": cql.replace("KS", &wire.keyspace) });
        let stargate = Stargate::new(&local_astra().url());
        block_on(stargate.call("ExecuteQuery", &query, Some(&wire.token)))
    };
    let answer = grpc("SELECT i, b, d FROM KS.t");
    let values = &answer.members["response"]["resultSet"]["rows"][0]["values"];
    let wanted = json!([{"int": "0"}, {"boolean": false}, {"double": 0.0}]);
    assert_eq!(*values, wanted);

    assert_eq!(wire.get("rest/v2/keyspaces/KS/u/1").status, 500);
    let refused = wire.graphql("{u(value:{k:1}){values{u}}}");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1, "{refused}");
    let answer = grpc("SELECT u FROM KS.u");
    assert_eq!(answer.code, "UNKNOWN", "{}", answer.message);
}
