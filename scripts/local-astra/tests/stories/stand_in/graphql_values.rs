//! The CQL-first GraphQL API: conversion of values, according to Stargate's source where there is no recording.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::astra::{RUN_LIMIT, block_on, local_astra};
use crate::stand_in::graphql::Graphql;

/// Creates a client of a keyspace in which these statements were run, once the schema shows its table `t`.
fn with(statements: &[&str]) -> Graphql {
    let graphql = Graphql::new();
    block_on(async {
        let cql = local_astra().cql().await;
        for statement in statements {
            let statement = statement.replace("KS", &graphql.keyspace);
            cql.query_unpaged(statement, ()).await.unwrap();
        }
        until(&graphql, "{ __type(name: \"t\") { name } }", |data| {
            data["__type"].is_object()
        })
        .await;
    });
    graphql
}

async fn until(graphql: &Graphql, query: &str, is_done: impl Fn(&Value) -> bool) {
    let since = Instant::now();
    while !is_done(&graphql.data(query).await) {
        assert!(since.elapsed() < RUN_LIMIT, "{query}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Sends a request of which one field fails completely.
async fn fails(graphql: &Graphql, query: &str, field: &str) {
    let answer = graphql.ask(query).await;
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{query}: {answer}");
    assert_eq!(errors[0]["path"], json!([field]), "{query}: {answer}");
    assert_eq!(answer["data"][field], Value::Null, "{query}: {answer}");
}

#[test]
fn collections_are_as_cassandra_keeps_them() {
    let graphql = with(&[
        "CREATE TYPE KS.addr (tags frozen<list<text>>)",
        "CREATE TABLE KS.t (k text PRIMARY KEY, l list<int>, fl frozen<list<int>>, ll list<frozen<list<int>>>, \
             a addr, m map<int, frozen<map<text, int>>>, tup tuple<int, int>)",
    ]);
    block_on(async {
        let given = "l: [], fl: [], ll: [[], [1]], a: {tags: []}, \
                     m: [{key: 1, value: [{key: \"x\", value: 2}]}, {key: 2, value: []}], \
                     tup: {item0: 5, item1: null}";
        let insert = format!("mutation {{ insertt(value: {{k: \"a\", {given}}}) {{ applied }} }}");
        graphql.data(&insert).await;
        let found = graphql
            .data(
                "{ t(value: {k: \"a\"}) { values { l fl ll a { tags } tup { item0 item1 } \
                 m { key value { key value } } } } }",
            )
            .await;
        let wanted = json!({
            "l": null, "fl": [], "ll": [[], [1]], "a": {"tags": []}, "tup": {"item0": 5, "item1": null},
            "m": [{"key": 1, "value": [{"key": "x", "value": 2}]}, {"key": 2, "value": []}],
        });
        assert_eq!(found["t"]["values"], json!([wanted]));
        let partial = "mutation { insertt(value: {k: \"b\", tup: {item0: 5}}) { applied } }";
        fails(&graphql, partial, "insertt").await;
    });
}

#[test]
fn a_bulk_insert_fails_as_a_whole_and_writes_what_it_can() {
    let graphql = with(&["CREATE TABLE KS.t (k text, c int, PRIMARY KEY (k, c))"]);
    block_on(async {
        let bulk = "mutation { bulkInsertt(values: [{k: \"b\", c: 1}, {k: \"b\"}, {k: \"b\", c: 3}]) { applied } }";
        fails(&graphql, bulk, "bulkInsertt").await;
        let found = graphql.data("{ t(value: {k: \"b\"}) { values { c } } }");
        assert_eq!(found.await["t"]["values"], json!([{"c": 1}, {"c": 3}]));
        let missing = "mutation { bulkInsertt { applied } }";
        fails(&graphql, missing, "bulkInsertt").await;
        let empty = graphql.data("mutation { bulkInsertt(values: []) { applied } }");
        assert_eq!(empty.await["bulkInsertt"], json!([]));
    });
}

#[test]
fn a_batch_can_be_sent_without_waiting_for_it() {
    let graphql = with(&["CREATE TABLE KS.t (k text PRIMARY KEY, l list<int>)"]);
    block_on(async {
        let fields = "{ accepted applied value { k l } }";
        let refused = format!(
            "mutation @atomic @async {{ a: insertt(value: {{k: \"no\"}}) {fields} \
             b: insertt(value: {{k: \"no\", l: [null]}}) {fields} }}"
        );
        let accepted = |value| json!({"accepted": true, "applied": null, "value": value});
        let answer = graphql.data(&refused).await;
        assert_eq!(answer["a"], accepted(json!({"k": "no", "l": null})));
        assert_eq!(answer["b"], accepted(json!({"k": "no", "l": [null]})));
        let written = format!(
            "mutation @atomic @async {{ a: insertt(value: {{k: \"a\", l: [1]}}) {fields} \
             b: bulkInsertt(values: [{{k: \"b\"}}, {{k: \"c\"}}]) {fields} }}"
        );
        let answer = graphql.data(&written).await;
        assert_eq!(answer["a"], accepted(json!({"k": "a", "l": [1]})));
        assert_eq!(answer["b"][1], accepted(json!({"k": "c", "l": null})));
        let single = format!("mutation @atomic @async {{ insertt(value: {{k: \"d\"}}) {fields} }}");
        let answer = graphql.data(&single).await;
        assert_eq!(answer["insertt"], accepted(json!({"k": "d", "l": null})));
        let alone = "mutation @atomic @async { insertt(value: {}) { accepted } }";
        fails(&graphql, alone, "insertt").await;
        until(&graphql, "{ t { values { k } } }", |data| {
            data["t"]["values"].as_array().unwrap().len() == 4
        })
        .await;
        let none = graphql.data("{ t(value: {k: \"no\"}) { values { k } } }");
        assert_eq!(none.await["t"]["values"], json!([]));
    });
}

#[test]
fn an_aggregate_has_to_fit_its_field() {
    let graphql = with(&["CREATE TABLE KS.t (k text, n int, PRIMARY KEY (k, n))"]);
    block_on(async {
        let rows =
            "mutation { bulkInsertt(values: [{k: \"a\", n: 1}, {k: \"a\", n: 2}]) { applied } }";
        graphql.data(rows).await;
        let ask = |key: &str, field: &str, call: &str| {
            format!(
                "{{ t(value: {{k: \"{key}\"}}) {{ values {{ f: _{field}_function({call}) }} }} }}"
            )
        };
        let count = "name: \"count\", args: [\"n\"]";
        let sum = "name: \"sum\", args: [\"n\"]";
        for (field, call, wanted) in [
            ("int", count, json!(2)),
            ("bigint", sum, json!("3")),
            ("smallint", count, json!(2)),
            ("tinyint", sum, json!(3)),
        ] {
            let found = graphql.data(&ask("a", field, call)).await;
            assert_eq!(found["t"]["values"], json!([{"f": wanted}]), "{field}");
        }
        let nope = "name: \"nope\", args: [\"n\"]";
        for (key, field, call) in [
            ("a", "double", sum),
            ("a", "decimal", count),
            ("a", "int", "name: \"min\", args: [\"k\"]"),
            ("zz", "int", "name: \"max\", args: [\"n\"]"),
            ("a", "int", nope),
        ] {
            fails(&graphql, &ask(key, field, call), "t").await;
        }
        let nothing = ask("zz", "int", nope).replace("f:", "k f:");
        assert_eq!(graphql.data(&nothing).await["t"]["values"], json!([]));
    });
}

#[test]
fn a_null_is_not_always_as_if_left_out() {
    let graphql = with(&["CREATE TABLE KS.t (k text, c int, v int, PRIMARY KEY (k, c))"]);
    block_on(async {
        for key in ["a", "b"] {
            let row = format!(
                "mutation {{ insertt(value: {{k: \"{key}\", c: 1, v: 1}}) {{ applied }} }}"
            );
            graphql.data(&row).await;
        }
        let all = graphql.data("{ t(filter: null, value: {k: \"a\"}) { values { k } } }");
        assert_eq!(all.await["t"]["values"].as_array().unwrap().len(), 2);
        for (query, field) in [
            ("{ t(filter: {k: null}) { values { k } } }", "t"),
            ("{ t(groupBy: null) { values { k } } }", "t"),
            ("{ t(groupBy: {c: null}) { values { k } } }", "t"),
            (
                "{ t(value: {k: \"a\"}, orderBy: null) { values { k } } }",
                "t",
            ),
            (
                "mutation { updatet(value: {k: \"a\", c: 1, v: 2}, ifCondition: {v: null}) { applied } }",
                "updatet",
            ),
        ] {
            fails(&graphql, query, field).await;
        }
        let kept = graphql.data("{ t(value: {k: \"a\"}) { values { v } } }");
        assert_eq!(kept.await["t"]["values"], json!([{"v": 1}]));
        let change = "createTable(keyspaceName: \"KS\", tableName: \"t2\", ifNotExists: null, \
                      partitionKeys: [{name: \"k\", type: {basic: INT}}])";
        assert_eq!(
            graphql.change(change).await["data"],
            json!({"createTable": null})
        );
    });
}

#[test]
fn a_keyspace_without_tables_has_its_options_and_warnings() {
    let graphql = Graphql::new();
    block_on(async {
        let cql = local_astra().cql().await;
        let unused = format!("CREATE TYPE {}.\"a b\" (c int)", graphql.keyspace);
        cql.query_unpaged(unused, ()).await.unwrap();
        until(&graphql, "{ conversionWarnings }", |data| {
            data["conversionWarnings"] == json!(["UDT a b mapped as ax20_bUdt"])
        })
        .await;
        let types = graphql
            .data(
                "{ options: __type(name: \"QueryOptions\") { kind } \
                 consistency: __type(name: \"QueryConsistency\") { kind } \
                 other: __type(name: \"MutationOptions\") { kind } }",
            )
            .await;
        let wanted = json!({"options": {"kind": "INPUT_OBJECT"}, "consistency": {"kind": "ENUM"}, "other": null});
        assert_eq!(types, wanted);
    });
}
