//! The DevOps API of streaming, and its sample: tenants and their tokens, created and deleted in Pulsar.

use std::collections::BTreeMap;

use engines::pulsar::Admin;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use settings::{ORGANIZATION_ID, TENANT};
use sysinfo::Signal;

use crate::astra::{Ended, LocalAstra, Sample, block_on, local_astra, samples};
use crate::http::{self, Then};
use crate::samples::failures::{refused, through};
use crate::stand_in::streaming::superuser;

const CLUSTER: &str = "pulsar-aws-useast2";

fn sample(name: &str) -> &'static Sample {
    samples().iter().find(|s| s.name == name).unwrap()
}

/// A client of Pulsar itself, as its operator.
fn pulsar(astra: &LocalAstra) -> Admin {
    superuser(&astra.layout, &astra.folders)
}

struct Api {
    http: Client,
    url: String,
    token: String,
}

impl Api {
    fn new(astra: &LocalAstra, token: String) -> Api {
        Api {
            http: Client::builder().no_proxy().build().unwrap(),
            url: astra.url(),
            token,
        }
    }

    /// Sends a request with the header of a cluster, and returns status and text of the response.
    async fn on(
        &self,
        cluster: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, String) {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if !cluster.is_empty() {
            request = request.header("X-Datastax-Pulsar-Cluster", cluster);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
        self.on(CLUSTER, method, path, body).await
    }

    async fn json(&self, path: &str) -> Value {
        let (status, text) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

fn named(tenant: &str) -> Value {
    json!({"tenantName": tenant, "cloudProvider": "aws", "cloudRegion": "useast2", "userEmail": "me@example.com",
        "plan": "free"})
}

/// Runs a Pulsar sample with a tenant and its token, and returns true if it succeeded.
fn reaches(astra: &LocalAstra, tenant: &str, token: &str) -> bool {
    let sample = sample("pulsar-client-sample");
    let mut settings = astra.settings("nowhere");
    settings.insert("ASTRA_STREAMING_NAME".into(), tenant.into());
    settings.insert("ASTRA_STREAMING_PULSAR_TOKEN".into(), token.into());
    let ended = sample.run(&settings);
    if ended.code != Some(0) {
        refused(sample, &settings, &ended);
    }
    ended.code == Some(0)
}

#[test]
fn a_tenant_is_made_used_and_deleted_and_a_revoked_token_is_refused() {
    let astra = local_astra().with_pulsar();
    let api = Api::new(astra, astra.application());
    let tenants = "/v2/streaming/tenants";
    let mine = format!("{tenants}/made-here");
    let (first, second, id) = block_on(async {
        assert_eq!(api.ask(Method::HEAD, &mine, None).await.0, 404);
        let (status, text) = api
            .ask(Method::POST, tenants, Some(named("made-here")))
            .await;
        assert_eq!(status, 200, "{text}");
        let made: Value = serde_json::from_str(&text).unwrap();
        for empty in [
            "id",
            "planCode",
            "cloudProviderCode",
            "pulsarInstance",
            "topic",
        ] {
            assert_eq!(made[empty], "", "{empty}");
        }
        assert_eq!(made["clusterName"], CLUSTER);
        assert_eq!(made["namespace"], "default");
        let names = pulsar(astra).namespaces("made-here").await.unwrap();
        assert_eq!(names, ["made-here/default"]);

        assert_eq!(api.ask(Method::HEAD, &mine, None).await.0, 200);
        let again = api
            .ask(Method::POST, tenants, Some(named("made-here")))
            .await;
        assert_eq!(again.0, 409, "{}", again.1);
        assert!(again.1.contains("\"reason\""), "{}", again.1);

        let one = api.json(&mine).await;
        let all = api.json(tenants).await;
        assert!(all.as_array().unwrap().contains(&one), "{all}");
        // Others come and go in between, of other tests.
        let org = format!("/v2/streaming/orgs/{ORGANIZATION_ID}/tenants");
        let again = api.json(&org).await;
        assert!(again.as_array().unwrap().contains(&one), "{again}");
        assert_eq!(api.json(&format!("{org}/made-here")).await, one);
        assert_eq!(
            (&one["planCode"], &one["cloudProviderCode"]),
            (&json!("1"), &json!("1"))
        );
        assert_eq!(one["pulsarToken"], made["pulsarToken"]);
        assert_eq!(one["astraOrgGUID"], ORGANIZATION_ID);

        let listed = api.json(&format!("{mine}/tokens")).await;
        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert_eq!(listed[0]["iss"], "datastax");
        let id = listed[0]["tokenid"].as_str().unwrap();
        let token = api
            .ask(Method::GET, &format!("{mine}/tokens/{id}"), None)
            .await;
        assert_eq!(
            token,
            (200, made["pulsarToken"].as_str().unwrap().to_owned())
        );
        let (status, v3) = api
            .ask(
                Method::POST,
                "/v3/streaming/tenants/made-here/tokens",
                Some(json!({"exp": "1d", "type": "admin"})),
            )
            .await;
        assert_eq!(status, 201, "{v3}");
        let v3: Value = serde_json::from_str(&v3).unwrap();
        assert_eq!(v3["rolename"], "admin");
        (
            token.1,
            v3["token"].as_str().unwrap().to_owned(),
            id.to_owned(),
        )
    });
    assert!(reaches(astra, "made-here", &first));
    assert!(reaches(astra, "made-here", &second));
    assert!(!reaches(astra, TENANT, &second), "another tenant's");

    block_on(async {
        let path = format!("{mine}/tokens/{id}");
        assert_eq!(api.ask(Method::DELETE, &path, None).await.0, 200);
        assert_eq!(api.ask(Method::DELETE, &path, None).await.0, 404);
        assert_eq!(api.ask(Method::GET, &path, None).await.0, 404);
    });
    assert!(!reaches(astra, "made-here", &first), "revoked");
    assert!(reaches(astra, "made-here", &second));

    block_on(async {
        let admin = pulsar(astra);
        admin
            .create_topic("made-here", "default", "orders")
            .await
            .unwrap();
        let limits = api.json(&format!("{mine}/limits")).await;
        let topic = "persistent://made-here/default/orders";
        assert_eq!(
            limits["usage"],
            json!([{"namespace": "made-here/default", "topics": [topic]}])
        );
        let elsewhere = format!("{mine}/clusters/pulsar-gcp-useast1");
        assert_eq!(api.ask(Method::DELETE, &elsewhere, None).await.0, 404);
        let here = format!("{mine}/clusters/{CLUSTER}");
        assert_eq!(api.ask(Method::DELETE, &here, None).await.0, 202);
        assert_eq!(api.ask(Method::HEAD, &mine, None).await.0, 404);
        assert_eq!(api.ask(Method::DELETE, &here, None).await.0, 404);
        assert_eq!(admin.tenant("made-here").await.unwrap(), None);
        // Its name is free again, and its old tokens are not the new one's.
        let anew = api
            .ask(Method::POST, tenants, Some(named("made-here")))
            .await;
        assert_eq!(anew.0, 200, "{}", anew.1);
    });
    assert!(
        !reaches(astra, "made-here", &second),
        "of a tenant that is gone"
    );
    block_on(async {
        let here = format!("{mine}/clusters/{CLUSTER}");
        assert_eq!(api.ask(Method::DELETE, &here, None).await.0, 202);
    });
}

#[test]
fn what_streaming_refuses() {
    let astra = local_astra().with_pulsar();
    let api = Api::new(astra, astra.application());
    let first = format!("/v2/streaming/tenants/{TENANT}");
    let its = "pulsar-aws-useast1";
    block_on(async {
        let stranger = Api::new(astra, "AstraCS:nobody:0badc0de".to_owned());
        assert_eq!(
            stranger
                .ask(Method::GET, "/v2/streaming/tenants", None)
                .await
                .0,
            401
        );

        for (body, status) in [
            (
                json!({"tenantName": "Capital", "cloudProvider": "aws", "cloudRegion": "useast2"}),
                422,
            ),
            (
                json!({"tenantName": "dashes", "cloudProvider": "aws", "cloudRegion": "us-east-2"}),
                422,
            ),
            (
                json!({"tenantName": "nowhere", "clusterName": "pulsar-nowhere"}),
                422,
            ),
            (
                json!({"cloudProvider": "aws", "cloudRegion": "useast2"}),
                400,
            ),
            (
                json!({"tenantName": "public", "cloudProvider": "aws", "cloudRegion": "useast2"}),
                409,
            ),
        ] {
            let refused = api
                .ask(Method::POST, "/v2/streaming/tenants", Some(body))
                .await;
            assert_eq!(refused.0, status, "{}", refused.1);
            assert!(refused.1.starts_with("{\"reason\":\""), "{}", refused.1);
        }

        // A call on a tenant names its cluster; reading refuses with nothing to read.
        let tokens = format!("{first}/tokens");
        assert_eq!(api.on("", Method::GET, &tokens, None).await.0, 400);
        assert_eq!(api.on(CLUSTER, Method::GET, &tokens, None).await.0, 404);
        assert_eq!(api.on(its, Method::GET, &tokens, None).await.0, 200);
        assert_eq!(
            api.on(CLUSTER, Method::GET, &first, None).await,
            (404, String::new())
        );
        let other = "/v2/streaming/orgs/00000000-0000-0000-0000-000000000000/tenants";
        assert_eq!(api.ask(Method::GET, other, None).await.0, 401);
        for exp in ["1", "1parsec", "-1d"] {
            let path = format!("{tokens}?exp={exp}");
            assert_eq!(api.on(its, Method::POST, &path, None).await.0, 400, "{exp}");
        }

        // What local Astra's settings name stays.
        let here = format!("{first}/clusters/{its}");
        assert_eq!(api.on(its, Method::DELETE, &here, None).await.0, 409);
        let (_, listed) = api.on(its, Method::GET, &tokens, None).await;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let own = format!("{tokens}/{}", listed[0]["tokenid"].as_str().unwrap());
        assert_eq!(api.on(its, Method::DELETE, &own, None).await.0, 409);

        let (status, said) = api
            .ask(Method::GET, "/v2/streaming/plans/free/policy", None)
            .await;
        assert_eq!(status, 501);
        assert!(said.contains("/v2/streaming/plans/free/policy"), "{said}");

        // A role that may manage no streams.
        let role = json!({"name": "no streams", "policy": {"description": "reads the organization",
            "effect": "allow", "actions": ["org-read"], "resources": [format!("drn:astra:org:{ORGANIZATION_ID}")]}});
        let (status, made) = api
            .ask(Method::POST, "/v2/organizations/roles", Some(role))
            .await;
        assert_eq!(status, 201, "{made}");
        let role: Value = serde_json::from_str(&made).unwrap();
        let role = role["ID"].as_str().unwrap();
        let (status, made) = api
            .ask(
                Method::POST,
                "/v2/clientIdSecrets",
                Some(json!({"roles": [role]})),
            )
            .await;
        assert_eq!(status, 200, "{made}");
        let made: Value = serde_json::from_str(&made).unwrap();
        let weak = Api::new(astra, made["token"].as_str().unwrap().to_owned());
        for path in ["providers", "clusters", "tenants", "serverless-regions"] {
            let path = format!("/v2/streaming/{path}");
            assert_eq!(weak.ask(Method::GET, &path, None).await.0, 401, "{path}");
        }
        let made = made["clientId"].as_str().unwrap();
        for gone in [
            format!("/v2/clientIdSecrets/{made}"),
            format!("/v2/organizations/roles/{role}"),
        ] {
            assert_eq!(api.ask(Method::DELETE, &gone, None).await.0, 204);
        }
    });
}

/// Returns the tenant in the output of a run, and true if it still exists in Pulsar.
fn made(astra: &LocalAstra, ended: &Ended) -> (String, bool) {
    let (_, rest) = ended.out.split_once("3. Created tenant ").unwrap();
    let name = rest.split(' ').next().unwrap().to_owned();
    assert!(name.starts_with("rust-sample-"), "{name}");
    let left = block_on(pulsar(astra).tenants()).unwrap().contains(&name);
    (name, left)
}

#[test]
fn the_samples_tenant_comes_and_goes_also_after_a_cut_and_ctrl_c() {
    let astra = local_astra().with_pulsar();
    let sample = sample("devops-streaming-sample");
    let settings = astra.settings("nowhere");
    let flag = ["--create-tenant"];
    let ended = sample.start_with(&flag, &settings).end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let mut rest = ended.out.as_str();
    for line in [
        "2. Found ",
        "3. Created tenant rust-sample-",
        " on pulsar-aws-useast1\n4. Active after ",
        "5. Ids of its tokens: ",
        "6. Its limits: 20 namespaces, 100 topics in each\n",
        "7. Deleted tenant rust-sample-",
        "8. Gone after ",
    ] {
        let (_, after) = rest
            .split_once(line)
            .unwrap_or_else(|| panic!("{line}: {ended:#?}"));
        rest = after;
    }
    assert!(!ended.out.contains("eyJ"), "a JWT: {ended:#?}");
    assert!(!made(astra, &ended).1, "{ended:#?}");

    // 1 providers, 2 tenants, 3 create, 4 tenants, 5 tokens.
    for whole in [3, 4] {
        let port = http::failing(astra.layout.ports.plain, whole, Then::Cut).port;
        let settings: BTreeMap<_, _> = through(astra, &settings, port);
        let ended = sample.start_with(&flag, &settings).end();
        refused(sample, &settings, &ended);
        assert!(ended.out.contains("7. Deleted tenant "), "{ended:#?}");
        assert!(!made(astra, &ended).1, "{ended:#?}");
    }

    for (signal, name) in [(Signal::Interrupt, "Ctrl-C"), (Signal::Term, "SIGTERM")] {
        let proxy = http::failing(astra.layout.ports.plain, 4, Then::Stall);
        let stalled = through(astra, &settings, proxy.port);
        let running = proxy.wait_past(4, sample.start_with(&flag, &stalled));
        running.signal(signal);
        let ended = running.end();
        let said = refused(sample, &stalled, &ended);
        assert!(said.contains(&format!("stopped by {name}")), "{ended:#?}");
        assert!(!made(astra, &ended).1, "{ended:#?}");
    }

    let port = http::failing(astra.layout.ports.plain, 4, Then::CutAll).port;
    let cut = through(astra, &settings, port);
    let ended = sample.start_with(&flag, &cut).end();
    let said = refused(sample, &cut, &ended);
    let (name, left) = made(astra, &ended);
    assert!(left, "nobody could have deleted {name}: {ended:#?}");
    assert!(
        said.contains(&format!("tenant {name} may be left behind; DELETE http://")),
        "{said}"
    );
    block_on(pulsar(astra).delete_tenant(&name, true)).unwrap();
}
