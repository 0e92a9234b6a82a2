//! A stand-in for Astra: it creates bundles, and serves configured responses.

use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{Error, SecureConnect};

pub const NODE: Uuid = Uuid::from_u128(0x0000_0000_dead_4eef_8000_0000_0000_0001);

/// An authority that signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, PEM.
pub struct Signed {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let name = Uuid::new_v4().to_string();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Valid from yesterday to tomorrow, moved by some days.
    pub fn sign(&self, names: &[&str], days: i64) -> Signed {
        let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let now = OffsetDateTime::now_utc() + Duration::days(days);
        (params.not_before, params.not_after) = (now - Duration::DAY, now + Duration::DAY);
        let key = KeyPair::generate().unwrap();
        Signed {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// Mutual TLS with a certificate for these names.
    pub fn tls(&self, names: &[&str], clients: &Authority) -> TlsAcceptor {
        let signed = self.sign(names, 0);
        let mut roots = RootCertStore::empty();
        roots.add(clients.0.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
            .build()
            .unwrap();
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![pem(&signed.certificate)], key(&signed.key))
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn pem(text: &str) -> tokio_rustls::rustls::pki_types::CertificateDer<'static> {
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    PemObject::from_pem_slice(text.as_bytes()).unwrap()
}

fn key(text: &str) -> PrivateKeyDer<'static> {
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    PemObject::from_pem_slice(text.as_bytes()).unwrap()
}

/// The files of a bundle that are read, by name.
pub fn files(authority: &Authority, client: &Signed, port: u16) -> Vec<(&'static str, Vec<u8>)> {
    let config = serde_json::json!({"host": "localhost", "port": port, "keyspace": "books"});
    vec![
        ("config.json", config.to_string().into_bytes()),
        ("ca.crt", authority.pem().into_bytes()),
        ("cert", client.certificate.clone().into_bytes()),
        ("key", client.key.clone().into_bytes()),
        ("identity.jks", vec![0xFE, 0xED]),
    ]
}

pub fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A good bundle for a metadata service on `port`.
pub fn bundle(authority: &Authority, port: u16) -> Vec<u8> {
    zip(&files(authority, &authority.sign(&["client"], 0), port))
}

pub fn write(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.zip");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The error that opening this bundle returns.
pub async fn refusal(bytes: &[u8]) -> Error {
    SecureConnect::from_bytes(bytes).await.unwrap_err()
}

/// A server that ends when dropped.
pub struct Server {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts a server that passes each connection on after the handshake.
    pub async fn start<F>(
        tls: TlsAcceptor,
        handle: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static,
    ) -> Server
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                if let Ok(stream) = tls.accept(tcp).await {
                    connections.spawn(handle(stream));
                }
            }
        });
        Server { port, task }
    }

    /// Starts a metadata service that responds to every request with these bytes, and closes.
    pub async fn answering(tls: TlsAcceptor, answer: Vec<u8>) -> Server {
        Server::start(tls, move |mut stream| {
            let answer = answer.clone();
            async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }
}

pub fn http(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").into()
}

pub fn metadata(proxy_port: u16) -> String {
    serde_json::json!({"version": 1, "region": "us-east1", "contact_info": {
        "type": "sni_proxy", "local_dc": "dc1", "contact_points": [NODE],
        "sni_proxy_address": format!("localhost:{proxy_port}"),
    }})
    .to_string()
}

/// Bundle, metadata service and an SNI proxy that echoes.
pub struct Astra {
    pub bundle: Vec<u8>,
    /// The server names of the proxy's connections so far.
    pub names: Arc<Mutex<Vec<String>>>,
    pub open: Arc<Mutex<usize>>,
    pub proxy: Option<Server>,
    _metadata: Server,
}

impl Astra {
    pub async fn start() -> Astra {
        let authority = Authority::new();
        let names = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(Mutex::new(0));
        let (seen, count) = (names.clone(), open.clone());
        let tls = authority.tls(&["localhost"], &authority);
        let proxy = Server::start(tls.clone(), move |stream| {
            let name = stream
                .get_ref()
                .1
                .server_name()
                .unwrap_or("none")
                .to_owned();
            seen.lock().unwrap().push(name);
            let count = count.clone();
            async move {
                *count.lock().unwrap() += 1;
                let (mut from, mut to) = tokio::io::split(stream);
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
                *count.lock().unwrap() -= 1;
            }
        })
        .await;
        let answer = http("200 OK", &metadata(proxy.port));
        let service = Server::answering(tls, answer).await;
        Astra {
            bundle: bundle(&authority, service.port),
            names,
            open,
            proxy: Some(proxy),
            _metadata: service,
        }
    }

    pub async fn open(&self) -> SecureConnect {
        let (_folder, path) = write(&self.bundle);
        SecureConnect::open(path).await.unwrap()
    }
}

/// Waits until something holds, at most a minute.
pub async fn until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, waiting).await.expect("in time");
}

pub async fn refused(address: SocketAddr) -> bool {
    TcpStream::connect(address).await.is_err()
}
