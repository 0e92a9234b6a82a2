//! The order of values, as Cassandra has it.

use std::cmp::Ordering;
use std::net::IpAddr;

use num_bigint::BigInt;
use scylla::value::{CqlTimeuuid, CqlValue};
use uuid::Uuid;

use crate::json::Decimal;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_the_order_of_the_database() {
        let uuid = |text: &str| CqlValue::Uuid(text.parse().unwrap());
        let address = |text: &str| CqlValue::Inet(text.parse().unwrap());
        for (less, more) in [
            (
                CqlValue::Text("B".to_owned()),
                CqlValue::Text("a".to_owned()),
            ),
            (CqlValue::Boolean(false), CqlValue::Boolean(true)),
            (CqlValue::Int(-1), CqlValue::Int(0)),
            (CqlValue::Double(1.0), CqlValue::Double(f64::NAN)),
            (CqlValue::Blob(vec![1]), CqlValue::Blob(vec![1, 0])),
            (address("10.0.0.1"), address("200.0.0.1")),
            // Version 1 by time, before version 4.
            (
                uuid("ffffffff-0000-1000-8000-000000000000"),
                uuid("00000000-0001-1000-8000-000000000000"),
            ),
            (
                uuid("ffffffff-ffff-1fff-8000-000000000000"),
                uuid("00000000-0000-4000-8000-000000000000"),
            ),
        ] {
            assert_eq!(
                compare(&less, &more),
                Some(Ordering::Less),
                "{less:?} {more:?}"
            );
            assert_eq!(compare(&more, &less), Some(Ordering::Greater));
            assert!(is_equal(&less, &less) && !is_equal(&less, &more));
        }
        let list = CqlValue::List(vec![CqlValue::Int(1)]);
        assert_eq!(compare(&list, &list), None);
        assert!(is_equal(&list, &list));
    }
}
