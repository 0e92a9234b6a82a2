//! A change of a keyspace: its statement, its description, and its dependencies.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::first::model::entity::Entity;
use crate::first::model::field::{Field, Role};
use crate::first::model::index::{Index, Part};
use crate::first::model::target::Target;
use store::types::{TypeName, literal, quote, quote_in};

/// A change of the table or type of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Create,
    Drop,
    /// Adds the column or field.
    Add(usize),
    /// Creates the index of the field.
    Index(usize),
}

#[derive(Clone, Debug)]
pub struct Change {
    entity: Arc<Entity>,
    thing: Thing,
}

impl Change {
    pub fn new(entity: &Arc<Entity>, thing: Thing) -> Change {
        Change {
            entity: Arc::clone(entity),
            thing,
        }
    }

    /// Returns an item of `cqlChanges`.
    pub fn description(&self) -> String {
        let name = &self.entity.cql_name;
        let is_table = self.entity.target == Target::Table;
        let what = if is_table { "table" } else { "UDT" };
        match self.thing {
            Thing::Create => format!("Create {what} {name}"),
            Thing::Drop => format!("Drop {what} {name}"),
            Thing::Add(field) => {
                let member = if is_table { "column" } else { "field" };
                let field = &self.entity.fields[field].cql_name;
                format!("Add {member} {field} to {what} {name}")
            }
            Thing::Index(field) => {
                let field = &self.entity.fields[field];
                let index = field.index.as_ref().map_or("", |index| index.name.as_str());
                format!("Create index {index} on {name}.{}", field.cql_name)
            }
        }
    }

    /// Returns the statement for a keyspace.
    pub fn cql(&self, keyspace: &str) -> String {
        let entity = &self.entity;
        let place = quote_in(keyspace, &entity.cql_name);
        match (self.thing, entity.target) {
            (Thing::Create, Target::Table) => create_table(entity, &place),
            (Thing::Create, Target::UserType) => {
                let fields: Vec<String> = entity.fields.iter().map(column).collect();
                format!("CREATE TYPE {place} ({})", fields.join(", "))
            }
            (Thing::Drop, Target::Table) => format!("DROP TABLE IF EXISTS {place}"),
            (Thing::Drop, Target::UserType) => format!("DROP TYPE IF EXISTS {place}"),
            (Thing::Add(field), Target::Table) => {
                format!("ALTER TABLE {place} ADD {}", column(&entity.fields[field]))
            }
            (Thing::Add(field), Target::UserType) => {
                format!("ALTER TYPE {place} ADD {}", column(&entity.fields[field]))
            }
            (Thing::Index(field), _) => {
                let field = &entity.fields[field];
                match &field.index {
                    Some(index) => create_index(index, field, &place),
                    None => String::new(),
                }
            }
        }
    }

    /// Returns the user-defined types of the changed columns.
    fn user_types(&self) -> Vec<&str> {
        let fields = match self.thing {
            Thing::Add(field) => &self.entity.fields[field..=field],
            Thing::Index(_) => &[],
            Thing::Create | Thing::Drop => &self.entity.fields[..],
        };
        let mut names = Vec::new();
        for field in fields {
            collect_user_types(&field.cql_type, &mut names);
        }
        names
    }

    fn is(&self, thing: Thing, target: Target) -> bool {
        self.thing == thing && self.entity.target == target
    }
}

fn create_table(entity: &Entity, place: &str) -> String {
    let columns: Vec<String> = entity.fields.iter().map(column).collect();
    let names = |fields: &[Field]| -> Vec<String> {
        fields.iter().map(|field| quote(&field.cql_name)).collect()
    };
    let mut key = vec![format!("({})", names(entity.partition_key()).join(", "))];
    key.extend(names(entity.clustering_columns()));
    let mut cql = format!(
        "CREATE TABLE {place} ({}, PRIMARY KEY ({}))",
        columns.join(", "),
        key.join(", ")
    );
    let order: Vec<String> = entity
        .clustering_columns()
        .iter()
        .map(|field| {
            let descending = field.role == Role::Clustering { descending: true };
            let order = if descending { "DESC" } else { "ASC" };
            format!("{} {order}", quote(&field.cql_name))
        })
        .collect();
    if !order.is_empty() {
        cql.push_str(&format!(" WITH CLUSTERING ORDER BY ({})", order.join(", ")));
    }
    cql
}

fn create_index(index: &Index, field: &Field, place: &str) -> String {
    let column = quote(&field.cql_name);
    let column = match index.part {
        Part::Default => column,
        Part::Values => format!("VALUES({column})"),
        Part::Full => format!("FULL({column})"),
        Part::Keys => format!("KEYS({column})"),
        Part::Entries => format!("ENTRIES({column})"),
    };
    let name = quote(&index.name);
    let Some(class) = &index.class else {
        return format!("CREATE INDEX {name} ON {place} ({column})");
    };
    let mut cql = format!(
        "CREATE CUSTOM INDEX {name} ON {place} ({column}) USING {}",
        literal(class)
    );
    if !index.options.is_empty() {
        let options: Vec<String> = index
            .options
            .iter()
            .map(|(key, value)| format!("{}: {}", literal(key), literal(value)))
            .collect();
        cql.push_str(&format!(" WITH OPTIONS = {{{}}}", options.join(", ")));
    }
    cql
}

fn column(field: &Field) -> String {
    format!("{} {}", quote(&field.cql_name), field.cql_type.to_cql())
}

fn collect_user_types<'a>(typ: &'a TypeName, names: &mut Vec<&'a str>) {
    match typ {
        TypeName::UserDefined(name) => names.push(name),
        TypeName::Frozen(inner) | TypeName::List(inner) | TypeName::Set(inner) => {
            collect_user_types(inner, names);
        }
        TypeName::Map(key, value) => {
            collect_user_types(key, names);
            collect_user_types(value, names);
        }
        TypeName::Tuple(parts) => parts
            .iter()
            .for_each(|part| collect_user_types(part, names)),
        TypeName::Vector(inner, _) => collect_user_types(inner, names),
        TypeName::Native(_) => {}
    }
}

/// Sorts the changes for execution: types before their uses, tables before their indexes, and added columns as early as
/// possible, because they can fail for unforeseeable reasons. `None` if types depend on each other.
pub fn sorted(changes: Vec<Change>) -> Option<Vec<Change>> {
    let before = predecessors(&changes);
    let mut waiting: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); changes.len()];
    for (at, before) in before.iter().enumerate() {
        before.iter().for_each(|first| after[*first].push(at));
    }
    let mut ready: VecDeque<usize> = (0..changes.len()).filter(|at| waiting[*at] == 0).collect();
    let mut order = Vec::with_capacity(changes.len());
    while let Some(at) = ready.pop_front() {
        order.push(at);
        for next in &after[at] {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.push_back(*next);
            }
        }
    }
    if order.len() < changes.len() {
        return None;
    }
    let mut early: Vec<bool> = changes
        .iter()
        .map(|change| {
            matches!(change.thing, Thing::Add(_)) && change.entity.target == Target::Table
        })
        .collect();
    for at in order.iter().rev() {
        if early[*at] {
            before[*at].iter().for_each(|first| early[*first] = true);
        }
    }
    let (first, rest): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|at| early[*at]);
    let order = first.into_iter().chain(rest);
    Some(order.map(|at| changes[at].clone()).collect())
}

/// Returns for each change those that have to run before it.
fn predecessors(changes: &[Change]) -> Vec<Vec<usize>> {
    let named = |thing: Thing, target: Target| -> HashMap<&str, usize> {
        changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.is(thing, target))
            .map(|(at, change)| (change.entity.cql_name.as_str(), at))
            .collect()
    };
    let created_tables = named(Thing::Create, Target::Table);
    let dropped_tables = named(Thing::Drop, Target::Table);
    let created_types = named(Thing::Create, Target::UserType);
    let dropped_types = named(Thing::Drop, Target::UserType);
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); changes.len()];
    for (at, change) in changes.iter().enumerate() {
        let name = change.entity.cql_name.as_str();
        match (change.thing, change.entity.target) {
            (Thing::Create, Target::Table) => before[at].extend(dropped_tables.get(name)),
            (Thing::Create, Target::UserType) => before[at].extend(dropped_types.get(name)),
            (Thing::Index(_), _) => before[at].extend(created_tables.get(name)),
            (Thing::Add(_) | Thing::Drop, _) => {}
        }
        for user_type in change.user_types() {
            match change.thing {
                // What has a type goes before the type.
                Thing::Drop => {
                    if let Some(dropped) = dropped_types.get(user_type) {
                        before[*dropped].push(at);
                    }
                }
                _ => before[at].extend(created_types.get(user_type)),
            }
        }
    }
    for before in &mut before {
        before.sort_unstable();
        before.dedup();
    }
    before
}
