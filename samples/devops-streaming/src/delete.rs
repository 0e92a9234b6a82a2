//! Deletes the tenant, and waits with a limit.

use std::io::{Write, stderr, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Client;

use crate::http::send;
use crate::{Tenant, find};

/// Searches by name, because the response to the create can be lost.
pub async fn delete_tenant(http: &Client, url: &str, name: &str, may_appear: bool) -> Result<()> {
    let tenant = format!("{url}/tenants/{name}");
    let (start, mut is_deleted) = (Instant::now(), false);
    let gone = wait_until("the tenant", 300, 45, async || {
        let Some(Tenant { cluster, .. }) = find(http, url, name).await? else {
            return Ok(is_deleted || !may_appear || start.elapsed().as_secs() >= 10);
        };
        if !is_deleted {
            send(http.delete(format!("{tenant}/clusters/{cluster}"))).await?;
            _ = writeln!(stdout(), "7. Deleted tenant {name}");
            is_deleted = true;
        }
        Ok(false)
    });
    let how = format!("DELETE {tenant}/clusters/<its cluster> removes it");
    let left = format!("tenant {name} may be left behind; {how}");
    let seconds = gone.await.context(left)?;
    if is_deleted {
        _ = writeln!(stdout(), "8. Gone after {seconds} s");
    }
    Ok(())
}

/// Checks a condition every five seconds. An error is final unless a check succeeded in the last `patience` seconds.
pub async fn wait_until(
    what: &str,
    limit: u64,
    patience: u64,
    mut check: impl AsyncFnMut() -> Result<bool>,
) -> Result<u64> {
    let (start, mut responded) = (Instant::now(), 0);
    loop {
        let checked = check().await;
        let passed = start.elapsed().as_secs();
        match checked {
            Ok(true) => return Ok(passed),
            Ok(false) => {
                _ = writeln!(stderr(), "Waiting for {what}, {passed} s of {limit}");
                responded = passed;
            }
            Err(error) if passed >= responded + patience => return Err(error),
            Err(error) => _ = writeln!(stderr(), "{error:#}"),
        }
        ensure!(passed < limit, "gave up on {what} after {passed} s");
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}
