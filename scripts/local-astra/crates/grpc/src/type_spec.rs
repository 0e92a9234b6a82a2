//! Descriptions of columns in responses: name and type.

use std::collections::HashMap;

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType, UserDefinedType};
use scylla::frame::response::result::ColumnSpec;
use tonic::Code;

use super::error::GrpcError;
use super::proto::stargate::type_spec::{Basic, List, Map, Set, Spec, Tuple, Udt};
use super::proto::stargate::{self as proto, TypeSpec};
use store::Schema;
use store::types::TypeName;

/// Describes a column of a response. Cassandra's responses do not contain `frozen`; for a column of a table it is taken
/// from the schema.
pub fn column(spec: &ColumnSpec<'_>, schema: &Schema) -> proto::ColumnSpec {
    let table = spec.table_spec();
    let stored = schema
        .table(table.ks_name(), table.table_name())
        .and_then(|table| table.column(spec.name()))
        .map(|column| &column.typ)
        .filter(|stored| same(stored, spec.typ()));
    proto::ColumnSpec {
        r#type: Some(type_spec(stored.unwrap_or(spec.typ()))),
        name: spec.name().to_owned(),
    }
}

/// The error for a type without a value in the protocol.
pub fn unsupported(typ: &ColumnType) -> GrpcError {
    GrpcError::Refused(
        Code::Unimplemented,
        format!(
            "Unable to encode/decode type '{}'",
            TypeName::from(typ).to_cql()
        ),
    )
}

fn type_spec(typ: &ColumnType) -> TypeSpec {
    spec_of(typ, false)
}

/// Describes a type. `inside` a collection or a tuple everything is frozen, even if not stated.
fn spec_of(typ: &ColumnType, inside: bool) -> TypeSpec {
    let boxed = |typ: &ColumnType| Some(Box::new(spec_of(typ, true)));
    let basic = |basic: Basic| Spec::Basic(basic.into());
    let spec = match typ {
        ColumnType::Native(native) => basic(basic_of(native)),
        ColumnType::Collection { frozen, typ } => {
            let frozen = *frozen || inside;
            match typ {
                CollectionType::List(element) => Spec::List(Box::new(List {
                    element: boxed(element),
                    frozen,
                })),
                CollectionType::Set(element) => Spec::Set(Box::new(Set {
                    element: boxed(element),
                    frozen,
                })),
                CollectionType::Map(key, value) => Spec::Map(Box::new(Map {
                    key: boxed(key),
                    value: boxed(value),
                    frozen,
                })),
                // The enum is open.
                _ => basic(Basic::Custom),
            }
        }
        ColumnType::UserDefinedType { frozen, definition } => Spec::Udt(Udt {
            fields: fields(definition),
            name: definition.name.to_string(),
            frozen: *frozen || inside,
        }),
        ColumnType::Tuple(types) => Spec::Tuple(Tuple {
            elements: types.iter().map(|typ| spec_of(typ, true)).collect(),
        }),
        // The protocol has no type for vectors.
        _ => basic(Basic::Custom),
    };
    TypeSpec { spec: Some(spec) }
}

fn fields(definition: &UserDefinedType<'_>) -> HashMap<String, TypeSpec> {
    let fields = definition.field_types.iter();
    fields
        .map(|(name, typ)| (name.to_string(), type_spec(typ)))
        .collect()
}

fn basic_of(native: &NativeType) -> Basic {
    match native {
        NativeType::Ascii => Basic::Ascii,
        NativeType::Boolean => Basic::Boolean,
        NativeType::Blob => Basic::Blob,
        NativeType::Counter => Basic::Counter,
        NativeType::Date => Basic::Date,
        NativeType::Decimal => Basic::Decimal,
        NativeType::Double => Basic::Double,
        NativeType::Duration => Basic::Duration,
        NativeType::Float => Basic::Float,
        NativeType::Int => Basic::Int,
        NativeType::BigInt => Basic::Bigint,
        NativeType::Text => Basic::Varchar,
        NativeType::Timestamp => Basic::Timestamp,
        NativeType::Inet => Basic::Inet,
        NativeType::SmallInt => Basic::Smallint,
        NativeType::TinyInt => Basic::Tinyint,
        NativeType::Time => Basic::Time,
        NativeType::Timeuuid => Basic::Timeuuid,
        NativeType::Uuid => Basic::Uuid,
        NativeType::Varint => Basic::Varint,
        _ => Basic::Custom,
    }
}

/// Returns true if the types are equal apart from `frozen`.
fn same(a: &ColumnType, b: &ColumnType) -> bool {
    match (a, b) {
        (ColumnType::Native(a), ColumnType::Native(b)) => a == b,
        (ColumnType::Collection { typ: a, .. }, ColumnType::Collection { typ: b, .. }) => {
            match (a, b) {
                (CollectionType::List(a), CollectionType::List(b))
                | (CollectionType::Set(a), CollectionType::Set(b)) => same(a, b),
                (CollectionType::Map(a, c), CollectionType::Map(b, d)) => same(a, b) && same(c, d),
                _ => false,
            }
        }
        (ColumnType::Tuple(a), ColumnType::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (
            ColumnType::UserDefinedType { definition: a, .. },
            ColumnType::UserDefinedType { definition: b, .. },
        ) => {
            let (x, y) = (&a.field_types, &b.field_types);
            let same_field = |((f, s), (g, t)): (&(_, _), &(_, _))| f == g && same(s, t);
            a.name == b.name && x.len() == y.len() && x.iter().zip(y).all(same_field)
        }
        _ => false,
    }
}
