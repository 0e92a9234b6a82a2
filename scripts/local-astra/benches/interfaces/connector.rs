//! The connector: CQL through the secure connect bundle, beside the driver straight to Cassandra.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use astra_secure_connect::SecureConnect;
use futures::{StreamExt, TryStreamExt, stream};
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use secrecy::ExposeSecret;
use settings::KEYSPACE;

use crate::figures::{Figure, middle, waited};
use crate::server::Server;
use crate::world::direct;

const ROUNDS: usize = 5;
const READS: i32 = 2_000;
const WRITES: i32 = 10_000;
const IN_FLIGHT: usize = 64;
const TABLE: &str = "bench_connector";

/// The time to connect, single reads one after the other, and many writes.
///
/// # Errors
/// When a connection or a statement fails.
pub async fn measure(server: &Server) -> Result<Vec<Figure>> {
    let straight = direct(server).await?;
    let table = format!("CREATE TABLE {TABLE} (key int PRIMARY KEY, value text)");
    straight.query_unpaged(table, ()).await?;
    let mut connects = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        connects[0].push(waited(direct(server)).await?.0);
        connects[1].push(waited(bundle(server)).await?.0);
    }
    let ways = [
        Way::of(straight).await?,
        Way::of(bundle(server).await?).await?,
    ];
    let (mut reads, mut writes) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    // The first round warms up caches and the JVM, and is not told.
    for round in 0..=ROUNDS {
        // In turns, so that neither always comes first.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for way in order {
            let (of_writes, of_reads) = (ways[way].writes().await?, ways[way].read().await?);
            if round > 0 {
                writes[way].push(of_writes);
                reads[way].push(of_reads);
            }
        }
    }
    let pair = |times: [Vec<Duration>; 2]| {
        let [direct, bundle] = times.map(middle);
        let more = 100.0 * (bundle.as_secs_f64() / direct.as_secs_f64() - 1.0);
        format!("{bundle:.2?}, direct {direct:.2?} ({more:+.0} %)")
    };
    Ok(vec![
        Figure::new("connector: connect", pair(connects), "100 ms"),
        Figure::new("connector: a single read", pair(reads), "+10 %"),
        Figure::new(
            format!("connector: {WRITES} writes, {IN_FLIGHT} in flight"),
            pair(writes),
            "+5 %",
        ),
    ])
}

async fn bundle(server: &Server) -> Result<Session> {
    let token = server.secrets.application.token.text();
    SecureConnect::open(server.folders.bundle())
        .await?
        .session_builder()
        .user("token", token.expose_secret())
        .use_keyspace(KEYSPACE, true)
        .build()
        .await
        .context("through the bundle")
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
        let mut times = Vec::new();
        for key in 0..READS {
            let began = Instant::now();
            let result = self.session.execute_unpaged(&self.select, (key,)).await?;
            times.push(began.elapsed());
            ensure!(result.into_rows_result()?.rows_num() == 1, "no row {key}");
        }
        Ok(middle(times))
    }

    /// Returns the time of all prepared writes.
    async fn writes(&self) -> Result<Duration> {
        let began = Instant::now();
        stream::iter(0..WRITES)
            .map(|key| self.session.execute_unpaged(&self.insert, (key, "a book")))
            .buffer_unordered(IN_FLIGHT)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        Ok(began.elapsed())
    }
}
