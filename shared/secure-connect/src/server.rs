//! Connections over mutual TLS to the two servers in front of a database.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, SignatureScheme};

use crate::Error;
use crate::bundle::{Bundle, provider};

/// The time limit for a connection: resolving the name, TCP and the TLS handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A metadata service or an SNI proxy.
pub(crate) struct Server {
    kind: &'static str,
    pub host: String,
    pub port: u16,
    tls: TlsConnector,
}

impl Server {
    /// A server whose certificate must be issued by the bundle's authority for `host`.
    pub fn new(
        kind: &'static str,
        host: &str,
        port: u16,
        bundle: &Bundle,
    ) -> Result<Server, String> {
        let name = ServerName::try_from(host.to_owned())
            .ok()
            .filter(|_| port != 0)
            .ok_or_else(|| format!("host or port of {kind} is impossible"))?;
        let chain = WebPkiServerVerifier::builder_with_provider(bundle.roots.clone(), provider())
            .build()
            .map_err(|error| format!("`ca.crt`: {error}"))?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous() // `HostVerifier` makes the usual checks, but of another name than the one that is sent
            .with_custom_certificate_verifier(Arc::new(HostVerifier { chain, name }))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(bundle.identity.clone())));
        let (host, tls) = (host.to_owned(), TlsConnector::from(Arc::new(config)));
        Ok(Server {
            kind,
            host,
            port,
            tls,
        })
    }

    /// Opens a connection for the server name `name` (SNI). The host is resolved each time, because its address may
    /// change.
    pub async fn connect(&self, name: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let connecting = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            self.tls.connect(name, tcp).await
        };
        let late = |_| Err(io::ErrorKind::TimedOut.into());
        timeout(CONNECT_LIMIT, connecting)
            .await
            .unwrap_or_else(late)
    }

    pub fn failure(&self, error: &(dyn StdError + 'static)) -> Error {
        Error::connection(
            format!("{} at {}:{}", self.kind, self.host, self.port),
            error,
        )
    }
}

/// The host that is sent to the SNI proxy is a node's id. As in DataStax's drivers for Java and Node.js, the
/// certificate must be issued by the bundle's authority **and** be valid for the proxy's own host.
#[derive(Debug)]
struct HostVerifier {
    chain: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for HostVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _sent: &ServerName<'_>,
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
