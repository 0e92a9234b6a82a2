//! Apache Pulsar as the one streaming server of local Astra: broker, bookie and metadata in one process, on loopback only.
//!
//! - [`Pulsar`]: configured, started, stopped
//! - [`Admin`]: its admin API with the superuser's token, for whoever makes tenants and namespaces

mod admin;

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

pub use admin::{Admin, AdminError, Tenant};

use super::{
    EngineError, class_archive, first_start,
    jars::ClassPath,
    java::{self, Jdk},
    process::{Engine, Stopped},
    temporary_folder,
};

/// The name of the one cluster, as Astra names those of that cloud and region.
pub const CLUSTER: &str = "pulsar-aws-useast1";

/// Namespaces that a tenant may have (limits page, below); Pulsar itself counts none.
pub const NAMESPACES: usize = 20;
/// Topics that a namespace may have, which Pulsar counts.
pub const TOPICS: usize = 100;

/// How long SIGTERM may take.
pub const STOP_LIMIT: Duration = Duration::from_secs(20);

/// What is known of the process, in its folder.
const RECORD: &str = "engine.json";
/// Is in its folder when it was stopped well, and not killed.
const STOPPED: &str = "stopped";
const METADATA: &str = "metadata";
const BOOKKEEPER: &str = "bookkeeper";

const REMOVE_BOOKIES: &str = include_str!("../../../engines/RemoveBookies.java");

/// The Pulsar of one data folder.
#[derive(Clone, Debug)]
pub struct Pulsar {
    /// Holds its configuration, log and data.
    pub folder: PathBuf,
    /// Where class archives are kept: shared by all data folders.
    pub archives: PathBuf,
    pub ports: Ports,
    pub files: Files,
}

/// All on loopback, and this data folder's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The broker, without TLS.
    pub broker: u16,
    /// The broker over TLS.
    pub broker_tls: u16,
    /// The admin API as Pulsar has it, without TLS: only the gateway and the broker itself ask there.
    pub web: u16,
    /// The bookie, which only the broker talks to.
    pub bookie: u16,
}

/// Files that others make and Pulsar reads.
#[derive(Clone, Debug)]
pub struct Files {
    /// The server's certificate with the authority's after it, PEM.
    pub certificate: PathBuf,
    /// The key of that certificate, PKCS#8 PEM.
    pub key: PathBuf,
    /// The authority's certificate, PEM.
    pub authority: PathBuf,
    /// The public key that tokens are checked with: RSA, SubjectPublicKeyInfo in DER.
    pub token_key: PathBuf,
    /// The superuser's token, which the broker shows to itself.
    pub superuser_token: PathBuf,
    /// The role (`sub`) in that token.
    pub superuser: &'static str,
}

impl Pulsar {
    /// Pulsar, if it runs; also when another process started it.
    ///
    /// # Errors
    /// When its record or the system's processes cannot be read.
    pub fn running(&self) -> Result<Option<Engine>, EngineError> {
        Engine::running(&self.folder.join(RECORD))
    }

    /// What it has written since its start.
    pub fn log(&self) -> PathBuf {
        self.folder.join("pulsar.log")
    }

    /// Where [`Admin`] finds it.
    pub fn web_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.web).into()
    }

    /// Removes what an incomplete first start left behind, if Pulsar does not run.
    ///
    /// # Errors
    /// When a file cannot be written or removed.
    pub fn begin(&self) -> Result<(), EngineError> {
        if self.running()?.is_some() {
            return Ok(());
        }
        let data = [METADATA, BOOKKEEPER].map(|name| self.folder.join(name));
        // The last files that each of them writes when it is new.
        let is_whole = data[0].join("CURRENT").exists() && data[1].join("current/VERSION").exists();
        first_start::begin(&self.folder, &data, is_whole)
    }

    /// Makes a Pulsar that was killed fit to be started again; does nothing if it runs, or was stopped well.
    ///
    /// A killed Pulsar leaves its bookie's registration behind. The next one removes it and registers its own bookie,
    /// and takes the news of its own removal for somebody else's: then it registers again, without end, and now and then
    /// finds no bookie (`ResourceLockImpl` of Pulsar 4.0.7, seen on a busy machine). So it is removed before.
    ///
    /// # Errors
    /// Java cannot be run, or does not do it.
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
        let run = java::run(command).await.map(drop);
        run.map_err(|why| EngineError::Mend {
            trouble: "Pulsar was killed",
            folder: metadata,
            why,
        })
    }

    /// Writes the configuration and starts it, if it does not run already. It is not ready yet:
    /// see [`Admin::ready`].
    ///
    /// # Errors
    /// A port is in use, a file cannot be written, Java cannot be run.
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
        // The JVM runs in another folder than we do.
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

    /// Stops it if it runs: acknowledged messages are kept either way.
    ///
    /// # Errors
    /// When it does not end, not even when killed.
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

/// The bookie takes an interface, not an address.
const LOOPBACK: &str = if cfg!(target_os = "macos") {
    "lo0"
} else {
    "lo"
};

/// One of everything, few threads, and what Astra's shared clusters have: tokens, no topic that makes itself, and the
/// limits of <https://docs.datastax.com/en/astra-streaming/operations/astream-limits.html>.
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

/// A small heap and the quick compiler: it starts in seconds, and is no production server.
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
