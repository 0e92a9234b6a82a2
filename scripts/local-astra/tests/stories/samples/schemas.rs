//! The schema files of the GraphQL samples match the schemas of local Astra.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::astra::{LocalAstra, block_on, local_astra, samples};

fn folder(sample: &str) -> &'static Path {
    let found = samples().iter().find(|found| found.name == sample);
    &found.unwrap().folder
}

fn read(sample: &str, file: &str) -> String {
    std::fs::read_to_string(folder(sample).join(file)).unwrap()
}

/// Posts a query as its README does.
async fn ask(astra: &LocalAstra, path: &str, body: Value) -> Value {
    let url = format!("{}/api/{path}", astra.url());
    let request = crate::astra::client().post(url).json(&body);
    let request = request.header("X-Cassandra-Token", astra.application());
    let answer = request.send().await.unwrap();
    let said: Value = answer.json().await.unwrap();
    assert!(
        said.get("errors").is_none() && said["data"].is_object(),
        "{path}: {said}"
    );
    said
}

/// Returns the types by name, without those of introspection, and with members sorted by name.
fn types(answer: &Value) -> BTreeMap<&str, Value> {
    fn sorted(mut value: Value) -> Value {
        for list in ["fields", "inputFields", "enumValues", "args"] {
            if let Some(members) = value.get_mut(list).and_then(Value::as_array_mut) {
                *members = members.drain(..).map(sorted).collect();
                members.sort_by_key(|member| member["name"].as_str().unwrap().to_owned());
            }
        }
        value
    }
    let schema = &answer["data"]["__schema"];
    assert_eq!(schema["queryType"]["name"], "Query");
    assert_eq!(schema["mutationType"]["name"], "Mutation");
    let all = schema["types"].as_array().unwrap().iter();
    let named = all.map(|one| (one["name"].as_str().unwrap(), sorted(one.clone())));
    named.filter(|(name, _)| !name.starts_with("__")).collect()
}

async fn is_served(astra: &LocalAstra, sample: &str, file: &str, path: &str) {
    let query = read(sample, "graphql/introspection.graphql");
    let served = ask(astra, path, json!({ "query": query })).await;
    let stored: Value = serde_json::from_str(&read(sample, file)).unwrap();
    let (served, stored) = (types(&served), types(&stored));
    assert_eq!(
        stored, served,
        "{sample} {file} is stale: its README.md tells how to fetch it from {path}"
    );
}

#[test]
fn of_the_tables() {
    let astra = local_astra();
    block_on(async {
        for sample in ["graphql-cql-first-sample", "graphql-first-sample"] {
            is_served(astra, sample, "graphql/tables.json", "graphql-schema").await;
        }
    });
}

#[test]
fn of_the_rows_cql_first() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let sample = "graphql-cql-first-sample";
    block_on(async {
        let query = read(sample, "graphql/tables.graphql");
        let variables = json!({ "keyspace": keyspace, "table": "rust_sample_books" });
        let body =
            json!({ "query": query, "operationName": "CreateTable", "variables": variables });
        ask(astra, "graphql-schema", body).await;
        is_served(
            astra,
            sample,
            "graphql/books.json",
            &format!("graphql/{keyspace}"),
        )
        .await;
    });
}

#[test]
fn of_the_deployments() {
    let astra = local_astra();
    block_on(is_served(
        astra,
        "graphql-first-sample",
        "graphql/admin.json",
        "graphql-admin",
    ));
}

#[test]
fn of_the_rows_graphql_first() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let sample = "graphql-first-sample";
    block_on(async {
        let query = read(sample, "graphql/admin.graphql");
        let schema = read(sample, "src/schema.graphql");
        let variables = json!({ "keyspace": keyspace, "schema": schema, "force": false });
        let body = json!({ "query": query, "operationName": "Deploy", "variables": variables });
        ask(astra, "graphql-admin", body).await;
        is_served(
            astra,
            sample,
            "graphql/books.json",
            &format!("graphql/{keyspace}"),
        )
        .await;
    });
}
