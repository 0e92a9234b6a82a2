//! A future that completes when the user, or the system, stops the program.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The program was stopped. The text contains the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped(&'static str);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "stopped by {}", self.0)
    }
}

impl std::error::Error for Stopped {}

/// A future that completes at the next Ctrl-C; on Unix also at SIGTERM, and at SIGHUP, which a terminal sends when it
/// is closed. Poll it again (`&mut stop`) to wait for the next signal.
#[derive(Debug)]
pub struct StopSignal(Signals);

impl StopSignal {
    /// Returns an error if a signal has come that no poll has returned yet, such as one during a clean-up.
    pub fn check(&mut self) -> Result<(), Stopped> {
        match Pin::new(self).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(stopped) => Err(stopped),
            Poll::Pending => Ok(()),
        }
    }
}

impl Future for StopSignal {
    type Output = Stopped;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Stopped> {
        for (name, signal) in &mut self.0 {
            if signal.poll_recv(context).is_ready() {
                return Poll::Ready(Stopped(name));
            }
        }
        Poll::Pending
    }
}

/// Registers the signals at once: from here on they no longer end the process, and one that comes before the future is
/// polled is kept.
///
/// # Errors
///
/// The system refuses to register a signal.
///
/// # Panics
///
/// Outside a tokio runtime with I/O enabled.
pub fn stop_signal() -> io::Result<StopSignal> {
    Ok(StopSignal(signals()?))
}

#[cfg(unix)]
type Signals = [(&'static str, tokio::signal::unix::Signal); 3];

#[cfg(windows)]
type Signals = [(&'static str, tokio::signal::windows::CtrlC); 1];

#[cfg(unix)]
fn signals() -> io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok([
        ("Ctrl-C", signal(SignalKind::interrupt())?),
        ("SIGTERM", signal(SignalKind::terminate())?),
        ("SIGHUP", signal(SignalKind::hangup())?),
    ])
}

#[cfg(windows)]
fn signals() -> io::Result<Signals> {
    Ok([("Ctrl-C", tokio::signal::windows::ctrl_c()?)])
}
