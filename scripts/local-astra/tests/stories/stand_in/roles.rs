//! Permissions of a role's token over every interface, including logins that were open before a change.

use std::fmt::Debug;

use access::Interface;
use access::policy::ACTIONS;
use astra_secure_connect::SecureConnect;
use grpc::proto::stargate::streaming_response::Message;
use grpc::proto::stargate::{Query, StreamingResponse};
use reqwest::Method;
use scylla::client::session::Session;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::Code;
use tokio::sync::mpsc;
use tonic::codec::Streaming;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::astra::{LocalAstra, block_on, local_astra};
use crate::recorded::grpc::Stargate;
use crate::stand_in::devops::{Answer, Api};

/// Outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The token is valid, but not permitted to do this.
    Denied,
    /// The token is invalid, or its open connection is closed.
    Refused,
}

use Outcome::{Denied, Done, Refused};

/// Open clients of all interfaces, because a change must affect logins from before it.
struct Ways {
    api: Api,
    keyspace: String,
    grpc: Stargate,
    grpc_token: String,
    stream: GrpcStream,
    bundle: Session,
    cassandra: store::Session,
}

/// The interfaces, each used for a read and a write.
const INTERFACES: [&str; 7] = [
    "REST",
    "Document",
    "GraphQL",
    "gRPC",
    "an open gRPC stream",
    "CQL through the bundle",
    "CQL straight to Cassandra",
];

impl Ways {
    async fn open(astra: &LocalAstra, token: &str, keyspace: &str) -> Ways {
        let cassandra = direct(astra, token).await.unwrap();
        Ways {
            api: Api::of(astra, token),
            keyspace: keyspace.to_owned(),
            grpc: Stargate::new(&astra.url()),
            grpc_token: token.to_owned(),
            stream: GrpcStream::open(astra, token).await,
            bundle: through_bundle(astra, token).await.unwrap(),
            cassandra,
        }
    }

    /// Returns the outcomes of a read and a write for each interface.
    async fn try_all(&mut self) -> Vec<(&'static str, [Outcome; 2])> {
        let keyspace = &self.keyspace;
        let read = format!("SELECT a FROM {keyspace}.things WHERE a = '1'");
        let write = format!("INSERT INTO {keyspace}.things (a) VALUES ('4')");
        let [rows, docs, graphql] = [
            format!("/api/rest/v2/keyspaces/{keyspace}/things"),
            format!("/api/rest/v2/namespaces/{keyspace}/collections/docs"),
            format!("/api/graphql/{keyspace}"),
        ];
        let api = &self.api;
        let post = async |path: &str, body: Value| api.ask(Method::POST, path, Some(body)).await;
        let query = json!({"query": "{ things(value: {a: \"1\"}) { values { a } } }"});
        let insert = json!({"query": "mutation { insertthings(value: {a: \"2\"}) { applied } }"});
        let rest = [
            http(&api.get(&format!("{rows}/1")).await),
            http(&post(&rows, json!({"a": "3"})).await),
        ];
        let document = [
            http(&api.get(&docs).await),
            http(&post(&docs, json!({"b": 1})).await),
        ];
        let graphql = [
            http(&post(&graphql, query).await),
            http(&post(&graphql, insert).await),
        ];
        let grpc = [self.grpc(&read).await, self.grpc(&write).await];
        let stream = [self.stream.ask(&read).await, self.stream.ask(&write).await];
        let [bundle, cassandra] = [&self.bundle, &self.cassandra];
        let bundle = [cql(bundle, &read).await, cql(bundle, &write).await];
        let cassandra = [cql(cassandra, &read).await, cql(cassandra, &write).await];
        let outcomes = [rest, document, graphql, grpc, stream, bundle, cassandra];
        INTERFACES.into_iter().zip(outcomes).collect()
    }

    async fn grpc(&self, cql: &str) -> Outcome {
        let token = Some(self.grpc_token.as_str());
        let query = json!({"cql": cql});
        let answer = self.grpc.call("ExecuteQuery", &query, token).await;
        match answer.code.as_str() {
            "OK" => Done,
            "PERMISSION_DENIED" => Denied,
            "UNAUTHENTICATED" => Refused,
            _ => panic!("{answer:?}"),
        }
    }
}

/// Returns the same outcomes for every interface.
fn all(outcomes: [Outcome; 2]) -> Vec<(&'static str, [Outcome; 2])> {
    INTERFACES.map(|name| (name, outcomes)).to_vec()
}

/// Returns the outcome of REST, Document and GraphQL, which report both cases with 401, GraphQL inside a 200.
fn http(answer: &Answer) -> Outcome {
    let said = answer.body.to_string();
    match answer.status {
        200 | 201 if !answer.body["errors"].is_array() => Done,
        200 | 401 if said.contains("UNAUTHENTICATED") => Refused,
        200 | 401 if said.contains("has no ") || said.contains("PERMISSION_DENIED") => Denied,
        other => panic!("{other}: {said}"),
    }
}

async fn cql(session: &Session, cql: &str) -> Outcome {
    match session.query_unpaged(cql, ()).await {
        Ok(_) => Done,
        Err(ExecutionError::LastAttemptError(RequestAttemptError::DbError(
            DbError::Unauthorized,
            _,
        ))) => Denied,
        // Cut, and not let in again.
        Err(
            ExecutionError::LastAttemptError(RequestAttemptError::BrokenConnectionError(_))
            | ExecutionError::ConnectionPoolError(_),
        ) => Refused,
        Err(error) => panic!("{error:?}"),
    }
}

async fn direct(astra: &LocalAstra, token: &str) -> Result<store::Session, impl Debug> {
    let mut parts = token.split(':').skip(1);
    let (role, password) = (parts.next().unwrap(), parts.next().unwrap());
    let password = SecretString::from(password);
    let opened = store::connect(&astra.layout.cassandra(), role, &password, None).await;
    opened.map_err(|error| error.code)
}

async fn through_bundle(astra: &LocalAstra, token: &str) -> Result<Session, impl Debug> {
    let bundle = SecureConnect::open(&astra.folders.bundle()).await.unwrap();
    let session = bundle
        .session_builder()
        .user("token", token)
        .fetch_schema_metadata(false);
    session.build().await
}

/// A stream of queries, sent one at a time.
struct GrpcStream {
    queries: mpsc::UnboundedSender<Query>,
    answers: Result<Streaming<StreamingResponse>, Status>,
}

impl GrpcStream {
    async fn open(astra: &LocalAstra, token: &str) -> GrpcStream {
        let channel = Channel::from_shared(astra.url()).unwrap();
        let channel = channel.connect().await.unwrap();
        let (queries, received) = mpsc::unbounded_channel();
        let received = futures::stream::unfold(received, |mut received| async move {
            let query: Query = received.recv().await?;
            Some((query, received))
        });
        let mut request = Request::new(received);
        let token = token.parse().unwrap();
        request.metadata_mut().insert("x-cassandra-token", token);
        let mut client = tonic::client::Grpc::new(channel);
        client.ready().await.unwrap();
        let path = "/stargate.Stargate/ExecuteQueryStream".parse().unwrap();
        let codec = ProstCodec::<Query, StreamingResponse>::default();
        let answers = client.streaming(request, path, codec).await;
        GrpcStream {
            queries,
            answers: answers.map(tonic::Response::into_inner),
        }
    }

    async fn ask(&mut self, cql: &str) -> Outcome {
        let cql = cql.to_owned();
        // One that was ended takes no more.
        let _ended = self.queries.send(Query {
            cql,
            ..Query::default()
        });
        let answer = match &mut self.answers {
            Ok(answers) => answers.message().await,
            Err(status) => Err(status.clone()),
        };
        match answer {
            Ok(Some(StreamingResponse {
                message: Some(Message::Response(_)),
            })) => Done,
            Ok(Some(StreamingResponse {
                message: Some(Message::Status(status)),
            })) if status.code == tonic::Code::PermissionDenied as i32 => Denied,
            // Its end came with the answer before.
            Ok(None) => Refused,
            Err(status) if status.code() == tonic::Code::Unauthenticated => Refused,
            other => panic!("{other:?}"),
        }
    }
}

/// A keyspace of the first database, with a table and a collection, and a role with some permissions on it.
struct Scene {
    owner: Api,
    keyspace: String,
    role: String,
}

const READ: &[&str] = &[
    "org-db-view",
    "db-cql",
    "db-rest",
    "db-graphql",
    "db-keyspace-describe",
    "db-table-describe",
    "db-table-select",
];

impl Scene {
    async fn set(astra: &LocalAstra, keyspace: String) -> Scene {
        let owner = Api::of(astra, &astra.application());
        let table = json!({"name": "things", "primaryKey": {"partitionKey": ["a"]},
            "columnDefinitions": [{"name": "a", "typeDefinition": "text"}]});
        let tables = format!("/api/rest/v2/schemas/keyspaces/{keyspace}/tables");
        let docs = format!("/api/rest/v2/namespaces/{keyspace}/collections");
        for (path, body) in [(tables, table), (docs, json!({"name": "docs"}))] {
            let made = owner.ask(Method::POST, &path, Some(body)).await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
        let mut scene = Scene {
            owner,
            keyspace,
            role: String::new(),
        };
        let roles = "/v2/organizations/roles";
        let made = scene.owner.ask(Method::POST, roles, Some(scene.body(READ)));
        let made = made.await;
        assert_eq!(made.status, 201, "{}", made.body);
        scene.role = made.body["ID"].as_str().unwrap().to_owned();
        scene
    }

    fn body(&self, actions: &[&str]) -> Value {
        let organization = settings::ORGANIZATION_ID;
        let database = settings::DATABASE_ID;
        // As in the documented examples, without the organization itself.
        let database = format!("drn:astra:org:{organization}:db:{database}");
        let keyspace = format!("{database}:keyspace:{}", self.keyspace);
        let tables = format!("{keyspace}:table:*");
        json!({"name": format!("role of {}", self.keyspace), "policy": {
            "description": "one keyspace", "effect": "allow", "actions": actions,
            "resources": [database, keyspace, tables]}})
    }

    async fn allow(&self, actions: &[&str]) {
        let path = format!("/v2/organizations/roles/{}", self.role);
        let changed = self.owner.ask(Method::PUT, &path, Some(self.body(actions)));
        let changed = changed.await;
        assert_eq!(changed.status, 200, "{}", changed.body);
    }

    /// Creates a token, and returns its client id and the token.
    async fn token(&self) -> (String, String) {
        let body = json!({"roles": [self.role]});
        let made = self
            .owner
            .ask(Method::POST, "/v2/clientIdSecrets", Some(body))
            .await;
        assert_eq!(made.status, 200, "{}", made.body);
        let text = |name: &str| made.body[name].as_str().unwrap().to_owned();
        (text("clientId"), text("token"))
    }

    async fn revoke(&self, client_id: &str) {
        let path = format!("/v2/clientIdSecrets/{client_id}");
        let revoked = self.owner.ask(Method::DELETE, &path, None).await;
        assert_eq!(revoked.status, 204, "{}", revoked.body);
    }

    async fn remove(self) {
        let path = format!("/v2/organizations/roles/{}", self.role);
        let removed = self.owner.ask(Method::DELETE, &path, None).await;
        assert_eq!(removed.status, 204, "{}", removed.body);
    }
}

#[test]
fn a_token_may_do_what_its_role_says_and_nothing_once_it_is_revoked() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    block_on(async {
        let scene = Scene::set(astra, keyspace).await;
        let mut owner = Ways::open(astra, &astra.application(), &scene.keyspace).await;
        assert_eq!(owner.try_all().await, all([Done, Done]));

        let (client_id, token) = scene.token().await;
        let mut reader = Ways::open(astra, &token, &scene.keyspace).await;
        assert_eq!(reader.try_all().await, all([Done, Denied]));
        let body = json!({"roles": [scene.role]});
        let tokens = "/v2/clientIdSecrets";
        let more = reader.api.ask(Method::POST, tokens, Some(body)).await;
        assert_eq!(more.status, 403, "{}", more.body);

        // A change of the role holds at once for what is open, and closes no CQL connection that stays allowed.
        scene.allow(&[READ, &["db-table-modify"]].concat()).await;
        assert_eq!(reader.try_all().await, all([Done, Done]));
        scene.allow(READ).await;
        assert_eq!(reader.try_all().await, all([Done, Denied]));

        scene.revoke(&client_id).await;
        let mut outcomes = reader.try_all().await;
        // Cassandra keeps the connection that is not ours to close, and lets it do nothing.
        assert_eq!(outcomes.pop().unwrap().1, [Denied, Denied]);
        let mut refused = all([Refused, Refused]);
        refused.pop();
        assert_eq!(outcomes, refused);
        assert_eq!(reader.api.get("/v2/databases").await.status, 401);
        assert!(through_bundle(astra, &token).await.is_err());
        let direct = direct(astra, &token).await.err();
        assert_eq!(
            format!("{:?}", direct.unwrap()),
            format!("{:?}", Code::Unauthenticated)
        );
        assert_eq!(owner.try_all().await, all([Done, Done]));

        // A way that the role loses is closed at once, and no other.
        let (client_id, token) = scene.token().await;
        let mut reader = Ways::open(astra, &token, &scene.keyspace).await;
        let without_cql: Vec<&str> = READ.iter().copied().filter(|a| *a != "db-cql").collect();
        scene.allow(&without_cql).await;
        let outcomes = reader.try_all().await;
        let (http, cql) = outcomes.split_at(3);
        assert_eq!(http, &all([Done, Denied])[..3]);
        let cql: Vec<Outcome> = cql.iter().map(|(_, outcomes)| outcomes[0]).collect();
        // Cassandra itself knows of no interfaces.
        assert_eq!(cql, [Denied, Denied, Refused, Done]);
        assert!(through_bundle(astra, &token).await.is_err());
        scene.revoke(&client_id).await;
        scene.remove().await;
    });
}

#[test]
fn each_interface_opens_by_its_own_action_and_by_no_other() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let rows = format!("/api/rest/v2/keyspaces/{keyspace}/things/1");
    let documents = format!("/api/rest/v2/namespaces/{keyspace}/collections/docs");
    let schema = json!({"query": format!("{{ keyspace(name: \"{keyspace}\") {{ name }} }}")});
    let admin = json!({"query": format!("{{ schema(keyspace: \"{keyspace}\") {{ version }} }}")});
    let data = json!({"query": "{ things(value: {a: \"1\"}) { values { a } } }"});
    let posts = [
        (Interface::Graphql, format!("/api/graphql/{keyspace}"), data),
        (Interface::Graphql, "/api/graphql-schema".into(), schema),
        (Interface::Graphql, "/api/graphql-admin".into(), admin),
        (
            Interface::DataApi,
            format!("/api/json/v1/{keyspace}"),
            json!({"findCollections": {}}),
        ),
    ];
    let query = json!({"cql": format!("SELECT a FROM {keyspace}.things WHERE a = '1'")});
    let is_of_an_interface = |action: &str| Interface::ALL.iter().any(|i| i.action() == action);
    block_on(async {
        let scene = Scene::set(astra, keyspace).await;
        let (client_id, token) = scene.token().await;
        let api = Api::of(astra, &token);
        let ways = Interface::ALL.map(Interface::action);
        for opening in ways.into_iter().map(Some).chain([None]) {
            // All that a policy can name, but for the other ways.
            let actions = ACTIONS.iter().copied();
            let actions =
                actions.filter(|action| !is_of_an_interface(action) || Some(*action) == opening);
            scene.allow(&actions.collect::<Vec<_>>()).await;
            let is_good =
                |answer: &Answer| answer.status == 200 && !answer.body["errors"].is_array();
            let mut opened = vec![
                (Interface::Rest, is_good(&api.get(&rows).await)),
                (Interface::Document, is_good(&api.get(&documents).await)),
                (Interface::Cql, through_bundle(astra, &token).await.is_ok()),
            ];
            let grpc = Stargate::new(&astra.url())
                .call("ExecuteQuery", &query, Some(&token))
                .await;
            opened.push((Interface::Grpc, grpc.code == "OK"));
            for (interface, path, body) in &posts {
                let said = api.ask(Method::POST, path, Some(body.clone())).await;
                opened.push((*interface, is_good(&said)));
            }
            for (interface, is_open) in opened {
                let should = Some(interface.action()) == opening;
                assert_eq!(is_open, should, "{interface:?} by {opening:?}");
            }
        }
        scene.revoke(&client_id).await;
        scene.remove().await;
    });
}
