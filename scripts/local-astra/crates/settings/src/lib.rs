//! Settings of local Astra on this machine: folders, ports, tokens, and the settings it passes to samples.
//!
//! - [`Folders`]: paths of the jars, the data and the state
//! - [`layout`]: nodes and ports, chosen once per data folder
//! - [`token`]: `AstraCS:<client id>:<hash of the secret>`; [`streaming`]: the JWTs for Pulsar
//! - [`secrets`]: tokens and the superuser's password, readable by their owner only
//! - [`environment`]: the settings of the samples, as `env` prints them and `run` sets them

pub mod environment;
pub mod layout;
pub mod secrets;
pub mod streaming;
pub mod token;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The organization, database and keyspaces of a first start. The fixed ids are recognizable at a glance.
pub const ORGANIZATION_ID: &str = "10ca1a57-7a00-4000-8000-00000000000a";
pub const ORGANIZATION_NAME: &str = "Local Astra";
pub const USER_ID: &str = "10ca1a57-7a00-4000-8000-00000000000b";
pub const USER_EMAIL: &str = "you@localhost";
pub const DATABASE_ID: &str = "10ca1a57-7a00-4000-8000-000000000001";
pub const DATABASE_NAME: &str = "local";
pub const DATABASE_CLOUD: &str = "GCP";
pub const DATABASE_REGION: &str = "us-east1";
pub const KEYSPACE: &str = "samples";
pub const GRAPHQL_FIRST_KEYSPACE: &str = "samples_graphql_first";

/// The streaming tenant of a first start, its namespace, and its cloud and region on Astra.
pub const TENANT: &str = "rust-samples";
pub const TENANT_NAMESPACE: &str = "default";
pub const TENANT_CLOUD: &str = "aws";
pub const TENANT_REGION: &str = "useast1";
/// Pulsar's cluster, named as on Astra after that cloud and region.
pub const CLUSTER: &str = "pulsar-aws-useast1";

/// Folders of local Astra.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Jars and class archives. Can be deleted at any time, at the cost of a download.
    pub cache: PathBuf,
    /// The state of this local Astra: databases, tokens, certificates, ports.
    pub data: PathBuf,
}

impl Folders {
    /// Returns the user's own folders, with `data` as the data folder if given.
    ///
    /// # Errors
    /// The user has no home folder, or a folder cannot be created.
    pub fn new(data: Option<&Path>) -> Result<Folders> {
        let Some(user) = directories::ProjectDirs::from("", "", "local-astra") else {
            bail!("no home folder: set HOME");
        };
        let data = match data {
            Some(data) => std::path::absolute(data)?,
            None => user.data_local_dir().to_owned(),
        };
        let folders = Folders {
            cache: user.cache_dir().to_owned(),
            data,
        };
        for folder in [
            &folders.cache,
            &folders.data,
            &folders.state(),
            &folders.logs(),
        ] {
            make_private(folder)?;
        }
        Ok(folders)
    }

    /// State of the running process: locks and process ids.
    pub fn state(&self) -> PathBuf {
        self.data.join("run")
    }

    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// Output of the background process since its start.
    pub fn background_log(&self) -> PathBuf {
        self.logs().join("local-astra.log")
    }

    /// Cassandra's data and configuration.
    pub fn cassandra(&self) -> PathBuf {
        self.data.join("cassandra")
    }

    /// Output of Cassandra's node `node` (from 1) since its start.
    pub fn cassandra_log(&self, node: u8) -> PathBuf {
        self.cassandra().join(format!("node{node}/cassandra.log"))
    }

    /// Pulsar's data and configuration.
    pub fn pulsar(&self) -> PathBuf {
        self.data.join("pulsar")
    }

    /// Output of Pulsar since its start.
    pub fn pulsar_log(&self) -> PathBuf {
        self.pulsar().join("pulsar.log")
    }

    /// The keys of streaming tokens.
    pub fn streaming(&self) -> PathBuf {
        self.data.join("streaming")
    }

    pub fn certificates(&self) -> PathBuf {
        self.data.join("certificates")
    }

    /// The certificate that Cassandra's nodes present to each other, and the authority that signed it.
    pub fn node_certificates(&self) -> PathBuf {
        self.certificates().join("nodes")
    }

    /// The secure connect bundle of the first database.
    pub fn bundle(&self) -> PathBuf {
        self.data
            .join(format!("secure-connect-{DATABASE_NAME}.zip"))
    }

    /// The certificate authority that samples have to trust.
    pub fn authority(&self) -> PathBuf {
        self.certificates().join("ca.pem")
    }
}

/// Creates a folder that only its owner can enter.
fn make_private(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .with_context(|| format!("cannot restrict {} to its owner", folder.display()))?;
    }
    Ok(())
}

/// Reads a JSON file; `None` if it does not exist.
///
/// # Errors
/// It cannot be read or has the wrong form. The error names the file.
pub fn read_json<T: DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let value = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is damaged; `cargo local reset` creates a new one and deletes all data",
            file.display()
        )
    })?;
    Ok(Some(value))
}

/// Writes a JSON file atomically, readable by its owner only.
///
/// # Errors
/// It cannot be written. The error names the file.
pub fn write_json(file: &Path, value: &impl Serialize) -> Result<()> {
    let new = write_beside(file, value)?;
    fs::rename(&new, file).map_err(|error| cannot_write(file, error))
}

/// Creates a JSON file, readable by its owner only. Returns false if another process has just created it.
///
/// # Errors
/// It cannot be written. The error names the file.
pub fn write_first_json(file: &Path, value: &impl Serialize) -> Result<bool> {
    let new = write_beside(file, value)?;
    let linked = fs::hard_link(&new, file);
    fs::remove_file(&new).map_err(|error| cannot_write(file, error))?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        other => other
            .map(|()| true)
            .map_err(|error| cannot_write(file, error)),
    }
}

fn cannot_write(file: &Path, error: std::io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot write {}", file.display()))
}

/// Writes the whole content to a temporary file that only this process uses.
fn write_beside(file: &Path, value: &impl Serialize) -> Result<PathBuf> {
    let whole = |error| cannot_write(file, error);
    let new = file.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut out = options.open(&new).map_err(whole)?;
    out.write_all(serde_json::to_string_pretty(value)?.as_bytes())
        .map_err(whole)?;
    out.sync_all().map_err(whole)?;
    Ok(new)
}
