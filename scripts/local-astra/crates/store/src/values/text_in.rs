//! CQL values from text.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use scylla::value::{Counter, CqlTimeuuid, CqlValue, CqlVarint};

use super::{Maps, ValueError, blob, duration, inet, numbers, structure, time, uuid};

/// Parses a text as a value of a type: a scalar, or a collection in CQL's form, both optionally in single quotes.
/// Values other than text need their exact form; nothing is truncated.
///
/// # Errors
/// [`ValueError`] if the text is not a value of the type.
pub fn from_text(text: &str, typ: &ColumnType<'_>, maps: Maps) -> Result<CqlValue, ValueError> {
    read(&structure::unquote(text), typ, maps)
}

/// Parses as [`from_text`], but treats a quote at either end as part of the text.
pub(super) fn read(text: &str, typ: &ColumnType<'_>, maps: Maps) -> Result<CqlValue, ValueError> {
    let each = |parts: Vec<&str>, typ: &ColumnType<'_>| {
        let values = parts.into_iter().map(|part| from_text(part, typ, maps));
        values.collect::<Result<Vec<CqlValue>, ValueError>>()
    };
    match typ {
        ColumnType::Native(native) => scalar(text, native, typ),
        ColumnType::Collection { typ, .. } => match typ {
            CollectionType::List(element) => {
                Ok(CqlValue::List(each(structure::list(text)?, element)?))
            }
            CollectionType::Set(element) => {
                Ok(CqlValue::Set(each(structure::set(text)?, element)?))
            }
            CollectionType::Map(key_type, value_type) => {
                let pairs = match maps {
                    Maps::Compact => structure::map(text)?,
                    Maps::Entries => structure::entries(text)?,
                };
                let pairs = pairs.into_iter().map(|(key, value)| {
                    let key = from_text(key, key_type, maps)?;
                    Ok((key, from_text(value, value_type, maps)?))
                });
                Ok(CqlValue::Map(pairs.collect::<Result<_, ValueError>>()?))
            }
            _ => Err(ValueError::text(
                text,
                &ColumnType::Native(NativeType::Blob),
            )),
        },
        ColumnType::Vector { typ, dimensions } => {
            let values = each(structure::list(text)?, typ)?;
            if values.len() != usize::from(*dimensions) {
                return Err(ValueError::VectorSize {
                    wanted: usize::from(*dimensions),
                    found: values.len(),
                });
            }
            Ok(CqlValue::Vector(values))
        }
        ColumnType::Tuple(types) => {
            let parts = structure::tuple(text)?;
            if parts.len() > types.len() {
                return Err(ValueError::TupleSize {
                    wanted: types.len(),
                    found: parts.len(),
                });
            }
            let mut fields = Vec::with_capacity(types.len());
            for (part, typ) in parts.into_iter().zip(types) {
                fields.push(Some(from_text(part, typ, maps)?));
            }
            fields.resize(types.len(), None);
            Ok(CqlValue::Tuple(fields))
        }
        ColumnType::UserDefinedType { definition, .. } => {
            let given = structure::fields(text)?;
            let mut fields: Vec<(String, Option<CqlValue>)> = Vec::new();
            for (name, _) in &definition.field_types {
                fields.push((name.to_string(), None));
            }
            for (name, value) in given {
                let name = structure::unquote(name);
                let field = definition.field_types.iter().position(|(n, _)| *n == name);
                let Some(at) = field else {
                    return Err(ValueError::NoField {
                        udt: definition.name.to_string(),
                        field: name.into_owned(),
                    });
                };
                fields[at].1 = Some(from_text(value, &definition.field_types[at].1, maps)?);
            }
            Ok(CqlValue::UserDefinedType {
                keyspace: definition.keyspace.to_string(),
                name: definition.name.to_string(),
                fields,
            })
        }
        _ => Err(ValueError::text(text, typ)),
    }
}

fn scalar(text: &str, native: &NativeType, typ: &ColumnType<'_>) -> Result<CqlValue, ValueError> {
    let wrong = || ValueError::text(text, typ);
    let float = || numbers::float_to_parse(text);
    Ok(match native {
        NativeType::Ascii => CqlValue::Ascii(text.to_owned()),
        NativeType::Text => CqlValue::Text(text.to_owned()),
        NativeType::Boolean if text.eq_ignore_ascii_case("true") => CqlValue::Boolean(true),
        NativeType::Boolean if text.eq_ignore_ascii_case("false") => CqlValue::Boolean(false),
        NativeType::Int => CqlValue::Int(text.parse().map_err(|_| wrong())?),
        NativeType::SmallInt => CqlValue::SmallInt(text.parse().map_err(|_| wrong())?),
        NativeType::TinyInt => CqlValue::TinyInt(text.parse().map_err(|_| wrong())?),
        NativeType::BigInt => CqlValue::BigInt(text.parse().map_err(|_| wrong())?),
        NativeType::Counter => CqlValue::Counter(Counter(text.parse().map_err(|_| wrong())?)),
        NativeType::Varint => {
            let integer = numbers::read_integer(text).ok_or_else(wrong)?;
            CqlValue::Varint(CqlVarint::from(integer))
        }
        NativeType::Decimal => CqlValue::Decimal(numbers::read_decimal(text).ok_or_else(wrong)?),
        NativeType::Float => {
            CqlValue::Float(float().and_then(|f| f.parse().ok()).ok_or_else(wrong)?)
        }
        NativeType::Double => {
            CqlValue::Double(float().and_then(|f| f.parse().ok()).ok_or_else(wrong)?)
        }
        NativeType::Uuid => CqlValue::Uuid(uuid::read(text).ok_or_else(wrong)?),
        NativeType::Timeuuid => {
            CqlValue::Timeuuid(CqlTimeuuid::from(uuid::read(text).ok_or_else(wrong)?))
        }
        NativeType::Inet => CqlValue::Inet(inet::read(text).ok_or_else(wrong)?),
        NativeType::Timestamp => CqlValue::Timestamp(time::read_timestamp(text)?),
        NativeType::Date => CqlValue::Date(time::read_date(text)?),
        NativeType::Time => CqlValue::Time(time::read_time(text)?),
        NativeType::Duration => CqlValue::Duration(duration::read(text).ok_or_else(wrong)?),
        NativeType::Blob => CqlValue::Blob(blob::from_base64(text)?),
        _ => return Err(wrong()),
    })
}
