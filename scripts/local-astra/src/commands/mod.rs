//! The commands of `cargo local`, one file per command. Each returns the exit code.

pub mod down;
pub mod env;
pub mod logs;
pub mod reset;
pub mod run;
pub mod status;
pub mod up;

use std::io::{self, ErrorKind, Write};

use anyhow::Result;

use crate::background::state::{Lock, Which};
use settings::Folders;

/// Prints to standard output. A closed pipe, as in `cargo local status | head -1`, is not an error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Acquires the lock that allows only one command at a time to start or stop.
async fn lock(folders: &Folders) -> Result<Lock> {
    if let Some(lock) = Lock::try_take(folders, Which::Command)? {
        return Ok(lock);
    }
    eprintln!("Waiting for another command that is starting or stopping local Astra.");
    let folders = folders.clone();
    tokio::task::spawn_blocking(move || Lock::take(&folders, Which::Command)).await?
}
