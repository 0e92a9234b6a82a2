//! The size limit of the bridge behind Stargate's HTTP services. Each statement and each page of rows is one gRPC message.
//! gRPC for Java accepts messages of up to 4 MiB, and Stargate keeps that default.

use scylla::value::CqlValue;

use store::{Code, Rows, StoreError};

/// Maximum size of a message, in bytes.
const LIMIT: usize = 4 * 1024 * 1024;
/// Approximate size of the rest of a message: consistency, page size.
const PARAMETERS: usize = 16;

/// Checks the size of a statement with its values.
///
/// # Errors
/// [`Code::ResourceExhausted`]
pub fn check_statement(cql: &str, values: &[Option<CqlValue>]) -> Result<(), StoreError> {
    check(statement(cql, values) + PARAMETERS)
}

/// Size of a batch, which is checked while its statements are collected.
pub struct BatchSize(usize);

impl Default for BatchSize {
    fn default() -> BatchSize {
        BatchSize(PARAMETERS)
    }
}

impl BatchSize {
    /// Adds a statement with its values.
    ///
    /// # Errors
    /// [`Code::ResourceExhausted`] if the batch has become too large.
    pub fn add(&mut self, cql: &str, values: &[Option<CqlValue>]) -> Result<(), StoreError> {
        self.0 += field(statement(cql, values));
        check(self.0)
    }
}

/// Checks the size of a page of rows.
///
/// # Errors
/// [`Code::ResourceExhausted`]
pub fn check_rows(rows: &Rows) -> Result<(), StoreError> {
    let sizes = rows.rows.iter().map(|row| field(values(row)));
    check(sizes.sum())
}

fn check(size: usize) -> Result<(), StoreError> {
    if size <= LIMIT {
        return Ok(());
    }
    let message = format!("gRPC message exceeds maximum size {LIMIT}: {size}");
    Err(StoreError::new(Code::ResourceExhausted, message))
}

fn statement(cql: &str, bound: &[Option<CqlValue>]) -> usize {
    field(cql.len()) + field(values(bound))
}

fn values(values: &[Option<CqlValue>]) -> usize {
    let sizes = values
        .iter()
        .map(|bound| field(bound.as_ref().map_or(NULL, value)));
    sizes.sum()
}

/// Size of a null, which is an empty field.
const NULL: usize = 2;

/// Returns the size of a value as a field of a message, including its tag.
fn value(given: &CqlValue) -> usize {
    let all = |items: &[CqlValue]| field(items.iter().map(|item| field(value(item))).sum());
    match given {
        CqlValue::Ascii(text) | CqlValue::Text(text) => field(text.len()),
        CqlValue::Blob(bytes) => field(bytes.len()),
        CqlValue::Boolean(_) => 2,
        CqlValue::Float(_) => 5,
        CqlValue::Double(_) => 9,
        CqlValue::TinyInt(int) => signed(i64::from(*int)),
        CqlValue::SmallInt(int) => signed(i64::from(*int)),
        CqlValue::Int(int) => signed(i64::from(*int)),
        CqlValue::BigInt(int) => signed(*int),
        CqlValue::Counter(counter) => signed(counter.0),
        CqlValue::Timestamp(timestamp) => signed(timestamp.0),
        CqlValue::Time(time) => 1 + varint(time.0.unsigned_abs()),
        CqlValue::Date(date) => 1 + varint(u64::from(date.0)),
        CqlValue::Uuid(_) | CqlValue::Timeuuid(_) => field(field(16)),
        CqlValue::Inet(address) => field(field(if address.is_ipv4() { 4 } else { 16 })),
        CqlValue::Varint(number) => field(field(number.as_signed_bytes_be_slice().len())),
        CqlValue::Decimal(number) => {
            let (digits, scale) = number.as_signed_be_bytes_slice_and_exponent();
            field(1 + varint(u64::from(scale.cast_unsigned())) + field(digits.len()))
        }
        CqlValue::Duration(duration) => field(
            signed(i64::from(duration.months))
                + signed(i64::from(duration.days))
                + signed(duration.nanoseconds),
        ),
        CqlValue::List(items) | CqlValue::Set(items) | CqlValue::Vector(items) => all(items),
        CqlValue::Tuple(items) => field(values(items)),
        CqlValue::Map(entries) => field(
            entries
                .iter()
                .map(|(key, item)| field(value(key)) + field(value(item)))
                .sum(),
        ),
        CqlValue::UserDefinedType { fields, .. } => field(
            fields
                .iter()
                .map(|(name, item)| {
                    field(field(name.len()) + field(item.as_ref().map_or(NULL, value)))
                })
                .sum(),
        ),
        _ => NULL,
    }
}

/// Returns the size of a field with this many bytes, including its tag and its length.
fn field(length: usize) -> usize {
    1 + varint(length as u64) + length
}

fn signed(int: i64) -> usize {
    let zigzag = (int << 1) ^ (int >> 63);
    1 + varint(zigzag.cast_unsigned())
}

fn varint(mut int: u64) -> usize {
    let mut bytes = 1;
    while int >= 0x80 {
        int >>= 7;
        bytes += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Vec<Option<CqlValue>> {
        vec![Some(CqlValue::Text("x".repeat(length))), None]
    }

    #[test]
    fn a_message_has_at_most_four_mebibytes() {
        let cql = "INSERT INTO ks.t (a, b) VALUES (?, ?)";
        let overhead = PARAMETERS + field(cql.len()) + 3 * 5 + NULL + 2;
        let most = LIMIT - overhead;
        assert!(check_statement(cql, &text(most)).is_ok());
        let refused = check_statement(cql, &text(most + 1)).unwrap_err();
        assert_eq!(refused.code, Code::ResourceExhausted);
        let expected = "gRPC message exceeds maximum size 4194304: 4194305";
        assert_eq!(refused.message, expected);
        let halves = [text(LIMIT / 2), text(LIMIT / 2)];
        assert!(check_statement(cql, &halves[0]).is_ok());
        let mut size = BatchSize::default();
        assert!(size.add(cql, &halves[0]).is_ok());
        assert!(size.add(cql, &halves[1]).is_err());
        let mut rows = Rows {
            rows: vec![text(LIMIT / 2)],
            ..Rows::default()
        };
        assert!(check_rows(&rows).is_ok());
        rows.rows.push(text(LIMIT / 2));
        assert!(check_rows(&rows).is_err());
    }

    #[test]
    fn values_have_the_size_that_protocol_buffers_give_them() {
        for (given, wanted) in [
            (CqlValue::Int(0), 2),
            (CqlValue::Int(-64), 2),
            (CqlValue::Int(64), 3),
            (CqlValue::BigInt(i64::MIN), 11),
            (CqlValue::Text(String::new()), 2),
            (CqlValue::Text("x".repeat(127)), 129),
            (CqlValue::Text("x".repeat(128)), 131),
            (
                CqlValue::List(vec![CqlValue::Int(1), CqlValue::Int(2)]),
                2 + 2 * 4,
            ),
            (
                CqlValue::Map(vec![(CqlValue::Int(1), CqlValue::Boolean(true))]),
                2 + 4 + 4,
            ),
            (CqlValue::Tuple(vec![None]), 2 + 2 + NULL),
        ] {
            assert_eq!(value(&given), wanted, "{given:?}");
        }
    }
}
