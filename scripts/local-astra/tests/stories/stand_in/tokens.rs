//! Tokens as Cassandra roles, whose permissions Cassandra checks.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::astra::{RUN_LIMIT, block_on, local_astra};

async fn ask(method: Method, path: &str, token: &str, body: Option<Value>) -> (StatusCode, Value) {
    let url = format!("{}/api/rest/v2{path}", local_astra().url());
    let mut request = crate::astra::client()
        .request(method, url)
        .header("X-Cassandra-Token", token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[test]
fn an_application_token_may_not_make_or_drop_keyspaces() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    block_on(async {
        let path = "/schemas/keyspaces";
        let body = json!({"name": "of_an_application"});
        let (status, said) = ask(Method::POST, path, &astra.application(), Some(body)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{said}");
        assert_eq!(said["grpcStatus"], "PERMISSION_DENIED");
        let path = format!("/schemas/keyspaces/{keyspace}");
        let (status, said) = ask(Method::DELETE, &path, &astra.application(), None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{said}");
        let (status, _) = ask(Method::GET, &path, &astra.application(), None).await;
        assert_eq!(status, StatusCode::OK, "the keyspace is still there");
    });
}

#[test]
fn the_operator_token_may_and_the_application_token_is_let_in() {
    let astra = local_astra();
    block_on(async {
        let name = format!("of_the_operator_{}", std::process::id());
        let body = json!({"name": name});
        let (status, said) = ask(
            Method::POST,
            "/schemas/keyspaces",
            &astra.operator(),
            Some(body),
        )
        .await;
        assert_eq!(status, StatusCode::CREATED, "{said}");
        let path = format!("/schemas/keyspaces/{name}/tables");
        let table = json!({"name": "t", "columnDefinitions": [{"name": "a", "typeDefinition": "int"}],
            "primaryKey": {"partitionKey": ["a"]}});
        // The grant follows the keyspace; a moment may pass in between.
        let limit = Instant::now() + RUN_LIMIT;
        loop {
            let table = Some(table.clone());
            let (status, said) = ask(Method::POST, &path, &astra.application(), table).await;
            if status == StatusCode::CREATED {
                break;
            }
            assert!(Instant::now() < limit, "{said}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let path = format!("/schemas/keyspaces/{name}");
        let (status, said) = ask(Method::DELETE, &path, &astra.operator(), None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{said}");
    });
}

#[test]
fn a_right_client_id_with_a_wrong_rest_is_refused_while_the_right_token_is_in_use() {
    let astra = local_astra();
    let path = format!("/schemas/keyspaces/{}", settings::KEYSPACE);
    for right in [astra.application(), astra.operator()] {
        let client_id = right.split(':').nth(1).unwrap();
        let wrong = format!("AstraCS:{client_id}:{}", "0".repeat(64));
        block_on(async {
            for _ in 0..3 {
                let (status, said) = ask(Method::GET, &path, &right, None).await;
                assert_eq!(status, StatusCode::OK, "{said}");
                let (status, said) = ask(Method::GET, &path, &wrong, None).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{said}");
                assert_eq!(said["grpcStatus"], "UNAUTHENTICATED");
            }
        });
    }
}

#[test]
fn what_is_not_served_is_501_with_a_sentence() {
    block_on(async {
        let url = format!("{}/api/rest/v1/keyspaces", local_astra().url());
        let answer = crate::astra::client().get(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
        let said: Value = answer.json().await.unwrap();
        assert!(
            said["description"]
                .as_str()
                .unwrap()
                .contains("/api/rest/v1")
        );
    });
}
