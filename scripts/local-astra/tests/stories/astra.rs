//! One local Astra for all tests, with separate data. It ends with this process, even if that crashes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engines::jars;
use engines::java;
use engines::java::Search;
use engines::process::ProcessId;
use local_astra::background::state::{Engines, Phase, Request, State};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde::Deserialize;
use settings::Folders;
use settings::environment;
use settings::environment::{Door, Who};
use settings::layout::Layout;
use settings::secrets::Secrets;
use store::{Login, Session};
use sysinfo::Signal;

/// Limit for a run. A longer one hangs.
pub const RUN_LIMIT: Duration = Duration::from_secs(120);

pub struct LocalAstra {
    pub folders: Folders,
    pub layout: Layout,
    pub secrets: Secrets,
    /// Closed when this process ends. Local Astra then exits and removes its data.
    _alive: ChildStdin,
}

/// Returns the local Astra of this test program.
pub fn local_astra() -> &'static LocalAstra {
    static ONE: OnceLock<LocalAstra> = OnceLock::new();
    ONE.get_or_init(LocalAstra::start)
}

impl LocalAstra {
    fn start() -> LocalAstra {
        let data = tempfile::Builder::new()
            .prefix("local-astra-test-")
            .tempdir()
            .unwrap()
            .keep();
        let folders = Folders::new(Some(&data)).unwrap();
        block_on(async {
            let jdk = java::find(&Search::here()).await.unwrap();
            let fetched = jars::fetch(jars::CASSANDRA, &folders.cache, &jdk).await;
            fetched.unwrap_or_else(|error| panic!("{error}"));
        });
        let log = std::fs::File::create(folders.background_log()).unwrap();
        Request::add(&folders, Engines::CASSANDRA).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_local-astra"))
            .arg("--data")
            .arg(&data)
            .args(["background", "--temporary"])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let alive = child.stdin.take().unwrap();
        let limit = Instant::now() + Duration::from_secs(300);
        loop {
            match State::read(&folders).unwrap().map(|state| state.phase) {
                Some(Phase::Ready) => break,
                Some(Phase::Starting) | None => (),
                Some(other) => panic!("{other:?}"),
            }
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(folders.background_log());
                panic!("local Astra ended, {status}: {log:?}");
            }
            assert!(Instant::now() < limit, "local Astra is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        LocalAstra {
            layout: Layout::of(&data, None).unwrap(),
            secrets: Secrets::of(&data).unwrap(),
            folders,
            _alive: alive,
        }
    }

    /// Returns this local Astra with Pulsar, which starts on the first call.
    pub fn with_pulsar(&self) -> &LocalAstra {
        static STARTED: OnceLock<()> = OnceLock::new();
        STARTED.get_or_init(|| {
            let output = Command::new(env!("CARGO_BIN_EXE_local-astra"))
                .arg("--data")
                .arg(&self.folders.data)
                .args(["up", "--pulsar"])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        });
        self
    }

    /// Returns the URL of the plain port.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.layout.ports.plain)
    }

    pub fn application(&self) -> String {
        self.secrets
            .application
            .token
            .text()
            .expose_secret()
            .to_owned()
    }

    pub fn operator(&self) -> String {
        self.secrets
            .operator
            .token
            .text()
            .expose_secret()
            .to_owned()
    }

    /// Returns the settings of `cargo local run`, with a keyspace of the test.
    pub fn settings(&self, keyspace: &str) -> BTreeMap<String, String> {
        let all = environment::of(
            &self.folders,
            &self.layout.ports,
            &self.secrets,
            Door::Tls,
            Who::Application,
        );
        let mut settings: BTreeMap<String, String> = all
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.expose_secret().to_owned()))
            .collect();
        settings.insert("ASTRA_DB_KEYSPACE".into(), keyspace.into());
        let authority = self.folders.authority().display().to_string();
        settings.insert("SSL_CERT_FILE".into(), authority);
        settings.insert("NO_PROXY".into(), "localhost,127.0.0.1".into());
        settings
    }

    /// Creates a keyspace for one test, open to the application token.
    pub fn keyspace(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let role = &self.secrets.application.client_id;
        block_on(async {
            let session = self.cql().await;
            let made = format!(
                "CREATE KEYSPACE {name} WITH replication = \
                 {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
            );
            session.query_unpaged(made, ()).await.unwrap();
            // Local Astra grants it too, a moment later; the test must not depend on the moment.
            access::grant_keyspace(&session, role, &name).await.unwrap();
            access::clear_caches(&session).await.unwrap();
        });
        name
    }

    /// Opens a direct connection of the driver to Cassandra as the operator, as another client.
    pub async fn cql(&self) -> Session {
        let nodes = self.layout.cassandra();
        let operator = &self.secrets.operator;
        store::connect(&nodes, &operator.client_id, operator.token.password(), None)
            .await
            .unwrap()
    }

    /// Returns the operator's login to Cassandra.
    pub fn login(&self) -> Login {
        let operator = &self.secrets.operator;
        Login {
            user: operator.client_id.clone(),
            password: operator.token.password().clone(),
        }
    }

    /// Returns tables, views and types of a keyspace in Cassandra.
    pub fn left_in(&self, keyspace: &str) -> Vec<String> {
        block_on(async {
            let session = self.cql().await;
            let mut left = Vec::new();
            for (table, column) in [
                ("tables", "table_name"),
                ("views", "view_name"),
                ("types", "type_name"),
            ] {
                let cql =
                    format!("SELECT {column} FROM system_schema.{table} WHERE keyspace_name = ?");
                let result = session.query_unpaged(cql, (keyspace,)).await.unwrap();
                let rows = result.into_rows_result().unwrap();
                for row in rows.rows::<(String,)>().unwrap() {
                    left.push(row.unwrap().0);
                }
            }
            left
        })
    }
}

/// Creates a client that ignores the proxy settings of the developer's machine.
pub fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Locks the keyspaces of `cargo local run`, in which the GraphQL samples create tables with the same name in each run.
pub fn turn_in_samples() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a future to completion. Each call has a separate runtime, because tests are threads.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// A sample, as `cargo metadata` lists it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub folder: PathBuf,
    pub program: PathBuf,
    /// The settings that it reads, from `shared`.
    pub settings: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// Returns all samples of the workspace, built.
pub fn samples() -> &'static [Sample] {
    static ALL: OnceLock<Vec<Sample>> = OnceLock::new();
    ALL.get_or_init(|| {
        let output = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
        let folder = metadata.workspace_root.join("samples");
        let mut samples: Vec<Sample> = metadata
            .packages
            .into_iter()
            .filter(|package| package.manifest_path.starts_with(&folder))
            .map(|package| Sample {
                folder: package.manifest_path.parent().unwrap().to_owned(),
                program: metadata.target_directory.join("debug").join(&package.name),
                settings: settings(&package.name),
                name: package.name,
            })
            .collect();
        samples.sort_by(|a, b| a.name.cmp(&b.name));
        for sample in &samples {
            // One by one, as `cargo run -p` does: together they would share features that each alone lacks.
            cargo(&["build", "--package", &sample.name]);
        }
        assert!(!samples.is_empty());
        samples
    })
}

fn settings(sample: &str) -> Vec<&'static str> {
    let known = shared::SAMPLES.iter().find(|known| known.name == sample);
    let known = known.unwrap_or_else(|| panic!("shared has no settings for {sample}"));
    known
        .settings()
        .iter()
        .map(|setting| setting.name)
        .collect()
}

pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(workspace())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {said}");
    output
}

impl Sample {
    /// Returns true if the sample creates its table in a keyspace.
    pub fn has_keyspace(&self) -> bool {
        self.reads("ASTRA_DB_KEYSPACE")
    }

    pub fn reads(&self, setting: &str) -> bool {
        self.settings.contains(&setting)
    }

    /// Returns the settings of `cargo local run`, with a keyspace of the test.
    pub fn settings_in(&self, astra: &LocalAstra, keyspace: &str) -> BTreeMap<String, String> {
        let mut settings = astra.settings(keyspace);
        let (url, first) = ("ASTRA_DB_GRAPHQL_URL", "ASTRA_DB_GRAPHQL_FIRST_KEYSPACE");
        let (base, _) = settings[url].rsplit_once('/').unwrap();
        let data = format!("{base}/{keyspace}");
        settings.insert(url.into(), data);
        if self.reads(first) {
            settings.insert(first.into(), keyspace.into());
            settings.insert("ASTRA_DB_KEYSPACE".into(), "another".into());
        }
        settings
    }

    /// Starts the sample in an empty folder, with only these settings in the environment.
    pub fn start(&self, settings: &BTreeMap<String, String>) -> Running {
        self.start_with(&[], settings)
    }

    /// Starts the sample as [`Sample::start`] does, with flags.
    pub fn start_with(&self, flags: &[&str], settings: &BTreeMap<String, String>) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let mut sample = Command::new(&self.program);
        sample
            .args(flags)
            .env_clear()
            .envs(settings)
            .current_dir(folder.path());
        Running {
            _folder: Some(folder),
            ..Running::start(&mut sample)
        }
    }

    /// Runs the sample until it exits, with only the settings in the `.env` of a folder.
    pub fn run_in(&self, folder: &Path) -> Ended {
        Running::start(Command::new(&self.program).env_clear().current_dir(folder)).end()
    }

    /// Runs the sample until it exits.
    pub fn run(&self, settings: &BTreeMap<String, String>) -> Ended {
        self.start(settings).end()
    }
}

pub struct Running {
    pub child: Child,
    _folder: Option<tempfile::TempDir>,
}

/// Exit code and output of a sample.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Running {
    /// Starts a program, and captures its output.
    pub fn start(command: &mut Command) -> Running {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running {
            child,
            _folder: None,
        }
    }

    /// Sends the signal of Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::Interrupt);
    }

    pub fn signal(&self, signal: Signal) {
        let sample = ProcessId::of(self.child.id()).unwrap().unwrap();
        assert!(sample.signal(signal).unwrap());
    }

    /// Waits for the exit. A sample that hangs fails the test.
    pub fn end(self) -> Ended {
        self.end_within(RUN_LIMIT)
    }

    /// Kills the program if it is still running, and returns its output so far.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.end()
    }

    /// Waits for the exit within `limit`.
    pub fn end_within(mut self, limit: Duration) -> Ended {
        // A test may have taken one of them.
        fn read(from: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
            std::thread::spawn(move || {
                let mut text = String::new();
                if let Some(mut from) = from {
                    from.read_to_string(&mut text).unwrap();
                }
                text
            })
        }
        let out = read(self.child.stdout.take());
        let err = read(self.child.stderr.take());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > limit {
                self.child.kill().unwrap();
                let (out, err) = (out.join().unwrap(), err.join().unwrap());
                panic!("still running after {limit:?}\n{out}\n{err}");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        Ended {
            code: status.code(),
            out: out.join().unwrap(),
            err: err.join().unwrap(),
        }
    }
}
