//! The roles that exist in every organization. They never change, so they are not stored.

use uuid::{Uuid, uuid};

use super::policy::{ACTIONS, Policy};
use settings::ORGANIZATION_ID;

/// The role of local Astra's own application token.
pub const ORGANIZATION_ADMINISTRATOR: Uuid = uuid!("10ca1a57-7a00-4000-8000-000000000101");

const SEE: &[&str] = &["org-db-view"];
const READ: &[&str] = &[
    "db-all-keyspace-describe",
    "db-keyspace-describe",
    "db-table-describe",
    "db-table-select",
];
const WRITE: &[&str] = &["db-keyspace-modify", "db-table-modify"];
const SHAPE: &[&str] = &[
    "db-all-keyspace-create",
    "db-keyspace-alter",
    "db-keyspace-create",
    "db-keyspace-drop",
    "db-table-alter",
    "db-table-create",
    "db-table-drop",
];
const APIS: &[&str] = &["db-graphql", "db-rest"];
const CQL: &[&str] = &["db-cql"];
const OPERATE: &[&str] = &[
    "accesslist-read",
    "accesslist-write",
    "db-keyspace-authorize",
    "db-keyspace-grant",
    "db-manage-region",
    "db-table-authorize",
    "db-table-grant",
    "org-db-create",
    "org-db-expand",
    "org-db-passwordreset",
    "org-db-suspend",
    "org-db-terminate",
    "org-read",
    "org-role-read",
    "org-token-read",
    "org-token-write",
    "org-user-read",
];
const BILLING: &[&str] = &[
    "org-billing-read",
    "org-billing-write",
    "org-notification-write",
    "org-read",
];

/// The roles' names in the API with their permissions. No source lists the actions of a role: the assignment is local
/// Astra's interpretation of the names.
const ROLES: &[(&str, &[&[&str]])] = &[
    ("Organization Administrator", &[ACTIONS]),
    (
        "Database Administrator",
        &[SEE, READ, WRITE, SHAPE, APIS, CQL, OPERATE],
    ),
    ("Billing Admin", &[BILLING]),
    ("Admin User", &[SEE, READ, WRITE, SHAPE, APIS, CQL]),
    ("Admin Svc Acct", &[SEE, READ, WRITE, SHAPE, APIS, CQL]),
    ("RO User", &[SEE, READ, APIS, CQL]),
    ("RO Svc Acct", &[SEE, READ, APIS, CQL]),
    ("R/W User", &[SEE, READ, WRITE, APIS, CQL]),
    ("R/W Svc Acct", &[SEE, READ, WRITE, APIS, CQL]),
    ("API Admin User", &[SEE, READ, WRITE, SHAPE, APIS]),
    ("API Admin Svc Acct", &[SEE, READ, WRITE, SHAPE, APIS]),
    ("API RO User", &[SEE, READ, APIS]),
    ("API RO Svc Acct", &[SEE, READ, APIS]),
    ("API R/W User", &[SEE, READ, WRITE, APIS]),
    ("API R/W Svc Acct", &[SEE, READ, WRITE, APIS]),
    ("UI View Only", &[SEE]),
];

/// Returns id, name and policy of all built-in roles.
pub fn all() -> impl Iterator<Item = (Uuid, &'static str, Policy)> {
    let ids = (ORGANIZATION_ADMINISTRATOR.as_u128()..).map(Uuid::from_u128);
    ids.zip(ROLES).map(|(id, (name, actions))| {
        let mut actions: Vec<String> = actions.concat().into_iter().map(str::to_owned).collect();
        actions.sort_unstable();
        actions.dedup();
        let resources = ["", ":db:*", ":db:*:keyspace:*", ":db:*:keyspace:*:table:*"];
        let policy = Policy {
            description: (*name).to_owned(),
            resources: resources
                .map(|rest| format!("drn:astra:org:{ORGANIZATION_ID}{rest}"))
                .into(),
            actions,
            effect: "allow".to_owned(),
        };
        (id, *name, policy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_are_policies() {
        let all: Vec<_> = all().collect();
        assert_eq!(all.len(), 16);
        assert_eq!(all[0].0, ORGANIZATION_ADMINISTRATOR);
        for (_, name, policy) in all {
            assert_eq!(policy.problem(), None, "{name}");
        }
    }
}
