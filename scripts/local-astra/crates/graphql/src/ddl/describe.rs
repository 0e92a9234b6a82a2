//! Existing keyspaces, tables and types in the format of this API.

use serde_json::{Value, json};

use super::data_type;
use crate::cql_first::columns;
use store::{ColumnKind, Keyspace, Table, UserType};

/// Returns `[DataCenter]`; empty for SimpleStrategy.
pub fn data_centers(keyspace: &Keyspace) -> Value {
    let class = keyspace.replication.get("class").map_or("", String::as_str);
    if !class.ends_with("NetworkTopologyStrategy") {
        return json!([]);
    }
    let options = keyspace.replication.iter();
    options
        .filter_map(|(name, replicas)| {
            let replicas: i32 = replicas.parse().ok()?;
            Some(json!({"name": name, "replicas": replicas}))
        })
        .collect()
}

/// Returns a `Table`.
pub fn table(table: &Table) -> Value {
    let columns = columns(table).map(|column| {
        let kind = match column.kind {
            ColumnKind::PartitionKey => "PARTITION",
            ColumnKind::Clustering => "CLUSTERING",
            ColumnKind::Regular => "REGULAR",
            ColumnKind::Static => "STATIC",
        };
        json!({"name": column.name, "kind": kind, "type": data_type::describe(&column.typ)})
    });
    json!({"name": table.name, "columns": columns.collect::<Vec<_>>()})
}

/// Returns a `Type`.
pub fn user_type(typ: &UserType) -> Value {
    let fields = typ.fields.iter();
    let fields = fields.map(|(name, typ)| json!({"name": name, "type": data_type::describe(typ)}));
    json!({"name": typ.name, "fields": fields.collect::<Vec<_>>()})
}
