//! The background process. It owns the engines and the ports, and runs until it receives a signal.
//!
//! - [`bundles`]: the secure connect bundle of the first database, and its services
//! - [`cassandra`]: Cassandra's nodes and the contents created at a first start
//! - [`pulsar`]: Pulsar and its first tenant
//! - [`state`]: the files and locks through which commands find the process
//! - [`stop`]: the signals that end it

mod bundles;
pub mod cassandra;
pub mod pulsar;
pub mod state;
mod stop;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use access::{Grants, Logins};
use bundle::certificates::Authority;
use bundle::connections;
use data_api::Limits;
use devops::DevOps;
use engines::cassandra::SUPERUSER;
use engines::process::{Engine, ProcessId, Stopped, wait_until};
use engines::pulsar::Admin;
use engines::{EngineError, first_start, ready};
use gateway::Front;
use pulsar_admin::Streaming;
use settings::Folders;
use settings::layout::Layout;
use settings::secrets::Secrets;
use settings::streaming::StreamingKeys;
use state::{Engines, Lock, Phase, Request, State, Which};
use stop::{Signals, Stop};
use store::{Login, Store, limits};

/// Limit for an engine to become ready.
const READY_LIMIT: Duration = Duration::from_secs(180);
/// Limit for a ready engine to respond on a busy machine.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Interval between checks of the engines.
const WATCH: Duration = Duration::from_millis(500);

/// Runs local Astra until a signal ends it. A `temporary` one also ends when its standard input closes, and then
/// removes its data folder.
///
/// # Errors
/// The reason it did not start. It is also written to the state file, for the command that waits for it.
pub async fn run(folders: Folders, temporary: bool) -> Result<()> {
    connections::allow_open_files();
    let Some(_lock) = Lock::try_take(&folders, Which::Process)? else {
        bail!("local Astra runs already on {}", folders.data.display());
    };
    let Some(process) = ProcessId::of(std::process::id())? else {
        bail!("the system does not show this process to itself");
    };
    let state = Arc::new(Shared {
        folders: folders.clone(),
        limits: limits(temporary),
        state: Mutex::new(State {
            process,
            phase: Phase::Starting,
            since: state::now(),
            built: state::built(),
            up: Engines::default(),
            answered: 0,
            refused: None,
            notes: Vec::new(),
        }),
    });
    // Before other processes can find this one: an unexpected signal would end it.
    let requests = signal(SignalKind::user_defined2())?;
    let signals = Signals::listen()?;
    state.change(|_| ())?;
    let (stop_sender, stop) = watch::channel(false);
    let mut doors = JoinSet::new();
    let ended = tokio::select! {
        failed = live(&state, &mut doors, stop, requests) => Err(failed),
        failed = state.keep() => Err(failed),
        stop = signals.stop(temporary) => Ok(stop),
    };
    stop_sender.send_replace(true);
    while doors.join_next().await.is_some() {}
    match ended {
        Ok(Stop::GatewayOnly) => Ok(()),
        Ok(Stop::All) => {
            stop_engines(&folders).await?;
            state::forget(&folders)?;
            if temporary {
                std::fs::remove_dir_all(&folders.data)
                    .with_context(|| format!("cannot remove {}", folders.data.display()))?;
            }
            Ok(())
        }
        Err(error) => {
            // Return the first cause, which the reader needs; log the second.
            if let Err(second) = stop_engines(&folders).await {
                eprintln!("{second:#}");
            }
            state.change(|state| state.phase = Phase::Failed(format!("{error:#}")))?;
            Err(error)
        }
    }
}

/// Settings of a start.
struct Settings {
    folders: Folders,
    layout: Layout,
    secrets: Secrets,
    limits: Limits,
}

/// Returns the limits of the Data API. A temporary local Astra serves the tests, which share one database.
fn limits(temporary: bool) -> Limits {
    if temporary {
        Limits {
            collections: 1000,
            indexes: 10_000,
        }
    } else {
        Limits::ASTRA
    }
}

/// Starts the requested engines and monitors them. Returns only after a failure.
async fn live(
    state: &Arc<Shared>,
    doors: &mut JoinSet<()>,
    stop: watch::Receiver<bool>,
    mut requests: Signal,
) -> anyhow::Error {
    let opened = Live::open(state, stop).await;
    let mut live = match opened {
        Ok(live) => live,
        Err(error) => return error,
    };
    loop {
        let request = match Request::read(&state.folders) {
            Ok(request) => request,
            Err(error) => return error,
        };
        let refused = live.start(request.engines, doors).await.err();
        if live.up() == Engines::default()
            && let Some(error) = refused
        {
            return error;
        }
        let refused = refused.map(|error| format!("{error:#}"));
        if let Some(why) = &refused {
            eprintln!("{why}");
        }
        let changed = state.change(|state| {
            if state.phase != Phase::Ready {
                state.phase = Phase::Ready;
                state.since = state::now();
            }
            state.up = live.up();
            state.answered = request.number;
            state.refused = refused;
            state.notes.clone_from(&live.notes);
        });
        if let Err(error) = changed {
            return error;
        }
        let died = tokio::select! {
            died = live.died() => died,
            _ = requests.recv() => continue,
        };
        eprintln!("{died}");
        if let Err(error) = state.change(|state| {
            state.phase = Phase::Broken(died);
            state.since = state::now();
        }) {
            return error;
        }
        // The gateway keeps running and reports that its store is gone, until `up` repairs it.
        return std::future::pending().await;
    }
}

/// The running engines and interfaces. Each engine starts when it is first requested.
struct Live {
    settings: Settings,
    authority: Arc<Authority>,
    keys: Arc<StreamingKeys>,
    stop: watch::Receiver<bool>,
    front: Front,
    /// Listeners bound before an engine starts, so that a port in use is reported at once. `None` once they are served.
    gateway: Option<(TcpListener, TcpListener)>,
    bundle: Option<(TcpListener, TcpListener)>,
    cassandra: Option<Vec<Engine>>,
    pulsar: Option<Engine>,
    /// Repairs that were necessary to start the engines.
    notes: Vec<String>,
    /// Pulsar's admin client for the interfaces, while Pulsar is running.
    admin: watch::Sender<Option<Admin>>,
}

impl Live {
    async fn open(state: &Shared, stop: watch::Receiver<bool>) -> Result<Live> {
        let folders = state.folders.clone();
        let layout = Layout::of(&folders.data, None)?;
        let secrets = Secrets::of(&folders.data)?;
        let authority = Arc::new(Authority::open(&folders.certificates())?);
        let keys = Arc::new(StreamingKeys::open(&folders.streaming())?);
        let ports = &layout.ports;
        let gateway = Some((listen(ports.tls).await?, listen(ports.plain).await?));
        let bundle = Some((listen(ports.metadata).await?, listen(ports.proxy).await?));
        let admin = watch::Sender::new(None);
        let front = Front::new(gateway::router_without_store(Streaming {
            pulsar: admin.subscribe(),
            keys: Arc::clone(&keys),
            logins: None,
            making: Arc::default(),
        }));
        Ok(Live {
            settings: Settings {
                folders,
                layout,
                secrets,
                limits: state.limits,
            },
            authority,
            keys,
            stop,
            front,
            gateway,
            bundle,
            cassandra: None,
            pulsar: None,
            notes: Vec::new(),
            admin,
        })
    }

    fn up(&self) -> Engines {
        Engines {
            cassandra: self.cassandra.is_some(),
            pulsar: self.pulsar.is_some(),
        }
    }

    /// Starts the engines of `wanted` that are not running, concurrently.
    async fn start(&mut self, wanted: Engines, doors: &mut JoinSet<()>) -> Result<()> {
        let (settings, up) = (&self.settings, self.up());
        let cassandra = async {
            if !wanted.cassandra || up.cassandra {
                return Ok(None);
            }
            let (folders, layout) = (&settings.folders, &settings.layout);
            let secrets = &settings.secrets;
            let started = cassandra::start(folders, layout, &secrets.admin);
            let (started, bundle) = tokio::join!(started, bundles::prepare(&self.authority));
            let started = started?;
            bundle?;
            cassandra::prepare(&started.admin, layout, secrets).await?;
            first_start::complete(&folders.cassandra())?;
            Ok::<_, anyhow::Error>(Some(started))
        };
        let pulsar = async {
            if !wanted.pulsar || up.pulsar {
                return Ok(None);
            }
            let started = pulsar::start(settings, &self.authority, &self.keys).await?;
            Ok::<_, anyhow::Error>(Some(started))
        };
        let (cassandra, pulsar) = tokio::join!(cassandra, pulsar);
        let cassandra = match cassandra {
            Ok(Some(started)) => self.serve_cassandra(started, doors).await,
            Ok(None) => Ok(()),
            Err(error) => {
                // Nodes that have started must not keep running. Return the first cause, which the reader needs.
                if let Err(second) = cassandra::stop(&self.settings.folders).await {
                    eprintln!("{second}");
                }
                Err(error)
            }
        };
        let pulsar = pulsar.map(|started| {
            if let Some((engine, admin)) = started {
                self.pulsar = Some(engine);
                self.admin.send_replace(Some(admin));
            }
        });
        if self.up() != Engines::default()
            && let Some((tls, plain)) = self.gateway.take()
        {
            let acceptor = TlsAcceptor::from(self.authority.gateway_tls()?);
            let app = self.front.app();
            let (stop, stopped) = (self.stop.clone(), self.stop.clone());
            doors.spawn(gateway::serve(tls, Some(acceptor), app.clone(), stop));
            doors.spawn(gateway::serve(plain, None, app, stopped));
        }
        cassandra.and(pulsar)
    }

    /// Opens the interfaces backed by Cassandra.
    async fn serve_cassandra(
        &mut self,
        started: cassandra::Started,
        doors: &mut JoinSet<()>,
    ) -> Result<()> {
        let cassandra::Started {
            engines,
            admin,
            notes,
        } = started;
        let Settings {
            folders,
            layout,
            secrets,
            limits,
        } = &self.settings;
        let login = Login {
            user: SUPERUSER.to_owned(),
            password: secrets.admin.clone(),
        };
        let store = Store::open(layout.cassandra(), admin, login).await?;
        let (bundles, catalog) = bundles::open(folders, layout, &self.authority, &store).await?;
        let grants = Grants::new(store.clone());
        // Before the doors open, so that tokens can access everything created in the meantime.
        grants.apply().await?;
        tokio::spawn(grants.clone().follow());
        tokio::spawn(limits::drop_unusable_indexes(store.clone()));
        let logins = Logins::new(store);
        let devops = DevOps::open(
            logins.clone(),
            grants,
            bundles.clone(),
            catalog,
            devops::Pulsar {
                admin: self.admin.subscribe(),
                keys: Arc::clone(&self.keys),
                ports: layout.ports.pulsar.clone(),
            },
            layout,
            secrets,
        )
        .await?;
        let streaming = Streaming {
            pulsar: self.admin.subscribe(),
            keys: Arc::clone(&self.keys),
            logins: Some(logins.clone()),
            making: Arc::default(),
        };
        self.front
            .replace(gateway::router(logins, devops, streaming, *limits)?);
        if let Some((metadata, proxy)) = self.bundle.take() {
            let services = bundles.clone();
            let (stop, stopped) = (self.stop.clone(), self.stop.clone());
            doors.spawn(async move { services.serve_metadata(metadata, stopped).await });
            doors.spawn(async move { bundles.serve_proxy(proxy, stop).await });
        }
        self.cassandra = Some(engines);
        self.notes.extend(notes);
        Ok(())
    }

    /// Waits until an engine has ended unexpectedly, and returns a description.
    async fn died(&self) -> String {
        let mut tick = tokio::time::interval(WATCH);
        loop {
            tick.tick().await;
            let mut engines = self.cassandra.iter().flatten().chain(&self.pulsar);
            if let Some(engine) = engines.find(|engine| !matches!(engine.is_alive(), Ok(true))) {
                let (name, log) = (&engine.name, engine.log.display());
                return format!("{name} has ended by itself; its log is {log}");
            }
        }
    }
}

/// Returns true if all of these engines respond. A busy engine has a few seconds to respond; one that has ended does
/// not respond.
///
/// # Errors
/// The files with the engines' addresses cannot be read.
pub async fn answers(folders: &Folders, engines: Engines) -> Result<bool> {
    let layout = Layout::of(&folders.data, None)?;
    if engines.cassandra {
        let cassandra = cassandra::of(folders, &layout);
        for node in 1..=layout.nodes {
            let answers = || ready::answers(cassandra.contact_point(node));
            match cassandra.running(node)? {
                Some(engine) if wait_until(&engine, ANSWER_LIMIT, answers).await.is_ok() => (),
                _ => return Ok(false),
            }
        }
    }
    if engines.pulsar {
        let pulsar = pulsar::of(folders, &layout);
        let admin = pulsar::admin(folders, &pulsar)?;
        return Ok(match pulsar.running()? {
            Some(engine) => wait_until(&engine, ANSWER_LIMIT, || admin.ready())
                .await
                .is_ok(),
            None => false,
        });
    }
    Ok(true)
}

/// Stops all running engines. Returns true if any was running.
///
/// # Errors
/// The first engine that could not be stopped. The others are stopped nevertheless.
pub async fn stop_engines(folders: &Folders) -> Result<bool, EngineError> {
    let Ok(layout) = Layout::of(&folders.data, None) else {
        // Without a layout, nothing was ever started here.
        return Ok(false);
    };
    let pulsar = pulsar::of(folders, &layout);
    let (cassandra, pulsar) = tokio::join!(cassandra::stop(folders), pulsar.stop());
    Ok(cassandra? | (pulsar? != Stopped::Before))
}

async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| {
            format!(
                "port {port} on 127.0.0.1 is taken by another program. End that program, or forget this \
                 local Astra with its data by `cargo local reset`: the next start chooses other ports"
            )
        })
}

struct Shared {
    folders: Folders,
    /// Limits of the Data API.
    limits: Limits,
    state: Mutex<State>,
}

impl Shared {
    /// Rewrites the state file whenever it is missing or damaged. Returns only if that fails.
    async fn keep(&self) -> anyhow::Error {
        let mut tick = tokio::time::interval(WATCH);
        loop {
            tick.tick().await;
            match State::read(&self.folders) {
                Ok(Some(_)) => (),
                Ok(None) => {
                    if let Err(error) = self.change(|_| ()) {
                        return error;
                    }
                }
                Err(error) => return error,
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.write(&self.folders)
    }
}
