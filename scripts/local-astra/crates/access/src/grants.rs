//! Policies as Cassandra grants on the tables of individual keyspaces, never on all keyspaces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::members::TokenRecord;
use super::owners::Owners;
use super::policy::{Rights, Target};
use super::roles::clear_caches;
use store::records;
use store::schema::rows;
use store::types::quote;
use store::{Code, Schema, Session, Store, StoreError};

/// Pause before a failed update is retried.
const AGAIN: Duration = Duration::from_secs(1);

/// Cassandra's permissions for each action on tables.
const PERMISSIONS: &[(&str, &[&str])] = &[
    ("db-table-alter", &["ALTER"]),
    ("db-table-authorize", &["AUTHORIZE"]),
    ("db-table-create", &["CREATE"]),
    ("db-table-drop", &["DROP"]),
    ("db-table-modify", &["MODIFY"]),
    ("db-table-select", &["SELECT", "SELECT_MASKED", "UNMASK"]),
];

/// Permissions by resource, as in `system_auth`: `data/<keyspace>/*` or `data/<keyspace>/<table>`.
type Permissions = BTreeMap<String, BTreeSet<String>>;

/// Keeps the grants of all tokens consistent with their policies and with the schema.
#[derive(Clone)]
pub struct Grants {
    store: Store,
    one_at_a_time: Arc<Mutex<()>>,
}

impl Grants {
    pub fn new(store: Store) -> Grants {
        Grants {
            store,
            one_at_a_time: Arc::default(),
        }
    }

    /// Follows the schema: a policy for all keyspaces also applies to each new keyspace, regardless of its creator.
    pub async fn follow(self) {
        let mut schemas = self.store.watch_schema();
        loop {
            schemas.mark_unchanged();
            let applied = self.apply().await;
            let changed = schemas.changed();
            let changed = match applied {
                Ok(()) => changed.await,
                Err(error) => {
                    eprintln!("cannot bring the grants in step with the schema: {error}");
                    // Retry even if the schema does not change.
                    timeout(AGAIN, changed).await.unwrap_or(Ok(()))
                }
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// Updates the grants of all tokens to match their policies.
    pub async fn apply(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        let admin = self.store.admin();
        // Before the owners, because a keyspace has an owner before it exists.
        let schema = self.store.schema();
        let owners = Owners::read(admin).await?;
        let tokens = records::all::<TokenRecord>(admin).await?;
        let mut changed = false;
        for token in tokens {
            let rights = Rights::of_token(admin, &token).await?;
            let wanted = wanted(&rights, &owners, &schema);
            let mut granted = granted(admin, &token.client_id).await?;
            granted.retain(|resource, _| is_known(&schema, resource));
            changed |= bring_in_step(admin, &token.client_id, &wanted, &granted).await?;
        }
        if changed {
            clear_caches(admin).await?;
        }
        Ok(())
    }
}

/// Returns true if the schema contains the resource. A resource that it does not contain is newer, so its grants, for
/// example to its creator, cannot be judged by this schema.
fn is_known(schema: &Schema, resource: &str) -> bool {
    let mut names = resource.split('/').skip(1);
    let keyspace = names.next().and_then(|name| schema.keyspaces.get(name));
    keyspace.is_some_and(|keyspace| {
        let table = names.next().filter(|table| *table != "*");
        table.is_none_or(|table| keyspace.tables.contains_key(table))
    })
}

fn wanted(rights: &Rights, owners: &Owners, schema: &Schema) -> Permissions {
    let mut wanted = Permissions::new();
    let keyspaces = schema.keyspaces.values();
    for keyspace in keyspaces.filter(|keyspace| !keyspace.is_system()) {
        let (database, name) = (owners.of(&keyspace.name), keyspace.name.as_str());
        for (action, permissions) in PERMISSIONS {
            let mut grant = |resource: String| {
                let granted = wanted.entry(resource).or_default();
                granted.extend(permissions.iter().map(|&p| p.to_owned()));
            };
            if rights.allow(action, Target::AllTables(database, name)) {
                grant(format!("data/{name}/*"));
                continue;
            }
            for table in keyspace.tables.keys() {
                // A single table already exists, so CREATE is not needed.
                let target = Target::Table(database, name, table);
                if *action != "db-table-create" && rights.allow(action, target) {
                    grant(format!("data/{name}/{table}"));
                }
            }
        }
    }
    wanted
}

async fn granted(admin: &Session, role: &str) -> Result<Permissions, StoreError> {
    let role = role.replace('\'', "''");
    let cql = format!(
        "SELECT resource, permissions FROM system_auth.role_permissions WHERE role = '{role}'"
    );
    let rows: Vec<(String, Option<BTreeSet<String>>)> = rows(admin, &cql).await?;
    Ok(rows
        .into_iter()
        .map(|(resource, permissions)| (resource, permissions.unwrap_or_default()))
        .filter(|(resource, _)| resource.starts_with("data/"))
        .collect())
}

/// Grants missing permissions and revokes superfluous ones. Returns true if anything changed.
async fn bring_in_step(
    admin: &Session,
    role: &str,
    wanted: &Permissions,
    granted: &Permissions,
) -> Result<bool, StoreError> {
    let none = BTreeSet::new();
    let mut statements = Vec::new();
    for (resource, permissions) in wanted {
        let missing = permissions.difference(granted.get(resource).unwrap_or(&none));
        statements.extend(missing.filter_map(|p| statement("GRANT", p, resource, "TO", role)));
    }
    for (resource, permissions) in granted {
        // Cassandra grants a table to its creator. This is only superfluous if the policy allows less.
        let all_tables = resource
            .rsplit_once('/')
            .map(|(keyspace, _)| format!("{keyspace}/*"));
        let allowed = |permission: &&String| {
            let on = |resource: &str| wanted.get(resource).unwrap_or(&none).contains(*permission);
            !on(resource) && !all_tables.as_deref().is_some_and(on)
        };
        let too_much = permissions.iter().filter(allowed);
        statements.extend(too_much.filter_map(|p| statement("REVOKE", p, resource, "FROM", role)));
    }
    for cql in &statements {
        match admin
            .query_unpaged(cql.as_str(), ())
            .await
            .map_err(StoreError::from)
        {
            // The table or the token was removed in the meantime.
            Err(error) if error.code == Code::InvalidArgument => {}
            done => drop(done?),
        }
    }
    Ok(!statements.is_empty())
}

fn statement(verb: &str, permission: &str, resource: &str, to: &str, role: &str) -> Option<String> {
    let mut names = resource.strip_prefix("data/")?.split('/');
    let (keyspace, table) = (quote(names.next()?), names.next());
    let on = match table {
        None => format!("KEYSPACE {keyspace}"),
        Some("*") => format!("ALL TABLES IN KEYSPACE {keyspace}"),
        Some(table) => format!("TABLE {keyspace}.{}", quote(table)),
    };
    Some(format!("{verb} {permission} ON {on} {to} {}", quote(role)))
}
