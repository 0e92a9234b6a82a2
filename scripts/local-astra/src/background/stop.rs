//! The signals that end the background process.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The reason the background process ends.
pub enum Stop {
    /// Stop everything.
    All,
    /// Stop only the gateway: a newer build adopts the engines.
    GatewayOnly,
}

/// The signals that the process handles from the moment it listens.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hand_over: Signal,
    /// A closed terminal does not end the process.
    hang_up: Signal,
}

impl Signals {
    /// Starts listening.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hand_over: signal(SignalKind::user_defined1())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal that ends the process, or, if it is `temporary`, for the end of its standard input.
    pub async fn stop(mut self, temporary: bool) -> Stop {
        let stdin_closed = async {
            if temporary {
                let mut rest = [0; 64];
                let mut stdin = tokio::io::stdin();
                while matches!(stdin.read(&mut rest).await, Ok(1..)) {}
            } else {
                std::future::pending().await
            }
        };
        tokio::pin!(stdin_closed);
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Stop::All,
                _ = self.interrupt.recv() => return Stop::All,
                _ = self.hand_over.recv() => return Stop::GatewayOnly,
                _ = self.hang_up.recv() => (),
                () = &mut stdin_closed => return Stop::All,
            }
        }
    }
}
