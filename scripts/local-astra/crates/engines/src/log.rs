//! The log of an engine: one file per run, with the previous run beside it.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// Returns the path of the previous run's log.
pub(super) fn previous(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Returns the last errors of a log, or else its last lines. Stack frames are left out and long lines truncated (one of
/// Cassandra's lines has 15 KB).
pub fn tail(log: &Path) -> String {
    const LINES: usize = 8;
    const BYTES: u64 = 64 * 1024;
    const LONGEST: usize = 240;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
        let mut bytes = Vec::new();
        file.take(BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = match read() {
        Ok(bytes) => bytes,
        Err(error) => return format!("  (cannot be read: {error})"),
    };
    let text = String::from_utf8_lossy(&bytes);
    let is_shown = |line: &&str| !line.trim().is_empty() && !line.starts_with('\t');
    let mut lines: Vec<&str> = text.lines().filter(is_shown).collect();
    // A failing engine reports the reason, followed by many lines about its shutdown.
    let is_chatter = |line: &str| {
        ["INFO", "DEBUG", "TRACE"]
            .iter()
            .any(|level| line.starts_with(level))
    };
    if lines.iter().any(|line| line.starts_with("ERROR")) {
        lines.retain(|line| !is_chatter(line));
    }
    let shown = lines[lines.len().saturating_sub(LINES)..]
        .iter()
        .map(|line| match line.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("  {} ...", &line[..end]),
            None => format!("  {line}"),
        });
    shown.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tail_of(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, text).unwrap();
        tail(&log)
    }

    #[test]
    fn frames_are_left_out_and_long_lines_cut() {
        let text = format!(
            "{}\nINFO  ends\n\tat a.B.c(B.java:1)\n\n",
            "x".repeat(15_000)
        );
        assert_eq!(
            tail_of(&text),
            format!("  {} ...\n  INFO  ends", "x".repeat(240))
        );
        let lines: String = (0..1000).map(|line| format!("INFO  {line}\n")).collect();
        assert!(tail_of(&lines).starts_with("  INFO  992\n"));
        assert!(tail(Path::new("/nowhere/log")).contains("cannot be read"));
    }

    #[test]
    fn an_error_is_shown_even_if_much_was_said_after_it() {
        let mut text =
            "INFO  starts\nERROR no\njava.lang.Exception: port 1\n\tat a.B.c(B.java:1)\n"
                .to_string();
        text.push_str(&"INFO  flushes\n".repeat(100));
        assert_eq!(tail_of(&text), "  ERROR no\n  java.lang.Exception: port 1");
    }
}
