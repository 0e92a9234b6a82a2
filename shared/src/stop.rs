//! A future that completes when the user, or the system, asks the program to stop.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

/// The program was asked to stop. Its text says by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped(&'static str);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "stopped by {}", self.0)
    }
}

impl std::error::Error for Stopped {}

/// Returns a future that completes at the next Ctrl-C; on Unix also at SIGTERM, and at SIGHUP, which a
/// terminal sends when it is closed.
///
/// The signals are registered at once: from here on they no longer end the process, and one that comes before
/// the future is polled is kept. Poll the future again (`&mut stop`) to wait for the next signal.
///
/// # Errors
///
/// The system refuses to register a signal.
///
/// # Panics
///
/// Outside a tokio runtime with I/O enabled.
pub fn stop_signal() -> io::Result<impl Future<Output = Stopped> + Unpin> {
    let mut signals = signals()?;
    Ok(poll_fn(move |context| {
        for (name, signal) in &mut signals {
            if signal.poll_recv(context).is_ready() {
                return Poll::Ready(Stopped(name));
            }
        }
        Poll::Pending
    }))
}

#[cfg(unix)]
fn signals() -> io::Result<[(&'static str, tokio::signal::unix::Signal); 3]> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok([
        ("Ctrl-C", signal(SignalKind::interrupt())?),
        ("SIGTERM", signal(SignalKind::terminate())?),
        ("SIGHUP", signal(SignalKind::hangup())?),
    ])
}

#[cfg(windows)]
fn signals() -> io::Result<[(&'static str, tokio::signal::windows::CtrlC); 1]> {
    Ok([("Ctrl-C", tokio::signal::windows::ctrl_c()?)])
}
