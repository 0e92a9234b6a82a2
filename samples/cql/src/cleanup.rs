//! Undoes what a run has made, however the run ends.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::{select, signal::ctrl_c, time::timeout};

use crate::connect::may_be_done;

/// How long undoing may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `make` and `story`, to the first error or Ctrl-C, and then `undo`, unless `make` was refused. If `undo`
/// fails, the error names the `thing` that may be left behind.
pub async fn around(
    make: impl Future<Output = Result<()>>,
    story: impl Future<Output = Result<()>>,
    undo: impl Future<Output = Result<()>>,
    thing: &str,
) -> Result<()> {
    // What is half made cannot be undone: even Ctrl-C has to wait for the answer to `make`.
    let mut make = pin!(caught(make));
    // One for both steps: a Ctrl-C between them is not lost.
    let mut stop = pin!(stop());
    let (made, stopped) = select! {
        made = &mut make => (made, Ok(())),
        stopped = &mut stop => (make.await, stopped),
    };
    if made.as_ref().is_err_and(|error| !may_be_done(error)) {
        return made;
    }
    let run = async {
        made.and(stopped)?;
        select! {
            end = caught(story) => end,
            stopped = &mut stop => stopped,
        }
    };
    let run = run.await;
    let undone = select! {
        undone = timeout(LIMIT, undo) => undone.unwrap_or_else(|_| Err(anyhow!("{LIMIT:?} have passed"))),
        Ok(()) = ctrl_c() => Err(anyhow!("Ctrl-C came again")),
    };
    match (run, undone) {
        (run, Ok(())) => run,
        (Ok(()), Err(left)) => Err(anyhow!("Perhaps left behind: {thing}. {left}")),
        (Err(error), Err(left)) => Err(anyhow!("{error}\nPerhaps left behind: {thing}. {left}")),
    }
}

/// Makes a panic an error like any other: `println!` panics when its reader goes away, as in `... | head -1`.
async fn caught(step: impl Future<Output = Result<()>>) -> Result<()> {
    let mut step = pin!(step);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| step.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(anyhow!("Stopped by a panic"))))
    })
    .await
}

/// Ends with an error at Ctrl-C.
async fn stop() -> Result<()> {
    if ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    eprintln!("Ctrl-C: cleaning up, at most {} s", LIMIT.as_secs());
    Err(anyhow!("Stopped by Ctrl-C"))
}
