//! With `--create-keyspace`: a keyspace comes and goes. Only the DevOps API makes keyspaces on Astra.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use reqwest::Client;
use tokio::{select, signal::ctrl_c};

use crate::Database;
use crate::cleanup;
use crate::request::{Refused, fetch, send};
use crate::wait::{Now, until};

const PAUSE: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(180);
/// Cleaning up after Ctrl-C has a limit of its own, a little longer.
const DELETE_LIMIT: Duration = Duration::from_secs(50);

/// Steps 5 to 7.
pub async fn create_and_delete(http: &Client, database: &str, name: &str) -> Result<()> {
    let keyspace = format!("{database}/keyspaces/{name}");
    let make = create(http, &keyspace, name);
    let story = async {
        let start = Instant::now();
        wait_until(http, database, name, true).await?;
        let passed = start.elapsed().as_secs();
        println!("6. ACTIVE again after {passed} s, and the keyspace is there");
        Ok(())
    };
    let undo = delete(http, &keyspace, name);
    let thing = format!("keyspace {name}, which DELETE {keyspace} removes");
    cleanup::around(make, story, undo, &thing).await?;
    select! {
        gone = wait_until(http, database, name, false) => gone,
        Ok(()) = ctrl_c() => bail!("Stopped by Ctrl-C. Keyspace {name} goes by itself."),
    }
}

async fn create(http: &Client, keyspace: &str, name: &str) -> Result<()> {
    send(http.post(keyspace)).await?;
    println!("5. Created keyspace {name}");
    Ok(())
}

/// The database is in MAINTENANCE meanwhile.
async fn wait_until(http: &Client, database: &str, name: &str, there: bool) -> Result<()> {
    let what = format!("keyspace {name} {}", if there { "comes" } else { "goes" });
    until(&what, PAUSE, LIMIT, async || {
        let now: Database = fetch(http.get(database)).await?;
        let keyspaces = now.info.keyspaces.unwrap_or_default();
        let as_wanted = keyspaces.iter().any(|keyspace| keyspace == name) == there;
        Ok(match now.status == "ACTIVE" && as_wanted {
            true => Now::Done(()),
            false => Now::NotYet(now.status),
        })
    })
    .await
}

/// Refused with 409 while the database is in MAINTENANCE: tried until it is not.
async fn delete(http: &Client, keyspace: &str, name: &str) -> Result<()> {
    until("deleting the keyspace", PAUSE, DELETE_LIMIT, async || {
        let Err(error) = send(http.delete(keyspace)).await else {
            return Ok(Now::Done(()));
        };
        let refused: Refused = error.downcast()?;
        match refused.status.as_u16() {
            404 => Ok(Now::Done(())), // It was never made.
            409 => Ok(Now::NotYet(refused.said)),
            _ => Err(refused.into()),
        }
    })
    .await?;
    println!("7. Deleted keyspace {name}");
    Ok(())
}
