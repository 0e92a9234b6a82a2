use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::*;
use access::Rights;
use settings::token::{Credentials, Token};
use store::frame;
use store::frame::Frame;

const LIMIT: Duration = Duration::from_secs(10);

/// Accepts any server certificate. These tests check the services; `cql-sample` checks certificates.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::ECDSA_NISTP256_SHA256,
        ]
    }
}

/// Both services, and a node that accepts every login and then echoes what it receives.
struct Services {
    bundles: Bundles,
    authority: Arc<Authority>,
    catalog: watch::Sender<Catalog>,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
    node: JoinHandle<()>,
    _folder: TempDir,
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn node(mut tcp: TcpStream) {
    while let Ok(Some(frame)) = Frame::read(&mut tcp).await {
        let opcode = match frame.opcode {
            frame::AUTH_RESPONSE => frame::AUTH_SUCCESS,
            _ => 0x03, // AUTHENTICATE
        };
        let answer = Frame {
            version: 0x84,
            opcode,
            body: Vec::new(),
            ..frame
        };
        answer.write(&mut tcp).await.unwrap();
        if opcode == frame::AUTH_SUCCESS {
            let (mut from, mut to) = tcp.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
            let _ = to.shutdown().await;
            return;
        }
    }
}

impl Services {
    async fn start() -> Services {
        let folder = tempfile::tempdir().unwrap();
        let (nodes, address) = listener().await;
        let node = tokio::spawn(async move {
            while let Ok((tcp, _)) = nodes.accept().await {
                tokio::spawn(node(tcp));
            }
        });
        let (metadata, proxy) = (listener().await, listener().await);
        let authority = authority(folder.path());
        let (catalog, receiver) = watch::channel(catalog(&[(NODE, address)]));
        let ports = [metadata.1.port(), proxy.1.port()];
        let bundles = bundles(&authority, receiver, ports);
        let (stop, stopped) = watch::channel(false);
        let (a, b, stopped_too) = (bundles.clone(), bundles.clone(), stopped.clone());
        let serving = vec![
            tokio::spawn(async move { a.serve_metadata(metadata.0, stopped).await }),
            tokio::spawn(async move { b.serve_proxy(proxy.0, stopped_too).await }),
        ];
        Services {
            bundles,
            authority,
            catalog,
            stop,
            serving,
            node,
            _folder: folder,
        }
    }

    async fn connect(&self, port: u16, server_name: &str) -> TlsStream<TcpStream> {
        let client = self.authority.client(DATABASE).unwrap();
        let config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer))
            .with_client_auth_cert(client.chain.clone(), client.key().clone_key())
            .unwrap();
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name = ServerName::try_from(server_name.to_owned()).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, tcp).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let mut stream = self.connect(self.bundles.ports.metadata, "localhost").await;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Opens a connection to a node and logs in.
    async fn log_in(&self, server_name: &str, token: &Token) -> TlsStream<TcpStream> {
        let mut stream = self.connect(self.bundles.ports.proxy, server_name).await;
        let plain = format!("\0token\0{}", token.text().expose_secret());
        let length = i32::try_from(plain.len()).unwrap().to_be_bytes();
        let login = Frame {
            version: frame::VERSION_4,
            flags: 0,
            stream: [0, 1],
            opcode: frame::AUTH_RESPONSE,
            body: [&length, plain.as_bytes()].concat(),
        };
        login.write(&mut stream).await.unwrap();
        let answer = Frame::read(&mut stream).await.unwrap().unwrap();
        assert_eq!(answer.opcode, frame::AUTH_SUCCESS);
        stream
    }

    async fn nobody_answers(&self, server_name: &str) {
        let mut stream = self.connect(self.bundles.ports.proxy, server_name).await;
        let _ = stream.write_all(&[4, 0, 0, 0, 5, 0, 0, 0, 0]).await;
        ends(&mut stream).await;
    }
}

async fn ends(stream: &mut TlsStream<TcpStream>) {
    let read = timeout(LIMIT, stream.read(&mut [0; 64]))
        .await
        .expect("the connection stays open");
    assert!(!matches!(read, Ok(1..)), "something came: {read:?}");
}

async fn echoes(stream: &mut TlsStream<TcpStream>) {
    stream.write_all(b"still there").await.unwrap();
    let mut back = [0; 11];
    timeout(LIMIT, stream.read_exact(&mut back))
        .await
        .expect("no echo")
        .unwrap();
    assert_eq!(&back, b"still there");
}

fn token() -> Token {
    let made = Credentials::generate().unwrap();
    Token::of(&made.client_id, &made.secret).unwrap()
}

#[tokio::test]
async fn metadata_tells_of_the_certificates_database() {
    let services = Services::start().await;
    let wanted = json!({"version": 1, "region": "us-east1", "contact_info": {
        "type": "sni_proxy", "local_dc": "us-east1", "contact_points": [NODE],
        "sni_proxy_address": format!("localhost:{}", services.bundles.ports.proxy),
    }});
    assert_eq!(services.get("/metadata").await, (200, wanted.clone()));
    assert_eq!(services.get("/metadata?version=1").await, (200, wanted));
    assert_eq!(services.get("/other").await.0, 404);

    services
        .catalog
        .send_modify(|catalog| catalog.databases.clear());
    let (status, body) = services.get("/metadata").await;
    assert_eq!(status, 401);
    assert!(body["message"].is_string(), "{body}");
    services.nobody_answers(&NODE.to_string()).await;
}

#[tokio::test]
async fn a_host_id_leads_to_its_node_and_no_other_name_does() {
    let services = Services::start().await;
    let token = token();
    for name in [&*NODE.to_string(), Bundles::HOST, "127.0.0.1"] {
        let mut stream = services.log_in(name, &token).await;
        echoes(&mut stream).await;
    }
    for name in [&*Uuid::from_u128(7).to_string(), "node.example"] {
        services.nobody_answers(name).await;
    }
    services.node.abort();
    services.catalog.send_modify(|catalog| {
        // Port 1 is closed.
        catalog.nodes.insert(NODE, ([127, 0, 0, 1], 1).into());
    });
    services.nobody_answers(&NODE.to_string()).await;
}

#[tokio::test]
async fn bytes_go_both_ways_and_an_end_goes_through() {
    let services = Services::start().await;
    let stream = services.log_in(&NODE.to_string(), &token()).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (mut from, mut to) = tokio::io::split(stream);
    let mut back = Vec::new();
    let write = async {
        to.write_all(&bytes).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let both = async { tokio::join!(write, from.read_to_end(&mut back)) };
    timeout(LIMIT, both)
        .await
        .expect("the end did not go through")
        .1
        .unwrap();
    assert!(back == bytes);
}

#[tokio::test]
async fn what_is_revoked_is_closed_and_nothing_else() {
    let services = Services::start().await;
    let (revoked, other) = (token(), token());
    let node = NODE.to_string();
    let mut closed = services.log_in(&node, &revoked).await;
    let mut open = services.log_in(&node, &other).await;
    services.bundles.close_role(revoked.client_id());
    ends(&mut closed).await;
    services.bundles.close_database(Uuid::nil());
    let allowed = Rights::GrantsOnly;
    services.bundles.change_role(other.client_id(), allowed);
    echoes(&mut open).await;
    let nothing = Rights::ByPolicy(Vec::new());
    let mut changed = services.log_in(&node, &revoked).await;
    services.bundles.change_role(revoked.client_id(), nothing);
    ends(&mut changed).await;
    echoes(&mut open).await;
    services.bundles.close_database(DATABASE);
    ends(&mut open).await;
    // More revocations than a tunnel remembers: the relevant one must not be missed.
    let mut again = services.log_in(&node, &revoked).await;
    services.bundles.close_role(revoked.client_id());
    for _ in 0..200 {
        services.bundles.close_role("somebody else");
    }
    ends(&mut again).await;
}

#[tokio::test]
async fn a_shutdown_ends_both_services_and_their_connections() {
    let services = Services::start().await;
    let mut open = services.log_in(&NODE.to_string(), &token()).await;
    services.stop.send_replace(true);
    ends(&mut open).await;
    for serving in services.serving {
        timeout(LIMIT, serving).await.expect("it goes on").unwrap();
    }
    let port = services.bundles.ports.proxy;
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}
