//! Runs a program as in a terminal, where output and errors are one.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a program until it exits, and returns its exit code and output. One that exceeds `limit` hangs.
pub fn finish(mut command: Command, limit: Duration) -> (Option<i32>, String) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .process_group(0)
        .spawn()
        .unwrap();
    // The command holds the other end of the pipe, too.
    drop(command);
    let printed = std::thread::spawn(move || {
        let mut printed = String::new();
        reader.read_to_string(&mut printed).map(|_| printed)
    });
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if began.elapsed() > limit {
            let group = format!("-{}", child.id());
            let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
            assert!(killed.unwrap().success());
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let printed = printed.join().unwrap().unwrap();
    let status = status.unwrap_or_else(|| panic!("still running after {limit:?}: {printed}"));
    (status.code(), printed)
}
