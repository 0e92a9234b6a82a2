//! The key stores of a bundle, which only drivers for Java and .NET read. A Java program creates them in about a second.
//! They are kept beside the client certificate that they contain, readable by their owner only.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engines::EngineError;
use engines::java::{self, Search};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::BundleError;
use crate::certificates::{self, Authority, Identity};

const PROGRAM: &str = include_str!("../java/KeyStores.java");

/// The key stores of a database's bundle, in PKCS#12, which Java also opens as JKS.
#[derive(Deserialize, Serialize)]
pub struct KeyStores {
    /// The certificates of the client, PEM.
    certificates: String,
    pub identity: KeyStore,
    pub trust: KeyStore,
    pub pfx: KeyStore,
}

/// A key store with its password.
#[derive(Deserialize, Serialize)]
pub struct KeyStore {
    pub password: String,
    pub bytes: Vec<u8>,
}

/// Returns the client certificate of a database with its key stores. Creates what does not exist.
///
/// # Errors
/// A file cannot be read or written, or no JDK is found, or its program fails.
pub async fn open(
    authority: Arc<Authority>,
    database: Uuid,
) -> Result<(Identity, KeyStores), BundleError> {
    let issuer = Arc::clone(&authority);
    // It may generate a key, which takes a moment.
    let client = tokio::task::spawn_blocking(move || issuer.client(database));
    let client = client.await.map_err(io::Error::from)??;
    let file = client.certificate_file.with_extension("stores.json");
    let kept: Option<KeyStores> = match tokio::fs::read(&file).await {
        // An invalid file is replaced.
        Ok(text) => serde_json::from_slice(&text).ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(EngineError::file("read", file)(error).into()),
    };
    if let Some(stores) = kept.filter(|kept| kept.certificates == client.certificate_pem) {
        return Ok((client, stores));
    }
    let stores = create(&authority, &client).await?;
    let text = serde_json::to_string(&stores).map_err(io::Error::from)?;
    certificates::write(&file, text.as_bytes())?;
    Ok((client, stores))
}

/// Runs the Java program. Key and passwords are its standard input, and the key stores its output.
async fn create(authority: &Authority, client: &Identity) -> Result<KeyStores, BundleError> {
    let jdk = java::find(&Search::here()).await?;
    let program = client.certificate_file.with_file_name("KeyStores.java");
    tokio::fs::write(&program, PROGRAM)
        .await
        .map_err(EngineError::file("write", &program))?;
    let mut command = jdk.command();
    command
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .arg(&program);
    let passwords = [password()?, password()?, password()?];
    let mut input = passwords.join("\n");
    let authority: &[u8] = authority.certificate();
    let chain = client.chain.iter().map(|certificate| &certificate[..]);
    for der in [authority, client.key().secret_der()]
        .into_iter()
        .chain(chain)
    {
        input.push('\n');
        STANDARD.encode_string(der, &mut input);
    }
    let printed = java::run(command, input.as_bytes())
        .await
        .map_err(BundleError::KeyStores)?;
    let stores = passwords.into_iter().zip(printed.lines());
    let stores: Vec<_> = stores
        .filter_map(|(password, line)| {
            let bytes = STANDARD.decode(line).ok()?;
            Some(KeyStore { password, bytes })
        })
        .collect();
    let [identity, trust, pfx] = stores
        .try_into()
        .map_err(|_| BundleError::KeyStores("its output is not three key stores".to_owned()))?;
    Ok(KeyStores {
        certificates: client.certificate_pem.clone(),
        identity,
        trust,
        pfx,
    })
}

fn password() -> Result<String, BundleError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| BundleError::Random)?;
    Ok(Uuid::from_bytes(bytes).simple().to_string())
}
