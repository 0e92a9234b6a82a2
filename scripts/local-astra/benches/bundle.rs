//! Cost of the secure connect bundle: single reads, and prepared writes with 64 in flight, through the bundle and
//! directly to Cassandra, alternately, with both ends optimized.
//!
//! `cargo bench -p local-astra --bench bundle` prints the ratios. They are only meaningful on an idle machine.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use astra_secure_connect::SecureConnect;
use futures::{StreamExt, TryStreamExt, stream};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::prepared::PreparedStatement;
use secrecy::ExposeSecret;
use settings::Folders;
use settings::layout::Layout;
use settings::secrets::Secrets;

const ROUNDS: usize = 5;
const READS: usize = 2_000;
const WRITES: i32 = 10_000;
const IN_FLIGHT: usize = 64;
const KEYSPACE: &str = "samples";
const TABLE: &str = "rust_bench_bundle";

#[tokio::main]
async fn main() -> Result<()> {
    let data = tempfile::tempdir()?;
    local_astra(data.path(), &["up"])?;
    let measured = measure(data.path()).await;
    local_astra(data.path(), &["down"])?;
    measured
}

async fn measure(data: &Path) -> Result<()> {
    let secrets = Secrets::of(data)?;
    let layout = Layout::of(data, None)?;
    let operator = &secrets.operator;
    let direct = SessionBuilder::new()
        .known_nodes_addr(layout.cassandra())
        .user(
            &operator.client_id,
            operator.token.password().expose_secret(),
        )
        .use_keyspace(KEYSPACE, true)
        .build()
        .await
        .context("straight to Cassandra")?;
    let bundle = SecureConnect::open(Folders::new(Some(data))?.bundle())
        .await?
        .session_builder()
        .user("token", operator.token.text().expose_secret())
        .use_keyspace(KEYSPACE, true)
        .build()
        .await
        .context("through the bundle")?;

    let table = format!("CREATE TABLE {TABLE} (key int PRIMARY KEY, value text)");
    direct.query_unpaged(table, ()).await?;
    let ways = [Way::of(direct).await?, Way::of(bundle).await?];
    println!(
        "round  read, microseconds: direct, bundle, ratio   writes a second: direct, bundle, ratio"
    );
    // The first round warms up caches and the JVM, and is not told.
    for round in 0..=ROUNDS {
        // In turns, so that neither always comes first.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        let (mut reads, mut writes) = ([Duration::ZERO; 2], [0.0; 2]);
        for way in order {
            writes[way] = ways[way].writes().await?;
            reads[way] = ways[way].read().await?;
        }
        if round > 0 {
            let micros = reads.map(|read| read.as_secs_f64() * 1e6);
            println!(
                "{round}      {:.0} {:.0} {:.2}                                   {:.0} {:.0} {:.2}",
                micros[0],
                micros[1],
                micros[1] / micros[0],
                writes[0],
                writes[1],
                writes[1] / writes[0],
            );
        }
    }
    Ok(())
}

/// One of the two routes to Cassandra.
struct Way {
    session: Session,
    select: PreparedStatement,
    insert: PreparedStatement,
}

impl Way {
    async fn of(session: Session) -> Result<Way> {
        let select = format!("SELECT value FROM {TABLE} WHERE key = ?");
        let insert = format!("INSERT INTO {TABLE} (key, value) VALUES (?, ?)");
        Ok(Way {
            select: session.prepare(select).await?,
            insert: session.prepare(insert).await?,
            session,
        })
    }

    /// Returns the median duration of sequential single reads.
    async fn read(&self) -> Result<Duration> {
        let mut times = Vec::with_capacity(READS);
        for key in 0..READS as i32 {
            let began = Instant::now();
            let result = self.session.execute_unpaged(&self.select, (key,)).await?;
            times.push(began.elapsed());
            ensure!(result.into_rows_result()?.rows_num() == 1, "no row {key}");
        }
        times.sort_unstable();
        Ok(times[READS / 2])
    }

    /// Returns the number of prepared writes per second.
    async fn writes(&self) -> Result<f64> {
        let began = Instant::now();
        stream::iter(0..WRITES)
            .map(|key| self.session.execute_unpaged(&self.insert, (key, "a book")))
            .buffer_unordered(IN_FLIGHT)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        Ok(f64::from(WRITES) / began.elapsed().as_secs_f64())
    }
}

fn local_astra(data: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-astra"));
    let status = command.arg("--data").arg(data).args(arguments).status()?;
    if !status.success() {
        bail!("local-astra {arguments:?}: {status}");
    }
    Ok(())
}
