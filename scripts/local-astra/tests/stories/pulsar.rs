//! The Pulsar samples: what they tell and leave, and what can go wrong. Tests share one tenant, so each looks for the
//! names that its own runs have told.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

use reqwest::{Method, StatusCode};

use crate::astra::{Ended, Sample, block_on, local_astra, samples};
use crate::failures::{Settings, refused};
use crate::http::{self, Proxy, Then};
use crate::samples::{story, told};

const BROKER: &str = "ASTRA_STREAMING_BROKER_URL";
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

/// What `cargo local run` sets, with Pulsar up.
fn settings() -> Settings {
    local_astra().with_pulsar().settings("none")
}

/// The settings with one of them changed.
fn with(name: &str, value: impl Into<String>) -> Settings {
    let mut settings = settings();
    settings.insert(name.into(), value.into());
    settings
}

/// The web service, through a proxy that fails before local Astra's plain door.
fn failing_web(whole: usize, then: Then) -> (Settings, Proxy) {
    let proxy = http::failing(local_astra().layout.ports.plain, whole, then);
    (with(WEB, format!("http://127.0.0.1:{}", proxy.port)), proxy)
}

/// The broker, through a proxy that fails before its plain port.
fn failing_broker(whole: usize, then: Then) -> (Settings, Proxy) {
    let proxy = http::failing(local_astra().layout.ports.pulsar.broker, whole, then);
    let url = format!("pulsar://127.0.0.1:{}", proxy.port);
    (with(BROKER, url), proxy)
}

/// The other client: a request to the admin API with the tenant's token.
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

/// The names of the topics and namespaces that a run has made. Its first line tells those of others, too.
fn named(ended: &Ended) -> BTreeSet<String> {
    let out = ended.out.lines().filter(|line| !line.starts_with("1. "));
    let out: Vec<&str> = out.collect();
    let text = format!("{}\n{}", out.join("\n"), ended.err);
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !name(c))
        .filter(|word| {
            word.starts_with("rust_sample_topic_") || word.starts_with("rust_sample_namespace_")
        })
        .map(str::to_owned)
        .collect()
}

/// Of these names those that Pulsar still has.
fn left(names: &BTreeSet<String>) -> Vec<&String> {
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

/// What every run that made something must leave: nothing.
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
            let sign = match sample.name.as_str() {
                "pulsar-client-sample" => "the token was refused",
                _ => "401",
            };
            assert!(said.contains(sign), "{said}");
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
    assert!(said.contains("no broker answers"), "{said}");
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
fn a_server_that_does_not_speak_pulsar_is_called_so() {
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
        assert!(said.contains("the port of the"), "{wrong}: {said}");
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
    // Three commands go to the broker before the topic is made: connect, list the topics, and somewhere a ping.
    for whole in [3, 4] {
        let (settings, _proxy) = failing_broker(whole, Then::CutAll);
        let ended = client_sample().run(&settings);
        refused(client_sample(), &settings, &ended);
        left_nothing(&ended);
    }
}

#[test]
fn what_cannot_be_removed_is_named() {
    let tenant = &settings()["ASTRA_STREAMING_NAME"];
    for (sample, whole) in pulsar_samples().zip([4, 1]) {
        let (settings, _proxy) = failing_web(whole, Then::CutAll);
        let ended = sample.run(&settings);
        let said = refused(sample, &settings, &ended);
        let names = named(&ended);
        let left = left(&names);
        assert_eq!(left.len(), 1, "{}: {ended:#?}", sample.name);
        assert!(said.contains(left[0]), "{said}");
        let ours = match left[0].starts_with("rust_sample_namespace_") {
            true => vec![
                format!("persistent/{tenant}/{}/orders", left[0]),
                format!("namespaces/{tenant}/{}", left[0]),
            ],
            false => vec![format!("persistent/{tenant}/default/{}", left[0])],
        };
        for path in ours {
            let (status, said) = ask(Method::DELETE, &path);
            assert_eq!(status, StatusCode::NO_CONTENT, "{path}: {said}");
        }
    }
}

#[test]
fn after_ctrl_c_nothing_is_left() {
    for sample in pulsar_samples() {
        let (whole, (settings, proxy)) = match sample.name.as_str() {
            "pulsar-client-sample" => (3, failing_broker(3, Then::Stall)),
            _ => (4, failing_web(4, Then::Stall)),
        };
        let running = proxy.wait_past(whole, sample.start(&settings));
        running.interrupt();
        let ended = running.end();
        refused(sample, &settings, &ended);
        assert!(ended.err.contains("Stopped by Ctrl-C"), "{ended:#?}");
        left_nothing(&ended);
    }
}

#[test]
fn when_nobody_reads_on_nothing_is_left() {
    for sample in pulsar_samples() {
        let mut running = sample.start(&settings());
        let mut out = BufReader::new(running.child.stdout.take().unwrap());
        let mut read = String::new();
        // Until the line that names what it has made; later ones find no reader.
        while !read.contains("Created") {
            assert_ne!(out.read_line(&mut read).unwrap(), 0, "{read}");
        }
        drop(out);
        let mut ended = running.end();
        assert!(ended.code.is_some_and(|code| code != 0), "{ended:#?}");
        ended.out = read;
        left_nothing(&ended);
    }
}
