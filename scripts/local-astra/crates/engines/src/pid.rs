//! A process, identified by its number and start time, so that no other process receives its signals.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, Signal, System};
use tokio::time::sleep;

use super::EngineError;

/// Interval between checks for the end of a process. It may not be a child, so its end cannot be awaited.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process, distinguishable from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: u32,
    /// Seconds since 1970.
    pub started: u64,
}

/// Resource usage of a live process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// Resident memory.
    pub bytes: u64,
    /// Processor time, user and system.
    pub cpu: Duration,
}

impl ProcessId {
    /// Returns the process that currently has this number. `None` if there is none, or only a zombie.
    pub fn of(pid: u32) -> Result<Option<Self>, EngineError> {
        with_process(pid, |process| Self {
            pid,
            started: process.start_time(),
        })
    }

    /// Returns the resource usage. `None` if the process has ended (or is a zombie), or if another process has its
    /// number.
    pub fn vitals(&self) -> Result<Option<Vitals>, EngineError> {
        self.with(|process| Vitals {
            bytes: process.memory(),
            cpu: Duration::from_millis(process.accumulated_cpu_time()),
        })
    }

    pub fn is_alive(&self) -> Result<bool, EngineError> {
        Ok(self.with(|_| ())?.is_some())
    }

    /// Sends a signal, and returns true if it was sent. Sends nothing if the process has ended or another one has its
    /// number.
    pub fn signal(&self, signal: Signal) -> Result<bool, EngineError> {
        Ok(self
            .with(|process| process.kill_with(signal).unwrap_or(false))?
            .unwrap_or(false))
    }

    fn with<T>(&self, look: impl FnOnce(&sysinfo::Process) -> T) -> Result<Option<T>, EngineError> {
        // Linux counts from boot, and the boot time shifts slightly when the clock is set.
        let same = |process: &sysinfo::Process| process.start_time().abs_diff(self.started) <= 2;
        with_process(self.pid, |process| same(process).then(|| look(process))).map(Option::flatten)
    }

    /// Waits until the process is gone. Returns false after `limit`.
    pub(super) async fn gone_within(&self, limit: Duration) -> Result<bool, EngineError> {
        let since = Instant::now();
        while self.is_alive()? {
            if since.elapsed() > limit {
                return Ok(false);
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(true)
    }
}

fn with_process<T>(
    pid: u32,
    look: impl FnOnce(&sysinfo::Process) -> T,
) -> Result<Option<T>, EngineError> {
    let mut system = System::new().map_err(|error| EngineError::Processes(error.to_string()))?;
    let pid = Pid::from_u32(pid);
    let what = ProcessRefreshKind::nothing()
        .without_tasks()
        .with_memory()
        .with_cpu();
    let one = ProcessesToUpdate::Some(&[pid]);
    system.refresh_processes_specifics(one, true, what);
    match system.process(pid).map(sysinfo::Process::status) {
        None => return Ok(None),
        Some(ProcessStatus::Zombie | ProcessStatus::Dead) => {
            // The first thread of a killed process ends first. Its ports are in use until the others have ended.
            system.refresh_processes_specifics(one, true, what.with_tasks());
            let threads = system.process(pid).and_then(sysinfo::Process::tasks);
            if !threads.is_some_and(|threads| threads.iter().any(|thread| *thread != pid)) {
                return Ok(None);
            }
        }
        Some(_) => {}
    }
    Ok(system.process(pid).map(look))
}
