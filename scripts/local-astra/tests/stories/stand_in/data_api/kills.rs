//! Writes that are cut off by `kill -9` of local Astra and of Cassandra.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use settings::KEYSPACE;
use settings::layout::Layout;
use settings::secrets::Secrets;

use super::DataApi;
use crate::astra::block_on;

const COLLECTION: &str = "kept_documents";
/// Writes that are acknowledged before [`Writer::start`] returns.
const BEFORE: i64 = 20;

/// A writer that ends when it is cut off.
pub struct Writer(JoinHandle<i64>);

impl Writer {
    /// Starts to write, one document and one update after the other.
    pub fn start(data: &Path) -> Writer {
        let api = api(data);
        let (acknowledged, some) = mpsc::channel();
        let writer = std::thread::spawn(move || block_on(write(&api, &acknowledged)));
        for _ in 0..BEFORE {
            some.recv().unwrap();
        }
        Writer(writer)
    }

    /// Waits until it was cut off, for the number of acknowledged writes.
    pub fn end(self) -> i64 {
        self.0.join().unwrap()
    }
}

async fn write(api: &DataApi, acknowledged: &mpsc::Sender<()>) -> i64 {
    api.create(COLLECTION, json!({})).await;
    let counter = json!({"insertOne": {"document": {"_id": "counter", "n": 0}}});
    api.done(COLLECTION, counter).await;
    for n in 0.. {
        let insert = json!({"insertOne": {"document": {"_id": n, "kind": "kept", "list": [n]}}});
        let update =
            json!({"updateOne": {"filter": {"_id": "counter"}, "update": {"$inc": {"n": 1}}}});
        for (command, done) in [(insert, "insertedIds"), (update, "modifiedCount")] {
            let path = format!("/{KEYSPACE}/{COLLECTION}");
            match api.try_send(&path, command.to_string()).await {
                Ok((200, body)) if body["errors"].is_null() => {
                    assert!(!body["status"][done].is_null(), "{body}");
                }
                _ => return n,
            }
        }
        // The receiver stops to count after some of them.
        let _is_counted = acknowledged.send(());
    }
    unreachable!("the numbers do not end")
}

/// Checks that everything that was acknowledged is there, and at most the one write more that was cut off.
pub fn assert_kept(data: &Path, acknowledged: i64) {
    assert!(acknowledged >= BEFORE, "{acknowledged}");
    let api = api(data);
    block_on(async {
        let one_more = acknowledged + 1;
        // By an index, whose entries were in memory.
        let found = api.find_all(COLLECTION, &json!({"kind": "kept"})).await;
        let mut ids: Vec<i64> = found
            .iter()
            .map(|document| document["_id"].as_i64().unwrap())
            .collect();
        ids.sort_unstable();
        let all: Vec<i64> = (0..acknowledged).collect();
        let more: Vec<i64> = (0..one_more).collect();
        assert!(ids == all || ids == more, "{acknowledged}: {ids:?}");
        for id in ids {
            let find = json!({"findOne": {"filter": {"list": id}}});
            let document = &api.done(COLLECTION, find).await["data"]["document"];
            assert_eq!(*document, json!({"_id": id, "kind": "kept", "list": [id]}));
        }
        let find = json!({"findOne": {"filter": {"_id": "counter"}}});
        let counter = api.done(COLLECTION, find).await["data"]["document"]["n"].as_i64();
        assert!(
            [acknowledged, one_more].map(Some).contains(&counter),
            "{acknowledged}: {counter:?}"
        );
        // What was cut off blocks no later write.
        let update =
            json!({"updateOne": {"filter": {"_id": "counter"}, "update": {"$set": {"n": 0}}}});
        let body: Value = api.done(COLLECTION, update).await;
        assert_eq!(body["status"]["modifiedCount"], 1);
        let delete = json!({"deleteCollection": {"name": COLLECTION}});
        api.done("", delete).await;
    });
}

fn api(data: &Path) -> DataApi {
    let ports = Layout::of(data, None).unwrap().ports;
    let token = Secrets::of(data).unwrap().application.token;
    let url = format!("http://127.0.0.1:{}", ports.plain);
    DataApi::at(
        url,
        KEYSPACE.to_owned(),
        token.text().expose_secret().to_owned(),
    )
}
