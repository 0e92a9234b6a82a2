//! Connects to an Astra database and reads one row.

use std::env::var;

use astra_secure_connect::SecureConnect;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let astra = SecureConnect::open(var("ASTRA_DB_SECURE_BUNDLE_PATH")?).await?;
    let session = astra
        .session_builder()
        .user("token", var("ASTRA_DB_APPLICATION_TOKEN")?)
        .build()
        .await?;

    let cql = "SELECT cluster_name, release_version FROM system.local";
    let result = session.query_unpaged(cql, ()).await?.into_rows_result()?;
    let (cluster, release) = result.single_row::<(String, String)>()?;
    println!("Connected to {cluster}, Cassandra {release}");
    Ok(())
}
