//! The zip that a client downloads: the address of the metadata service, the trusted authority, and the client
//! certificate. It contains all files of a real bundle, by their fixed names and without a folder.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use aws_lc_rs::rand;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Bundles;
use crate::certificates::{CertificateError, Identity};

/// Failure to create a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("there is no active database {0}")]
    UnknownDatabase(Uuid),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("cannot make a key store: {0}")]
    KeyStore(#[from] p12_keystore::error::Error),
    #[error("cannot make the zip: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("cannot write the zip: {0}")]
    Io(#[from] std::io::Error),
    #[error("no random bytes from the system")]
    Random,
}

impl Bundles {
    /// Returns the bundle of a database as the bytes of a zip file. The first call generates an RSA key, so call it
    /// from blocking code.
    ///
    /// # Errors
    /// The database is not in the catalog, or its certificate cannot be read or created.
    pub fn secure_connect(&self, database: Uuid) -> Result<Vec<u8>, BundleError> {
        let (keyspace, local_datacenter) = {
            let catalog = self.catalog.borrow();
            let known = catalog.databases.get(&database);
            let known = known.ok_or(BundleError::UnknownDatabase(database))?;
            (known.keyspace.clone(), catalog.local_datacenter.clone())
        };
        let client = self.authority.client(database)?;
        let passwords = [password()?, password()?, password()?];
        let [key_store_password, trust_store_password, pfx_password] = &passwords;
        let config = json!({
            "host": Bundles::HOST,
            "port": self.ports.metadata,
            "cql_port": self.ports.proxy,
            "keyspace": keyspace,
            "localDC": local_datacenter,
            "caCertLocation": "./ca.crt",
            "keyLocation": "./key",
            "certLocation": "./cert",
            "keyStoreLocation": "./identity.jks",
            "keyStorePassword": key_store_password,
            "trustStoreLocation": "./trustStore.jks",
            "trustStorePassword": trust_store_password,
            "csvLocation": "./data",
            "pfxCertPassword": pfx_password,
        });
        let cqlshrc = format!(
            "[connection]\nhostname = {host}\nport = {port}\nssl = true\n\n\
             [ssl]\nvalidate = true\ncertfile = ./ca.crt\nuserkey = ./key\nusercert = ./cert\n",
            host = Bundles::HOST,
            port = self.ports.proxy,
        );
        zip([
            ("ca.crt", self.authority.pem().as_bytes()),
            ("cert", client.certificate_pem.as_bytes()),
            ("key", client.key_pem.expose_secret().as_bytes()),
            ("config.json", format!("{config:#}").as_bytes()),
            ("cqlshrc", cqlshrc.as_bytes()),
            ("cert.pfx", &identity_store(&client, pfx_password)?),
            (
                "identity.jks",
                &identity_store(&client, key_store_password)?,
            ),
            ("trustStore.jks", &self.trust_store(trust_store_password)?),
        ])
    }

    /// Writes the bundle of a database to `file`, readable by its owner only. Concurrent readers see the old or the new
    /// bundle.
    ///
    /// # Errors
    /// As [`Bundles::secure_connect`], or the file cannot be written.
    pub fn write(&self, database: Uuid, file: &Path) -> Result<(), BundleError> {
        let bytes = self.secure_connect(database)?;
        let beside = file.with_extension("new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&beside)?.write_all(&bytes)?;
        Ok(fs::rename(&beside, file)?)
    }

    /// Returns the authority as a Java trust store.
    fn trust_store(&self, password: &str) -> Result<Vec<u8>, BundleError> {
        let authority = Certificate::from_der(self.authority.certificate())?;
        let mut store = KeyStore::new();
        store.add_entry("ca", KeyStoreEntry::Certificate(authority));
        Ok(store.writer(password).write()?)
    }
}

/// Returns key and certificates as PKCS#12, which Java also opens as JKS.
fn identity_store(client: &Identity, password: &str) -> Result<Vec<u8>, BundleError> {
    let certificates: Result<Vec<_>, _> = client
        .chain
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect();
    let key = PrivateKey::from_der(client.key().secret_der())?;
    let chain = PrivateKeyChain::new("1", key, certificates?);
    let mut store = KeyStore::new();
    store.add_entry("cert", KeyStoreEntry::PrivateKeyChain(chain));
    Ok(store.writer(password).write()?)
}

fn zip<const N: usize>(files: [(&str, &[u8]); N]) -> Result<Vec<u8>, BundleError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, SimpleFileOptions::default().unix_permissions(0o600))?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn password() -> Result<String, BundleError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| BundleError::Random)?;
    Ok(Uuid::from_bytes(bytes).simple().to_string())
}
