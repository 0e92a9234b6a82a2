//! Errors of values that do not fit their column, in Stargate's words.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use serde_json::Value;

use super::numbers::JsonNumber;

/// A value that cannot be read as its CQL type. The messages are those of Stargate 2.0.51.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A JSON value of a kind that the type does not accept.
    #[error("Cannot coerce {found} into expected protobuf type: {wanted}")]
    Kind { found: String, wanted: String },
    /// A text that is not a value of the type.
    #[error(
        "Invalid String value ('{text}'): not valid representation/value for target protobuf type: {wanted}"
    )]
    Text { text: String, wanted: String },
    /// A date, time or timestamp.
    #[error("Text '{text}' could not be parsed{problem}")]
    Time { text: String, problem: String },
    #[error("{0}")]
    Base64(String),
    /// A JSON number with a fraction for an integer type.
    #[error("For input string: \"{0}\"")]
    Fraction(String),
    #[error("UDT '{udt}' does not have field '{field}'")]
    NoField { udt: String, field: String },
    #[error("Tuple expected {wanted} values, got {found}")]
    TupleSize { wanted: usize, found: usize },
    #[error("Expected vector of size {wanted}, got {found}")]
    VectorSize { wanted: usize, found: usize },
    #[error("Map entry must have exactly 2 elements")]
    MapEntrySize,
    #[error("Map entry missing key")]
    MapEntryKey,
    #[error("Map entry missing value")]
    MapEntryValue,
    /// A malformed text of a list, set, map, tuple or user-defined type.
    #[error("Invalid {kind} value '{text}': {problem}")]
    Structure {
        kind: &'static str,
        text: String,
        problem: String,
    },
}

impl ValueError {
    pub(super) fn kind(found: &Value, wanted: &ColumnType<'_>) -> ValueError {
        ValueError::Kind {
            found: describe(found),
            wanted: type_name(wanted),
        }
    }

    pub(super) fn text(text: &str, wanted: &ColumnType<'_>) -> ValueError {
        ValueError::Text {
            text: text.to_owned(),
            wanted: type_name(wanted),
        }
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "'null'".to_owned(),
        Value::Bool(value) => format!("Boolean value ({value})"),
        Value::Number(number) => format!("Number {}", JsonNumber::read(number).text()),
        Value::String(text) => format!("String value '{text}'"),
        Value::Array(_) => "Java value of type java.util.ArrayList".to_owned(),
        Value::Object(_) => "Java value of type java.util.LinkedHashMap".to_owned(),
    }
}

/// Returns the name of the type in Stargate's protobuf messages.
fn type_name(typ: &ColumnType<'_>) -> String {
    let name = match typ {
        ColumnType::Native(native) => {
            return format!("TypeSpec.Basic.{}", native_name(native));
        }
        ColumnType::Collection { typ, .. } => match typ {
            CollectionType::List(_) => "List",
            CollectionType::Set(_) => "Set",
            _ => "Map",
        },
        ColumnType::Tuple(_) => "Tuple",
        ColumnType::Vector { .. } => "Vector",
        ColumnType::UserDefinedType { definition, .. } => {
            return format!("TypeSpec.UDT.{}", definition.name);
        }
        _ => "Basic.CUSTOM",
    };
    format!("TypeSpec.{name}")
}

fn native_name(native: &NativeType) -> &'static str {
    match native {
        NativeType::Ascii | NativeType::Text => "TEXT",
        NativeType::Boolean => "BOOLEAN",
        NativeType::Blob => "BLOB",
        NativeType::Counter => "COUNTER",
        NativeType::Date => "DATE",
        NativeType::Decimal => "DECIMAL",
        NativeType::Double => "DOUBLE",
        NativeType::Duration => "DURATION",
        NativeType::Float => "FLOAT",
        NativeType::Int => "INT",
        // A mistake in Stargate: its codec for bigint uses this name.
        NativeType::BigInt => "LONG",
        NativeType::Timestamp => "TIMESTAMP",
        NativeType::Inet => "INET",
        NativeType::SmallInt => "SMALLINT",
        NativeType::TinyInt => "TINYINT",
        NativeType::Time => "TIME",
        NativeType::Timeuuid => "TIMEUUID",
        NativeType::Uuid => "UUID",
        NativeType::Varint => "VARINT",
        _ => "CUSTOM",
    }
}
