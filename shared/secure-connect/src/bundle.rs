//! The zip file: the address of the metadata service, the trusted authority, and the client certificate.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, CertificateError, RootCertStore};
use zip::ZipArchive;

use crate::Error;

/// The size of the largest bundle, in bytes. Astra's have 12 to 13 kB.
const MAX_BUNDLE: u64 = 1024 * 1024;
/// The size of the largest file in a bundle, decompressed, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// The contents of a bundle, checked.
pub(crate) struct Bundle {
    /// Host of the metadata service.
    pub host: String,
    /// Port of the metadata service.
    pub port: u16,
    /// Issuers of the servers' certificates.
    pub roots: Arc<RootCertStore>,
    /// The client certificate and its key.
    pub identity: Arc<CertifiedKey>,
}

/// The host and port in `config.json`, which also contains the passwords of key stores.
#[derive(Deserialize)]
struct Config {
    host: String,
    port: u16,
}

impl Bundle {
    /// Reads the file at `path`, up to the maximum size of a bundle.
    pub async fn read(path: &Path) -> Result<Vec<u8>, Error> {
        let read = async {
            // A pipe or a device might never end.
            if !tokio::fs::metadata(path).await?.is_file() {
                return Err(io::Error::other("not a file"));
            }
            let mut bytes = Vec::new();
            let file = tokio::fs::File::open(path).await?;
            file.take(MAX_BUNDLE + 1).read_to_end(&mut bytes).await?;
            Ok(bytes)
        };
        read.await.map_err(|cause| Error::Unreadable {
            path: path.to_owned(),
            cause,
        })
    }

    /// Reads the bytes of a bundle, and checks that its certificate has not expired.
    pub fn parse(bytes: &[u8]) -> Result<Bundle, Error> {
        let bundle = Bundle::unpack(bytes).map_err(Error::Invalid)?;
        bundle.check_validity()?;
        Ok(bundle)
    }

    /// Reads the files, which have fixed names and are in no folder. The others in the zip are for Java and C#.
    fn unpack(bytes: &[u8]) -> Result<Bundle, String> {
        if bytes.len() as u64 > MAX_BUNDLE {
            return Err(format!("it has more than {MAX_BUNDLE} bytes"));
        }
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| format!("it is not a complete zip file ({error})"))?;

        let config = read_file(&mut zip, "config.json")?;
        let Config { host, port } = serde_json::from_slice(&config).map_err(|error| {
            let (line, column) = (error.line(), error.column()); // its text can have a password
            format!("`config.json` has no host and port, line {line}, column {column}")
        })?;

        let mut roots = RootCertStore::empty();
        for certificate in certificates(&mut zip, "ca.crt")? {
            let added = roots.add(certificate);
            added.map_err(|error| format!("`ca.crt`: {error}"))?;
        }
        let chain = certificates(&mut zip, "cert")?;
        let key = PrivateKeyDer::from_pem_slice(&read_file(&mut zip, "key")?)
            .map_err(|_| "`key` is not a private key in PEM format")?; // its text can have the key
        let identity = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|error| format!("`key` and `cert` do not fit: {error}"))?;
        let (roots, identity) = (roots.into(), identity.into());
        Ok(Bundle {
            host,
            port,
            roots,
            identity,
        })
    }

    /// Checks the dates of the certificate, because a server would only close the connection.
    fn check_validity(&self) -> Result<(), Error> {
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider())
            .build()
            .map_err(|error| Error::Invalid(format!("`ca.crt`: {error}")))?;
        let chain = &self.identity.cert;
        match verifier.verify_client_cert(&chain[0], &chain[1..], UnixTime::now()) {
            Err(rustls::Error::InvalidCertificate(
                error @ (CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }),
            )) => Err(Error::Expired(error.to_string())),
            _ => Ok(()),
        }
    }
}

/// Returns a decompressed file of the zip, up to the maximum size, regardless of the size in the zip.
fn read_file(zip: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = zip.by_name(name).map_err(io::Error::other);
    let read = file.and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    match read {
        Ok(length) if length as u64 <= MAX_FILE => Ok(bytes),
        Ok(_) => Err(format!("`{name}` has more than {MAX_FILE} bytes")),
        Err(error) => Err(format!("`{name}`: {error}")),
    }
}

/// Returns the certificates of a PEM file, at least one.
fn certificates(
    zip: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read_file(zip, name)?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("`{name}` is not a certificate in PEM format")),
    }
}

/// Returns the provider explicitly, so that this crate also works in a program with two providers.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
