//! The order of values, as Cassandra has it.

use std::cmp::Ordering;
use std::net::IpAddr;

use num_bigint::BigInt;
use scylla::value::{CqlTimeuuid, CqlValue};
use uuid::Uuid;

use crate::data_api::json::Decimal;

/// Compares two values of one type; `None` for types without an order.
pub fn compare(left: &CqlValue, right: &CqlValue) -> Option<Ordering> {
    Some(match (left, right) {
        (CqlValue::Text(left), CqlValue::Text(right))
        | (CqlValue::Ascii(left), CqlValue::Ascii(right)) => left.cmp(right),
        (CqlValue::Boolean(left), CqlValue::Boolean(right)) => left.cmp(right),
        (CqlValue::TinyInt(left), CqlValue::TinyInt(right)) => left.cmp(right),
        (CqlValue::SmallInt(left), CqlValue::SmallInt(right)) => left.cmp(right),
        (CqlValue::Int(left), CqlValue::Int(right)) => left.cmp(right),
        (CqlValue::BigInt(left), CqlValue::BigInt(right)) => left.cmp(right),
        (CqlValue::Counter(left), CqlValue::Counter(right)) => left.0.cmp(&right.0),
        (CqlValue::Varint(left), CqlValue::Varint(right)) => {
            let [left, right] = [left, right]
                .map(|number| BigInt::from_signed_bytes_be(number.as_signed_bytes_be_slice()));
            left.cmp(&right)
        }
        (CqlValue::Decimal(left), CqlValue::Decimal(right)) => {
            Decimal::from_cql(left).cmp_value(&Decimal::from_cql(right))
        }
        (CqlValue::Float(left), CqlValue::Float(right)) => left.total_cmp(right),
        (CqlValue::Double(left), CqlValue::Double(right)) => left.total_cmp(right),
        (CqlValue::Blob(left), CqlValue::Blob(right)) => left.cmp(right),
        (CqlValue::Date(left), CqlValue::Date(right)) => left.0.cmp(&right.0),
        (CqlValue::Time(left), CqlValue::Time(right)) => left.0.cmp(&right.0),
        (CqlValue::Timestamp(left), CqlValue::Timestamp(right)) => left.0.cmp(&right.0),
        (CqlValue::Timeuuid(left), CqlValue::Timeuuid(right)) => left.cmp(right),
        (CqlValue::Uuid(left), CqlValue::Uuid(right)) => compare_uuids(left, right),
        (CqlValue::Inet(left), CqlValue::Inet(right)) => octets(left).cmp(&octets(right)),
        _ => return None,
    })
}

/// By version; those of version 1 by time; then by their bytes.
fn compare_uuids(left: &Uuid, right: &Uuid) -> Ordering {
    let version = |uuid: &Uuid| uuid.get_version_num();
    let versions = version(left).cmp(&version(right));
    versions.then_with(|| match version(left) {
        1 => CqlTimeuuid::from(*left).cmp(&CqlTimeuuid::from(*right)),
        _ => left.as_bytes().cmp(right.as_bytes()),
    })
}

fn octets(address: &IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Returns whether two values are equal: by their order, or else member by member.
pub fn is_equal(left: &CqlValue, right: &CqlValue) -> bool {
    compare(left, right).map_or_else(|| left == right, Ordering::is_eq)
}
