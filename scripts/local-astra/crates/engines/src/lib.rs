//! The servers behind local Astra: located or downloaded, configured, started, monitored and stopped.
//!
//! ```text
//! java::find ──> jars::fetch ──> cassandra::Cassandra::start ──> process::wait_until ──> process::Engine::stop
//!                                pulsar::Pulsar::start
//! ```
//!
//! - [`java`]: the JDK that runs the engines
//! - [`jars`]: the jars of an engine; [`jar`]: one expected jar; [`maven`]: a single run of Maven
//! - [`cassandra`], [`pulsar`]: configuration, start and stop of the engines; [`ready`]: probes of Cassandra's nodes;
//!   [`first_start`]: a first start, repeated if it was interrupted
//! - [`process`]: a process that outlives this one, with its [`log`]; [`pid`]: its number and start time
//! - [`class_archive`]: the classes of an engine in the JVM's memory format
//! - [`error`]: the errors of engines

pub mod cassandra;
pub mod class_archive;
pub mod error;
pub mod first_start;
mod jar;
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
