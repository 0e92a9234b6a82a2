//! Astra's policies, the permissions of a role (DevOps API v2, `/v2/organizations/roles`).
//!
//! A policy allows actions on resources. Some of them are enforced by Cassandra as grants ([`super::grants`]); the
//! rest, and the combination of all, by [`Rights::allow`].

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// All actions that a policy can contain.
pub const ACTIONS: &[&str] = &[
    "accesslist-read",
    "accesslist-write",
    "db-all-keyspace-create",
    "db-all-keyspace-describe",
    "db-cql",
    "db-graphql",
    "db-keyspace-alter",
    "db-keyspace-authorize",
    "db-keyspace-create",
    "db-keyspace-describe",
    "db-keyspace-drop",
    "db-keyspace-grant",
    "db-keyspace-modify",
    "db-manage-privateendpoint",
    "db-manage-region",
    "db-manage-telemetry",
    "db-manage-thirdpartymetrics",
    "db-rest",
    "db-table-alter",
    "db-table-authorize",
    "db-table-create",
    "db-table-describe",
    "db-table-drop",
    "db-table-grant",
    "db-table-modify",
    "db-table-select",
    "org-audits-read",
    "org-billing-read",
    "org-billing-write",
    "org-db-addpeering",
    "org-db-create",
    "org-db-expand",
    "org-db-managemigratorproxy",
    "org-db-passwordreset",
    "org-db-readpeering",
    "org-db-suspend",
    "org-db-terminate",
    "org-db-view",
    "org-external-auth-read",
    "org-external-auth-write",
    "org-notification-write",
    "org-read",
    "org-role-delete",
    "org-role-read",
    "org-role-write",
    "org-stream-manage",
    "org-token-read",
    "org-token-write",
    "org-user-read",
    "org-user-write",
    "org-write",
];

/// A policy as clients send and receive it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub description: String,
    pub resources: Vec<String>,
    pub actions: Vec<String>,
    /// Always `allow`.
    pub effect: String,
}

/// The target of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    Organization,
    Database(Uuid),
    Keyspace(Uuid, &'a str),
    /// All tables of a keyspace, including future ones.
    AllTables(Uuid, &'a str),
    Table(Uuid, &'a str, &'a str),
}

/// The interfaces to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    Cql,
    Rest,
    Document,
    DataApi,
    Graphql,
    Grpc,
}

impl Interface {
    pub const ALL: [Interface; 6] = [
        Interface::Cql,
        Interface::Rest,
        Interface::Document,
        Interface::Graphql,
        Interface::Grpc,
        Interface::DataApi,
    ];

    /// Returns the action that opens the interface. Astra has three: the Document API and the Data API use that of
    /// REST, and gRPC, whose requests are CQL, that of CQL.
    pub fn action(self) -> &'static str {
        match self {
            Interface::Cql | Interface::Grpc => "db-cql",
            Interface::Rest | Interface::Document | Interface::DataApi => "db-rest",
            Interface::Graphql => "db-graphql",
        }
    }
}

/// The permissions of a token, from the policies of all its roles.
#[derive(Clone, Debug, Default)]
pub enum Rights {
    /// The operator's rights.
    Everything,
    ByPolicy(Vec<Policy>),
    /// Rights of a role created over CQL. It has no policy: only its grants in Cassandra count, for every interface,
    /// and the DevOps API is closed to it.
    #[default]
    GrantsOnly,
}

impl Rights {
    /// Returns true if the action is allowed on the target. Access to a table requires its database and keyspace: a
    /// policy that omits one of them allows nothing below it. The organization need not be listed, because the
    /// documented examples of roles for one database do not list it.
    pub fn allow(&self, action: &str, target: Target<'_>) -> bool {
        match self {
            Rights::Everything => true,
            Rights::GrantsOnly => false,
            Rights::ByPolicy(policies) => policies
                .iter()
                .any(|policy| policy.names(action) && policy.covers(target)),
        }
    }

    /// Returns true if the action is allowed on any database.
    pub fn allow_somewhere(&self, action: &str) -> bool {
        match self {
            Rights::Everything => true,
            Rights::GrantsOnly => false,
            Rights::ByPolicy(policies) => policies
                .iter()
                .any(|policy| policy.names(action) && policy.has_database()),
        }
    }

    /// Returns true if the interface is open to any database.
    pub fn open(&self, interface: Interface) -> bool {
        matches!(self, Rights::GrantsOnly) || self.allow_somewhere(interface.action())
    }

    /// Returns true if the interface is open to that database.
    pub fn open_to(&self, interface: Interface, database: Uuid) -> bool {
        let target = Target::Database(database);
        matches!(self, Rights::GrantsOnly) || self.allow(interface.action(), target)
    }

    /// Returns true if the interface is open to every database, including future ones.
    pub fn open_to_all(&self, interface: Interface) -> bool {
        match self {
            Rights::Everything | Rights::GrantsOnly => true,
            Rights::ByPolicy(policies) => policies
                .iter()
                .any(|policy| policy.names(interface.action()) && policy.has_all_databases()),
        }
    }
}

impl Policy {
    fn names(&self, action: &str) -> bool {
        self.actions.iter().any(|named| named == action)
    }

    fn has_database(&self) -> bool {
        self.has(|r| matches!(r, Resource::Database(_)))
    }

    fn has_all_databases(&self) -> bool {
        self.has(|r| *r == Resource::Database(Which::All))
    }

    fn has(&self, wanted: impl Fn(&Resource<'_>) -> bool) -> bool {
        let resources = self.resources.iter();
        let mut resources = resources.filter_map(|text| Resource::parse(text));
        resources.any(|resource| wanted(&resource))
    }

    fn covers(&self, target: Target<'_>) -> bool {
        let above = match target {
            Target::Organization | Target::Database(_) => None,
            Target::Keyspace(database, _) => Some(Target::Database(database)),
            Target::AllTables(database, keyspace) | Target::Table(database, keyspace, _) => {
                Some(Target::Keyspace(database, keyspace))
            }
        };
        above.is_none_or(|above| self.covers(above))
            && match target {
                Target::Organization => self.has(|r| *r == Resource::Organization),
                Target::Database(id) => {
                    self.has(|r| matches!(r, Resource::Database(d) if d.is(id)))
                }
                Target::Keyspace(id, name) => {
                    self.has(|r| matches!(r, Resource::Keyspace(d, k) if d.is(id) && fits(k, name)))
                }
                Target::AllTables(id, name) => self.has(
                    |r| matches!(r, Resource::Table(d, k, "*") if d.is(id) && fits(k, name)),
                ),
                Target::Table(id, name, table) => self.has(
                    |r| matches!(r, Resource::Table(d, k, t) if d.is(id) && fits(k, name) && fits(t, table)),
                ),
            }
    }

    /// The reason this policy is invalid in the organization, if any, as a sentence.
    pub fn problem(&self) -> Option<String> {
        if self.effect != "allow" {
            return Some(format!("effect {:?} is not \"allow\"", self.effect));
        }
        if self.resources.is_empty() || self.actions.is_empty() {
            return Some("a policy needs resources and actions".to_owned());
        }
        let unknown = self.actions.iter().find(|a| !ACTIONS.contains(&a.as_str()));
        if let Some(action) = unknown {
            return Some(format!("there is no action {action:?}"));
        }
        let bad = self.resources.iter().find(|r| Resource::parse(r).is_none());
        bad.map(|resource| {
            format!(
                "{resource:?} is no resource of this organization: drn:astra:org:<organization>\
                 [:db:<database or *>[:keyspace:<name or *>[:table:<name or *>]]]"
            )
        })
    }
}

/// `drn:astra:org:<organization>[:db:<database>[:keyspace:<keyspace>[:table:<table>]]]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource<'a> {
    Organization,
    Database(Which),
    Keyspace(Which, &'a str),
    Table(Which, &'a str, &'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    One(Uuid),
}

impl Which {
    fn is(self, id: Uuid) -> bool {
        self == Which::All || self == Which::One(id)
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    pattern == "*" || pattern == name
}

impl<'a> Resource<'a> {
    fn parse(text: &'a str) -> Option<Resource<'a>> {
        let rest = text.strip_prefix("drn:astra:org:")?;
        let mut parts = rest.split(':');
        let organization: Uuid = parts.next()?.parse().ok()?;
        if organization.to_string() != settings::ORGANIZATION_ID {
            return None;
        }
        let parts: Vec<&str> = parts.collect();
        let database = |text: &str| match text {
            "*" => Some(Which::All),
            id => id.parse().ok().map(Which::One),
        };
        match parts[..] {
            [] => Some(Resource::Organization),
            ["db", d] => Some(Resource::Database(database(d)?)),
            ["db", d, "keyspace", k] if !k.is_empty() => Some(Resource::Keyspace(database(d)?, k)),
            ["db", d, "keyspace", k, "table", t] if !k.is_empty() && !t.is_empty() => {
                Some(Resource::Table(database(d)?, k, t))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use settings::ORGANIZATION_ID as ORG;

    const DB: Uuid = Uuid::from_u128(7);
    const OTHER: Uuid = Uuid::from_u128(8);

    fn policy(actions: &[&str], resources: &[&str]) -> Policy {
        Policy {
            description: String::new(),
            resources: resources
                .iter()
                .map(|rest| format!("drn:astra:org:{ORG}{rest}"))
                .collect(),
            actions: actions.iter().map(|&action| action.to_owned()).collect(),
            effect: "allow".to_owned(),
        }
    }

    #[test]
    fn a_policy_reaches_what_its_whole_chain_names() {
        let db = format!(":db:{DB}");
        let keyspace = format!("{db}:keyspace:a");
        let table = format!("{keyspace}:table:*");
        let whole = policy(&["db-table-select"], &["", &db, &keyspace, &table]);
        let rights = Rights::ByPolicy(vec![whole.clone()]);
        assert!(rights.allow("db-table-select", Target::AllTables(DB, "a")));
        assert!(rights.allow("db-table-select", Target::Table(DB, "a", "t")));
        assert!(!rights.allow("db-table-modify", Target::Table(DB, "a", "t")));
        assert!(!rights.allow("db-table-select", Target::Table(DB, "b", "t")));
        assert!(!rights.allow("db-table-select", Target::Table(OTHER, "a", "t")));
        let mut without_organization = whole.clone();
        without_organization.resources.remove(0);
        let rights = Rights::ByPolicy(vec![without_organization]);
        assert!(rights.allow("db-table-select", Target::Table(DB, "a", "t")));
        for missing in 1..3 {
            let mut part = whole.clone();
            part.resources.remove(missing);
            let rights = Rights::ByPolicy(vec![part]);
            assert!(!rights.allow("db-table-select", Target::Table(DB, "a", "t")));
        }
    }

    #[test]
    fn one_table_is_not_all_tables() {
        let resources = ["", ":db:*", ":db:*:keyspace:*", ":db:*:keyspace:*:table:t"];
        let rights = Rights::ByPolicy(vec![policy(&["db-table-select"], &resources)]);
        assert!(rights.allow("db-table-select", Target::Table(OTHER, "x", "t")));
        assert!(!rights.allow("db-table-select", Target::Table(OTHER, "x", "u")));
        assert!(!rights.allow("db-table-select", Target::AllTables(OTHER, "x")));
    }

    #[test]
    fn interfaces_are_opened_by_their_actions() {
        let db = format!(":db:{DB}");
        let rights = Rights::ByPolicy(vec![policy(&["db-rest"], &["", &db])]);
        assert!(rights.open(Interface::Rest) && rights.open(Interface::Document));
        assert!(!rights.open(Interface::Cql) && !rights.open(Interface::Graphql));
        assert!(rights.open_to(Interface::Rest, DB) && !rights.open_to(Interface::Rest, OTHER));
        assert!(Rights::ByPolicy(vec![policy(&["db-rest"], &[&db])]).open(Interface::Rest));
        assert!(!Rights::ByPolicy(vec![policy(&["db-rest"], &[""])]).open(Interface::Rest));
        assert!(!rights.open_to_all(Interface::Rest));
        let all = Rights::ByPolicy(vec![policy(&["db-rest"], &[":db:*"])]);
        assert!(all.open_to_all(Interface::Rest) && !all.open_to_all(Interface::Cql));
        assert!(Rights::GrantsOnly.open(Interface::Cql));
        assert!(!Rights::GrantsOnly.allow("org-db-view", Target::Database(DB)));
    }

    #[test]
    fn every_interface_has_an_action_that_a_policy_can_name() {
        for interface in Interface::ALL {
            assert!(ACTIONS.contains(&interface.action()), "{interface:?}");
        }
    }

    #[test]
    fn what_is_no_policy_is_said() {
        assert_eq!(policy(&["db-cql"], &["", ":db:*"]).problem(), None);
        let mut bad = policy(&["db-cql"], &[""]);
        bad.effect = "deny".to_owned();
        assert!(
            bad.problem()
                .is_some_and(|problem| problem.contains("deny"))
        );
        assert!(
            policy(&["db-fly"], &[""])
                .problem()
                .is_some_and(|problem| problem.contains("db-fly"))
        );
        for resource in [
            ":db",
            ":db:x",
            ":db:*:table:t",
            ":db:*:keyspace:",
            ":db:*:keyspace:a:b",
        ] {
            assert!(
                policy(&["db-cql"], &[resource]).problem().is_some(),
                "{resource}"
            );
        }
        let mut foreign = policy(&["db-cql"], &[]);
        foreign.resources = vec![format!("drn:astra:org:{DB}")];
        assert!(foreign.problem().is_some());
        foreign.resources = vec![format!("db:{DB}")];
        assert!(foreign.problem().is_some());
    }
}
