//! Failures of the samples. Each sample reports one clear error in time, exits with a code other than zero, shows no
//! secret, and leaves nothing behind.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::thread;

use sysinfo::Signal;

use super::devops_samples::sample;
use crate::astra::{Ended, LocalAstra, Sample, block_on, local_astra, samples};
use crate::http::{self, Then};
use crate::samples::{story, told};
use crate::stand_in::devops::Api;

pub type Settings = BTreeMap<String, String>;

/// Returns the samples that send HTTP requests to the gateway with an Astra token.
fn http_samples() -> impl Iterator<Item = &'static Sample> {
    samples()
        .iter()
        .filter(|sample| sample.reads("ASTRA_DB_APPLICATION_TOKEN"))
        .filter(|sample| sample.settings.iter().any(|name| name.ends_with("_URL")))
}

/// Returns those that create something in the keyspace. Other tests cover resources that are created with a flag.
fn makers() -> impl Iterator<Item = &'static Sample> {
    http_samples().filter(|sample| sample.has_keyspace())
}

/// Returns settings that send a sample to another port, without TLS.
pub fn through(astra: &LocalAstra, settings: &Settings, port: u16) -> Settings {
    let door = format!("https://localhost:{}", astra.layout.ports.tls);
    settings
        .iter()
        .map(|(name, value)| {
            let value = value.replace(&door, &format!("http://127.0.0.1:{port}"));
            (name.clone(), value)
        })
        .collect()
}

/// Checks the rules for every failure, and returns the sample's message.
pub fn refused<'a>(sample: &Sample, settings: &Settings, ended: &'a Ended) -> &'a str {
    let told = format!("{} {ended:#?}", sample.name);
    assert!(ended.code.is_some_and(|code| code != 0), "{told}");
    assert_eq!(ended.err.matches("Error: ").count(), 1, "{told}");
    assert!(ended.err.lines().count() <= 30, "{told}");
    for sign in ["panicked", "tack backtrace", "RUST_BACKTRACE", "<html"] {
        assert!(!ended.err.contains(sign), "{sign}: {told}");
        assert!(!ended.out.contains(sign), "{sign}: {told}");
    }
    for (name, value) in settings {
        let secret = ["TOKEN", "SECRET"].iter().any(|s| name.contains(s));
        // The part of a token that nobody may see; its client id is no secret.
        let part = value.rsplit(':').next().unwrap_or_default();
        if secret && part.len() > 8 {
            assert!(!ended.err.contains(part), "{name} leaked: {told}");
            assert!(!ended.out.contains(part), "{name} leaked: {told}");
        }
    }
    &ended.err
}

#[test]
fn without_settings_every_missing_name_is_told_with_both_ways_to_get_it() {
    for sample in samples() {
        let ended = sample.run(&Settings::new());
        let said = refused(sample, &Settings::new(), &ended);
        assert!(said.contains("cargo local run"), "{said}");
        assert!(said.contains("astra "), "the CLI command: {said}");
        let missing: Vec<&str> = said
            .lines()
            .filter_map(|line| line.trim().split_once(" is missing").map(|(name, _)| name))
            .collect();
        assert!(!missing.is_empty(), "{said}");
        for name in missing {
            assert!(sample.reads(name), "{said}");
        }
    }
}

#[test]
fn a_wrong_token_is_a_readable_refusal() {
    let astra = local_astra();
    for sample in http_samples() {
        let keyspace = astra.keyspace();
        let mut settings = sample.settings_in(astra, &keyspace);
        let right = settings["ASTRA_DB_APPLICATION_TOKEN"].clone();
        let client_id = right.split(':').nth(1).unwrap();
        let wrong = format!("AstraCS:{client_id}:{}", "0badc0de".repeat(8));
        settings.insert("ASTRA_DB_APPLICATION_TOKEN".into(), wrong.clone());
        settings.insert("ASTRA_ORG_TOKEN".into(), wrong);
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        let status = match sample.name.as_str() {
            "grpc-sample" => "Unauthenticated",
            // In a 200, as Stargate does.
            "graphql-cql-first-sample" | "graphql-first-sample" => "UNAUTHENTICATED",
            _ => "401",
        };
        assert!(said.contains(status), "{said}");
        assert!(said.contains("ASTRA_DB_APPLICATION_TOKEN"), "{said}");
        assert_eq!(astra.left_in(&keyspace), [""; 0]);
    }
}

#[test]
fn a_host_that_refuses_is_named_with_its_setting() {
    let astra = local_astra();
    for sample in http_samples() {
        let port = http::refusing();
        let settings = through(astra, &sample.settings_in(astra, "nowhere"), port);
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
        assert!(said.contains("_URL"), "the setting to look at: {said}");
    }
}

#[test]
fn a_silent_host_is_not_waited_for_without_end() {
    let astra = local_astra();
    let port = http::silent();
    // All at once, for each waits half a minute.
    let running: Vec<_> = http_samples()
        .map(|sample| {
            let settings = through(astra, &sample.settings_in(astra, "nowhere"), port);
            (sample, sample.start(&settings), settings)
        })
        .collect();
    for (sample, running, settings) in running {
        refused(sample, &settings, &running.end());
    }
}

#[test]
fn an_error_page_is_cut_down_to_what_a_reader_needs() {
    let astra = local_astra();
    for sample in http_samples() {
        let settings = through(astra, &sample.settings_in(astra, "nowhere"), http::broken());
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        assert!(said.contains("500"), "{said}");
        assert!(said.len() < 2_000, "{said}");
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let astra = local_astra();
    for sample in http_samples() {
        let mut settings = sample.settings_in(astra, "nowhere");
        settings.remove("SSL_CERT_FILE");
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        assert!(said.to_lowercase().contains("certificate"), "{said}");
    }
}

#[test]
fn after_a_cut_in_the_middle_of_the_story_nothing_is_left() {
    let astra = local_astra();
    for sample in makers() {
        for whole in [3, 5] {
            let keyspace = astra.keyspace();
            let port = http::failing(astra.layout.ports.plain, whole, Then::Cut).port;
            let settings = through(astra, &sample.settings_in(astra, &keyspace), port);
            let ended = sample.run(&settings);
            refused(sample, &settings, &ended);
            assert_eq!(astra.left_in(&keyspace), [""; 0], "{ended:#?}");
        }
    }
}

#[test]
fn what_cannot_be_removed_is_named() {
    let astra = local_astra();
    for sample in makers() {
        let keyspace = astra.keyspace();
        let port = http::failing(astra.layout.ports.plain, 4, Then::CutAll).port;
        let settings = through(astra, &sample.settings_in(astra, &keyspace), port);
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        let left = astra.left_in(&keyspace);
        assert!(
            !left.is_empty(),
            "nothing was made before the cut: {ended:#?}"
        );
        for name in left {
            assert!(said.contains(&name), "{name} is left: {said}");
        }
    }
}

#[test]
fn whenever_a_signal_comes_what_is_left_is_named() {
    // Most of the time is spent waiting for time limits.
    thread::scope(|scope| {
        for sample in makers() {
            scope.spawn(|| whenever_a_signal_comes_to(sample));
        }
    });
}

fn whenever_a_signal_comes_to(sample: &Sample) {
    let astra = local_astra();
    let signals = [Signal::Interrupt, Signal::Term, Signal::Hangup];
    let port = astra.layout.ports.plain;
    let run = |whole| {
        let keyspace = astra.keyspace();
        let proxy = http::failing(port, whole, Then::Stall);
        let settings = through(astra, &sample.settings_in(astra, &keyspace), proxy.port);
        (keyspace, proxy, sample.start(&settings))
    };
    let (_, proxy, undisturbed) = run(usize::MAX);
    assert_eq!(undisturbed.end().code, Some(0), "{}", sample.name);
    // All at once: a request to create or drop is waited for until its time limit.
    let stopped: Vec<_> = (0..proxy.seen())
        .map(|whole| {
            let (keyspace, proxy, running) = run(whole);
            let running = proxy.wait_past(whole, running);
            running.signal(signals[whole % signals.len()]);
            (keyspace, proxy, running)
        })
        .collect();
    for (keyspace, _proxy, running) in stopped {
        let ended = running.end();
        assert!(ended.code.is_some_and(|code| code != 0), "{ended:#?}");
        assert_eq!(ended.err.matches("Error: ").count(), 1, "{ended:#?}");
        for left in astra.left_in(&keyspace) {
            assert!(ended.err.contains(&left), "{left} is left: {ended:#?}");
        }
    }
}

#[test]
fn a_signal_during_the_clean_up_does_not_abort_it_and_is_reported() {
    let astra = local_astra();
    for sample in makers() {
        let run = |whole| {
            let keyspace = astra.keyspace();
            let proxy = http::failing(astra.layout.ports.plain, whole, Then::Hold);
            let settings = through(astra, &sample.settings_in(astra, &keyspace), proxy.port);
            (keyspace, proxy, sample.start(&settings))
        };
        let (_, proxy, undisturbed) = run(usize::MAX);
        told(&undisturbed.end(), story(&sample.name));
        let last = proxy.seen() - 1;
        let (keyspace, proxy, running) = run(last);
        let running = proxy.wait_past(last, running);
        running.signal(Signal::Term);
        proxy.release();
        let ended = running.end();
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert_eq!(ended.err, "Error: stopped by SIGTERM\n", "{ended:#?}");
        assert_eq!(astra.left_in(&keyspace), [""; 0], "{ended:#?}");
    }
}

#[test]
fn after_a_signal_in_the_middle_of_the_story_nothing_is_left() {
    let astra = local_astra();
    for sample in makers() {
        for (signal, name) in [
            (Signal::Interrupt, "Ctrl-C"),
            (Signal::Term, "SIGTERM"),
            (Signal::Hangup, "SIGHUP"),
        ] {
            let keyspace = astra.keyspace();
            let proxy = http::failing(astra.layout.ports.plain, 4, Then::Stall);
            let settings = through(astra, &sample.settings_in(astra, &keyspace), proxy.port);
            let running = proxy.wait_past(4, sample.start(&settings));
            let left = astra.left_in(&keyspace);
            assert!(!left.is_empty(), "nothing to clean up yet");
            running.signal(signal);
            let ended = running.end();
            let said = refused(sample, &settings, &ended);
            assert!(said.contains(&format!("stopped by {name}")), "{said}");
            assert_eq!(astra.left_in(&keyspace), [""; 0], "{ended:#?}");
        }
    }
}

#[test]
fn what_costs_money_or_opens_a_door_is_removed_even_if_nothing_can_be_printed() {
    let astra = local_astra().with_pulsar();
    let settings = astra.settings("samples");
    for (name, flag) in [
        ("devops-database-sample", "--create-db"),
        ("devops-organization-sample", "--create-role"),
        ("devops-streaming-sample", "--create-tenant"),
    ] {
        let mut running = sample(name).start_with(&[flag], &settings);
        let process = running.child.id().to_string();
        let mut out = BufReader::new(running.child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        // As with `... | head -1` in a terminal that is closed then.
        drop((out, running.child.stderr.take()));
        running.end();
        let own = |word: &str| word.starts_with("rust") && word.ends_with(&process);
        let api = Api::of(astra, &astra.application());
        for path in ["databases", "organizations/roles", "streaming/tenants"] {
            let list = block_on(api.get(&format!("/v2/{path}")));
            assert_eq!(list.status, 200, "{path}");
            let text = list.body.to_string();
            let mut words = text.split('"');
            assert!(!words.any(own), "{name} {flag} leaves one of {path}");
        }
    }
}
