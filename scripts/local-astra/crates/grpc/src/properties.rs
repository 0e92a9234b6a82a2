//! No message of a client brings the readers of gRPC down.

use proptest::prelude::*;
use prost::Message;
use prost::encoding::encode_varint;

use super::proto::stargate::{Batch, Query, Value};
use super::{decode, encode, options, query};
use store::types::built_in;

/// The keys of the fields that nest values: the collection of a value, and its elements.
const COLLECTION: u8 = 13 << 3 | 2;
const ELEMENT: u8 = 1 << 3 | 2;

/// A value within collections within each other.
fn nested(innermost: Vec<u8>, times: usize) -> Vec<u8> {
    (0..times * 2).fold(innermost, |inner, n| {
        let mut outer = vec![[ELEMENT, COLLECTION][n % 2]];
        encode_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        outer
    })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let any = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        any(),
        (any(), 0..1_500_usize).prop_map(|(inner, times)| nested(inner, times))
    ]
}

const TYPES: [&str; 5] = [
    "int",
    "list<frozen<list<int>>>",
    "map<text, decimal>",
    "tuple<int, text>",
    "inet",
];

#[test]
fn any_bytes_are_a_message_or_refused() {
    let types = TYPES.map(|text| built_in(text).unwrap());
    hostile::survives(bytes, move |bytes| {
        if let Ok(value) = Value::decode(&*bytes) {
            for typ in &types {
                let _ = encode::value(&value, typ);
            }
        }
        if let Ok(query) = Query::decode(&*bytes) {
            let _ = query
                .parameters
                .map(|given| options::QueryOptions::of_query(&given));
        }
        let _ = Batch::decode(&*bytes);
    });
}

#[test]
fn any_bytes_of_a_cell_are_a_value_or_refused() {
    let types = TYPES.map(|text| built_in(text).unwrap());
    hostile::survives(
        || prop::collection::vec(any::<u8>(), 0..100),
        move |bytes| {
            for typ in &types {
                let _ = decode::value(Some(&bytes), typ);
            }
        },
    );
}

#[test]
fn any_statement_is_looked_at() {
    const CQL: &[&str] = &[
        "INSERT ", "IF ", "BEGIN ", "\"", "'", "$$", "/*", "--", "(", "é", ";",
    ];
    hostile::survives(
        || hostile::texts(CQL),
        |cql| {
            let _ = query::unfit_serial(&cql);
        },
    );
}
