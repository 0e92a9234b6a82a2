//! The fault matrix: every sample meets every fault. `scripts/fault-matrix` runs it and prints the table.
//!
//! A fault is a line of [`FAULTS`]; the samples are those of `cargo metadata`.

use std::fs;
use std::io::{Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use sysinfo::Signal;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::failures::{Settings, refused, through};
use super::pulsar;
use crate::astra::{Ended, Running, Sample, local_astra, samples};
use crate::http::{self, Certificate, Reply, Then};
use crate::samples::{story, told};
use crate::stand_in::cql;

/// Checks how a sample handles a fault. Returns false if the fault does not apply to it.
type Meets = fn(&Meeting) -> bool;

/// Limit for a run, longer than the two minutes for which a sample waits for a hibernated database.
const LIMIT: Duration = Duration::from_secs(180);

const PAGE: &str = "<html><body><h1>Bad Gateway</h1></body></html>";
const RESUMING: &str =
    r#"{"errors":[{"message":"Resuming your database, please try again shortly."}]}"#;
const HTML: &str = "content-type: text/html\r\n";
const JSON: &str = "content-type: application/json\r\n";

#[rustfmt::skip]
const FAULTS: &[(&str, Meets)] = &[
    ("refuse", |m| m.fails_at(http::refusing())),
    ("never answer", |m| m.fails_at(http::silent())),
    ("cut in mid-answer", |m| m.fails_with(Reply { is_cut: true, headers: JSON, ..Reply::new(200, "{\"data\":") })),
    ("429", |m| m.fails_with(Reply { headers: "retry-after: 1\r\n", ..Reply::new(429, "") })),
    ("500 with HTML", |m| m.fails_with(Reply { headers: HTML, ..Reply::new(500, PAGE) })),
    ("502 with HTML", |m| m.fails_with(Reply { headers: HTML, ..Reply::new(502, PAGE) })),
    ("503 with HTML", |m| m.fails_with(Reply { headers: HTML, ..Reply::new(503, PAGE) })),
    ("resuming, then good", Meeting::waits_for_a_database_that_resumes),
    ("not JSON", |m| m.fails_with(Reply { headers: JSON, ..Reply::new(200, "no JSON \u{1b}[31m") })),
    ("JSON of another shape", |m| m.fails_with(Reply { headers: JSON, ..Reply::new(200, r#"{"other":[1,{"a":null}]}"#) })),
    ("50 MB", |m| m.fails_with(Reply { headers: JSON, ..Reply::new(200, format!("\"{}\"", "x".repeat(50 << 20))) })),
    ("one byte per second", |m| m.fails_with(Reply { pace: Duration::from_secs(1), ..Reply::new(200, "{}") })),
    ("unknown CA", |m| m.mistrusts(Certificate::UnknownAuthority)),
    ("wrong name", |m| m.mistrusts(Certificate::WrongName)),
    ("expired certificate", |m| m.mistrusts(Certificate::Expired)),
    ("cut between steps", |m| m.ends_at_every_step(None)),
    ("SIGINT at every step", |m| m.ends_at_every_step(Some(Signal::Interrupt))),
    ("SIGTERM at every step", |m| m.ends_at_every_step(Some(Signal::Term))),
    ("token with CR/LF", |m| m.fails_with_token("AstraCS:a\r\nb: c")),
    ("token not ASCII", |m| m.fails_with_token("AstraCS:größe")),
    (".env is a folder", |m| m.rejects_env(|path| fs::create_dir(path).unwrap())),
    (".env not UTF-8", |m| m.rejects_env(|path| fs::write(path, b"A=\xff\xfe").unwrap())),
    (".env with a BOM", |m| m.takes_env("\u{feff}", "\n")),
    (".env with CRLF", |m| m.takes_env("", "\r\n")),
];

struct Meeting {
    sample: &'static Sample,
    keyspace: String,
    /// Settings for a successful run.
    settings: Settings,
}

impl Meeting {
    fn new(sample: &'static Sample) -> Meeting {
        let astra = local_astra();
        let keyspace = astra.keyspace();
        Meeting {
            settings: sample.settings_in(astra, &keyspace),
            sample,
            keyspace,
        }
    }

    fn is_cql(&self) -> bool {
        self.sample.reads("CASSANDRA_CONTACT_POINTS")
    }

    /// Sends the sample to another port, without TLS.
    fn at(&self, port: u16) -> Settings {
        let astra = local_astra();
        if self.is_cql() {
            return cql::without_bundle(astra, &self.keyspace, &format!("127.0.0.1:{port}"));
        }
        let mut settings = through(astra, &self.settings, port);
        settings.insert(pulsar::BROKER.into(), format!("pulsar://127.0.0.1:{port}"));
        settings
    }

    /// Checks that it failed with one readable error, which names everything that it leaves.
    fn failed(&self, settings: &Settings, ended: &Ended) {
        let said = refused(self.sample, settings, ended);
        assert!(said.len() < 3_000, "{} bytes", said.len());
        assert!(!said.contains('\u{1b}'), "{said:?}");
        self.left(ended);
    }

    fn left(&self, ended: &Ended) {
        for name in local_astra().left_in(&self.keyspace) {
            assert!(ended.err.contains(&name), "{name} is left: {ended:#?}");
        }
        if self.sample.reads(pulsar::BROKER) || self.sample.reads("ASTRA_STREAMING_NAME") {
            for name in pulsar::left(&pulsar::named(ended)) {
                assert!(ended.err.contains(name), "{name} is left: {ended:#?}");
                pulsar::delete(name);
            }
        }
    }

    fn fails_at(&self, port: u16) -> bool {
        let settings = self.at(port);
        self.failed(&settings, &self.sample.start(&settings).end_within(LIMIT));
        true
    }

    fn fails_with(&self, reply: Reply) -> bool {
        self.fails_at(http::replying(reply))
    }

    fn waits_for_a_database_that_resumes(&self) -> bool {
        // Only HTTP has the status for it.
        if self.is_cql() {
            return false;
        }
        let resuming = Reply {
            headers: JSON,
            ..Reply::new(503, RESUMING)
        };
        let port = http::replying_first(2, resuming, local_astra().layout.ports.plain);
        let settings = through(local_astra(), &self.settings, port);
        let mut ended = self.sample.start(&settings).end_within(LIMIT);
        ended.err.clear(); // it reports that it tries again
        told(&ended, story(&self.sample.name));
        true
    }

    fn mistrusts(&self, wrong: Certificate) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let (port, authority) = http::with_certificate(wrong);
        let file = folder.path().join("authority.pem");
        fs::write(&file, &authority).unwrap();
        let door = format!("localhost:{}", local_astra().layout.ports.tls);
        let mut settings = self.settings.clone();
        for value in settings.values_mut() {
            *value = value.replace(&door, &format!("localhost:{port}"));
        }
        let file = file.display().to_string();
        settings.insert("SSL_CERT_FILE".into(), file);
        settings.insert(
            pulsar::BROKER.into(),
            format!("pulsar+ssl://localhost:{port}"),
        );
        if self.is_cql() {
            let bundle = folder.path().join("bundle.zip");
            fs::write(&bundle, bundle_for(port, &authority)).unwrap();
            let bundle = bundle.display().to_string();
            settings.insert("ASTRA_DB_SECURE_BUNDLE_PATH".into(), bundle);
        }
        let ended = self.sample.run(&settings);
        self.failed(&settings, &ended);
        assert!(
            ended.err.to_lowercase().contains("certificate"),
            "{ended:#?}"
        );
        true
    }

    /// Sends a signal, or cuts the connection, during each of its requests.
    fn ends_at_every_step(&self, signal: Option<Signal>) -> bool {
        if self.is_cql() {
            for step in 1..8 {
                let step = format!("{step}. ");
                let (ended, left) = cql::in_the_middle(&step, |door, running| match signal {
                    Some(signal) => running.signal(signal),
                    None => door.cut(),
                });
                assert!(signal.is_none() || ended.code != Some(0), "{ended:#?}");
                assert!(
                    left.iter().all(|name| ended.err.contains(name)),
                    "{ended:#?}"
                );
            }
            return true;
        }
        let then = signal.map_or(Then::Cut, |_| Then::Stall);
        let start = |whole| {
            let meeting = Meeting::new(self.sample);
            let proxy = http::failing(local_astra().layout.ports.plain, whole, then);
            let settings = through(local_astra(), &meeting.settings, proxy.port);
            let running = self.sample.start(&settings);
            (meeting, proxy, settings, running)
        };
        let (_, proxy, _, undisturbed) = start(usize::MAX);
        told(&undisturbed.end(), story(&self.sample.name));
        // Some at a time, because some wait for the time limit of a request, and all would overload the machine.
        let steps: Vec<usize> = (0..proxy.seen()).collect();
        for steps in steps.chunks(STEPS_AT_ONCE) {
            let running = steps.iter().map(|whole| {
                let (meeting, proxy, settings, running) = start(*whole);
                let running = proxy.wait_past(*whole, running);
                if let Some(signal) = signal {
                    running.signal(signal);
                }
                (meeting, proxy, settings, running)
            });
            for (meeting, _proxy, settings, running) in running.collect::<Vec<_>>() {
                meeting.failed(&settings, &running.end());
            }
        }
        true
    }

    fn fails_with_token(&self, token: &str) -> bool {
        let mut settings = self.settings.clone();
        let names = [
            "ASTRA_DB_APPLICATION_TOKEN",
            "ASTRA_STREAMING_PULSAR_TOKEN",
            "ASTRA_ORG_TOKEN",
        ];
        for name in names {
            settings.insert(name.into(), token.into());
        }
        for name in ["ASTRA_DB_CLIENT_ID", "ASTRA_DB_CLIENT_SECRET"] {
            settings.remove(name);
        }
        self.failed(&settings, &self.sample.run(&settings));
        true
    }

    fn rejects_env(&self, write: fn(&Path)) -> bool {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join(".env"));
        let ended = self.sample.run_in(folder.path());
        self.failed(&Settings::new(), &ended);
        assert!(ended.err.contains(".env"), "{ended:#?}");
        true
    }

    fn takes_env(&self, begin: &str, end: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        // The TLS library reads its own variables from the environment alone.
        let (settings, others): (Settings, Settings) = (self.settings.clone().into_iter())
            .partition(|(name, _)| shared::ALL.iter().any(|setting| setting.name == name));
        let lines: String = settings
            .iter()
            .map(|(name, value)| format!("{name}={value}{end}"))
            .collect();
        fs::write(folder.path().join(".env"), format!("{begin}{lines}")).unwrap();
        let mut program = Command::new(&self.sample.program);
        program.env_clear().envs(others).current_dir(folder.path());
        let ended = Running::start(&mut program).end();
        told(&ended, story(&self.sample.name));
        true
    }
}

/// Returns the bundle with another metadata service and its authority.
fn bundle_for(port: u16, authority: &str) -> Vec<u8> {
    let astra = local_astra();
    let mut bundle = ZipArchive::new(fs::File::open(astra.folders.bundle()).unwrap()).unwrap();
    let mut changed = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..bundle.len() {
        let mut file = bundle.by_index(index).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        let name = file.name().unwrap().into_owned();
        match name.as_str() {
            "ca.crt" => content = authority.into(),
            "config.json" => {
                let config = String::from_utf8(content).unwrap();
                let known = astra.layout.ports.metadata.to_string();
                content = config.replace(&known, &port.to_string()).into_bytes();
            }
            _ => {}
        }
        let options = SimpleFileOptions::default();
        changed.start_file(name, options).unwrap();
        changed.write_all(&content).unwrap();
    }
    changed.finish().unwrap().into_inner()
}

/// Returns the text of a cell, and the failure if there is one.
fn cell(sample: &'static Sample, meets: Meets) -> (&'static str, Option<String>) {
    let met = panic::catch_unwind(AssertUnwindSafe(|| meets(&Meeting::new(sample))));
    match met {
        Ok(true) => ("ok", None),
        Ok(false) => ("-", None),
        Err(why) => {
            let text = why.downcast_ref::<String>().cloned();
            let text = text.or_else(|| why.downcast_ref::<&str>().map(ToString::to_string));
            ("RED", text)
        }
    }
}

/// Number of samples that run at the same time.
const AT_ONCE: usize = 6;
/// Number of steps of a sample that are interrupted at the same time.
const STEPS_AT_ONCE: usize = 4;

fn at_once(samples: &[&'static Sample], meets: Meets) -> Vec<(&'static str, Option<String>)> {
    let cells: Vec<_> = samples
        .iter()
        .map(|&sample| thread::spawn(move || cell(sample, meets)))
        .collect();
    cells.into_iter().map(|cell| cell.join().unwrap()).collect()
}

#[test]
#[ignore = "it takes minutes: scripts/fault-matrix"]
fn every_sample_meets_every_fault() {
    local_astra().with_pulsar();
    let mut red = Vec::new();
    let only = std::env::var("FAULT_MATRIX_SAMPLES").unwrap_or_default();
    let only: Vec<&str> = only.split_whitespace().collect();
    let is_wanted = |sample: &&Sample| only.is_empty() || only.contains(&sample.name.as_str());
    let wanted: Vec<&Sample> = samples().iter().filter(is_wanted).collect();
    assert!(wanted.len() >= only.len(), "no such sample in {only:?}");
    let short = |sample: &&Sample| sample.name.trim_end_matches("-sample").to_owned();
    let names: Vec<String> = wanted.iter().map(short).collect();
    println!(
        "\n| fault | {} |\n|{}",
        names.join(" | "),
        " --- |".repeat(names.len() + 1)
    );
    for (fault, meets) in FAULTS {
        // Some at a time: a machine with all at once is a fault of its own.
        let cells: Vec<_> = wanted
            .chunks(AT_ONCE)
            .flat_map(|some| at_once(some, *meets))
            .collect();
        let shown: Vec<&str> = cells.iter().map(|(shown, _)| *shown).collect();
        println!("| {fault} | {} |", shown.join(" | "));
        let wrong = names.iter().zip(cells);
        red.extend(wrong.filter_map(|(name, (_, why))| Some(format!("{name}, {fault}: {}", why?))));
    }
    assert!(
        red.is_empty(),
        "{} cells are red:\n{}",
        red.len(),
        red.join("\n\n")
    );
}
