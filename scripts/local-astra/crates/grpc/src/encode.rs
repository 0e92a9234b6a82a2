//! Conversion of a value in a call to Cassandra's bytes. The members allowed per type, the limits and the error
//! messages are Stargate's (the codecs of its gRPC module).

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType, UserDefinedType};

use super::proto::stargate::value::Inner;
use super::proto::stargate::{Collection, Decimal, Duration, UdtValue, Value};

/// The last nanosecond of a day.
const LAST_NANOSECOND: u64 = 86_399_999_999_999;

/// Returns the bytes of a value; `None` for null.
///
/// # Errors
/// The reason the value does not fit the type, as a sentence.
pub fn value(value: &Value, typ: &ColumnType) -> Result<Option<Vec<u8>>, String> {
    match &value.inner {
        Some(Inner::Null(_)) => Ok(None),
        inner => not_null(inner.as_ref(), typ).map(Some),
    }
}

fn not_null(inner: Option<&Inner>, typ: &ColumnType) -> Result<Vec<u8>, String> {
    match typ {
        ColumnType::Native(native_type) => native(inner, native_type),
        ColumnType::Collection { typ, .. } => {
            let Some(Inner::Collection(collection)) = inner else {
                return Err("Expected collection type".to_owned());
            };
            match typ {
                CollectionType::List(element) => elements(collection, element, "lists"),
                CollectionType::Set(element) => elements(collection, element, "sets"),
                CollectionType::Map(key, value) => entries(collection, key, value),
                _ => Err(unknown(typ)),
            }
        }
        ColumnType::Tuple(types) => tuple(inner, types),
        ColumnType::UserDefinedType { definition, .. } => user_defined(inner, definition),
        _ => Err(unknown(typ)),
    }
}

fn unknown(typ: impl std::fmt::Debug) -> String {
    format!("Unable to encode/decode type '{typ:?}'")
}

fn native(inner: Option<&Inner>, typ: &NativeType) -> Result<Vec<u8>, String> {
    let expected = |what: &str| Err(format!("Expected {what} type"));
    Ok(match (typ, inner) {
        (NativeType::TinyInt, Some(Inner::Int(n))) => i8::try_from(*n)
            .map_err(|_| range("tinyint", i8::MIN.into(), i8::MAX.into()))?
            .to_be_bytes()
            .to_vec(),
        (NativeType::SmallInt, Some(Inner::Int(n))) => i16::try_from(*n)
            .map_err(|_| range("smallint", i16::MIN.into(), i16::MAX.into()))?
            .to_be_bytes()
            .to_vec(),
        (NativeType::Int, Some(Inner::Int(n))) => i32::try_from(*n)
            .map_err(|_| range("int", i32::MIN.into(), i32::MAX.into()))?
            .to_be_bytes()
            .to_vec(),
        (NativeType::BigInt | NativeType::Counter | NativeType::Timestamp, Some(Inner::Int(n))) => {
            n.to_be_bytes().to_vec()
        }
        (NativeType::Ascii, Some(Inner::String(text))) if !text.is_ascii() => {
            return Err("an ascii value may hold only characters of ASCII".to_owned());
        }
        (NativeType::Ascii | NativeType::Text, Some(Inner::String(text))) => {
            text.clone().into_bytes()
        }
        (NativeType::Boolean, Some(Inner::Boolean(flag))) => vec![u8::from(*flag)],
        (NativeType::Float, Some(Inner::Float(n))) => n.to_be_bytes().to_vec(),
        (NativeType::Double, Some(Inner::Double(n))) => n.to_be_bytes().to_vec(),
        (NativeType::Blob, Some(Inner::Bytes(bytes))) => bytes.clone(),
        (NativeType::Uuid | NativeType::Timeuuid, Some(Inner::Uuid(uuid))) => {
            let bytes = &uuid.value;
            if bytes.len() != 16 {
                let n = bytes.len();
                return Err(format!("Expected 16 bytes for a UUID, got {n}"));
            }
            bytes.clone()
        }
        (NativeType::Inet, Some(Inner::Inet(inet))) => {
            let bytes = &inet.value;
            if !matches!(bytes.len(), 4 | 16) {
                let n = bytes.len();
                return Err(format!(
                    "Expected 4 or 16 bytes for an IPv4 or IPv6 address, got {n}"
                ));
            }
            bytes.clone()
        }
        (NativeType::Date, Some(Inner::Date(days))) => days.to_be_bytes().to_vec(),
        (NativeType::Time, Some(Inner::Time(nanoseconds))) => {
            if *nanoseconds > LAST_NANOSECOND {
                return Err(format!(
                    "Valid range for time is 0 to {LAST_NANOSECOND} nanoseconds"
                ));
            }
            nanoseconds.to_be_bytes().to_vec()
        }
        (NativeType::Varint, Some(Inner::Varint(varint))) => varint.value.clone(),
        (NativeType::Decimal, Some(Inner::Decimal(Decimal { scale, value }))) => {
            [&scale.to_be_bytes()[..], value].concat()
        }
        (NativeType::Duration, Some(Inner::Duration(duration))) => encode_duration(duration),
        (NativeType::Ascii | NativeType::Text, _) => return expected("string"),
        (NativeType::Boolean, _) => return expected("boolean"),
        (NativeType::Float, _) => return expected("float"),
        (NativeType::Double, _) => return expected("double"),
        (NativeType::Blob | NativeType::Inet, _) => return expected("bytes"),
        (NativeType::Uuid | NativeType::Timeuuid, _) => return expected("UUID"),
        (NativeType::Date, _) => return expected("date"),
        (NativeType::Time, _) => return expected("time"),
        (NativeType::Varint | NativeType::Duration, _) => return expected("varint"),
        (NativeType::Decimal, _) => return expected("decimal"),
        (
            NativeType::TinyInt
            | NativeType::SmallInt
            | NativeType::Int
            | NativeType::BigInt
            | NativeType::Counter
            | NativeType::Timestamp,
            _,
        ) => return expected("integer"),
        // The enum is open.
        _ => return Err(unknown(typ)),
    })
}

fn range(typ: &str, least: i64, greatest: i64) -> String {
    format!("Valid range for {typ} is {least} to {greatest}")
}

/// Encodes the number of elements, then each element with its length.
fn elements(collection: &Collection, typ: &ColumnType, kind: &str) -> Result<Vec<u8>, String> {
    let mut out = length(collection.elements.len())?;
    for element in &collection.elements {
        push(&mut out, element, typ, kind)?;
    }
    Ok(out)
}

fn entries(
    collection: &Collection,
    key: &ColumnType,
    value: &ColumnType,
) -> Result<Vec<u8>, String> {
    let (pairs, rest) = collection.elements.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("Expected an even number of elements".to_owned());
    }
    let mut out = length(pairs.len())?;
    for [k, v] in pairs {
        push(&mut out, k, key, "maps")?;
        push(&mut out, v, value, "maps")?;
    }
    Ok(out)
}

fn push(out: &mut Vec<u8>, element: &Value, typ: &ColumnType, kind: &str) -> Result<(), String> {
    let bytes =
        value(element, typ)?.ok_or_else(|| format!("null is not supported inside {kind}"))?;
    out.extend(length(bytes.len())?);
    out.extend(bytes);
    Ok(())
}

/// Appends a field of a tuple or of a user-defined type. Null has the length -1.
fn push_field(out: &mut Vec<u8>, bytes: Option<Vec<u8>>) -> Result<(), String> {
    match bytes {
        Some(bytes) => {
            out.extend(length(bytes.len())?);
            out.extend(bytes);
        }
        None => out.extend((-1i32).to_be_bytes()),
    }
    Ok(())
}

fn tuple(inner: Option<&Inner>, types: &[ColumnType]) -> Result<Vec<u8>, String> {
    let Some(Inner::Collection(Collection { elements })) = inner else {
        return Err("Expected collection type".to_owned());
    };
    if elements.len() > types.len() {
        return Err(format!(
            "Too many tuple fields. Expected {}, but received {}",
            types.len(),
            elements.len()
        ));
    }
    let mut out = Vec::new();
    for (element, typ) in elements.iter().zip(types) {
        push_field(&mut out, value(element, typ)?)?;
    }
    Ok(out)
}

fn user_defined(
    inner: Option<&Inner>,
    definition: &UserDefinedType<'_>,
) -> Result<Vec<u8>, String> {
    let Some(Inner::Udt(UdtValue { fields })) = inner else {
        return Err("Expected user-defined type".to_owned());
    };
    let known = |name: &String| {
        definition
            .field_types
            .iter()
            .any(|(field, _)| field == name)
    };
    if let Some(name) = fields.keys().find(|name| !known(name)) {
        return Err(format!(
            "User-defined type doesn't contain a field named '{name}'"
        ));
    }
    let mut out = Vec::new();
    for (field, typ) in &definition.field_types {
        let bytes = match fields.get(field.as_ref()) {
            Some(field) => value(field, typ)?,
            None => None,
        };
        push_field(&mut out, bytes)?;
    }
    Ok(out)
}

fn length(n: usize) -> Result<Vec<u8>, String> {
    let n = i32::try_from(n).map_err(|_| "the value is too long".to_owned())?;
    Ok(n.to_be_bytes().to_vec())
}

fn encode_duration(duration: &Duration) -> Vec<u8> {
    let mut out = Vec::new();
    for part in [
        i64::from(duration.months),
        i64::from(duration.days),
        duration.nanos,
    ] {
        vint(part, &mut out);
    }
    out
}

/// Appends a variable-length integer of the native protocol: zigzag, with as many leading one bits in the first byte as
/// bytes follow.
fn vint(n: i64, out: &mut Vec<u8>) {
    let zigzag = ((n << 1) ^ (n >> 63)).cast_unsigned();
    let bits = 64 - zigzag.leading_zeros();
    // Each further byte costs the first one a bit: n bytes hold 7n bits, nine bytes 64.
    let extra = (bits.saturating_sub(1) / 7).min(8);
    let bytes = zigzag.to_be_bytes();
    let mark = !0xffu8.checked_shr(extra).unwrap_or(0);
    if extra == 8 {
        out.push(mark);
        out.extend(bytes);
    } else {
        let first = 7 - extra as usize;
        out.push(mark | bytes[first]);
        out.extend(&bytes[first + 1..]);
    }
}
