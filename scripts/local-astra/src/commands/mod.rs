//! The commands of `cargo local`, one file per command. Each returns the exit code.

pub mod down;
pub mod env;
pub mod logs;
pub mod reset;
pub mod run;
pub mod status;
pub mod up;

use std::io::{self, ErrorKind, Write};

/// Prints to standard output. A closed pipe, as in `cargo local status | head -1`, is not an error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
