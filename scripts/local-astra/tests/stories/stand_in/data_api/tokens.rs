//! Tokens and their roles, and the limits of requests.

use reqwest::Method;
use serde_json::{Value, json};

use super::DataApi;
use crate::astra::{block_on, local_astra};
use crate::stand_in::devops::Api;

/// Creates a role with these actions on these resources, given as the parts after the organization, and returns its id.
pub async fn role(owner: &Api, name: &str, actions: &[&str], resources: &[String]) -> Value {
    let organization = settings::ORGANIZATION_ID;
    let resources = resources.iter();
    let resources = resources.map(|rest| format!("drn:astra:org:{organization}:{rest}"));
    let policy = json!({"description": name, "effect": "allow", "actions": actions,
        "resources": resources.collect::<Vec<String>>()});
    let body = json!({"name": name, "policy": policy});
    let created = owner
        .ask(Method::POST, "/v2/organizations/roles", Some(body))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    created.body["ID"].clone()
}

/// Creates a token with the roles of these ids.
pub async fn token(owner: &Api, roles: &[Value]) -> String {
    let body = json!({"roles": roles});
    let created = owner
        .ask(Method::POST, "/v2/clientIdSecrets", Some(body))
        .await;
    assert_eq!(created.status, 200, "{}", created.body);
    created.body["token"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_role_may_not_do_is_unauthorized() {
    let astra = local_astra();
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({})).await;
        api.done("c", json!({"insertOne": {"document": {"_id": 1}}}))
            .await;
        let (status, body) = api
            .send(
                "",
                json!({"createKeyspace": {"name": "of_data_api"}}).to_string(),
            )
            .await;
        assert_eq!(
            (status, &body["errors"][0]["errorCode"]),
            (401, &json!("UNAUTHORIZED_ACCESS"))
        );
        // The built-in role "API RO User".
        let owner = Api::of(astra, &astra.application());
        let roles = owner.get("/v2/organizations/roles").await;
        let role = roles
            .body
            .as_array()
            .unwrap()
            .iter()
            .find(|role| role["Name"] == "API RO User" || role["name"] == "API RO User")
            .unwrap_or_else(|| panic!("{}", roles.body));
        let id = role.get("ID").or_else(|| role.get("id")).unwrap();
        let token = token(&owner, std::slice::from_ref(id)).await;
        let reader = DataApi::with(api.keyspace.clone(), token.clone());
        let path = format!("/{}/c", api.keyspace);
        let find = reader.send(&path, json!({"find": {}}).to_string()).await;
        assert_eq!(
            find,
            (
                200,
                json!({"data": {"documents": [{"_id": 1}], "nextPageState": null}})
            )
        );
        for (path, command) in [
            (path.clone(), json!({"insertOne": {"document": {"_id": 2}}})),
            (
                path.clone(),
                json!({"updateOne": {"filter": {"_id": 1}, "update": {"$set": {"a": 1}}}}),
            ),
            (path, json!({"deleteMany": {}})),
            (
                format!("/{}", api.keyspace),
                json!({"createCollection": {"name": "d"}}),
            ),
        ] {
            let (status, body) = reader.send(&path, command.to_string()).await;
            assert_eq!(
                (status, &body["errors"][0]["errorCode"]),
                (401, &json!("UNAUTHORIZED_ACCESS")),
                "{command} {body}"
            );
        }
        // A right client id with a wrong third part, while the right token is in use.
        let (head, _) = token.rsplit_once(':').unwrap();
        for bad in [
            format!("{head}:{}", "0".repeat(64)),
            "Cassandra:YQ==:Yg==".to_owned(),
            "x".to_owned(),
        ] {
            let bad = DataApi::with(api.keyspace.clone(), bad);
            let (status, body) = bad.send("", json!({"findKeyspaces": {}}).to_string()).await;
            assert_eq!(
                (status, &body["errors"][0]["errorCode"]),
                (401, &json!("UNAUTHENTICATED_REQUEST")),
                "{body}"
            );
        }
    });
}

#[test]
fn a_token_of_another_database_knows_no_keyspace_of_this_one() {
    let astra = local_astra();
    let here = DataApi::new();
    block_on(async {
        here.create("c", json!({})).await;
        let columns = json!({"a": "int", "v": {"type": "vector", "dimension": 2}});
        here.create_table("t", columns, json!("a")).await;
        let over_cql = format!(
            "CREATE TABLE {}.over_cql (a int PRIMARY KEY, b text)",
            here.keyspace
        );
        let session = astra.cql().await;
        session.query_unpaged(over_cql, ()).await.unwrap();
        let owner = Api::of(astra, &astra.application());
        let keyspace = format!("of_another_{}", std::process::id());
        let ask = json!({"name": "another", "keyspace": keyspace, "cloudProvider": "GCP",
            "tier": "serverless", "capacityUnits": 1, "region": "us-east1"});
        let made = owner.ask(Method::POST, "/v2/databases", Some(ask)).await;
        let id = made.location.unwrap();
        owner.wait(&id, "ACTIVE").await;
        let resources = [
            format!("db:{id}"),
            format!("db:{id}:keyspace:*"),
            format!("db:{id}:keyspace:*:table:*"),
        ];
        let actions = [
            "org-db-view",
            "db-rest",
            "db-keyspace-describe",
            "db-table-describe",
            "db-table-select",
            "db-table-modify",
            "db-table-create",
            "db-table-alter", // for the indexes of a collection
        ];
        let role = role(&owner, &keyspace, &actions, &resources).await;
        let token = token(&owner, &[role]).await;

        let there = DataApi::with(keyspace.clone(), token.clone());
        let (_, listed) = there
            .send("", json!({"findKeyspaces": {}}).to_string())
            .await;
        let listed = listed["status"]["keyspaces"].as_array().unwrap();
        let listed = listed.iter().map(|name| name.as_str().unwrap());
        let own = listed.filter(|name| !name.starts_with("system"));
        assert_eq!(own.collect::<Vec<_>>(), [keyspace]);
        there.create("c", json!({})).await;
        there
            .done("c", json!({"insertOne": {"document": {"_id": 1}}}))
            .await;
        let other = DataApi::with(here.keyspace.clone(), token);
        let (filter, none) = (json!({"a": 1}), json!({"$in": []}));
        for (name, command) in [
            ("", json!({"findCollections": {}})),
            ("", json!({"createCollection": {"name": "d"}})),
            ("", json!({"deleteCollection": {"name": "c"}})),
            ("", json!({"listTables": {}})),
            ("", json!({"listTypes": {}})),
            ("", json!({"dropTable": {"name": "t"}})),
            ("", json!({"dropIndex": {"name": "i"}})),
            ("c", json!({"find": {}})),
            ("c", json!({"find": {"filter": {"_id": none}}})),
            ("c", json!({"find": {"filter": {"$foo": 1}}})),
            ("c", json!({"countDocuments": {"filter": {"_id": none}}})),
            ("c", json!({"insertOne": {"document": {"_id": 1}}})),
            ("c", json!({"deleteOne": {"filter": {"_id": none}}})),
            ("c", json!({"deleteMany": {}})),
            ("c", json!({"estimatedDocumentCount": {}})),
            ("c", json!({"listIndexes": {}})),
            ("t", json!({"find": {}})),
            ("t", json!({"find": {"filter": {"a": none}}})),
            ("t", json!({"find": {"filter": {"nope": 1}}})),
            ("t", json!({"insertOne": {"document": {"a": 1}}})),
            ("t", json!({"insertOne": {"document": {"nope": 1}}})),
            (
                "t",
                json!({"updateOne": {"filter": filter, "update": {"$set": {"v": [1, 0]}}}}),
            ),
            ("t", json!({"deleteOne": {"filter": filter}})),
            ("t", json!({"deleteMany": {}})),
            ("t", json!({"countDocuments": {}})),
            ("t", json!({"listIndexes": {}})),
            (
                "t",
                json!({"createIndex": {"name": "i", "definition": {"column": "nope"}}}),
            ),
            (
                "t",
                json!({"createTextIndex": {"name": "i", "definition": {"column": "a"}}}),
            ),
            (
                "t",
                json!({"alterTable": {"operation": {"add": {"columns": {"b": "int"}}}}}),
            ),
            (
                "t",
                json!({"alterTable": {"operation": {"dropVectorize": {"columns": ["v"]}}}}),
            ),
            ("over_cql", json!({"find": {}})),
            ("over_cql", json!({"insertOne": {"document": {"a": 1}}})),
            (
                "over_cql",
                json!({"alterTable": {"operation": {"drop": {"columns": ["b"]}}}}),
            ),
            ("no", json!({"find": {}})),
        ] {
            let code = other.code(name, command.clone()).await;
            assert_eq!(code, "UNKNOWN_KEYSPACE", "{name} {command}");
        }
        for table in ["t", "over_cql"] {
            let found = here.done(table, json!({"find": {}})).await;
            assert_eq!(found["data"]["documents"], json!([]), "{table}");
        }
        assert!(here.find_all("c", &json!({})).await.is_empty());
        let path = format!("/v2/databases/{id}/terminate");
        owner.ask(Method::POST, &path, None).await;
        owner.wait(&id, "TERMINATED").await;
    });
}

#[test]
fn bodies_and_paths_have_limits() {
    let api = DataApi::new();
    block_on(async {
        let (status, _) = api
            .send("/x/y", format!("\"{}\"", "a".repeat(20 * 1024 * 1024 + 1)))
            .await;
        assert_eq!(status, 413);
        let (status, body) = api.send("/x/y/z", "{}".to_owned()).await;
        assert_eq!((status, body), (404, json!("")));
        let deep = format!(
            "{{\"insertOne\":{{\"document\":{}{}}}}}",
            "[".repeat(5000),
            "]".repeat(5000)
        );
        let (status, body) = api.send("/x/y", deep).await;
        assert_eq!(
            (status, &body["errors"][0]["errorCode"]),
            (200, &json!("SHRED_DOC_LIMIT_VIOLATION"))
        );
        let url = format!("{}/api/json/swagger-ui", local_astra().url());
        assert_eq!(
            crate::astra::client()
                .get(url)
                .send()
                .await
                .unwrap()
                .status(),
            501
        );
    });
}
