//! Writers of one document, pages, counts, vectors.

use serde_json::{Value, json};

use super::DataApi;
use crate::astra::block_on;

#[test]
fn writers_of_one_document_lose_nothing() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({})).await;
        api.done(
            "c",
            json!({"insertOne": {"document": {"_id": 1, "n": 0, "log": []}}}),
        )
        .await;
        let write = async |writer: i32| {
            let mut done = 0;
            for number in 0..20 {
                let update =
                    json!({"$inc": {"n": 1}, "$push": {"log": format!("{writer}-{number}")}});
                let body = api
                    .run(
                        "c",
                        json!({"updateOne": {"filter": {"_id": 1}, "update": update}}),
                    )
                    .await;
                match body["errors"][0]["errorCode"].as_str() {
                    None => done += body["status"]["modifiedCount"].as_i64().unwrap(),
                    Some(code) => assert_eq!(code, "FAILED_CONCURRENT_OPERATIONS"),
                }
            }
            done
        };
        let (one, two) = futures::join!(write(1), write(2));
        let read = api.done("c", json!({"findOne": {}})).await;
        let document = &read["data"]["document"];
        assert_eq!(document["n"], json!(one + two));
        assert_eq!(
            document["log"].as_array().unwrap().len(),
            usize::try_from(one + two).unwrap()
        );
        assert!(one + two > 20, "{one} {two}");
    });
}

#[test]
fn counts_end_at_a_thousand_and_many_commands_work_in_portions() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({})).await;
        let documents: Vec<Value> = (0..1001)
            .map(|n| json!({"_id": n, "even": n % 2 == 0}))
            .collect();
        for some in documents.chunks(100) {
            api.done("c", json!({"insertMany": {"documents": some}}))
                .await;
        }
        let count = api.done("c", json!({"countDocuments": {}})).await;
        assert_eq!(count["status"], json!({"count": 1000, "moreData": true}));
        let filter = json!({"even": true});
        let count = api
            .done("c", json!({"countDocuments": {"filter": filter}}))
            .await;
        assert_eq!(count["status"], json!({"count": 501}));
        assert_eq!(api.find_all("c", &filter).await.len(), 501);
        let (mut updated, mut options) = (0, json!({}));
        loop {
            let update = json!({"updateMany": {"filter": filter, "update": {"$set": {"x": 1}}, "options": options}});
            let body = api.done("c", update).await;
            updated += body["status"]["modifiedCount"].as_i64().unwrap();
            match body["status"]["nextPageState"].as_str() {
                Some(state) => options = json!({"pageState": state}),
                None => break,
            }
        }
        assert_eq!(updated, 501);
        // Documents that are asked for by their ids come all at once.
        let hundred = json!({"find": {"filter": {"_id": {"$in": (0..100).collect::<Vec<_>>()}}}});
        let found = api.done("c", hundred).await;
        assert_eq!(found["data"]["documents"].as_array().unwrap().len(), 100);
        assert_eq!(found["data"]["nextPageState"], Value::Null);
        let many = json!({"filter": {"_id": {"$in": (0..50).collect::<Vec<_>>()}}});
        let mut deleted = Vec::new();
        loop {
            let body = api.done("c", json!({"deleteMany": many})).await;
            deleted.push(body["status"]["deletedCount"].as_i64().unwrap());
            if body["status"]["moreData"].is_null() {
                break;
            }
        }
        assert_eq!(deleted, [20, 20, 10]);
    });
}

#[test]
fn a_bad_document_does_not_keep_the_others_out() {
    let api = DataApi::new();
    block_on(async {
        api.create("c", json!({"vector": {"dimension": 2}})).await;
        let documents = json!([{"_id": 1}, {"_id": 2, "$a": 1}, {"_id": 3, "$vector": [1]}, {"_id": {}}, {"_id": 5}]);
        let insert = json!({"insertMany": {"documents": documents, "options": {"returnDocumentResponses": true}}});
        let body = api.run("c", insert).await;
        assert_eq!(
            body["status"]["documentResponses"],
            json!([
                {"_id": 1, "status": "OK"},
                {"_id": 2, "status": "ERROR", "errorsIdx": 0},
                {"_id": 3, "status": "ERROR", "errorsIdx": 1},
                {"status": "ERROR", "errorsIdx": 2},
                {"_id": 5, "status": "OK"},
            ])
        );
        let codes = body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["errorCode"].clone());
        let wanted = [
            "SHRED_BAD_FIELD_NAME",
            "INVALID_VECTOR_LENGTH",
            "SHRED_BAD_DOCID_TYPE",
        ];
        assert!(codes.eq(wanted.map(|code| json!(code))), "{body}");
    });
}

#[test]
fn vectors_are_searched_with_filters_that_cassandra_cannot_check() {
    let api = DataApi::new();
    block_on(async {
        api.create(
            "c",
            json!({"vector": {"dimension": 2, "metric": "euclidean"}}),
        )
        .await;
        let documents: Vec<Value> = (0..100)
            .map(|n| json!({"_id": n, "n": n, "$vector": [n, 0]}))
            .collect();
        api.done("c", json!({"insertMany": {"documents": documents}}))
            .await;
        for (filter, wanted) in [
            (json!({}), vec![10, 11, 9]),
            (json!({"n": {"$gt": 50}}), vec![51, 52, 53]),
            (json!({"n": {"$in": [3, 70, 71, 72]}}), vec![3, 70, 71]),
            (json!({"n": 99}), vec![99]),
            (json!({"_id": 5}), vec![5]),
            (json!({"$not": {"n": {"$lt": 98}}}), vec![98, 99]),
            (json!({"n": {"$in": []}}), vec![]),
        ] {
            let find = json!({"find": {"filter": filter, "sort": {"$vector": [10.2, 0]}, "options": {"limit": 3}}});
            let body = api.done("c", find).await;
            let found: Vec<Value> = body["data"]["documents"]
                .as_array()
                .unwrap()
                .iter()
                .map(|d| d["_id"].clone())
                .collect();
            assert_eq!(json!(found), json!(wanted), "{filter}");
        }
    });
}
