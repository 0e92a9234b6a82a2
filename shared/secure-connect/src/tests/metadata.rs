use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stand_in::*;
use crate::Error;

/// Returns the error of a client whose metadata service sends this response.
async fn answered(answer: Vec<u8>) -> Error {
    let authority = Authority::new();
    let tls = authority.tls(&["localhost"], &authority);
    let server = Server::answering(tls, answer).await;
    refusal(&bundle(&authority, server.port)).await
}

#[tokio::test]
async fn a_hibernated_database_is_named() {
    let error = answered(http("401 Unauthorized", r#"{"message":"not now"}"#)).await;
    assert!(matches!(error, Error::NotActive(_)));
    let text = error.to_string();
    assert!(
        text.contains("hibernated or terminated") && text.contains("not now"),
        "{text}"
    );
}

#[tokio::test]
async fn other_answers_are_repeated_on_one_line() {
    let page = format!("<html>\r\n<body>down\u{1b}[31m\u{202e}{}", "x".repeat(5000));
    let error = answered(http("503 Service Unavailable", &page))
        .await
        .to_string();
    assert!(
        error.contains("503 Service Unavailable: <html> <body>down [31m xxx"),
        "{error}"
    );
    assert!(error.len() < 400, "{error}");

    let away = b"HTTP/1.1 302 Found\r\nlocation: https://localhost:1/\r\ncontent-length: 0\r\n\r\n";
    let error = answered(away.to_vec()).await;
    assert!(error.to_string().contains("returned 302 Found"), "{error}");
}

#[tokio::test]
async fn a_good_status_with_a_bad_body_is_refused() {
    for body in ["", "<html>", "{}", "[]", &"[".repeat(100_000)] {
        let error = answered(http("200 OK", body)).await;
        assert!(matches!(error, Error::Metadata(_)), "{error}");
    }
}

#[tokio::test]
async fn an_endless_response_is_cut_off() {
    for (head, said) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "more than 65536 bytes"),
        (
            "HTTP/1.1 503 Busy\r\n\r\n",
            "returned 503 Service Unavailable: xxxx",
        ),
        (
            "HTTP/1.1 200 OK\r\nx: ",
            "the metadata service at localhost",
        ),
    ] {
        let authority = Authority::new();
        let tls = authority.tls(&["localhost"], &authority);
        let server = Server::start(tls, async move |mut stream| {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
        .await;
        let error = refusal(&bundle(&authority, server.port)).await.to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_parse_error_shows_the_place_and_not_the_value() {
    let body = format!(
        r#"{{"contact_info": {{"local_dc": {:?}}}}}"#,
        "y".repeat(9000)
    );
    for body in [&body, r#"{"contact_info": "yyy"}"#] {
        let error = answered(http("200 OK", body)).await.to_string();
        assert!(error.contains("line 1, column "), "{error}");
        assert!(!error.contains("yyy"), "{error}");
    }
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let authority = Authority::new();
    let tls = authority.tls(&["localhost"], &authority);
    let server = Server::start(tls, async |stream| {
        // Nothing moves any more but the clock, which jumps to the next limit.
        tokio::time::pause();
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let error = refusal(&bundle(&authority, server.port)).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().contains("the metadata service"),
        "{error}"
    );
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let error = refusal(&bundle(&Authority::new(), port)).await.to_string();
    let address = format!("the metadata service at localhost:{port}");
    assert!(
        error.contains(&address) && error.contains("refused"),
        "{error}"
    );

    let authority = Authority::new();
    let mut files = files(&authority, &authority.sign(&["client"], 0), 29080);
    files[0].1 = br#"{"host": "nowhere.invalid", "port": 29080}"#.to_vec();
    let error = refusal(&zip(&files)).await.to_string();
    assert!(error.contains("nowhere.invalid:29080"), "{error}");
}

#[tokio::test]
async fn a_foreign_server_is_told_nothing() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    for tls in [
        foreign.tls(&["localhost"], &ours),
        ours.tls(&["other.example"], &ours),
    ] {
        let server = Server::answering(tls, http("200 OK", "{}")).await;
        let error = refusal(&bundle(&ours, server.port)).await;
        assert!(matches!(error, Error::Untrusted { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_foreign_proxy_is_told_nothing() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    for tls in [
        foreign.tls(&["localhost"], &ours),
        // Not even if it is made out to the name that is sent.
        ours.tls(&[&NODE.to_string()], &ours),
    ] {
        let proxy = Server::answering(tls, Vec::new()).await;
        let answer = http("200 OK", &metadata(proxy.port));
        let tls = ours.tls(&["localhost"], &ours);
        let server = Server::answering(tls, answer).await;
        let error = refusal(&bundle(&ours, server.port)).await;
        let proxys = matches!(&error, Error::Untrusted { server, .. } if server.contains("proxy"));
        assert!(proxys, "{error}");
    }
}

#[tokio::test]
async fn a_refused_client_certificate_is_named() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    let server = Server::answering(ours.tls(&["localhost"], &foreign), Vec::new()).await;
    let error = refusal(&bundle(&ours, server.port)).await;
    assert!(matches!(error, Error::Rejected { .. }), "{error}");
}

#[tokio::test]
async fn an_impossible_proxy_is_refused() {
    for address in ["h.example:0", ":29042", "a b:29042", "a/b:29042", "[a]b:1"] {
        let body = metadata(1).replace("localhost:1", address);
        let error = answered(http("200 OK", &body)).await;
        assert!(matches!(error, Error::Metadata(_)), "{error}");
        assert!(
            error.to_string().contains("host or port of the SNI proxy"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_with_an_ip_address_is_reached_if_its_certificate_has_it() {
    let authority = Authority::new();
    for (names, trusted) in [(["127.0.0.1"], true), (["localhost"], false)] {
        let tls = authority.tls(&names, &authority);
        let server = Server::answering(tls, http("401 No", "")).await;
        let config = serde_json::json!({"host": "127.0.0.1", "port": server.port});
        let mut files = files(&authority, &authority.sign(&["client"], 0), 29080);
        files[0].1 = config.to_string().into_bytes();
        let error = refusal(&zip(&files)).await;
        assert_eq!(matches!(error, Error::NotActive(_)), trusted, "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let error = answered(http("200 OK", &metadata(1))).await.to_string();
    assert!(error.contains("the SNI proxy at localhost:1"), "{error}");
}

#[test]
fn any_bytes_as_an_answer_are_an_error() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let authority = Authority::new();
    let config = ProptestConfig::with_cases(48);
    let bytes = proptest::collection::vec(any::<u8>(), 0..2048);
    let start = prop::sample::select(vec!["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n"]);
    proptest!(config, |(start in start, bytes in bytes)| {
        let answer = [start.as_bytes(), &bytes].concat();
        let error = runtime.block_on(async {
            let tls = authority.tls(&["localhost"], &authority);
            let server = Server::answering(tls, answer).await;
            let bundle = bundle(&authority, server.port);
            let opened = refusal(&bundle);
            tokio::time::timeout(Duration::from_secs(60), opened).await
        });
        prop_assert!(error.is_ok(), "it waits");
    });
}
