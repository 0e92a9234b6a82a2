//! `down`: stops the processes that `up` started.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use sysinfo::Signal;

use crate::background::state::{self, Lock, State, Which};
use crate::background::stop_engines;
use settings::Folders;

/// Limit for the background process to exit. It waits for the engines with its own limits: each of three nodes can take
/// half a minute to stop, and a minute to write its class archive.
const STOP_LIMIT: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(20);

/// Stops local Astra and keeps its data.
///
/// # Errors
/// A process could not be stopped.
pub async fn down(folders: &Folders) -> Result<u8> {
    let _command = super::lock(folders).await?;
    if stop(folders).await? {
        println!(
            "Local Astra is stopped. Its data is in {}.",
            folders.data.display()
        );
    } else {
        println!("Local Astra is not running.");
    }
    Ok(0)
}

/// Stops the background process and the engines, including those that a killed process left running. Returns true if
/// anything was running.
///
/// # Errors
/// A process could not be stopped.
pub async fn stop(folders: &Folders) -> Result<bool> {
    let stopped = end_process(folders, Signal::Term).await?;
    let left = stop_engines(folders).await?;
    state::forget(folders)?;
    Ok(stopped || left)
}

/// Stops only the gateway, so that a newer one adopts the engines.
///
/// # Errors
/// It does not exit.
pub async fn stop_gateway(folders: &Folders) -> Result<()> {
    end_process(folders, Signal::User1).await?;
    Ok(())
}

async fn end_process(folders: &Folders, signal: Signal) -> Result<bool> {
    if Lock::try_take(folders, Which::Process)?.is_some() {
        return Ok(false);
    }
    let began = Instant::now();
    let mut signaled = None;
    while Lock::try_take(folders, Which::Process)?.is_none() {
        // A new process may not have written its state yet.
        if let Some(process) = State::read(folders)?.map(|state| state.process)
            && signaled.as_ref() != Some(&process)
        {
            process.signal(signal)?;
            signaled = Some(process);
        }
        if began.elapsed() > STOP_LIMIT {
            bail!(
                "the background process of local Astra does not exit. Check its log: {}",
                folders.background_log().display()
            );
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(true)
}
