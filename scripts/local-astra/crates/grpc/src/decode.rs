//! Conversion of Cassandra's bytes to a value in a response, the inverse of [`super::encode`].

use std::collections::HashMap;

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use tonic::Code;

use super::error::GrpcError;
use super::proto::stargate::value::{Inner, Null};
use super::proto::stargate::{Collection, Decimal, Duration, Inet, UdtValue, Uuid, Value, Varint};
use super::type_spec;
use store::values;

/// Returns the value of a cell; null if there are no bytes.
///
/// # Errors
/// UNIMPLEMENTED for a type without a value in the protocol, UNKNOWN for bytes that are invalid for the type.
pub fn value(bytes: Option<&[u8]>, typ: &ColumnType) -> Result<Value, GrpcError> {
    let inner = match bytes {
        None => Inner::Null(Null {}),
        Some(bytes) => not_null(bytes, typ)?,
    };
    Ok(Value { inner: Some(inner) })
}

fn not_null(bytes: &[u8], whole: &ColumnType) -> Result<Inner, GrpcError> {
    let mut rest = bytes;
    match whole {
        ColumnType::Native(typ) => native(bytes, typ),
        ColumnType::Collection { typ, .. } => {
            let count = take_int(&mut rest)?;
            let mut elements = Vec::new();
            for _ in 0..count {
                match typ {
                    CollectionType::List(typ) | CollectionType::Set(typ) => {
                        elements.push(value(take_field(&mut rest)?, typ)?);
                    }
                    CollectionType::Map(key, val) => {
                        elements.push(value(take_field(&mut rest)?, key)?);
                        elements.push(value(take_field(&mut rest)?, val)?);
                    }
                    // The enum is open.
                    _ => return Err(type_spec::unsupported(whole)),
                }
            }
            Ok(Inner::Collection(Collection { elements }))
        }
        ColumnType::Tuple(types) => {
            // A tuple that was stored with fewer fields is returned with fewer.
            let mut elements = Vec::new();
            for typ in types {
                if rest.is_empty() {
                    break;
                }
                elements.push(value(take_field(&mut rest)?, typ)?);
            }
            Ok(Inner::Collection(Collection { elements }))
        }
        ColumnType::UserDefinedType { definition, .. } => {
            // Fields that were added to the type later are missing.
            let mut fields = HashMap::new();
            for (name, typ) in &definition.field_types {
                if rest.is_empty() {
                    break;
                }
                fields.insert(name.to_string(), value(take_field(&mut rest)?, typ)?);
            }
            Ok(Inner::Udt(UdtValue { fields }))
        }
        _ => Err(type_spec::unsupported(whole)),
    }
}

fn native(bytes: &[u8], typ: &NativeType) -> Result<Inner, GrpcError> {
    if bytes.is_empty()
        && let Some(refusal) = values::refusal(typ)
    {
        return Err(GrpcError::Refused(
            Code::Unknown,
            format!("UNKNOWN: {refusal}"),
        ));
    }
    Ok(match typ {
        NativeType::TinyInt => Inner::Int(i8::from_be_bytes(number(bytes)?).into()),
        NativeType::SmallInt => Inner::Int(i16::from_be_bytes(number(bytes)?).into()),
        NativeType::Int => Inner::Int(i32::from_be_bytes(number(bytes)?).into()),
        NativeType::BigInt | NativeType::Counter | NativeType::Timestamp => {
            Inner::Int(i64::from_be_bytes(number(bytes)?))
        }
        NativeType::Ascii | NativeType::Text => {
            let text = std::str::from_utf8(bytes).map_err(unreadable)?;
            Inner::String(text.to_owned())
        }
        NativeType::Boolean => Inner::Boolean(number::<1>(bytes)? != [0]),
        NativeType::Float => Inner::Float(f32::from_be_bytes(number(bytes)?)),
        NativeType::Double => Inner::Double(f64::from_be_bytes(number(bytes)?)),
        NativeType::Blob => Inner::Bytes(bytes.to_vec()),
        NativeType::Uuid | NativeType::Timeuuid if bytes.len() == 16 => Inner::Uuid(Uuid {
            value: bytes.to_vec(),
        }),
        NativeType::Inet if matches!(bytes.len(), 4 | 16) => Inner::Inet(Inet {
            value: bytes.to_vec(),
        }),
        NativeType::Date => Inner::Date(u32::from_be_bytes(number(bytes)?)),
        NativeType::Time => Inner::Time(u64::from_be_bytes(number(bytes)?)),
        NativeType::Varint if !bytes.is_empty() => Inner::Varint(Varint {
            value: bytes.to_vec(),
        }),
        NativeType::Decimal => {
            let mut rest = bytes;
            let scale = take::<4>(&mut rest)?;
            Inner::Decimal(Decimal {
                scale: u32::from_be_bytes(scale),
                value: rest.to_vec(),
            })
        }
        NativeType::Duration => {
            let mut rest = bytes;
            let mut part = || take_vint(&mut rest);
            let narrow = |n: i64| i32::try_from(n).map_err(unreadable);
            Inner::Duration(Duration {
                months: narrow(part()?)?,
                days: narrow(part()?)?,
                nanos: part()?,
            })
        }
        NativeType::Uuid | NativeType::Timeuuid | NativeType::Inet | NativeType::Varint => {
            return Err(unreadable(format!("{} bytes", bytes.len())));
        }
        // The enum is open.
        _ => return Err(type_spec::unsupported(&ColumnType::Native(typ.clone()))),
    })
}

fn unreadable(cause: impl std::fmt::Display) -> GrpcError {
    GrpcError::Refused(
        Code::Unknown,
        format!("cannot read a stored value: {cause}"),
    )
}

/// Reads a number of fixed size. Cassandra also stores numbers without any bytes, which are read as zero.
fn number<const N: usize>(bytes: &[u8]) -> Result<[u8; N], GrpcError> {
    if bytes.is_empty() {
        return Ok([0; N]);
    }
    bytes.try_into().map_err(unreadable)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], GrpcError> {
    let (taken, after) = rest
        .split_first_chunk()
        .ok_or_else(|| unreadable("it ends too early"))?;
    *rest = after;
    Ok(*taken)
}

fn take_int(rest: &mut &[u8]) -> Result<i32, GrpcError> {
    Ok(i32::from_be_bytes(take(rest)?))
}

/// Reads bytes with their length; a negative length means null.
fn take_field<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, GrpcError> {
    let Ok(length) = usize::try_from(take_int(rest)?) else {
        return Ok(None);
    };
    let (taken, after) = rest
        .split_at_checked(length)
        .ok_or_else(|| unreadable("it ends too early"))?;
    *rest = after;
    Ok(Some(taken))
}

/// Reads a variable-length integer of the native protocol, zigzag.
fn take_vint(rest: &mut &[u8]) -> Result<i64, GrpcError> {
    let [first] = take(rest)?;
    let extra = first.leading_ones();
    let mut n = u64::from(first & 0xffu8.checked_shr(extra).unwrap_or(0));
    for _ in 0..extra {
        let [next] = take(rest)?;
        n = (n << 8) | u64::from(next);
    }
    Ok((n >> 1).cast_signed() ^ -(n & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;

    /// The bytes of durations in Cassandra's format: zigzag, with one leading bit per byte that follows.
    #[test]
    fn a_duration_goes_both_ways() {
        for (months, days, nanos, bytes) in [
            (0, 0, 0, &[0, 0, 0][..]),
            (1, 2, 3, &[2, 4, 6]),
            (-1, -2, -3, &[1, 3, 5]),
            (63, 64, 8192, &[126, 0x80, 128, 0xC0, 0x40, 0]),
            (
                i32::MAX,
                i32::MIN,
                i64::MIN,
                &[
                    0xF0, 0xFF, 0xFF, 0xFF, 0xFE, 0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                ],
            ),
        ] {
            let duration = Value {
                inner: Some(Inner::Duration(Duration {
                    months,
                    days,
                    nanos,
                })),
            };
            let typ = ColumnType::Native(NativeType::Duration);
            let written = encode::value(&duration, &typ).unwrap().unwrap();
            assert_eq!(written, bytes);
            assert_eq!(value(Some(&written), &typ).unwrap(), duration);
        }
    }

    #[test]
    fn bytes_that_end_too_early_are_refused() {
        let list = ColumnType::Collection {
            frozen: false,
            typ: CollectionType::List(Box::new(ColumnType::Native(NativeType::Int))),
        };
        for bytes in [
            &[][..],
            &[0, 0, 0],
            &[0, 0, 0, 1],
            &[0, 0, 0, 1, 0, 0, 0, 4, 0],
            &[0x7f, 0xff, 0xff, 0xff],
        ] {
            let error = value(Some(bytes), &list).unwrap_err();
            assert_eq!(error.code(), Code::Unknown, "{bytes:?}");
        }
    }

    #[test]
    fn a_number_without_bytes_reads_as_zero() {
        for typ in [NativeType::Int, NativeType::BigInt, NativeType::TinyInt] {
            let read = value(Some(&[]), &ColumnType::Native(typ)).unwrap();
            assert_eq!(read.inner, Some(Inner::Int(0)));
        }
        let boolean = ColumnType::Native(NativeType::Boolean);
        let read = value(Some(&[]), &boolean).unwrap();
        assert_eq!(read.inner, Some(Inner::Boolean(false)));
        for typ in [NativeType::Uuid, NativeType::Inet, NativeType::Decimal] {
            let refused = value(Some(&[]), &ColumnType::Native(typ)).unwrap_err();
            assert_eq!(refused.code(), Code::Unknown);
        }
    }
}
