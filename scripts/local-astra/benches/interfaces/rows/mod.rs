//! The operations that are measured.
//!
//! - [`data_api`]: documents of the Data API; [`tables`]: rows of its tables
//! - [`stargate`]: rows over REST, GraphQL and gRPC, documents of the Document API

mod data_api;
mod stargate;
mod tables;

use std::sync::Arc;

use anyhow::Result;

use crate::load::Row;
use crate::world::World;

/// All rows that are wanted, with the data that they need.
///
/// # Errors
/// When the data cannot be made.
pub async fn all(world: &Arc<World>, wanted: &dyn Fn(&Row) -> bool) -> Result<Vec<Row>> {
    let mut rows = data_api::rows(world).await?;
    rows.extend(tables::rows(world).await?);
    rows.extend(stargate::rows(world).await?);
    rows.retain(wanted);
    Ok(rows)
}
