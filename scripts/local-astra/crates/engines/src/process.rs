//! An engine process. It outlives the process that started it and is found again through its record file.

use std::{
    fmt::Display,
    fs::{self, File},
    io::ErrorKind,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sysinfo::Signal;
use tokio::time::{sleep, timeout};

pub use super::pid::{ProcessId, Vitals};
use super::{
    EngineError,
    class_archive::ClassArchive,
    log::{self, tail},
};

/// Extra time to exit for a process that writes a class archive.
const ARCHIVE_LIMIT: Duration = Duration::from_secs(60);

/// Interval between the probes of [`wait_until`].
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Limit for the kernel to remove a killed process.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// A started engine. It outlives the process that started it and can be adopted from its record file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Engine {
    /// Display name, such as `Cassandra`.
    pub name: String,
    pub process: ProcessId,
    /// Output of this run. The output of the previous run is kept beside it, with the suffix `.1`.
    pub log: PathBuf,
    /// The class archive that this run uses, or writes when it is stopped.
    pub archive: Option<ClassArchive>,
    /// The file that stores this record.
    record: PathBuf,
    /// True once the engine has been ready. Only set in the record file.
    ready: bool,
    /// Exit status, if the process was a child of this one.
    #[serde(skip)]
    ended: Arc<OnceLock<ExitStatus>>,
}

/// Outcome of [`Engine::stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was no longer running.
    Before,
    /// It exited after SIGTERM.
    Cleanly,
    /// It was killed.
    Killed,
}

impl Engine {
    /// Starts `command` in its own process group, so that Ctrl-C and a closed terminal do not reach it. It has no
    /// standard input and writes to `log`; an existing log is renamed to `<log>.1`. [`Engine::running`] finds the
    /// engine by `record`.
    pub fn spawn(
        name: &str,
        mut command: Command,
        archive: Option<ClassArchive>,
        record: &Path,
        log: &Path,
    ) -> Result<Self, EngineError> {
        if log.exists() {
            fs::rename(log, log::previous(log)).map_err(EngineError::file("rename", log))?;
        }
        let open = || {
            File::options()
                .create(true)
                .append(true)
                .open(log)
                .map_err(EngineError::file("open", log))
        };
        let program = PathBuf::from(command.get_program());
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?)
            .spawn()
            .map_err(EngineError::file("run", program))?;
        // Its number is not reused until the process is waited for.
        let process = ProcessId::of(child.id())?;
        let ended = Arc::new(OnceLock::new());
        let how = Arc::clone(&ended);
        let pid = child.id();
        // Waits for the process to avoid a zombie. The thread ends with it, or with this process.
        thread::spawn(move || {
            if let Ok(status) = child.wait() {
                how.get_or_init(|| status);
            }
        });
        let process = process.unwrap_or(ProcessId { pid, started: 0 }); // a zombie already
        let engine = Self {
            name: name.to_string(),
            process,
            log: log.to_path_buf(),
            archive,
            record: record.to_path_buf(),
            ready: false,
            ended,
        };
        engine.write_down()?;
        Ok(engine)
    }

    /// Returns the engine described by `record` if it is still running, even if another process started it.
    pub fn running(record: &Path) -> Result<Option<Self>, EngineError> {
        let engine = Self::read(record)?;
        Ok(
            if let Some(engine) = engine
                && engine.is_alive()?
            {
                Some(engine)
            } else {
                None
            },
        )
    }

    fn read(record: &Path) -> Result<Option<Self>, EngineError> {
        match fs::read(record) {
            // An invalid file describes no process.
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EngineError::file("read", record)(error)),
        }
    }

    fn write_down(&self) -> Result<(), EngineError> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| EngineError::Processes(error.to_string()))?;
        let temporary = self.record.with_extension("new");
        fs::write(&temporary, text).map_err(EngineError::file("write", &temporary))?;
        fs::rename(&temporary, &self.record).map_err(EngineError::file("write", &self.record))
    }

    fn note_ready(&self) -> Result<(), EngineError> {
        Self {
            ready: true,
            ..self.clone()
        }
        .write_down()
    }

    /// Returns true if the record belongs to this run and marks it as ready.
    fn was_ready(&self) -> bool {
        matches!(Self::read(&self.record), Ok(Some(noted)) if noted.process == self.process && noted.ready)
    }

    pub fn is_alive(&self) -> Result<bool, EngineError> {
        self.process.is_alive()
    }

    /// Sends SIGTERM, kills the process after `limit`, and returns when it is gone. A class archive written at exit is
    /// moved into place; writing it takes seconds, so the limit is extended by one minute.
    pub async fn stop(&self, limit: Duration) -> Result<Stopped, EngineError> {
        if !self.process.signal(Signal::Term)? && !self.is_alive()? {
            return Ok(Stopped::Before);
        }
        let new_archive = self.archive.as_ref().filter(|archive| archive.is_new());
        let limit = limit + new_archive.map_or(Duration::ZERO, |_| ARCHIVE_LIMIT);
        if self.process.gone_within(limit).await? {
            match new_archive {
                Some(archive) if self.was_ready() => archive.put_in_place(),
                Some(archive) => archive.discard(), // few classes are in it
                None => {}
            }
            return Ok(Stopped::Cleanly);
        }
        self.process.signal(Signal::Kill)?;
        if !self.process.gone_within(KILL_LIMIT).await? {
            return Err(EngineError::DoesNotEnd {
                engine: self.name.clone(),
                pid: self.process.pid,
            });
        }
        if let Some(archive) = new_archive {
            archive.discard();
        }
        Ok(Stopped::Killed)
    }

    /// Returns an error with the exit status and the end of the log. If a signal ended the process, its class archive
    /// is discarded: a JVM that crashes at start may have crashed because of the archive, and the next start must not
    /// use it.
    pub fn died(&self) -> EngineError {
        if let Some(archive) = &self.archive
            && self
                .ended
                .get()
                .is_some_and(|status| status.signal().is_some())
        {
            archive.discard();
        }
        // On a full disk the log may lack the reason.
        if let Some(folder) = self.log.parent()
            && let Err(full @ EngineError::DiskFull { .. }) = probe_disk(folder)
        {
            return full;
        }
        EngineError::Died {
            engine: self.name.clone(),
            status: self
                .ended
                .get()
                .map(|status| format!(" ({status})"))
                .unwrap_or_default(),
            log: self.log.clone(),
            tail: tail(&self.log),
        }
    }
}

/// Writes and removes as much data as an engine writes at its start.
fn probe_disk(folder: &Path) -> Result<(), EngineError> {
    let file = folder.join("probe");
    let written =
        fs::write(&file, vec![1; 32 << 20]).map_err(EngineError::file("write to", folder));
    let removed = fs::remove_file(&file).map_err(EngineError::file("remove", &file));
    written.and(removed)
}

/// Calls `probe` every 50 ms until it succeeds, and returns its value.
///
/// The engine is then marked as ready, so that a class archive it writes is kept.
///
/// Errors: the process of `engine` has ended ([`EngineError::Died`], with the end of its log), or `limit` has passed
/// ([`EngineError::NotReady`], with the last error of the probe).
pub async fn wait_until<T, E: Display, F: Future<Output = Result<T, E>>>(
    engine: &Engine,
    limit: Duration,
    mut probe: impl FnMut() -> F,
) -> Result<T, EngineError> {
    let since = Instant::now();
    let mut last = "no answer".to_string();
    loop {
        match timeout(limit.saturating_sub(since.elapsed()), probe()).await {
            Ok(Ok(ready)) => {
                engine.note_ready()?;
                return Ok(ready);
            }
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => {}
        }
        if !engine.is_alive()? {
            return Err(engine.died());
        }
        if since.elapsed() >= limit {
            let (engine, log, tail) = (engine.name.clone(), engine.log.clone(), tail(&engine.log));
            return Err(EngineError::NotReady {
                engine,
                limit,
                last,
                log,
                tail,
            });
        }
        sleep(ASK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script);
        let engine = Engine::spawn(
            "Shell",
            command,
            None,
            &folder.path().join("engine.json"),
            &folder.path().join("log"),
        )
        .unwrap();
        (folder, engine)
    }

    #[tokio::test]
    async fn ends_on_sigterm_and_is_gone_afterwards() {
        let (_folder, engine) = shell("exec sleep 60");
        assert!(engine.is_alive().unwrap());
        assert!(engine.process.vitals().unwrap().unwrap().bytes > 0);
        assert_eq!(
            engine.stop(Duration::from_secs(10)).await.unwrap(),
            Stopped::Cleanly
        );
        assert!(!engine.is_alive().unwrap());
        assert_eq!(
            engine.stop(Duration::from_secs(10)).await.unwrap(),
            Stopped::Before
        );
    }

    #[tokio::test]
    async fn is_killed_if_it_does_not_listen() {
        let (_folder, engine) = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
        while tail(&engine.log).trim() != "ready" {
            assert!(engine.is_alive().unwrap());
            sleep(ASK_EVERY).await;
        }
        assert_eq!(
            engine.stop(Duration::from_millis(100)).await.unwrap(),
            Stopped::Killed
        );
        assert!(!engine.is_alive().unwrap());
    }

    #[tokio::test]
    async fn another_process_with_its_number_is_left_alone() {
        let (_folder, engine) = shell("exec sleep 60");
        let mut stale = engine.clone();
        stale.process.started -= 100;
        assert!(!stale.is_alive().unwrap());
        assert_eq!(
            stale.stop(Duration::from_secs(1)).await.unwrap(),
            Stopped::Before
        );
        assert!(engine.is_alive().unwrap());
        engine.stop(Duration::from_secs(10)).await.unwrap();
    }

    #[tokio::test]
    async fn is_adopted_from_what_was_written_down() {
        let (_folder, engine) = shell("exec sleep 60");
        let adopted = Engine::running(&engine.record).unwrap().unwrap();
        assert!(adopted.is_alive().unwrap());
        assert_eq!(
            adopted.stop(Duration::from_secs(10)).await.unwrap(),
            Stopped::Cleanly
        );
        assert!(!engine.is_alive().unwrap());
        assert!(Engine::running(&engine.record).unwrap().is_none());
        fs::write(&engine.record, "no record").unwrap();
        assert!(Engine::running(&engine.record).unwrap().is_none());
    }

    /// Stops an engine that was or was not ready, and counts the class archives kept.
    async fn archive_after(ready: bool) -> usize {
        let (folder, mut engine) = shell("exec sleep 60");
        let archives = folder.path().join("archives");
        fs::create_dir(&archives).unwrap();
        let temporary = archives.join("half.new");
        fs::write(&temporary, "classes").unwrap();
        engine.archive = Some(ClassArchive::New {
            temporary,
            name: "whole".into(),
        });
        if ready {
            wait_until(&engine, ARCHIVE_LIMIT, async || Ok::<(), String>(()))
                .await
                .unwrap();
        }
        engine.stop(ARCHIVE_LIMIT).await.unwrap();
        fs::read_dir(&archives).unwrap().count()
    }

    #[tokio::test]
    async fn a_class_archive_is_kept_if_the_run_was_ready() {
        assert_eq!(archive_after(true).await, 1);
        assert_eq!(archive_after(false).await, 0);
    }

    #[tokio::test]
    async fn waiting_ends_with_success_the_limit_or_the_process() {
        let (_folder, engine) = shell("echo started; exec sleep 60");
        let mut asked = 0;
        let third = wait_until(&engine, ARCHIVE_LIMIT, || {
            asked += 1;
            std::future::ready(if asked < 3 { Err("not yet") } else { Ok(asked) })
        });
        assert_eq!(third.await.unwrap(), 3);
        let never = wait_until(&engine, Duration::from_millis(200), async || {
            Err::<(), _>("the door is closed")
        });
        let message = never.await.unwrap_err().to_string();
        assert!(
            message.contains("not ready") && message.contains("the door is closed"),
            "{message}"
        );
        let silent = wait_until(
            &engine,
            Duration::from_millis(200),
            std::future::pending::<Result<(), String>>,
        );
        assert!(matches!(
            silent.await.unwrap_err(),
            EngineError::NotReady { .. }
        ));
        engine.stop(KILL_LIMIT).await.unwrap();
        let dead = wait_until(&engine, ARCHIVE_LIMIT, async || {
            Err::<(), _>("the door is closed")
        });
        assert!(matches!(dead.await.unwrap_err(), EngineError::Died { .. }));
    }

    #[tokio::test]
    async fn its_end_is_told_with_status_and_log() {
        let (_folder, engine) = shell("echo the reason; exit 3");
        while engine.ended.get().is_none() {
            sleep(ASK_EVERY).await;
        }
        let message = engine.died().to_string();
        assert!(
            message.contains("Shell ended") && message.contains("exit status: 3"),
            "{message}"
        );
        assert!(message.ends_with("  the reason"), "{message}");
    }

    #[test]
    fn each_run_has_its_own_log_and_the_last_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, "before\n").unwrap();
        let engine = Engine::spawn(
            "True",
            Command::new("true"),
            None,
            &folder.path().join("engine.json"),
            &log,
        )
        .unwrap();
        while engine.ended.get().is_none() {
            thread::yield_now();
        }
        assert_eq!(fs::read_to_string(&log).unwrap(), "");
        assert_eq!(fs::read_to_string(log::previous(&log)).unwrap(), "before\n");
    }
}
