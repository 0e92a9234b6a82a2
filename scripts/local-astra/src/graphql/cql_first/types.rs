//! CQL types as GraphQL types, and the SDL of those that are made of others.

use std::collections::BTreeMap;
use std::fmt::Write;

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};

use super::names;

/// Is a type read or written?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Out,
    In,
}

/// The GraphQL scalar of a built-in type.
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

/// The elements of what GraphQL has as a list of them.
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

/// Key and value of a map.
pub fn entry<'a>(typ: &'a ColumnType<'_>) -> Option<(&'a ColumnType<'a>, &'a ColumnType<'a>)> {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::Map(key, value),
            ..
        } => Some((key, value)),
        _ => None,
    }
}

/// The name of a type inside the names of others; for a map that of its entry.
pub fn composed(typ: &ColumnType<'_>) -> String {
    if let Some(element) = element(typ) {
        return format!("List{}", composed(element));
    }
    if let Some((key, value)) = entry(typ) {
        return format!("Entry{}Key{}Value", composed(key), composed(value));
    }
    match typ {
        ColumnType::Native(native) => scalar(native).to_owned(),
        ColumnType::Tuple(items) => {
            let items: String = items.iter().map(composed).collect();
            format!("Tuple{items}")
        }
        ColumnType::UserDefinedType { definition, .. } => names::user_type(&definition.name),
        _ => "Blob".to_owned(),
    }
}

/// The definitions that the columns of a keyspace need, each once.
#[derive(Default)]
pub struct Definitions {
    /// By the name of the type.
    pub sdl: BTreeMap<String, String>,
    /// How names of user-defined types and their fields were changed.
    pub warnings: Vec<String>,
}

impl Definitions {
    /// A type as it stands in a field, its definition made if it needs one.
    pub fn reference(&mut self, typ: &ColumnType<'_>, way: Way) -> String {
        if let Some(element) = element(typ) {
            return format!("[{}]", self.reference(element, way));
        }
        let suffix = match way {
            Way::Out => "",
            Way::In => "Input",
        };
        match typ {
            ColumnType::Collection { .. } => {
                let name = composed(typ) + suffix;
                if let Some((key, value)) = entry(typ) {
                    self.object(&name, way, |all| {
                        vec![
                            ("key".to_owned(), all.reference(key, way) + "!"),
                            ("value".to_owned(), all.reference(value, way)),
                        ]
                    });
                }
                format!("[{name}]")
            }
            ColumnType::Tuple(items) => {
                let name = composed(typ) + suffix;
                self.object(&name, way, |all| {
                    let items = items.iter().enumerate();
                    items
                        .map(|(at, item)| (format!("item{at}"), all.reference(item, way)))
                        .collect()
                });
                name
            }
            ColumnType::UserDefinedType { definition, .. } => {
                let name = composed(typ) + suffix;
                let is_new = !self.sdl.contains_key(&name);
                self.object(&name, way, |all| {
                    let fields = definition.field_types.iter();
                    fields
                        .map(|(field, typ)| (names::column(field), all.reference(typ, way)))
                        .collect()
                });
                if is_new && way == Way::Out {
                    let plain = format!("{}Udt", definition.name);
                    if name != plain {
                        let cql = &definition.name;
                        self.warnings.push(format!("UDT {cql} mapped as {name}"));
                    }
                    let fields = definition.field_types.iter();
                    let changed = fields.filter_map(|(field, _)| renamed(&definition.name, field));
                    self.warnings.extend(changed);
                }
                name
            }
            other => {
                let name = composed(other);
                self.scalar(&name);
                name
            }
        }
    }

    /// A scalar, declared unless it is one of GraphQL's own.
    pub fn scalar(&mut self, name: &str) {
        if !matches!(name, "Boolean" | "Float" | "Int" | "String") {
            let sdl = format!("scalar {name}\n");
            self.sdl.entry(name.to_owned()).or_insert(sdl);
        }
    }

    /// The filter of a column.
    pub fn filter(&mut self, typ: &ColumnType<'_>) -> String {
        let is_map = entry(typ).is_some();
        let list = if is_map { "List" } else { "" };
        let name = format!("{list}{}FilterInput", composed(typ));
        if self.sdl.contains_key(&name) {
            return name;
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
            fields.push(("containsEntry".to_owned(), composed(typ) + "Input"));
        }
        self.object(&name, Way::In, |_| fields);
        name
    }

    fn object(
        &mut self,
        name: &str,
        way: Way,
        fields: impl FnOnce(&mut Definitions) -> Vec<(String, String)>,
    ) {
        if self.sdl.contains_key(name) {
            return;
        }
        let fields = fields(self);
        self.sdl.insert(name.to_owned(), block(way, name, &fields));
    }
}

/// An object or input type in SDL.
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

/// The warning about a column or field whose name was changed.
pub fn renamed(owner: &str, column: &str) -> Option<String> {
    let name = names::column(column);
    (name != column).then(|| format!("Column {column} in table/UDT {owner} mapped as {name}"))
}
