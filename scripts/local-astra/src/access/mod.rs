//! Who may do what. A token is a Cassandra role: Cassandra checks its password and decides what it may do.
//!
//! - [`token`]: `AstraCS:<client id>:<hash of the secret>`
//! - [`streaming`]: the JWTs that Pulsar takes; [`tenants`]: whose they are
//! - [`roles`]: the roles behind tokens and what they are granted
//! - [`policy`]: what an Astra role allows, for what Cassandra has no permission for
//! - [`built_in`]: the roles that every organization has
//! - [`members`]: which token has which roles
//! - [`owners`]: which keyspace belongs to which database
//! - [`grants`]: policies as Cassandra's grants

pub mod built_in;
mod grants;
mod members;
mod owners;
pub mod policy;
mod roles;
pub mod streaming;
mod tenants;
mod token;

pub use grants::Grants;
pub use members::{CustomRole, TokenRecord};
pub use owners::{KeyspaceState, OwnedKeyspace, Owners};
pub use policy::{Interface, Policy, Rights, Target};
pub use roles::{
    clear_caches, create_role, drop_role, grant_keyspace, granted_keyspaces, is_superuser,
    may_alter_tables, set_password,
};
pub use tenants::{TenantRecord, ensure_first_tenant};
pub use token::{Credentials, Token};
