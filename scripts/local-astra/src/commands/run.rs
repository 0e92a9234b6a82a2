//! `run`: builds a sample and runs it with its settings against a running local Astra.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};

use anyhow::{Context, Result, bail};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sysinfo::Signal;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::up::{self, Started};
use crate::background::state::Engines;
use engines::process::ProcessId;
use settings::Folders;
use settings::environment;
use settings::environment::{Door, Who};
use settings::layout::Layout;
use settings::secrets::Secrets;

/// Builds the sample, starts local Astra if necessary, and runs the sample. Returns the sample's exit code.
///
/// # Errors
/// The sample does not exist or does not build, or local Astra does not start.
pub async fn run(folders: &Folders, sample: &str, arguments: &[String]) -> Result<u8> {
    let workspace = Workspace::read().await?;
    workspace.check(sample)?;
    // Side by side: a first start downloads the engines and waits for them.
    let (program, started) = tokio::join!(
        build(&workspace.root, sample),
        up::ensure(folders, None, engines(sample)),
    );
    if matches!(started, Ok(Started::Interrupted)) {
        return Ok(130);
    }
    let program = program?;
    started?;
    let layout = Layout::of(&folders.data, None)?;
    let secrets = Secrets::of(&folders.data)?;
    let mut command = Command::new(&program);
    command.args(arguments);
    for (name, value) in environment::of(folders, &layout.ports, &secrets, door(), Who::Application)
    {
        command.env(name, value.expose_secret());
    }
    if door() == Door::Tls {
        command.env("SSL_CERT_FILE", folders.authority());
        command.env_remove("SSL_CERT_DIR");
    }
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, "localhost,127.0.0.1");
    }
    let status = end(command, sample).await?;
    Ok(code(status))
}

/// Returns the TLS door where the samples' clients respect `SSL_CERT_FILE`. Elsewhere the system's verifier is used,
/// which does not trust local Astra's authority.
fn door() -> Door {
    if cfg!(target_os = "linux") {
        Door::Tls
    } else {
        Door::Plain
    }
}

/// Runs the sample until it exits. Ctrl-C reaches both processes; this one waits for the sample to clean up.
async fn end(mut command: Command, sample: &str) -> Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {sample}"))?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            _ = interrupt.recv() => (),
            _ = terminate.recv() => {
                if let Some(pid) = child.id()
                    && let Some(sample) = ProcessId::of(pid)?
                {
                    // The sample handles Ctrl-C: let it clean up in the same way.
                    sample.signal(Signal::Interrupt)?;
                }
            }
        }
    }
}

/// Returns the exit code as in a shell: 128 plus the number of the signal that ended the program.
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(1)
}

/// The workspace, from `cargo metadata`.
#[derive(Deserialize)]
struct Workspace {
    #[serde(rename = "workspace_root")]
    root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

impl Workspace {
    async fn read() -> Result<Workspace> {
        // Set by `cargo run`; otherwise the folder where this program was built.
        let folder = std::env::var("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let metadata = ["metadata", "--no-deps", "--format-version", "1"];
        let output = output(cargo().args(metadata).current_dir(&folder))
            .await
            .with_context(|| format!("cannot run cargo in {folder}"))?;
        if !output.status.success() {
            bail!("`cargo metadata` failed in {folder}");
        }
        serde_json::from_slice(&output.stdout).context("cannot read the output of `cargo metadata`")
    }

    /// Checks that the folder of the samples contains a package of this name.
    fn check(&self, sample: &str) -> Result<()> {
        let folder = self.root.join("samples");
        let packages = self.packages.iter();
        let mut names: Vec<&str> = packages
            .filter(|package| package.manifest_path.starts_with(&folder))
            .map(|package| package.name.as_str())
            .collect();
        if names.contains(&sample) {
            return Ok(());
        }
        names.sort_unstable();
        bail!(
            "unknown sample {sample:?}. The samples are: {}",
            names.join(", ")
        )
    }
}

/// Returns the engines that a sample needs: Pulsar for streaming settings, Cassandra for all others, because it also
/// stores Astra's tokens.
fn engines(sample: &str) -> Engines {
    let known = shared::SAMPLES.iter().find(|known| known.name == sample);
    let settings = known.map(shared::Sample::settings).unwrap_or_default();
    let streaming = |setting: &shared::Setting| setting.name.starts_with("ASTRA_STREAMING_");
    Engines {
        cassandra: settings.is_empty() || !settings.iter().all(streaming),
        pulsar: settings.iter().any(streaming),
    }
}

/// One line of `cargo build --message-format=json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

async fn build(root: &Path, sample: &str) -> Result<PathBuf> {
    eprintln!("Building {sample}.");
    // With the features of both packages, cargo reuses most of the dependencies that it has built for local Astra.
    let mut build = cargo();
    build
        .args(["build", "--package", "local-astra", "--package", sample])
        // Its progress would run into that of the engines.
        .args(["--bin", sample, "--quiet"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root);
    let output = output(&mut build).await.context("cannot run cargo")?;
    match output.status.code() {
        Some(0) => {}
        Some(_) => bail!("{sample} does not build"),
        None => bail!("the build of {sample} was interrupted"),
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| message.target.as_ref().is_some_and(|t| t.name == sample))
        .find_map(|message| message.executable)
        .with_context(|| format!("cargo built no program {sample}"))
}

/// Runs a command to its end and returns its output. Its errors stay visible, which `Command::output` would take, too.
async fn output(command: &mut Command) -> io::Result<Output> {
    command
        .stdout(Stdio::piped())
        .spawn()?
        .wait_with_output()
        .await
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_starts_the_engines_that_its_settings_are_about() {
        assert_eq!(engines("pulsar-client-sample"), Engines::PULSAR);
        assert_eq!(engines("pulsar-admin-sample"), Engines::PULSAR);
        assert_eq!(engines("rest-sample"), Engines::CASSANDRA);
        assert_eq!(engines("devops-database-sample"), Engines::CASSANDRA);
        let both = Engines::CASSANDRA.and(Engines::PULSAR);
        assert_eq!(engines("devops-streaming-sample"), both);
        assert_eq!(engines("a-sample-without-settings"), Engines::CASSANDRA);
    }
}
