//! Random filters, sorts and pages, compared with a plain evaluation.

use serde_json::{Value, json};

use super::super::DataApi;
use super::super::random::Random;
use super::warnings;
use crate::astra::block_on;

/// A row: `a` and `b` are the partition key, `c` descends within it, `n` and `tags` have indexes.
fn row(number: i64) -> Value {
    let mut row = json!({"a": number % 5, "b": format!("b{}", number % 3), "c": number,
        "t": format!("t{}", number % 4), "tags": [format!("g{}", number % 6), "all"],
        "m": [[number % 4, format!("m{}", number % 3)]], "v": [1, number]});
    if number % 7 != 0 {
        row["n"] = json!(number % 10);
    }
    row
}

async fn table(api: &DataApi) -> Vec<Value> {
    let columns = json!({"a": "int", "b": "text", "c": "bigint", "n": "int", "t": "text",
        "tags": {"type": "set", "valueType": "text"}, "m": {"type": "map", "keyType": "int", "valueType": "text"},
        "v": {"type": "vector", "dimension": 2}});
    let key = json!({"partitionBy": ["a", "b"], "partitionSort": {"c": -1}});
    api.create_table("t", columns, key).await;
    for (name, column) in [
        ("n", json!("n")),
        ("tags", json!("tags")),
        ("keys", json!({"m": "$keys"})),
    ] {
        api.create_index("t", &format!("t_{name}"), column).await;
    }
    let metric = json!({"column": "v", "options": {"metric": "dot_product"}});
    let index = json!({"createVectorIndex": {"name": "t_v", "definition": metric}});
    api.done("t", index).await;
    let rows: Vec<Value> = (0..140).map(row).collect();
    for some in rows.chunks(70) {
        api.done("t", json!({"insertMany": {"documents": some}}))
            .await;
    }
    rows
}

fn integer(value: &Value) -> Option<i64> {
    value.as_number()?.as_str().parse().ok()
}

/// Compares a column with a condition of one operator.
fn holds(row: &Value, column: &str, condition: &Value) -> bool {
    let (operator, operand) = condition.as_object().unwrap().iter().next().unwrap();
    let found = &row[column];
    let range = |holds: fn(std::cmp::Ordering) -> bool| match (found, operand) {
        (Value::String(found), Value::String(operand)) => holds(found.cmp(operand)),
        _ => integer(found)
            .zip(integer(operand))
            .is_some_and(|(found, operand)| holds(found.cmp(&operand))),
    };
    let listed = |values: &Value, wanted: &Value| values.as_array().unwrap().contains(wanted);
    let of_keys = column == "m" && operator == "$keys";
    match (operator.as_str(), column) {
        _ if of_keys => {
            let inner = operand.as_object().unwrap().iter().next().unwrap();
            let has = listed(inner.1, &found[0][0]);
            has == (inner.0 != "$nin")
        }
        ("$in", "tags") => operand
            .as_array()
            .unwrap()
            .iter()
            .any(|tag| listed(found, tag)),
        ("$all", "tags") => operand
            .as_array()
            .unwrap()
            .iter()
            .all(|tag| listed(found, tag)),
        ("$nin", "tags") => !operand
            .as_array()
            .unwrap()
            .iter()
            .any(|tag| listed(found, tag)),
        ("$in", "m") => listed(operand, &found[0]),
        ("$eq", _) => found == operand,
        ("$ne", _) => found != operand,
        ("$in", _) => listed(operand, found),
        ("$nin", _) => !listed(operand, found),
        ("$gt", _) => range(std::cmp::Ordering::is_gt),
        ("$gte", _) => range(std::cmp::Ordering::is_ge),
        ("$lt", _) => range(std::cmp::Ordering::is_lt),
        ("$lte", _) => range(std::cmp::Ordering::is_le),
        (other, _) => panic!("{other}"),
    }
}

fn fits(row: &Value, filter: &Value) -> bool {
    filter
        .as_object()
        .unwrap()
        .iter()
        .all(|(name, value)| match name.as_str() {
            "$and" => value.as_array().unwrap().iter().all(|part| fits(row, part)),
            "$or" => value.as_array().unwrap().iter().any(|part| fits(row, part)),
            column => holds(row, column, value),
        })
}

fn condition(random: &mut Random) -> (String, Value) {
    let below = |random: &mut Random, end| i64::try_from(random.below(end)).unwrap();
    let column = random.one_of(&["a", "b", "c", "n", "n", "t", "tags", "m"]);
    let value = |random: &mut Random| match column {
        "a" => json!(below(random, 6)),
        "b" => json!(format!("b{}", random.below(4))),
        "c" => json!(below(random, 140)),
        "n" => json!(below(random, 10)),
        _ => json!(format!("t{}", random.below(5))),
    };
    let condition = match column {
        "tags" => {
            let tags = json!([format!("g{}", random.below(6)), "all"]);
            json!({random.one_of(&["$in", "$all", "$nin"]): if random.below(2) == 0 { json!([tags[0]]) } else { tags }})
        }
        "m" if random.below(2) == 0 => {
            json!({"$in": [[below(random, 4), format!("m{}", random.below(3))]]})
        }
        "m" => json!({"$keys": {random.one_of(&["$in", "$nin"]): [below(random, 5)]}}),
        // Ranges of the partition key are rejected unless the server filters.
        "a" | "b" => match random.below(4) {
            0 => json!({"$ne": value(random)}),
            1 => json!({"$in": [value(random), value(random)]}),
            _ => json!({"$eq": value(random)}),
        },
        _ => match random.below(4) {
            0 => json!({random.one_of(&["$in", "$nin"]): [value(random), value(random)]}),
            1 => json!({random.one_of(&["$gt", "$gte", "$lt", "$lte"]): value(random)}),
            _ => json!({random.one_of(&["$eq", "$ne"]): value(random)}),
        },
    };
    (column.to_owned(), condition)
}

fn filter(random: &mut Random, depth: usize) -> Value {
    let mut filter = serde_json::Map::new();
    for _ in 0..=random.below(2) {
        let (column, condition) = condition(random);
        filter.insert(column, condition);
    }
    if depth > 0 && random.below(2) == 0 {
        // One member each: more would be alternatives of their own.
        let parts: Vec<Value> = (0..=random.below(3))
            .map(|_| {
                let (column, condition) = condition(random);
                json!({column: condition})
            })
            .collect();
        filter.insert(random.one_of(&["$or", "$and"]).to_owned(), json!(parts));
    }
    Value::Object(filter)
}

fn places(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| integer(&row["c"]).unwrap()).collect()
}

#[test]
fn filters_find_what_a_plain_evaluation_finds_in_the_order_of_the_database() {
    let api = DataApi::new();
    let mut random = Random::new(20_261_129);
    block_on(async {
        let rows = table(&api).await;
        let order = places(&api.find_all("t", &json!({})).await);
        assert_eq!(order.len(), rows.len());
        let at = |place: &i64| &rows[usize::try_from(*place).unwrap()];
        let mut found_some = 0;
        for _ in 0..150 {
            let filter = filter(&mut random, 1);
            let wanted: Vec<i64> = order
                .iter()
                .copied()
                .filter(|c| fits(at(c), &filter))
                .collect();
            let found = places(&api.find_all("t", &filter).await);
            assert_eq!(found, wanted, "{filter}");
            found_some += usize::from(!wanted.is_empty());
            // A sort in memory, by a column with nulls; equal rows stay in order.
            let find = json!({"find": {"filter": filter, "sort": {"n": -1, "c": 1}, "options": {"skip": 1, "limit": 7}}});
            let body = api.done("t", find).await;
            let mut sorted = wanted.clone();
            sorted.sort_by_key(|c| (integer(&at(c)["n"]).map_or(1, |n| -n), *c));
            let sorted: Vec<i64> = sorted.into_iter().skip(1).take(7).collect();
            assert_eq!(
                places(body["data"]["documents"].as_array().unwrap()),
                sorted,
                "{filter}"
            );
            assert_eq!(
                body["status"]["sortedRowCount"],
                json!(wanted.len()),
                "{filter}"
            );
            // The nearest come first, whether the index finds them or every row is compared.
            let find =
                json!({"find": {"filter": filter, "sort": {"v": [0, 1]}, "options": {"limit": 5}}});
            let body = api.done("t", find).await;
            let mut nearest = wanted.clone();
            nearest.sort_by_key(|c| -c);
            nearest.truncate(5);
            let found = places(body["data"]["documents"].as_array().unwrap());
            assert_eq!(found, nearest, "{filter}");
        }
        assert!(found_some > 60, "{found_some}");
    });
}

#[test]
fn partitions_are_read_in_their_order_and_in_the_other_one() {
    let api = DataApi::new();
    block_on(async {
        table(&api).await;
        let partition = json!({"a": 1, "b": "b1"});
        let wanted: Vec<i64> = (0..140).filter(|c| c % 5 == 1 && c % 3 == 1).collect();
        let mut descending = wanted.clone();
        descending.reverse();
        for (sort, order) in [
            (json!({}), &descending),
            (json!({"c": 1}), &wanted),
            (json!({"c": -1}), &descending),
        ] {
            let find = json!({"find": {"filter": partition, "sort": sort}});
            let body = api.done("t", find).await;
            assert_eq!(
                &places(body["data"]["documents"].as_array().unwrap()),
                order
            );
            assert!(warnings(&body).is_empty(), "{body}");
            assert!(body["status"].get("sortedRowCount").is_none());
        }
        let half = json!({"find": {"filter": {"a": 1}, "sort": {"c": 1}}});
        let body = api.done("t", half).await;
        assert_eq!(
            warnings(&body),
            [
                "IN_MEMORY_SORTING_DUE_TO_PARTITION_KEY_NOT_RESTRICTED",
                "INCOMPLETE_PRIMARY_KEY_FILTER"
            ]
        );
    });
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let api = DataApi::new();
    block_on(async {
        table(&api).await;
        // Rows that are found by more than one statement come once.
        let filter = json!({"$or": [{"n": 1}, {"n": 2}, {"tags": {"$in": ["all"]}}]});
        let all = api.find_all("t", &filter).await;
        assert_eq!(places(&all), places(&api.find_all("t", &json!({})).await));
        let find = |options: Value| {
            let projection = json!({"c": 1});
            json!({"find": {"filter": filter, "projection": projection, "options": options}})
        };
        let first = api.done("t", find(json!({"limit": 70}))).await;
        let state = first["data"]["nextPageState"].as_str().unwrap();
        let second = api
            .done("t", find(json!({"limit": 70, "pageState": state})))
            .await;
        let mut pages = places(first["data"]["documents"].as_array().unwrap());
        assert_eq!(pages.len(), 50);
        pages.extend(places(second["data"]["documents"].as_array().unwrap()));
        assert_eq!(pages, places(&all)[..70]);
        assert_eq!(second["data"]["nextPageState"], Value::Null);
        // A state of a filter with other statements.
        let other = json!({"find": {"options": {"pageState": state}}});
        assert_eq!(api.code("t", other).await, "UNEXPECTED_DRIVER_ERROR");
    });
}

#[test]
fn an_index_that_ignores_case_does_so_in_every_filter() {
    let api = DataApi::new();
    block_on(async {
        api.create_table(
            "t",
            json!({"id": "int", "name": "text", "n": "int"}),
            json!("id"),
        )
        .await;
        let options = json!({"caseSensitive": false});
        let definition = json!({"column": "name", "options": options});
        api.done(
            "t",
            json!({"createIndex": {"name": "t_name", "definition": definition}}),
        )
        .await;
        let rows = json!([{"id": 1, "name": "Ann", "n": 1}, {"id": 2, "name": "bob", "n": 2}]);
        api.done("t", json!({"insertMany": {"documents": rows}}))
            .await;
        for filter in [
            json!({"name": "ANN"}),
            json!({"name": "ANN", "n": 1}),
            json!({"name": {"$in": ["ANN", "x"]}}),
            json!({"$or": [{"name": "ANN"}, {"n": 7}]}),
            json!({"id": 1, "name": "ANN"}),
            json!({"name": {"$ne": "BOB"}}),
        ] {
            let found = api.find_all("t", &filter).await;
            assert_eq!(found, [json!({"id": 1, "name": "Ann", "n": 1})], "{filter}");
        }
    });
}
