//! Stargate's gRPC API: the recordings, and behavior that they do not cover.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::{Value, json};

use crate::astra::{LocalAstra, RUN_LIMIT, block_on, local_astra, workspace};
use crate::recorded::grpc::{Answer, Stargate, replay};
use crate::stand_in::exchanges::recordings;

#[test]
fn recordings_of_a_real_stargate() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let files = recordings("grpc");
    let files = files.iter();
    let failures: Vec<String> = files
        .flat_map(|file| block_on(replay(&astra.url(), &astra.operator(), &keyspace, file)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A keyspace, a client, and the application token.
struct Scene {
    astra: &'static LocalAstra,
    stargate: Stargate,
    keyspace: String,
}

impl Scene {
    fn set() -> Scene {
        let astra = local_astra();
        Scene {
            stargate: Stargate::new(&astra.url()),
            keyspace: astra.keyspace(),
            astra,
        }
    }

    async fn ask(&self, cql: &str, values: Value, parameters: Value) -> Answer {
        let cql = cql.replace("KS", &self.keyspace);
        let query = json!({"cql": cql, "values": {"values": values}, "parameters": parameters});
        let token = self.astra.application();
        self.stargate
            .call("ExecuteQuery", &query, Some(&token))
            .await
    }

    /// Returns the response; fails the test on an error.
    async fn run(&self, cql: &str, values: Value) -> Value {
        let mut answer = self.ask(cql, values, json!({})).await;
        assert_eq!(answer.code, "OK", "{cql}: {}", answer.message);
        answer.members["response"].take()
    }

    async fn refused(&self, cql: &str, values: Value, parameters: Value, code: &str) -> Answer {
        let answer = self.ask(cql, values, parameters).await;
        assert_eq!(answer.code, code, "{cql}: {}", answer.message);
        answer
    }
}

#[test]
fn columns_tell_what_is_frozen() {
    let scene = Scene::set();
    block_on(async {
        scene
            .run("CREATE TYPE KS.place (name text)", json!([]))
            .await;
        scene
            .run(
                "CREATE TABLE KS.t (k int PRIMARY KEY, a list<int>, b frozen<list<int>>, \
                 c set<frozen<list<int>>>, d place, e frozen<place>, f tuple<list<int>>)",
                json!([]),
            )
            .await;
        let answer = scene
            .run("SELECT a, b, c, d, e, f FROM KS.t", json!([]))
            .await;
        let int = json!({"basic": "INT"});
        let place = json!({"name": "place", "fields": {"name": {"basic": "VARCHAR"}}});
        let mut frozen_place = place.clone();
        frozen_place["frozen"] = true.into();
        let types: Vec<Value> = answer["resultSet"]["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column["type"].clone())
            .collect();
        assert_eq!(
            types,
            [
                json!({"list": {"element": int}}),
                json!({"list": {"element": int, "frozen": true}}),
                json!({"set": {"element": {"list": {"element": int, "frozen": true}}}}),
                json!({"udt": place}),
                json!({"udt": frozen_place}),
                json!({"tuple": {"elements": [{"list": {"element": int, "frozen": true}}]}}),
            ]
        );
    });
}

#[test]
fn a_schema_change_is_told_only_when_there_is_one() {
    let scene = Scene::set();
    block_on(async {
        scene
            .run("CREATE TABLE KS.t (k int PRIMARY KEY, v int)", json!([]))
            .await;
        let table = json!({"schemaChange": {"changeType": "UPDATED", "target": "TABLE",
            "keyspace": scene.keyspace, "name": "t"}});
        let nothing = json!({});
        for (cql, told) in [
            ("ALTER TABLE KS.t WITH gc_grace_seconds = 1", &table),
            ("ALTER TABLE KS.t WITH gc_grace_seconds = 1", &nothing),
            ("CREATE INDEX IF NOT EXISTS by_v ON KS.t (v)", &table),
            ("CREATE INDEX IF NOT EXISTS by_v ON KS.t (v)", &nothing),
            ("DROP INDEX IF EXISTS KS.by_v", &table),
            ("DROP INDEX IF EXISTS KS.by_v", &nothing),
            (
                "CREATE TYPE IF NOT EXISTS KS.t (a int)",
                &json!({"schemaChange":
                {"target": "TYPE", "keyspace": scene.keyspace, "name": "t"}}),
            ),
            ("CREATE TYPE IF NOT EXISTS KS.t (a int)", &nothing),
        ] {
            assert_eq!(&scene.run(cql, json!([])).await, told, "{cql}");
        }
    });
}

#[test]
fn a_table_of_cql_is_seen_also_when_it_is_made_anew_with_other_types() {
    let scene = Scene::set();
    block_on(async {
        let cql = scene.astra.cql().await;
        let run = async |statement: String| cql.query_unpaged(statement, ()).await.unwrap();
        let keyspace = &scene.keyspace;
        for (typ, value) in [
            ("int", json!({"int": "7"})),
            ("text", json!({"string": "seven"})),
        ] {
            run(format!(
                "CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v {typ})"
            ))
            .await;
            let limit = Instant::now() + RUN_LIMIT;
            let insert = "INSERT INTO KS.t (k, v) VALUES (1, ?)";
            while scene.ask(insert, json!([value]), json!({})).await.code != "OK" {
                assert!(Instant::now() < limit, "the {typ} is refused");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let answer = scene.run("SELECT v FROM KS.t WHERE k = 1", json!([])).await;
            assert_eq!(answer["resultSet"]["rows"][0]["values"][0], value);
            run(format!("DROP TABLE {keyspace}.t")).await;
        }
    });
}

#[test]
fn tuples_and_user_defined_types_come_back_as_they_were_stored() {
    let scene = Scene::set();
    block_on(async {
        scene
            .run("CREATE TYPE KS.p (x int, y int)", json!([]))
            .await;
        scene
            .run(
                "CREATE TABLE KS.t (k int PRIMARY KEY, tp tuple<int, text>, p frozen<p>)",
                json!([]),
            )
            .await;
        let short = json!({"collection": {"elements": [{"int": "1"}]}});
        let partly = json!({"udt": {"fields": {"y": {"int": "2"}}}});
        let insert = "INSERT INTO KS.t (k, tp, p) VALUES (1, ?, ?)";
        scene.run(insert, json!([short, partly])).await;
        scene.run("ALTER TYPE KS.p ADD z int", json!([])).await;
        let answer = scene.run("SELECT tp, p FROM KS.t", json!([])).await;
        let whole = json!({"udt": {"fields": {"x": {"null": {}}, "y": {"int": "2"}}}});
        assert_eq!(
            answer["resultSet"]["rows"][0]["values"],
            json!([short, whole])
        );
        for (bad, why) in [
            (
                json!({"collection": {"elements": [{"int": "1"}, {"null": {}}, {"null": {}}]}}),
                "Too many",
            ),
            (json!({"udt": {"fields": {}}}), "Expected collection type"),
        ] {
            let values = json!([bad, partly]);
            let answer = scene
                .refused(insert, values, json!({}), "INVALID_ARGUMENT")
                .await;
            assert!(answer.message.contains(why), "{}", answer.message);
        }
        let unknown = json!([short, {"udt": {"fields": {"q": {"int": "1"}}}}]);
        scene
            .refused(insert, unknown, json!({}), "INVALID_ARGUMENT")
            .await;
    });
}

#[test]
fn what_the_protocol_cannot_carry_is_unimplemented() {
    let scene = Scene::set();
    block_on(async {
        scene
            .run(
                "CREATE TABLE KS.t (k int PRIMARY KEY, v vector<float, 2>)",
                json!([]),
            )
            .await;
        let answer = scene.run("SELECT v FROM KS.t", json!([])).await;
        assert_eq!(
            answer["resultSet"]["columns"][0]["type"],
            json!({"basic": "CUSTOM"})
        );
        scene
            .run("INSERT INTO KS.t (k, v) VALUES (1, [1, 2])", json!([]))
            .await;
        let floats = json!([{"collection": {"elements": [{"float": 1}, {"float": 2}]}}]);
        let insert = "INSERT INTO KS.t (k, v) VALUES (2, ?)";
        for (cql, values, parameters) in [
            ("SELECT v FROM KS.t", json!([]), json!({})),
            (insert, floats, json!({})),
            ("SELECT k FROM KS.t", json!([]), json!({"nowInSeconds": 1})),
        ] {
            let answer = scene
                .refused(cql, values, parameters, "UNIMPLEMENTED")
                .await;
            assert_ne!(answer.message, "", "{cql}");
        }
    });
}

#[test]
fn parameters_are_checked_as_a_real_stargate_does() {
    let scene = Scene::set();
    block_on(async {
        scene
            .run("CREATE TABLE KS.t (k int PRIMARY KEY)", json!([]))
            .await;
        let select = "SELECT k FROM KS.t";
        for (cql, parameters, code) in [
            (select, json!({"pageSize": 0}), "UNKNOWN"),
            (select, json!({"consistency": {"value": 42}}), "UNKNOWN"),
            (select, json!({"consistency": {}}), "INVALID_ARGUMENT"),
            (select, json!({"pagingState": "Z2FyYmFnZQ=="}), "INTERNAL"),
            (
                select,
                json!({"keyspace": "no_such_keyspace"}),
                "INVALID_ARGUMENT",
            ),
            ("SELECT k FROM t", json!({"keyspace": scene.keyspace}), "OK"),
            (
                "SELECT k FROM t",
                json!({"keyspace": format!("{}\"; x", scene.keyspace)}),
                "INVALID_ARGUMENT",
            ),
            // ANY, at which Astra lets no application write.
            (
                "INSERT INTO KS.t (k) VALUES (1)",
                json!({"consistency": {}}),
                "INVALID_ARGUMENT",
            ),
            (
                "INSERT INTO KS.t (k) VALUES (1)",
                json!({"serialConsistency": {"value": "ONE"}}),
                "OK",
            ),
            (
                "INSERT INTO KS.t (k) VALUES (1) IF NOT EXISTS",
                json!({"serialConsistency": {"value": "ONE"}}),
                "INVALID_ARGUMENT",
            ),
        ] {
            scene.refused(cql, json!([]), parameters, code).await;
        }
        let answer = scene
            .refused(
                select,
                json!([]),
                json!({"consistency": {"value": "TWO"}}),
                "UNAVAILABLE",
            )
            .await;
        let detail = json!({"message": "Unavailable",
            "value": {"consistency": "TWO", "required": 2, "alive": 1}});
        assert_eq!(
            answer.members["trailers"]["stargate.unavailable-bin"],
            detail
        );
    });
}

#[test]
fn names_count_in_a_query_and_not_in_a_batch() {
    let scene = Scene::set();
    block_on(async {
        scene
            .run("CREATE TABLE KS.t (a text PRIMARY KEY, b text)", json!([]))
            .await;
        let statement = json!({"cql": format!("INSERT INTO {}.t (a, b) VALUES (:a, :b)", scene.keyspace),
            "values": {"values": [{"string": "1"}, {"string": "2"}], "valueNames": ["b", "a"]}});
        let token = scene.astra.application();
        let batch = json!({"queries": [statement]});
        for (rpc, request) in [("ExecuteQuery", &statement), ("ExecuteBatch", &batch)] {
            let answer = scene.stargate.call(rpc, request, Some(&token)).await;
            assert_eq!(answer.code, "OK", "{}", answer.message);
        }
        let mut rows = scene.run("SELECT a, b FROM KS.t", json!([])).await;
        let rows = rows["resultSet"]["rows"].take();
        let row = |a: &str, b: &str| json!({"values": [{"string": a}, {"string": b}]});
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows.contains(&row("2", "1")), "by name: {rows:?}");
        assert!(rows.contains(&row("1", "2")), "by position: {rows:?}");
    });
}

#[test]
fn an_application_token_gets_a_trace_of_its_own_statement_and_no_keyspace() {
    let scene = Scene::set();
    block_on(async {
        let cql = "SELECT key FROM system.local";
        let answer = scene.ask(cql, json!([]), json!({"tracing": true})).await;
        let traces = &answer.members["response"]["traces"];
        assert!(
            !traces["events"].as_array().unwrap().is_empty(),
            "{answer:?}"
        );
        let create = "CREATE KEYSPACE of_grpc WITH replication = \
                      {'class': 'SimpleStrategy', 'replication_factor': 1}";
        scene
            .refused(create, json!([]), json!({}), "PERMISSION_DENIED")
            .await;
    });
}

#[test]
fn a_right_client_id_with_a_wrong_rest_is_refused_while_the_right_token_is_in_use() {
    let scene = Scene::set();
    block_on(async {
        let right = scene.astra.application();
        let client_id = right.split(':').nth(1).unwrap();
        let wrong = format!("AstraCS:{client_id}:{}", "0".repeat(64));
        let query = json!({"cql": "SELECT key FROM system.local"});
        let in_keyspace = json!({"cql": "SELECT key FROM system.local",
            "parameters": {"keyspace": scene.keyspace}});
        for request in [&query, &in_keyspace] {
            for (token, code) in [
                (Some(right.as_str()), "OK"),
                (Some(wrong.as_str()), "UNAUTHENTICATED"),
                (Some(""), "UNAUTHENTICATED"),
                (None, "UNAUTHENTICATED"),
                (Some(right.as_str()), "OK"),
            ] {
                let answer = scene.stargate.call("ExecuteQuery", request, token).await;
                assert_eq!(answer.code, code, "{}", answer.message);
                let stream = json!([request]);
                let answer = scene
                    .stargate
                    .call("ExecuteQueryStream", &stream, token)
                    .await;
                assert_eq!(answer.code, code, "{}", answer.message);
            }
        }
    });
}

#[test]
fn a_stream_goes_on_after_a_refusal_and_answers_each_message() {
    let scene = Scene::set();
    block_on(async {
        let good = json!({"cql": "SELECT key FROM system.local"});
        let mut messages = vec![good; 200];
        messages[7] = json!({"cql": "SELEKT"});
        messages[70] =
            json!({"cql": "SELECT key FROM system.local", "values": {"values": [{"int": "1"}]}});
        let token = scene.astra.application();
        let messages = Value::from(messages);
        let answer = scene
            .stargate
            .call("ExecuteQueryStream", &messages, Some(&token))
            .await;
        assert_eq!(answer.code, "OK", "{}", answer.message);
        let answers = answer.members["responses"].as_array().unwrap();
        assert_eq!(answers.len(), 200);
        let statuses = answers.iter().filter_map(|answer| answer.get("status"));
        let mut codes: Vec<i64> = statuses.map(|s| s["code"].as_i64().unwrap()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [3, 9], "INVALID_ARGUMENT and FAILED_PRECONDITION");
    });
}

#[test]
fn a_message_over_4_mib_is_refused_and_the_connection_lives_on() {
    let scene = Scene::set();
    block_on(async {
        let large = json!([{"string": "x".repeat(5 * 1024 * 1024)}]);
        let cql = "SELECT key FROM system.local WHERE key = ?";
        scene
            .refused(cql, large, json!({}), "RESOURCE_EXHAUSTED")
            .await;
        scene.run(cql, json!([{"string": "local"}])).await;
    });
}

#[test]
fn what_is_no_service_is_unimplemented_and_no_deadline_is_missed() {
    let astra = local_astra();
    block_on(async {
        let client = reqwest::Client::builder()
            .http2_prior_knowledge()
            .build()
            .unwrap();
        let ask = async |path: &str, timeout: &str, body: reqwest::Body| {
            let request = client
                .post(format!("{}{path}", astra.url()))
                .header("content-type", "application/grpc")
                .header("te", "trailers")
                .header("x-cassandra-token", astra.application())
                .header("grpc-timeout", timeout)
                .body(body);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            if let Some(status) = answer.headers().get("grpc-status") {
                return status.to_str().unwrap().to_owned();
            }
            let body = reqwest::Body::from(answer).collect().await.unwrap();
            body.trailers().unwrap()["grpc-status"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let empty = || reqwest::Body::from(vec![0; 5]);
        // No server can have answered all of a request that never ends.
        let unfinished = || {
            reqwest::Body::wrap(StreamBody::new(stream::once(async {
                std::future::pending::<()>().await;
                Full::new(Bytes::from_static(b"never"))
                    .frame()
                    .await
                    .unwrap()
            })))
        };
        const INVALID_ARGUMENT: &str = "3";
        const DEADLINE_EXCEEDED: &str = "4";
        const UNIMPLEMENTED: &str = "12";
        let health = "/grpc.health.v1.Health/Check";
        let bridge = "/stargate.StargateBridge/ExecuteQuery";
        for path in [health, bridge, "/stargate.Stargate/Nope"] {
            assert_eq!(ask(path, "5S", empty()).await, UNIMPLEMENTED, "{path}");
        }
        let path = "/stargate.Stargate/ExecuteQuery";
        let status = ask(path, "5S", empty()).await;
        assert_eq!(status, INVALID_ARGUMENT, "an empty statement");
        let path = "/stargate.Stargate/ExecuteQueryStream";
        let status = ask(path, "200m", unfinished()).await;
        assert_eq!(status, DEADLINE_EXCEEDED);
    });
}

/// The sample is independent of local Astra, but both use the same description of the API.
#[test]
fn the_sample_has_the_same_proto_files() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/grpc/proto");
    let sample = workspace().join("samples/grpc/proto");
    for file in ["query.proto", "stargate.proto", "google/rpc/status.proto"] {
        let [ours, sample] = [&ours, &sample].map(|folder| folder.join(file));
        let read = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(ours), read(sample), "{file}");
    }
}

#[test]
fn a_batch_is_looked_at_after_its_token() {
    let scene = Scene::set();
    block_on(async {
        for (token, code) in [
            ("wrong", "UNAUTHENTICATED"),
            (&scene.astra.application(), "INVALID_ARGUMENT"),
        ] {
            let empty = json!({});
            let answer = scene.stargate.call("ExecuteBatch", &empty, Some(token));
            assert_eq!(answer.await.code, code);
        }
    });
}
