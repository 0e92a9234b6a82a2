//! Responses that the recordings do not cover, according to Stargate's source.

use serde_json::json;

use super::First;
use crate::astra::block_on;

const SCHEMA: &str = "type Thing @cql_input { k: Int! @cql_column(partitionKey: true) c: Int @cql_column(clusteringOrder: ASC) \
       u: Uuid us: [Uuid] n: Int @cql_column(typeHint: \"bigint\") } \
     type Page @cql_payload { data: [Thing] pagingState: String } \
     type Query { things(k: Int!): [Thing] page(k: Int!, s: String @cql_pagingState): Page @cql_select(pageSize: 1) } \
     type Mutation { insertThing(t: ThingInput!): Thing \
       insertOne(t: ThingInput!): [Thing] @cql_insert \
       insertThings(t: [ThingInput!]!): [Thing] }";

#[test]
fn answers_are_those_of_stargate() {
    let first = First::new();
    let path = format!("graphql/{}", first.keyspace);
    block_on(async {
        for more in ["interface Node { k: Int }", "scalar Foo"] {
            let refused = first.deploy(&format!("{SCHEMA} {more}"), json!({})).await;
            assert!(refused.is_err(), "{more}: {refused:?}");
        }
        first.deploy(SCHEMA, json!({})).await.unwrap();

        // What is made while it is written is what is answered; a hint may part a column from its type.
        let query = "mutation { insertThing(t: { k: 1, c: 1, u: \"uuid()\", us: [\"uuid()\"], n: 7 }) { u us n } }";
        let told = first.data(query).await["insertThing"].clone();
        let read = first.data("{ things(k: 1) { u us n } }").await["things"][0].clone();
        assert_eq!(told, read);
        assert_eq!(read["n"], 7);

        let page = "query($s: String) { page(k: 1, s: $s) { data { c } } }";
        let (_, absent) = first.post(&path, page, json!({})).await;
        assert_eq!(
            absent["data"]["page"]["data"],
            json!([{"c": 1}]),
            "{absent}"
        );
        let (_, null) = first.post(&path, page, json!({"s": null})).await;
        assert_eq!(null["data"]["page"], json!(null), "{null}");
        assert_eq!(null["errors"].as_array().map(Vec::len), Some(1), "{null}");

        // It is written, but one object is no list.
        let query = "mutation { insertOne(t: { k: 2, c: 1 }) { k } }";
        let told = first.ask(query).await;
        assert_eq!(told["data"]["insertOne"], json!(null), "{told}");
        assert_eq!(told["errors"].as_array().map(Vec::len), Some(1), "{told}");
        let read = first.data("{ things(k: 2) { k } }").await;
        assert_eq!(read["things"], json!([{"k": 2}]));

        // Of a list that is no literal, one element that fails fails the field; the others are written.
        let things = json!([{"k": 3, "c": 1}, {"k": 3, "c": null}]);
        let query = "mutation($t: [ThingInput!]!) { insertThings(t: $t) { c } }";
        let (_, told) = first.post(&path, query, json!({"t": things})).await;
        assert_eq!(told["data"]["insertThings"], json!(null), "{told}");
        let query = "mutation { insertThings(t: [{ k: 3, c: 2 }, { k: 3, c: null }]) { c } }";
        let told = first.ask(query).await;
        assert_eq!(
            told["data"]["insertThings"],
            json!([{"c": 2}, null]),
            "{told}"
        );
        let read = first.data("{ things(k: 3) { c } }").await;
        assert_eq!(read["things"], json!([{"c": 1}, {"c": 2}]));
    });
}
