//! `logs`: the output of the background process and the engines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use anyhow::{Context, Result};

use settings::Folders;
use settings::layout::Layout;

/// Maximum length of a printed line. Cassandra's first line on its configuration has 15 KB.
const LINE: usize = 400;

/// Prints the logs, each line prefixed with the name of its file.
///
/// # Errors
/// A log cannot be read, or standard output cannot be written.
pub fn logs(folders: &Folders) -> Result<u8> {
    let mut out = io::stdout().lock();
    let nodes = Layout::of(&folders.data, None)?.nodes;
    let cassandra = (1..=nodes).map(|node| folders.cassandra_log(node));
    let engines = cassandra.chain([folders.pulsar_log()]);
    for path in std::iter::once(folders.background_log()).chain(engines) {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let name = path.strip_prefix(&folders.data).unwrap_or(&path).display();
        for line in BufReader::new(file).split(b'\n') {
            let line = line?;
            let line: String = String::from_utf8_lossy(&line).chars().take(LINE).collect();
            match writeln!(out, "{name}: {line}") {
                // A closed pipe, as in `cargo local logs | head`, is not an error.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(0),
                done => done?,
            }
        }
    }
    Ok(0)
}
