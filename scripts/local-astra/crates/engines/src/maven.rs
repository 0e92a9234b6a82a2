//! A single Maven run. Its output drives a progress bar, and its errors are summarized in one sentence.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::{sleep_until, timeout},
};

use super::{EngineError, jar::Jar, java::Jdk};

/// Includes the version, so that every Maven requests the same files. `engines/write-list` contains it too.
const GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath";

/// Limit for the whole run.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Limit for a period without output. Maven prints nothing while it downloads a large jar.
const STALL_LIMIT: Duration = Duration::from_secs(3 * 60);

/// Input and output paths of a Maven run.
pub(super) struct Run<'a> {
    pub(super) title: &'static str,
    pub(super) pom: PathBuf,
    /// Output file of the plugin. Not used: the committed list is the class path.
    pub(super) class_path: PathBuf,
    pub(super) log: PathBuf,
    pub(super) repository: &'a Path,
    pub(super) jdk: &'a Jdk,
}

impl Run<'_> {
    fn command(&self, lock: &File, log: &File) -> io::Result<Command> {
        let mut command = Command::new("mvn");
        command
            .args([
                "-B",
                "-U",
                "-Dstyle.color=never",
                "-DincludeScope=runtime",
                GOAL,
            ])
            .arg("-f")
            .arg(&self.pom)
            .arg(argument("-Dmaven.repo.local=", self.repository))
            .arg(argument("-Dmdep.outputFile=", &self.class_path))
            .env("JAVA_HOME", &self.jdk.home)
            // Maven reads no input. It inherits the lock here, and keeps it if this process is killed first.
            .stdin(lock.try_clone()?)
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            .kill_on_drop(true);
        Ok(command)
    }

    fn too_slow(&self, why: String) -> EngineError {
        EngineError::MavenTooSlow {
            title: self.title,
            why,
            log: self.log.clone(),
        }
    }

    /// Reads Maven's output to its end.
    async fn follow(
        &self,
        child: &mut Child,
        log: &mut File,
        progress: &mut Progress,
    ) -> Result<Vec<String>, EngineError> {
        let stop = |error| EngineError::Processes(format!("no signal handler: {error}"));
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt()).map_err(stop)?,
            signal(SignalKind::terminate()).map_err(stop)?,
        );
        let deadline = tokio::time::Instant::now() + LIMIT;
        let mut errors = Vec::new();
        let Some(output) = child.stdout.take() else {
            return Ok(errors);
        };
        let mut lines = BufReader::new(output).split(b'\n');
        loop {
            let next = tokio::select! {
                next = timeout(STALL_LIMIT, lines.next_segment()) => next,
                () = sleep_until(deadline) => return Err(self.too_slow(format!("{} minutes passed", LIMIT.as_secs() / 60))),
                _ = interrupt.recv() => return Err(EngineError::Interrupted { title: self.title }),
                _ = terminate.recv() => return Err(EngineError::Interrupted { title: self.title }),
            };
            let Ok(line) = next else {
                return Err(self.too_slow(format!(
                    "no word from it for {} minutes",
                    STALL_LIMIT.as_secs() / 60
                )));
            };
            let Some(line) =
                line.map_err(EngineError::file("read Maven's output for", &self.log))?
            else {
                return Ok(errors);
            };
            let line = String::from_utf8_lossy(&line);
            writeln!(log, "{line}").map_err(EngineError::file("write", &self.log))?;
            progress.line(&line);
            if let Some(error) = line.strip_prefix("[ERROR] ") {
                errors.push(error.to_string());
            }
        }
    }

    fn failure(&self, errors: &[String]) -> EngineError {
        let all = errors.join("\n");
        if all.contains("No space left on device") || all.contains("Disk quota exceeded") {
            return EngineError::DiskFull {
                doing: "let Maven write to",
                path: self.repository.to_path_buf(),
            };
        }
        let message = match errors.first() {
            Some(first) => sentence(first),
            None => last_lines(&self.log), // the script `mvn` itself has failed
        };
        let (hint, may_pass) = hint(&all);
        EngineError::Maven {
            title: self.title,
            message,
            hint,
            may_pass,
            log: self.log.clone(),
        }
    }
}

fn argument(name: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(name);
    argument.push(path);
    argument
}

/// Runs Maven to download the dependencies of `run`. The progress bar counts the jars in `missing`; Maven inherits
/// `lock`.
pub(super) async fn resolve(
    run: &Run<'_>,
    missing: &[Jar],
    lock: &File,
) -> Result<(), EngineError> {
    let mut log = File::options()
        .create(true)
        .append(true)
        .open(&run.log)
        .map_err(EngineError::file("open", &run.log))?;
    log.set_len(0)
        .map_err(EngineError::file("empty", &run.log))?;
    let mut command = run
        .command(lock, &log)
        .map_err(EngineError::file("open", &run.log))?;
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => EngineError::NoMaven { title: run.title },
        _ => EngineError::File {
            doing: "run",
            path: "mvn".into(),
            source: error,
        },
    })?;
    let mut progress = Progress::new(run.title, missing);
    match run.follow(&mut child, &mut log, &mut progress).await {
        Ok(errors) => {
            let status = child
                .wait()
                .await
                .map_err(EngineError::file("wait for", "mvn"))?;
            if !status.success() {
                progress.give_up();
                return Err(run.failure(&errors));
            }
            progress.finish();
            Ok(())
        }
        Err(error) => {
            progress.give_up();
            // Fails only if the process has already ended.
            let _ = child.kill().await;
            Err(error)
        }
    }
}

/// Extracts the cause from Maven's first error, in at most 400 characters.
fn sentence(error: &str) -> String {
    let start = ["Could not transfer", "Could not find", "No space left"]
        .iter()
        .find_map(|words| error.find(words));
    let text = &error[start.unwrap_or(0)..];
    let text = text.split(" -> [Help").next().unwrap_or(text).trim();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("  {} ...", &text[..end]),
        None => format!("  {text}"),
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(3)
        .collect();
    lines
        .iter()
        .rev()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Maps known error texts of Maven and Java to a piece of advice, and reports if a retry may help.
fn hint(errors: &str) -> (&'static str, bool) {
    let says = |words: &[&str]| words.iter().any(|words| errors.contains(words));
    if says(&[
        "Unknown host",
        "UnknownHostException",
        "name resolution",
        "Name or service not known",
        "nodename nor servname",
    ]) {
        (
            "The name of the repository cannot be found: is there a network? Behind a proxy, name it in ~/.m2/settings.xml (`proxies`).",
            says(&["Temporary failure in name resolution", "Try again"]),
        )
    } else if says(&[
        "Connection refused",
        "timed out",
        "Network is unreachable",
        "No route to host",
        "Connection reset",
    ]) {
        (
            "The repository cannot be reached: is there a network? Behind a proxy, name it in ~/.m2/settings.xml (`proxies`).",
            true,
        )
    } else if says(&["PKIX", "certificate"]) {
        (
            "Java does not trust the repository's certificate: a proxy that opens TLS needs its CA in the JDK's trust store.",
            false,
        )
    } else if says(&[
        "401",
        "403",
        "407",
        "Unauthorized",
        "Forbidden",
        "Proxy Authentication",
    ]) {
        (
            "The repository or a proxy wants a login: see `servers` and `proxies` in ~/.m2/settings.xml.",
            // Busy mirrors also return 403.
            says(&["403", "Forbidden"]),
        )
    } else {
        (
            "Complete files are kept. The next start continues with the rest.",
            true,
        )
    }
}

/// Download progress of Maven. Only jars are counted; descriptions (poms) come first and merely show activity.
struct Progress {
    title: &'static str,
    /// Jars that have not been downloaded yet.
    waiting: Vec<Jar>,
    total: usize,
    total_bytes: u64,
    bytes: u64,
    descriptions: usize,
    since: Instant,
    /// `None` if stderr is not a terminal: plain lines are printed from time to time instead.
    bar: Option<ProgressBar>,
    last_line: usize,
}

impl Progress {
    /// Results in about four lines for 100 jars.
    const JARS_A_LINE: usize = 25;

    fn new(title: &'static str, missing: &[Jar]) -> Self {
        let total_bytes = missing.iter().map(|jar| jar.bytes).sum();
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total_bytes);
            if let Ok(style) = ProgressStyle::with_template(
                "{spinner} {prefix}  {wide_bar}  {bytes}/{total_bytes}  {msg}  {elapsed}",
            ) {
                bar.set_style(style);
            }
            bar.set_prefix(format!("fetching {title}, once"));
            bar.set_message("asking Maven");
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            let megabytes = megabytes(total_bytes);
            eprintln!(
                "Fetching {title} with Maven, once: {} jars, {megabytes} ...",
                missing.len()
            );
        }
        Self {
            title,
            waiting: missing.to_vec(),
            total: missing.len(),
            total_bytes,
            bytes: 0,
            descriptions: 0,
            since: Instant::now(),
            bar,
            last_line: 0,
        }
    }

    fn line(&mut self, line: &str) {
        let Some(url) = downloaded(line) else { return };
        let Some(index) = self.waiting.iter().position(|jar| is_at(url, &jar.path)) else {
            self.descriptions += usize::from(url.ends_with(".pom"));
            if self.waiting.len() == self.total
                && let Some(bar) = &self.bar
            {
                bar.set_message(format!("{} descriptions", self.descriptions));
            }
            return;
        };
        self.bytes += self.waiting.swap_remove(index).bytes;
        let done = self.total - self.waiting.len();
        if let Some(bar) = &self.bar {
            bar.set_position(self.bytes);
            bar.set_message(format!("{done}/{} jars", self.total));
        } else if done - self.last_line >= Self::JARS_A_LINE && done < self.total {
            self.last_line = done;
            eprintln!(
                "  {done} of {} jars, {} of {}",
                self.total,
                megabytes(self.bytes),
                megabytes(self.total_bytes)
            );
        }
    }

    fn finish(self) {
        self.clear();
        eprintln!(
            "Fetched {} in {:.0} s.",
            self.title,
            self.since.elapsed().as_secs_f64()
        );
    }

    fn give_up(self) {
        self.clear();
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The address in a line like `[INFO] Downloaded from <any id>: <address> (134 kB at 53 kB/s)`.
fn downloaded(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("Downloaded from ")?;
    rest.split_whitespace().find(|word| word.contains("://"))
}

/// Returns true if `path` is a suffix of `url` that starts after a slash.
fn is_at(url: &str, path: &str) -> bool {
    url.strip_suffix(path)
        .is_some_and(|front| front.ends_with('/'))
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(path: &str, bytes: u64) -> Jar {
        Jar {
            path: path.to_string(),
            bytes,
            ..Jar::parse("g:a:1 1 00").unwrap()
        }
    }

    #[test]
    fn counts_listed_jars_whatever_the_repository_is_called() {
        let missing = [
            jar("org/a/a/1/a-1.jar", 1_000_000),
            jar("org/a/b/2/b-2-linux.jar", 250_000),
        ];
        let mut progress = Progress::new("Test 1", &missing);
        for line in [
            "[INFO] Downloading from central: https://repo.example.org/maven2/org/a/a/1/a-1.jar",
            "[INFO] Downloaded from central: https://repo.example.org/maven2/org/a/a/1/a-1.pom (3.9 kB at 12 kB/s)",
            "[INFO] Downloaded from central: https://repo.example.org/maven2/org/plugin/p/1/p-1.jar (1 kB at 12 kB/s)",
            "[INFO] Downloaded from central: https://repo.example.org/maven2/borg/a/a/1/a-1.jar (1 kB at 12 kB/s)",
            "[INFO] BUILD SUCCESS",
        ] {
            progress.line(line);
        }
        assert_eq!(
            (
                progress.waiting.len(),
                progress.bytes,
                progress.descriptions
            ),
            (2, 0, 1)
        );
        progress.line("[INFO] Downloaded from our mirror: http://mirror.example.org/x/org/a/b/2/b-2-linux.jar (250 kB at 1 MB/s)");
        progress.line("[INFO] Downloaded from our mirror: http://mirror.example.org/x/org/a/b/2/b-2-linux.jar (250 kB at 1 MB/s)");
        assert_eq!((progress.waiting.len(), progress.bytes), (1, 250_000));
        progress.line("[INFO] Downloaded from central: https://repo.example.org/maven2/org/a/a/1/a-1.jar (1.0 MB at 12 kB/s)");
        assert_eq!((progress.waiting.len(), progress.bytes), (0, 1_250_000));
    }

    #[test]
    fn an_error_becomes_a_sentence_and_a_hint() {
        let error = "Plugin p:1 or one of its dependencies could not be resolved: Could not transfer artifact p:pom:1 from/to \
                     central (https://repo.example.org): repo.example.org: Unknown host -> [Help 1]";
        assert_eq!(
            sentence(error),
            "  Could not transfer artifact p:pom:1 from/to central (https://repo.example.org): repo.example.org: Unknown host"
        );
        let (hint, may_pass) = hint(error);
        assert!(hint.starts_with("The name of the repository cannot be found"));
        assert!(!may_pass);
        assert!(sentence(&"é".repeat(1000)).chars().count() < 410);
    }
}
