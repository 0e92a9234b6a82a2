//! Cassandra's empty values: zero bytes for a type that normally has some, as `blob_as_int(0x)` creates them.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use scylla::value::{Counter, CqlDate, CqlTime, CqlTimestamp, CqlValue};

/// Replaces the empty parts of a value as Stargate's codecs read them: zero for a number, false for a boolean.
///
/// # Errors
/// The codec's message for a type without an empty value.
pub fn filled(value: CqlValue, typ: &ColumnType<'_>) -> Result<CqlValue, &'static str> {
    let each = |values: Vec<CqlValue>, typ: &ColumnType<'_>| {
        let values = values.into_iter().map(|value| filled(value, typ));
        values.collect::<Result<Vec<CqlValue>, &'static str>>()
    };
    Ok(match (value, typ) {
        (CqlValue::Empty, ColumnType::Native(native)) => native_value(native)?,
        (CqlValue::Empty, ColumnType::Tuple(_)) => CqlValue::Tuple(Vec::new()),
        (CqlValue::List(values), ColumnType::Collection { typ, .. }) => match typ {
            CollectionType::List(element) => CqlValue::List(each(values, element)?),
            _ => CqlValue::List(values),
        },
        (CqlValue::Set(values), ColumnType::Collection { typ, .. }) => match typ {
            CollectionType::Set(element) => CqlValue::Set(each(values, element)?),
            _ => CqlValue::Set(values),
        },
        (CqlValue::Map(pairs), ColumnType::Collection { typ, .. }) => match typ {
            CollectionType::Map(key_type, value_type) => {
                let pairs = pairs
                    .into_iter()
                    .map(|(key, value)| Ok((filled(key, key_type)?, filled(value, value_type)?)));
                CqlValue::Map(pairs.collect::<Result<_, &'static str>>()?)
            }
            _ => CqlValue::Map(pairs),
        },
        (CqlValue::Vector(values), ColumnType::Vector { typ, .. }) => {
            CqlValue::Vector(each(values, typ)?)
        }
        (CqlValue::Tuple(fields), ColumnType::Tuple(types)) => {
            let fields = fields.into_iter().zip(types);
            let fields =
                fields.map(|(field, typ)| field.map(|field| filled(field, typ)).transpose());
            CqlValue::Tuple(fields.collect::<Result<_, _>>()?)
        }
        (
            CqlValue::UserDefinedType {
                keyspace,
                name,
                fields,
            },
            ColumnType::UserDefinedType { definition, .. },
        ) => {
            let fields = fields.into_iter().zip(&definition.field_types);
            let fields = fields.map(|((name, field), (_, typ))| {
                let field = field.map(|field| filled(field, typ)).transpose()?;
                Ok((name, field))
            });
            CqlValue::UserDefinedType {
                keyspace,
                name,
                fields: fields.collect::<Result<_, &'static str>>()?,
            }
        }
        (value, _) => value,
    })
}

fn native_value(native: &NativeType) -> Result<CqlValue, &'static str> {
    Ok(match native {
        NativeType::Boolean => CqlValue::Boolean(false),
        NativeType::TinyInt => CqlValue::TinyInt(0),
        NativeType::SmallInt => CqlValue::SmallInt(0),
        NativeType::Int => CqlValue::Int(0),
        NativeType::BigInt => CqlValue::BigInt(0),
        NativeType::Counter => CqlValue::Counter(Counter(0)),
        NativeType::Float => CqlValue::Float(0.0),
        NativeType::Double => CqlValue::Double(0.0),
        NativeType::Timestamp => CqlValue::Timestamp(CqlTimestamp(0)),
        NativeType::Date => CqlValue::Date(CqlDate(0)),
        NativeType::Time => CqlValue::Time(CqlTime(0)),
        native => return refusal(native).map_or(Ok(CqlValue::Empty), Err),
    })
}

/// The message of Stargate's codec for zero bytes, for a type without an empty value.
pub fn refusal(native: &NativeType) -> Option<&'static str> {
    Some(match native {
        NativeType::Uuid | NativeType::Timeuuid => "Expected 16 bytes for a UUID, got 0",
        NativeType::Inet => "Expected 4 or 16 bytes for an IPv4 or IPv6 address, got 0",
        NativeType::Varint => "Invalid varint value, expecting non-empty Bytes but got 0",
        NativeType::Decimal => "Invalid decimal value, expecting at least 4 bytes but got 0",
        NativeType::Duration => "Invalid duration value, expecting non-empty Bytes but got 0",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_zero_and_a_boolean_false() {
        let native = |typ| filled(CqlValue::Empty, &ColumnType::Native(typ));
        assert_eq!(native(NativeType::Int), Ok(CqlValue::Int(0)));
        assert_eq!(native(NativeType::Double), Ok(CqlValue::Double(0.0)));
        assert_eq!(native(NativeType::Boolean), Ok(CqlValue::Boolean(false)));
        assert_eq!(
            native(NativeType::Timestamp),
            Ok(CqlValue::Timestamp(CqlTimestamp(0)))
        );
        for typ in [
            NativeType::Uuid,
            NativeType::Timeuuid,
            NativeType::Inet,
            NativeType::Varint,
            NativeType::Decimal,
            NativeType::Duration,
        ] {
            assert!(native(typ.clone()).is_err(), "{typ:?}");
        }
    }

    #[test]
    fn empty_values_inside_others_are_read_the_same_way() {
        let int = || Box::new(ColumnType::Native(NativeType::Int));
        let map = ColumnType::Collection {
            frozen: false,
            typ: CollectionType::Map(int(), Box::new(ColumnType::Tuple(vec![*int(), *int()]))),
        };
        let tuple = CqlValue::Tuple(vec![Some(CqlValue::Empty), None]);
        let read = filled(CqlValue::Map(vec![(CqlValue::Empty, tuple)]), &map);
        let tuple = CqlValue::Tuple(vec![Some(CqlValue::Int(0)), None]);
        assert_eq!(read, Ok(CqlValue::Map(vec![(CqlValue::Int(0), tuple)])));
    }
}
