//! The certificate authority of one data folder, and the certificates it signs: the gateway's, and one client
//! certificate per database.
//!
//! Everything is created once and kept in PEM files that only their owner can read. A certificate is replaced if it has
//! expired, expires soon, or was signed by another authority. These functions read and write files and generate RSA
//! keys (some 100 ms each), so call them from blocking code.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};
use secrecy::ExposeSecret;
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use uuid::Uuid;

/// Host names of the gateway, the metadata service and the SNI proxy.
pub const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Time before now from which a certificate is valid, for machines whose clock is behind.
const BACK: Duration = Duration::days(10);
const AUTHORITY_LIFE: Duration = Duration::days(3650);
/// Together with `BACK` below the maximum of 825 days of Apple's verifier.
const LEAF_LIFE: Duration = Duration::days(800);
/// Remaining validity below which a certificate is replaced.
const RENEWAL: Duration = Duration::days(60);

/// Failure to read or create a certificate. The message never contains a key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "{} is damaged ({what}); delete it to create a new authority, and new bundles",
        path.display()
    )]
    Damaged { path: PathBuf, what: String },
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the TLS library refuses our own certificate: {0}")]
    Tls(#[from] rustls::Error),
}

/// A certificate with its key: the paths, and both as PEM and DER.
pub struct Identity {
    /// File with the certificate, followed by the authority's.
    pub certificate_file: PathBuf,
    /// File with the private key, PKCS#8.
    pub key_file: PathBuf,
    pub certificate_pem: String,
    pub key_pem: secrecy::SecretString,
    pub chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// The private key in DER, PKCS#8.
    pub fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }
}

/// The authority of one data folder.
pub struct Authority {
    folder: PathBuf,
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    roots: Arc<RootCertStore>,
    /// Serializes the creation of certificates, so that concurrent requests for one return the same.
    making: Mutex<()>,
}

impl Authority {
    /// Opens the authority in `folder`, or creates one.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read or written, or the authority's files are damaged.
    pub fn open(folder: &Path) -> Result<Authority, CertificateError> {
        make_private_folder(folder).map_err(writing(folder))?;
        let (key, pem) = match Self::kept(folder)? {
            Some(kept) => kept,
            None => Self::make(folder, OffsetDateTime::now_utc())?,
        };
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| damaged(&folder.join("ca.pem"), error))?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        Ok(Authority {
            folder: folder.to_owned(),
            issuer: Issuer::from_ca_cert_der(&certificate, key)?,
            certificate,
            pem,
            roots: Arc::new(roots),
            making: Mutex::new(()),
        })
    }

    /// Returns the authority's certificate in PEM, for clients to trust (`SSL_CERT_FILE`, `ca.crt` of a bundle).
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the path of [`Authority::pem`].
    pub fn pem_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Returns the authority's certificate in DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Returns the certificate for all of [`HOSTS`]. Other servers (Pulsar) can use its files too.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn server(&self) -> Result<Identity, CertificateError> {
        let mut params = CertificateParams::new(HOSTS.map(str::to_owned))?;
        params.distinguished_name.push(DnType::CommonName, HOSTS[0]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.identity("server", params, |identity, at| {
            let verifier = WebPkiServerVerifier::builder(self.roots.clone())
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
            for host in HOSTS {
                let name = ServerName::try_from(host)
                    .map_err(|error| rustls::Error::General(error.to_string()))?;
                verifier.verify_server_cert(
                    &identity.chain[0],
                    &identity.chain[1..],
                    &name,
                    &[],
                    at,
                )?;
            }
            Ok(())
        })
    }

    /// Returns the client certificate of a database's bundle. Its common name is the database id.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn client(&self, database: Uuid) -> Result<Identity, CertificateError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, database.to_string());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.identity(&format!("client-{database}"), params, |identity, at| {
            if database_of(&identity.chain[0]) != Some(database) {
                return Err(rustls::Error::General("another database's".to_owned()));
            }
            let (leaf, rest) = (&identity.chain[0], &identity.chain[1..]);
            self.client_verifier()?.verify_client_cert(leaf, rest, at)?;
            Ok(())
        })
    }

    /// Writes the certificate that Cassandra's nodes present to each other, as client and as server, with its key to
    /// the file `with_key`. A separate authority signs it and nothing else, so that only nodes have one.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn node(&self, with_key: &Path) -> Result<(), CertificateError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "node");
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let node = self.identity("node", params, |identity, at| {
            let (leaf, rest) = (&identity.chain[0], &identity.chain[1..]);
            self.client_verifier()?.verify_client_cert(leaf, rest, at)?;
            Ok(())
        })?;
        let pem = format!("{}{}", node.key_pem.expose_secret(), node.certificate_pem);
        write(with_key, pem.as_bytes())
    }

    /// Returns the gateway's TLS configuration: http/1.1 and h2 by ALPN, no client certificate.
    pub fn gateway_tls(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let server = self.server()?;
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(server.chain, server.key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Returns the TLS configuration of the metadata service and the SNI proxy. Without a certificate of this authority
    /// the handshake fails. Sessions are not resumed, so each connection presents its certificate.
    pub fn mutual_tls(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let server = self.server()?;
        let mut config = ServerConfig::builder()
            .with_client_cert_verifier(self.client_verifier()?)
            .with_single_cert(server.chain, server.key)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn client_verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, rustls::Error> {
        WebPkiClientVerifier::builder(self.roots.clone())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))
    }

    /// Reads the stored authority. `None` if there is none or it expires before the certificates it would sign.
    fn kept(folder: &Path) -> Result<Option<(KeyPair, String)>, CertificateError> {
        let (key_file, pem_file) = (folder.join("ca.key"), folder.join("ca.pem"));
        let (Some(key), Some(pem)) = (read(&key_file)?, read(&pem_file)?) else {
            return Ok(None);
        };
        let key = KeyPair::from_pem(&key).map_err(|error| damaged(&key_file, error))?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| damaged(&pem_file, error))?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&der).map_err(|error| damaged(&pem_file, error))?;
        let now = OffsetDateTime::now_utc();
        let validity = parsed.validity();
        let lasts = validity.not_before.to_datetime() <= now
            && now + LEAF_LIFE <= validity.not_after.to_datetime();
        let fits = parsed.public_key().raw == key.subject_public_key_info();
        Ok((lasts && fits).then_some((key, pem)))
    }

    fn make(folder: &Path, now: OffsetDateTime) -> Result<(KeyPair, String), CertificateError> {
        let mut params = CertificateParams::new(Vec::new())?;
        // A unique name: with two authorities of the same name, a verifier might try the wrong key.
        let name = format!(
            "Local Astra CA {}",
            &Uuid::new_v4().simple().to_string()[..8]
        );
        params.distinguished_name.push(DnType::CommonName, name);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Local Astra");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = now - BACK;
        params.not_after = now + AUTHORITY_LIFE;
        let key = rsa_key()?;
        let pem = params.self_signed(&key)?.pem();
        write(&folder.join("ca.key"), key.serialize_pem().as_bytes())?;
        write(&folder.join("ca.pem"), pem.as_bytes())?;
        Ok((key, pem))
    }

    /// Returns the certificate stored under `name` if `check` accepts it now and until its renewal, or else a new one.
    fn identity(
        &self,
        name: &str,
        params: CertificateParams,
        check: impl Fn(&Identity, UnixTime) -> Result<(), rustls::Error>,
    ) -> Result<Identity, CertificateError> {
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let now = OffsetDateTime::now_utc();
        let fits = |identity: &Identity| {
            check(identity, unix(now)).is_ok() && check(identity, unix(now + RENEWAL)).is_ok()
        };
        if let Some(kept) = self.kept_identity(name)?.filter(fits) {
            return Ok(kept);
        }
        self.sign(name, params, now)
    }

    fn sign(
        &self,
        name: &str,
        mut params: CertificateParams,
        now: OffsetDateTime,
    ) -> Result<Identity, CertificateError> {
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Local Astra");
        params.not_before = now - BACK;
        params.not_after = now + LEAF_LIFE;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        let key = rsa_key()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let [certificate_file, key_file] = self.files(name);
        write(&key_file, key.serialize_pem().as_bytes())?;
        let chain = format!("{}{}", certificate.pem(), self.pem);
        write(&certificate_file, chain.as_bytes())?;
        self.kept_identity(name)?.ok_or_else(|| {
            damaged(
                &certificate_file,
                "it does not fit its key right after it was written",
            )
        })
    }

    /// Reads a stored certificate. `None` if it is missing, invalid as PEM, or does not match its key, and has to be
    /// replaced.
    fn kept_identity(&self, name: &str) -> Result<Option<Identity>, CertificateError> {
        let [certificate_file, key_file] = self.files(name);
        let (Some(certificate_pem), Some(key_pem)) = (read(&certificate_file)?, read(&key_file)?)
        else {
            return Ok(None);
        };
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(certificate_pem.as_bytes()).collect();
        let (Ok(chain), Ok(key)) = (chain, PrivateKeyDer::from_pem_slice(key_pem.as_bytes()))
        else {
            return Ok(None);
        };
        let provider = aws_lc_rs::default_provider();
        let pair = CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider);
        Ok(pair.is_ok().then(|| Identity {
            certificate_file,
            key_file,
            certificate_pem,
            key_pem: key_pem.into(),
            chain,
            key,
        }))
    }

    fn files(&self, name: &str) -> [PathBuf; 2] {
        [".pem", ".key"].map(|end| self.folder.join(format!("{name}{end}")))
    }
}

/// Returns the database that a client certificate belongs to.
pub fn database_of(certificate: &CertificateDer<'_>) -> Option<Uuid> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let name = parsed.subject().iter_common_name().next()?;
    name.as_str().ok()?.parse().ok()
}

fn rsa_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
}

fn unix(time: OffsetDateTime) -> UnixTime {
    let seconds = u64::try_from(time.unix_timestamp()).unwrap_or_default();
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

fn read(path: &Path) -> Result<Option<String>, CertificateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CertificateError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Writes a file that only its owner can read. An interrupted write keeps the old file, and concurrent readers see the
/// old or the new one.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CertificateError> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    written.map_err(writing(path))
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn writing(path: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    let path = path.to_owned();
    move |source| CertificateError::Write { path, source }
}

fn damaged(path: &Path, what: impl ToString) -> CertificateError {
    CertificateError::Damaged {
        path: path.to_owned(),
        what: what.to_string(),
    }
}

#[cfg(test)]
mod tests;
