//! Starts and idle memory of local Astra, and what `cargo local run` adds to a sample.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use crate::USERS;
use crate::figures::{Figure, middle, timed};
use crate::others::proportional_memory;
use crate::server::{Server, run, settings};

const SAMPLE: &str = "rest-sample";
const REPEATS: usize = 5;

/// Starts and stops a local Astra of its own, with Cassandra alone and with both engines.
///
/// # Errors
/// When a start fails.
pub fn measure(program: &Path, profile: &str) -> Result<Vec<Figure>> {
    let server = Server::start(program)?;
    let second_start = again(&server, &["up"])?;
    let mut figures = vec![
        Figure::time("`up`, new data", server.first_start, "6 s"),
        Figure::time("`up`, again", second_start, "4 s"),
    ];
    if profile == USERS {
        figures.push(overhead(&server)?);
    }
    figures.push(Figure::time(
        "`up --pulsar`, Cassandra is up",
        timed(|| server.run(&["up", "--pulsar"]))?,
        "6 s",
    ));
    figures.push(Figure::time(
        "`up --pulsar`, again, both engines",
        again(&server, &["up", "--pulsar"])?,
        "6 s",
    ));
    let pulsar = server.pulsar()?;
    let [gateway, cassandra] = server.processes()?;
    for (name, process) in [
        ("gateway", gateway),
        ("Cassandra", cassandra),
        ("Pulsar", pulsar),
    ] {
        let memory = proportional_memory(process)?;
        figures.push(Figure::new(
            format!("idle memory of {name} (PSS)"),
            format!("{} MB", memory >> 20),
            "",
        ));
    }
    Ok(figures)
}

/// `cargo local run` of a sample beside its bare program with the same settings, both built and all up.
fn overhead(server: &Server) -> Result<Figure> {
    let sample = server.program.with_file_name(SAMPLE);
    let mut bare = Command::new(sample);
    bare.envs(settings(server)?);
    let mut local = Command::new(env!("CARGO"));
    local.args(["run", "--quiet", "--package", "local-astra", "--", "--data"]);
    local.arg(server.data.path()).args(["run", SAMPLE]);
    let mut times = [Vec::new(), Vec::new()];
    // The first round builds.
    for round in 0..=REPEATS {
        for (command, times) in [&mut local, &mut bare].into_iter().zip(&mut times) {
            let time = timed(|| run(command.stdout(Stdio::null()).stderr(Stdio::null())))?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    let [local, bare] = times.map(middle);
    let more = local.saturating_sub(bare);
    let name = format!("`cargo local run {SAMPLE}` over its bare program");
    Ok(Figure::new(
        name,
        format!("{more:.2?} ({local:.2?}, {bare:.2?})"),
        "1 s",
    ))
}

/// Stops local Astra, and measures how long a command takes to start it again.
///
/// # Errors
/// When it fails.
pub fn again(server: &Server, up: &[&str]) -> Result<Duration> {
    server.run(&["down"])?;
    timed(|| server.run(up))
}
