//! Authentication and authorization. A token is a Cassandra role: Cassandra checks its password and its permissions.
//!
//! - [`logins`]: a login per token, with its rights
//! - [`tenants`]: the owners of Pulsar's tenants
//! - [`roles`]: the Cassandra roles of tokens and their grants
//! - [`policy`]: the policies of Astra's roles, for everything that Cassandra has no permission for
//! - [`built_in`]: the roles that exist in every organization
//! - [`members`]: the roles of each token
//! - [`owners`]: the database of each keyspace
//! - [`grants`]: policies as Cassandra's grants

pub mod built_in;
mod grants;
mod logins;
mod members;
mod owners;
pub mod policy;
mod roles;
mod tenants;

pub use grants::Grants;
pub use logins::{Logins, TokenSession};
pub use members::{CustomRole, TokenRecord};
pub use owners::{KeyspaceState, OwnedKeyspace, Owners};
pub use policy::{Interface, Policy, Rights, Target};
pub use roles::{
    clear_caches, create_role, drop_role, grant_keyspace, granted_keyspaces, is_superuser,
    may_alter_tables, set_password,
};
pub use tenants::{TenantRecord, ensure_first_tenant, may_administer};
