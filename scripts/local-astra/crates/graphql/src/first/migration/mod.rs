//! Changes that adapt a keyspace to a deployed schema.
//!
//! Rules and messages are Stargate's (`graphqlfirst.migration`).
//!
//! - [`diff`]: differences of a table or type from the schema
//! - [`change`]: the statements and their order

pub mod change;
mod diff;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::model::Model;
use super::model::entity::Entity;
use super::model::target::Target;
use change::{Change, Thing};
use diff::{Difference, Kind};
use store::Keyspace;

/// Changes that the user permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    UseExisting,
    AddMissingTables,
    AddMissingTablesAndColumns,
    DropAndRecreateAll,
    DropAndRecreateIfMismatch,
}

impl Strategy {
    /// Parses a name of the enum `MigrationStrategy`.
    pub fn read(name: &str) -> Option<Strategy> {
        let all = [
            Strategy::UseExisting,
            Strategy::AddMissingTables,
            Strategy::AddMissingTablesAndColumns,
            Strategy::DropAndRecreateAll,
            Strategy::DropAndRecreateIfMismatch,
        ];
        all.into_iter().find(|strategy| strategy.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Strategy::UseExisting => "USE_EXISTING",
            Strategy::AddMissingTables => "ADD_MISSING_TABLES",
            Strategy::AddMissingTablesAndColumns => "ADD_MISSING_TABLES_AND_COLUMNS",
            Strategy::DropAndRecreateAll => "DROP_AND_RECREATE_ALL",
            Strategy::DropAndRecreateIfMismatch => "DROP_AND_RECREATE_IF_MISMATCH",
        }
    }
}

/// The reason a schema does not fit a keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The items of `extensions.migrationErrors`.
    Differences(Vec<String>),
    /// User-defined types that depend on each other.
    Cycle,
}

/// Returns the changes that adapt a keyspace to a schema, in the order in which they run.
///
/// # Errors
/// Changes that the strategy does not permit.
pub fn plan(model: &Model, strategy: Strategy, keyspace: &Keyspace) -> Result<Vec<Change>, Misfit> {
    let mut changes = Vec::new();
    let mut errors = Vec::new();
    for entity in model.entities.iter() {
        let differences = match entity.target {
            Target::Table => {
                let table = keyspace.tables.get(&entity.cql_name);
                let table = table.filter(|table| !table.is_view);
                table.map(|table| diff::table(entity, table))
            }
            Target::UserType => {
                let found = keyspace.types.get(&entity.cql_name);
                found.map(|found| diff::user_type(entity, found))
            }
        };
        match (strategy, differences) {
            (Strategy::UseExisting, None) => {
                let thing = match entity.target {
                    Target::Table => "table",
                    Target::UserType => "UDT",
                };
                errors.push(format!("Missing {thing} {}", entity.cql_name));
            }
            (Strategy::UseExisting | Strategy::AddMissingTables, Some(differences)) => {
                errors.extend(differences.iter().map(|found| found.message(entity)));
            }
            (Strategy::AddMissingTablesAndColumns, Some(differences)) => {
                add(entity, &differences, &mut changes, &mut errors);
            }
            (Strategy::DropAndRecreateIfMismatch, Some(differences)) if differences.is_empty() => {}
            (Strategy::DropAndRecreateAll, _) | (Strategy::DropAndRecreateIfMismatch, Some(_)) => {
                changes.push(Change::new(entity, Thing::Drop));
                create(entity, &mut changes);
            }
            (_, None) => create(entity, &mut changes),
        }
    }
    if !errors.is_empty() {
        return Err(Misfit::Differences(errors));
    }
    change::sorted(changes).ok_or(Misfit::Cycle)
}

fn create(entity: &Arc<Entity>, changes: &mut Vec<Change>) {
    changes.push(Change::new(entity, Thing::Create));
    for (at, field) in entity.fields.iter().enumerate() {
        if field.index.is_some() {
            changes.push(Change::new(entity, Thing::Index(at)));
        }
    }
}

fn add(
    entity: &Arc<Entity>,
    differences: &[Difference],
    changes: &mut Vec<Change>,
    errors: &mut Vec<String>,
) {
    let can_be_added = |found: &&Difference| {
        matches!(found.kind, Kind::MissingColumn | Kind::MissingIndex)
            && !entity.fields[found.field].is_key()
    };
    let blockers: Vec<String> = differences
        .iter()
        .filter(|found| !can_be_added(found))
        .map(|found| found.message(entity))
        .collect();
    if !blockers.is_empty() {
        errors.extend(blockers);
        return;
    }
    for found in differences {
        changes.push(Change::new(
            entity,
            match found.kind {
                Kind::MissingIndex => Thing::Index(found.field),
                _ => Thing::Add(found.field),
            },
        ));
    }
}
