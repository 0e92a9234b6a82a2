//! The commands: at which level each is, and the fields and options that it takes.

use super::codes::Code;
use super::error::ApiError;

/// The level of a URL: the top, a keyspace, or a collection or table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Database,
    Keyspace,
    Collection,
}

impl Level {
    pub fn shown(self) -> &'static str {
        match self {
            Level::Database => "General",
            Level::Keyspace => "Keyspace",
            Level::Collection => "Collection",
        }
    }
}

/// The type of a field or option. Jackson converts scalars whose texts are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Any,
    Bool,
    Integer,
    Text,
    Object,
    Array,
}

/// A field or an option: its name, and the name that it had in old versions.
pub type Field = (&'static str, Option<&'static str>, Kind);

/// A command with its fields and options.
#[derive(Debug)]
pub struct Spec {
    pub name: &'static str,
    pub level: Level,
    pub fields: &'static [Field],
    pub required: &'static [&'static str],
    pub options: Options,
}

#[derive(Debug)]
pub enum Options {
    /// None, but an empty object.
    None,
    Known(&'static [Field]),
    /// Those that the command reads itself.
    Own,
}

const FILTER: Field = ("filter", None, Kind::Any);
const SORT: Field = ("sort", None, Kind::Any);
const PROJECTION: Field = ("projection", None, Kind::Any);
const UPDATE: Field = ("update", None, Kind::Any);
const NAME: Field = ("name", None, Kind::Text);
const UPSERT: Field = ("upsert", None, Kind::Bool);
const PAGE_STATE: Field = ("pageState", Some("pagingState"), Kind::Text);
const RETURNED: Field = ("returnDocument", None, Kind::Text);
const SIMILARITY: Field = ("includeSimilarity", None, Kind::Bool);
const SORT_VECTOR: Field = ("includeSortVector", None, Kind::Bool);
const DEFINITION: Field = ("definition", None, Kind::Object);
const EXPLAIN: Options = Options::Known(&[("explain", None, Kind::Bool)]);
const IF_EXISTS: Options = Options::Known(&[("ifExists", None, Kind::Bool)]);
const IF_NOT_EXISTS: Options = Options::Known(&[("ifNotExists", None, Kind::Bool)]);
const INDEX: &[Field] = &[DEFINITION, ("indexType", None, Kind::Text), NAME];

const fn spec(
    level: Level,
    name: &'static str,
    fields: &'static [Field],
    required: &'static [&'static str],
    options: Options,
) -> Spec {
    Spec {
        name,
        level,
        fields,
        required,
        options,
    }
}

/// The commands that local Astra serves.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    spec(Level::Database, "createKeyspace", &[NAME], &[], Options::Own),
    spec(Level::Database, "createNamespace", &[NAME], &[], Options::Own),
    spec(Level::Database, "dropKeyspace", &[NAME], &[], Options::None),
    spec(Level::Database, "dropNamespace", &[NAME], &[], Options::None),
    spec(Level::Database, "findKeyspaces", &[], &[], Options::None),
    spec(Level::Database, "findNamespaces", &[], &[], Options::None),
    spec(Level::Database, "findEmbeddingProviders", &[], &[], Options::Known(&[("filterModelStatus", None, Kind::Text)])),
    spec(Level::Database, "findRerankingProviders", &[], &[], Options::Known(&[("filterModelStatus", None, Kind::Text)])),
    spec(Level::Keyspace, "alterType", &[("add", None, Kind::Object), NAME, ("rename", None, Kind::Object)], &[], Options::None),
    spec(Level::Keyspace, "createCollection", &[NAME], &[], Options::Own),
    spec(Level::Keyspace, "createTable", &[DEFINITION, NAME], &["definition"], IF_NOT_EXISTS),
    spec(Level::Keyspace, "createType", &[DEFINITION, NAME], &["definition"], IF_NOT_EXISTS),
    spec(Level::Keyspace, "deleteCollection", &[NAME], &[], Options::None),
    spec(Level::Keyspace, "dropIndex", &[NAME], &[], IF_EXISTS),
    spec(Level::Keyspace, "dropTable", &[NAME], &[], IF_EXISTS),
    spec(Level::Keyspace, "dropType", &[NAME], &[], IF_EXISTS),
    spec(Level::Keyspace, "findCollections", &[], &[], EXPLAIN),
    spec(Level::Keyspace, "listTables", &[], &[], EXPLAIN),
    spec(Level::Keyspace, "listTypes", &[], &[], EXPLAIN),
    spec(Level::Collection, "alterTable", &[("operation", None, Kind::Object)], &["operation"], Options::None),
    spec(Level::Collection, "countDocuments", &[FILTER], &[], Options::None),
    spec(Level::Collection, "createIndex", INDEX, &["definition"], IF_NOT_EXISTS),
    spec(Level::Collection, "createTextIndex", INDEX, &["definition"], IF_NOT_EXISTS),
    spec(Level::Collection, "createVectorIndex", INDEX, &["definition"], IF_NOT_EXISTS),
    spec(Level::Collection, "deleteMany", &[FILTER], &[], Options::None),
    spec(Level::Collection, "deleteOne", &[FILTER, SORT], &["filter"], Options::None),
    spec(Level::Collection, "estimatedDocumentCount", &[], &[], Options::None),
    spec(Level::Collection, "find", &[FILTER, PROJECTION, SORT], &[], Options::Known(&[
        SIMILARITY, SORT_VECTOR, ("limit", None, Kind::Integer), PAGE_STATE, ("skip", None, Kind::Integer)])),
    spec(Level::Collection, "findAndRerank", &[FILTER, PROJECTION, SORT], &[], Options::Own),
    spec(Level::Collection, "findOne", &[FILTER, PROJECTION, SORT], &[], Options::Known(&[SIMILARITY, SORT_VECTOR])),
    spec(Level::Collection, "findOneAndDelete", &[FILTER, PROJECTION, SORT], &[], Options::None),
    spec(Level::Collection, "findOneAndReplace", &[FILTER, PROJECTION, ("replacement", None, Kind::Object), SORT],
        &["replacement"], Options::Known(&[RETURNED, UPSERT])),
    spec(Level::Collection, "findOneAndUpdate", &[FILTER, PROJECTION, SORT, UPDATE], &["update"],
        Options::Known(&[RETURNED, UPSERT])),
    spec(Level::Collection, "insertMany", &[("documents", None, Kind::Array)], &["documents"], Options::Known(&[
        ("ordered", None, Kind::Bool), ("returnDocumentResponses", None, Kind::Bool)])),
    spec(Level::Collection, "insertOne", &[("document", None, Kind::Any)], &["document"], Options::None),
    spec(Level::Collection, "listIndexes", &[], &[], EXPLAIN),
    spec(Level::Collection, "updateMany", &[FILTER, UPDATE], &["update"], Options::Known(&[PAGE_STATE, UPSERT])),
    spec(Level::Collection, "updateOne", &[FILTER, SORT, UPDATE], &["update"], Options::Known(&[UPSERT])),
];

/// Commands at a collection or table that only tables have.
const OF_TABLES: [&str; 5] = [
    "alterTable",
    "createIndex",
    "createTextIndex",
    "createVectorIndex",
    "listIndexes",
];
/// Commands at a collection or table that only collections have.
const OF_COLLECTIONS: [&str; 7] = [
    "countDocuments",
    "estimatedDocumentCount",
    "findAndRerank",
    "findOneAndDelete",
    "findOneAndReplace",
    "findOneAndUpdate",
    "updateMany",
];

/// Checks that a collection has the command.
///
/// # Errors
/// [`Code::UnsupportedCollectionCommand`]
pub fn require_of_collections(
    name: &str,
    keyspace: &str,
    collection: &str,
) -> Result<(), ApiError> {
    if !OF_TABLES.contains(&name) {
        return Ok(());
    }
    let text = format!(
        "The command {name} is for tables; {keyspace}.{collection} is a collection.\n\nCollections support: {}.",
        commands_without(&OF_TABLES)
    );
    Err(ApiError::new(Code::UnsupportedCollectionCommand, text))
}

/// Checks that a table has the command.
///
/// # Errors
/// [`Code::UnsupportedTableCommand`]
pub fn require_of_tables(name: &str, keyspace: &str, table: &str) -> Result<(), ApiError> {
    if !OF_COLLECTIONS.contains(&name) {
        return Ok(());
    }
    let text = format!(
        "The command {name} is for collections; {keyspace}.{table} is a table.\n\nTables support: {}.",
        commands_without(&OF_COLLECTIONS)
    );
    Err(ApiError::new(Code::UnsupportedTableCommand, text))
}

fn commands_without(others: &[&str]) -> String {
    let specs = COMMANDS.iter().filter(|s| s.level == Level::Collection);
    let names: Vec<&str> = specs
        .map(|spec| spec.name)
        .filter(|name| !others.contains(name))
        .collect();
    names.join(", ")
}
