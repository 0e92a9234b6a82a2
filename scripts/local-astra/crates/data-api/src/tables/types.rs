//! Types of columns as the API describes them, and what it does with each.

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType, UserDefinedType};

use crate::json::{Json, Members};
use store::types::{native_name, quote};
use store::{Column, ColumnKind};

/// A column type with a name in the API.
#[derive(Clone, Copy, Debug)]
pub enum ApiType<'a> {
    Primitive(&'a NativeType),
    List(&'a ColumnType<'static>),
    Set(&'a ColumnType<'static>),
    /// The types of keys and of values.
    Map(&'a ColumnType<'static>, &'a ColumnType<'static>),
    /// The dimension.
    Vector(u16),
    UserDefined(&'a UserDefinedType<'static>),
    /// Tuples, nested collections, and other types that only CQL has.
    Unsupported,
}

impl ApiType<'_> {
    pub fn of<'a>(typ: &'a ColumnType<'static>) -> ApiType<'a> {
        match typ {
            ColumnType::Native(native) => ApiType::Primitive(native),
            ColumnType::Collection { typ, .. } => match typ {
                CollectionType::List(element) if is_element(element) => ApiType::List(element),
                CollectionType::Set(element) if is_element(element) => ApiType::Set(element),
                CollectionType::Map(key, value) if is_native(key) && is_element(value) => {
                    ApiType::Map(key, value)
                }
                _ => ApiType::Unsupported,
            },
            ColumnType::Vector { typ, dimensions } => match **typ {
                ColumnType::Native(NativeType::Float) => ApiType::Vector(*dimensions),
                _ => ApiType::Unsupported,
            },
            ColumnType::UserDefinedType { definition, .. } if is_flat(definition) => {
                ApiType::UserDefined(definition)
            }
            _ => ApiType::Unsupported,
        }
    }

    /// Returns whether this is a list, set or map.
    pub fn is_collection(&self) -> bool {
        matches!(self, ApiType::List(_) | ApiType::Set(_) | ApiType::Map(..))
    }

    pub fn is_primitive(&self) -> bool {
        matches!(self, ApiType::Primitive(_))
    }
}

fn is_native(typ: &ColumnType<'_>) -> bool {
    matches!(typ, ColumnType::Native(_))
}

/// A type that elements of collections may have.
fn is_element(typ: &ColumnType<'_>) -> bool {
    match typ {
        ColumnType::UserDefinedType { definition, .. } => is_flat(definition),
        typ => is_native(typ),
    }
}

/// A user-defined type whose fields are all primitive.
fn is_flat(definition: &UserDefinedType<'_>) -> bool {
    definition.field_types.iter().all(|(_, typ)| is_native(typ))
}

pub fn is_frozen(typ: &ColumnType<'_>) -> bool {
    matches!(
        typ,
        ColumnType::Collection { frozen: true, .. }
            | ColumnType::UserDefinedType { frozen: true, .. }
    )
}

/// The uses that the API has for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    pub create_table: bool,
    pub insert: bool,
    pub read: bool,
    pub filter: bool,
    /// `$set` and `$unset`.
    pub set: bool,
    /// `$push` and `$pullAll`.
    pub push: bool,
}

impl Support {
    const FULL: Support = Support {
        create_table: true,
        insert: true,
        read: true,
        filter: true,
        set: true,
        push: false,
    };

    /// The support of a type.
    pub fn of(typ: &ColumnType<'static>) -> Support {
        let frozen = is_frozen(typ);
        match ApiType::of(typ) {
            ApiType::Primitive(NativeType::Counter) => Support {
                create_table: false,
                insert: false,
                set: false,
                ..Support::FULL
            },
            ApiType::Primitive(NativeType::Timeuuid) => Support {
                create_table: false,
                ..Support::FULL
            },
            ApiType::Primitive(_) => Support::FULL,
            ApiType::List(_) | ApiType::Set(_) | ApiType::Map(..) => Support {
                create_table: !frozen,
                push: !frozen,
                ..Support::FULL
            },
            ApiType::Vector(_) => Support {
                filter: false,
                ..Support::FULL
            },
            ApiType::UserDefined(_) => Support {
                filter: frozen,
                ..Support::FULL
            },
            ApiType::Unsupported => Support {
                create_table: false,
                insert: false,
                read: false,
                filter: false,
                set: false,
                push: false,
            },
        }
    }

    fn is_whole(self) -> bool {
        self.create_table && self.insert && self.read && self.filter
    }

    fn to_json(self, cql_definition: String) -> Json {
        Json::object([
            ("createTable", Json::Bool(self.create_table)),
            ("insert", Json::Bool(self.insert)),
            ("read", Json::Bool(self.read)),
            ("filter", Json::Bool(self.filter)),
            ("cqlDefinition", Json::Text(cql_definition)),
        ])
    }
}

/// The name of a type.
pub fn api_name(typ: &ColumnType<'static>) -> &'static str {
    match ApiType::of(typ) {
        ApiType::Primitive(native) => native_name(native),
        ApiType::List(_) => "list",
        ApiType::Set(_) => "set",
        ApiType::Map(..) => "map",
        ApiType::Vector(_) => "vector",
        ApiType::UserDefined(_) => "userDefined",
        ApiType::Unsupported => "UNSUPPORTED",
    }
}

/// The place of a description: of a table, or beside rows, where user-defined types show their fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    Table,
    Rows,
}

/// A column in the long form.
pub fn describe_column(column: &Column, usage: Usage) -> Json {
    let is_static = column.kind == ColumnKind::Static;
    if !is_static || matches!(ApiType::of(&column.typ), ApiType::Unsupported) {
        return describe(&column.typ, usage);
    }
    let support = Support {
        create_table: false,
        ..Support::of(&column.typ)
    };
    let definition = format!("static {}", cql_definition(&column.typ));
    Json::object([
        ("type", Json::text(api_name(&column.typ))),
        ("apiSupport", support.to_json(definition)),
    ])
}

/// Columns by their names.
pub fn describe_columns<'a>(columns: impl Iterator<Item = &'a Column>, usage: Usage) -> Json {
    let members = columns.map(|column| (column.name.clone(), describe_column(column, usage)));
    Json::Object(members.collect())
}

/// A type in the long form.
pub fn describe(typ: &ColumnType<'static>, usage: Usage) -> Json {
    let mut members = Members::new();
    let mut add = |name: &str, value: Json| members.insert(name.to_owned(), value);
    add("type", Json::text(api_name(typ)));
    match ApiType::of(typ) {
        ApiType::List(element) | ApiType::Set(element) => {
            add("valueType", describe_element(element, usage));
        }
        ApiType::Map(key, value) => {
            add("keyType", describe_element(key, usage));
            add("valueType", describe_element(value, usage));
        }
        ApiType::Vector(dimension) => {
            add("dimension", Json::integer(dimension));
        }
        ApiType::UserDefined(definition) => {
            add("udtName", Json::text(definition.name.as_ref()));
            if usage == Usage::Rows {
                add("definition", describe_fields(definition));
            }
        }
        ApiType::Primitive(_) | ApiType::Unsupported => {}
    }
    let support = Support::of(typ);
    if !support.is_whole() {
        add("apiSupport", support.to_json(cql_definition(typ)));
    }
    Json::Object(members)
}

fn describe_element(typ: &ColumnType<'static>, usage: Usage) -> Json {
    match ApiType::of(typ) {
        ApiType::Primitive(native) => Json::text(native_name(native)),
        _ => describe(typ, usage),
    }
}

fn describe_fields(definition: &UserDefinedType<'static>) -> Json {
    let fields = definition.field_types.iter();
    let fields = fields.map(|(name, typ)| (name.to_string(), describe(typ, Usage::Rows)));
    Json::object([("fields", Json::Object(fields.collect()))])
}

/// The type in CQL; names are quoted only where they have to be.
pub fn cql_definition(typ: &ColumnType<'_>) -> String {
    let (frozen, text) = match typ {
        ColumnType::Native(native) => (false, native_name(native).to_owned()),
        ColumnType::Collection { frozen, typ } => {
            let text = match typ {
                CollectionType::List(element) => format!("list<{}>", cql_definition(element)),
                CollectionType::Set(element) => format!("set<{}>", cql_definition(element)),
                CollectionType::Map(key, value) => {
                    format!("map<{}, {}>", cql_definition(key), cql_definition(value))
                }
                // The enum is open, CQL is not.
                _ => "blob".to_owned(),
            };
            (*frozen, text)
        }
        ColumnType::Vector { typ, dimensions } => {
            let element = cql_definition(typ);
            (false, format!("vector<{element}, {dimensions}>"))
        }
        ColumnType::UserDefinedType { frozen, definition } => {
            let (keyspace, name) = (shown(&definition.keyspace), shown(&definition.name));
            (*frozen, format!("{keyspace}.{name}"))
        }
        ColumnType::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(cql_definition).collect();
            (true, format!("tuple<{}>", parts.join(", ")))
        }
        _ => (false, "blob".to_owned()),
    };
    if frozen {
        format!("frozen<{text}>")
    } else {
        text
    }
}

/// A name in CQL, quoted if it has other characters than lower-case letters, digits and underscores.
pub fn shown(name: &str) -> String {
    let mut bytes = name.bytes();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts && bytes.all(plain) {
        name.to_owned()
    } else {
        quote(name)
    }
}
