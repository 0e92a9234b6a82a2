//! Indexes that are being built.

use std::time::Duration;

use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::statement::Statement;
use tokio::time::timeout;

use super::caller::Caller;
use super::error::ApiError;
use store::{Code, StoreError};

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
                let result = admin
                    .query_unpaged(statement.clone(), (keyspace, name))
                    .await?;
                let unreadable = |error: String| StoreError::new(Code::Internal, error);
                let rows = result
                    .into_rows_result()
                    .map_err(|e| unreadable(e.to_string()))?;
                let rows = rows
                    .rows::<(bool,)>()
                    .map_err(|e| unreadable(e.to_string()))?;
                let queryable: Vec<bool> = rows.filter_map(|row| row.ok().map(|(q,)| q)).collect();
                if !queryable.is_empty() && queryable.iter().all(|queryable| *queryable) {
                    break;
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
