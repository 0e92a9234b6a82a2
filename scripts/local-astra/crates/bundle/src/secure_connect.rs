//! The zip that a client downloads: the address of the metadata service, the trusted authority, and the client
//! certificate. It contains all files of a real bundle, by their fixed names and without a folder.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use engines::EngineError;
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Bundles, key_stores};
use crate::certificates::{self, CertificateError};

/// Failure to create a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("there is no active database {0}")]
    UnknownDatabase(Uuid),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("Java cannot create the key stores: {0}")]
    KeyStores(String),
    #[error("cannot make the zip: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("cannot make the bundle: {0}")]
    Io(#[from] std::io::Error),
    #[error("no random bytes from the system")]
    Random,
}

impl Bundles {
    /// Returns the bundle of a database as the bytes of a zip file. The first call creates its certificate and key
    /// stores, which takes about a second.
    ///
    /// # Errors
    /// The database is not in the catalog, or its certificate or key stores cannot be read or created.
    pub async fn secure_connect(&self, database: Uuid) -> Result<Vec<u8>, BundleError> {
        let (keyspace, local_datacenter) = {
            let catalog = self.catalog.borrow();
            let known = catalog.databases.get(&database);
            let known = known.ok_or(BundleError::UnknownDatabase(database))?;
            (known.keyspace.clone(), catalog.local_datacenter.clone())
        };
        let (client, stores) = {
            let _one_at_a_time = self.opening.lock().await;
            key_stores::open(Arc::clone(&self.authority), database).await?
        };
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
            "keyStorePassword": stores.identity.password,
            "trustStoreLocation": "./trustStore.jks",
            "trustStorePassword": stores.trust.password,
            "csvLocation": "./data",
            "pfxCertPassword": stores.pfx.password,
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
            ("cert.pfx", &stores.pfx.bytes),
            ("identity.jks", &stores.identity.bytes),
            ("trustStore.jks", &stores.trust.bytes),
        ])
    }

    /// Writes the bundle of a database to `file`, readable by its owner only. Concurrent readers see the old or the new
    /// bundle.
    ///
    /// # Errors
    /// As [`Bundles::secure_connect`], or the file cannot be written.
    pub async fn write(&self, database: Uuid, file: &Path) -> Result<(), BundleError> {
        let bytes = self.secure_connect(database).await?;
        Ok(certificates::write(file, &bytes)?)
    }
}

fn zip<const N: usize>(files: [(&str, &[u8]); N]) -> Result<Vec<u8>, BundleError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .unix_permissions(0o600);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
