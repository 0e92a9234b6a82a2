//! CQL type texts, in the form of `system_schema` and the interfaces, and quoted names.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType, UserDefinedType};

/// Quotes an identifier, and escapes quotes in it: `a"b` becomes `"a""b"`.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns `keyspace.table` (or type, or index), both quoted.
pub fn quote_in(keyspace: &str, name: &str) -> String {
    format!("{}.{}", quote(keyspace), quote(name))
}

/// Quotes a text for statements without bound values: `it's` becomes `'it''s'`.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A CQL type. A user-defined type is only a name here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeName {
    Native(NativeType),
    Frozen(Box<TypeName>),
    List(Box<TypeName>),
    Set(Box<TypeName>),
    Map(Box<TypeName>, Box<TypeName>),
    Tuple(Vec<TypeName>),
    /// Element type and number of elements.
    Vector(Box<TypeName>, u16),
    /// The exact, case-sensitive name of a user-defined type.
    UserDefined(String),
}

/// Failure to read a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    #[error("Invalid type definition '{0}'")]
    Syntax(String),
    #[error("Unknown type {0}")]
    Unknown(String),
}

/// Maximum nesting depth. Cassandra itself fails far earlier on real tables.
pub const MAX_DEPTH: usize = 32;
/// The most types that one consists of, with those of the fields of user-defined types.
const MAX_NODES: usize = 10_000;

impl TypeName {
    /// Parses a type. Built-in names must be in lower case; any other name, quoted or not, is a user-defined type.
    ///
    /// # Errors
    /// [`TypeError::Syntax`] with the whole text.
    pub fn parse(text: &str) -> Result<TypeName, TypeError> {
        let mut reader = Reader { rest: text };
        reader
            .typ(0)
            .filter(|_| reader.rest.trim().is_empty())
            .ok_or_else(|| TypeError::Syntax(text.to_owned()))
    }

    /// Returns the type in CQL, with quoted names of user-defined types.
    pub fn to_cql(&self) -> String {
        match self {
            TypeName::Native(native) => native_name(native).to_owned(),
            TypeName::Frozen(inner) => format!("frozen<{}>", inner.to_cql()),
            TypeName::List(inner) => format!("list<{}>", inner.to_cql()),
            TypeName::Set(inner) => format!("set<{}>", inner.to_cql()),
            TypeName::Map(key, value) => format!("map<{}, {}>", key.to_cql(), value.to_cql()),
            TypeName::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(TypeName::to_cql).collect();
                format!("tuple<{}>", parts.join(", "))
            }
            TypeName::Vector(inner, size) => format!("vector<{}, {size}>", inner.to_cql()),
            TypeName::UserDefined(name) => quote(name),
        }
    }

    /// Removes the outer `frozen<…>`.
    pub fn thawed(&self) -> &TypeName {
        match self {
            TypeName::Frozen(inner) => inner,
            other => other,
        }
    }

    pub fn is_frozen(&self) -> bool {
        matches!(self, TypeName::Frozen(_))
    }

    /// Returns true for a user-defined type, frozen or not.
    pub fn is_user_defined(&self) -> bool {
        matches!(self.thawed(), TypeName::UserDefined(_))
    }

    /// Returns true for a list, set or map, frozen or not.
    pub fn is_collection(&self) -> bool {
        matches!(
            self.thawed(),
            TypeName::List(_) | TypeName::Set(_) | TypeName::Map(..)
        )
    }

    /// Returns the driver's type, with user-defined types resolved.
    ///
    /// # Errors
    /// [`TypeError::Unknown`] for a user-defined type missing from `types`; [`TypeError::Syntax`] for a type that is
    /// nested too deep, or that consists of too many types.
    pub fn resolve(&self, types: &UserTypes<'_>) -> Result<ColumnType<'static>, TypeError> {
        self.resolve_as(types, false, 0, &Cell::new(MAX_NODES))
    }

    fn resolve_as(
        &self,
        types: &UserTypes<'_>,
        frozen: bool,
        depth: usize,
        nodes: &Cell<usize>,
    ) -> Result<ColumnType<'static>, TypeError> {
        let left = nodes.get().checked_sub(1).filter(|_| depth <= MAX_DEPTH);
        nodes.set(left.ok_or_else(|| TypeError::Syntax(self.to_cql()))?);
        let element = |t: &TypeName| t.resolve_as(types, false, depth + 1, nodes);
        let collection = |typ| ColumnType::Collection { frozen, typ };
        Ok(match self {
            TypeName::Native(native) => ColumnType::Native(native.clone()),
            TypeName::Frozen(inner) => inner.resolve_as(types, true, depth + 1, nodes)?,
            TypeName::List(inner) => collection(CollectionType::List(Box::new(element(inner)?))),
            TypeName::Set(inner) => collection(CollectionType::Set(Box::new(element(inner)?))),
            TypeName::Map(key, value) => collection(CollectionType::Map(
                Box::new(element(key)?),
                Box::new(element(value)?),
            )),
            TypeName::Tuple(parts) => {
                ColumnType::Tuple(parts.iter().map(element).collect::<Result<_, _>>()?)
            }
            TypeName::Vector(inner, dimensions) => ColumnType::Vector {
                typ: Box::new(element(inner)?),
                dimensions: *dimensions,
            },
            TypeName::UserDefined(name) => {
                let fields = types
                    .fields
                    .get(name)
                    .ok_or_else(|| TypeError::Unknown(format!("{}.{name}", types.keyspace)))?;
                let field_types = fields
                    .iter()
                    .map(|(field, typ)| Ok((Cow::Owned(field.clone()), element(typ)?)))
                    .collect::<Result<Vec<_>, TypeError>>()?;
                ColumnType::UserDefinedType {
                    frozen,
                    definition: Arc::new(UserDefinedType {
                        name: Cow::Owned(name.clone()),
                        keyspace: Cow::Owned(types.keyspace.to_owned()),
                        field_types,
                    }),
                }
            }
        })
    }
}

impl From<&ColumnType<'_>> for TypeName {
    fn from(typ: &ColumnType<'_>) -> TypeName {
        let boxed = |t: &ColumnType<'_>| Box::new(TypeName::from(t));
        let (frozen, name) = match typ {
            ColumnType::Native(native) => (false, TypeName::Native(native.clone())),
            ColumnType::Collection { frozen, typ } => {
                let name = match typ {
                    CollectionType::List(element) => TypeName::List(boxed(element)),
                    CollectionType::Set(element) => TypeName::Set(boxed(element)),
                    CollectionType::Map(key, value) => TypeName::Map(boxed(key), boxed(value)),
                    // The enum is open, CQL is not.
                    _ => TypeName::Native(NativeType::Blob),
                };
                (*frozen, name)
            }
            ColumnType::Vector { typ, dimensions } => {
                (false, TypeName::Vector(boxed(typ), *dimensions))
            }
            ColumnType::UserDefinedType { frozen, definition } => {
                (*frozen, TypeName::UserDefined(definition.name.to_string()))
            }
            ColumnType::Tuple(parts) => (
                false,
                TypeName::Tuple(parts.iter().map(TypeName::from).collect()),
            ),
            _ => (false, TypeName::Native(NativeType::Blob)),
        };
        if frozen {
            TypeName::Frozen(Box::new(name))
        } else {
            name
        }
    }
}

/// The user-defined types of one keyspace: by name, the fields in order with their types.
pub struct UserTypes<'a> {
    pub keyspace: &'a str,
    pub fields: BTreeMap<String, Vec<(String, TypeName)>>,
}

/// Parses a type that contains no user-defined types.
///
/// # Errors
/// Those of [`TypeName::parse`] and [`TypeName::resolve`].
pub fn built_in(text: &str) -> Result<ColumnType<'static>, TypeError> {
    let none = UserTypes {
        keyspace: "",
        fields: BTreeMap::new(),
    };
    TypeName::parse(text)?.resolve(&none)
}

/// Returns the CQL name of a built-in type; `text` for `varchar`, the name on older servers.
pub fn native_name(native: &NativeType) -> &'static str {
    match native {
        NativeType::Ascii => "ascii",
        NativeType::Boolean => "boolean",
        NativeType::Blob => "blob",
        NativeType::Counter => "counter",
        NativeType::Date => "date",
        NativeType::Decimal => "decimal",
        NativeType::Double => "double",
        NativeType::Duration => "duration",
        NativeType::Float => "float",
        NativeType::Int => "int",
        NativeType::BigInt => "bigint",
        NativeType::Text => "text",
        NativeType::Timestamp => "timestamp",
        NativeType::Inet => "inet",
        NativeType::SmallInt => "smallint",
        NativeType::TinyInt => "tinyint",
        NativeType::Time => "time",
        NativeType::Timeuuid => "timeuuid",
        NativeType::Uuid => "uuid",
        NativeType::Varint => "varint",
        // The enum is open; a type that this driver learns later is shown as bytes.
        _ => "blob",
    }
}

fn native(name: &str) -> Option<NativeType> {
    Some(match name {
        "ascii" => NativeType::Ascii,
        "boolean" => NativeType::Boolean,
        "blob" => NativeType::Blob,
        "counter" => NativeType::Counter,
        "date" => NativeType::Date,
        "decimal" => NativeType::Decimal,
        "double" => NativeType::Double,
        "duration" => NativeType::Duration,
        "float" => NativeType::Float,
        "int" => NativeType::Int,
        "bigint" => NativeType::BigInt,
        "text" | "varchar" => NativeType::Text,
        "timestamp" => NativeType::Timestamp,
        "inet" => NativeType::Inet,
        "smallint" => NativeType::SmallInt,
        "tinyint" => NativeType::TinyInt,
        "time" => NativeType::Time,
        "timeuuid" => NativeType::Timeuuid,
        "uuid" => NativeType::Uuid,
        "varint" => NativeType::Varint,
        _ => return None,
    })
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn typ(&mut self, depth: usize) -> Option<TypeName> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('"') {
            return self.quoted().map(TypeName::UserDefined);
        }
        let end = self
            .rest
            .find(['<', '>', ',', '"'])
            .unwrap_or(self.rest.len());
        let name = self.rest[..end].trim_end();
        self.rest = &self.rest[end..];
        if name.is_empty() {
            return None;
        }
        if !self.rest.starts_with('<') {
            return Some(match native(name) {
                Some(native) => TypeName::Native(native),
                None => TypeName::UserDefined(name.to_owned()),
            });
        }
        self.rest = &self.rest[1..];
        let typ = match name {
            "frozen" => TypeName::Frozen(Box::new(self.typ(depth + 1)?)),
            "list" => TypeName::List(Box::new(self.typ(depth + 1)?)),
            "set" => TypeName::Set(Box::new(self.typ(depth + 1)?)),
            "map" => {
                let key = self.typ(depth + 1)?;
                self.expect(',')?;
                TypeName::Map(Box::new(key), Box::new(self.typ(depth + 1)?))
            }
            "tuple" => {
                let mut parts = vec![self.typ(depth + 1)?];
                while self.expect(',').is_some() {
                    parts.push(self.typ(depth + 1)?);
                }
                TypeName::Tuple(parts)
            }
            "vector" => {
                let element = self.typ(depth + 1)?;
                self.expect(',')?;
                let end = self.rest.find('>')?;
                let size = self.rest[..end].trim().parse().ok()?;
                self.rest = &self.rest[end..];
                TypeName::Vector(Box::new(element), size)
            }
            _ => return None,
        };
        self.expect('>')?;
        Some(typ)
    }

    /// Reads a name in double quotes; two quotes inside stand for one.
    fn quoted(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c != '"' {
                name.push(c);
            } else if chars.next_if(|(_, next)| *next == '"').is_some() {
                name.push('"');
            } else {
                self.rest = &self.rest[at + 1..];
                return (!name.is_empty()).then_some(name);
            }
        }
        None
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(wanted)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_and_written() {
        for (text, cql) in [
            ("int", "int"),
            ("varchar", "text"),
            ("map<text,int>", "map<text, int>"),
            (
                "list<frozen<map<text, frozen<addr>>>>",
                "list<frozen<map<text, frozen<\"addr\">>>>",
            ),
            ("tuple<text, int , uuid>", "tuple<text, int, uuid>"),
            ("vector<float, 3>", "vector<float, 3>"),
            ("frozen<\"My \"\"Type\">", "frozen<\"My \"\"Type\">"),
            ("Addr", "\"Addr\""),
            ("x; DROP KEYSPACE samples", "\"x; DROP KEYSPACE samples\""),
        ] {
            assert_eq!(TypeName::parse(text).unwrap().to_cql(), cql, "{text}");
        }
    }

    #[test]
    fn a_bad_type_is_refused() {
        for text in [
            "",
            " ",
            "list<",
            "list<int",
            "list<int>>",
            "map<int>",
            "vector<float, x>",
            "foo<int>",
            "\"open",
            "list<\"a\"b>",
            "vector<float, 70000>",
            "int, \"x\"",
        ] {
            assert!(TypeName::parse(text).is_err(), "{text}");
        }
        assert!(TypeName::parse(&"list<".repeat(100_000)).is_err());
    }

    #[test]
    fn user_defined_types_are_looked_up() {
        let types = UserTypes {
            keyspace: "ks",
            fields: [(
                "addr".to_owned(),
                vec![("zip".to_owned(), TypeName::Native(NativeType::Int))],
            )]
            .into(),
        };
        let typ = TypeName::parse("frozen<addr>").unwrap();
        assert!(matches!(
            typ.resolve(&types).unwrap(),
            ColumnType::UserDefinedType { frozen: true, definition } if definition.field_types.len() == 1
        ));
        let unknown = TypeName::parse("nosuch").unwrap().resolve(&types);
        assert_eq!(unknown, Err(TypeError::Unknown("ks.nosuch".to_owned())));
    }

    #[test]
    fn types_that_double_with_each_level_come_to_an_end() {
        let pair = |n: usize| {
            let below = TypeName::UserDefined(format!("t{n}"));
            vec![("a".to_owned(), below.clone()), ("b".to_owned(), below)]
        };
        let int = ("i".to_owned(), TypeName::Native(NativeType::Int));
        let levels = (1..30).map(|n| (format!("t{n}"), pair(n - 1)));
        let types = UserTypes {
            keyspace: "ks",
            fields: levels.chain([("t0".to_owned(), vec![int])]).collect(),
        };
        let resolved = |n: usize| TypeName::UserDefined(format!("t{n}")).resolve(&types);
        assert!(resolved(10).is_ok());
        assert_eq!(resolved(29), Err(TypeError::Syntax("\"t0\"".to_owned())));
    }

    #[test]
    fn a_quote_in_a_name_or_a_text_does_not_end_it() {
        assert_eq!(quote("a\" DROP"), "\"a\"\" DROP\"");
        assert_eq!(literal("a' OR 'b"), "'a'' OR ''b'");
    }
}
