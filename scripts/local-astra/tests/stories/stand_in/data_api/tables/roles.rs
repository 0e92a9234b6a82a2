//! Roles that allow a part of the commands on tables, of the Data API and of CQL.

use serde_json::{Value, json};
use settings::DATABASE_ID;

use super::super::DataApi;
use super::super::tokens::{role, token};
use crate::astra::{block_on, local_astra};
use crate::stand_in::devops::Api;

const READ: &[&str] = &[
    "org-db-view",
    "db-rest",
    "db-keyspace-describe",
    "db-table-describe",
    "db-table-select",
];
const CHANGE: &[&str] = &[
    "db-table-modify",
    "db-table-create",
    "db-table-alter",
    "db-table-drop",
];
/// The table of the Data API, and that of CQL. They have the same columns.
const TABLES: [&str; 2] = ["books", "over_cql"];

/// Creates both tables, each with an index and a row, and a type.
async fn scene(api: &DataApi) {
    let typ = json!({"createType": {"name": "addr", "definition": {"fields": {"no": "int"}}}});
    api.done("", typ).await;
    let columns = json!({"id": "int", "title": "text", "year": "int", "old": "text",
        "v": {"type": "vector", "dimension": 2}});
    api.create_table("books", columns, json!("id")).await;
    let session = local_astra().cql().await;
    let over_cql = format!(
        "CREATE TABLE {}.over_cql (id int PRIMARY KEY, title text, year int, old text, v vector<float, 2>)",
        api.keyspace
    );
    session.query_unpaged(over_cql, ()).await.unwrap();
    for table in TABLES {
        api.create_index(table, &format!("{table}_title"), json!("title"))
            .await;
        let row = json!({"id": 1, "title": "a", "v": [1, 0]});
        api.done(table, json!({"insertOne": {"document": row}}))
            .await;
    }
}

/// The application's client of the DevOps API.
fn owner() -> Api {
    let astra = local_astra();
    Api::of(astra, &astra.application())
}

/// Creates a role for these actions on these tables of the keyspace, and returns its id.
async fn role_of(api: &DataApi, tables: &str, actions: &[&str]) -> Value {
    let keyspace = format!("db:{DATABASE_ID}:keyspace:{}", api.keyspace);
    let resources = [
        format!("db:{DATABASE_ID}"),
        keyspace.clone(),
        format!("{keyspace}:table:{tables}"),
    ];
    let name = format!("{tables} of {}", api.keyspace);
    role(&owner(), &name, actions, &resources).await
}

/// A client with a token for such a role.
async fn client(api: &DataApi, tables: &str, actions: &[&str]) -> DataApi {
    let role = role_of(api, tables, actions).await;
    DataApi::with(api.keyspace.clone(), token(&owner(), &[role]).await)
}

fn reads() -> Vec<Value> {
    vec![
        json!({"find": {}}),
        json!({"findOne": {"filter": {"title": "a"}}}),
        json!({"find": {"filter": {"id": {"$in": []}}}}),
        json!({"find": {"filter": {"title": {"$ne": "b"}}, "sort": {"title": 1}}}),
    ]
}

/// The changes of rows and of the table, each of which would succeed with all rights.
fn changes(table: &str) -> Vec<Value> {
    let row = json!({"id": 1});
    let alter = |operation: Value| json!({"alterTable": {"operation": operation}});
    let rows = json!([row, {"id": 2}]);
    vec![
        json!({"insertOne": {"document": row}}),
        json!({"insertMany": {"documents": rows, "options": {"ordered": true}}}),
        json!({"insertMany": {"documents": rows, "options": {"returnDocumentResponses": true}}}),
        json!({"updateOne": {"filter": row, "update": {"$set": {"title": "b"}}}}),
        json!({"updateOne": {"filter": row, "update": {"$unset": {"title": ""}}}}),
        json!({"deleteOne": {"filter": row}}),
        json!({"deleteMany": {"filter": row}}),
        json!({"deleteMany": {}}),
        json!({"createIndex": {"name": format!("{table}_year"), "definition": {"column": "year"}}}),
        json!({"createVectorIndex": {"name": format!("{table}_v"), "definition": {"column": "v"}}}),
        alter(json!({"add": {"columns": {"more": "text"}}})),
        alter(json!({"drop": {"columns": ["old"]}})),
        alter(json!({"dropVectorize": {"columns": ["v"]}})),
    ]
}

/// Changes of the keyspace.
fn keyspace_changes(table: &str) -> Vec<Value> {
    let definition = json!({"columns": {"a": "int"}, "primaryKey": "a"});
    let fields = json!({"fields": {"a": "int"}});
    vec![
        json!({"createTable": {"name": "new", "definition": definition}}),
        json!({"createTable": {"name": table, "definition": definition, "options": {"ifNotExists": true}}}),
        json!({"createTable": {"name": table, "definition": definition}}),
        json!({"createType": {"name": "new", "definition": fields}}),
        json!({"alterType": {"name": "addr", "add": fields}}),
        json!({"dropType": {"name": "addr"}}),
        json!({"dropIndex": {"name": format!("{table}_title")}}),
        json!({"dropTable": {"name": table}}),
        json!({"dropTable": {"name": "table that doesn't exist"}}),
    ]
}

async fn check_denied(client: &DataApi, table: &str, command: &Value) {
    let slash = if table.is_empty() { "" } else { "/" };
    let path = format!("/{}{slash}{table}", client.keyspace);
    let (status, body) = client.send(&path, command.to_string()).await;
    let code = &body["errors"][0]["errorCode"];
    let denied = (401, &json!("UNAUTHORIZED_ACCESS"));
    assert_eq!((status, code), denied, "{table} {command}: {body}");
}

/// The definitions of all tables, and the rows of both.
async fn contents(api: &DataApi) -> Vec<Value> {
    let list = json!({"listTables": {"options": {"explain": true}}});
    let mut contents = vec![api.done("", list).await["status"]["tables"].take()];
    for table in TABLES {
        for read in reads() {
            contents.push(api.done(table, read).await["data"].take());
        }
    }
    contents
}

#[test]
fn a_role_that_can_only_read_changes_no_table() {
    let api = DataApi::new();
    block_on(async {
        scene(&api).await;
        let before = contents(&api).await;
        let reader = client(&api, "*", READ).await;
        for table in TABLES {
            for change in changes(table) {
                check_denied(&reader, table, &change).await;
            }
            for change in keyspace_changes(table) {
                check_denied(&reader, "", &change).await;
            }
            let indexes = reader.done(table, json!({"listIndexes": {}})).await;
            let names = &indexes["status"]["indexes"];
            assert_eq!(*names, json!([format!("{table}_title")]), "{indexes}");
        }
        let types = reader.done("", json!({"listTypes": {}})).await;
        assert_eq!(types["status"]["types"], json!(["addr"]), "{types}");
        assert_eq!(contents(&reader).await, before);
        assert_eq!(contents(&api).await, before);
    });
}

#[test]
fn a_role_for_one_table_uses_this_table_and_no_other() {
    for (own, other) in [("over_cql", "books"), ("books", "over_cql")] {
        let api = DataApi::new();
        block_on(async {
            scene(&api).await;
            let client = client(&api, own, &[READ, CHANGE].concat()).await;
            for read in reads() {
                client.done(own, read.clone()).await;
                check_denied(&client, other, &read).await;
            }
            for change in changes(other) {
                check_denied(&client, other, &change).await;
            }
            for change in keyspace_changes(other) {
                check_denied(&client, "", &change).await;
            }
            for change in changes(own) {
                client.done(own, change).await;
            }
            // The schema of a keyspace is visible as a whole, as over CQL.
            let listed = client.done("", json!({"listTables": {}})).await;
            assert_eq!(listed["status"]["tables"], json!(TABLES), "{listed}");
            let index = json!({"dropIndex": {"name": format!("{own}_title")}});
            client.done("", index).await;
            client.done("", json!({"dropTable": {"name": own}})).await;
            let code = client.code(own, json!({"find": {}})).await;
            assert_eq!(code, "UNKNOWN_COLLECTION_OR_TABLE");
        });
    }
}

#[test]
fn a_role_opens_the_data_api_to_its_own_database_only() {
    let api = DataApi::new();
    block_on(async {
        scene(&api).await;
        let closed: Vec<&str> = READ.iter().copied().filter(|a| *a != "db-rest").collect();
        let here = role_of(&api, "*", &closed).await;
        let elsewhere = [format!("db:{}", uuid::Uuid::new_v4())];
        let name = format!("elsewhere than {}", api.keyspace);
        let elsewhere = role(&owner(), &name, &["org-db-view", "db-rest"], &elsewhere).await;
        let token = token(&owner(), &[here, elsewhere]).await;
        let client = DataApi::with(api.keyspace.clone(), token);
        for (table, command) in [
            ("", json!({"listTables": {}})),
            ("books", json!({"find": {}})),
            ("over_cql", json!({"listIndexes": {}})),
        ] {
            check_denied(&client, table, &command).await;
        }
    });
}
