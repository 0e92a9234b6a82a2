//! Three nodes behind one bundle, as on Astra. One of them dies while the sample is running.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

use settings::Folders;
use settings::layout::Layout;
use sysinfo::Signal;

use crate::astra::samples;
use crate::stand_in::lifecycle::{Data, local, succeed, text};

/// Every node has a separate address, 127.0.0.2 and so on, which only Linux provides without configuration.
#[cfg(target_os = "linux")]
#[test]
fn a_node_that_dies_in_mid_run_does_not_fail_the_sample() {
    let data = Data(tempfile::tempdir().unwrap());
    let path = data.0.path();
    succeed(path, &["up", "--nodes", "3"]);
    let refused = local(path, &["up", "--nodes", "1"]);
    assert!(!refused.status.success(), "the number is chosen once");
    assert!(text(&refused.stderr).contains('3'), "{refused:?}");

    let settings: BTreeMap<String, String> = succeed(path, &["env"])
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let sample = samples().iter().find(|s| s.name == "cql-sample").unwrap();
    let folders = Folders::new(Some(path)).unwrap();
    let layout = Layout::of(path, None).unwrap();
    let cassandra = local_astra::background::cassandra::of(&folders, &layout);

    let mut running = sample.start(&settings);
    let mut out = BufReader::new(running.child.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains("2. Created table") {
        assert_ne!(out.read_line(&mut told).unwrap(), 0, "{told}");
    }
    let third = cassandra.running(3).unwrap().unwrap();
    assert!(third.process.signal(Signal::Kill).unwrap());
    out.read_to_string(&mut told).unwrap();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{told}{ended:#?}");
    assert!(told.contains("8. Dropped table"), "{told}");
    let first = told.lines().next().unwrap();
    let hosts: BTreeSet<&str> = first.split(", node ").skip(1).collect();
    assert_eq!(hosts.len(), 3, "{first}");

    // With the node gone: the bundle's metadata still names it, and two replicas of three are enough.
    let ended = sample.run(&settings);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}
