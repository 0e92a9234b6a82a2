//! The rates of local Astra's interfaces beside those of the CQL driver, in interleaved rounds of one run.
//!
//! `cargo bench -p local-astra` builds and starts local Astra as its users do, measures, prints a table and writes it to
//! `BENCHMARK.md`. The figures mean something on a quiet machine only. Arguments follow `--`: see [`Arguments`].
//!
//! - [`rows`]: the operations. A new one is one entry in one of its lists
//! - [`server`]: local Astra, built and started; [`world`]: the clients
//! - [`load`]: calls at a number in flight; [`others`]: the processor time of other programs
//! - [`large`]: 20,000 documents and the memory that they take; [`many`]: 450 tables
//! - [`starts`]: starts and idle memory; [`connector`]: the bundle; [`stories`], [`messages`]: beside Python;
//!   [`builds`]: crates that samples compile again
//! - [`report`]: medians, ratios, [`figures`], the file

mod builds;
mod connector;
mod figures;
mod large;
mod load;
mod many;
mod messages;
mod others;
mod report;
mod rows;
mod server;
mod starts;
mod stories;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use figures::Figure;
use load::{Level, Row};
use others::Others;
use report::{Measured, Report};
use server::Server;
use world::World;

/// The profile that `cargo local` builds with.
const USERS: &str = "dev";
/// Attempts to measure a round that other programs do not disturb.
const ATTEMPTS: usize = 3;
/// Documents of the large collection.
const DOCUMENTS: usize = 20_000;
/// Processor cores that other programs may use during a round.
const QUIET: f64 = 0.3;

/// Measures the interfaces of local Astra beside the CQL driver.
#[derive(Parser)]
struct Arguments {
    /// The build of local Astra to measure: `dev` is the one of its users. Can be repeated.
    #[arg(long = "profile", default_value = USERS)]
    profiles: Vec<String>,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds for each side of a row in a round.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Measures only operations whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// The parts to measure. Can be repeated; without it, all but `builds`.
    #[arg(long = "part", value_enum)]
    parts: Vec<Part>,
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/BENCHMARK.md"))]
    output: PathBuf,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Operations beside the driver's statements.
    Rows,
    /// A large collection, and the memory that it takes.
    Large,
    /// 450 tables and 21,000 documents.
    Many,
    /// CQL through the secure connect bundle.
    Connector,
    /// Starts, idle memory, `cargo local run`.
    Starts,
    /// Samples beside the same stories in Python, and 100,000 messages. Needs Python 3.11 with venv.
    Stories,
    /// Crates that samples compile again. Takes ten minutes more.
    Builds,
}

impl Arguments {
    /// Without a choice, builds other than that of users are measured for their rates and memory.
    fn wants(&self, part: Part, profile: &str) -> bool {
        if !self.parts.is_empty() {
            return self.parts.contains(&part);
        }
        match part {
            Part::Rows | Part::Large => true,
            Part::Many | Part::Connector | Part::Starts | Part::Stories => profile == USERS,
            Part::Builds => false,
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut report = Report::new(arguments.rounds);
    for profile in &arguments.profiles {
        measure(profile, &arguments, &mut report).await?;
    }
    let text = report.text()?;
    println!("\n{text}");
    std::fs::write(&arguments.output, text)?;
    println!("Written to {}", arguments.output.display());
    Ok(())
}

async fn measure(profile: &str, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let program = server::build(profile)?;
    let mut figures = Vec::new();
    let wants = |part| arguments.wants(part, profile);
    if wants(Part::Starts) {
        figures.extend(starts::measure(&program, profile)?);
    }
    let server = Server::start(&program)?;
    let world = Arc::new(World::open(&server).await?);
    let rows = if wants(Part::Rows) {
        rates(profile, arguments, &server, &world).await?
    } else {
        Vec::new()
    };
    let large = if wants(Part::Large) {
        large::measure(&world, &server, DOCUMENTS).await?
    } else {
        Vec::new()
    };
    if wants(Part::Connector) {
        figures.extend(connector::measure(&server).await?);
    }
    if wants(Part::Many) {
        figures.extend(many::measure(&world).await?);
        let name = "`up`, again, with all these tables and documents";
        figures.push(Figure::time(name, starts::again(&server, &["up"])?, "6 s"));
    }
    drop(world);
    drop(server);
    // Samples are built as users build them.
    if wants(Part::Stories) && profile == USERS {
        figures.extend(stories::measure(&program).await?);
    }
    if wants(Part::Builds) && profile == USERS {
        figures.extend(builds::measure()?);
    }
    report.add(profile, &rows, &large, &figures);
    Ok(())
}

async fn rates(
    profile: &str,
    arguments: &Arguments,
    server: &Server,
    world: &Arc<World>,
) -> Result<Vec<Measured>> {
    let mut others = Others::new(&server.processes()?)?;
    let wanted = |row: &Row| row.name.contains(&arguments.only);
    let rows = rows::all(world, &wanted).await?;
    let mut measured: Vec<Measured> = rows
        .iter()
        .flat_map(|row| row.levels.iter().map(|level| Measured::new(row, level)))
        .collect();
    let time = Duration::from_secs_f64(arguments.seconds);
    // The first round fills caches and warms the JVM up; it is not counted.
    for round in 0..=arguments.rounds {
        let all = rows
            .iter()
            .flat_map(|row| row.levels.iter().map(move |level| (row, level)));
        for ((row, level), measured) in all.zip(&mut measured) {
            let rates = round_of(row, level, time, round, &mut others)
                .await
                .with_context(|| row.name.clone())?;
            println!(
                "{profile} {round}/{}  {:<28} {:>3}  driver {:>8.1}  local Astra {:>8.1}{}",
                arguments.rounds,
                row.name,
                level.ours,
                rates.driver,
                rates.ours,
                if rates.quiet { "" } else { "  (disturbed)" }
            );
            if round > 0 {
                measured.add(rates.driver, rates.ours, rates.quiet);
            }
        }
    }
    Ok(measured)
}

/// Calls per second of both sides.
struct Rates {
    driver: f64,
    ours: f64,
    /// True unless other programs disturbed the measurement.
    quiet: bool,
}

/// Measures both sides, the second one first in every other round; again if other programs disturb it.
async fn round_of(
    row: &Row,
    level: &Level,
    time: Duration,
    round: usize,
    others: &mut Others,
) -> Result<Rates> {
    let mut rates = Rates {
        driver: 0.0,
        ours: 0.0,
        quiet: false,
    };
    // The first round only warms up.
    let attempts = if round == 0 { 1 } else { ATTEMPTS };
    for _ in 0..attempts {
        others.begin();
        if round.is_multiple_of(2) {
            rates.driver = row.driver.rate(level.driver, time).await?;
            rates.ours = row.ours.rate(level.ours, time).await?;
        } else {
            rates.ours = row.ours.rate(level.ours, time).await?;
            rates.driver = row.driver.rate(level.driver, time).await?;
        }
        rates.quiet = others.cores() <= QUIET;
        if rates.quiet {
            break;
        }
    }
    Ok(rates)
}
