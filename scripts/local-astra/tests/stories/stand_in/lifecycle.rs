//! `cargo local` as its user types it: up, down, status, env, reset, and persistence.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use engines::process::ProcessId;
use local_astra::background::state::{Lock, State, Which};
use secrecy::ExposeSecret;
use settings::Folders;
use settings::layout::Layout;
use settings::secrets::Secrets;
use store::Session;
use sysinfo::Signal;

use crate::astra::{RUN_LIMIT, block_on, turn_in_samples};
use crate::stand_in::data_api::kills::{Writer, assert_kept};
use crate::stand_in::graphql_first;

/// A data folder that is always reset at the end.
pub struct Data(pub tempfile::TempDir);

impl Drop for Data {
    fn drop(&mut self) {
        let _ = command(self.0.path(), &["reset", "--yes"]).output();
    }
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-astra"));
    command
        .arg("--data")
        .arg(data)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

pub fn local(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn succeed(data: &Path, arguments: &[&str]) -> String {
    let output = local(data, arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    out
}

async fn session(folders: &Folders) -> Session {
    let nodes = Layout::of(&folders.data, None).unwrap().cassandra();
    let operator = Secrets::of(&folders.data).unwrap().operator;
    store::connect(&nodes, &operator.client_id, operator.token.password(), None)
        .await
        .unwrap()
}

async fn count(folders: &Folders) -> i64 {
    let session = session(folders).await;
    let result = session.query_unpaged("SELECT count(*) FROM samples.kept", ());
    let rows = result.await.unwrap().into_rows_result().unwrap();
    rows.single_row::<(i64,)>().unwrap().0
}

pub fn kill(process: ProcessId) {
    assert!(process.signal(Signal::Kill).unwrap());
    while process.is_alive().unwrap() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn data_survives_down_and_up_and_kill() {
    let data = Data(tempfile::tempdir().unwrap());
    let path = data.0.path();

    let before = local(path, &["env"]);
    assert!(!before.status.success());
    assert!(text(&before.stderr).contains("cargo local up"));
    assert_eq!(local(path, &["status"]).status.code(), Some(1));

    // Two first starts at once: one of them waits for the other.
    let both = [(); 2].map(|()| {
        let mut command = command(path, &["up"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    });
    for up in both {
        let output = up.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let folders = Folders::new(Some(path)).unwrap();
    let status = succeed(path, &["status"]);
    for word in ["ready", "https://localhost:", "Cassandra", "MB", "logs"] {
        assert!(status.contains(word), "{word}: {status}");
    }

    block_on(async {
        let session = session(&folders).await;
        let made = "CREATE TABLE samples.kept (a int PRIMARY KEY)";
        session.query_unpaged(made, ()).await.unwrap();
        for a in 0..200 {
            let insert = "INSERT INTO samples.kept (a) VALUES (?)";
            session.query_unpaged(insert, (a,)).await.unwrap();
        }
    });
    graphql_first::deploy_on(path);
    let writer = Writer::start(path);

    // All at once, with no time to write anything: what was acknowledged is there.
    let layout = Layout::of(path, None).unwrap();
    let cassandra = local_astra::background::cassandra::of(&folders, &layout);
    let engine = cassandra.running(1).unwrap().unwrap();
    let background = State::read(&folders).unwrap().unwrap().process;
    kill(background);
    kill(engine.process);
    assert_eq!(local(path, &["status"]).status.code(), Some(1));
    succeed(path, &["up"]);
    assert_eq!(block_on(count(&folders)), 200);
    graphql_first::answers_on(path);
    assert_kept(path, writer.end());

    // Only the background process: Cassandra is taken over, not started again.
    let engine = cassandra.running(1).unwrap().unwrap();
    kill(State::read(&folders).unwrap().unwrap().process);
    succeed(path, &["up"]);
    let adopted = cassandra.running(1).unwrap().unwrap();
    assert_eq!(adopted.process, engine.process);

    // Only Cassandra: `status` says so and `up` mends it.
    kill(adopted.process);
    while local(path, &["status"]).status.success() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(text(&local(path, &["status"]).stdout).contains("ended by itself"));
    succeed(path, &["up"]);

    let ports = Layout::of(path, None).unwrap();
    succeed(path, &["down"]);
    assert!(cassandra.running(1).unwrap().is_none());
    assert!(succeed(path, &["down"]).contains("not running"));
    succeed(path, &["up"]);
    assert_eq!(Layout::of(path, None).unwrap(), ports);
    assert_eq!(block_on(count(&folders)), 200);

    let refused = local(path, &["up", "--nodes", "3"]);
    assert!(text(&refused.stderr).contains("--nodes 1"));

    let engine = cassandra.running(1).unwrap().unwrap();
    let asked = local(path, &["reset"]);
    assert!(!asked.status.success());
    assert!(text(&asked.stderr).contains("--yes"));
    succeed(path, &["reset", "--yes"]);
    assert!(!engine.is_alive().unwrap());
    assert!(!folders.cassandra().exists());
}

#[test]
fn the_settings_that_env_prints_are_those_that_run_sets() {
    let astra = crate::astra::local_astra();
    let path = &astra.folders.data;
    let application = succeed(path, &["env"]);
    let operator = succeed(path, &["env", "--operator"]);
    let token = astra.secrets.operator.token.text();
    assert!(operator.contains(token.expose_secret()));
    assert!(!application.contains(token.expose_secret()));
    for (name, _) in astra.settings("any") {
        let line = format!("{name}=");
        let printed = application.lines().any(|l| l.starts_with(&line));
        // These two are no settings of a sample.
        assert!(
            printed || name == "SSL_CERT_FILE" || name == "NO_PROXY",
            "{name}"
        );
    }
    let url = format!("http://localhost:{}/api/rest", astra.layout.ports.plain);
    assert!(
        application.contains(&format!("ASTRA_DB_REST_URL={url}\n")),
        "{application}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn only_loopback_is_bound() {
    let astra = crate::astra::local_astra();
    let sockets = netstat();
    let layout = &astra.layout;
    for port in [
        layout.ports.tls,
        layout.ports.plain,
        layout.ports.cql,
        layout.ports.storage,
    ] {
        let bound: Vec<_> = sockets.iter().filter(|(_, at)| *at == port).collect();
        assert!(!bound.is_empty(), "nobody listens on {port}");
        assert!(
            bound.iter().all(|(loopback, _)| *loopback),
            "{port}: {bound:?}"
        );
    }
    let engine = local_astra::background::cassandra::of(&astra.folders, layout)
        .running(1)
        .unwrap()
        .unwrap();
    // Every listening socket of the Java process, JMX included.
    let own = listening(engine.process.pid);
    assert!(own.len() >= 2, "{own:?}");
    assert!(own.iter().all(|(loopback, _)| *loopback), "{own:?}");
}

/// Returns all listening TCP sockets of the machine: true if bound to loopback only, and the port.
#[cfg(target_os = "linux")]
fn netstat() -> Vec<(bool, u16)> {
    sockets()
        .into_iter()
        .map(|(_, loopback, port)| (loopback, port))
        .collect()
}

/// Returns the listening TCP sockets of one process.
#[cfg(target_os = "linux")]
fn listening(pid: u32) -> Vec<(bool, u16)> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let own: Vec<String> = files
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
        .filter_map(|link| {
            let link = link.to_string_lossy().into_owned();
            Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    let all = sockets().into_iter();
    all.filter(|(inode, ..)| own.contains(inode))
        .map(|(_, loopback, port)| (loopback, port))
        .collect()
}

/// Returns the listening sockets in `/proc/net/tcp` and `tcp6`: inode, loopback, port.
#[cfg(target_os = "linux")]
fn sockets() -> Vec<(String, bool, u16)> {
    const LISTEN: &str = "0A";
    const LOOPBACK: [&str; 3] = [
        "0100007F",
        "0000000000000000FFFF00000100007F",
        "00000000000000000000000001000000",
    ];
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|file| {
            let lines = std::fs::read_to_string(file).unwrap_or_default();
            lines.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, port) = fields[1].split_once(':')?;
            let port = u16::from_str_radix(port, 16).ok()?;
            (fields[3] == LISTEN).then(|| (fields[9].to_owned(), LOOPBACK.contains(&address), port))
        })
        .collect()
}

#[test]
fn ctrl_c_during_a_start_leaves_nothing_running() {
    // Fetches the jars.
    crate::astra::local_astra();
    let data = Data(tempfile::tempdir().unwrap());
    let path = data.0.path();
    let folders = Folders::new(Some(path)).unwrap();
    let layout = Layout::of(path, None).unwrap();
    let mut up = command(path, &["up"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let cassandra = local_astra::background::cassandra::of(&folders, &layout);
    let running = || cassandra.running(1).unwrap();
    let limit = std::time::Instant::now() + RUN_LIMIT;
    while running().is_none() {
        assert!(up.try_wait().unwrap().is_none(), "it ended");
        assert!(std::time::Instant::now() < limit, "Cassandra never starts");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let engine = running().unwrap().process;
    let command = ProcessId::of(up.id()).unwrap().unwrap();
    assert!(command.signal(Signal::Interrupt).unwrap());
    let ended = up.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    let said = text(&ended.stderr);
    assert!(
        said.contains("Interrupted. Stopping what this command started."),
        "{said}"
    );
    assert!(!engine.is_alive().unwrap());
    let status = local(path, &["status"]);
    assert_eq!(status.status.code(), Some(1), "{status:?}");
    // And nothing is in the way of the next one.
    for port in [layout.ports.tls, layout.ports.plain, layout.ports.cql] {
        drop(std::net::TcpListener::bind(("127.0.0.1", port)).unwrap());
    }
}

#[test]
fn ctrl_c_while_another_command_starts_stops_the_one_that_waits() {
    let data = tempfile::tempdir().unwrap();
    let folders = Folders::new(Some(data.path())).unwrap();
    // As another command does while it starts local Astra.
    let held = Lock::take(&folders, Which::Command).unwrap();
    let mut up = command(data.path(), &["up"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut err = BufReader::new(up.stderr.take().unwrap());
    while !said.contains("Waiting for another command") {
        assert_ne!(err.read_line(&mut said).unwrap(), 0, "{said}");
    }
    let waiting = ProcessId::of(up.id()).unwrap().unwrap();
    assert!(waiting.signal(Signal::Interrupt).unwrap());
    err.read_to_string(&mut said).unwrap();
    assert_eq!(up.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("The other command keeps running"), "{said}");
    assert!(
        State::read(&folders).unwrap().is_none(),
        "it started something"
    );
    drop(held);
}

/// Runs a first start with a Maven that fails with this error. Returns the number of its calls, and the message to the
/// user.
fn start_with_maven_that_says(error: &str) -> (usize, String) {
    let data = tempfile::tempdir().unwrap();
    let (tools, calls) = (data.path().join("tools"), data.path().join("calls"));
    std::fs::create_dir(&tools).unwrap();
    let maven = tools.join("mvn");
    let script = format!(
        "#!/bin/sh\necho called >> '{}'\necho '[ERROR] Failed to execute goal: {error}'\nexit 1\n",
        calls.display()
    );
    std::fs::write(&maven, script).unwrap();
    std::fs::set_permissions(&maven, PermissionsExt::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = command(&data.path().join("data"), &["up"])
        .env("PATH", format!("{}:{path}", tools.display()))
        .env("HOME", data.path())
        .env("XDG_CACHE_HOME", data.path().join("cache"))
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(error), "{said}");
    let calls = std::fs::read_to_string(calls).unwrap();
    (calls.lines().count(), said)
}

#[test]
fn a_repository_that_refuses_now_and_then_is_asked_again() {
    let from = "Could not transfer artifact a:b:jar:1 from/to central";
    let (calls, said) = start_with_maven_that_says(&format!("{from}: status code: 503"));
    assert_eq!(calls, 3, "{said}");
    assert_eq!(said.matches("Again in").count(), 2, "{said}");
    let (calls, said) = start_with_maven_that_says(&format!("{from}: Unknown host"));
    assert_eq!(calls, 1, "{said}");
    assert!(said.contains("is there a network?"), "{said}");
}

#[test]
fn run_hides_a_dotenv_full_of_cloud_settings() {
    let astra = crate::astra::local_astra();
    let folder = tempfile::tempdir().unwrap();
    // Every setting there is: an address for documentation where nobody is, and a token of nobody.
    let hostile: String = shared::ALL
        .iter()
        .map(|setting| {
            let value = match setting.name {
                name if name.ends_with("TOKEN") => format!("AstraCS:nobody:{}", "f".repeat(64)),
                name if name.ends_with("_URL") || name.ends_with("ENDPOINT") => {
                    "https://192.0.2.1".to_owned()
                }
                "CASSANDRA_CONTACT_POINTS" => "192.0.2.1:9042".to_owned(),
                _ => "hostile".to_owned(),
            };
            format!("{}={value}\n", setting.name)
        })
        .collect();
    std::fs::write(folder.path().join(".env"), hostile).unwrap();
    let _turn = turn_in_samples();
    for sample in crate::astra::samples() {
        let output = command(&astra.folders.data, &["run", &sample.name])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{}: {out}{err}", sample.name);
        assert!(!out.contains("192.0.2.1"), "{out}");
    }
}

#[test]
fn run_names_the_samples_there_are_to_who_asks_for_another() {
    let astra = crate::astra::local_astra();
    let unknown = local(&astra.folders.data, &["run", "no-sample"]);
    assert_eq!(unknown.status.code(), Some(1));
    let said = text(&unknown.stderr);
    for sample in crate::astra::samples() {
        assert!(said.contains(&sample.name), "{said}");
    }
}

#[test]
fn run_shows_the_errors_of_the_compiler() {
    let astra = crate::astra::local_astra();
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    let (real, error) = (env!("CARGO"), "error: expected one of the usual things");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = build ] || exec {real:?} \"$@\"\necho '{error}' >&2\nexit 101\n"
    );
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).unwrap();
    let mut run = command(&astra.folders.data, &["run", "rest-sample"]);
    let output = run.env("CARGO", &cargo).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(error), "{said}");
    assert!(said.contains("rest-sample does not build"), "{said}");
}
