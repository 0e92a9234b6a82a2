//! The schema: one snapshot of `system_schema` for all interfaces.

use std::collections::BTreeMap;
use std::sync::Arc;

use scylla::DeserializeRow;
use scylla::cluster::metadata::{ColumnType, NativeType};
use scylla::deserialize::row::DeserializeRow as FromRow;
use uuid::Uuid;

use super::driver::Session;
use super::error::{Code, StoreError};
use super::records;
use super::types::{TypeName, UserTypes};

/// All keyspaces at one schema version.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Cassandra's schema version, read before the rest: the next poll detects changes made in between.
    pub version: Uuid,
    pub keyspaces: BTreeMap<String, Arc<Keyspace>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyspace {
    pub name: String,
    /// `class` and the strategy's options, in Cassandra's form.
    pub replication: BTreeMap<String, String>,
    /// Tables and materialized views.
    pub tables: BTreeMap<String, Arc<Table>>,
    pub types: BTreeMap<String, Arc<UserType>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub keyspace: String,
    pub name: String,
    /// Partition key, clustering columns, static columns, then all others by name.
    pub columns: Vec<Column>,
    /// In seconds; 0 means none.
    pub default_time_to_live: i32,
    pub comment: String,
    pub indexes: Vec<Index>,
    pub is_view: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    pub typ: ColumnType<'static>,
    /// Only true for clustering columns.
    pub descending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnKind {
    PartitionKey,
    Clustering,
    Static,
    Regular,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserType {
    pub keyspace: String,
    pub name: String,
    pub fields: Vec<(String, ColumnType<'static>)>,
}

/// A row of `system_schema.indexes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    /// `COMPOSITES`, `KEYS` or `CUSTOM`.
    pub kind: String,
    pub options: BTreeMap<String, String>,
}

impl Schema {
    /// Returns the table or view if both it and its keyspace exist.
    pub fn table(&self, keyspace: &str, table: &str) -> Option<&Arc<Table>> {
        self.keyspaces.get(keyspace)?.tables.get(table)
    }
}

impl Keyspace {
    /// Returns true for Cassandra's own keyspaces, parts of which every role can read.
    pub fn is_system(&self) -> bool {
        is_system(&self.name)
    }

    /// Returns the user-defined types in the form for [`TypeName::resolve`].
    pub fn user_types(&self) -> UserTypes<'_> {
        UserTypes {
            keyspace: &self.name,
            fields: self
                .types
                .values()
                .map(|typ| {
                    let fields = typ.fields.iter();
                    let fields = fields.map(|(name, typ)| (name.clone(), TypeName::from(typ)));
                    (typ.name.clone(), fields.collect())
                })
                .collect(),
        }
    }
}

/// Returns true for Cassandra's own keyspaces.
pub fn is_system(keyspace: &str) -> bool {
    matches!(
        keyspace,
        "system"
            | "system_auth"
            | "system_distributed"
            | "system_schema"
            | "system_traces"
            | "system_views"
            | "system_virtual_schema"
            | "system_metadata"
    )
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn partition_key(&self) -> impl Iterator<Item = &Column> {
        self.of_kind(ColumnKind::PartitionKey)
    }

    pub fn clustering_key(&self) -> impl Iterator<Item = &Column> {
        self.of_kind(ColumnKind::Clustering)
    }

    fn of_kind(&self, kind: ColumnKind) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(move |column| column.kind == kind)
    }
}

#[derive(DeserializeRow)]
struct KeyspaceRow {
    keyspace_name: String,
    replication: BTreeMap<String, String>,
}

#[derive(DeserializeRow)]
struct TableRow {
    keyspace_name: String,
    table_name: String,
    comment: Option<String>,
    default_time_to_live: Option<i32>,
}

#[derive(DeserializeRow)]
struct ViewRow {
    keyspace_name: String,
    view_name: String,
    comment: Option<String>,
    default_time_to_live: Option<i32>,
}

#[derive(DeserializeRow)]
struct ColumnRow {
    keyspace_name: String,
    table_name: String,
    column_name: String,
    clustering_order: String,
    kind: String,
    position: i32,
    #[scylla(rename = "type")]
    typ: String,
}

#[derive(DeserializeRow)]
struct TypeRow {
    keyspace_name: String,
    type_name: String,
    field_names: Vec<String>,
    field_types: Vec<String>,
}

#[derive(DeserializeRow)]
struct IndexRow {
    keyspace_name: String,
    table_name: String,
    index_name: String,
    kind: String,
    options: BTreeMap<String, String>,
}

/// Returns the schema version of the node that responds.
///
/// # Errors
/// Cassandra's, or one for a response without a version.
pub async fn version(admin: &Session) -> Result<Uuid, StoreError> {
    let rows: Vec<(Uuid,)> = rows(
        admin,
        "SELECT schema_version FROM system.local WHERE key = 'local'",
    )
    .await?;
    let row = rows.first().ok_or_else(|| {
        StoreError::new(
            Code::Internal,
            "system.local has no row with a schema version",
        )
    })?;
    Ok(row.0)
}

/// Reads the whole schema with a session that has the permission.
pub async fn read(admin: &Session) -> Result<Schema, StoreError> {
    let version = version(admin).await?;
    let keyspaces: Vec<KeyspaceRow> = rows(
        admin,
        "SELECT keyspace_name, replication FROM system_schema.keyspaces",
    )
    .await?;
    let types: Vec<TypeRow> = rows(
        admin,
        "SELECT keyspace_name, type_name, field_names, field_types FROM system_schema.types",
    )
    .await?;
    let tables: Vec<TableRow> = rows(
        admin,
        "SELECT keyspace_name, table_name, comment, default_time_to_live FROM system_schema.tables",
    )
    .await?;
    let views: Vec<ViewRow> = rows(
        admin,
        "SELECT keyspace_name, view_name, comment, default_time_to_live FROM system_schema.views",
    )
    .await?;
    let columns: Vec<ColumnRow> = rows(
        admin,
        "SELECT keyspace_name, table_name, column_name, clustering_order, kind, position, type \
         FROM system_schema.columns",
    )
    .await?;
    let indexes: Vec<IndexRow> = rows(
        admin,
        "SELECT keyspace_name, table_name, index_name, kind, options FROM system_schema.indexes",
    )
    .await?;

    let mut columns = by_table(columns, |row| (&row.keyspace_name, &row.table_name));
    let mut indexes = by_table(indexes, |row| (&row.keyspace_name, &row.table_name));
    let mut schema = Schema {
        version,
        ..Schema::default()
    };
    // Local Astra's own keyspace is hidden from all interfaces.
    for row in keyspaces
        .into_iter()
        .filter(|k| k.keyspace_name != records::KEYSPACE)
    {
        let mut names = UserTypes {
            keyspace: &row.keyspace_name,
            fields: BTreeMap::new(),
        };
        for typ in types
            .iter()
            .filter(|t| t.keyspace_name == row.keyspace_name)
        {
            let fields = typ.field_names.iter().zip(&typ.field_types);
            let fields = fields.map(|(name, typ)| (name.clone(), type_name(typ)));
            names.fields.insert(typ.type_name.clone(), fields.collect());
        }
        let user_types = names.fields.iter().map(|(name, fields)| {
            let fields = fields
                .iter()
                .map(|(f, typ)| (f.clone(), resolve(typ, &names)));
            let typ = UserType {
                keyspace: row.keyspace_name.clone(),
                name: name.clone(),
                fields: fields.collect(),
            };
            (name.clone(), Arc::new(typ))
        });
        let mut keyspace = Keyspace {
            name: row.keyspace_name.clone(),
            replication: row.replication,
            tables: BTreeMap::new(),
            types: user_types.collect(),
        };
        let own_tables = tables.iter().map(|t| {
            (
                &t.keyspace_name,
                &t.table_name,
                &t.comment,
                t.default_time_to_live,
                false,
            )
        });
        let own_views = views.iter().map(|v| {
            (
                &v.keyspace_name,
                &v.view_name,
                &v.comment,
                v.default_time_to_live,
                true,
            )
        });
        for (_, name, comment, time_to_live, is_view) in own_tables
            .chain(own_views)
            .filter(|(keyspace, ..)| **keyspace == row.keyspace_name)
        {
            let key = (row.keyspace_name.clone(), name.clone());
            let table = Table {
                keyspace: row.keyspace_name.clone(),
                name: name.clone(),
                columns: ordered(columns.remove(&key).unwrap_or_default(), &names),
                default_time_to_live: time_to_live.unwrap_or(0),
                comment: comment.clone().unwrap_or_default(),
                indexes: indexes
                    .remove(&key)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|index| Index {
                        name: index.index_name,
                        kind: index.kind,
                        options: index.options,
                    })
                    .collect(),
                is_view,
            };
            keyspace.tables.insert(name.clone(), Arc::new(table));
        }
        schema
            .keyspaces
            .insert(row.keyspace_name.clone(), Arc::new(keyspace));
    }
    Ok(schema)
}

fn ordered(mut rows: Vec<ColumnRow>, types: &UserTypes<'_>) -> Vec<Column> {
    rows.sort_by(|a, b| {
        let key = |row: &ColumnRow| (column_kind(&row.kind), row.position);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.column_name.cmp(&b.column_name))
    });
    rows.into_iter()
        .map(|row| Column {
            kind: column_kind(&row.kind),
            typ: resolve(&type_name(&row.typ), types),
            descending: row.clustering_order == "desc",
            name: row.column_name,
        })
        .collect()
}

fn column_kind(kind: &str) -> ColumnKind {
    match kind {
        "partition_key" => ColumnKind::PartitionKey,
        "clustering" => ColumnKind::Clustering,
        "static" => ColumnKind::Static,
        _ => ColumnKind::Regular,
    }
}

/// Parses a type. A type without a CQL name (`'org.apache.…'`, `empty`) becomes bytes.
fn type_name(text: &str) -> TypeName {
    TypeName::parse(text).unwrap_or(TypeName::Native(NativeType::Blob))
}

fn resolve(typ: &TypeName, types: &UserTypes<'_>) -> ColumnType<'static> {
    typ.resolve(types)
        .unwrap_or(ColumnType::Native(NativeType::Blob))
}

fn by_table<T>(
    rows: Vec<T>,
    key: impl Fn(&T) -> (&String, &String),
) -> BTreeMap<(String, String), Vec<T>> {
    let mut map: BTreeMap<(String, String), Vec<T>> = BTreeMap::new();
    for row in rows {
        let (keyspace, table) = key(&row);
        map.entry((keyspace.clone(), table.clone()))
            .or_default()
            .push(row);
    }
    map
}

/// Reads all rows of a small system table.
pub async fn rows<R>(admin: &Session, cql: &str) -> Result<Vec<R>, StoreError>
where
    R: for<'f, 'm> FromRow<'f, 'm>,
{
    let unreadable = |error: String| {
        StoreError::new(
            Code::Internal,
            format!("cannot read the response to {cql}: {error}"),
        )
    };
    let result = admin
        .query_unpaged(cql, ())
        .await?
        .into_rows_result()
        .map_err(|error| unreadable(error.to_string()))?;
    let rows = result
        .rows::<R>()
        .map_err(|error| unreadable(error.to_string()))?;
    rows.collect::<Result<Vec<R>, _>>()
        .map_err(|error| unreadable(error.to_string()))
}
