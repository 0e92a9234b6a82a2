use std::sync::LazyLock;

use proptest::prelude::*;

use super::stand_in::*;
use crate::bundle::Bundle;
use crate::metadata::Metadata;
use crate::{Error, SecureConnect};

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| bundle(&Authority::new(), 29080));

fn parse(bytes: &[u8]) -> String {
    match Bundle::parse(bytes) {
        Ok(_) => "good".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Returns the error of a valid bundle whose files were changed by `change`.
fn changed(change: impl Fn(&mut Vec<(&'static str, Vec<u8>)>)) -> String {
    let authority = Authority::new();
    let mut files = files(&authority, &authority.sign(&["client"], 0), 29080);
    change(&mut files);
    parse(&zip(&files))
}

fn replaced(name: &'static str, bytes: &[u8]) -> String {
    changed(|files| {
        let file = files.iter_mut().find(|file| file.0 == name);
        file.unwrap().1 = bytes.to_vec();
    })
}

#[test]
fn a_good_bundle_is_read() {
    assert_eq!(parse(&GOOD), "good");
    // As real ones have it: more keys than are needed.
    let config = r#"{"host":"h.example","port":29080,"cql_port":29042,"keyspace":"k","localDC":"d",
        "caCertLocation":"./ca.crt","keyStorePassword":"x","trustStorePassword":"y","pfxCertPassword":"z"}"#;
    assert_eq!(replaced("config.json", config.as_bytes()), "good");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.zip"), folder.path().to_owned()] {
        let error = SecureConnect::open(&path).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        let path = path.display().to_string();
        assert!(error.to_string().contains(&path), "{error}");
    }
}

#[tokio::test]
async fn other_bytes_are_not_a_bundle() {
    let large = vec![b'P'; 2 * 1024 * 1024];
    let half = &GOOD[..GOOD.len() / 2];
    for (bytes, problem) in [
        (&large[..], "more than"),
        (b"", "not a complete zip"),
        (b"<html>", "not a complete zip"),
        (half, "not a complete zip"),
    ] {
        let (_folder, path) = write(bytes);
        for error in [
            SecureConnect::open(path).await.unwrap_err(),
            SecureConnect::from_bytes(bytes).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::Invalid(_)), "{error}");
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}

#[test]
fn each_missing_file_is_named() {
    for name in ["config.json", "ca.crt", "cert", "key"] {
        let message = changed(|files| files.retain(|file| file.0 != name));
        assert!(message.contains(&format!("`{name}`: ")), "{message}");
        assert!(message.contains("not found"), "{message}");
    }
    let folder = changed(|files| files[0].0 = "bundle/config.json");
    assert!(folder.contains("`config.json`: "), "{folder}");
}

#[test]
fn each_damaged_file_is_named() {
    for (name, bytes) in [
        ("config.json", &b""[..]),
        ("config.json", b"[1, 2]"),
        ("config.json", br#"{"host": "localhost"}"#),
        ("config.json", br#"{"host": "localhost", "port": "29080"}"#),
        ("config.json", br#"{"host": "localhost", "port": 290800}"#),
        ("ca.crt", b"no certificate"),
        (
            "ca.crt",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
        (
            "cert",
            b"-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n",
        ),
        (
            "cert",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
        ("key", b"no key"),
        (
            "key",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ),
    ] {
        let message = replaced(name, bytes);
        assert!(message.contains(&format!("`{name}`")), "{name}: {message}");
    }
}

#[test]
fn a_bomb_stays_small() {
    // 50 MB that pack into 50 kB.
    let message = replaced("config.json", &vec![b' '; 50 * 1024 * 1024]);
    assert!(
        message.contains("`config.json`") && message.contains("more than"),
        "{message}"
    );
}

#[test]
fn the_key_must_be_the_certificates() {
    let other = Authority::new().sign(&["client"], 0);
    let message = replaced("key", other.key.as_bytes());
    assert!(message.contains("`key` and `cert` do not fit"), "{message}");
    assert!(!message.contains(&other.key[40..80]));
}

#[test]
fn a_message_has_nothing_of_the_key_or_the_passwords() {
    let key = Authority::new().sign(&["client"], 0).key;
    let secret = &key.lines().nth(1).unwrap()[..40];
    let as_bytes = format!("{:?}", secret.as_bytes());
    for bad in [
        key.replace('\n', ""),
        key.replace('\n', " "),
        key.replace("-----END", "-----"),
        key.replace("PRIVATE KEY", "PUBLIC KEY"),
        key.replacen("\n", "\n*", 1),
    ] {
        let message = replaced("key", bad.as_bytes());
        assert!(message.contains("`key` is not a private key"), "{message}");
        assert!(!message.contains(secret), "{message}");
        assert!(
            !message.contains(as_bytes.trim_matches(['[', ']'])),
            "{message}"
        );
    }
    for config in [
        r#"{"host": "localhost", "port": "hunter2"}"#,
        r#"{"host": {"keyStorePassword": "hunter2"}, "port": 29080}"#,
        r#"{"keyStorePassword": "hunter2"}"#,
    ] {
        let message = replaced("config.json", config.as_bytes());
        assert!(message.contains("`config.json`"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn dates_count() {
    let authority = Authority::new();
    let dated = |days| {
        parse(&zip(&files(
            &authority,
            &authority.sign(&["client"], days),
            29080,
        )))
    };
    assert_eq!(dated(0), "good");
    assert!(dated(-10).contains("certificate expired"));
    assert!(dated(10).contains("certificate not valid yet"));
    // Another authority's is the server's to refuse, but an expired one is expired.
    let stranger = Authority::new().sign(&["client"], -10);
    let message = parse(&zip(&files(&authority, &stranger, 29080)));
    assert!(message.contains("certificate expired"), "{message}");
}

#[tokio::test]
async fn an_impossible_host_or_port_is_refused() {
    let authority = Authority::new();
    let hosts = [
        "",
        "a b",
        "host/path",
        "user@host",
        "host:1",
        "[::1",
        "a\u{0}b",
    ];
    for (host, port) in hosts
        .map(|host| (host, 29080))
        .into_iter()
        .chain([("h.example", 0)])
    {
        let mut files = files(&authority, &authority.sign(&["client"], 0), 29080);
        let config = serde_json::json!({"host": host, "port": port});
        files[0].1 = config.to_string().into_bytes();
        let error = refusal(&zip(&files)).await;
        assert!(matches!(error, Error::Invalid(_)), "{host:?}: {error}");
        assert!(
            error.to_string().contains("host or port"),
            "{host:?}: {error}"
        );
    }
}

const METADATA: &str = r#"{"version":1,"region":"r","contact_info":{"type":"sni_proxy","local_dc":"dc1",
    "contact_points":["00000000-dead-4eef-8000-000000000001"],"sni_proxy_address":"h.example:29042"}}"#;

#[test]
fn metadata_is_read() {
    let read = Metadata::parse(METADATA.as_bytes()).unwrap();
    let expected = Metadata {
        local_dc: "dc1".to_owned(),
        contact_points: vec![NODE],
        proxy: ("h.example".to_owned(), 29042),
    };
    assert_eq!(read, expected);
    let six = METADATA.replace("h.example:", "[::1]:");
    assert_eq!(Metadata::parse(six.as_bytes()).unwrap().proxy.0, "::1");
}

#[test]
fn metadata_without_what_is_needed_is_refused() {
    for (old, new) in [
        ("contact_info", "other"),
        ("local_dc", "other"),
        ("contact_points", "other"),
        ("sni_proxy_address", "other"),
        (r#"["00000000-dead-4eef-8000-000000000001"]"#, "[]"),
        ("00000000-dead", "no-host-id"),
        ("h.example:29042", "h.example"),
        ("h.example:29042", "h.example:99999"),
        ("h.example:29042", ""),
    ] {
        let changed = METADATA.replace(old, new);
        assert_ne!(changed, METADATA);
        Metadata::parse(changed.as_bytes()).unwrap_err();
    }
}

proptest! {
    #[test]
    fn any_bytes_as_a_bundle_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(Bundle::parse(&bytes).is_err());
    }

    /// Returns an error or, if the bytes do not matter, a bundle, but never panics.
    #[test]
    fn a_bundle_with_other_bytes_in_it_is_no_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = GOOD.clone();
        for (index, byte) in changes {
            bytes[index.index(GOOD.len())] = byte;
        }
        if cut {
            bytes.truncate(end.index(GOOD.len()));
        }
        let _ = Bundle::parse(&bytes);
    }

    #[test]
    fn any_files_in_a_bundle_are_an_error(
        config in ".{0,200}",
        others in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 3),
    ) {
        let config = config.into_bytes();
        let names = ["ca.crt", "cert", "key"];
        let mut files: Vec<_> = names.into_iter().zip(others).collect();
        files.push(("config.json", config));
        prop_assert!(Bundle::parse(&zip(&files)).is_err());
    }

    #[test]
    fn any_bytes_as_metadata_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(Metadata::parse(&bytes).is_err());
    }

    #[test]
    fn metadata_with_other_bytes_in_it_is_no_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = METADATA.as_bytes().to_vec();
        for (index, byte) in changes {
            bytes[index.index(METADATA.len())] = byte;
        }
        if let Ok(read) = Metadata::parse(&bytes) {
            prop_assert!(!read.contact_points.is_empty());
        }
    }
}
