//! Responses of a real Stargate 2.0.51 and a real Data API 1.0.51, requested again from local Astra.

use std::path::{Path, PathBuf};

use crate::astra::{block_on, local_astra};
use crate::recorded;

pub fn recordings(interface: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(&format!("{interface}-"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no recordings of {interface}");
    files
}

fn replay(interface: &str) {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let failures: Vec<String> = recordings(interface)
        .iter()
        .flat_map(|file| {
            block_on(recorded::replay(
                &astra.url(),
                &astra.operator(),
                &keyspace,
                file,
            ))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn data_api() {
    replay("data-api");
}

#[test]
fn rest() {
    replay("rest");
}

#[test]
fn document() {
    replay("document");
}

#[test]
fn graphql_cql_first() {
    replay("graphql-cql-first");
}

#[test]
fn graphql_first() {
    replay("graphql-first");
}
