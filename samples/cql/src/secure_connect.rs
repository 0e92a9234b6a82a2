//! DataStax Astra's secure connect bundle for the `scylla` driver: pure Rust, no sidecar, this one file.
//!
//! `scylla` knows nothing of the bundle. Astra's own drivers do four things with it, and so does this file:
//!
//! 1. They read the zip: `config.json` says where the metadata service is, `ca.crt` whom to trust, and
//!    `cert` with `key` is the client certificate that lets a client in.
//! 2. They ask the metadata service, over mutual TLS, for the SNI proxy's address and the host ids of
//!    the nodes. A host id is a UUID.
//! 3. They reach every node through that one proxy: mutual TLS again, with the **host id as the server
//!    name** (SNI). `scylla` can't do that, so here each node gets a tunnel: a listener on 127.0.0.1, and
//!    whatever connects to it goes on through TLS to the node.
//! 4. They find a node by its `host_id` in `system.local` and `system.peers`, not by its address. In
//!    `scylla` that's an [`AddressTranslator`].
//!
//! ```ignore
//! let astra = SecureConnect::open(Path::new("secure-connect-books.zip")).await?;
//! let session = SessionBuilder::new()
//!     .known_nodes_addr(astra.contact_points())
//!     .prefer_datacenter(astra.local_datacenter().to_owned())
//!     .address_translator(Arc::new(astra))
//!     .user("token", "AstraCS:...")
//!     .build()
//!     .await?;
//! ```
//!
//! The session then owns the tunnels: when it's dropped, their listeners, connections and tasks end.
//! A connection that breaks is opened anew by the driver, and a new tunnel with it.
//!
//! The tunnels listen on the loopback address only. Another process of the same machine can connect to
//! them too; all it gets is the database's login, which asks it for a token.
//!
//! Source of the rules: the cloud configuration of DataStax's drivers for Java, Python, Node.js, Go and
//! C++, where they agree. Crates: async-trait, reqwest (`rustls`), scylla 1.9, serde, serde_json,
//! thiserror, tokio, tokio-rustls, uuid (`serde`), zip.

use std::collections::HashMap;
use std::error::Error;
use std::io::{Cursor, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use async_trait::async_trait;
use scylla::errors::TranslationError;
use scylla::policies::address_translator::{AddressTranslator, UntranslatedPeer};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, DnsName, PrivateKeyDer, ServerName, UnixTime,
};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use uuid::Uuid;
use zip::ZipArchive;
use zip::result::ZipError;

/// The largest bundle that is read, in bytes. A good one weighs 12 to 13 kB.
const MAX_BUNDLE: u64 = 1024 * 1024;
/// The largest file in a bundle, unpacked, in bytes: so a zip bomb stays small.
const MAX_FILE: u64 = 64 * 1024;
/// The largest answer of the metadata service, in bytes.
const MAX_METADATA: usize = 64 * 1024;
/// How long the metadata service may take, from the connection to the last byte.
const METADATA_LIMIT: Duration = Duration::from_secs(10);
/// How long a tunnel may take to open: the name, the connection, the TLS handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long one direction of a tunnel may go on after the other has ended.
const HALF_CLOSED_LIMIT: Duration = Duration::from_secs(10);
/// How many connections one node's tunnel takes. The driver opens two or three.
const MAX_CONNECTIONS: usize = 128;

/// Why a bundle can't be used. Each message says all, causes included, and none shows a key.
#[derive(Debug, thiserror::Error)]
pub enum SecureConnectError {
    #[error("can't read the secure connect bundle {}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error(
        "the secure connect bundle has more than {MAX_BUNDLE} bytes; a good one has about 13,000. \
         Is it another file?"
    )]
    TooLarge,
    #[error(
        "the secure connect bundle is no zip file, or only a part of one: {0}. Download it again"
    )]
    NotAZip(String),
    #[error(
        "the secure connect bundle has no file `{0}`. Is it another zip file, or was it unpacked \
         and packed again with a folder?"
    )]
    Missing(&'static str),
    #[error(
        "`{file}` in the secure connect bundle can't be used: {what}. Download the bundle again"
    )]
    Damaged { file: &'static str, what: String },
    #[error(
        "`key` in the secure connect bundle is not the key of `cert`. Download the bundle again"
    )]
    WrongKey,
    #[error(
        "the client certificate in the secure connect bundle has expired. Download the bundle again"
    )]
    Expired,
    #[error(
        "the client certificate in the secure connect bundle is not valid yet. Is the clock of this \
         machine behind?"
    )]
    NotYetValid,
    #[error(
        "can't reach {at}: {cause}. If the name is unknown the database may be terminated; else look \
         at the network, a firewall, a VPN"
    )]
    Unreachable { at: String, cause: String },
    #[error(
        "{at} shows a certificate that the bundle's `ca.crt` does not vouch for ({cause}). Something \
         else answers there, or the bundle is another service's"
    )]
    ForeignServer { at: String, cause: rustls::Error },
    #[error("{at} refuses the bundle's client certificate ({cause}). Download the bundle again")]
    CertificateRefused { at: String, cause: rustls::Error },
    #[error("there is no free port on 127.0.0.1 for a tunnel: {0}")]
    NoPort(io::Error),
    #[error(
        "the metadata service answers 401: the database is hibernated or terminated{said}. Resume it \
         in the console, then run this again"
    )]
    NotActive { said: String },
    #[error("the metadata service answers {status}{said}")]
    Refused { status: u16, said: String },
    #[error("can't understand the metadata service's answer: {0}")]
    Metadata(String),
}

/// The way to one Astra database: a tunnel for each of its nodes. Give it to a session as its
/// [`AddressTranslator`]; what's dropped last ends the tunnels.
pub struct SecureConnect {
    proxy: Arc<Proxy>,
    local_datacenter: String,
    contact_points: Vec<SocketAddr>,
    tunnels: Mutex<HashMap<Uuid, Tunnel>>,
}

impl SecureConnect {
    /// Reads the bundle at `path`, asks the metadata service, and opens a tunnel for each node that it
    /// names. Takes 25 seconds at most, if nothing answers.
    ///
    /// # Errors
    /// One for each thing that can be wrong with the bundle, the database or the network on the way.
    pub async fn open(path: &Path) -> Result<SecureConnect, SecureConnectError> {
        let bundle = Bundle::parse(&read_file(path).await?)?;
        let metadata = bundle.ask_metadata().await?;
        let proxy = Arc::new(Proxy::new(&bundle, &metadata)?);
        proxy.check_any(&metadata.host_ids).await?;

        let mut astra = SecureConnect {
            proxy,
            local_datacenter: metadata.local_datacenter,
            contact_points: Vec::new(),
            tunnels: Mutex::default(),
        };
        for host_id in metadata.host_ids {
            let address = astra.tunnel(host_id).map_err(SecureConnectError::NoPort)?;
            astra.contact_points.push(address);
        }
        Ok(astra)
    }

    /// Where the driver finds the nodes first: the tunnels' own addresses.
    pub fn contact_points(&self) -> Vec<SocketAddr> {
        self.contact_points.clone()
    }

    /// The data centre of the bundle's region: the driver should prefer its nodes.
    pub fn local_datacenter(&self) -> &str {
        &self.local_datacenter
    }

    /// The address of a node's tunnel, which is opened the first time its host id is seen.
    ///
    /// # Errors
    /// When this machine has no free port.
    pub fn tunnel(&self, host_id: Uuid) -> io::Result<SocketAddr> {
        let mut tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tunnel) = tunnels.get(&host_id) {
            return Ok(tunnel.address);
        }
        let tunnel = Tunnel::open(self.proxy.clone(), host_id)?;
        let address = tunnel.address;
        tunnels.insert(host_id, tunnel);
        Ok(address)
    }
}

/// The driver asks this for each node of `system.local` and `system.peers`, old or new.
#[async_trait]
impl AddressTranslator for SecureConnect {
    async fn translate_address(
        &self,
        peer: &UntranslatedPeer,
    ) -> Result<SocketAddr, TranslationError> {
        self.tunnel(peer.host_id())
            .map_err(|error| TranslationError::IoError(Arc::new(error)))
    }
}

// ---- 1. The bundle -------------------------------------------------------------------------------

/// Reads at most [`MAX_BUNDLE`] bytes.
async fn read_file(path: &Path) -> Result<Vec<u8>, SecureConnectError> {
    let unreadable = |cause| SecureConnectError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if !about.is_file() {
        // A pipe or a device would keep us waiting for ever.
        return Err(unreadable(io::Error::other("it is no file")));
    }
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut limited = file.take(MAX_BUNDLE + 1);
    limited.read_to_end(&mut bytes).await.map_err(unreadable)?;
    Ok(bytes)
}

/// What a bundle says: where the metadata service is, whom to trust, and who we are.
pub struct Bundle {
    host: String,
    port: u16,
    ca_pem: Vec<u8>,
    /// `key` and then `cert`, both PEM.
    identity_pem: Vec<u8>,
    roots: Arc<RootCertStore>,
    certificate: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Bundle {
    /// Reads the bytes of a bundle. The names in the zip are fixed, and there are no folders; its other
    /// files are key stores for Java and C#.
    ///
    /// # Errors
    /// When the bytes are no bundle, or its client certificate can't be used any more.
    pub fn parse(bytes: &[u8]) -> Result<Bundle, SecureConnectError> {
        /// Both are required by every driver. The port is the metadata service's.
        #[derive(Deserialize)]
        struct Config {
            host: String,
            port: u16,
        }
        if bytes.len() as u64 > MAX_BUNDLE {
            return Err(SecureConnectError::TooLarge);
        }
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| SecureConnectError::NotAZip(error.to_string()))?;
        let config = read_entry(&mut zip, "config.json")?;
        let config: Config = serde_json::from_slice(&config).map_err(damaged("config.json"))?;
        // Only a name: so it can't make another URL.
        if config.port == 0 || DnsName::try_from(config.host.as_str()).is_err() {
            return Err(damaged("config.json")("host or port can't be one"));
        }
        let ca_pem = read_entry(&mut zip, "ca.crt")?;
        let certificate_pem = read_entry(&mut zip, "cert")?;
        let key_pem = read_entry(&mut zip, "key")?;

        let mut roots = RootCertStore::empty();
        for certificate in certificates("ca.crt", &ca_pem)? {
            roots.add(certificate).map_err(damaged("ca.crt"))?;
        }
        let bundle = Bundle {
            host: config.host,
            port: config.port,
            ca_pem,
            roots: Arc::new(roots),
            certificate: certificates("cert", &certificate_pem)?,
            key: PrivateKeyDer::from_pem_slice(&key_pem).map_err(damaged("key"))?,
            identity_pem: [key_pem, b"\n".to_vec(), certificate_pem].concat(),
        };
        bundle.check_key()?;
        bundle.check_validity()?;
        Ok(bundle)
    }

    fn check_key(&self) -> Result<(), SecureConnectError> {
        match CertifiedKey::from_der(self.certificate.clone(), self.key.clone_key(), &provider()) {
            Ok(_) => Ok(()),
            Err(rustls::Error::InconsistentKeys(_)) => Err(SecureConnectError::WrongKey),
            Err(error) => Err(damaged("cert")(error)),
        }
    }

    /// Refuses an expired certificate here, where it can be said. A server would only close the door.
    /// It's rustls' own check of client certificates, and only its opinion of the dates counts.
    fn check_validity(&self) -> Result<(), SecureConnectError> {
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider())
            .build()
            .map_err(damaged("ca.crt"))?;
        let (own, others) = (&self.certificate[0], &self.certificate[1..]);
        match verifier.verify_client_cert(own, others, UnixTime::now()) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => Err(SecureConnectError::Expired),
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
            )) => Err(SecureConnectError::NotYetValid),
            _ => Ok(()),
        }
    }
}

/// One file of the bundle, unpacked; never more than [`MAX_FILE`] bytes, whatever the zip claims.
fn read_entry(
    zip: &mut ZipArchive<Cursor<&[u8]>>,
    name: &'static str,
) -> Result<Vec<u8>, SecureConnectError> {
    let entry = zip.by_name(name).map_err(|error| match error {
        ZipError::FileNotFound => SecureConnectError::Missing(name),
        error => damaged(name)(error),
    })?;
    let mut bytes = Vec::new();
    let mut limited = entry.take(MAX_FILE + 1);
    limited.read_to_end(&mut bytes).map_err(damaged(name))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(damaged(name)(format!("it has more than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}

/// The certificates of a PEM file, at least one.
fn certificates(
    file: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, SecureConnectError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(damaged(file))?;
    if found.is_empty() {
        return Err(damaged(file)("there is no certificate in it"));
    }
    Ok(found)
}

fn damaged<E: fmt::Display>(file: &'static str) -> impl FnOnce(E) -> SecureConnectError {
    move |error| SecureConnectError::Damaged {
        file,
        what: error.to_string(),
    }
}

/// Said aloud, so that this works in a program that has two crypto providers.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

// ---- 2. The metadata service ---------------------------------------------------------------------

/// What the metadata service tells.
#[derive(Debug, PartialEq)]
pub struct Metadata {
    /// The SNI proxy's host and port, the same for all nodes.
    pub proxy: (String, u16),
    /// One for each node, never empty.
    pub host_ids: Vec<Uuid>,
    pub local_datacenter: String,
}

impl Metadata {
    /// Reads the body of a good answer. Other fields (`version`, `region`, `type`) are of no use here.
    ///
    /// # Errors
    /// When a field is missing or isn't what it should be.
    pub fn parse(body: &[u8]) -> Result<Metadata, SecureConnectError> {
        #[derive(Deserialize)]
        struct Answer {
            contact_info: ContactInfo,
        }
        #[derive(Deserialize)]
        struct ContactInfo {
            local_dc: String,
            contact_points: Vec<Uuid>,
            sni_proxy_address: String,
        }
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|error| SecureConnectError::Metadata(error.to_string()))?;
        let info = answer.contact_info;
        let wrong = |what: &str| Err(SecureConnectError::Metadata(what.to_owned()));
        if info.contact_points.is_empty() {
            return wrong("it names no contact points");
        }
        let Some((host, port)) = info.sni_proxy_address.rsplit_once(':') else {
            return wrong("sni_proxy_address has no port");
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match port.parse() {
            Ok(port) if port != 0 && !host.is_empty() => Ok(Metadata {
                proxy: (host.to_owned(), port),
                host_ids: info.contact_points,
                local_datacenter: info.local_dc,
            }),
            _ => wrong("sni_proxy_address is not host:port"),
        }
    }
}

impl Bundle {
    /// `GET https://{host}:{port}/metadata`, with the bundle's certificate and no other login.
    async fn ask_metadata(&self) -> Result<Metadata, SecureConnectError> {
        let (host, port) = (&self.host, self.port);
        let url = format!("https://{host}:{port}/metadata");
        let ca = reqwest::Certificate::from_pem_bundle(&self.ca_pem).map_err(damaged("ca.crt"))?;
        let identity = reqwest::Identity::from_pem(&self.identity_pem).map_err(damaged("cert"))?;
        let client = reqwest::Client::builder()
            .tls_certs_only(ca)
            .identity(identity)
            .timeout(METADATA_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            // The tunnels could not go through an HTTP proxy either.
            .no_proxy()
            .build()
            .map_err(|error| damaged("cert")(deepest(&error)))?;

        let failed = |error| failure(format!("the metadata service at {host}:{port}"), error);
        let mut response = client.get(url).send().await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_METADATA {
                let what = format!("it has more than {MAX_METADATA} bytes");
                return Err(SecureConnectError::Metadata(what));
            }
            body.extend_from_slice(&chunk);
        }
        match response.status().as_u16() {
            200 => Metadata::parse(&body),
            401 => Err(SecureConnectError::NotActive { said: said(&body) }),
            status => Err(SecureConnectError::Refused {
                status,
                said: said(&body),
            }),
        }
    }
}

/// The start of what a server said, on one line.
fn said(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
    let text = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = text.filter(|word| !word.is_empty()).collect();
    match words.is_empty() {
        true => String::new(),
        false => format!(": {}", words.join(" ")),
    }
}

// ---- 3. The tunnels ------------------------------------------------------------------------------

/// The SNI proxy, and how to talk to it.
struct Proxy {
    host: String,
    port: u16,
    tls: TlsConnector,
}

impl Proxy {
    fn new(bundle: &Bundle, metadata: &Metadata) -> Result<Proxy, SecureConnectError> {
        let (host, port) = metadata.proxy.clone();
        let name = ServerName::try_from(host.clone()).map_err(|_| {
            SecureConnectError::Metadata("the host in sni_proxy_address is no host name".to_owned())
        })?;
        let chain = WebPkiServerVerifier::builder_with_provider(bundle.roots.clone(), provider())
            .build()
            .map_err(damaged("ca.crt"))?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(damaged("cert"))?
            .dangerous() // What the verifier below does is the usual check, of another name.
            .with_custom_certificate_verifier(Arc::new(ProxyVerifier { chain, name }))
            .with_client_auth_cert(bundle.certificate.clone(), bundle.key.clone_key())
            .map_err(damaged("cert"))?;
        let tls = TlsConnector::from(Arc::new(config));
        Ok(Proxy { host, port, tls })
    }

    /// Opens a connection to one node. The proxy's name is looked up each time, for it may move.
    async fn connect(&self, host_id: Uuid) -> Result<TlsStream<TcpStream>, SecureConnectError> {
        let connecting = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            // To rustls a UUID is a fine server name.
            let name = ServerName::try_from(host_id.to_string()).map_err(io::Error::other)?;
            self.tls.connect(name, tcp).await
        };
        timeout(CONNECT_LIMIT, connecting)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| {
                failure(
                    format!("the SNI proxy at {}:{}", self.host, self.port),
                    error,
                )
            })
    }

    /// Makes sure that one node at least can be reached: here an error says why, while the driver only
    /// sees connections that end.
    async fn check_any(&self, host_ids: &[Uuid]) -> Result<(), SecureConnectError> {
        let mut outcome = Ok(());
        for host_id in host_ids.iter().take(3) {
            outcome = self.connect(*host_id).await.map(drop);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

/// The name that's sent (a host id) is not the name to check. As in the Java and Node.js drivers the
/// certificate must be signed by the bundle's authority **and** be made out to the proxy's host.
#[derive(Debug)]
struct ProxyVerifier {
    chain: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for ProxyVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _host_id: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.chain
            .verify_server_cert(certificate, intermediates, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// A listener whose connections all lead to one node. Ends, with all of them, when dropped.
struct Tunnel {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Tunnel {
    fn open(proxy: Arc<Proxy>, host_id: Uuid) -> io::Result<Tunnel> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, proxy, host_id));
        Ok(Tunnel { address, task })
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, proxy: Arc<Proxy>, host_id: Uuid) {
    // Its tasks end with it, and it with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((local, _)) if connections.len() < MAX_CONNECTIONS => {
                    connections.spawn(carry(local, proxy.clone(), host_id));
                }
                Ok(_) => {} // One too many: closed at once.
                // Too many open files, most likely. There's nothing to wait for, but it may pass.
                Err(_) => sleep(Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection. Whatever goes wrong closes it, and the driver then opens another.
async fn carry(local: TcpStream, proxy: Arc<Proxy>, host_id: Uuid) {
    let Ok(remote) = proxy.connect(host_id).await else {
        return;
    };
    if local.set_nodelay(true).is_err() {
        return;
    }
    let (mut from_driver, mut to_driver) = local.into_split();
    let (mut from_node, mut to_node) = tokio::io::split(remote);
    let up = async {
        let _ = tokio::io::copy(&mut from_driver, &mut to_node).await;
        let _ = to_node.shutdown().await;
    };
    let down = async {
        let _ = tokio::io::copy(&mut from_node, &mut to_driver).await;
        let _ = to_driver.shutdown().await;
    };
    tokio::pin!(up, down);
    // The direction that goes on gets a moment for its last bytes, and no more.
    let _ = tokio::select! {
        () = &mut up => timeout(HALF_CLOSED_LIMIT, down).await,
        () = &mut down => timeout(HALF_CLOSED_LIMIT, up).await,
    };
}

// ---- What went wrong -----------------------------------------------------------------------------

/// Sorts a failed connection: a foreign server, a certificate it refuses, or no connection at all.
fn failure(at: String, error: impl Error + 'static) -> SecureConnectError {
    match tls_error(&error).cloned() {
        Some(cause @ rustls::Error::InvalidCertificate(_)) => {
            SecureConnectError::ForeignServer { at, cause }
        }
        Some(cause @ rustls::Error::AlertReceived(_)) => {
            SecureConnectError::CertificateRefused { at, cause }
        }
        _ => SecureConnectError::Unreachable {
            at,
            cause: deepest(&error),
        },
    }
}

/// The TLS error inside another error, however deep. An `io::Error` hides the one it was made of.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let hidden = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match hidden {
        Some(hidden) => tls_error(hidden),
        None => tls_error(error.source()?),
    }
}

/// The first cause: "connection refused" says more than "error sending request".
fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
