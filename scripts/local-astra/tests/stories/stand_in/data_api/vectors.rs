//! Vectors that are written at the same time.

use futures::StreamExt;
use serde_json::json;

use super::DataApi;
use crate::astra::{block_on, local_astra};

const INSERTS: i32 = 1000;
const IN_FLIGHT: usize = 32;

/// With fewer processors than writers, Cassandra 5.0.9 fails some of them.
#[test]
fn vectors_are_inserted_by_many_writers_at_once() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({"vector": {"dimension": 64}})).await;
        let vector = |n: i32| {
            (0..64)
                .map(|d| ((n * 31 + d * 7) % 97 + 1) as f32)
                .collect::<Vec<f32>>()
        };
        let by_api = (0..INSERTS).map(async |n| {
            let document = json!({"_id": n, "$vector": vector(n)});
            api.done("c", json!({"insertOne": {"document": document}}))
                .await;
        });
        futures::stream::iter(by_api)
            .buffer_unordered(IN_FLIGHT)
            .collect::<Vec<()>>()
            .await;
        let session = local_astra().cql().await;
        let insert = format!(
            "INSERT INTO {}.c (key, tx_id, doc_json, query_vector_value) VALUES ((1, ?), now(), '{{}}', ?)",
            api.keyspace
        );
        let insert = session.prepare(insert).await.unwrap();
        let by_cql = (0..INSERTS).map(async |n| {
            session
                .execute_unpaged(&insert, (n.to_string(), vector(n)))
                .await
                .map(drop)
        });
        let by_cql = futures::stream::iter(by_cql)
            .buffer_unordered(IN_FLIGHT)
            .collect::<Vec<_>>()
            .await;
        let failed: Vec<_> = by_cql.into_iter().filter_map(Result::err).collect();
        assert!(
            failed.is_empty(),
            "{} of {INSERTS}: {:?}",
            failed.len(),
            failed[0]
        );
    });
}
