//! Errors of the engines, worded for the user of `cargo local up`.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

/// Instructions to install a JDK, appended to both messages about a missing JDK.
const INSTALL_JDK: &str = "Install a JDK 17 or 21 and try again:
  Debian, Ubuntu: sudo apt install openjdk-17-jdk-headless
  Fedora:         sudo dnf install java-21-openjdk-headless
  macOS:          brew install openjdk@17
  otherwise:      https://adoptium.net/temurin/releases
You can install it beside other JDKs: local Astra finds it, and JAVA_HOME can stay unchanged.";

/// Every failure of this module. The `Display` output is the complete message, including advice.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("No Java found. Looked at {looked}.\n{INSTALL_JDK}")]
    NoJava { looked: String },

    #[error(
        "Apache Cassandra 5.0 needs a JDK 17 or 21, and there is none here. Found:\n{found}\n{INSTALL_JDK}"
    )]
    NoFittingJava { found: String },

    #[error(
        "Maven is not installed (no `mvn` on the PATH). Local Astra fetches {title} with it, once.\n\
         Debian, Ubuntu: sudo apt install maven   Fedora: sudo dnf install maven   macOS: brew install maven"
    )]
    NoMaven { title: &'static str },

    #[error("Maven could not fetch {title}:\n{message}\n{hint}\nMaven's whole output: {log}", log = log.display())]
    Maven {
        title: &'static str,
        message: String,
        hint: &'static str,
        /// True if a retry may succeed. Wrong names, logins and certificates are permanent.
        may_pass: bool,
        log: PathBuf,
    },

    #[error(
        "Maven was stopped: {why} while it fetched {title}. Complete files are kept. The next start continues with the rest.\n\
         Maven's whole output: {log}", log = log.display()
    )]
    MavenTooSlow {
        title: &'static str,
        why: String,
        log: PathBuf,
    },

    #[error("Another local Astra has been fetching jars for {} minutes. Check it, stop it, and try again (lock: {lock}).", limit.as_secs() / 60, lock = lock.display())]
    Locked { lock: PathBuf, limit: Duration },

    #[error(
        "{trouble}, and {folder} cannot be prepared for its next start: {why}. `cargo local reset` deletes all data and \
         starts again", folder = folder.display()
    )]
    Mend {
        trouble: &'static str,
        folder: PathBuf,
        why: String,
    },

    #[error(
        "Interrupted while fetching {title}. Complete files are kept. The next start continues with the rest."
    )]
    Interrupted { title: &'static str },

    #[error(
        "These jars are not the ones that local Astra was tried with, so it does not run them:\n{jars}\n\
         A mirror or proxy may have altered them. Check `mirrors` in Maven's settings.xml, then try again."
    )]
    DifferentJars { jars: String },

    #[error("{engine}: port {port} of {ip} is in use by another program ({use_for}). End that program, or forget the ports with `cargo local reset`.", ip = address.ip(), port = address.port())]
    PortInUse {
        engine: &'static str,
        address: SocketAddr,
        use_for: &'static str,
    },

    #[error("{engine} already runs on {folder} (process {pid}). `cargo local down` ends it.", folder = folder.display())]
    AlreadyRunning {
        engine: &'static str,
        pid: u32,
        folder: PathBuf,
    },

    #[error("{engine} ended before it was ready{status}. The end of its log ({log}):\n{tail}", log = log.display())]
    Died {
        engine: String,
        status: String,
        log: PathBuf,
        tail: String,
    },

    #[error("{engine} was not ready after {} s: {last}. The end of its log ({log}):\n{tail}", limit.as_secs(), log = log.display())]
    NotReady {
        engine: String,
        limit: Duration,
        last: String,
        log: PathBuf,
        tail: String,
    },

    #[error("cannot log in at {address}: {why}")]
    Login { address: SocketAddr, why: String },

    #[error("Process {pid} ({engine}) does not end, not even when killed. Is its disk stuck?")]
    DoesNotEnd { engine: String, pid: u32 },

    #[error("The disk is full: cannot {doing} {path}. Free some space and try again.", path = path.display())]
    DiskFull { doing: &'static str, path: PathBuf },

    #[error("Cannot {doing} {path}: {source}", path = path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    #[error("The folder {path} cannot be used: {why}. Choose another one.", path = path.display())]
    Folder { path: PathBuf, why: &'static str },

    #[error("Cannot look at processes: {0}")]
    Processes(String),
}

impl EngineError {
    /// Wraps an I/O error on `path`. `doing` is a verb that precedes the path in the message.
    pub fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { doing, path }
            }
            _ => Self::File {
                doing,
                path,
                source,
            },
        }
    }
}
