//! CQL types as GraphQL types, and the SDL of composed types.

use std::collections::BTreeMap;
use std::fmt::Write;

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use serde_json::Value;

use super::{descriptions, names};
use crate::scalars;
use store::UserType;

/// The direction of a type: input or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Out,
    In,
}

/// Returns the GraphQL scalar of a built-in type.
pub fn scalar(native: &NativeType) -> &'static str {
    match native {
        NativeType::Ascii => "Ascii",
        NativeType::Boolean => "Boolean",
        NativeType::Counter => "Counter",
        NativeType::Date => "Date",
        NativeType::Decimal => "Decimal",
        NativeType::Double => "Float",
        NativeType::Duration => "Duration",
        NativeType::Float => "Float32",
        NativeType::Int => "Int",
        NativeType::BigInt => "BigInt",
        NativeType::Text => "String",
        NativeType::Timestamp => "Timestamp",
        NativeType::Inet => "Inet",
        NativeType::SmallInt => "SmallInt",
        NativeType::TinyInt => "TinyInt",
        NativeType::Time => "Time",
        NativeType::Timeuuid => "TimeUuid",
        NativeType::Uuid => "Uuid",
        NativeType::Varint => "Varint",
        // Blob, and what this driver may learn later.
        _ => "Blob",
    }
}

/// Returns the element type of a type that is a list in GraphQL.
pub fn element<'a>(typ: &'a ColumnType<'_>) -> Option<&'a ColumnType<'a>> {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::List(element) | CollectionType::Set(element),
            ..
        }
        | ColumnType::Vector { typ: element, .. } => Some(element),
        _ => None,
    }
}

/// Returns key and value type of a map.
pub fn entry<'a>(typ: &'a ColumnType<'_>) -> Option<(&'a ColumnType<'a>, &'a ColumnType<'a>)> {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::Map(key, value),
            ..
        } => Some((key, value)),
        _ => None,
    }
}

/// Returns the name of a scalar, an object or an input type; for a map, that of its entries.
fn name(typ: &ColumnType<'_>, way: Way) -> String {
    let suffix = match way {
        Way::Out => "",
        Way::In => "Input",
    };
    if let Some((key, value)) = entry(typ) {
        let (key, value) = (composed(key, way), composed(value, way));
        return format!("Entry{key}Key{value}Value{suffix}");
    }
    match typ {
        ColumnType::Native(native) => scalar(native).to_owned(),
        ColumnType::Tuple(items) => {
            let items: String = items.iter().map(|item| composed(item, way)).collect();
            format!("Tuple{items}{suffix}")
        }
        ColumnType::UserDefinedType { definition, .. } => {
            names::user_type(&definition.name) + suffix
        }
        _ => "Blob".to_owned(),
    }
}

/// Returns the name of a type inside other names. Those of all lists in GraphQL begin with `List`, including maps.
fn composed(typ: &ColumnType<'_>, way: Way) -> String {
    if let Some(element) = element(typ) {
        return format!("List{}", composed(element, way));
    }
    let list = if entry(typ).is_some() { "List" } else { "" };
    list.to_owned() + &name(typ, way)
}

/// The definitions required by the columns of a keyspace, without duplicates, by the name of the type.
#[derive(Default)]
pub struct Definitions {
    pub sdl: BTreeMap<String, String>,
}

impl Definitions {
    /// Returns the type of a field, and adds its definition if it needs one.
    pub fn reference(&mut self, typ: &ColumnType<'_>, way: Way) -> String {
        if let Some(element) = element(typ) {
            return format!("[{}]", self.reference(element, way));
        }
        let name = name(typ, way);
        match typ {
            ColumnType::Collection { .. } => {
                if let Some((key, value)) = entry(typ) {
                    self.described(&name, way, descriptions::ENTRY, |all| {
                        vec![
                            ("key".to_owned(), all.reference(key, way) + "!"),
                            ("value".to_owned(), all.reference(value, way)),
                        ]
                    });
                }
                format!("[{name}]")
            }
            ColumnType::Tuple(items) => {
                let described = format!("A tuple of {} items.", items.len());
                self.described(&name, way, &described, |all| {
                    let items = items.iter().enumerate();
                    items
                        .map(|(at, item)| (format!("item{at}"), all.reference(item, way)))
                        .collect()
                });
                name
            }
            ColumnType::UserDefinedType { definition, .. } => {
                self.object(&name, way, |all| {
                    let fields = definition.field_types.iter();
                    fields
                        .map(|(field, typ)| (names::column(field), all.reference(typ, way)))
                        .collect()
                });
                name
            }
            _ => {
                self.scalar(&name);
                name
            }
        }
    }

    /// Declares a scalar, unless it is one of GraphQL's own.
    pub fn scalar(&mut self, name: &str) {
        if !matches!(name, "Boolean" | "Float" | "Int" | "String") {
            let sdl = scalars::definition(name);
            self.sdl.entry(name.to_owned()).or_insert(sdl);
        }
    }

    /// Returns the filter type of a column.
    pub fn filter(&mut self, typ: &ColumnType<'_>) -> String {
        let inner = composed(typ, Way::In);
        let inner = inner.strip_suffix("Input").unwrap_or(&inner);
        let filter = format!("{inner}FilterInput");
        if self.sdl.contains_key(&filter) {
            return filter;
        }
        let whole = self.reference(typ, Way::In);
        let mut fields: Vec<(String, String)> = ["eq", "notEq", "gt", "gte", "lt", "lte"]
            .iter()
            .map(|operator| ((*operator).to_owned(), whole.clone()))
            .collect();
        fields.push(("in".to_owned(), format!("[{whole}]")));
        if let Some(element) = element(typ) {
            fields.push(("contains".to_owned(), self.reference(element, Way::In)));
        }
        if let Some((key, value)) = entry(typ) {
            fields.push(("containsKey".to_owned(), self.reference(key, Way::In)));
            fields.push(("contains".to_owned(), self.reference(value, Way::In)));
            fields.push(("containsEntry".to_owned(), name(typ, Way::In)));
        }
        self.object(&filter, Way::In, |_| fields);
        filter
    }

    fn object(
        &mut self,
        name: &str,
        way: Way,
        fields: impl FnOnce(&mut Definitions) -> Vec<(String, String)>,
    ) {
        self.described(name, way, "", fields);
    }

    fn described(
        &mut self,
        name: &str,
        way: Way,
        text: &str,
        fields: impl FnOnce(&mut Definitions) -> Vec<(String, String)>,
    ) {
        if self.sdl.contains_key(name) {
            return;
        }
        let fields = fields(self);
        let sdl = description(text) + &block(way, name, &fields);
        self.sdl.insert(name.to_owned(), sdl);
    }
}

/// Returns a description in SDL; empty for an empty text.
pub fn description(text: &str) -> String {
    match text {
        "" => String::new(),
        // A text of JSON is one of GraphQL.
        text => format!("{}\n", Value::from(text)),
    }
}

/// Returns an object or input type in SDL.
pub fn block(way: Way, name: &str, fields: &[(String, String)]) -> String {
    let keyword = match way {
        Way::Out => "type",
        Way::In => "input",
    };
    let mut sdl = format!("{keyword} {name} {{\n");
    for (field, typ) in fields {
        // Writing to a text cannot fail.
        let _ = writeln!(sdl, "  {field}: {typ}");
    }
    sdl + "}\n"
}

/// Returns the warning about a column or field whose name was changed.
pub fn renamed(owner: &str, column: &str) -> Option<String> {
    let name = names::column(column);
    (name != column).then(|| format!("Column {column} in table/UDT {owner} mapped as {name}"))
}

/// Returns the warnings about a user-defined type, used or not, and its fields.
pub fn renamed_type(typ: &UserType) -> Vec<String> {
    let cql = &typ.name;
    let name = names::user_type(cql);
    let plain = format!("{cql}Udt");
    let changed = (name != plain).then(|| format!("UDT {cql} mapped as {name}"));
    let fields = typ.fields.iter();
    let fields = fields.filter_map(|(field, _)| renamed(cql, field));
    changed.into_iter().chain(fields).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use scylla::frame::response::result::UserDefinedType;

    use super::*;

    #[test]
    fn names_tell_what_a_type_is_made_of() {
        let native = ColumnType::Native;
        let collection = |typ| ColumnType::Collection { frozen: true, typ };
        let list = |element| collection(CollectionType::List(Box::new(element)));
        let map = |key, value| collection(CollectionType::Map(Box::new(key), Box::new(value)));
        let address = ColumnType::UserDefinedType {
            frozen: true,
            definition: Arc::new(UserDefinedType {
                name: "addr".into(),
                keyspace: "ks".into(),
                field_types: vec![("n".into(), native(NativeType::Int))],
            }),
        };
        let ints = map(native(NativeType::Text), native(NativeType::Int));
        let nested = map(native(NativeType::TinyInt), ints.clone());
        for (typ, output, input, filter) in [
            (
                nested,
                "[EntryTinyIntKeyListEntryStringKeyIntValueValue]",
                "[EntryTinyIntKeyListEntryStringKeyIntValueInputValueInput]",
                "ListEntryTinyIntKeyListEntryStringKeyIntValueInputValueFilterInput",
            ),
            (
                map(native(NativeType::Text), address.clone()),
                "[EntryStringKeyaddrUdtValue]",
                "[EntryStringKeyaddrUdtInputValueInput]",
                "ListEntryStringKeyaddrUdtInputValueFilterInput",
            ),
            (
                ColumnType::Tuple(vec![native(NativeType::Int), address]),
                "TupleIntaddrUdt",
                "TupleIntaddrUdtInputInput",
                "TupleIntaddrUdtInputFilterInput",
            ),
            (
                ints.clone(),
                "[EntryStringKeyIntValue]",
                "[EntryStringKeyIntValueInput]",
                "ListEntryStringKeyIntValueFilterInput",
            ),
            (
                list(ints),
                "[[EntryStringKeyIntValue]]",
                "[[EntryStringKeyIntValueInput]]",
                "ListListEntryStringKeyIntValueFilterInput",
            ),
            (
                list(native(NativeType::Ascii)),
                "[Ascii]",
                "[Ascii]",
                "ListAsciiFilterInput",
            ),
        ] {
            let mut all = Definitions::default();
            assert_eq!(all.reference(&typ, Way::Out), output);
            assert_eq!(all.reference(&typ, Way::In), input);
            assert_eq!(all.filter(&typ), filter);
            assert!(all.sdl.contains_key(filter));
        }
    }
}
