//! Apache Pulsar as the streaming server of local Astra: broker, bookie and metadata in one process, on loopback only.
//!
//! - [`Pulsar`]: configures, starts and stops the server
//! - [`Admin`]: client for its admin API with the superuser's token, for code that creates tenants and namespaces

mod admin;

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use settings::CLUSTER;

pub use admin::{Admin, AdminError, Tenant};

use super::{
    EngineError, class_archive, first_start,
    jars::ClassPath,
    java::{self, Jdk},
    process::{Engine, Stopped},
    temporary_folder,
};

/// Maximum number of namespaces per tenant (limits page, below). Pulsar itself has no such limit.
pub const NAMESPACES: usize = 20;
/// Maximum number of topics per namespace, enforced by Pulsar.
pub const TOPICS: usize = 100;

/// Limit to exit after SIGTERM.
pub const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Name of the process record in Pulsar's folder.
const RECORD: &str = "engine.json";
/// Name of a marker file in Pulsar's folder. It exists after a clean stop.
const STOPPED: &str = "stopped";
const METADATA: &str = "metadata";
const BOOKKEEPER: &str = "bookkeeper";

const REMOVE_BOOKIES: &str = include_str!("../../java/RemoveBookies.java");

/// The Pulsar of one data folder.
#[derive(Clone, Debug)]
pub struct Pulsar {
    /// Contains its configuration, log and data.
    pub folder: PathBuf,
    /// Folder of the class archives, shared by all data folders.
    pub archives: PathBuf,
    pub ports: Ports,
    pub files: Files,
}

/// Ports on loopback, used by this data folder only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The broker, without TLS.
    pub broker: u16,
    /// The broker over TLS.
    pub broker_tls: u16,
    /// The admin API, without TLS. Only the gateway and the broker itself connect to it.
    pub web: u16,
    /// The bookie. Only the broker connects to it.
    pub bookie: u16,
}

/// Files that Pulsar reads and the caller creates.
#[derive(Clone, Debug)]
pub struct Files {
    /// The server's certificate followed by the authority's, PEM.
    pub certificate: PathBuf,
    /// The key of that certificate, PKCS#8 PEM.
    pub key: PathBuf,
    /// The authority's certificate, PEM.
    pub authority: PathBuf,
    /// The public key that verifies tokens: RSA, SubjectPublicKeyInfo in DER.
    pub token_key: PathBuf,
    /// The superuser's token, which the broker uses for its own requests.
    pub superuser_token: PathBuf,
    /// The role (`sub`) in that token.
    pub superuser: &'static str,
}

impl Pulsar {
    /// Returns Pulsar's process if it is running, even if another process started it.
    ///
    /// # Errors
    /// Its record or the system's processes cannot be read.
    pub fn running(&self) -> Result<Option<Engine>, EngineError> {
        Engine::running(&self.folder.join(RECORD))
    }

    /// Returns the path of the output of the current run.
    pub fn log(&self) -> PathBuf {
        self.folder.join("pulsar.log")
    }

    /// Returns the address for [`Admin`].
    pub fn web_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.web).into()
    }

    /// Removes the files of an incomplete first start, unless Pulsar is running.
    ///
    /// # Errors
    /// A file cannot be written or removed.
    pub fn begin(&self) -> Result<(), EngineError> {
        if self.running()?.is_some() {
            return Ok(());
        }
        let data = [METADATA, BOOKKEEPER].map(|name| self.folder.join(name));
        // The last files that each of them writes on its first start.
        let is_whole = data[0].join("CURRENT").exists() && data[1].join("current/VERSION").exists();
        first_start::begin(&self.folder, &data, is_whole)
    }

    /// Repairs a Pulsar that was killed, so that it can start. Does nothing if it is running or was stopped cleanly.
    ///
    /// A killed Pulsar leaves the registration of its bookie behind. The next one removes it, registers its own bookie,
    /// mistakes the notification of its own removal for another process's, and registers again without end. Sometimes
    /// it then finds no bookie (`ResourceLockImpl` of Pulsar 4.0.7, observed on a busy machine). This function removes
    /// the registration before the start.
    ///
    /// # Errors
    /// Java cannot be run, or its program fails.
    pub async fn mend(&self, jdk: &Jdk, class_path: &ClassPath) -> Result<(), EngineError> {
        let metadata = self.folder.join(METADATA);
        if !metadata.exists() || self.folder.join(STOPPED).exists() || self.running()?.is_some() {
            return Ok(());
        }
        let source = self.folder.join("RemoveBookies.java");
        fs::write(&source, REMOVE_BOOKIES).map_err(EngineError::file("write", &source))?;
        let mut command = jdk.command();
        command
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"])
            .arg(&class_path.value)
            .arg(&source)
            .arg(&metadata);
        let run = java::run(command, &[]).await.map(drop);
        run.map_err(|why| EngineError::Mend {
            trouble: "Pulsar was killed",
            folder: metadata,
            why,
        })
    }

    /// Writes the configuration and starts Pulsar, unless it is already running. Use [`Admin::ready`] to wait until it
    /// is ready.
    ///
    /// # Errors
    /// A port is in use, a file cannot be written, or Java cannot be run.
    pub fn start(&self, jdk: &Jdk, class_path: &ClassPath) -> Result<Engine, EngineError> {
        if let Some(engine) = self.running()? {
            return Ok(engine);
        }
        let Ports {
            broker,
            broker_tls,
            web,
            bookie,
        } = self.ports;
        check_port(broker, "its broker's port without TLS")?;
        check_port(broker_tls, "its broker's port")?;
        check_port(web, "its admin API's port")?;
        check_port(bookie, "its bookie's port")?;
        fs::create_dir_all(&self.folder).map_err(EngineError::file("create", &self.folder))?;
        // The JVM runs in another folder.
        let folder = self
            .folder
            .canonicalize()
            .map_err(EngineError::file("open", &self.folder))?;
        for (name, text) in [
            ("standalone.conf", self.configuration().as_str()),
            ("log4j2.xml", LOG4J),
        ] {
            let file = folder.join(name);
            fs::write(&file, text).map_err(EngineError::file("write", &file))?;
        }

        let (option, archive) = class_archive::option(&self.archives, jdk, class_path);
        let mut command = jdk.command();
        command.arg(option).args(OPTIONS);
        command.arg(temporary_folder(&folder)?);
        for package in OPENS.split_whitespace() {
            command
                .arg("--add-opens")
                .arg(format!("{package}=ALL-UNNAMED"));
        }
        command
            .arg(with_path(
                "-Dlog4j.configurationFile=",
                &folder.join("log4j2.xml"),
            ))
            .arg("-cp")
            .arg(&class_path.value)
            .arg(MAIN_CLASS)
            // No stream storage, no functions worker.
            .args(["-nss", "-nfw"])
            .arg("--config")
            .arg(folder.join("standalone.conf"))
            .arg("--metadata-dir")
            .arg(folder.join(METADATA))
            .arg("--bookkeeper-dir")
            .arg(folder.join(BOOKKEEPER))
            .arg("--bookkeeper-port")
            .arg(bookie.to_string());
        command.current_dir(&folder);
        let stopped = folder.join(STOPPED);
        match fs::remove_file(&stopped) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(EngineError::file("remove", &stopped)(error));
            }
            _ => (),
        }
        Engine::spawn(
            "Pulsar",
            command,
            Some(archive),
            &folder.join(RECORD),
            &folder.join("pulsar.log"),
        )
    }

    /// Stops Pulsar if it is running. Acknowledged messages are kept even if it has to be killed.
    ///
    /// # Errors
    /// The process does not end even when killed.
    pub async fn stop(&self) -> Result<Stopped, EngineError> {
        let Some(engine) = self.running()? else {
            return Ok(Stopped::Before);
        };
        let stopped = engine.stop(STOP_LIMIT).await?;
        if let Stopped::Cleanly = stopped {
            let mark = self.folder.join(STOPPED);
            fs::write(&mark, "").map_err(EngineError::file("write", &mark))?;
        }
        Ok(stopped)
    }

    fn configuration(&self) -> String {
        let Ports {
            broker,
            broker_tls,
            web,
            bookie: _,
        } = self.ports;
        let Files {
            certificate,
            key,
            authority,
            token_key,
            superuser_token,
            superuser,
        } = &self.files;
        let (certificate, key) = (certificate.display(), key.display());
        let (authority, token_key) = (authority.display(), token_key.display());
        let superuser_token = superuser_token.display();
        format!(
            "{CONFIGURATION}
clusterName={CLUSTER}
listeningInterface={LOOPBACK}
brokerServicePort={broker}
brokerServicePortTls={broker_tls}
webServicePort={web}
webServicePortTls=
tlsCertificateFilePath={certificate}
tlsKeyFilePath={key}
tlsTrustCertsFilePath={authority}
tokenPublicKey=file://{token_key}
superUserRoles={superuser}
maxTopicsPerNamespace={TOPICS}
brokerClientAuthenticationParameters=file://{superuser_token}
"
        )
    }
}

fn with_path(option: &str, path: &Path) -> OsString {
    let mut option = OsString::from(option);
    option.push(path);
    option
}

fn check_port(port: u16, use_for: &'static str) -> Result<(), EngineError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(EngineError::PortInUse {
            engine: "Pulsar",
            address,
            use_for,
        }),
        Err(error) => Err(EngineError::file("listen on", address.to_string())(error)),
    }
}

const MAIN_CLASS: &str = "org.apache.pulsar.PulsarStandaloneStarter";

/// Name of the loopback interface. The bookie is configured with an interface, not an address.
const LOOPBACK: &str = if cfg!(target_os = "macos") {
    "lo0"
} else {
    "lo"
};

/// A single replica of everything, few threads, and the policies of Astra's shared clusters: tokens, no automatic
/// creation of topics, and the limits of <https://docs.datastax.com/en/astra-streaming/operations/astream-limits.html>.
const CONFIGURATION: &str = "\
# Written by local-astra at each start.
bindAddress=127.0.0.1
advertisedAddress=localhost
allowLoopback=true
allowEphemeralPorts=true
tlsAllowInsecureConnection=false
authenticationEnabled=true
authenticationProviders=org.apache.pulsar.broker.authentication.AuthenticationProviderToken
tokenPublicAlg=RS256
authorizationEnabled=true
authorizationProvider=org.apache.pulsar.broker.authorization.PulsarAuthorizationProvider
authenticateMetricsEndpoint=true
brokerClientAuthenticationPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken
brokerClientTlsEnabled=false
allowAutoTopicCreation=false
allowAutoSubscriptionCreation=true
maxNumPartitionsPerPartitionedTopic=128
maxMessageSize=5242880
nettyMaxFrameSizeBytes=5253120
enableLocalTransport=true
disableServerSocketBind=true
brokerClient_dnsLookupBindAddress=127.0.0.1
maxProducersPerTopic=50
maxConsumersPerTopic=50
maxConsumersPerSubscription=50
maxSubscriptionsPerTopic=50
brokerDeleteInactiveTopicsMaxInactiveDurationSeconds=86400
managedLedgerDefaultEnsembleSize=1
managedLedgerDefaultWriteQuorum=1
managedLedgerDefaultAckQuorum=1
defaultNumberOfNamespaceBundles=1
loadBalancerEnabled=false
webSocketServiceEnabled=false
functionsWorkerEnabled=false
transactionCoordinatorEnabled=false
enablePackagesManagement=false
brokerDeduplicationEnabled=false
backlogQuotaCheckEnabled=true
numIOThreads=2
numHttpServerThreads=8
numExecutorThreadPoolSize=2
numOrderedExecutorThreads=2
numCacheExecutorThreadPoolSize=2
metadataStoreSerDesThreads=1
bookkeeperNumberOfChannelsPerBookie=2
managedLedgerNumSchedulerThreads=2
journalMaxSizeMB=64
journalPreAllocSizeMB=4
diskUsageThreshold=0.999
diskUsageWarnThreshold=0.998
diskUsageLwmThreshold=0.998
brokerShutdownTimeoutMs=1000";

const LOG4J: &str = "\
<Configuration status=\"WARN\">
  <Appenders>
    <Console name=\"OUT\"><PatternLayout pattern=\"%d %-5level %c{1} - %msg%n\"/></Console>
  </Appenders>
  <Loggers><Root level=\"info\"><AppenderRef ref=\"OUT\"/></Root></Loggers>
</Configuration>
";

/// A small heap and the quick compiler, for a start within seconds. Not suitable for a production server.
const OPTIONS: [&str; 8] = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms256m",
    "-Xmx256m",
    "-XX:MaxDirectMemorySize=256m",
    "-Xss512k",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dio.netty.tryReflectionSetAccessible=true",
];

const OPENS: &str = "java.base/java.lang java.base/java.lang.invoke java.base/java.io java.base/java.net \
    java.base/java.nio java.base/java.util java.base/java.util.zip java.base/sun.nio.ch java.base/sun.net \
    java.base/jdk.internal.misc java.base/jdk.internal.platform java.management/sun.management \
    jdk.management/com.sun.management.internal";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_each_key_once_and_no_topic_makes_itself() {
        let pulsar = Pulsar {
            folder: "/d/pulsar".into(),
            archives: "/c".into(),
            ports: Ports {
                broker: 1,
                broker_tls: 2,
                web: 3,
                bookie: 4,
            },
            files: Files {
                certificate: "/d/server.pem".into(),
                key: "/d/server.key".into(),
                authority: "/d/ca.pem".into(),
                token_key: "/d/public.der".into(),
                superuser_token: "/d/superuser.jwt".into(),
                superuser: "root",
            },
        };
        let text = pulsar.configuration();
        let mut keys: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, _)| key)
            .collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
        for line in [
            "allowAutoTopicCreation=false",
            "authorizationEnabled=true",
            "superUserRoles=root",
            "brokerServicePortTls=2",
            "tokenPublicKey=file:///d/public.der",
        ] {
            assert!(text.lines().any(|each| each == line), "{line}");
        }
    }
}
