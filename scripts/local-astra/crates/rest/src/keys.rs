//! A primary key in the path: `/keyspaces/{keyspace}/{table}/{key}/{key}…`.

use axum::http::Uri;
use scylla::value::CqlValue;

use super::error::RestError;
use bridge::decoded;
use store::cql::{self, Expression};
use store::values::{Maps, from_text};
use store::{Column, Table};

/// Returns the decoded segments after the table. A segment ends at an unencoded `;`, which starts matrix parameters.
pub fn segments(uri: &Uri) -> Vec<String> {
    let path = uri.path().trim_end_matches('/');
    // "", "keyspaces", the keyspace and the table come first.
    path.split('/')
        .skip(4)
        .map(|segment| decoded(segment.split(';').next().unwrap_or_default()))
        .collect()
}

/// Returns the decoded keyspace and table.
pub fn table(uri: &Uri) -> (String, String) {
    let mut segments = uri.path().split('/').skip(2).map(decoded);
    let keyspace = segments.next().unwrap_or_default();
    (keyspace, segments.next().unwrap_or_default())
}

/// Returns the conditions of a key in the path, which must contain at least the whole partition key.
///
/// # Errors
/// 400 for too few or too many values, and for a value that does not fit its column.
pub fn conditions(
    table: &Table,
    keys: &[String],
    maps: Maps,
) -> Result<Vec<Expression>, RestError> {
    let partition = table.partition_key().count();
    let clustering = table.clustering_key().count();
    if keys.len() < partition {
        return Err(RestError::BadRequest(format!(
            "Number of key values provided ({}) less than number of partition keys ({partition})",
            keys.len()
        )));
    }
    if keys.len() > partition + clustering {
        return Err(RestError::BadRequest(format!(
            "Number of key values provided ({}) exceeds number of partition keys ({partition}) and clustering keys ({clustering})",
            keys.len()
        )));
    }
    let columns = table.partition_key().chain(table.clustering_key());
    columns
        .zip(keys)
        .map(|(column, key)| {
            let value = value(table, column, key, maps)?;
            Ok(cql::equal(&column.name, value))
        })
        .collect()
}

fn value(table: &Table, column: &Column, key: &str, maps: Maps) -> Result<CqlValue, RestError> {
    from_text(key, &column.typ, maps)
        .map_err(|error| RestError::value(&table.name, &column.name, &error))
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::events;
    use super::*;

    fn refused(keys: &[&str]) -> String {
        let keys: Vec<String> = keys.iter().map(|k| (*k).to_owned()).collect();
        conditions(&events(), &keys, Maps::Compact)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn segments_are_decoded_one_by_one() {
        for (path, wanted) in [
            ("/keyspaces/ks/t/a/b", vec!["a", "b"]),
            ("/keyspaces/ks/t/a%2Fb/c%20d", vec!["a/b", "c d"]),
            ("/keyspaces/ks/t/a+b/%E2%82%AC", vec!["a+b", "€"]),
            ("/keyspaces/ks/t/a;x=1/b%3Bc", vec!["a", "b;c"]),
            ("/keyspaces/ks/t/a//b/", vec!["a", "", "b"]),
            ("/keyspaces/k%2Fs/t/'it''s'", vec!["'it''s'"]),
        ] {
            assert_eq!(segments(&path.parse().unwrap()), wanted, "{path}");
        }
    }

    #[test]
    fn a_key_has_at_least_the_partition() {
        let two = ["a".to_owned(), "7".to_owned()];
        let conditions = conditions(&events(), &two, Maps::Compact).unwrap();
        assert_eq!(
            conditions,
            [
                cql::equal("day", CqlValue::Text("a".into())),
                cql::equal("at", CqlValue::Int(7)),
            ]
        );
        assert_eq!(
            refused(&[]),
            "Number of key values provided (0) less than number of partition keys (1)"
        );
        assert_eq!(
            refused(&["a", "1", "x"]),
            "Number of key values provided (3) exceeds number of partition keys (1) and clustering keys (1)"
        );
        assert_eq!(
            refused(&["a", "x"]),
            "Failed to deserialize field 'events.at', problem: Invalid String value ('x'): not valid \
             representation/value for target protobuf type: TypeSpec.Basic.INT"
        );
    }
}
