//! Tables of all interfaces, and columns that only CQL can create.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::DataApi;
use super::warnings;
use crate::astra::{block_on, local_astra};
use crate::recorded::grpc::Stargate;

/// Sends a request to REST, Document or GraphQL.
async fn ask(method: Method, path: &str, body: Option<Value>) -> Value {
    let astra = local_astra();
    let mut request = crate::astra::client()
        .request(method, format!("{}{path}", astra.url()))
        .header("X-Cassandra-Token", astra.application());
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    assert!(
        response.status().is_success(),
        "{path} {}",
        response.status()
    );
    response.json().await.unwrap()
}

#[test]
fn a_table_of_rest_graphql_and_document_is_a_table_here() {
    let api = DataApi::new();
    let keyspace = &api.keyspace;
    block_on(async {
        let definitions = json!([{"name": "id", "typeDefinition": "text"},
            {"name": "at", "typeDefinition": "timestamp"}, {"name": "pages", "typeDefinition": "int"}]);
        let key = json!({"partitionKey": ["id"], "clusteringKey": ["at"]});
        let order = json!({"clusteringExpression": [{"column": "at", "order": "DESC"}]});
        let table = json!({"name": "of_rest", "columnDefinitions": definitions, "primaryKey": key,
            "tableOptions": order});
        let path = format!("/api/rest/v2/schemas/keyspaces/{keyspace}/tables");
        ask(Method::POST, &path, Some(table)).await;
        let wanted = json!({
            "columns": {"id": {"type": "text"}, "at": {"type": "timestamp"}, "pages": {"type": "int"}},
            "primaryKey": {"partitionBy": ["id"], "partitionSort": {"at": -1}},
        });
        assert_eq!(api.listed("of_rest").await, Some(wanted));
        let row = json!({"id": "a", "at": "2026-11-28T10:00:00Z", "pages": 5});
        api.done("of_rest", json!({"insertOne": {"document": row}}))
            .await;
        let path = format!("/api/rest/v2/keyspaces/{keyspace}/of_rest/a");
        let read = ask(Method::GET, &path, None).await;
        assert_eq!(read["data"][0]["pages"], json!(5), "{read}");

        let made = format!(
            "mutation {{ createTable(keyspaceName: \"{keyspace}\", tableName: \"of_graphql\", \
             partitionKeys: [{{name: \"title\", type: {{basic: TEXT}}}}], \
             values: [{{name: \"tags\", type: {{basic: SET, info: {{subTypes: [{{basic: TEXT}}]}}}}}}]) }}"
        );
        ask(
            Method::POST,
            "/api/graphql-schema",
            Some(json!({"query": made})),
        )
        .await;
        let listed = api.listed("of_graphql").await.unwrap();
        assert_eq!(
            listed["columns"]["tags"],
            json!({"type": "set", "valueType": "text"})
        );

        let path = format!("/api/rest/v2/namespaces/{keyspace}/collections/of_documents");
        ask(Method::POST, &path, Some(json!({"a": {"b": "text"}}))).await;
        assert!(api.listed("of_documents").await.is_some());
        let find = json!({"find": {"projection": {"p0": 1, "p1": 1, "text_value": 1}}});
        let found = api.done("of_documents", find).await;
        let leaf = json!({"p0": "a", "p1": "b", "text_value": "text"});
        assert!(
            found["data"]["documents"]
                .as_array()
                .unwrap()
                .contains(&leaf),
            "{found}"
        );

        api.create("of_data_api", json!({})).await;
        assert_eq!(api.listed("of_data_api").await, None);
        api.done("", json!({"dropTable": {"name": "of_data_api"}}))
            .await;
        let collections = api.done("", json!({"findCollections": {}})).await;
        assert_eq!(collections["status"]["collections"], json!([]));
    });
}

#[test]
fn a_table_of_the_data_api_is_a_table_everywhere() {
    let api = DataApi::new();
    let astra = local_astra();
    let keyspace = &api.keyspace;
    block_on(async {
        let columns = json!({"id": "int", "name": "text", "tags": {"type": "set", "valueType": "text"},
            "vec": {"type": "vector", "dimension": 2}});
        api.create_table("t", columns, json!("id")).await;
        let index =
            json!({"createVectorIndex": {"name": "t_vec", "definition": {"column": "vec"}}});
        api.done("t", index).await;
        let row = json!({"id": 1, "name": "Ann", "tags": ["b", "a"], "vec": [1, 0.5]});
        api.done("t", json!({"insertOne": {"document": row}})).await;

        let session = astra.cql().await;
        let cql = format!("SELECT name, tags, vec FROM {keyspace}.t WHERE id = 1");
        let rows = session
            .query_unpaged(cql, ())
            .await
            .unwrap()
            .into_rows_result()
            .unwrap();
        let row: (String, Vec<String>, Vec<f32>) = rows.single_row().unwrap();
        assert_eq!(
            row,
            ("Ann".into(), vec!["a".into(), "b".into()], vec![1.0, 0.5])
        );

        let query = json!({"query": "{ t(value: {id: 1}) { values { name tags } } }"});
        let path = format!("/api/graphql/{keyspace}");
        let read = ask(Method::POST, &path, Some(query)).await;
        let wanted = json!({"name": "Ann", "tags": ["a", "b"]});
        assert_eq!(read["data"]["t"]["values"][0], wanted, "{read}");

        let stargate = Stargate::new(&astra.url());
        let cql = json!({"cql": format!("SELECT name FROM {keyspace}.t")});
        let token = astra.application();
        let read = stargate.call("ExecuteQuery", &cql, Some(&token)).await;
        assert_eq!(read.code, "OK", "{}", read.message);
        let rows = &read.members["response"]["resultSet"]["rows"];
        assert_eq!(rows, &json!([{"values": [{"string": "Ann"}]}]));
    });
}

#[test]
fn changes_over_cql_are_visible_in_the_next_command() {
    let api = DataApi::new();
    let keyspace = &api.keyspace;
    block_on(async {
        let session = local_astra().cql().await;
        let run = async |cql: String| session.query_unpaged(cql, ()).await.unwrap();
        for round in 0..3 {
            run(format!("CREATE TABLE {keyspace}.t (id int PRIMARY KEY)")).await;
            api.done("t", json!({"insertOne": {"document": {"id": round}}}))
                .await;
            run(format!("ALTER TABLE {keyspace}.t ADD more text")).await;
            let row = json!({"id": round, "more": "x"});
            api.done("t", json!({"insertOne": {"document": row}})).await;
            let found = api
                .done("t", json!({"findOne": {"filter": {"id": round}}}))
                .await;
            assert_eq!(found["data"]["document"], row);
            run(format!("DROP TABLE {keyspace}.t")).await;
            let code = api.code("t", json!({"find": {}})).await;
            assert_eq!(code, "UNKNOWN_COLLECTION_OR_TABLE");
            // The same name with another type.
            run(format!("CREATE TABLE {keyspace}.t (id text PRIMARY KEY)")).await;
            api.done("t", json!({"insertOne": {"document": {"id": "text"}}}))
                .await;
            run(format!("DROP TABLE {keyspace}.t")).await;
        }
    });
}

#[test]
fn columns_that_only_cql_can_create_are_listed_and_read_as_far_as_possible() {
    let api = DataApi::new();
    let keyspace = &api.keyspace;
    block_on(async {
        let session = local_astra().cql().await;
        for cql in [
            "CREATE TYPE KS.addr (street text, no int)",
            "CREATE TYPE KS.nest (a frozen<addr>)",
            "CREATE TABLE KS.odd (k text, c timeuuid, st text static, tu tuple<int, text>, \
             nl list<frozen<list<int>>>, fl frozen<list<text>>, fu frozen<addr>, us set<frozen<addr>>, n nest, \
             dec decimal, \"Mixed \"\"name\" int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
            "CREATE INDEX odd_legacy ON KS.odd (dec)",
            "CREATE MATERIALIZED VIEW KS.odd_view AS SELECT k, c, dec FROM KS.odd WHERE k IS NOT NULL \
             AND c IS NOT NULL AND dec IS NOT NULL PRIMARY KEY (dec, k, c)",
            "CREATE TABLE KS.counts (k text PRIMARY KEY, n counter)",
            "UPDATE KS.counts SET n = n + 5 WHERE k = 'a'",
            "INSERT INTO KS.odd (k, c, st, tu, nl, fl, fu, us, n, dec, \"Mixed \"\"name\") VALUES ('a', \
             50554d6e-29bb-11e5-b345-feff819cdc9f, 's', (1, 'x'), [[1]], ['f'], {street: 'F'}, \
             {{street: 'U', no: 2}}, {a: {street: 'n'}}, 1000.50, 7)",
            "INSERT INTO KS.odd (k, st) VALUES ('only static', 's')",
        ] {
            session
                .query_unpaged(cql.replace("KS", keyspace), ())
                .await
                .unwrap();
        }
        let listed = api.listed("odd").await.unwrap();
        let unsupported = |cql: &str| {
            json!({"type": "UNSUPPORTED", "apiSupport": {"createTable": false, "insert": false, "read": false,
                "filter": false, "cqlDefinition": cql.replace("KS", keyspace)}})
        };
        let limited = |cql: &str| json!({"createTable": false, "insert": true, "read": true, "filter": true, "cqlDefinition": cql});
        let addr = json!({"type": "userDefined", "udtName": "addr"});
        assert_eq!(
            listed["columns"],
            json!({
                "k": {"type": "text"},
                "c": {"type": "timeuuid", "apiSupport": limited("timeuuid")},
                "st": {"type": "text", "apiSupport": limited("static text")},
                "tu": unsupported("frozen<tuple<int, text>>"),
                "nl": unsupported("list<frozen<list<int>>>"),
                "n": unsupported("KS.nest"),
                "fl": {"type": "list", "valueType": "text", "apiSupport": limited("frozen<list<text>>")},
                "fu": addr,
                "us": {"type": "set", "valueType": addr},
                "dec": {"type": "decimal"},
                "Mixed \"name": {"type": "int"},
            })
        );
        assert_eq!(api.listed("odd_view").await, None);
        let code = api.code("odd_view", json!({"find": {}})).await;
        assert_eq!(code, "UNKNOWN_COLLECTION_OR_TABLE");
        let types = api
            .done("", json!({"listTypes": {"options": {"explain": true}}}))
            .await;
        assert_eq!(types["status"]["types"][1], unsupported("KS.nest"));
        let indexes = api
            .done(
                "odd",
                json!({"listIndexes": {"options": {"explain": true}}}),
            )
            .await;
        let index = &indexes["status"]["indexes"][0];
        assert_eq!(index["indexType"], json!("UNKNOWN"), "{index}");

        let body = api.run("odd", json!({"find": {}})).await;
        assert_eq!(
            body["errors"][0]["errorCode"],
            json!("UNSUPPORTED_COLUMN_TYPES")
        );
        assert_eq!(body["errors"][0]["scope"], json!("PROJECTION"));
        let readable = json!({"tu": 0, "nl": 0, "n": 0});
        let body = api
            .done("odd", json!({"find": {"projection": readable}}))
            .await;
        let rows = body["data"]["documents"].as_array().unwrap();
        let whole = json!({"k": "a", "c": "50554d6e-29bb-11e5-b345-feff819cdc9f", "st": "s", "fl": ["f"],
            "fu": {"street": "F"}, "us": [{"street": "U", "no": 2}], "dec": 1000.5, "Mixed \"name": 7});
        assert!(rows.contains(&whole), "{body}");
        assert!(
            rows.contains(&json!({"k": "only static", "st": "s"})),
            "{body}"
        );
        // The index is not the API's, but the database has it.
        let find = json!({"find": {"filter": {"dec": 1000.5}, "projection": {"k": 1}}});
        let body = api.done("odd", find).await;
        assert_eq!(body["data"]["documents"], json!([{"k": "a"}]));
        assert!(warnings(&body).is_empty(), "{body}");

        let body = api.done("counts", json!({"findOne": {}})).await;
        assert_eq!(body["data"]["document"], json!({"k": "a", "n": 5}));
        for (table, command, scope, code) in [
            (
                "odd",
                json!({"insertOne": {"document": {"k": "a", "tu": [1, "x"]}}}),
                "DOCUMENT",
                "UNSUPPORTED_COLUMN_TYPES",
            ),
            (
                "odd",
                json!({"find": {"filter": {"tu": 1}, "projection": readable}}),
                "DOCUMENT",
                "UNSUPPORTED_COLUMN_TYPES",
            ),
            (
                "counts",
                json!({"insertOne": {"document": {"k": "a", "n": 1}}}),
                "DOCUMENT",
                "UNSUPPORTED_COLUMN_TYPES",
            ),
            (
                "counts",
                json!({"updateOne": {"filter": {"k": "a"}, "update": {"$set": {"n": 1}}}}),
                "UPDATE",
                "UNSUPPORTED_UPDATE_OPERATOR",
            ),
            (
                "odd",
                json!({"createIndex": {"name": "i", "definition": {"column": "fl"}}}),
                "SCHEMA",
                "UNSUPPORTED_INDEXING_FOR_FROZEN_COLUMN",
            ),
            (
                "odd",
                json!({"createIndex": {"name": "i", "definition": {"column": "tu"}}}),
                "SCHEMA",
                "UNSUPPORTED_INDEXING_FOR_DATA_TYPES",
            ),
        ] {
            let body = api.run(table, command).await;
            let error = &body["errors"][0];
            assert_eq!(
                (&error["scope"], &error["errorCode"]),
                (&json!(scope), &json!(code)),
                "{body}"
            );
        }
    });
}
