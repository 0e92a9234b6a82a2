//! The jars of an engine: downloaded once by Maven, verified against a committed list, and reused from then on.
//!
//! Maven performs the download because it knows its user's mirrors and proxies. `engines/<name>.jars` lists the
//! expected files in class path order: `group:artifact:version[:classifier] bytes sha256`. A jar that differs is never
//! run.

use std::{
    ffi::OsString,
    fmt::Write,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, Instant, UNIX_EPOCH},
};

use aws_lc_rs::digest;
use tokio::time::sleep;

use super::{
    EngineError,
    jar::{Flaw, Jar, hex},
    java::Jdk,
    maven,
};

/// Limit to wait for another local Astra that is downloading.
const LOCK_LIMIT: Duration = Duration::from_secs(25 * 60);

/// Pauses before the retries, for repositories that sometimes reject requests.
const PAUSES: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(15)];

/// An engine on Maven Central: the pom that resolves it, and the expected jars.
#[derive(Clone, Copy, Debug)]
pub struct Distribution {
    /// Display name with the version.
    pub title: &'static str,
    /// Name of its folder in the cache, with the version.
    pub folder: &'static str,
    pub pom: &'static str,
    pub list: &'static str,
}

/// <https://cassandra.apache.org>, the latest 5.0 release.
pub const CASSANDRA: Distribution = Distribution {
    title: "Apache Cassandra 5.0.9",
    folder: "cassandra-5.0.9",
    pom: include_str!("../maven/cassandra.pom.xml"),
    list: include_str!("../maven/cassandra.jars"),
};

/// <https://pulsar.apache.org>, the latest 4.0 release with all jars on Maven Central.
pub const PULSAR: Distribution = Distribution {
    title: "Apache Pulsar 4.0.7",
    folder: "pulsar-4.0.7",
    pom: include_str!("../maven/pulsar.pom.xml"),
    list: include_str!("../maven/pulsar.jars"),
};

impl Distribution {
    /// Returns the version without the name.
    pub fn version(&self) -> &str {
        self.folder.rsplit('-').next().unwrap_or_default()
    }

    /// Returns the folder of this engine in the cache. It contains Maven's log, the class path and the class archives.
    pub fn cache_folder(&self, cache: &Path) -> PathBuf {
        cache.join(self.folder)
    }

    /// Parses the committed list.
    fn jars(&self) -> Vec<Jar> {
        self.list.lines().filter_map(Jar::parse).collect()
    }
}

/// The class path that a JVM loads an engine from.
#[derive(Clone, Debug)]
pub struct ClassPath {
    /// The value of `-cp`.
    pub value: OsString,
    /// Hexadecimal digest that changes with the path, size or time of any jar. Class archives depend on it.
    pub fingerprint: String,
}

/// Returns the jars of `distribution`, ready to run. Jars missing from the folder `cache` are downloaded with Maven.
///
/// Maven's repository is also in `cache`, so other files of the machine stay untouched. Concurrent downloads wait for
/// each other. Progress is shown on stderr. While Maven runs, Ctrl-C and SIGTERM stop it, and this function returns
/// [`EngineError::Interrupted`]. Afterwards these signals no longer end this process by default (a rule of tokio), so
/// the caller has to handle them.
///
/// Errors: no Maven, no network, a full disk, or a jar that differs from the list; see [`EngineError`].
pub async fn fetch(
    distribution: Distribution,
    cache: &Path,
    jdk: &Jdk,
) -> Result<ClassPath, EngineError> {
    let place = Place::new(distribution, cache)?;
    if let Some(class_path) = place.known()? {
        return Ok(class_path);
    }
    let lock = lock(&cache.join("maven.lock"), distribution.title).await?;
    // The previous holder of the lock may have downloaded everything.
    if let Some(class_path) = place.known()? {
        return Ok(class_path);
    }
    let mut place = place;
    let mut pauses = PAUSES.into_iter();
    loop {
        let (ready, missing) = blocking(move || place.make_ready()).await?;
        place = ready;
        if missing.is_empty() {
            break;
        }
        match maven::resolve(&place.maven_run(jdk), &missing, &lock).await {
            Ok(()) => break,
            Err(error @ EngineError::Maven { may_pass: true, .. }) => {
                let Some(pause) = pauses.next() else {
                    return Err(error);
                };
                eprintln!(
                    "Maven could not fetch all of it; what is there is kept. Again in {} s.",
                    pause.as_secs()
                );
                sleep(pause).await;
            }
            Err(error) => return Err(error),
        }
    }
    blocking(move || place.check_and_remember()).await
}

/// The files and folders of one distribution.
struct Place {
    distribution: Distribution,
    jars: Vec<Jar>,
    repository: PathBuf,
    folder: PathBuf,
}

impl Place {
    fn new(distribution: Distribution, cache: &Path) -> Result<Self, EngineError> {
        let folder = distribution.cache_folder(cache);
        fs::create_dir_all(&folder).map_err(EngineError::file("create", &folder))?;
        let cache = cache
            .canonicalize()
            .map_err(EngineError::file("open", cache))?;
        Ok(Self {
            distribution,
            jars: distribution.jars(),
            repository: cache.join("maven"),
            folder: distribution.cache_folder(&cache),
        })
    }

    fn class_path(&self) -> Result<OsString, EngineError> {
        std::env::join_paths(self.jars.iter().map(|jar| self.repository.join(&jar.path))).map_err(
            |_| EngineError::Folder {
                path: self.repository.clone(),
                why: "a class path cannot hold its name, there is a colon in it",
            },
        )
    }

    /// Returns the path of a file that is written once every jar is verified. It contains the digest of the list and
    /// the class path.
    fn checked_file(&self) -> PathBuf {
        self.folder.join("class-path")
    }

    fn checked_text(&self, class_path: &OsString) -> Vec<u8> {
        let list = hex(digest::digest(&digest::SHA256, self.distribution.list.as_bytes()).as_ref());
        [list.as_bytes(), b"\n", class_path.as_encoded_bytes(), b"\n"].concat()
    }

    /// Returns the class path if all jars were verified before and each still exists with its size.
    fn known(&self) -> Result<Option<ClassPath>, EngineError> {
        let value = self.class_path()?;
        if fs::read(self.checked_file()).is_ok_and(|text| text == self.checked_text(&value)) {
            return Ok(self
                .fingerprint()
                .map(|fingerprint| ClassPath { value, fingerprint }));
        }
        Ok(None)
    }

    /// Returns `None` if a jar is missing or has a different size.
    fn fingerprint(&self) -> Option<String> {
        let mut context = digest::Context::new(&digest::SHA256);
        for jar in &self.jars {
            let path = self.repository.join(&jar.path);
            let metadata = path
                .metadata()
                .ok()
                .filter(|metadata| metadata.len() == jar.bytes)?;
            let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            context.update(path.as_os_str().as_encoded_bytes());
            context.update(format!(" {} {}\n", jar.bytes, changed.as_nanos()).as_bytes());
        }
        Some(hex(context.finish().as_ref()))
    }

    /// Returns the jars that Maven has to download. Jars that differ from the list are removed, because Maven never
    /// verifies existing files.
    fn make_ready(self) -> Result<(Self, Vec<Jar>), EngineError> {
        let mut missing = Vec::new();
        for jar in &self.jars {
            let path = self.repository.join(&jar.path);
            match jar
                .flaw(&self.repository)
                .map_err(EngineError::file("read", &path))?
            {
                None => continue,
                Some(Flaw::Missing) => {}
                Some(Flaw::Different { .. }) => {
                    fs::remove_file(&path).map_err(EngineError::file("remove", &path))?
                }
            }
            missing.push(jar.clone());
        }
        let pom = self.folder.join("pom.xml");
        fs::write(&pom, self.distribution.pom).map_err(EngineError::file("write", &pom))?;
        Ok((self, missing))
    }

    fn maven_run<'a>(&'a self, jdk: &'a Jdk) -> maven::Run<'a> {
        maven::Run {
            title: self.distribution.title,
            pom: self.folder.join("pom.xml"),
            class_path: self.folder.join("class-path.maven"),
            log: self.folder.join("maven.log"),
            repository: &self.repository,
            jdk,
        }
    }

    fn check_and_remember(self) -> Result<ClassPath, EngineError> {
        let mut different = String::new();
        for jar in &self.jars {
            let path = self.repository.join(&jar.path);
            let why = match jar
                .flaw(&self.repository)
                .map_err(EngineError::file("read", &path))?
            {
                None => continue,
                Some(Flaw::Missing) => "Maven did not fetch it".to_string(),
                Some(Flaw::Different { bytes, .. }) if bytes != jar.bytes => {
                    format!("{bytes} bytes instead of {}", jar.bytes)
                }
                Some(Flaw::Different { sha256, .. }) => {
                    format!("sha256 {sha256} instead of {}", jar.sha256)
                }
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                different,
                "  {}: {why}\n    ({})",
                jar.coordinates,
                path.display()
            );
        }
        if !different.is_empty() {
            return Err(EngineError::DifferentJars {
                jars: different.trim_end().to_string(),
            });
        }
        let value = self.class_path()?;
        let (file, temporary) = (self.checked_file(), self.folder.join("class-path.new"));
        fs::write(&temporary, self.checked_text(&value))
            .map_err(EngineError::file("write", &temporary))?;
        fs::rename(&temporary, &file).map_err(EngineError::file("write", &file))?;
        let fingerprint = self.fingerprint().ok_or_else(|| EngineError::Folder {
            path: self.repository.clone(),
            why: "another process is changing it",
        })?;
        Ok(ClassPath { value, fingerprint })
    }
}

/// Locks `path` until the file is closed. Waits for another holder, and reports the wait.
async fn lock(path: &Path, title: &str) -> Result<File, EngineError> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(EngineError::file("open", path))?;
    let since = Instant::now();
    let mut is_reported = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(EngineError::file("lock", path)(error)),
            Err(TryLockError::WouldBlock) if since.elapsed() > LOCK_LIMIT => {
                return Err(EngineError::Locked {
                    lock: path.to_path_buf(),
                    limit: LOCK_LIMIT,
                });
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if !is_reported {
            eprintln!("Another local Astra is fetching jars; waiting for it before {title} ...");
            is_reported = true;
        }
        // A blocking lock could not be cancelled, so poll.
        sleep(Duration::from_millis(100)).await;
    }
}

/// Runs `work`, which reads or writes many files, on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(EngineError::Processes(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
