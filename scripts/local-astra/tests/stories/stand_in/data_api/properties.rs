//! Random documents, filters and updates against a plain evaluation.

use serde_json::{Map, Value, json};

use super::DataApi;
use super::plain::{at, equal, fits, has_text_range, updated};
use super::random::Random;
use crate::astra::{block_on, local_astra};

const DOCUMENTS: usize = 130;

async fn collection_of_documents(api: &DataApi, random: &mut Random) -> Vec<Value> {
    api.create("c", json!({})).await;
    let documents: Vec<Value> = (0..DOCUMENTS).map(|id| random.document(id)).collect();
    for some in documents.chunks(50) {
        api.done("c", json!({"insertMany": {"documents": some}}))
            .await;
    }
    documents
}

/// The ids of a table, by their tokens, as Cassandra has them.
async fn ids_in_order(keyspace: &str) -> Vec<String> {
    let session = local_astra().cql().await;
    let cql = format!("SELECT key FROM {keyspace}.c");
    let result = session
        .query_unpaged(cql, ())
        .await
        .unwrap()
        .into_rows_result()
        .unwrap();
    let rows = result.rows::<((i8, String),)>().unwrap();
    rows.map(|row| row.unwrap().0.1).collect()
}

fn ids(documents: &[Value]) -> Vec<String> {
    let ids = documents
        .iter()
        .map(|document| document["_id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[test]
fn what_goes_in_comes_back_and_filters_find_what_a_plain_evaluation_finds() {
    let api = DataApi::new();
    let mut random = Random::new(20_261_128);
    block_on(async {
        let documents = collection_of_documents(&api, &mut random).await;
        let order = ids_in_order(&api.keyspace).await;
        let all = api.find_all("c", &json!({})).await;
        assert_eq!(ids(&all), order);
        let stored = |id: &String| {
            documents
                .iter()
                .find(|document| document["_id"] == **id)
                .unwrap()
        };
        for found in &all {
            let sent = stored(&found["_id"].as_str().unwrap().to_owned());
            assert!(equal(found, sent), "{sent} came back as {found}");
        }
        for _ in 0..250 {
            let filter = random.filter(2);
            if has_text_range(&filter) {
                // A hash of an array or object may be in the range.
                api.find_all("c", &filter).await;
                continue;
            }
            let wanted: Vec<String> = order
                .iter()
                .filter(|id| fits(stored(id), &filter, false))
                .cloned()
                .collect();
            let found = api.find_all("c", &filter).await;
            assert_eq!(ids(&found), wanted, "{filter}");
            let count = api
                .done("c", json!({"countDocuments": {"filter": filter}}))
                .await;
            assert_eq!(count["status"]["count"], json!(wanted.len()), "{filter}");
        }
    });
}

#[test]
fn updates_change_what_a_plain_evaluation_changes() {
    let api = DataApi::new();
    let mut random = Random::new(7_654_321);
    block_on(async {
        let mut documents = collection_of_documents(&api, &mut random).await;
        for number in 0..300 {
            let document = &mut documents[number % DOCUMENTS];
            let update = random.update();
            let filter = json!({"_id": document["_id"]});
            let command = json!({"findOneAndUpdate": {"filter": filter, "update": update,
                "projection": {"*": 1}, "options": {"returnDocument": "after"}}});
            let body = api.run("c", command).await;
            match updated(document, &update) {
                None => assert!(body["errors"].is_array(), "{update} of {document}: {body}"),
                Some(new) => {
                    let after = &body["data"]["document"];
                    assert!(equal(after, &new), "{update} of {document}: {body}");
                    let read = api.done("c", json!({"findOne": {"filter": filter}})).await;
                    assert!(equal(&read["data"]["document"], &new), "{update}: {read}");
                    *document = new;
                }
            }
        }
    });
}

#[test]
fn sorts_are_in_order() {
    let api = DataApi::new();
    let mut random = Random::new(99);
    block_on(async {
        api.create("c", json!({})).await;
        let mut documents: Vec<Value> = (0..60)
            .map(|id| {
                let mut document = json!({"_id": format!("d{id:02}")});
                if random.below(5) > 0 {
                    document["a"] = json!({"n": random.one_of(&[1, 2, 3, -4])});
                }
                document
            })
            .collect();
        api.done("c", json!({"insertMany": {"documents": documents}}))
            .await;
        let number = |document: &Value| at(document, "a.n").and_then(Value::as_i64);
        documents.sort_by_key(|document| {
            (
                std::cmp::Reverse(number(document)),
                document["_id"].to_string(),
            )
        });
        for (skip, count) in [(0, 50), (7, 50), (55, 5), (70, 0)] {
            let find = json!({"find": {"sort": {"a.n": -1}, "options": {"skip": skip}}});
            let body = api.done("c", find).await;
            let found = ids(body["data"]["documents"].as_array().unwrap());
            let wanted: Vec<Value> = documents.iter().skip(skip).take(count).cloned().collect();
            assert_eq!(found, ids(&wanted));
        }
    });
}

#[test]
fn no_input_breaks_the_server() {
    let api = DataApi::new();
    let mut random = Random::new(31_337);
    let commands = [
        "insertOne",
        "insertMany",
        "find",
        "findOne",
        "countDocuments",
        "estimatedDocumentCount",
        "updateOne",
        "updateMany",
        "findOneAndUpdate",
        "findOneAndReplace",
        "findOneAndDelete",
        "deleteOne",
        "findAndRerank",
    ];
    let names = [
        "filter",
        "sort",
        "projection",
        "update",
        "options",
        "document",
        "documents",
        "replacement",
        "_id",
        "$set",
        "$push",
        "$each",
        "$vector",
        "$in",
        "$not",
        "$or",
        "$slice",
        "$date",
        "$uuid",
        "$binary",
        "limit",
        "skip",
        "pageState",
        "upsert",
        "a",
        "a.b",
        "a&",
        "",
        "'; DROP TABLE x",
        "\u{0}",
        "\"",
        "$serde_json::private::Number",
    ];
    block_on(async {
        api.create("c", json!({"vector": {"dimension": 2}})).await;
        for _ in 0..400 {
            let mut value = |depth: usize| {
                fn make(random: &mut Random, names: &[&str], depth: usize) -> Value {
                    match random.below(if depth == 0 { 4 } else { 8 }) {
                        0..=2 => random.scalar(),
                        3 => json!(random.one_of(&[1e300, -0.0, 5e-324, 1e15])),
                        4 => (0..random.below(3))
                            .map(|_| make(random, names, depth - 1))
                            .collect(),
                        _ => {
                            let mut members = Map::new();
                            for _ in 0..random.below(4) {
                                let name = random.one_of(names).to_owned();
                                members.insert(name, make(random, names, depth - 1));
                            }
                            Value::Object(members)
                        }
                    }
                }
                make(&mut random, &names, depth)
            };
            let fields = value(4);
            let command = json!({commands[random.below(commands.len())]: fields});
            let body = api.run("c", command.clone()).await;
            assert!(body.is_object(), "{command}: {body}");
            let code = body["errors"][0]["errorCode"].as_str().unwrap_or_default();
            assert_ne!(code, "UNEXPECTED_SERVER_ERROR", "{command}: {body}");
            assert_ne!(code, "UNSUPPORTED_DATABASE_QUERY", "{command}: {body}");
        }
        let long = format!("{}a", "a.".repeat(100_000));
        let code = async |command: Value| api.code("c", command).await;
        for update in [
            json!({"$set": {&long: 1}}),
            json!({"$rename": {"a": &long}}),
            json!({"$unset": {&long: 1}}),
        ] {
            let upsert =
                json!({"updateOne": {"filter": {}, "update": update, "options": {"upsert": true}}});
            assert_eq!(code(upsert).await, "UNSUPPORTED_UPDATE_OPERATION_PATH");
        }
        let find = json!({"find": {"projection": {&long: 1}}});
        assert_eq!(code(find).await, "UNSUPPORTED_PROJECTION_PARAM");
        let upsert =
            json!({"updateOne": {"filter": {&long: 1}, "update": {}, "options": {"upsert": true}}});
        assert_ne!(code(upsert).await, "");
        api.done("c", json!({"countDocuments": {}})).await;
    });
}
