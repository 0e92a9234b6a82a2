//! Random rows of every type: they come back equal, and filters find them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bigdecimal::BigDecimal;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::super::DataApi;
use crate::astra::block_on;

const SCALARS: [&str; 18] = [
    "ascii",
    "bigint",
    "blob",
    "boolean",
    "date",
    "decimal",
    "double",
    "duration",
    "float",
    "inet",
    "int",
    "smallint",
    "text",
    "time",
    "timestamp",
    "tinyint",
    "uuid",
    "varint",
];

/// A number with these digits.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn integer<T: ToString>(value: T) -> Value {
    number(&value.to_string())
}

fn day() -> impl Strategy<Value = String> {
    (1_i32..9999, 1_u32..=12, 1_u32..=28)
        .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"))
}

/// A fraction of a second with 3, 6 or 9 digits, or none.
fn fraction(digits: usize) -> impl Strategy<Value = String> {
    (0_usize..=digits / 3, 1_u32..1000).prop_map(|(groups, last)| match groups {
        0 => String::new(),
        groups => format!(".{}{last:03}", "012".repeat(groups - 1)),
    })
}

/// A text of any characters but those that JSON texts cannot hold.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), Just("'quoted' \"text\"; --".to_owned())]
}

fn double() -> impl Strategy<Value = Value> {
    let finite = any::<f64>().prop_filter("finite", |value| value.is_finite());
    prop_oneof![
        8 => finite.prop_map(|value| number(&format!("{value:e}"))),
        1 => prop_oneof![Just(json!("NaN")), Just(json!("Infinity")), Just(json!("-Infinity"))],
    ]
}

fn float() -> impl Strategy<Value = Value> {
    let finite = any::<f32>().prop_filter("finite", |value| value.is_finite());
    finite.prop_map(|value| number(&format!("{value:e}")))
}

/// A duration in its normal form.
fn duration() -> impl Strategy<Value = Value> {
    let clock = (1_u32..24, 1_u32..60, 1_u32..60);
    (1_u32..100, 1_u32..12, 1_u32..400, clock, any::<bool>()).prop_map(
        |(years, months, days, (hours, minutes, seconds), negative)| {
            let sign = if negative { "-" } else { "" };
            json!(format!(
                "{sign}P{years}Y{months}M{days}DT{hours}H{minutes}M{seconds}S"
            ))
        },
    )
}

fn decimal() -> impl Strategy<Value = Value> {
    (any::<i64>(), 0_usize..25).prop_map(|(digits, scale)| number(&format!("{digits}e-{scale}")))
}

fn scalar(typ: &str) -> BoxedStrategy<Value> {
    match typ {
        "ascii" => "[ -~]{0,20}".prop_map(Value::String).boxed(),
        "bigint" => any::<i64>().prop_map(integer).boxed(),
        "blob" => {
            let bytes = vec(any::<u8>(), 1..40);
            bytes
                .prop_map(|bytes| json!({"$binary": STANDARD.encode(bytes)}))
                .boxed()
        }
        "boolean" => any::<bool>().prop_map(Value::Bool).boxed(),
        "date" => day().prop_map(Value::String).boxed(),
        "decimal" => decimal().boxed(),
        "double" => double().boxed(),
        "duration" => duration().boxed(),
        "float" => float().boxed(),
        "inet" => prop_oneof![
            any::<u32>().prop_map(|bits| json!(Ipv4Addr::from_bits(bits).to_string())),
            (1_u16.., vec(any::<u16>(), 7)).prop_map(|(first, rest)| {
                let mut groups = vec![format!("{:x}", first | 0x2000)];
                groups.extend(rest.iter().map(|group| format!("{group:x}")));
                assert!(groups.join(":").parse::<Ipv6Addr>().is_ok());
                json!(groups.join(":"))
            }),
        ]
        .boxed(),
        "int" => any::<i32>().prop_map(integer).boxed(),
        "smallint" => any::<i16>().prop_map(integer).boxed(),
        "text" => text().prop_map(Value::String).boxed(),
        "time" => (0_u32..24, 0_u32..60, 1_u32..60, fraction(9))
            .prop_map(|(h, m, s, fraction)| json!(format!("{h:02}:{m:02}:{s:02}{fraction}")))
            .boxed(),
        "timestamp" => (day(), 0_u32..24, 0_u32..60, 0_u32..60, fraction(3))
            .prop_map(|(day, h, m, s, fraction)| {
                json!(format!("{day}T{h:02}:{m:02}:{s:02}{fraction}Z"))
            })
            .boxed(),
        "tinyint" => any::<i8>().prop_map(integer).boxed(),
        "uuid" => any::<u128>()
            .prop_map(|bits| json!(uuid::Uuid::from_u128(bits).to_string()))
            .boxed(),
        "varint" => (any::<i128>(), any::<u64>())
            .prop_map(|(high, low)| number(&format!("{high}{low:020}")))
            .boxed(),
        other => panic!("{other}"),
    }
}

/// A row without its key. Collections are as Cassandra sorts them.
fn row() -> impl Strategy<Value = Map<String, Value>> {
    let scalars: Vec<BoxedStrategy<Value>> = SCALARS.iter().map(|typ| scalar(typ)).collect();
    let collections = (
        vec(any::<i32>(), 1..5),
        btree_set(text(), 1..5),
        btree_map(text(), any::<i32>(), 1..5),
        btree_map(any::<i32>(), text(), 1..5),
        vec(float(), 3),
        (text(), any::<i32>()),
    );
    (scalars, collections).prop_map(|(scalars, collections)| {
        let (list, set, map, other_map, vector, (street, no)) = collections;
        let set: BTreeSet<String> = set;
        let (map, other_map): (BTreeMap<String, i32>, BTreeMap<i32, String>) = (map, other_map);
        let scalars = SCALARS.iter().map(|typ| format!("c_{typ}")).zip(scalars);
        let mut row: Map<String, Value> = scalars.collect();
        row.insert("list".into(), json!(list));
        row.insert("set".into(), json!(set));
        row.insert("map".into(), json!(map));
        let pairs: Vec<Value> = other_map
            .iter()
            .map(|(key, value)| json!([key, value]))
            .collect();
        row.insert("pairs".into(), json!(pairs));
        row.insert("vector".into(), json!(vector));
        row.insert("udt".into(), json!({"street": street, "no": no}));
        row
    })
}

async fn table(api: &DataApi) {
    let fields = json!({"street": "text", "no": "int"});
    let typ = json!({"createType": {"name": "addr", "definition": {"fields": fields}}});
    api.done("", typ).await;
    let mut columns = Map::from_iter([("id".to_owned(), json!("int"))]);
    columns.extend(SCALARS.iter().map(|typ| (format!("c_{typ}"), json!(typ))));
    for (name, typ) in [
        ("list", json!({"type": "list", "valueType": "int"})),
        ("set", json!({"type": "set", "valueType": "text"})),
        (
            "map",
            json!({"type": "map", "keyType": "text", "valueType": "int"}),
        ),
        (
            "pairs",
            json!({"type": "map", "keyType": "int", "valueType": "text"}),
        ),
        ("vector", json!({"type": "vector", "dimension": 3})),
        ("udt", json!({"type": "userDefined", "udtName": "addr"})),
    ] {
        columns.insert(name.to_owned(), typ);
    }
    api.create_table("t", Value::Object(columns), json!("id"))
        .await;
    for typ in [
        "int",
        "text",
        "decimal",
        "timestamp",
        "uuid",
        "boolean",
        "double",
        "inet",
    ] {
        api.create_index("t", &format!("t_{typ}"), json!(format!("c_{typ}")))
            .await;
    }
    api.create_index("t", "t_set", json!("set")).await;
    api.create_index("t", "t_pairs", json!({"pairs": "$keys"}))
        .await;
}

/// Compares numbers by value: of floats as floats, of others as decimals.
fn is_equal(column: &str, sent: &Value, found: &Value) -> bool {
    match (sent, found) {
        (Value::Number(sent), Value::Number(found)) => {
            let (sent, found) = (sent.as_str(), found.as_str());
            match column {
                "c_double" => sent.parse::<f64>() == found.parse::<f64>(),
                "c_float" | "vector" => sent.parse::<f32>() == found.parse::<f32>(),
                _ => sent.parse::<BigDecimal>().unwrap() == found.parse::<BigDecimal>().unwrap(),
            }
        }
        (Value::Array(sent), Value::Array(found)) => {
            let mut pairs = sent.iter().zip(found);
            sent.len() == found.len() && pairs.all(|(sent, found)| is_equal(column, sent, found))
        }
        (Value::Object(sent), Value::Object(found)) => {
            let same = |(name, sent): (&String, &Value)| {
                found
                    .get(name)
                    .is_some_and(|found| is_equal(column, sent, found))
            };
            sent.len() == found.len() && sent.iter().all(same)
        }
        (sent, found) => sent == found,
    }
}

#[test]
fn a_row_of_every_type_comes_back_equal_and_filters_find_it() {
    let api = DataApi::new();
    block_on(table(&api));
    let config = ProptestConfig {
        cases: 40,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let checked = runner.run(&(any::<i32>(), row()), |(id, row)| {
        block_on(check(&api, id, row));
        Ok(())
    });
    checked.unwrap();
}

async fn check(api: &DataApi, id: i32, row: Map<String, Value>) {
    let mut sent = row.clone();
    sent.insert("id".into(), json!(id));
    let inserted = api
        .done("t", json!({"insertOne": {"document": sent}}))
        .await;
    assert_eq!(inserted["status"]["insertedIds"], json!([[id]]));
    let found = api
        .done("t", json!({"findOne": {"filter": {"id": id}}}))
        .await;
    let found = found["data"]["document"].as_object().unwrap();
    assert_eq!(found.len(), sent.len(), "{sent:?} {found:?}");
    for (column, sent) in &sent {
        let found = &found[column];
        assert!(
            is_equal(column, sent, found),
            "{column}: {sent} came back as {found}"
        );
    }
    let scalars = || row.iter().filter(|(column, _)| column.starts_with("c_"));
    let mut equal: Map<String, Value> = scalars()
        .map(|(column, value)| (column.clone(), value.clone()))
        .collect();
    equal.insert("list".into(), json!({"$all": row["list"]}));
    equal.insert("set".into(), json!({"$in": [row["set"][0]]}));
    let (key, value) = row["map"].as_object().unwrap().iter().next().unwrap();
    equal.insert(
        "map".into(),
        json!({"$in": [[key, value]], "$values": {"$in": [value]}}),
    );
    equal.insert(
        "pairs".into(),
        json!({"$keys": {"$all": [row["pairs"][0][0]]}}),
    );
    // Once by the indexes, once by the key.
    for with_key in [false, true] {
        let mut filter = equal.clone();
        if with_key {
            filter.insert("id".into(), json!(id));
        }
        let find = json!({"find": {"filter": filter, "projection": {"id": 1}}});
        let found = api.done("t", find).await;
        assert_eq!(
            found["data"]["documents"],
            json!([{"id": id}]),
            "{filter:?}"
        );
    }
    let different = scalars().map(|(column, value)| match value {
        // The operators take no value in an object.
        Value::Object(_) => json!({"$not": {column: value}}),
        value => json!({column: {"$nin": [value]}}),
    });
    let filter = json!({"id": id, "$or": different.collect::<Vec<Value>>()});
    let found = api.done("t", json!({"find": {"filter": filter}})).await;
    assert_eq!(found["data"]["documents"], json!([]), "{filter}");
}
