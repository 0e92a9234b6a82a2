//! `countDocuments` and `estimatedDocumentCount`.

use super::Collection;
use super::filter::Parsed;
use super::plan::Plan;
use super::stream::{PageSizes, Stream};
use crate::caller::Caller;
use crate::command::Command;
use crate::error::ApiError;
use crate::json::Json;
use crate::response::Response;
use store::StoreError;
use store::schema::rows;
use store::types::literal;

/// Counting ends here.
const MAX_COUNT: i64 = 1000;

/// `countDocuments`
pub async fn count(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let parsed = Parsed::read(command.field("filter"), collection)?;
    let plan = Plan::of(&parsed.filter);
    let mut stream = Stream::new(collection, plan, &[], None, PageSizes::growing(500));
    let mut count = 0;
    while count <= MAX_COUNT && stream.next().await?.is_some() {
        count += 1;
    }
    let response = Response::default().with_status("count", Json::integer(count.min(MAX_COUNT)));
    Ok(if count > MAX_COUNT {
        response.with_status("moreData", Json::Bool(true))
    } else {
        response
    })
}

/// `estimatedDocumentCount`: what Cassandra has estimated, every few minutes.
pub async fn estimate(caller: &Caller<'_>, collection: &Collection) -> Result<Response, ApiError> {
    // The estimates of all tables stand in one: a token may read its own only through this.
    caller.visible_keyspace(&collection.keyspace).await?;
    let cql = format!(
        "SELECT partitions_count FROM system.size_estimates WHERE keyspace_name = {} AND table_name = {}",
        literal(&collection.keyspace),
        literal(&collection.name)
    );
    let counts: Result<Vec<(i64,)>, StoreError> = rows(caller.api.logins.admin(), &cql).await;
    let count: i64 = counts?.into_iter().map(|(count,)| count).sum();
    Ok(Response::default().with_status("count", Json::integer(count)))
}
