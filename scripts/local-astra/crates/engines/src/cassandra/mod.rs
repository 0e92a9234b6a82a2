//! Apache Cassandra as the database server of local Astra: on loopback only, started within seconds.

mod configuration;
mod unusable_indexes;

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use configuration::{EXPORTS, LOGBACK, OPENS, OPTIONS, YAML};

use super::{
    EngineError, class_archive, first_start,
    jars::ClassPath,
    java::Jdk,
    process::{Engine, Stopped, wait_until},
    ready::answers,
    temporary_folder,
};

/// The superuser of a new data folder, and its initial password.
pub const SUPERUSER: &str = "cassandra";
pub const FIRST_PASSWORD: &str = "cassandra";

/// Limit to exit after SIGTERM, during which memtables are flushed.
pub const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Name of the data center. Astra names it after the database's region, and cql-proxy ignores nodes of other data
/// centers.
pub const DATACENTER: &str = settings::DATABASE_REGION;

/// Name of the data center in old data folders. Their nodes rename it at their next start.
pub const OLD_DATACENTER: &str = "datacenter1";

/// Name of the file from which a node reads its data center and rack.
const RACK: &str = "cassandra-rackdc.properties";

/// Name of Cassandra's own data folder in the folder of a node.
const DATA: &str = "data";

/// Name of a folder in a node's data that exists from its start on.
const COMMIT_LOG: &str = "commitlog";

/// Name of the output file of the current run in the folder of a node.
const LOG: &str = "cassandra.log";

/// Name of the process record in the folder of a node.
const RECORD: &str = "engine.json";

/// One token per node, a third of the ring apart, for up to three nodes.
const TOKENS: [&str; 3] = ["-6148914691236517206", "0", "6148914691236517204"];

/// The Cassandra of one data folder.
#[derive(Clone, Debug)]
pub struct Cassandra {
    /// Contains one folder per node with its configuration, log and data.
    pub folder: PathBuf,
    /// Folder of the class archives, shared by all data folders.
    pub archives: PathBuf,
    pub ports: Ports,
    /// 1, or 3 at 127.0.0.1 to 127.0.0.3. Chosen once per data folder.
    pub nodes: u8,
    /// The nodes' key with its certificate, and the authority that signed it, both PEM. Nodes require them of each
    /// other, so that other users of this machine cannot pose as a node.
    pub node_key: PathBuf,
    pub node_authority: PathBuf,
}

/// The way in which a node joins its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Together with a new cluster.
    First,
    /// With its existing data.
    Again,
    /// As the replacement of a node whose data is gone.
    Replace,
}

/// Ports, the same on each node. They must be unique to this data folder: two Cassandras with connected storage ports
/// form one ring. They must be below the range for outgoing connections, in which a polled closed port can connect to
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub storage: u16,
    pub cql: u16,
}

impl Cassandra {
    /// Returns the CQL address of node `node` (from 1).
    pub fn contact_point(&self, node: u8) -> SocketAddr {
        self.address(node, self.ports.cql)
    }

    fn address(&self, node: u8, port: u16) -> SocketAddr {
        SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, node), port).into()
    }

    fn node_folder(&self, node: u8) -> PathBuf {
        self.folder.join(format!("node{node}"))
    }

    fn data(&self, node: u8) -> PathBuf {
        self.node_folder(node).join(DATA)
    }

    /// Returns the process of node `node` (from 1) if it is running, even if another process started it.
    pub fn running(&self, node: u8) -> Result<Option<Engine>, EngineError> {
        Engine::running(&self.node_folder(node).join(RECORD))
    }

    /// Starts all nodes that are not running, and returns when each responds on its CQL port. Files of an incomplete
    /// first start are removed first; a node whose data is gone receives it from the others.
    ///
    /// This does not wait for a login: with three replicas of the roles, a superuser's login needs two nodes, so none
    /// would be ready before the next one starts. A new node joins the ring after those before it have joined. After an
    /// error some nodes may be running: see [`Cassandra::stop`].
    pub async fn start_all(
        &self,
        jdk: &Jdk,
        class_path: &ClassPath,
        limit: Duration,
    ) -> Result<Vec<Engine>, EngineError> {
        let running: Vec<Option<Engine>> = (1..=self.nodes)
            .map(|node| self.running(node))
            .collect::<Result<_, _>>()?;
        if running.iter().all(Option::is_none) {
            let data: Vec<PathBuf> = (1..=self.nodes).map(|node| self.data(node)).collect();
            let is_whole = data.iter().any(|data| data.join(COMMIT_LOG).exists());
            first_start::begin(&self.folder, &data, is_whole)?;
        }
        // Nodes with data start first and together, then those without, one by one.
        let (old, new): (Vec<u8>, Vec<u8>) =
            (1..=self.nodes).partition(|node| self.data(*node).exists());
        let is_first = old.is_empty();
        let mut engines = Vec::new();
        for node in &old {
            let engine = running[usize::from(node - 1)].clone();
            engines.push((
                *node,
                engine.map_or_else(|| self.start(*node, Join::Again, jdk, class_path), Ok)?,
            ));
        }
        for (node, engine) in &engines {
            wait_until(engine, limit, || answers(self.contact_point(*node))).await?;
        }
        for node in new {
            let join = if is_first { Join::First } else { Join::Replace };
            let engine = self.start(node, join, jdk, class_path)?;
            wait_until(&engine, limit, || answers(self.contact_point(node))).await?;
            engines.push((node, engine));
        }
        engines.sort_by_key(|(node, _)| *node);
        let engines = engines.into_iter().map(|(_, engine)| engine).collect();
        Ok(engines)
    }

    /// Writes the configuration of node `node` (from 1) and starts it. Use [`wait_until`] to wait until it is ready.
    ///
    /// Errors: it is already running, a port is in use, a file cannot be written.
    pub fn start(
        &self,
        node: u8,
        join: Join,
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
            ("cassandra.yaml", self.yaml(node, join).as_str()),
            (RACK, format!("dc={DATACENTER}\nrack=rack1\n").as_str()),
            ("logback.xml", LOGBACK),
        ] {
            let file = folder.join(name);
            fs::write(&file, text).map_err(EngineError::file("write", &file))?;
        }

        let (option, archive) = class_archive::option(&self.archives, jdk, class_path);
        let mut command = jdk.command();
        // It is enough that one node writes it.
        let archive = Some(archive).filter(|archive| node == 1 || !archive.is_new());
        command.args(archive.is_some().then_some(option));
        command
            .arg(temporary_folder(&folder)?)
            .args(self.options(node, join, jdk, &folder))
            .arg("-cp")
            .arg(&class_path.value)
            .arg(MAIN_CLASS);
        command.current_dir(&folder);
        let name = if self.nodes == 1 {
            "Cassandra".to_string()
        } else {
            format!("Cassandra node {node}")
        };
        let (record, log) = (folder.join(RECORD), folder.join(LOG));
        Engine::spawn(&name, command, archive, &record, &log)
    }

    /// Stops node `node` (from 1) if it is running. Acknowledged writes are kept even if it has to be killed.
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

    fn yaml(&self, node: u8, join: Join) -> String {
        let address = Ipv4Addr::new(127, 0, 0, node);
        let Ports { storage, cql } = self.ports;
        let (key, authority) = (self.node_key.display(), self.node_authority.display());
        let token = if self.nodes == 1 {
            "0"
        } else {
            TOKENS[usize::from(node - 1) % TOKENS.len()]
        };
        // A replacement has the token of the node it replaces.
        let token = match join {
            Join::First | Join::Again => {
                format!("initial_token: {token}\nauto_bootstrap: false\n")
            }
            Join::Replace => String::new(),
        };
        // A new cluster has one seed. Later each node is one: a seed that finds no other starts alone, so all of them
        // can be started at once. A replacement gets its data from its seeds.
        let seeds: Vec<String> = (1..=self.nodes)
            .filter(|other| match join {
                Join::First => *other == 1,
                Join::Again => true,
                Join::Replace => *other != node,
            })
            .map(|seed| format!("127.0.0.{seed}:{storage}"))
            .collect();
        let seeds = seeds.join(",");
        format!(
            "{YAML}
num_tokens: 1
{token}seed_provider: [{{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{{seeds: \"{seeds}\"}}]}}]
listen_address: {address}
rpc_address: {address}
storage_port: {storage}
native_transport_port: {cql}
server_encryption_options:
  internode_encryption: all
  require_client_auth: true
  ssl_context_factory: {{class_name: org.apache.cassandra.security.PEMBasedSslContextFactory}}
  keystore: \"{key}\"
  truststore: \"{authority}\"
"
        )
    }

    /// Returns the JVM options without the class archive and the class path.
    fn options(&self, node: u8, join: Join, jdk: &Jdk, folder: &Path) -> Vec<OsString> {
        let mut options: Vec<OsString> = OPTIONS.iter().map(OsString::from).collect();
        for (option, packages) in [("--add-exports", EXPORTS), ("--add-opens", OPENS)] {
            for package in packages.split_whitespace() {
                options.extend([option.into(), format!("{package}=ALL-UNNAMED").into()]);
            }
        }
        if jdk.major > 17 {
            options.push("-Djava.security.manager=allow".into());
        }
        if self.nodes == 1 {
            options.push("-Dcassandra.skip_wait_for_gossip_to_settle=0".into());
            options.push("-Dcassandra.ring_delay_ms=0".into());
        } else {
            options.push("-Dcassandra.consistent.rangemovement=false".into());
            options.push("-Dcassandra.ring_delay_ms=2000".into());
        }
        if join == Join::Replace {
            let option = format!("-Dcassandra.replace_address_first_boot=127.0.0.{node}");
            options.push(option.into());
        }
        options.push(
            format!(
                "-Dcassandra.config={}",
                file_url(&folder.join("cassandra.yaml"))
            )
            .into(),
        );
        options.push(format!("-D{RACK}={}", file_url(&folder.join(RACK))).into());
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

/// Formats a path as a URL, which is how Cassandra expects the location of its configuration.
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
            node_key: "/certificates/nodes/node-with-key.pem".into(),
            node_authority: "/certificates/nodes/ca.pem".into(),
        }
    }

    #[test]
    fn one_node_listens_on_loopback_and_keeps_what_it_acknowledged() {
        let yaml = cassandra(1).yaml(1, Join::First);
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
        let yamls = [1, 2, 3].map(|node| cassandra(3).yaml(node, Join::First));
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
                .options(1, Join::First, &jdk, Path::new("/a folder/node1"))
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
