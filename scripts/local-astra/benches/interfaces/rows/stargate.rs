//! Rows over REST, GraphQL and gRPC, and documents of the Document API, beside the driver on a table of two columns.

use std::sync::Arc;

use anyhow::Result;
use axum::http::Method;
use futures::{StreamExt, TryStreamExt};
use grpc::proto::stargate::value::Inner;
use grpc::proto::stargate::{Query, Response, Value as GrpcValue, Values};
use scylla::value::CqlValue;
use serde_json::{Value, json};
use settings::KEYSPACE;
use tonic_prost::ProstCodec;

use crate::load::{Row, Side, one_and_many};
use crate::world::{World, documents, execute};

const ROWS: u64 = 1_000;
/// Rows that are written at once before the first round.
const SEEDS_TOGETHER: usize = 16;
const TABLE: &str = "bench_rows";
const DOCUMENTS: &str = "bench_docs";

fn value(number: u64) -> String {
    format!("a book with the number {number}")
}

/// The data, and a row for each operation.
///
/// # Errors
/// When the data cannot be made.
pub async fn rows(world: &Arc<World>) -> Result<Vec<Row>> {
    let create = format!("CREATE TABLE {KEYSPACE}.{TABLE} (key text PRIMARY KEY, value text)");
    world.session.query_unpaged(create, ()).await?;
    world.create_documents(DOCUMENTS).await?;
    let insert = format!("INSERT INTO {TABLE} (key, value) VALUES (?, ?)");
    let insert_one = world.session.prepare(insert.as_str()).await?;
    let seeds = (0..ROWS).map(async |number| {
        let values = (number.to_string(), value(number));
        world.session.execute_unpaged(&insert_one, values).await?;
        let document = format!("{}/{number}", documents(DOCUMENTS));
        let body = json!({"title": value(number), "list": [number]});
        world.send(Method::PUT, &document, Some(&body)).await
    });
    let seeds = futures::stream::iter(seeds).buffer_unordered(SEEDS_TOGETHER);
    seeds.try_for_each(|_| async { Ok(()) }).await?;
    let rest = format!("/api/rest/v2/keyspaces/{KEYSPACE}/{TABLE}");
    let (rest_get, rest_insert) = (rest.clone(), rest);
    let entries = [
        (
            "gRPC select by key",
            false,
            grpc_select(world),
            one_and_many("1.4", "1.5"),
        ),
        (
            "REST get by key",
            false,
            http(world, move |n| {
                (Method::GET, format!("{rest_get}/{}", n % ROWS), None)
            }),
            one_and_many("1.5", "1.5"),
        ),
        (
            "REST insert",
            true,
            http(world, move |n| {
                let row = json!({"key": format!("rest {n}"), "value": value(n)});
                (Method::POST, rest_insert.clone(), Some(row))
            }),
            one_and_many("1.5", "2.0"),
        ),
        (
            "Document get",
            false,
            http(world, |n| {
                (
                    Method::GET,
                    format!("{}/{}", documents(DOCUMENTS), n % ROWS),
                    None,
                )
            }),
            one_and_many("2.0", "3.0"),
        ),
        (
            "Document put",
            true,
            http(world, |n| {
                let document = json!({"title": value(n), "list": [n]});
                (
                    Method::PUT,
                    format!("{}/put-{n}", documents(DOCUMENTS)),
                    Some(document),
                )
            }),
            one_and_many("3.0", "4.0"),
        ),
        (
            "GraphQL get by key",
            false,
            graph(world, |n| {
                format!(
                    "{{ {TABLE}(value: {{key: \"{}\"}}) {{ values {{ key value }} }} }}",
                    n % ROWS
                )
            }),
            one_and_many("2.0", "2.5"),
        ),
        (
            "GraphQL insert",
            true,
            graph(world, |n| {
                let row = format!("{{key: \"graphql {n}\", value: \"{}\"}}", value(n));
                format!("mutation {{ insert{TABLE}(value: {row}) {{ applied }} }}")
            }),
            one_and_many("3.0", "4.0"),
        ),
    ];
    let select = format!("SELECT key, value FROM {TABLE} WHERE key = ?");
    let select = Arc::new(world.session.prepare(select).await?);
    let insert = Arc::new(world.session.prepare(insert).await?);
    let by_driver = |writes: bool, name: &'static str| {
        let world = Arc::clone(world);
        let (select, insert) = (Arc::clone(&select), Arc::clone(&insert));
        Side::new(move |n| {
            let world = Arc::clone(&world);
            if writes {
                let key = CqlValue::Text(format!("driver {name} {n}"));
                execute(
                    world,
                    Arc::clone(&insert),
                    vec![key, CqlValue::Text(value(n))],
                )
            } else {
                let key = CqlValue::Text((n % ROWS).to_string());
                execute(world, Arc::clone(&select), vec![key])
            }
        })
    };
    let rows = entries.into_iter().map(|(name, writes, ours, levels)| Row {
        name: name.to_owned(),
        against: if writes { "INSERT" } else { "SELECT by key" }.to_owned(),
        ours,
        driver: by_driver(writes, name),
        levels,
    });
    Ok(rows.collect())
}

/// Sends a request that is made of a number.
fn http(
    world: &Arc<World>,
    of: impl Fn(u64) -> (Method, String, Option<Value>) + Send + Sync + 'static,
) -> Side {
    let world = Arc::clone(world);
    Side::new(move |number| {
        let (world, (method, path, body)) = (Arc::clone(&world), of(number));
        async move { world.send(method, &path, body.as_ref()).await.map(drop) }
    })
}

/// Sends a GraphQL document that is made of a number.
fn graph(world: &Arc<World>, of: impl Fn(u64) -> String + Send + Sync + 'static) -> Side {
    let world = Arc::clone(world);
    Side::new(move |number| {
        let (world, query) = (Arc::clone(&world), of(number));
        async move { world.graphql(&query).await }
    })
}

fn grpc_select(world: &Arc<World>) -> Side {
    let world = Arc::clone(world);
    Side::new(move |number| {
        let world = Arc::clone(&world);
        async move {
            let key = GrpcValue {
                inner: Some(Inner::String((number % ROWS).to_string())),
            };
            let query = Query {
                cql: format!("SELECT key, value FROM {KEYSPACE}.{TABLE} WHERE key = ?"),
                values: Some(Values {
                    values: vec![key],
                    ..Values::default()
                }),
                ..Query::default()
            };
            let mut request = tonic::Request::new(query);
            let token = world.token.parse()?;
            request.metadata_mut().insert("x-cassandra-token", token);
            let mut client = tonic::client::Grpc::new(world.grpc.clone());
            client.ready().await?;
            let path = "/stargate.Stargate/ExecuteQuery".parse()?;
            let codec = ProstCodec::<Query, Response>::default();
            client.unary(request, path, codec).await?;
            Ok(())
        }
    })
}
