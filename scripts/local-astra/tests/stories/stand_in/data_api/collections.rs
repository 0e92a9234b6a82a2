//! Collections: created at once, healed, of older versions, within limits.

use serde_json::json;

use super::DataApi;
use crate::astra::{block_on, local_astra};

#[test]
fn ten_creations_at_once_make_one_collection() {
    let api = DataApi::new();
    block_on(async {
        let create =
            || json!({"createCollection": {"name": "c", "options": {"vector": {"dimension": 2}}}});
        let all = (0..10).map(|_| api.run("", create()));
        for body in futures::future::join_all(all).await {
            assert_eq!(body, json!({"status": {"ok": 1}}));
        }
        // Its indexes can be used at once.
        api.done("c", json!({"find": {"filter": {"a": 1}}})).await;
        api.done("c", json!({"find": {"sort": {"$vector": [1, 0]}}}))
            .await;
        let other = json!({"createCollection": {"name": "c"}});
        assert_eq!(
            api.code("", other).await,
            "EXISTING_COLLECTION_DIFFERENT_SETTINGS"
        );
    });
}

#[test]
fn a_collection_without_an_index_heals() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({})).await;
        api.done(
            "c",
            json!({"insertOne": {"document": {"_id": 1, "a": "x"}}}),
        )
        .await;
        let session = local_astra().cql().await;
        let drop = format!("DROP INDEX {}.c_array_contains", api.keyspace);
        session.query_unpaged(drop, ()).await.unwrap();
        api.create("c", json!({})).await;
        let found = api.find_all("c", &json!({"a": "x"})).await;
        assert_eq!(found, [json!({"_id": 1, "a": "x"})]);
    });
}

#[test]
fn tables_of_the_real_server_are_collections() {
    let api = DataApi::new();
    block_on(async {
        let session = local_astra().cql().await;
        let columns = "key frozen<tuple<tinyint, text>> PRIMARY KEY, tx_id timeuuid, doc_json text, \
            exist_keys set<text>, array_size map<text, int>, array_contains set<text>, \
            query_bool_values map<text, tinyint>, query_dbl_values map<text, decimal>, \
            query_text_values map<text, text>, query_timestamp_values map<text, timestamp>, query_null_values set<text>";
        let version_1 = json!({"collection": {"name": "one", "schema_version": 1, "options": {
            "defaultId": {"type": "objectId"}, "indexing": {"deny": ["raw"]}}}});
        for (name, comment) in [
            ("zero", "{\"indexing\":{\"allow\":[\"a\"]}}".to_owned()),
            ("one", version_1.to_string()),
        ] {
            let create = format!(
                "CREATE TABLE {}.{name} ({columns}) WITH comment = '{comment}'",
                api.keyspace
            );
            session.query_unpaged(create, ()).await.unwrap();
        }
        session
            .query_unpaged(
                format!("CREATE TABLE {}.no (a int PRIMARY KEY)", api.keyspace),
                (),
            )
            .await
            .unwrap();
        let listed = api
            .done(
                "",
                json!({"findCollections": {"options": {"explain": true}}}),
            )
            .await;
        let off = json!({"enabled": false});
        assert_eq!(
            listed["status"]["collections"],
            json!([
                {"name": "one", "options": {"defaultId": {"type": "objectId"}, "indexing": {"deny": ["raw"]},
                    "lexical": off, "rerank": off}},
                {"name": "zero", "options": {"indexing": {"allow": ["a"]}, "lexical": off, "rerank": off}},
            ])
        );
        let body = api
            .done("one", json!({"insertOne": {"document": {"a": 1}}}))
            .await;
        assert!(
            body["status"]["insertedIds"][0]["$objectId"].is_string(),
            "{body}"
        );
        let code = api
            .code("zero", json!({"find": {"filter": {"b": 1}}}))
            .await;
        assert_eq!(code, "FILTER_PATH_UNINDEXED");
        let over = json!({"createCollection": {"name": "no"}});
        assert_eq!(
            api.code("", over).await,
            "EXISTING_TABLE_NOT_DATA_API_COLLECTION"
        );
    });
}

#[test]
fn rows_of_cql_are_documents_and_documents_are_rows() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({})).await;
        let session = local_astra().cql().await;
        let insert = format!(
            "INSERT INTO {}.c (key, tx_id, doc_json, exist_keys, array_contains, query_text_values) \
             VALUES ((1, 'x'), now(), '{{\"_id\":\"x\",\"a\":\"b\"}}', {{'_id', 'a'}}, {{'a Sb'}}, {{'a': 'b'}})",
            api.keyspace
        );
        session.query_unpaged(insert, ()).await.unwrap();
        let found = api.find_all("c", &json!({"a": {"$gte": "b"}})).await;
        assert_eq!(found, [json!({"_id": "x", "a": "b"})]);
        let set = json!({"updateOne": {"filter": {"_id": "x"}, "update": {"$set": {"n": 1.50}}}});
        api.done("c", set).await;
        let cql = format!(
            "SELECT doc_json FROM {}.c WHERE array_contains CONTAINS 'n N1.5'",
            api.keyspace
        );
        let rows = session
            .query_unpaged(cql, ())
            .await
            .unwrap()
            .into_rows_result()
            .unwrap();
        let (text,) = rows.first_row::<(String,)>().unwrap();
        assert_eq!(text, r#"{"_id":"x","a":"b","n":1.5}"#);
    });
}

#[test]
fn old_names_of_options_are_read() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({"vector": {"size": 2, "function": "euclidean"}}))
            .await;
        api.create(
            "c",
            json!({"vector": {"dimension": 2, "metric": "euclidean", "sourceModel": "other"}}),
        )
        .await;
        let other =
            json!({"createCollection": {"name": "c", "options": {"vector": {"dimension": 2}}}});
        assert_eq!(
            api.code("", other).await,
            "EXISTING_COLLECTION_DIFFERENT_SETTINGS"
        );
    });
}

#[test]
fn hostile_names_change_no_statement() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({})).await;
        let hostile = [
            "a'; DROP TABLE c; --",
            "a\"b",
            "x']",
            "\u{1F600} é",
            "a?b",
            "$$",
        ];
        for name in hostile {
            let path = name.replace('$', "_");
            let document = json!({"_id": name, path.clone(): name, "list": [name]});
            api.done("c", json!({"insertOne": {"document": document}}))
                .await;
            for filter in [
                json!({"_id": name}),
                json!({path.clone(): name}),
                json!({"list": name}),
                json!({"list.0": {"$gte": name, "$lte": name}}),
                json!({path.clone(): {"$in": [name, 1]}}),
            ] {
                let found = api.find_all("c", &filter).await;
                assert!(found.contains(&document), "{filter}: {found:?}");
            }
            let sort = json!({"find": {"sort": {path.clone(): 1}, "projection": {path: 1}}});
            api.done("c", sort).await;
            let command = json!({"createCollection": {"name": name}});
            assert_eq!(api.code("", command).await, "UNSUPPORTED_SCHEMA_NAME");
        }
        assert_eq!(api.find_all("c", &json!({})).await.len(), hostile.len());
    });
}

#[test]
fn with_a_document_that_cannot_be_read_nothing_is_changed_and_nothing_lost() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({})).await;
        let documents = json!([{"_id": "good", "n": 1}, {"_id": "bad", "n": 1}]);
        api.done("c", json!({"insertMany": {"documents": documents}}))
            .await;
        let session = local_astra().cql().await;
        let spoil = format!(
            "UPDATE {}.c SET doc_json = '{{' WHERE key = (1, 'bad')",
            api.keyspace
        );
        session.query_unpaged(spoil, ()).await.unwrap();
        let bad = json!({"_id": "bad"});
        for command in [
            json!({"find": {}}),
            json!({"findOneAndDelete": {"filter": bad}}),
            json!({"updateOne": {"filter": bad, "update": {"$inc": {"n": 1}}}}),
            json!({"updateMany": {"filter": {"n": 1}, "update": {"$inc": {"n": 1}}}}),
        ] {
            let code = api.code("c", command.clone()).await;
            assert_eq!(code, "DOCUMENT_FROM_DB_UNPARSEABLE", "{command}");
        }
        let good = api.find_all("c", &json!({"_id": "good"})).await;
        assert_eq!(good, [json!({"_id": "good", "n": 1})]);
        let count = api.done("c", json!({"countDocuments": {}})).await;
        assert_eq!(count["status"]["count"], 2);
    });
}
