//! Local Astra as its users build and start it, with data of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local_astra::background::{cassandra, pulsar, state::State};
use serde_json::Value;
use settings::Folders;
use settings::layout::Layout;
use settings::secrets::Secrets;

use crate::figures::timed;

pub struct Server {
    pub program: PathBuf,
    pub data: tempfile::TempDir,
    pub first_start: Duration,
    pub folders: Folders,
    pub layout: Layout,
    pub secrets: Secrets,
}

impl Server {
    /// Starts local Astra with new data.
    ///
    /// # Errors
    /// When the start fails.
    pub fn start(program: &Path) -> Result<Server> {
        let data = tempfile::tempdir()?;
        let first_start = timed(|| local_astra(program, data.path(), &["up"]))?;
        Ok(Server {
            first_start,
            folders: Folders::new(Some(data.path()))?,
            layout: Layout::of(data.path(), None)?,
            secrets: Secrets::of(data.path())?,
            program: program.to_owned(),
            data,
        })
    }

    /// Runs a command of local Astra.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, arguments: &[&str]) -> Result<()> {
        local_astra(&self.program, self.data.path(), arguments)
    }

    /// The process that serves all interfaces.
    ///
    /// # Errors
    /// When it does not run.
    pub fn gateway(&self) -> Result<u32> {
        let state = State::read(&self.folders)?.context("local Astra does not run")?;
        Ok(state.process.pid)
    }

    /// The gateway and Cassandra.
    ///
    /// # Errors
    /// When one of them does not run.
    pub fn processes(&self) -> Result<[u32; 2]> {
        let cassandra = cassandra::of(&self.folders, &self.layout)
            .running(1)?
            .context("Cassandra does not run")?;
        Ok([self.gateway()?, cassandra.process.pid])
    }

    /// Pulsar.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pulsar(&self) -> Result<u32> {
        let pulsar = pulsar::of(&self.folders, &self.layout).running()?;
        Ok(pulsar.context("Pulsar does not run")?.process.pid)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.run(&["reset", "--yes"]) {
            eprintln!("{error}");
        }
    }
}

/// Builds local Astra with a profile, and returns its program.
///
/// # Errors
/// When the build fails.
pub fn build(profile: &str) -> Result<PathBuf> {
    let mut cargo = cargo_build("local-astra");
    let messages = messages_of(cargo.args(["--profile", profile]))?;
    let mut programs = messages.iter().filter_map(|m| m["executable"].as_str());
    let program = programs.next().map(PathBuf::from);
    program.context("cargo build named no program")
}

/// The command that builds a package.
pub fn cargo_build(package: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--package", package]);
    cargo
}

/// Runs a build to its end, for the messages of cargo.
///
/// # Errors
/// When it fails.
pub fn messages_of(build: &mut Command) -> Result<Vec<Value>> {
    build.args(["--message-format", "json-render-diagnostics"]);
    let output = build.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "cargo build: {}", output.status);
    let lines = output.stdout.split(|byte| *byte == b'\n');
    Ok(lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect())
}

/// Runs a command to its end.
///
/// # Errors
/// When it fails. `Debug` of a command would show its variables, tokens among them.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status();
    let program = command.get_program();
    let status = status.with_context(|| format!("{program:?}"))?;
    ensure!(status.success(), "{program:?}: {status}");
    Ok(())
}

fn local_astra(program: &Path, data: &Path, arguments: &[&str]) -> Result<()> {
    run(Command::new(program)
        .arg("--data")
        .arg(data)
        .args(arguments))
}

/// The settings of samples, as `cargo local env` prints them.
///
/// # Errors
/// When the command fails.
pub fn settings(server: &Server) -> Result<HashMap<String, String>> {
    let mut command = Command::new(&server.program);
    command.arg("--data").arg(server.data.path()).arg("env");
    let text = String::from_utf8(command.output()?.stdout)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let settings = lines.filter_map(|line| line.split_once('='));
    Ok(settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}
