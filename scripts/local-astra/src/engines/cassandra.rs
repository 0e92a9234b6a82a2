//! Apache Cassandra as the one database server of local Astra, on loopback only, started in seconds.

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    EngineError, class_archive,
    jars::ClassPath,
    java::Jdk,
    process::{Engine, Stopped, wait_until},
    ready::answers,
    temporary_folder,
};

/// The superuser of a new data folder, and its password until somebody alters it.
pub const SUPERUSER: &str = "cassandra";
pub const FIRST_PASSWORD: &str = "cassandra";

/// How long SIGTERM may take: memtables are flushed.
pub const STOP_LIMIT: Duration = Duration::from_secs(30);

/// What Cassandra itself keeps, in the folder of its node.
const DATA: &str = "data";

/// What is known of a node's process, in its folder.
const RECORD: &str = "engine.json";

/// One token each, a third of the ring, for up to three nodes.
const TOKENS: [&str; 3] = ["-6148914691236517206", "0", "6148914691236517204"];

/// The Cassandra of one data folder.
#[derive(Clone, Debug)]
pub struct Cassandra {
    /// Holds a folder a node: its configuration, log and data.
    pub folder: PathBuf,
    /// Where class archives are kept: shared by all data folders.
    pub archives: PathBuf,
    pub ports: Ports,
    /// 1, or 3 at 127.0.0.1 to .3. Chosen once per data folder.
    pub nodes: u8,
}

/// The same on each node. They must be this data folder's own: two Cassandras whose storage ports meet become one ring.
/// And below those that the system gives to outgoing connections: there a closed one that is polled can meet itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub storage: u16,
    pub cql: u16,
}

impl Cassandra {
    /// Where node `node` (from 1) speaks CQL.
    pub fn contact_point(&self, node: u8) -> SocketAddr {
        self.address(node, self.ports.cql)
    }

    fn address(&self, node: u8, port: u16) -> SocketAddr {
        SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, node), port).into()
    }

    fn node_folder(&self, node: u8) -> PathBuf {
        self.folder.join(format!("node{node}"))
    }

    /// Node `node` (from 1), if it runs; also when another process started it.
    pub fn running(&self, node: u8) -> Result<Option<Engine>, EngineError> {
        Engine::running(&self.node_folder(node).join(RECORD))
    }

    /// Starts all nodes that do not run, and returns when each answers on its CQL port.
    ///
    /// That is not yet a login: with three replicas of the roles a superuser's needs two nodes, so none could be ready
    /// before the next one starts. A node that is new joins the ring alone, after those before it. After an error some
    /// may run: see [`Cassandra::stop`].
    pub async fn start_all(
        &self,
        jdk: &Jdk,
        class_path: &ClassPath,
        limit: Duration,
    ) -> Result<Vec<Engine>, EngineError> {
        let mut engines = Vec::new();
        for node in 1..=self.nodes {
            let is_new = !self.node_folder(node).join(DATA).exists();
            let engine = match self.running(node)? {
                Some(engine) => engine,
                None => self.start(node, jdk, class_path)?,
            };
            if is_new {
                wait_until(&engine, limit, || answers(self.contact_point(node))).await?;
            }
            engines.push(engine);
        }
        for (node, engine) in (1..).zip(&engines) {
            wait_until(engine, limit, || answers(self.contact_point(node))).await?;
        }
        Ok(engines)
    }

    /// Writes the configuration of node `node` (from 1) and starts it. It is not ready yet: see [`wait_until`].
    ///
    /// Errors: it runs already, a port is in use, a file cannot be written.
    pub fn start(
        &self,
        node: u8,
        jdk: &Jdk,
        class_path: &ClassPath,
    ) -> Result<Engine, EngineError> {
        let folder = self.node_folder(node);
        if let Some(engine) = self.running(node)? {
            return Err(EngineError::AlreadyRunning {
                engine: "Cassandra",
                pid: engine.process.pid,
                folder,
            });
        }
        self.check_port(node, self.ports.storage, "its nodes' own port")?;
        self.check_port(node, self.ports.cql, "its CQL port")?;
        fs::create_dir_all(&folder).map_err(EngineError::file("create", &folder))?;
        let folder = folder
            .canonicalize()
            .map_err(EngineError::file("open", &folder))?;
        for (name, text) in [
            ("cassandra.yaml", self.yaml(node).as_str()),
            ("logback.xml", LOGBACK),
        ] {
            let file = folder.join(name);
            fs::write(&file, text).map_err(EngineError::file("write", &file))?;
        }

        let (option, archive) = class_archive::option(&self.archives, jdk, class_path);
        let mut command = jdk.command();
        // One node is enough to make it.
        let archive = Some(archive).filter(|archive| node == 1 || !archive.is_new());
        command.args(archive.is_some().then_some(option));
        command
            .arg(temporary_folder(&folder)?)
            .args(self.options(jdk, &folder))
            .arg("-cp")
            .arg(&class_path.value)
            .arg(MAIN_CLASS);
        command.current_dir(&folder);
        let name = if self.nodes == 1 {
            "Cassandra".to_string()
        } else {
            format!("Cassandra node {node}")
        };
        let (record, log) = (folder.join(RECORD), folder.join("cassandra.log"));
        Engine::spawn(&name, command, archive, &record, &log)
    }

    /// Stops node `node` (from 1) if it runs: acknowledged writes are kept either way.
    pub async fn stop(&self, node: u8) -> Result<Stopped, EngineError> {
        match self.running(node)? {
            Some(engine) => engine.stop(STOP_LIMIT).await,
            None => Ok(Stopped::Before),
        }
    }

    fn check_port(&self, node: u8, port: u16, use_for: &'static str) -> Result<(), EngineError> {
        let address = self.address(node, port);
        match TcpListener::bind(address) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AddrInUse => Err(EngineError::PortInUse {
                engine: "Cassandra",
                address,
                use_for,
            }),
            Err(error) => Err(EngineError::file("listen on", address.to_string())(error)),
        }
    }

    fn yaml(&self, node: u8) -> String {
        let address = Ipv4Addr::new(127, 0, 0, node);
        let Ports { storage, cql } = self.ports;
        let token = if self.nodes == 1 {
            "0"
        } else {
            TOKENS[usize::from(node - 1) % TOKENS.len()]
        };
        format!(
            "{YAML}
num_tokens: 1
initial_token: {token}
auto_bootstrap: false
seed_provider: [{{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{{seeds: \"127.0.0.1:{storage}\"}}]}}]
listen_address: {address}
rpc_address: {address}
storage_port: {storage}
native_transport_port: {cql}
"
        )
    }

    /// The JVM's options, but for the class archive and the class path.
    fn options(&self, jdk: &Jdk, folder: &Path) -> Vec<OsString> {
        let mut options: Vec<OsString> = OPTIONS.iter().map(OsString::from).collect();
        for (option, packages) in [("--add-exports", EXPORTS), ("--add-opens", OPENS)] {
            for package in packages.split_whitespace() {
                options.extend([option.into(), format!("{package}=ALL-UNNAMED").into()]);
            }
        }
        if jdk.major > 17 {
            options.push("-Djava.security.manager=allow".into());
        }
        let alone = [
            "-Dcassandra.skip_wait_for_gossip_to_settle=0",
            "-Dcassandra.ring_delay_ms=0",
        ];
        let ring = [
            "-Dcassandra.ring_delay_ms=2000",
            "-Dcassandra.consistent.rangemovement=false",
        ];
        options.extend(if self.nodes == 1 { alone } else { ring }.map(OsString::from));
        options.push(
            format!(
                "-Dcassandra.config={}",
                file_url(&folder.join("cassandra.yaml"))
            )
            .into(),
        );
        options.push(
            format!(
                "-Dlogback.configurationFile={}",
                file_url(&folder.join("logback.xml"))
            )
            .into(),
        );
        let mut storage = OsString::from("-Dcassandra.storagedir=");
        storage.push(folder.join(DATA));
        options.push(storage);
        options
    }
}

/// Cassandra reads the place of its configuration as an address.
fn file_url(path: &Path) -> String {
    const NOT_IN_PATHS: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'?')
        .add(b'<')
        .add(b'>');
    format!(
        "file://{}",
        utf8_percent_encode(&path.to_string_lossy(), NOT_IN_PATHS)
    )
}

const MAIN_CLASS: &str = "org.apache.cassandra.service.CassandraDaemon";

/// Small, and safe against `kill -9`: only `batch` (or `group`) acknowledges a write after it is on the disk.
/// Patient too: the usual 2 and 5 s are a server's, not those of a laptop that compiles at the same time.
const YAML: &str = "\
# Written by local-astra at each start.
cluster_name: cndb
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
storage_compatibility_mode: NONE
commitlog_sync: batch
commitlog_segment_size: 16MiB
commitlog_total_space: 128MiB
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
key_cache_size: 8MiB
counter_cache_size: 4MiB
auto_snapshot: false
hinted_handoff_enabled: false
default_secondary_index: legacy_local_table
materialized_views_enabled: true
user_defined_functions_enabled: false
read_request_timeout: 10s
range_request_timeout: 20s
write_request_timeout: 10s
counter_write_request_timeout: 10s
cas_contention_timeout: 10s
request_timeout: 20s
concurrent_reads: 8
concurrent_writes: 8
concurrent_counter_writes: 8
native_transport_max_threads: 16";

const LOGBACK: &str = "\
<configuration>
  <appender name=\"OUT\" class=\"ch.qos.logback.core.ConsoleAppender\">
    <encoder><pattern>%-5level %date %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level=\"INFO\"><appender-ref ref=\"OUT\"/></root>
</configuration>
";

/// A small heap and the quick compiler: it starts in seconds, and is no production server. No JMX property, so no JMX.
const OPTIONS: &[&str] = &[
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms96m",
    "-Xmn64m",
    "-Xmx512m",
    "-Xss512k",
    // A vector index in memory takes as many writers at once as there are processors, and one more; a write beyond
    // them fails (CASSANDRA-21644). Twice `concurrent_writes` is enough.
    "-XX:ActiveProcessorCount=16",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dcassandra-foreground=yes",
    // The superuser exists when the port opens, not 10 s later.
    "-Dcassandra.superuser_setup_delay_ms=0",
    // What Cassandra would find out in 2 s at each start.
    "-Dcassandra.memtable.row_overhead_size=180",
    // A login in 3 ms. For one machine only.
    "-Dcassandra.auth_bcrypt_gensalt_log2_rounds=4",
    "-Dcassandra.shutdown_announce_in_ms=0",
    "-Dcassandra.test.messagingService.nonGracefulShutdown=true",
];

/// What Cassandra needs of the JDK's insides.
const EXPORTS: &str = "java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi \
    java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql java.base/java.lang.ref jdk.unsupported/sun.misc \
    jdk.compiler/com.sun.tools.javac.file jdk.attach/sun.tools.attach";
const OPENS: &str = "java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref \
    java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module \
    java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io \
    java.base/java.nio java.base/java.lang.reflect jdk.compiler/com.sun.tools.javac java.base/java.lang java.base/java.util";

#[cfg(test)]
mod tests {
    use super::*;

    fn cassandra(nodes: u8) -> Cassandra {
        let ports = Ports {
            storage: 37000,
            cql: 39042,
        };
        Cassandra {
            folder: "/data".into(),
            archives: "/cache".into(),
            ports,
            nodes,
        }
    }

    #[test]
    fn one_node_listens_on_loopback_and_keeps_what_it_acknowledged() {
        let yaml = cassandra(1).yaml(1);
        for line in [
            "listen_address: 127.0.0.1",
            "rpc_address: 127.0.0.1",
            "storage_port: 37000",
            "native_transport_port: 39042",
            "commitlog_sync: batch",
            "cluster_name: cndb",
            "initial_token: 0",
        ] {
            assert!(
                yaml.lines().any(|each| each == line),
                "{line} is not in\n{yaml}"
            );
        }
        assert!(yaml.contains("{seeds: \"127.0.0.1:37000\"}"));
    }

    #[test]
    fn three_nodes_have_an_address_and_a_token_each_and_one_seed() {
        let yamls = [1, 2, 3].map(|node| cassandra(3).yaml(node));
        for (node, (yaml, token)) in yamls.iter().zip(TOKENS).enumerate() {
            assert!(
                yaml.contains(&format!("\nlisten_address: 127.0.0.{}\n", node + 1)),
                "{yaml}"
            );
            assert!(
                yaml.contains(&format!("\ninitial_token: {token}\n")),
                "{yaml}"
            );
            assert!(yaml.contains("{seeds: \"127.0.0.1:37000\"}"), "{yaml}");
        }
    }

    #[test]
    fn a_jdk_21_gets_the_flag_that_17_does_not_know() {
        let has = |major, flag: &str| {
            let jdk = Jdk {
                home: "/jdk".into(),
                java: "/jdk/bin/java".into(),
                major,
                release: String::new(),
            };
            cassandra(1)
                .options(&jdk, Path::new("/a folder/node1"))
                .iter()
                .any(|option| option == flag)
        };
        assert!(
            has(21, "-Djava.security.manager=allow") && !has(17, "-Djava.security.manager=allow")
        );
        assert!(has(
            17,
            "-Dcassandra.config=file:///a%20folder/node1/cassandra.yaml"
        ));
        assert!(has(17, "-Dcassandra.storagedir=/a folder/node1/data"));
    }

    #[test]
    fn a_port_in_use_is_named() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let message = cassandra(1)
            .check_port(1, port, "its CQL port")
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with(&format!("Cassandra: port {port} of 127.0.0.1 is in use")),
            "{message}"
        );
    }
}
