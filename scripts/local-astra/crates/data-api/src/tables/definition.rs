//! Columns, fields of types, and primary keys as they are written.

use crate::codes::Code;
use crate::command::{mismatch, unknown_field};
use crate::error::ApiError;
use crate::json::{Decimal, Json, Members};
use crate::keyspaces::vectorize_is_off;
use store::types::quote;

use super::messages::list;

/// The primitive types, and whether a column, an element or a field can be created with them.
const PRIMITIVES: [(&str, bool); 20] = [
    ("ascii", true),
    ("bigint", true),
    ("blob", true),
    ("boolean", true),
    ("counter", false),
    ("date", true),
    ("decimal", true),
    ("double", true),
    ("duration", true),
    ("float", true),
    ("inet", true),
    ("int", true),
    ("smallint", true),
    ("text", true),
    ("time", true),
    ("timestamp", true),
    ("timeuuid", false),
    ("tinyint", true),
    ("uuid", true),
    ("varint", true),
];
const MEMBERS: [&str; 6] = [
    "type",
    "keyType",
    "valueType",
    "udtName",
    "dimension",
    "service",
];

/// A type as it is written.
#[derive(Clone, Debug)]
pub enum Written {
    Primitive {
        name: &'static str,
        creatable: bool,
    },
    List(Option<Box<Written>>),
    Set(Option<Box<Written>>),
    Map(Option<Box<Written>>, Option<Box<Written>>),
    Vector {
        dimension: Option<i64>,
        service: bool,
    },
    UserDefined(String),
}

/// The place that a type is used in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Column,
    Element,
    MapKey,
    Field,
}

/// Columns or fields by their names.
pub type WrittenColumns = Vec<(String, Written)>;

/// Reads columns or fields.
///
/// # Errors
/// For unknown types, and for JSON that is not a type.
pub fn read_columns(columns: &Members) -> Result<WrittenColumns, ApiError> {
    let columns = columns.iter();
    columns
        .map(|(name, typ)| Ok((name.clone(), Written::read(name, typ)?)))
        .collect()
}

impl Written {
    fn read(column: &str, typ: &Json) -> Result<Written, ApiError> {
        let (name, members) = match typ {
            Json::Text(name) => (name, None),
            Json::Object(members) => {
                let name = members.get("type").and_then(Json::as_text).ok_or_else(|| {
                    mismatch(format!("the type of '{column}' needs a text 'type'"))
                })?;
                (&name.to_owned(), Some(members))
            }
            other => {
                let found = other.type_name();
                return Err(mismatch(format!(
                    "the type of '{column}' must be a text or an object, not {found}"
                )));
            }
        };
        let unknown = |member: &&String| !MEMBERS.contains(&member.as_str());
        if let Some(unknown) = members.and_then(|members| members.keys().find(unknown)) {
            return Err(unknown_field(unknown, MEMBERS.into_iter()));
        }
        let member = |name: &str| members.and_then(|members| members.get(name));
        let inner = |name: &str| {
            let inner = member(name).map(|typ| Written::read(column, typ));
            inner.map(|inner| inner.map(Box::new)).transpose()
        };
        if let Some((name, creatable)) = PRIMITIVES.iter().find(|(known, _)| known == name) {
            return Ok(Written::Primitive {
                name,
                creatable: *creatable,
            });
        }
        Ok(match name.as_str() {
            "list" => Written::List(inner("valueType")?),
            "set" => Written::Set(inner("valueType")?),
            "map" => Written::Map(inner("keyType")?, inner("valueType")?),
            "vector" => Written::Vector {
                dimension: read_dimension(member("dimension"))?,
                service: member("service").is_some_and(|service| !service.is_null()),
            },
            "userDefined" => Written::UserDefined(read_udt_name(member("udtName"))?),
            _ if members.is_none() => {
                let known = list(PRIMITIVES.map(|(name, _)| name));
                let text = format!(
                    "'{name}' is no primitive type, and only those can be written as a text.\n\nThe primitive types are: {known}."
                );
                return Err(ApiError::new(Code::UnknownPrimitiveDataType, text));
            }
            _ => {
                let text = format!("The type '{name}' is unknown.");
                return Err(ApiError::new(Code::UnknownDataType, text));
            }
        })
    }

    /// The name of the type.
    pub fn api_name(&self) -> &'static str {
        match self {
            Written::Primitive { name, .. } => name,
            Written::List(_) => "list",
            Written::Set(_) => "set",
            Written::Map(..) => "map",
            Written::Vector { .. } => "vector",
            Written::UserDefined(_) => "userDefined",
        }
    }

    /// Returns the type in CQL; `None` if the API does not create this type in this place.
    ///
    /// # Errors
    /// For collections of such types, and for vectors without a good dimension.
    pub fn to_cql(&self, place: Place) -> Result<Option<String>, ApiError> {
        match self {
            Written::Primitive { name, creatable } => {
                let allowed = *creatable && !(place == Place::MapKey && *name == "duration");
                Ok(allowed.then(|| (*name).to_owned()))
            }
            Written::UserDefined(name) => Ok(match place {
                Place::Column => Some(quote(name)),
                Place::Element => Some(format!("frozen<{}>", quote(name))),
                Place::MapKey | Place::Field => None,
            }),
            _ if place != Place::Column => Ok(None),
            Written::List(element) => {
                let code = Code::UnsupportedListDefinition;
                let element = self.inner(element.as_deref(), Place::Element, code)?;
                Ok(Some(format!("list<{element}>")))
            }
            Written::Set(element) => {
                let code = Code::UnsupportedSetDefinition;
                let element = self.inner(element.as_deref(), Place::Element, code)?;
                Ok(Some(format!("set<{element}>")))
            }
            Written::Map(key, value) => {
                let code = Code::UnsupportedMapDefinition;
                let value = self.inner(value.as_deref(), Place::Element, code)?;
                let key = self.inner(key.as_deref(), Place::MapKey, code)?;
                Ok(Some(format!("map<{key}, {value}>")))
            }
            Written::Vector { service: true, .. } => Err(vectorize_is_off()),
            Written::Vector { dimension, .. } => match dimension {
                None => {
                    let text = "A vector column needs a 'dimension'.";
                    Err(ApiError::new(Code::MissingDimensionInVectorColumn, text))
                }
                Some(dimension) if *dimension < 1 => Err(bad_dimension(dimension)),
                Some(dimension) => Ok(Some(format!("vector<float, {dimension}>"))),
            },
        }
    }

    fn inner(&self, inner: Option<&Written>, place: Place, code: Code) -> Result<String, ApiError> {
        let cql = inner
            .map(|inner| inner.to_cql(place))
            .transpose()?
            .flatten();
        cql.ok_or_else(|| {
            let (outer, part) = match place {
                Place::MapKey => (self.api_name(), "keys"),
                _ => (self.api_name(), "values"),
            };
            let found = inner.map_or("no type", Written::api_name);
            let text = format!("A {outer} cannot be created with {part} of {found}.");
            ApiError::new(code, text)
        })
    }
}

/// Column definitions in CQL, with quoted names.
///
/// # Errors
/// Those of [`Written::to_cql`], and `code` with all types that cannot be created.
pub fn columns_in_cql(
    columns: &WrittenColumns,
    place: Place,
    code: Code,
) -> Result<Vec<String>, ApiError> {
    let (mut cql, mut unsupported) = (Vec::new(), Vec::new());
    for (name, typ) in columns {
        match typ.to_cql(place)? {
            Some(typ) => cql.push(format!("{} {typ}", quote(name))),
            None => unsupported.push(typ.api_name()),
        }
    }
    if unsupported.is_empty() {
        return Ok(cql);
    }
    unsupported.sort_unstable();
    let known = list(PRIMITIVES.iter().filter(|(_, c)| *c).map(|(name, _)| name));
    let text = format!(
        "The types {} cannot be created here.\n\nSupported are: {known}.",
        list(unsupported)
    );
    Err(ApiError::new(code, text))
}

fn read_dimension(dimension: Option<&Json>) -> Result<Option<i64>, ApiError> {
    match dimension {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::Text(text)) => {
            let dimension = text.parse().map_err(|_| bad_dimension(text))?;
            Ok(Some(dimension))
        }
        Some(Json::Number(number)) => {
            let dimension = Decimal::as_i64(number).ok_or_else(|| bad_dimension(number))?;
            Ok(Some(dimension))
        }
        Some(other) => Err(bad_dimension(other)),
    }
}

fn bad_dimension(found: impl std::fmt::Display) -> ApiError {
    let text = format!("The dimension of a vector must be a positive integer, not {found}.");
    ApiError::new(Code::UnsupportedVectorDimension, text)
}

fn read_udt_name(name: Option<&Json>) -> Result<String, ApiError> {
    let text = name
        .and_then(Json::as_text)
        .filter(|name| !name.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| {
        let text = "A column of a user-defined type needs the type's name as 'udtName'.";
        ApiError::new(Code::InvalidUserDefinedTypeName, text)
    })
}

/// A primary key: the partition key, and the clustering columns, which may be descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryKey {
    pub partition: Vec<String>,
    pub clustering: Vec<(String, bool)>,
}

impl PrimaryKey {
    /// Reads a primary key in the short or the long form.
    ///
    /// # Errors
    /// [`Code::RequestStructureMismatch`] for another structure.
    pub fn read(key: &Json) -> Result<PrimaryKey, ApiError> {
        let members = match key {
            Json::Text(column) => {
                return Ok(PrimaryKey {
                    partition: vec![column.clone()],
                    clustering: Vec::new(),
                });
            }
            Json::Object(members) => members,
            other => {
                let found = other.type_name();
                return Err(mismatch(format!(
                    "'primaryKey' must be a text or an object, not {found}"
                )));
            }
        };
        let partition = members.get("partitionBy").and_then(Json::as_array);
        let partition = partition.ok_or_else(|| mismatch("'partitionBy' must be an array"))?;
        let partition = partition.iter().map(|column| {
            let column = column.as_text().map(str::to_owned);
            column.ok_or_else(|| mismatch("'partitionBy' must have texts"))
        });
        let clustering = match members.get("partitionSort") {
            None => Vec::new(),
            Some(Json::Object(columns)) => {
                let columns = columns.iter().map(|(column, order)| {
                    let order = order.as_number().and_then(Decimal::as_i64);
                    match order {
                        Some(1) => Ok((column.clone(), false)),
                        Some(-1) => Ok((column.clone(), true)),
                        _ => Err(mismatch("'partitionSort' must have 1 or -1 per column")),
                    }
                });
                columns.collect::<Result<_, ApiError>>()?
            }
            Some(other) => {
                let found = other.type_name();
                return Err(mismatch(format!(
                    "'partitionSort' must be an object, not {found}"
                )));
            }
        };
        Ok(PrimaryKey {
            partition: partition.collect::<Result<_, ApiError>>()?,
            clustering,
        })
    }

    /// Checks that all columns of the key are defined.
    ///
    /// # Errors
    /// [`Code::UnknownPartitionSortColumns`], [`Code::MissingPartitionColumns`], [`Code::UnknownPartitionColumns`].
    pub fn check(&self, columns: &WrittenColumns) -> Result<(), ApiError> {
        let unknown = |name: &&String| !columns.iter().any(|(column, _)| column == *name);
        let names = list(columns.iter().map(|(name, _)| name));
        let clustering = self.clustering.iter().map(|(name, _)| name);
        let unknown_clustering: Vec<&String> = clustering.filter(unknown).collect();
        let unknown_partition: Vec<&String> = self.partition.iter().filter(unknown).collect();
        let (code, problem) = if !unknown_clustering.is_empty() {
            let columns = list(unknown_clustering);
            let problem = format!("'partitionSort' has unknown columns: {columns}.");
            (Code::UnknownPartitionSortColumns, problem)
        } else if self.partition.is_empty() {
            let problem = "'partitionBy' needs at least one column.".to_owned();
            (Code::MissingPartitionColumns, problem)
        } else if !unknown_partition.is_empty() {
            let columns = list(unknown_partition);
            let problem = format!("'partitionBy' has unknown columns: {columns}.");
            (Code::UnknownPartitionColumns, problem)
        } else {
            return Ok(());
        };
        let text = format!("{problem}\n\nThe definition has the columns: {names}.");
        Err(ApiError::new(code, text))
    }
}
