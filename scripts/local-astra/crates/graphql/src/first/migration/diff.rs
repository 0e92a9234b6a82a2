//! Differences of a table or user-defined type from a schema. Additional columns are ignored, and so is `frozen`.

use std::collections::BTreeMap;

use crate::first::model::entity::Entity;
use crate::first::model::field::{Field, Role};
use crate::first::model::index::{Index, Part};
use store::types::TypeName;
use store::{ColumnKind, Table, UserType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    MissingColumn,
    WrongType,
    WrongRole,
    WrongClusteringOrder,
    MissingIndex,
    WrongIndex,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::MissingColumn => "MISSING_COLUMN",
            Kind::WrongType => "WRONG_TYPE",
            Kind::WrongRole => "WRONG_KIND",
            Kind::WrongClusteringOrder => "WRONG_CLUSTERING_ORDER",
            Kind::MissingIndex => "MISSING_INDEX",
            Kind::WrongIndex => "WRONG_INDEX",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub kind: Kind,
    /// Index of the field in the entity.
    pub field: usize,
    details: Option<String>,
}

impl Difference {
    /// Returns the message for the user.
    pub fn message(&self, entity: &Entity) -> String {
        let column = &entity.fields[self.field].cql_name;
        let place = format!("[{}] {}.{column}", self.kind.name(), entity.cql_name);
        match &self.details {
            Some(details) => format!("{place}: {details}"),
            None => place,
        }
    }
}

/// Compares a table with the entity that maps to it.
pub fn table(entity: &Entity, table: &Table) -> Vec<Difference> {
    let mut differences = Vec::new();
    let columns: Vec<_> = entity
        .fields
        .iter()
        .map(|f| (f.cql_name.as_str(), f.role))
        .collect();
    for at in in_map_order(&columns) {
        let field = &entity.fields[at];
        let difference = |kind, details| Difference {
            kind,
            field: at,
            details,
        };
        differences.extend(column(field, table).map(|(kind, details)| difference(kind, details)));
        let Some(expected) = &field.index else {
            continue;
        };
        let found = table.indexes.iter().map(found_index);
        match found
            .flatten()
            .find(|(column, _)| *column == field.cql_name)
        {
            None => differences.push(difference(Kind::MissingIndex, None)),
            Some((_, found)) => differences.extend(
                wrong_index(expected, &found)
                    .map(|details| difference(Kind::WrongIndex, Some(details))),
            ),
        }
    }
    differences
}

/// Returns the fields of a table in the order of a real Stargate, which stores them in a Java `HashMap` by column name,
/// sized for all of them.
fn in_map_order(columns: &[(&str, Role)]) -> Vec<usize> {
    let count = columns.len();
    let room = match count {
        0..3 => count + 1,
        _ => count * 4 / 3 + 1,
    };
    let buckets = room.next_power_of_two();
    let bucket = |name: &str| {
        let units = name.encode_utf16();
        let hash = units.fold(0_u32, |hash, unit| {
            hash.wrapping_mul(31).wrapping_add(unit.into())
        });
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    };
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&at| (bucket(columns[at].0), columns[at].1.rank()));
    order
}

/// Compares a user-defined type with the entity that maps to it.
pub fn user_type(entity: &Entity, found: &UserType) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (at, field) in entity.fields.iter().enumerate() {
        let actual = found
            .fields
            .iter()
            .find(|(name, _)| *name == field.cql_name);
        let (kind, details) = match actual {
            None => (Kind::MissingColumn, None),
            Some((_, typ)) => match wrong_type(field, &TypeName::from(typ)) {
                None => continue,
                details => (Kind::WrongType, details),
            },
        };
        differences.push(Difference {
            kind,
            field: at,
            details,
        });
    }
    differences
}

fn column(field: &Field, table: &Table) -> Option<(Kind, Option<String>)> {
    let Some(actual) = table.column(&field.cql_name) else {
        let marked = match field.role {
            Role::PartitionKey => Some("partition key"),
            Role::Clustering { .. } => Some("clustering column"),
            Role::Regular => None,
        };
        let details =
            marked.map(|marked| format!("it can't be added because it is marked as a {marked}"));
        return Some((Kind::MissingColumn, details));
    };
    if let Some(details) = wrong_type(field, &TypeName::from(&actual.typ)) {
        return Some((Kind::WrongType, Some(details)));
    }
    let expected = match field.role {
        Role::PartitionKey => ColumnKind::PartitionKey,
        Role::Clustering { .. } => ColumnKind::Clustering,
        Role::Regular => ColumnKind::Regular,
    };
    if expected != actual.kind {
        let details = format!(
            "expected {}, found {}",
            kind_name(expected),
            kind_name(actual.kind)
        );
        return Some((Kind::WrongRole, Some(details)));
    }
    match field.role {
        Role::Clustering { descending } if descending != actual.descending => {
            let order = |descending| if descending { "DESC" } else { "ASC" };
            let details = format!(
                "expected {}, found {}",
                order(descending),
                order(actual.descending)
            );
            Some((Kind::WrongClusteringOrder, Some(details)))
        }
        _ => None,
    }
}

fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::PartitionKey => "PARTITION_KEY",
        ColumnKind::Clustering => "CLUSTERING",
        ColumnKind::Static => "STATIC",
        ColumnKind::Regular => "REGULAR",
    }
}

fn wrong_type(field: &Field, actual: &TypeName) -> Option<String> {
    (!same(&field.cql_type, actual)).then(|| {
        format!(
            "expected {}, found {}",
            field.cql_type.to_cql(),
            actual.to_cql()
        )
    })
}

fn same(a: &TypeName, b: &TypeName) -> bool {
    match (a, b) {
        (TypeName::Frozen(a), b) => same(a, b),
        (a, TypeName::Frozen(b)) => same(a, b),
        (TypeName::List(a), TypeName::List(b)) | (TypeName::Set(a), TypeName::Set(b)) => same(a, b),
        (TypeName::Map(a, b), TypeName::Map(c, d)) => same(a, c) && same(b, d),
        (TypeName::Tuple(a), TypeName::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (a, b) => a == b,
    }
}

/// Returns an index of a table, with its column.
fn found_index(index: &store::Index) -> Option<(String, Index)> {
    let mut options = index.options.clone();
    let target = options.remove("target")?;
    let class = options.remove("class_name");
    let (part, column) = match target.strip_suffix(')').and_then(|t| t.split_once('(')) {
        Some(("values", column)) => (Part::Values, column),
        Some(("full", column)) => (Part::Full, column),
        Some(("keys", column)) => (Part::Keys, column),
        Some(("entries", column)) => (Part::Entries, column),
        _ => (Part::Default, target.as_str()),
    };
    let quoted = column.strip_prefix('"').and_then(|c| c.strip_suffix('"'));
    let column = quoted.map_or(column.to_owned(), |c| c.replace("\"\"", "\""));
    let index = Index {
        name: index.name.clone(),
        class,
        part,
        options,
    };
    Some((column, index))
}

fn wrong_index(expected: &Index, found: &Index) -> Option<String> {
    let class = |index: &Index| index.class.as_deref().unwrap_or("<none>").to_owned();
    let options = |options: &BTreeMap<String, String>| {
        let pairs: Vec<String> = options.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("{{{}}}", pairs.join(", "))
    };
    let (what, expected, found) = if expected.name != found.name {
        ("name", expected.name.clone(), found.name.clone())
    } else if expected.class != found.class {
        ("index class", class(expected), class(found))
    } else if expected.part != found.part {
        (
            "index target",
            expected.part.name().to_owned(),
            found.part.name().to_owned(),
        )
    } else if expected.options != found.options {
        (
            "index options",
            options(&expected.options),
            options(&found.options),
        )
    } else {
        return None;
    };
    Some(format!("expected {what} {expected}, found {found}"))
}

#[test]
fn columns_come_in_the_order_of_a_java_map() {
    let names = ["k", "a", "l", "pages", "author", "title", "year"];
    let columns = names.map(|name| match name {
        "k" => (name, Role::PartitionKey),
        _ => (name, Role::Regular),
    });
    let order: Vec<&str> = in_map_order(&columns)
        .into_iter()
        .map(|at| names[at])
        .filter(|name| name.len() > 1)
        .collect();
    assert_eq!(order, ["pages", "year", "author", "title"]);
}
