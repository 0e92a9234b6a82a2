//! The DevOps API: the life cycle of databases, and errors.

use std::time::{Duration, Instant};

use astra_secure_connect::{Error, SecureConnect};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::astra::{LocalAstra, RUN_LIMIT, block_on, local_astra, samples};

pub struct Api {
    url: String,
    token: String,
    http: Client,
}

pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub body: Value,
}

impl Api {
    pub fn of(astra: &LocalAstra, token: &str) -> Api {
        Api {
            url: astra.url(),
            token: token.to_owned(),
            http: crate::astra::client(),
        }
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        request = request.header("X-Cassandra-Token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let location = answer.headers().get("location");
        Answer {
            status: answer.status().as_u16(),
            location: location.map(|id| id.to_str().unwrap().to_owned()),
            body: serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Waits until a database has this status, and returns its earlier ones.
    pub async fn wait(&self, id: &str, wanted: &str) -> Vec<String> {
        let limit = Instant::now() + RUN_LIMIT;
        let mut seen = Vec::new();
        loop {
            let status = self.get(&format!("/v2/databases/{id}")).await.body["status"].clone();
            let status = status.as_str().unwrap().to_owned();
            if status == wanted {
                return seen;
            }
            if seen.last() != Some(&status) {
                seen.push(status);
            }
            assert!(Instant::now() < limit, "{seen:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[test]
fn a_database_is_made_used_through_its_own_bundle_and_terminated() {
    let astra = local_astra();
    let api = Api::of(astra, &astra.application());
    let keyspace = format!("made_{}", std::process::id());
    let folder = tempdir().unwrap();
    let bundle = folder.path().join("bundle.zip");
    let id = block_on(async {
        let ask = json!({"name": "made", "keyspace": keyspace, "cloudProvider": "GCP",
            "tier": "serverless", "capacityUnits": 1, "region": "us-east1"});
        let made = api.ask(Method::POST, "/v2/databases", Some(ask)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let id = made.location.unwrap();
        let early = format!("/v2/databases/{id}/secureBundleURL");
        assert_eq!(api.ask(Method::POST, &early, None).await.status, 409);
        // A look that comes late may miss one.
        let seen = api.wait(&id, "ACTIVE").await.join(", ");
        assert!("PENDING, INITIALIZING".ends_with(&seen), "{seen}");

        let more = format!("/v2/databases/{id}/keyspaces/{keyspace}_2");
        assert_eq!(api.ask(Method::POST, &more, None).await.status, 201);
        // A change of its keyspaces takes the bundle from nobody.
        assert_eq!(api.ask(Method::POST, &early, None).await.status, 200);
        let seen = api.wait(&id, "ACTIVE").await.join(", ");
        assert!("MAINTENANCE".ends_with(&seen), "{seen}");

        let link = api.ask(Method::POST, &early, None).await;
        assert_eq!(link.status, 200, "{}", link.body);
        let url = link.body["downloadURL"].as_str().unwrap();
        let zip = api.http.get(url).send().await.unwrap();
        assert_eq!(zip.status(), 200);
        std::fs::write(&bundle, zip.bytes().await.unwrap()).unwrap();
        id
    });

    let mut settings = astra.settings(&keyspace);
    settings.insert("ASTRA_DB_ID".into(), id.clone());
    let path = bundle.display().to_string();
    settings.insert("ASTRA_DB_SECURE_BUNDLE_PATH".into(), path);
    let run = |name: &str| {
        let sample = samples().iter().find(|s| s.name == name).unwrap();
        sample.run(&settings)
    };
    for name in ["cql-sample", "rest-sample"] {
        let ended = run(name);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }

    block_on(async {
        let path = format!("/v2/databases/{id}/terminate");
        assert_eq!(api.ask(Method::POST, &path, None).await.status, 202);
        api.wait(&id, "TERMINATED").await;
        let list = api.get("/v2/databases").await.body.to_string();
        assert!(!list.contains(&id), "{list}");
        let session = astra.cql().await;
        let cql = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
        let left = session.query_unpaged(cql, (&keyspace,)).await.unwrap();
        assert_eq!(left.into_rows_result().unwrap().rows_num(), 0);
    });
    let ended = run("cql-sample");
    assert_eq!(ended.code, Some(1), "a bundle of a database that is gone");
    assert!(ended.err.contains("terminated"), "{ended:#?}");
}

#[test]
fn refusals_have_the_shapes_of_astra() {
    let astra = local_astra();
    let api = Api::of(astra, &astra.application());
    block_on(async {
        let missing = "/v2/databases/00000000-0000-4000-8000-000000000000";
        let refused = api.get(missing).await;
        assert_eq!(refused.status, 404);
        assert!(refused.body["errors"][0]["message"].is_string());
        // Calls for users have the errors object, those for roles a bare string.
        let refused = api.get("/v2/organizations/users/nobody").await;
        assert_eq!(refused.status, 404);
        assert_eq!(refused.body["errors"][0]["ID"], 404, "{}", refused.body);
        let users = "/v2/organizations/users";
        let refused = api.ask(Method::PUT, users, Some(json!({}))).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.body["errors"][0]["ID"], 400, "{}", refused.body);
        let refused = api.get("/v2/organizations/roles/none").await;
        assert_eq!(refused.status, 404);
        assert!(refused.body.is_string(), "{}", refused.body);
        for path in ["/v2/databases/%ff", "/v2/streaming/tenants/%ff"] {
            let refused = api.get(path).await;
            assert_eq!(refused.status, 400);
            assert_eq!(refused.body["errors"][0]["ID"], 400, "{}", refused.body);
        }
        let wrong = Api::of(astra, "AstraCS:wrong");
        for path in ["/v2/databases", "/v2/currentOrg", "/v2/organizations/roles"] {
            assert_eq!(wrong.get(path).await.status, 401, "{path}");
        }
        let right = astra.application();
        let forged = format!("{}:{}", &right[..right.rfind(':').unwrap()], "0".repeat(64));
        let refused = Api::of(astra, &forged).get("/v2/databases").await;
        assert_eq!(refused.status, 401, "a right client id, a wrong third part");
    });
}

/// Returns the message of an error in the format of databases.
fn refused(answer: &Answer, status: u16) -> &str {
    assert_eq!(answer.status, status, "{}", answer.body);
    let error = &answer.body["errors"][0];
    assert!(error["ID"].is_u64(), "{}", answer.body);
    error["message"].as_str().unwrap()
}

#[test]
fn who_asks_without_a_good_token_or_right_is_told_so() {
    let astra = local_astra();
    let application = Api::of(astra, &astra.application());
    block_on(async {
        let http = crate::astra::client();
        let url = format!("{}/v2/databases", astra.url());
        let unknown = format!("Bearer AstraCS:nobody:{}", "0".repeat(64));
        for (authorization, id) in [
            (None, 340_002),
            (Some("Basic YTpi"), 340_002),
            (Some("Bearer AstraCS:short"), 340_012),
            (Some(unknown.as_str()), 340_018),
        ] {
            let mut request = http.get(&url);
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{authorization:?}");
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["errors"][0]["ID"], id, "{body}");
            let said = body.to_string();
            assert!(!said.contains(&"0".repeat(64)), "a part of a token: {said}");
        }

        let roles = application.get("/v2/organizations/roles").await.body;
        let mut roles = roles.as_array().unwrap().iter();
        let role = roles.find(|role| role["Name"] == "UI View Only").unwrap()["ID"].clone();
        let tokens = "/v2/clientIdSecrets";
        let made = application.ask(
            Method::POST,
            tokens,
            Some(json!({"roles": [role], "description": null})),
        );
        let made = made.await.body;
        let viewer = Api::of(astra, made["token"].as_str().unwrap());
        assert_eq!(viewer.get("/v2/databases").await.status, 200);
        let first = format!("/v2/databases/{}", settings::DATABASE_ID);
        let create = json!({"name": "no", "cloudProvider": "GCP", "tier": "serverless",
            "capacityUnits": 1, "region": "us-east1"});
        for (path, body) in [
            ("/v2/databases".to_owned(), Some(create)),
            (format!("{first}/terminate"), None),
            (format!("{first}/keyspaces/no"), None),
            (format!("{first}/secureBundleURL"), None),
        ] {
            let answer = viewer.ask(Method::POST, &path, body).await;
            assert_eq!((answer.status, answer.body), (401, Value::Null), "{path}");
        }
        for path in [
            "organizations/roles",
            "organizations/users",
            "clientIdSecrets",
        ] {
            let answer = viewer.get(&format!("/v2/{path}")).await;
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.body.is_string(), "{path}: {}", answer.body);
        }
        let path = format!("{tokens}/{}", made["clientId"].as_str().unwrap());
        assert_eq!(
            application.ask(Method::DELETE, &path, None).await.status,
            204
        );
        let again = application.ask(Method::DELETE, &path, None).await;
        assert_eq!(again.status, 404, "{}", again.body);
    });
}

#[test]
fn what_a_database_cannot_do_now_is_refused_and_the_end_is_the_end() {
    let astra = local_astra();
    let api = Api::of(astra, &astra.application());
    let name = format!("edges_{}", std::process::id());
    let (samples, first) = (settings::KEYSPACE, settings::DATABASE_ID);
    let folder = tempdir().unwrap();
    let bundle = folder.path().join("bundle.zip");
    block_on(async {
        let post = async |path: &str| api.ask(Method::POST, path, None).await;
        let delete = async |path: &str| api.ask(Method::DELETE, path, None).await;
        let create = async |keyspace: &str| {
            let body = json!({"name": name, "keyspace": keyspace, "cloudProvider": "GCP",
                "tier": "serverless", "capacityUnits": 1, "region": "us-east1"});
            api.ask(Method::POST, "/v2/databases", Some(body)).await
        };
        let id = create(&name).await.location.unwrap();
        let ours = format!("/v2/databases/{id}");
        let keyspace = |name: &str| format!("{ours}/keyspaces/{name}");
        let seen = api.get(&ours).await.body;
        assert_eq!(seen["info"]["datacenters"][0]["secureBundleUrl"], "pending");
        // A name is taken before its keyspace is there.
        for (taken, by) in [(samples, first), (&name, &id)] {
            let answer = create(taken).await;
            let said = refused(&answer, 422);
            assert!(said.contains(taken) && said.contains(by), "{said}");
        }
        api.wait(&id, "ACTIVE").await;
        for bad in [samples, &name, "1st", "a-b", "system_auth", "local_astra"] {
            let answer = post(&keyspace(bad)).await;
            assert!(refused(&answer, 422).contains(bad));
        }
        let foreign = delete(&keyspace(samples)).await;
        assert_eq!(foreign.status, 204, "no such keyspace in this database");
        let of_first = api.get(&format!("/v2/databases/{first}")).await.body;
        let of_first = of_first["info"]["keyspaces"].as_array().unwrap();
        assert!(of_first.contains(&json!(samples)), "{of_first:?}");

        let link = post(&format!("{ours}/secureBundleURL")).await.body;
        let link = link["downloadURL"].as_str().unwrap().to_owned();
        let download = async |url: &str| api.http.get(url).send().await.unwrap();
        let good = download(&link).await;
        assert_eq!(good.status(), 200);
        std::fs::write(&bundle, good.bytes().await.unwrap()).unwrap();
        let all = post(&format!("{ours}/secureBundleURL?all=true")).await.body;
        assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
        for bad in [
            link.replace("expires=", "expires=9"),
            link.replace(&id, first),
            link.replace("signature=", "signature=00"),
        ] {
            assert_eq!(download(&bad).await.status(), 403);
        }

        let second = keyspace(&format!("{name}_2"));
        assert_eq!(post(&second).await.status, 201);
        let third = keyspace(&format!("{name}_3"));
        let terminate = format!("{ours}/terminate");
        let (made, removed, ended) = tokio::join!(post(&third), delete(&second), post(&terminate));
        for busy in [made, removed, ended] {
            assert!(refused(&busy, 409).contains("MAINTENANCE"));
        }
        api.wait(&id, "ACTIVE").await;

        assert_eq!(post(&terminate).await.status, 202);
        let bundles = format!("{ours}/secureBundleURL");
        for late in [
            post(&terminate).await,
            post(&second).await,
            post(&bundles).await,
        ] {
            assert!(refused(&late, 409).contains("TERMINAT"));
        }
        api.wait(&id, "TERMINATED").await;
        let ended = api.get(&ours).await;
        let at = ended.body["terminationTime"].as_str().unwrap();
        assert!(!at.starts_with("0001"), "{at}");
        assert_eq!(download(&link).await.status(), 404);
        let error = SecureConnect::open(&bundle).await.unwrap_err();
        assert!(matches!(error, Error::NotActive(_)), "{error}");

        pages(&api, &id).await;
        let nowhere = "/v2/databases/00000000-0000-4000-8000-000000000000";
        for path in ["/terminate", "/keyspaces/a", "/secureBundleURL", "/park"] {
            refused(&post(&format!("{nowhere}{path}")).await, 404);
        }
        refused(&delete(&format!("{nowhere}/keyspaces/a")).await, 404);
        for path in ["/datacenters", ""] {
            refused(&api.get(&format!("{nowhere}{path}")).await, 404);
        }
    });
}

/// Checks the list with a terminated database and another one.
async fn pages(api: &Api, terminated: &str) {
    let list = async |query: &str| {
        let answer = api.get(&format!("/v2/databases?{query}")).await;
        let ids = answer
            .body
            .as_array()
            .unwrap()
            .iter()
            .map(|database| database["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let first = settings::DATABASE_ID.to_owned();
    let terminated = terminated.to_owned();
    let all = list("include=all&limit=1000").await;
    assert!(all.contains(&first) && all.contains(&terminated));
    let mut paged = list("include=all&limit=1").await;
    loop {
        let last = paged.last().unwrap();
        let page = list(&format!("include=all&limit=1&starting_after={last}")).await;
        assert!(page.len() <= 1, "{page:?}");
        let Some(next) = page.into_iter().next() else {
            break;
        };
        assert!(!paged.contains(&next), "{next} comes again");
        paged.push(next);
    }
    // Newer ones, of other tests, may have come in between.
    paged.retain(|id| all.contains(id));
    assert_eq!(paged, all);
    for (query, has_first, has_terminated) in [
        ("", true, false),
        ("include=nonterminated", true, false),
        (
            "include=non_terminated&provider=all&limit=1000",
            true,
            false,
        ),
        ("include=TERMINATED&limit=1000", false, true),
        ("include=all&limit=1000&provider=gcp", true, true),
        ("include=all&provider=AWS", false, false),
        ("include=parked", false, false),
    ] {
        let found = list(query).await;
        assert_eq!(found.contains(&first), has_first, "{query}");
        assert_eq!(found.contains(&terminated), has_terminated, "{query}");
    }
    for bad in [
        "include=some",
        "limit=0",
        "limit=many",
        "provider=nobody",
        "starting_after=nothing",
    ] {
        refused(&api.get(&format!("/v2/databases?{bad}")).await, 400);
    }
}
