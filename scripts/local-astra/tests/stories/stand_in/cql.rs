//! CQL: the bundle's services in front of a real Cassandra, and failures of the sample that uses them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::astra::{Ended, LocalAstra, Sample, local_astra, samples};
use crate::http;

type Settings = BTreeMap<String, String>;

fn sample() -> &'static Sample {
    let found = samples().iter().find(|sample| sample.name == "cql-sample");
    found.expect("there is no cql-sample")
}

fn set(settings: &Settings, changes: &[(&str, &str)]) -> Settings {
    let mut settings = settings.clone();
    for (name, value) in changes {
        settings.insert((*name).to_owned(), (*value).to_owned());
    }
    settings
}

/// Returns settings for a direct connection to Cassandra, where the password of the role is the token's third part.
pub fn without_bundle(astra: &LocalAstra, keyspace: &str, contact_point: &str) -> Settings {
    let token = astra.application();
    let mut parts = token.split(':').skip(1);
    let (role, password) = (parts.next().unwrap(), parts.next().unwrap());
    let changes = [
        ("CASSANDRA_CONTACT_POINTS", contact_point),
        ("ASTRA_DB_SECURE_BUNDLE_PATH", ""),
        ("ASTRA_DB_CLIENT_ID", role),
        ("ASTRA_DB_CLIENT_SECRET", password),
    ];
    set(&astra.settings(keyspace), &changes)
}

/// Returns the error that the sample reported.
fn refused<'a>(settings: &Settings, ended: &'a Ended) -> &'a str {
    assert!(ended.code.is_some_and(|code| code != 0), "{ended:#?}");
    assert_eq!(ended.err.matches("Error: ").count(), 1, "{ended:#?}");
    assert!(!ended.err.contains("panicked"), "{ended:#?}");
    for name in ["ASTRA_DB_APPLICATION_TOKEN", "ASTRA_DB_CLIENT_SECRET"] {
        let secret = settings[name].rsplit(':').next().unwrap_or_default();
        assert!(
            secret.is_empty() || !ended.err.contains(secret),
            "{name}: {ended:#?}"
        );
    }
    &ended.err
}

#[test]
fn a_plain_cassandra_takes_the_place_of_the_bundle() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let cassandra = astra.layout.cassandra()[0].to_string();
    let ended = sample().run(&without_bundle(astra, &keyspace, &cassandra));
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:#?}");
    assert!(
        ended.out.starts_with("1. Connected to cluster cndb"),
        "{ended:#?}"
    );
    assert_eq!(astra.left_in(&keyspace), [""; 0]);
}

#[test]
fn a_wrong_login_is_refused_while_the_right_one_is_in_use() {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let right = astra.settings(&keyspace);
    let by_token = [("ASTRA_DB_CLIENT_ID", ""), ("ASTRA_DB_CLIENT_SECRET", "")];
    let by_token = set(&right, &by_token);
    let token = astra.application();
    let wrong = format!("{}{}", &token[..token.len() - 8], "0badc0de");
    let mut in_use = sample().start(&by_token);
    for (settings, setting) in [
        (
            set(&by_token, &[("ASTRA_DB_APPLICATION_TOKEN", &wrong)]),
            "ASTRA_DB_APPLICATION_TOKEN",
        ),
        (
            set(&right, &[("ASTRA_DB_CLIENT_SECRET", "0badc0de")]),
            "ASTRA_DB_CLIENT_SECRET",
        ),
    ] {
        let ended = sample().run(&settings);
        let said = refused(&settings, &ended);
        assert!(
            said.contains("incorrect") && said.contains(setting),
            "{said}"
        );
        let ended = std::mem::replace(&mut in_use, sample().start(&by_token)).end();
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    assert_eq!(in_use.end().code, Some(0));
}

#[test]
fn a_keyspace_that_is_not_there_is_named() {
    let astra = local_astra();
    let settings = astra.settings("not_there");
    let ended = sample().run(&settings);
    let said = refused(&settings, &ended);
    assert!(
        said.contains("not_there") && said.contains("ASTRA_DB_KEYSPACE"),
        "{said}"
    );
}

#[test]
fn a_bundle_that_is_none_is_named() {
    let astra = local_astra();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.zip");
    let whole = std::fs::read(astra.folders.bundle()).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let path = path.display().to_string();
    let settings = set(
        &astra.settings("any"),
        &[("ASTRA_DB_SECURE_BUNDLE_PATH", &path)],
    );
    let ended = sample().run(&settings);
    let said = refused(&settings, &ended);
    assert!(
        said.contains("ASTRA_DB_SECURE_BUNDLE_PATH") && said.contains(&path),
        "{said}"
    );
}

#[test]
fn a_host_that_refuses_or_never_answers_is_given_up() {
    let astra = local_astra();
    for port in [http::refusing(), http::silent()] {
        let address = format!("127.0.0.1:{port}");
        let settings = without_bundle(astra, "any", &address);
        let ended = sample().run(&settings);
        let said = refused(&settings, &ended);
        assert!(said.contains("CASSANDRA_CONTACT_POINTS"), "{said}");
    }
}

/// The delay of a door that returns nothing.
const HELD: u64 = u64::MAX;

/// A proxy in front of Cassandra with slow responses, whose connections can be cut.
pub struct Door {
    port: u16,
    delay: Arc<AtomicU64>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Door {
    fn before(cassandra: SocketAddr) -> Door {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (delay, open) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let (waits, kept) = (delay.clone(), open.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let node = TcpStream::connect(cassandra).unwrap();
                kept.lock().unwrap().push(client.try_clone().unwrap());
                let (up, down) = ((&client, &node), (&node, &client));
                let [up, down] =
                    [up, down].map(|(a, b)| (a.try_clone().unwrap(), b.try_clone().unwrap()));
                let waits = waits.clone();
                thread::spawn(move || pass(up.0, up.1, &AtomicU64::new(0)));
                thread::spawn(move || pass(down.0, down.1, &waits));
            }
        });
        Door { port, delay, open }
    }

    pub fn cut(&self) {
        for connection in self.open.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, delay: &AtomicU64) {
    let mut bytes = [0; 65536];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let mut waits = delay.load(Ordering::Relaxed);
        while waits == HELD {
            thread::sleep(Duration::from_millis(10));
            waits = delay.load(Ordering::Relaxed);
        }
        thread::sleep(Duration::from_millis(waits));
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// Runs the sample slowly, and calls `happens` after it has printed a step.
pub fn in_the_middle(
    step: &str,
    happens: impl Fn(&Door, &crate::astra::Running),
) -> (Ended, Vec<String>) {
    let astra = local_astra();
    let keyspace = astra.keyspace();
    let door = Door::before(astra.layout.cassandra()[0]);
    let address = format!("127.0.0.1:{}", door.port);
    let settings = without_bundle(astra, &keyspace, &address);
    door.delay.store(150, Ordering::Relaxed);
    let mut running = sample().start(&settings);
    let mut out = BufReader::new(running.child.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains(step) {
        assert_ne!(out.read_line(&mut told).unwrap(), 0, "{told}");
    }
    // Nothing comes back from now on, so it is still in the middle when something happens.
    door.delay.store(HELD, Ordering::Relaxed);
    happens(&door, &running);
    door.delay.store(0, Ordering::Relaxed);
    let ended = running.end();
    // The driver may get over a cut connection.
    if ended.code != Some(0) {
        refused(&settings, &ended);
    }
    (ended, astra.left_in(&keyspace))
}

#[test]
fn after_ctrl_c_nothing_is_left_over() {
    let (ended, left) = in_the_middle("2. Created table", |_, running| running.interrupt());
    assert!(ended.err.contains("Ctrl-C"), "{ended:#?}");
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(left, [""; 0], "{ended:#?}");
}

#[test]
fn after_a_cut_connection_nothing_is_left_over() {
    let (ended, left) = in_the_middle("2. Created table", |door, _| door.cut());
    assert_eq!(left, [""; 0], "{ended:#?}");
}
