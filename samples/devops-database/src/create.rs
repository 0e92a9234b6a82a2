//! Creates a keyspace or a database, waits for it, and removes it, also after an error or a signal.
//! It writes with `writeln!` and ignores errors, because `println!` panics when the output is closed.

use std::io::{Write, stderr, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::RequestBuilder;
use shared::StopSignal;

use crate::http::send;

/// `find` returns a status and the request for the removal. It searches by name: the response to `create` can be lost.
pub async fn create_and_remove(
    [created, active, gone]: [&str; 3],
    (what, how): (&str, &str),
    create: RequestBuilder,
    find: impl AsyncFn() -> Result<Option<(String, RequestBuilder)>>,
    stop: &mut StopSignal,
) -> Result<()> {
    // A signal has to wait for the response: only what exists can be removed.
    let response = send(create).await;
    // After a rejection (4xx) there is nothing to remove; in all other cases it may be listed later.
    let mut may_appear = !matches!(&response, Err(error) if error.to_string().starts_with('4'));
    let failed = format!("cannot create {what}; if it exists, {how} removes it");
    let story = async {
        response.context(failed)?;
        _ = writeln!(stdout(), "{created} {what}");
        let seconds = wait_until(what, 900, 0, async || {
            let status = find().await?.map_or("missing".into(), |(status, _)| status);
            ensure!(status != "ERROR", "{what} is in ERROR");
            Ok(status == "ACTIVE")
        });
        _ = writeln!(stdout(), "{active} after {} s", seconds.await?);
        Ok(())
    };
    let story = tokio::select! {
        biased; // an error of the create comes first
        story = story => story,
        stopped = &mut *stop => Err(stopped.into()),
    };

    let start = Instant::now();
    let removal = wait_until(what, 900, 45, async || {
        let Some((status, removal)) = find().await? else {
            return Ok(!may_appear || start.elapsed().as_secs() >= 10);
        };
        may_appear = false;
        // In other states the server rejects the removal with 409.
        if status == "ACTIVE" || status == "ERROR" {
            send(removal).await?;
            _ = writeln!(stdout(), "{gone} {what}");
        }
        Ok(status == "TERMINATED")
    });
    let left = format!("{what} may be left behind; {how} removes it");
    let removed = removal.await.context(left);
    if let (Err(_), Err(error)) = (&story, &removed) {
        _ = writeln!(stderr(), "{error:#}");
    }
    story.and(removed)?;
    Ok(stop.check()?) // a signal during the clean-up
}

/// Checks a condition every five seconds. An error is final unless a check succeeded in the last `patience` seconds.
async fn wait_until(
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
