//! The Cassandra roles of tokens: creation, grants, and queries of `system_auth`.

use std::collections::BTreeSet;

use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::statement::Statement;
use secrecy::{ExposeSecret, SecretString};

use settings::token::Token;
use store::types::quote;
use store::{Session, StoreError};

/// Creates the role of a token, unless it exists.
pub async fn create_role(
    admin: &Session,
    token: &Token,
    superuser: bool,
) -> Result<(), StoreError> {
    // A role statement takes no bound values; the password of a well-formed token is hexadecimal.
    let cql = format!(
        "CREATE ROLE IF NOT EXISTS {} WITH PASSWORD = '{}' AND LOGIN = true AND SUPERUSER = {superuser}",
        quote(token.client_id()),
        token.password().expose_secret(),
    );
    run(admin, &cql).await
}

/// Sets a role's password.
pub async fn set_password(
    admin: &Session,
    role: &str,
    password: &SecretString,
) -> Result<(), StoreError> {
    let password = password.expose_secret().replace('\'', "''");
    let cql = format!("ALTER ROLE {} WITH PASSWORD = '{password}'", quote(role));
    run(admin, &cql).await
}

/// Grants a role everything on the tables of a keyspace, but nothing on the keyspace itself: on Astra keyspaces are
/// created and dropped only through the DevOps API.
pub async fn grant_keyspace(admin: &Session, role: &str, keyspace: &str) -> Result<(), StoreError> {
    let cql = format!(
        "GRANT ALL PERMISSIONS ON ALL TABLES IN KEYSPACE {} TO {}",
        quote(keyspace),
        quote(role)
    );
    run(admin, &cql).await
}

/// Drops the role of a token, with its grants.
pub async fn drop_role(admin: &Session, role: &str) -> Result<(), StoreError> {
    run(admin, &format!("DROP ROLE IF EXISTS {}", quote(role))).await
}

/// Clears Cassandra's caches of roles and permissions, so that a change takes effect at once. Each node has its own
/// caches; a node that is down has none when it starts again.
pub async fn clear_caches(admin: &Session) -> Result<(), StoreError> {
    let state = admin.get_cluster_state();
    let nodes = state.get_nodes_info().iter();
    for node in nodes.filter(|node| node.is_connected()) {
        let here = NodeIdentifier::HostId(node.host_id);
        for cache in [
            "permissions_cache_keys",
            "roles_cache_keys",
            "credentials_cache_keys",
        ] {
            let mut statement = Statement::new(format!("TRUNCATE system_views.{cache}"));
            let policy = SingleTargetLoadBalancingPolicy::new(here.clone(), None);
            statement.set_load_balancing_policy(Some(policy));
            admin.query_unpaged(statement, ()).await?;
        }
    }
    Ok(())
}

/// Returns true if this role is a superuser.
pub async fn is_superuser(admin: &Session, role: &str) -> Result<bool, StoreError> {
    let rows = text_rows(
        admin,
        "SELECT CAST(is_superuser AS text) FROM system_auth.roles WHERE role = ?",
        role,
    )
    .await?;
    Ok(rows.iter().any(|value| value == "true"))
}

/// Returns the keyspaces in which a role has any grant.
pub async fn granted_keyspaces(
    admin: &Session,
    role: &str,
) -> Result<BTreeSet<String>, StoreError> {
    let rows = text_rows(
        admin,
        "SELECT resource FROM system_auth.role_permissions WHERE role = ?",
        role,
    )
    .await?;
    // data/<keyspace>, data/<keyspace>/<table> or data/<keyspace>/*
    Ok(rows
        .iter()
        .filter_map(|resource| resource.strip_prefix("data/")?.split('/').next())
        .map(str::to_owned)
        .collect())
}

/// Returns true if a role can alter the tables of a keyspace. Queries Cassandra, and includes roles granted to the
/// role.
pub async fn may_alter_tables(
    admin: &Session,
    role: &str,
    keyspace: &str,
) -> Result<bool, StoreError> {
    let cql = format!(
        "LIST ALTER PERMISSION ON ALL TABLES IN KEYSPACE {} OF {}",
        quote(keyspace),
        quote(role)
    );
    let result = admin.query_unpaged(cql, ()).await?;
    let rows = result.into_rows_result();
    Ok(rows.is_ok_and(|rows| rows.rows_num() > 0))
}

async fn text_rows(admin: &Session, cql: &str, value: &str) -> Result<Vec<String>, StoreError> {
    use store::Code;
    let unreadable = |error: String| StoreError::new(Code::Internal, error);
    let result = admin
        .query_unpaged(cql, (value,))
        .await?
        .into_rows_result()
        .map_err(|error| unreadable(error.to_string()))?;
    let rows = result
        .rows::<(Option<String>,)>()
        .map_err(|error| unreadable(error.to_string()))?;
    rows.filter_map(|row| match row {
        Ok((value,)) => value.map(Ok),
        Err(error) => Some(Err(unreadable(error.to_string()))),
    })
    .collect()
}

async fn run(admin: &Session, cql: &str) -> Result<(), StoreError> {
    admin.query_unpaged(cql, ()).await?;
    Ok(())
}
