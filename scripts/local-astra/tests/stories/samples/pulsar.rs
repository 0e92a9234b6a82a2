//! The Pulsar samples: their output, the resources that remain, and failures. Tests share one tenant, so each only
//! checks the names in the output of its own runs.

use std::collections::BTreeSet;

use engines::process::ProcessId;
use reqwest::{Method, StatusCode};
use sysinfo::Signal;

use super::failures::{Settings, refused};
use crate::astra::{Ended, Running, Sample, block_on, local_astra, samples};
use crate::http::{self, Proxy, Then};
use crate::samples::{story, told};

pub const BROKER: &str = "ASTRA_STREAMING_BROKER_URL";
const WEB: &str = "ASTRA_STREAMING_WEBSERVICE_URL";
const TOKEN: &str = "ASTRA_STREAMING_PULSAR_TOKEN";

fn pulsar_samples() -> impl Iterator<Item = &'static Sample> {
    let all = samples().iter();
    all.filter(|sample| sample.reads("ASTRA_STREAMING_NAME"))
}

fn client_sample() -> &'static Sample {
    let found = pulsar_samples().find(|sample| sample.name == "pulsar-client-sample");
    found.unwrap()
}

/// Returns the settings of `cargo local run`, with Pulsar running.
fn settings() -> Settings {
    local_astra().with_pulsar().settings("none")
}

/// Returns the settings with one of them changed.
fn with(name: &str, value: impl Into<String>) -> Settings {
    let mut settings = settings();
    settings.insert(name.into(), value.into());
    settings
}

/// Returns settings with a proxy that fails in front of local Astra's plain port.
fn failing_web(whole: usize, then: Then) -> (Settings, Proxy) {
    let proxy = http::failing(local_astra().layout.ports.plain, whole, then);
    (with(WEB, format!("http://127.0.0.1:{}", proxy.port)), proxy)
}

/// Returns settings with a proxy that fails in front of the broker's plain port.
fn failing_broker(whole: usize, then: Then) -> (Settings, Proxy) {
    let proxy = http::failing(local_astra().layout.ports.pulsar.broker, whole, then);
    let url = format!("pulsar://127.0.0.1:{}", proxy.port);
    (with(BROKER, url), proxy)
}

/// Sends a request to the admin API with the tenant's token, as another client.
fn ask(method: Method, path: &str) -> (StatusCode, String) {
    let url = format!("{}/admin/v2/{path}", local_astra().url());
    block_on(async {
        let request = crate::astra::client()
            .request(method, url)
            .bearer_auth(&settings()[TOKEN]);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    })
}

/// Returns the names of the topics and namespaces that a run created. Its first line also contains those of others.
pub fn named(ended: &Ended) -> BTreeSet<String> {
    let out: Vec<&str> = ended
        .out
        .lines()
        .filter(|line| !line.starts_with("1. "))
        .collect();
    let text = format!("{}\n{}", out.join("\n"), ended.err);
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !name(c))
        .filter(|word| {
            word.starts_with("rust_sample_topic_") || word.starts_with("rust_sample_namespace_")
        })
        .map(str::to_owned)
        .collect()
}

/// Returns those of the names that still exist in Pulsar.
pub fn left(names: &BTreeSet<String>) -> Vec<&String> {
    let tenant = &settings()["ASTRA_STREAMING_NAME"];
    let lists = [
        format!("namespaces/{tenant}"),
        format!("persistent/{tenant}/default"),
    ];
    let there = lists.map(|list| {
        let (status, said) = ask(Method::GET, &list);
        assert_eq!(status, StatusCode::OK, "{list}: {said}");
        serde_json::from_str::<Vec<String>>(&said).unwrap()
    });
    let there: BTreeSet<&str> = there
        .iter()
        .flatten()
        .map(|name| name.rsplit('/').next().unwrap())
        .collect();
    names
        .iter()
        .filter(|name| there.contains(name.as_str()))
        .collect()
}

/// Deletes a resource that a run has left.
pub fn delete(name: &str) {
    let tenant = &settings()["ASTRA_STREAMING_NAME"];
    let paths = if name.starts_with("rust_sample_namespace_") {
        vec![
            format!("persistent/{tenant}/{name}/orders"),
            format!("namespaces/{tenant}/{name}"),
        ]
    } else {
        vec![format!("persistent/{tenant}/default/{name}")]
    };
    for path in paths {
        let (status, said) = ask(Method::DELETE, &path);
        let gone = [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND];
        assert!(gone.contains(&status), "{path}: {status}, {said}");
    }
}

/// The signals of Ctrl-C, `kill` and a closed terminal.
const SIGNALS: [(Signal, &str); 3] = [
    (Signal::Interrupt, "Ctrl-C"),
    (Signal::Term, "SIGTERM"),
    (Signal::Hangup, "SIGHUP"),
];

fn send(signal: Signal, running: &Running) {
    let sample = ProcessId::of(running.child.id()).unwrap().unwrap();
    assert!(sample.signal(signal).unwrap());
}

/// Asserts that a run created resources and removed all of them.
fn left_nothing(ended: &Ended) {
    let names = named(ended);
    assert!(!names.is_empty(), "it made nothing: {ended:#?}");
    assert!(left(&names).is_empty(), "{ended:#?}");
}

#[test]
fn each_tells_its_story_twice_and_leaves_nothing() {
    for sample in pulsar_samples() {
        for _ in 0..2 {
            let ended = sample.run(&settings());
            told(&ended, story(&sample.name));
            left_nothing(&ended);
        }
    }
}

#[test]
fn two_at_once_do_not_meet() {
    for sample in pulsar_samples() {
        let running = [sample.start(&settings()), sample.start(&settings())];
        for ended in running.map(|running| running.end()) {
            told(&ended, story(&sample.name));
            left_nothing(&ended);
        }
    }
}

#[test]
fn a_wrong_token_is_a_readable_refusal() {
    let right = settings()[TOKEN].clone();
    let (signed, _) = right.rsplit_once('.').unwrap();
    for sample in pulsar_samples() {
        for wrong in [
            format!("{signed}.{}", "A".repeat(342)),
            "AstraCS:wrong:wrong".into(),
        ] {
            let settings = with(TOKEN, wrong);
            let ended = sample.run(&settings);
            let said = refused(sample, &settings, &ended);
            assert!(said.contains("401"), "{said}");
            assert!(said.contains(TOKEN), "{said}");
        }
    }
}

#[test]
fn another_tenant_is_refused() {
    for sample in pulsar_samples() {
        for other in ["public", "nobody-has-this-name"] {
            let settings = with("ASTRA_STREAMING_NAME", other);
            let ended = sample.run(&settings);
            let said = refused(sample, &settings, &ended);
            assert!(said.contains("ASTRA_STREAMING_NAME"), "{said}");
        }
    }
}

#[test]
fn a_host_that_refuses_is_named_with_its_setting() {
    let port = http::refusing();
    let web = with(WEB, format!("http://127.0.0.1:{port}"));
    let broker = with(BROKER, format!("pulsar+ssl://127.0.0.1:{port}"));
    for sample in pulsar_samples() {
        let ended = sample.run(&web);
        let said = refused(sample, &web, &ended);
        assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
        assert!(said.contains(WEB), "{said}");
    }
    let ended = client_sample().run(&broker);
    let said = refused(client_sample(), &broker, &ended);
    assert!(said.contains("Connection refused"), "{said}");
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(said.contains(BROKER), "{said}");
}

#[test]
fn a_silent_host_is_not_waited_for_without_end() {
    let port = http::silent();
    let settings = with(WEB, format!("http://127.0.0.1:{port}"));
    // Both at once, for each waits half a minute or more.
    let running: Vec<_> = pulsar_samples()
        .map(|sample| (sample, sample.start(&settings)))
        .collect();
    for (sample, running) in running {
        refused(sample, &settings, &running.end());
    }
    for scheme in ["pulsar", "pulsar+ssl"] {
        let settings = with(BROKER, format!("{scheme}://127.0.0.1:{port}"));
        let ended = client_sample().run(&settings);
        let said = refused(client_sample(), &settings, &ended);
        assert!(said.contains(BROKER), "{said}");
    }
}

#[test]
fn an_error_page_is_cut_down_to_what_a_reader_needs() {
    for sample in pulsar_samples() {
        let settings = with(WEB, format!("http://127.0.0.1:{}", http::broken()));
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        assert!(said.contains("500"), "{said}");
        assert!(said.len() < 2_000, "{said}");
    }
}

#[test]
fn a_server_that_does_not_speak_pulsar_is_named_with_its_setting() {
    let ports = &local_astra().layout.ports;
    for wrong in [
        format!("pulsar://127.0.0.1:{}", ports.plain),
        format!("pulsar://127.0.0.1:{}", ports.tls),
        format!("pulsar+ssl://127.0.0.1:{}", ports.plain),
        format!("pulsar+ssl://127.0.0.1:{}", ports.tls),
    ] {
        let settings = with(BROKER, &wrong);
        let ended = client_sample().run(&settings);
        let said = refused(client_sample(), &settings, &ended);
        let cannot = format!("cannot connect to {wrong}: ");
        assert!(said.contains(&cannot), "{wrong}: {said}");
        assert!(said.contains(BROKER), "{said}");
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    for sample in pulsar_samples() {
        let mut settings = settings();
        settings.remove("SSL_CERT_FILE");
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        assert!(said.contains("certificate"), "{said}");
    }
    let mut settings = with(WEB, local_astra().url());
    settings.remove("SSL_CERT_FILE");
    let ended = client_sample().run(&settings);
    let said = refused(client_sample(), &settings, &ended);
    assert!(said.contains("SSL_CERT_FILE"), "{said}");
    left_nothing(&ended);
}

#[test]
fn after_a_cut_in_the_middle_of_the_story_nothing_is_left() {
    for sample in pulsar_samples() {
        let wholes: &[usize] = match sample.name.as_str() {
            // It has two requests: the first makes the topic.
            "pulsar-client-sample" => &[0],
            _ => &[2, 3, 5],
        };
        for whole in wholes {
            let (settings, _proxy) = failing_web(*whole, Then::Cut);
            let ended = sample.run(&settings);
            refused(sample, &settings, &ended);
            left_nothing(&ended);
        }
    }
    // To connect is one command, to create a producer are more.
    for whole in [0, 1, 3, 4] {
        let (settings, _proxy) = failing_broker(whole, Then::CutAll);
        let ended = client_sample().run(&settings);
        refused(client_sample(), &settings, &ended);
        left_nothing(&ended);
    }
}

#[test]
fn what_cannot_be_removed_is_named() {
    for (sample, whole) in pulsar_samples().zip([4, 1]) {
        let (settings, _proxy) = failing_web(whole, Then::CutAll);
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        let names = named(&ended);
        let left = left(&names);
        assert_eq!(left.len(), 1, "{}: {ended:#?}", sample.name);
        assert!(said.contains(left[0]), "{said}");
        delete(left[0]);
    }
}

#[test]
fn after_a_signal_in_the_middle_of_the_story_nothing_is_left() {
    for sample in pulsar_samples() {
        for (signal, name) in SIGNALS {
            let (whole, (settings, proxy)) = match sample.name.as_str() {
                "pulsar-client-sample" => (3, failing_broker(3, Then::Stall)),
                _ => (4, failing_web(4, Then::Stall)),
            };
            let running = proxy.wait_past(whole, sample.start(&settings));
            send(signal, &running);
            let ended = running.end();
            refused(sample, &settings, &ended);
            let stopped = format!("stopped by {name}");
            assert!(ended.err.contains(&stopped), "{ended:#?}");
            left_nothing(&ended);
        }
    }
}

#[test]
fn whenever_a_signal_comes_what_is_left_is_named() {
    let requests = |sample: &Sample| match sample.name.as_str() {
        "pulsar-client-sample" => 0..2,
        _ => 0..10,
    };
    // All at once: a request to create or delete is waited for until its time limit.
    let stopped: Vec<_> = pulsar_samples()
        .flat_map(|sample| requests(sample).map(move |whole| (sample, whole)))
        .map(|(sample, whole)| {
            let (settings, proxy) = failing_web(whole, Then::Stall);
            let running = proxy.wait_past(whole, sample.start(&settings));
            send(SIGNALS[whole % SIGNALS.len()].0, &running);
            (sample, whole, settings, proxy, running)
        })
        .collect();
    for (sample, whole, settings, _proxy, running) in stopped {
        let ended = running.end();
        let said = refused(sample, &settings, &ended);
        let names = named(&ended);
        for name in left(&names) {
            assert!(said.contains(name), "{whole}: {name} is left: {ended:#?}");
            delete(name);
        }
        if sample.name == "pulsar-admin-sample" && whole == 3 {
            // A topic that comes after the clean-up has looked would keep its namespace.
            assert!(said.contains("timed out"), "{ended:#?}");
        }
    }
}
