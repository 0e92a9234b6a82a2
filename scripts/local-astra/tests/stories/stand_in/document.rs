//! Behavior of the Document API that the recordings do not cover, according to Stargate's source.

use reqwest::Method;
use serde_json::{Value, json};

use crate::astra::{block_on, client, local_astra};

/// Sends a request below the collections of a namespace, with a text as its body.
async fn ask(method: Method, namespace: &str, path: &str, body: Option<&str>) -> (u16, Value) {
    let astra = local_astra();
    let url = format!("{}/api/rest/v2/{path}", astra.url());
    let request = client()
        .request(method, url.replace("NS", namespace))
        .header("X-Cassandra-Token", astra.operator())
        .header("Content-Type", "application/json")
        .body(body.unwrap_or_default().to_owned());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn put(namespace: &str, path: &str, body: &str) {
    let path = format!("namespaces/NS/collections/{path}");
    let (status, said) = ask(Method::PUT, namespace, &path, Some(body)).await;
    assert_eq!(status, 200, "{said}");
}

/// Returns the ids or parts that match a condition.
async fn found(namespace: &str, path: &str, condition: &str) -> Value {
    let condition =
        percent_encoding::utf8_percent_encode(condition, percent_encoding::NON_ALPHANUMERIC);
    let path = format!("namespaces/NS/collections/{path}?raw=true&page-size=20&where={condition}");
    let (status, said) = ask(Method::GET, namespace, &path, None).await;
    assert!(matches!(status, 200 | 204), "{status} {said}");
    match said {
        Value::Object(documents) => documents.keys().cloned().collect(),
        parts => parts,
    }
}

#[test]
fn searches_hold_what_stargate_holds() {
    let astra = local_astra();
    let name = astra.keyspace();
    block_on(async {
        for (id, document) in [
            ("one", r#"{"a": 1, "zero": -0}"#),
            ("two", r#"{"a": 2}"#),
            ("none", r#"{"b": 1}"#),
            ("several", r#"{"x": 77, "p": {"c": 1}, "q": {"c": 2}}"#),
        ] {
            put(&name, &format!("c/{id}"), document).await;
        }
        let deep = vec!["d"; 70].join(".");
        for (condition, ids) in [
            // One condition that holds without the field lets the others of its field hold so.
            (
                r#"{"a":{"$in":[2],"$nin":[1]}}"#.to_owned(),
                &["none", "several", "two"][..],
            ),
            (r#"{"a":{"$in":[2]}}"#.to_owned(), &["two"]),
            (r#"{"a":{"$ne":1}}"#.to_owned(), &["none", "several", "two"]),
            (r#"{"zero":{"$eq":0}}"#.to_owned(), &["one"]),
            // Of several fixed paths the first row speaks for all.
            (r#"{"x":{"$eq":77},"p,q.c":{"$in":[2]}}"#.to_owned(), &[]),
            (
                r#"{"x":{"$eq":77},"p,q.c":{"$in":[1]}}"#.to_owned(),
                &["several"],
            ),
            (
                format!(r#"{{"{deep}":{{"$exists":false}}}}"#),
                &["none", "one", "several", "two"],
            ),
        ] {
            let all = found(&name, "c", &condition).await;
            let mut all: Vec<String> = serde_json::from_value(all).unwrap_or_default();
            all.sort();
            assert_eq!(all, ids, "{condition}");
        }

        put(
            &name,
            "c/parts",
            r#"{"items": [{"v": 1}, {"v": "x"}, {"v": 9}, {"v": null}]}"#,
        )
        .await;
        for (condition, values) in [
            (
                r#"{"$not":{"items.[*].v":{"$gt":5}}}"#,
                json!([1, "x", null]),
            ),
            (r#"{"items.[*].v":{"$lte":5}}"#, json!([1])),
            (r#"{"$not":{"$not":{"items.[*].v":{"$gt":5}}}}"#, json!([9])),
        ] {
            let parts = found(&name, "c/parts", condition).await;
            let parts = parts.as_array().unwrap().iter();
            let all: Value = parts
                .map(|part| {
                    let element = part["items"].as_object().unwrap().values().next().unwrap();
                    element["v"].clone()
                })
                .collect();
            assert_eq!(all, values, "{condition}");
        }
    });
}

#[test]
fn bodies_and_paths_are_read_as_stargate_reads_them() {
    let astra = local_astra();
    let name = astra.keyspace();
    let other = format!("{name}_made");
    block_on(async {
        let collections = "namespaces/NS/collections";
        put(&name, "c/d", r#"{"a/b": 1, "m~n": 2}"#).await;
        for (path, status) in [("a%2Fb", 404), ("m~n", 200)] {
            let path = format!("{collections}/c/d/{path}");
            assert_eq!(
                ask(Method::GET, &name, &path, None).await.0,
                status,
                "{path}"
            );
        }
        for body in ["{}", r#"{"upgradeType": "X"}"#] {
            let path = format!("{collections}/none/upgrade");
            assert_eq!(ask(Method::POST, &name, &path, Some(body)).await.0, 400);
        }

        put(&name, "js/first", r#"{"b": 0}"#).await;
        put(
            &name,
            "js/json-schema",
            r##"{"properties": {"a": {"$ref": "#/definitions/none"}}}"##,
        )
        .await;
        put(&name, "js/d", r#"{"b": 1}"#).await;
        let path = format!("{collections}/js/e");
        assert_eq!(
            ask(Method::PUT, &name, &path, Some(r#"{"a": 1}"#)).await.0,
            500
        );

        let path = "schemas/namespaces";
        for (replicas, status) in [
            ("true", 400),
            (r#""x""#, 400),
            (r#""1""#, 201),
            ("1.7", 201),
        ] {
            let body = format!(r#"{{"name": "{other}", "replicas": {replicas}}}"#);
            let (found, said) = ask(Method::POST, &name, path, Some(&body)).await;
            assert_eq!(found, status, "{said}");
            if status == 201 {
                assert_eq!(said["replicas"], 1);
                let path = format!("{path}/{other}");
                assert_eq!(ask(Method::DELETE, &name, &path, None).await.0, 204);
            }
        }
    });
}
