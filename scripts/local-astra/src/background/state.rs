//! The state file: how commands find the background process, and what it tells them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engines::process::ProcessId;
use crate::settings::{Folders, write_json};

/// What the background process writes down; also what it leaves behind when it is killed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The background process itself.
    pub process: ProcessId,
    pub phase: Phase,
    /// Seconds since 1970 at which the phase began.
    pub since: u64,
    /// When the program file was built, in seconds since 1970: a newer one takes over.
    pub built: u64,
    /// The engines that run.
    #[serde(default)]
    pub up: Engines,
    /// The number of the last request that was dealt with.
    #[serde(default)]
    pub answered: u64,
    /// Why that request could not be granted. What ran before goes on.
    #[serde(default)]
    pub refused: Option<String>,
    /// What had to be done to start the engines.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Which engines.
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

    /// These and those.
    pub fn and(self, other: Engines) -> Engines {
        Engines {
            cassandra: self.cassandra || other.cassandra,
            pulsar: self.pulsar || other.pulsar,
        }
    }

    /// Whether all of `other` are among these.
    pub fn contain(self, other: Engines) -> bool {
        self.and(other) == self
    }
}

/// What commands ask of the background process: written by a command that holds its lock, and told to a running
/// process by SIGUSR2. It outlives a `kill -9`, so that `up` brings back what ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// One more with each request.
    pub number: u64,
    pub engines: Engines,
}

impl Request {
    /// The last request in a data folder; the first, for no engine, if there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(folders: &Folders) -> Result<Request> {
        Ok(read_if_whole(&request_file(folders))?.unwrap_or_default())
    }

    /// Asks for `engines` beside those that were asked for before.
    ///
    /// # Errors
    /// When the file cannot be read or written.
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
    /// An engine has ended by itself; why.
    Broken(String),
    /// The start failed; why.
    Failed(String),
}

impl State {
    /// What is written down in a data folder, if anything. A damaged file says nothing; a process that runs writes it
    /// again within a second.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(folders: &Folders) -> Result<Option<State>> {
        read_if_whole(&file(folders))
    }

    /// Writes it down.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folders: &Folders) -> Result<()> {
        write_json(&file(folders), self)
    }
}

/// Forgets the state of a process that has ended, and what was asked of it.
///
/// # Errors
/// When a file cannot be removed.
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

/// Reads a JSON file that only says what is running now, so that a damaged one is as good as none.
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

/// A lock that lives as long as this value, and ends with the process however it ends.
pub struct Lock {
    _file: File,
}

/// Which lock.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// Held by the background process for its whole life.
    Process,
    /// Held by a command that starts or stops it.
    Command,
}

impl Lock {
    /// Takes a lock if nobody has it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
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

    /// Waits for a lock.
    ///
    /// # Errors
    /// When the lock file cannot be made or locked.
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

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_secs())
}

/// When the running program was built, in seconds since 1970; 0 if the file is gone.
pub fn built() -> u64 {
    std::env::current_exe()
        .and_then(std::fs::metadata)
        .and_then(|file| file.modified())
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |passed| passed.as_secs())
}
