//! Starts Pulsar with the keys of its tokens, and creates the first tenant.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::{READY_LIMIT, Settings};
use bundle::certificates::Authority;
use engines::java;
use engines::java::Search;
use engines::process::{Engine, wait_until};
use engines::pulsar::{Admin, AdminError, Files, Ports, Pulsar};
use engines::{first_start, jars, pulsar};
use settings::layout::Layout;
use settings::streaming::{SUPERUSER, StreamingKeys};
use settings::{Folders, TENANT, TENANT_NAMESPACE};

/// Limit for one probe.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// Returns the Pulsar of a data folder.
pub fn of(folders: &Folders, layout: &Layout) -> Pulsar {
    let ports = &layout.ports.pulsar;
    let certificates = folders.certificates();
    let tokens = folders.streaming();
    Pulsar {
        folder: folders.pulsar(),
        archives: folders.cache.join("archives"),
        ports: Ports {
            broker: ports.broker,
            broker_tls: ports.broker_tls,
            web: ports.web,
            bookie: ports.bookie,
        },
        files: Files {
            certificate: certificates.join("server.pem"),
            key: certificates.join("server.key"),
            authority: folders.authority(),
            token_key: StreamingKeys::public_key_file(&tokens),
            superuser_token: StreamingKeys::superuser_file(&tokens),
            superuser: SUPERUSER,
        },
    }
}

/// Returns a client for Pulsar's admin API with the superuser's token.
///
/// # Errors
/// The token cannot be read.
pub fn admin(folders: &Folders, pulsar: &Pulsar) -> Result<Admin> {
    let keys = StreamingKeys::open(&folders.streaming())?;
    Ok(Admin::new(pulsar.web_address(), keys.superuser()?)?)
}

/// Starts or adopts Pulsar, and creates the first tenant. Stops Pulsar again if it does not become ready.
pub(super) async fn start(
    settings: &Settings,
    authority: &Arc<Authority>,
    keys: &StreamingKeys,
) -> Result<(Engine, Admin)> {
    let (folders, layout) = (&settings.folders, &settings.layout);
    let pulsar = of(folders, layout);
    let jdk = java::find(&Search::here()).await?;
    let jars = jars::fetch(jars::PULSAR, &folders.cache, &jdk).await?;
    // Replaces its files if they expire soon.
    authority.server()?;
    let started = async {
        pulsar.begin()?;
        pulsar.mend(&jdk, &jars).await?;
        let engine = pulsar.start(&jdk, &jars)?;
        let admin = Admin::new(pulsar.web_address(), keys.superuser()?)?;
        wait_until(&engine, READY_LIMIT, async || {
            match tokio::time::timeout(PROBE_LIMIT, admin.ready()).await {
                Ok(ready) => ready,
                Err(_) => Err(AdminError::Away(format!(
                    "no answer within {} s",
                    PROBE_LIMIT.as_secs()
                ))),
            }
        })
        .await?;
        prepare(&admin, &settings.secrets.tenant_role).await?;
        first_start::complete(&pulsar.folder)?;
        Ok::<_, anyhow::Error>((engine, admin))
    };
    match started.await {
        Ok(started) => Ok(started),
        Err(error) => {
            // Return the first cause, which the reader needs.
            if let Err(second) = pulsar.stop().await {
                eprintln!("{second}");
            }
            Err(error)
        }
    }
}

/// Creates the first tenant and its namespace, if they do not exist.
async fn prepare(admin: &Admin, role: &str) -> Result<(), pulsar::AdminError> {
    if admin.tenant(TENANT).await?.is_none() {
        admin.create_tenant(TENANT, &[role.to_owned()]).await?;
    }
    match admin.create_namespace(TENANT, TENANT_NAMESPACE).await {
        Err(error) if error.status() == Some(409) => Ok(()),
        made => made,
    }
}
