//! Indexes that are being built.

use std::time::Duration;

use scylla::errors::DbError;
use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::statement::Statement;
use tokio::time::timeout;

use super::caller::Caller;
use super::error::ApiError;
use store::{Code, Session, StoreError};

/// Time limit for building the indexes of a table, and the interval between two checks.
const INDEX_LIMIT: Duration = Duration::from_secs(10);
const INDEX_POLL: Duration = Duration::from_millis(10);

/// Waits until every node can search by the indexes. When that takes too long, the searches tell.
pub async fn wait_for_indexes(
    caller: &Caller<'_>,
    keyspace: &str,
    name: &str,
) -> Result<(), ApiError> {
    let all_built = async {
        let admin = caller.api.logins.admin();
        let cluster = admin.get_cluster_state();
        let nodes = cluster.get_nodes_info().iter();
        for node in nodes.filter(|node| node.is_connected()) {
            let mut statement = Statement::new(
                "SELECT is_queryable FROM system_views.sai_column_indexes WHERE keyspace_name = ? AND table_name = ? ALLOW FILTERING",
            );
            let here = NodeIdentifier::HostId(node.host_id);
            let policy = SingleTargetLoadBalancingPolicy::new(here, None);
            statement.set_load_balancing_policy(Some(policy));
            loop {
                match are_built(admin, statement.clone(), keyspace, name).await {
                    Ok(true) => break,
                    Ok(false) => {}
                    // Cassandra cannot read this view while it creates any keyspace.
                    Err(error) if matches!(error.cassandra, Some(DbError::ServerError)) => {}
                    Err(error) => return Err(error),
                }
                tokio::time::sleep(INDEX_POLL).await;
            }
        }
        Ok::<(), StoreError>(())
    };
    match timeout(INDEX_LIMIT, all_built).await {
        Ok(done) => Ok(done?),
        Err(_) => Ok(()),
    }
}

/// Returns true if there are indexes, and the node that responds to `statement` can search by all of them.
async fn are_built(
    admin: &Session,
    statement: Statement,
    keyspace: &str,
    name: &str,
) -> Result<bool, StoreError> {
    let unreadable = |error: String| StoreError::new(Code::Internal, error);
    let result = admin
        .query_unpaged(statement, (keyspace, name))
        .await?
        .into_rows_result()
        .map_err(|error| unreadable(error.to_string()))?;
    let queryable = result
        .rows::<(bool,)>()
        .map_err(|error| unreadable(error.to_string()))?
        .map(|row| row.map(|(queryable,)| queryable))
        .collect::<Result<Vec<bool>, _>>()
        .map_err(|error| unreadable(error.to_string()))?;
    Ok(!queryable.is_empty() && queryable.iter().all(|queryable| *queryable))
}
