//! The servers behind local Astra: located or downloaded, configured, started, monitored and stopped.
//!
//! ```text
//! java::find ──> jars::fetch ──> cassandra::Cassandra::start ──> process::wait_until ──> process::Engine::stop
//!                                pulsar::Pulsar::start
//! ```

pub mod cassandra;
pub mod class_archive;
pub mod error;
pub mod first_start;
pub mod jars;
pub mod java;
pub mod log;
mod maven;
mod pid;
pub mod process;
pub mod pulsar;
pub mod ready;

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

pub use error::EngineError;

/// Returns the JVM option for an empty temporary folder inside the engine's folder. A killed JVM does not remove
/// unpacked files, and the system's temporary folder would fill up.
///
/// # Errors
/// The folder cannot be emptied or created.
fn temporary_folder(engine: &Path) -> Result<OsString, EngineError> {
    let folder = engine.join("tmp");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(EngineError::file("empty", &folder)(error));
        }
        _ => fs::create_dir(&folder).map_err(EngineError::file("create", &folder))?,
    }
    let mut option = OsString::from("-Djava.io.tmpdir=");
    option.push(folder);
    Ok(option)
}
