//! Waits until something is as it should be, visibly and not for ever.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::request::Refused;

/// How often the server may refuse to say: just after something was made, it may not know it yet.
const REFUSALS: u32 = 5;

/// How it stands.
pub enum Now<T> {
    Done(T),
    /// Not yet; this is its state.
    NotYet(String),
}

/// Looks each `pause` until it is done, for at most `limit`.
pub async fn until<T>(
    what: &str,
    pause: Duration,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<Now<T>>,
) -> Result<T> {
    let start = Instant::now();
    let mut refusals = 0;
    loop {
        let state = match look().await {
            Ok(Now::Done(done)) => return Ok(done),
            Ok(Now::NotYet(state)) => state,
            Err(error) => match error.downcast_ref::<Refused>() {
                Some(refused) if refused.may_pass() && refusals < REFUSALS => {
                    refusals += 1;
                    refused.status.to_string()
                }
                _ => return Err(error),
            },
        };
        let (passed, most) = (start.elapsed().as_secs(), limit.as_secs());
        if start.elapsed() + pause > limit {
            bail!("{what}: still {state} after {passed} s");
        }
        eprintln!("Waiting: {what}: {state}, {passed} s of at most {most}");
        tokio::time::sleep(pause).await;
    }
}
