//! Pulsar in local Astra: its start, its persistence, and the permissions of a tenant's token.

use std::process::{Command, Stdio};
use std::time::Duration;

use engines::pulsar::Admin;
use local_astra::background::state::{Engines, Request, State};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use settings::layout::Layout;
use settings::secrets::Secrets;
use settings::streaming::{Claims, StreamingKeys};
use settings::{Folders, ORGANIZATION_ID, TENANT};

use crate::astra::{LocalAstra, RUN_LIMIT, block_on, local_astra};
use crate::stand_in::lifecycle::{Data, kill, local, succeed};

/// The admin API at the plain port, with an optional token.
struct Tenant {
    http: Client,
    url: String,
    token: Option<SecretString>,
}

impl Tenant {
    fn new(url: String, token: Option<SecretString>) -> Tenant {
        let http = Client::builder().no_proxy();
        let http = http.timeout(Duration::from_secs(60)).build().unwrap();
        Tenant { http, url, token }
    }

    fn of(astra: &LocalAstra, token: &SecretString) -> Tenant {
        Tenant::new(astra.url(), Some(token.clone()))
    }

    /// Sends a request, and returns status and text of the response.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
        let url = format!("{}/admin/v2/{path}", self.url);
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask(Method::GET, path, None).await
    }

    async fn status(&self, method: Method, path: &str) -> u16 {
        self.ask(method, path, None).await.0
    }
}

/// A client of Pulsar itself, as its operator.
pub fn superuser(layout: &Layout, folders: &Folders) -> Admin {
    let keys = StreamingKeys::open(&folders.streaming()).unwrap();
    let web = ([127, 0, 0, 1], layout.ports.pulsar.web).into();
    Admin::new(web, keys.superuser().unwrap()).unwrap()
}

#[test]
fn a_token_reaches_its_own_tenant_and_no_other() {
    let astra = local_astra().with_pulsar();
    let keys = StreamingKeys::open(&astra.folders.streaming()).unwrap();
    block_on(async {
        let admin = superuser(&astra.layout, &astra.folders);
        let theirs = Claims::new(ORGANIZATION_ID, "other-tenant", None).unwrap();
        let roles = [theirs.sub.clone()];
        admin.create_tenant("other-tenant", &roles).await.unwrap();
        let made = admin.create_namespace("other-tenant", "default").await;
        made.unwrap();
        let other = Tenant::of(astra, &keys.issue(&theirs).unwrap());
        let ours = Tenant::of(astra, &astra.secrets.tenant);

        let topic = "persistent/other-tenant/default/theirs";
        assert_eq!(other.status(Method::PUT, topic).await, 204);
        assert_eq!(ours.status(Method::PUT, topic).await, 401);
        for path in [
            "tenants/other-tenant",
            "namespaces/other-tenant",
            "persistent/other-tenant/default",
            "schemas/other-tenant/default/theirs/schema",
            "persistent/other-tenant/default/theirs/stats",
            "namespaces/no-such-tenant",
        ] {
            let refused = ours.get(path).await;
            assert_eq!(refused, (401, "Unauthorized\n".into()), "{path}");
        }
        for path in ["tenants/other-tenant", "namespaces/other-tenant", topic] {
            let path = path.replace("theirs", "theirs/stats");
            assert_eq!(other.status(Method::GET, &path).await, 200, "{path}");
        }
        let seen = ours.get("tenants").await;
        assert_eq!(seen, (200, format!("[\"{TENANT}\"]")));

        // A role that is no longer among the tenant's is refused, though its token is signed well.
        admin.set_tenant_roles("other-tenant", &[]).await.unwrap();
        let path = "namespaces/other-tenant";
        assert_eq!(other.status(Method::GET, path).await, 401);
        let path = "tenants/other-tenant";
        assert_eq!(other.status(Method::GET, path).await, 401);

        admin.delete_tenant("other-tenant", true).await.unwrap();
        assert_eq!(admin.tenant("other-tenant").await.unwrap(), None);
    });
}

#[test]
fn a_token_that_is_none_is_refused() {
    let astra = local_astra().with_pulsar();
    let folder = tempfile::tempdir().unwrap();
    let foreign = StreamingKeys::open(folder.path()).unwrap();
    let claims = Claims::new(ORGANIZATION_ID, TENANT, None).unwrap();
    let signed_by_another = foreign.issue(&claims).unwrap();
    let keys = StreamingKeys::open(&astra.folders.streaming()).unwrap();
    let past = Claims {
        exp: Some(claims.iat - 10),
        ..claims.clone()
    };
    block_on(async {
        let path = format!("namespaces/{TENANT}");
        for token in [
            None,
            Some("no-token".into()),
            Some(signed_by_another),
            Some(keys.issue(&past).unwrap()),
        ] {
            let refused = Tenant::new(astra.url(), token).get(&path).await;
            assert_eq!(refused, (401, "failed to obtain subject\n".into()));
        }
        // Signed well, but its role administers nothing: Pulsar itself refuses it.
        let unknown = Tenant::of(astra, &keys.issue(&claims).unwrap());
        assert_eq!(unknown.status(Method::GET, &path).await, 401);
        // Nobody's Astra token; and the superuser's is not for this door.
        for token in [
            SecretString::from(format!("AstraCS:nobody:{}", "f".repeat(64))),
            keys.superuser().unwrap(),
        ] {
            let refused = Tenant::of(astra, &token).get(&path).await;
            assert_eq!(refused, (401, "Unauthorized\n".into()));
        }
    });
}

#[test]
fn an_astra_token_administers_the_tenants_of_its_organization() {
    let astra = local_astra().with_pulsar();
    let ours = Tenant::of(astra, &SecretString::from(astra.application()));
    block_on(async {
        let topic = format!("persistent/{TENANT}/default/by-astra-token");
        assert_eq!(ours.status(Method::PUT, &topic).await, 204);
        assert_eq!(ours.status(Method::DELETE, &topic).await, 204);
        let tenant = ours.get(&format!("tenants/{TENANT}")).await;
        assert_eq!(tenant.0, 200, "{}", tenant.1);
        // Pulsar's own tenant is nobody's, and a missing one is not told apart from another's.
        for path in ["namespaces/public", "namespaces/no-such-tenant", "tenants"] {
            let refused = ours.get(path).await;
            assert_eq!(refused, (401, "Unauthorized\n".into()), "{path}");
        }
    });
}

#[test]
fn a_tenant_has_limits_and_statistics() {
    let astra = local_astra().with_pulsar();
    let keys = StreamingKeys::open(&astra.folders.streaming()).unwrap();
    block_on(async {
        let admin = superuser(&astra.layout, &astra.folders);
        let claims = Claims::new(ORGANIZATION_ID, "limited", None).unwrap();
        let made = admin.create_tenant("limited", std::slice::from_ref(&claims.sub));
        made.await.unwrap();
        let ours = Tenant::of(astra, &keys.issue(&claims).unwrap());
        for n in 0..19 {
            let path = format!("namespaces/limited/n{n}");
            assert_eq!(ours.status(Method::PUT, &path).await, 204, "{n}");
        }
        // Of those who ask for the last one at once, one gets it.
        let last = (19..23).map(async |n| {
            let path = format!("namespaces/limited/n{n}");
            ours.ask(Method::PUT, &path, None).await
        });
        let last = futures::future::join_all(last).await;
        let (made, over): (Vec<_>, Vec<_>) = last.iter().partition(|(status, _)| *status == 204);
        assert_eq!(made.len(), 1, "{last:?}");
        let quota = (402, "over the quota limit\n".to_owned());
        assert!(over.iter().all(|refused| **refused == quota), "{last:?}");

        let topics = "persistent/limited/n0";
        let path = format!("{topics}/a/partitions");
        assert_eq!(ours.ask(Method::PUT, &path, Some(json!(100))).await.0, 204);
        let over = ours.ask(Method::PUT, &format!("{topics}/b"), None).await;
        assert_eq!(over.0, 409, "{}", over.1);
        assert!(over.1.contains("maximum number of topics"), "{}", over.1);

        let topic = "persistent/limited/n1/t";
        assert_eq!(ours.status(Method::PUT, topic).await, 204);
        let path = format!("{topic}/subscription/s");
        assert_eq!(ours.status(Method::PUT, &path).await, 204);
        let web = astra.layout.ports.pulsar.web;
        produce(&ours, web, topic, &["one", "two"]).await;
        let get = async |path: &str| -> Value {
            let (status, text) = ours.get(path).await;
            assert_eq!(status, 200, "{text}");
            serde_json::from_str(&text).unwrap()
        };
        let stats = get("stats/topics/limited/n1").await;
        let one = &stats["persistent://limited/n1/t"];
        assert_eq!(one["msgBacklogNumber"], 2, "{stats}");
        assert_eq!(one["subscriptionCount"], 1);
        assert_eq!(stats.as_object().unwrap().len(), 1);
        let stats = get("stats/namespaces/limited").await;
        assert_eq!(stats.as_object().unwrap().len(), 20);
        assert_eq!(stats["limited/n1"]["msgBacklogNumber"], 2);
        assert_eq!(stats["limited/n0"]["storageSize"], 0);
        assert_eq!(ours.get("stats/topics/limited/none").await.0, 404);
        let other = format!("stats/topics/{TENANT}");
        assert_eq!(ours.get(&other).await.0, 401);

        admin.set_tenant_roles("limited", &[]).await.unwrap();
        assert_eq!(ours.get("stats/topics/limited").await.0, 401);
        admin.delete_tenant("limited", true).await.unwrap();
    });
}

/// Writes messages through Pulsar's own web service, and waits for their acknowledgment.
async fn produce(tenant: &Tenant, web: u16, topic: &str, messages: &[&str]) {
    let messages: Vec<Value> = messages.iter().map(|m| json!({"payload": m})).collect();
    let request = tenant
        .http
        .post(format!("http://127.0.0.1:{web}/topics/{topic}"))
        .bearer_auth(tenant.token.as_ref().unwrap().expose_secret())
        .json(&json!({"producerName": "story", "messages": messages}));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let results = answer["messagePublishResults"].as_array().unwrap();
    assert_eq!(results.len(), messages.len(), "{answer}");
    assert!(results.iter().all(|one| one["errorCode"] == 0), "{answer}");
}

/// Reads the unacknowledged messages of a subscription without consuming them.
async fn unread(tenant: &Tenant, topic: &str, subscription: &str) -> Vec<String> {
    let mut unread = Vec::new();
    loop {
        let at = unread.len() + 1;
        let path = format!("{topic}/subscription/{subscription}/position/{at}");
        match tenant.get(&path).await {
            (200, text) => unread.push(text),
            (404, _) => return unread,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_tenant_may_do_pulsar_does_and_the_rest_is_refused() {
    let astra = local_astra().with_pulsar();
    let ours = Tenant::of(astra, &astra.secrets.tenant);
    block_on(async {
        let space = format!("namespaces/{TENANT}/story");
        let topics = format!("persistent/{TENANT}/story");
        assert_eq!(ours.status(Method::PUT, &space).await, 204);
        assert_eq!(ours.status(Method::PUT, &space).await, 409);

        let retention = json!({"retentionTimeInMinutes": 10, "retentionSizeInMB": 20});
        let path = format!("{space}/retention");
        let set = ours.ask(Method::POST, &path, Some(retention.clone())).await;
        assert_eq!(set.0, 204);
        let got: Value = serde_json::from_str(&ours.get(&path).await.1).unwrap();
        assert_eq!(got, retention);

        assert_eq!(ours.status(Method::PUT, &format!("{topics}/a")).await, 204);
        assert_eq!(ours.status(Method::PUT, &format!("{topics}/a")).await, 409);
        let parted = format!("{topics}/b/partitions");
        let made = ours.ask(Method::PUT, &parted, Some(json!(129))).await;
        assert_eq!(made.0, 406);
        let made = ours.ask(Method::PUT, &parted, Some(json!(2))).await;
        assert_eq!(made.0, 204);
        let listed: Vec<String> = serde_json::from_str(&ours.get(&topics).await.1).unwrap();
        assert_eq!(listed.len(), 3, "{listed:?}");
        let missing = ours.get(&format!("{topics}/c/stats")).await;
        assert_eq!(missing.0, 404);
        assert!(missing.1.contains("\"reason\""), "{}", missing.1);
        assert_eq!(ours.status(Method::DELETE, &space).await, 409);

        for (method, path) in [
            (Method::GET, "clusters".to_owned()),
            (Method::GET, "brokers/health".to_owned()),
            (Method::PUT, "tenants/mine".to_owned()),
            (Method::DELETE, format!("tenants/{TENANT}")),
            (Method::POST, format!("{space}/persistence")),
        ] {
            let refused = ours.ask(method, &path, Some(json!({}))).await;
            assert_eq!(refused, (401, "Unauthorized\n".into()), "{path}");
        }
        let large = "x".repeat(2 * 1024 * 1024);
        let refused = ours.ask(Method::POST, &path, Some(json!(large))).await;
        assert_eq!(refused.0, 413);

        assert_eq!(ours.status(Method::DELETE, &parted).await, 204);
        let gone = ours.status(Method::DELETE, &format!("{topics}/a")).await;
        assert_eq!(gone, 204);
        assert_eq!(ours.status(Method::DELETE, &space).await, 204);
        assert_eq!(ours.status(Method::GET, &space).await, 404);
    });
}

/// Starts the background process with Pulsar only, as `run` does for a sample that only needs Pulsar.
fn start_pulsar_alone(folders: &Folders) -> std::process::Child {
    Request::add(folders, Engines::PULSAR).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_local-astra"))
        .arg("--data")
        .arg(&folders.data)
        .arg("background")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limit = std::time::Instant::now() + RUN_LIMIT;
    let up = || State::read(folders).unwrap().map(|state| state.up);
    while up() != Some(Engines::PULSAR) {
        assert!(std::time::Instant::now() < limit, "Pulsar is not ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

#[test]
fn pulsar_runs_alone_and_its_data_survives_down_and_kill() {
    // Fetches the jars, with a progress that this test would hide.
    local_astra().with_pulsar();
    let data = Data(tempfile::tempdir().unwrap());
    let path = data.0.path();
    let folders = Folders::new(Some(path)).unwrap();
    let mut background = start_pulsar_alone(&folders);
    let layout = Layout::of(path, None).unwrap();
    let token = Secrets::of(path).unwrap().tenant;
    let url = format!("http://127.0.0.1:{}", layout.ports.plain);
    let ours = Tenant::new(url.clone(), Some(token));
    let topics = format!("persistent/{TENANT}/default");
    let kept = format!("[\"persistent://{TENANT}/default/kept\"]");
    let subscribed = format!("{topics}/kept");
    let unread = || block_on(unread(&ours, &subscribed, "s"));

    let status = succeed(path, &["status"]);
    assert!(status.contains("Pulsar"), "{status}");
    assert!(!status.contains("Cassandra"), "{status}");
    // What it unpacks goes with its data, and not into the system's folder.
    let mut unpacked = std::fs::read_dir(folders.pulsar().join("tmp"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(unpacked.any(|name| name.contains("rocksdb")));
    block_on(async {
        let made = ours.status(Method::PUT, &format!("{topics}/kept")).await;
        assert_eq!(made, 204);
        let path = format!("{subscribed}/subscription/s");
        assert_eq!(ours.status(Method::PUT, &path).await, 204);
        produce(&ours, layout.ports.pulsar.web, &subscribed, &["one", "two"]).await;
        // Nobody can say here whose an Astra token is.
        let astra = SecretString::from(format!("AstraCS:nobody:{}", "f".repeat(64)));
        let astra = Tenant::new(url.clone(), Some(astra));
        assert_eq!(astra.get(&topics).await, (401, "Unauthorized\n".into()));
        let rest = format!("{url}/api/rest/v2/schemas/keyspaces");
        let refused = ours.http.get(rest).send().await.unwrap();
        assert_eq!(refused.status(), 503);
        assert!(refused.text().await.unwrap().contains("cargo local up"));
    });

    // All at once, with no time to write anything.
    let pulsar = local_astra::background::pulsar::of(&folders, &layout);
    let first = pulsar.running().unwrap().unwrap().process;
    background.kill().unwrap();
    background.wait().unwrap();
    kill(first);
    assert_eq!(local(path, &["status"]).status.code(), Some(1));
    // `up` brings back what ran, and Cassandra beside it.
    let status = succeed(path, &["up"]);
    for word in ["Pulsar", "Cassandra", "pulsar+ssl://localhost:"] {
        assert!(status.contains(word), "{word}: {status}");
    }
    assert_eq!(block_on(ours.get(&topics)), (200, kept.clone()));
    assert_eq!(unread(), ["one", "two"], "after kill -9");
    // The registration that the killed one left would be removed again and again.
    let log = std::fs::read_to_string(pulsar.log()).unwrap();
    assert!(!log.contains("Deleting path: /ledgers/available/"));
    block_on(async {
        let skip = format!("{subscribed}/subscription/s/skip/1");
        assert_eq!(ours.status(Method::POST, &skip).await, 204);
    });

    succeed(path, &["down"]);
    assert!(pulsar.running().unwrap().is_none());
    succeed(path, &["up"]);
    assert!(pulsar.running().unwrap().is_none(), "nobody asked for it");
    assert_eq!(block_on(ours.get(&topics)).0, 503);
    let cassandra = local_astra::background::cassandra::of(&folders, &layout);
    let before = cassandra.running(1).unwrap().unwrap().process;
    succeed(path, &["up", "--pulsar"]);
    let after = cassandra.running(1).unwrap().unwrap().process;
    assert_eq!(before, after, "the engine that ran is left alone");
    assert_eq!(block_on(ours.get(&topics)), (200, kept.clone()));
    assert_eq!(unread(), ["two"], "where the subscription was");

    // Pulsar dies: status tells it, `up` mends it.
    kill(pulsar.running().unwrap().unwrap().process);
    let limit = std::time::Instant::now() + RUN_LIMIT;
    while local(path, &["status"]).status.success() {
        assert!(std::time::Instant::now() < limit, "nobody notices");
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = succeed(path, &["up"]);
    assert!(status.contains("Pulsar"), "{status}");
    assert_eq!(block_on(ours.get(&topics)), (200, kept));
    assert_eq!(unread(), ["two"]);
    let logs = succeed(path, &["logs"]);
    assert!(logs.contains("pulsar/pulsar.log: "));
    succeed(path, &["down"]);
}

#[test]
fn settings_of_streaming_name_both_doors() {
    let astra = local_astra();
    let ports = &astra.layout.ports;
    let settings = astra.settings("any");
    let broker = format!("pulsar+ssl://localhost:{}", ports.pulsar.broker_tls);
    assert_eq!(settings["ASTRA_STREAMING_BROKER_URL"], broker);
    let plain = succeed(&astra.folders.data, &["env"]);
    let broker = format!("BROKER_URL=pulsar://localhost:{}\n", ports.pulsar.broker);
    assert!(plain.contains(&broker));
    assert!(plain.contains("ASTRA_STREAMING_NAME=rust-samples\n"));
}
