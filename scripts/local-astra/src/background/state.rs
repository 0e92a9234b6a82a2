//! The state file, through which commands find the background process and its status.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use engines::process::ProcessId;
use settings::{Folders, write_json};

/// Status of the background process. It remains on disk if the process is killed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The background process.
    pub process: ProcessId,
    pub phase: Phase,
    /// Start of the phase, in seconds since the epoch.
    pub since: u64,
    /// Build time of the program, in seconds since the epoch: a newer build takes over.
    pub built: u64,
    /// The running engines.
    #[serde(default)]
    pub up: Engines,
    /// Number of the last request that was handled.
    #[serde(default)]
    pub answered: u64,
    /// The reason that request failed, if it did. Engines that were running keep running.
    #[serde(default)]
    pub refused: Option<String>,
    /// Repairs that were necessary to start the engines.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A set of engines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engines {
    pub cassandra: bool,
    pub pulsar: bool,
}

impl Engines {
    pub const CASSANDRA: Engines = Engines {
        cassandra: true,
        pulsar: false,
    };
    pub const PULSAR: Engines = Engines {
        cassandra: false,
        pulsar: true,
    };

    /// Returns the union of both sets.
    pub fn and(self, other: Engines) -> Engines {
        Engines {
            cassandra: self.cassandra || other.cassandra,
            pulsar: self.pulsar || other.pulsar,
        }
    }

    /// Returns true if `other` is a subset of this set.
    pub fn contain(self, other: Engines) -> bool {
        self.and(other) == self
    }
}

/// A request of a command to the background process. The command holds its lock, writes this file, and signals a
/// running process with SIGUSR2. The file outlives a `kill -9`, so that `up` restores the engines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Incremented with each request.
    pub number: u64,
    pub engines: Engines,
}

impl Request {
    /// Returns the last request in a data folder, or else a first one without engines.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(folders: &Folders) -> Result<Request> {
        Ok(read_if_whole(&request_file(folders))?.unwrap_or_default())
    }

    /// Requests `engines` in addition to those requested before.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn add(folders: &Folders, engines: Engines) -> Result<Request> {
        let last = Request::read(folders)?;
        let request = Request {
            number: last.number + 1,
            engines: last.engines.and(engines),
        };
        write_json(&request_file(folders), &request)?;
        Ok(request)
    }
}

fn request_file(folders: &Folders) -> PathBuf {
    folders.state().join("request.json")
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Starting,
    Ready,
    /// An engine has ended unexpectedly, with the reason.
    Broken(String),
    /// The start failed, with the reason.
    Failed(String),
}

impl State {
    /// Reads the state of a data folder. `None` if the file is missing or damaged; a running process rewrites it within
    /// a second.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(folders: &Folders) -> Result<Option<State>> {
        read_if_whole(&file(folders))
    }

    /// Writes the state file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, folders: &Folders) -> Result<()> {
        write_json(&file(folders), self)
    }
}

/// Removes the state of a process that has ended, and the request to it.
///
/// # Errors
/// A file cannot be removed.
pub fn forget(folders: &Folders) -> Result<()> {
    for file in [file(folders), request_file(folders)] {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", file.display()));
            }
            _ => (),
        }
    }
    Ok(())
}

/// Reads a JSON file that only describes the running processes, so a damaged one counts as missing.
fn read_if_whole<T: DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    match std::fs::read(file) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn file(folders: &Folders) -> PathBuf {
    folders.state().join("state.json")
}

/// A lock that is held until this value is dropped or the process ends.
pub struct Lock {
    _file: File,
}

/// The locks of a data folder.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// Held by the background process for its whole life.
    Process,
    /// Held by a command that starts or stops it.
    Command,
}

impl Lock {
    /// Acquires a lock. `None` if another process holds it.
    ///
    /// # Errors
    /// The lock file cannot be created.
    pub fn try_take(folders: &Folders, which: Which) -> Result<Option<Lock>> {
        let file = open(folders, which)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => {
                Err(error).context("cannot lock the data folder of local Astra")
            }
        }
    }

    /// Waits for a lock and acquires it.
    ///
    /// # Errors
    /// The lock file cannot be created or locked.
    pub fn take(folders: &Folders, which: Which) -> Result<Lock> {
        let file = open(folders, which)?;
        file.lock()
            .context("cannot lock the data folder of local Astra")?;
        Ok(Lock { _file: file })
    }
}

fn open(folders: &Folders, which: Which) -> Result<File> {
    let name = match which {
        Which::Process => "process.lock",
        Which::Command => "command.lock",
    };
    let path = folders.state().join(name);
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// Returns the seconds since the epoch.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_secs())
}

/// Returns the build time of the running program, in seconds since the epoch; 0 if the file is gone.
pub fn built() -> u64 {
    std::env::current_exe()
        .and_then(std::fs::metadata)
        .and_then(|file| file.modified())
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |passed| passed.as_secs())
}
