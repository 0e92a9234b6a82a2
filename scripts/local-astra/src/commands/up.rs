//! `up`: starts everything that is not running, and waits until it is ready.

use std::fs;
use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use sysinfo::Signal;
use tokio::signal::unix::{SignalKind, signal};

use crate::background;
use crate::background::state::{self, Engines, Lock, Phase, Request, State, Which};
use crate::commands::down;
use engines::jars;
use engines::java;
use engines::java::Search;
use engines::process::ProcessId;
use settings::Folders;
use settings::layout::Layout;

/// Limit for everything to become ready, without downloads. Each of three nodes has its own limit of three minutes.
const READY_LIMIT: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(50);
/// Limit for a running process to write its state.
const STATE_LIMIT: Duration = Duration::from_secs(3);
/// Exit code of a program that Ctrl-C ended, as in a shell.
const INTERRUPTED: u8 = 130;

/// Starts local Astra and prints its endpoints.
///
/// # Errors
/// The reason it did not start.
pub async fn up(folders: &Folders, nodes: Option<u8>, engines: Engines) -> Result<u8> {
    match ensure(folders, nodes, engines).await? {
        Started::Interrupted => Ok(INTERRUPTED),
        Started::Ready => super::status::status(folders),
    }
}

/// Outcome of a start.
pub enum Started {
    Ready,
    /// Ctrl-C was pressed. Processes that were not running before have been stopped.
    Interrupted,
}

/// Starts what is not running, repairs what is broken, and replaces a gateway older than this program. `nodes` is the
/// number of nodes for a first start.
///
/// # Errors
/// The reason it did not start. Nothing is left partially running then.
pub async fn ensure(folders: &Folders, nodes: Option<u8>, engines: Engines) -> Result<Started> {
    // Before the first message: who reads it may press Ctrl-C at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Held to the end, so that Ctrl-C never stops what another command has started.
    let _command = tokio::select! {
        lock = super::lock(folders) => lock?,
        _ = interrupt.recv() => {
            eprintln!("Interrupted. The other command keeps running.");
            return Ok(Started::Interrupted);
        }
    };
    let ran = Lock::try_take(folders, Which::Process)?.is_none()
        && State::read(folders)?.is_some_and(|state| state.phase == Phase::Ready);
    tokio::select! {
        started = start(folders, nodes, engines) => started,
        _ = interrupt.recv() => {
            if ran {
                eprintln!("Interrupted. Running engines keep running, and a requested engine may still start.");
            } else {
                eprintln!("Interrupted. Stopping what this command started.");
                down::stop(folders).await?;
            }
            Ok(Started::Interrupted)
        }
    }
}

async fn start(folders: &Folders, nodes: Option<u8>, engines: Engines) -> Result<Started> {
    // Under the command's lock, so that only one of two first starts chooses.
    Layout::of(&folders.data, nodes)?;
    // Engines that were running before a kill or failure are started again, too.
    let engines = engines.and(Request::read(folders)?.engines);
    if Lock::try_take(folders, Which::Process)?.is_none() {
        match written(folders).await? {
            Some(State {
                phase: Phase::Ready,
                built,
                process,
                up,
                ..
            }) if answers(folders).await? && background::answers(folders, up).await? => {
                if built >= state::built() {
                    if !up.contain(engines) {
                        request(folders, process, engines).await?;
                    }
                    return Ok(Started::Ready);
                }
                down::stop_gateway(folders).await?;
            }
            _ => {
                down::stop(folders).await?;
            }
        }
    }
    // Downloaded here and not in the background, so that the progress is visible.
    fetch(folders, engines).await?;
    let number = Request::add(folders, engines)?.number;
    let mut child = spawn(folders)?;
    let ready = wait(folders, engines, || {
        let state = State::read(folders)?.filter(|state| state.process.pid == child.id());
        if let Some(done) = state.and_then(|state| outcome(state, number)) {
            return Ok(Some(done));
        }
        Ok(child.try_wait()?.map(|status| {
            let output = fs::read_to_string(folders.background_log()).unwrap_or_default();
            let last = output
                .lines()
                .last()
                .unwrap_or("its log is empty")
                .to_owned();
            Err(format!("the background process ended ({status}): {last}"))
        }))
    })
    .await;
    if ready.is_err() {
        down::stop(folders).await?;
    }
    ready.map(|()| Started::Ready)
}

/// Returns the state of a running process, which rewrites a damaged state file at its next check.
async fn written(folders: &Folders) -> Result<Option<State>> {
    let began = Instant::now();
    loop {
        match State::read(folders)? {
            None if began.elapsed() < STATE_LIMIT => tokio::time::sleep(LOOK).await,
            state => return Ok(state),
        }
    }
}

/// Returns true if the gateway responds. A process that is being killed holds its lock until its end, but does not
/// respond.
async fn answers(folders: &Folders) -> Result<bool> {
    let port = Layout::of(&folders.data, None)?.ports.plain;
    let client = reqwest::Client::builder().no_proxy().timeout(STATE_LIMIT);
    let request = client.build()?.get(format!("http://127.0.0.1:{port}/"));
    Ok(request.send().await.is_ok())
}

/// Requests `engines` from a running background process. Running engines are not affected, even if this fails.
async fn request(folders: &Folders, process: ProcessId, engines: Engines) -> Result<()> {
    fetch(folders, engines).await?;
    let number = Request::add(folders, engines)?.number;
    process.signal(Signal::User2)?;
    wait(folders, engines, || {
        if !process.is_alive()? {
            let log = folders.background_log();
            let ended = format!("the background process ended; its log is {}", log.display());
            return Ok(Some(Err(ended)));
        }
        Ok(State::read(folders)?.and_then(|state| outcome(state, number)))
    })
    .await
}

/// Returns the outcome of request `number`; `None` if it is pending.
fn outcome(state: State, number: u64) -> Option<Result<(), String>> {
    match (state.phase, state.refused) {
        (Phase::Failed(why) | Phase::Broken(why), _) => Some(Err(why)),
        (Phase::Ready, refused) if state.answered >= number => Some(refused.map_or(Ok(()), Err)),
        _ => None,
    }
}

async fn fetch(folders: &Folders, engines: Engines) -> Result<()> {
    let jdk = java::find(&Search::here()).await?;
    if engines.cassandra {
        jars::fetch(jars::CASSANDRA, &folders.cache, &jdk).await?;
    }
    if engines.pulsar {
        jars::fetch(jars::PULSAR, &folders.cache, &jdk).await?;
    }
    Ok(())
}

fn spawn(folders: &Folders) -> Result<Child> {
    let path = folders.background_log();
    let log =
        fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let program = std::env::current_exe().context("cannot find the program of local Astra")?;
    Command::new(program)
        .arg("--data")
        .arg(&folders.data)
        .arg("background")
        .current_dir(&folders.data)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start the background process of local Astra")
}

/// Calls `done` until it returns an outcome.
async fn wait(
    folders: &Folders,
    engines: Engines,
    mut done: impl FnMut() -> Result<Option<Result<(), String>>>,
) -> Result<()> {
    let names = match (engines.cassandra, engines.pulsar) {
        (true, true) => "Cassandra and Pulsar",
        (false, true) => "Pulsar",
        _ => "Cassandra",
    };
    let bar = ProgressBar::new_spinner();
    if std::io::stderr().is_terminal() {
        bar.enable_steady_tick(Duration::from_millis(100));
    } else {
        eprintln!("Starting {names}.");
    }
    let began = Instant::now();
    let done = loop {
        bar.set_message(format!("Starting {names}: {} s", began.elapsed().as_secs()));
        if let Some(done) = done()? {
            break done;
        }
        if began.elapsed() > READY_LIMIT {
            break Err(format!(
                "not ready after {} s. Check the logs in {}",
                READY_LIMIT.as_secs(),
                folders.logs().display()
            ));
        }
        tokio::time::sleep(LOOK).await;
    };
    bar.finish_and_clear();
    if let Err(why) = done {
        bail!("local Astra did not start: {why}");
    }
    Ok(())
}
