use std::sync::LazyLock;

use proptest::prelude::*;

use super::stand_in::*;
use crate::secure_connect::{Bundle, Metadata, SecureConnect, SecureConnectError};

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| bundle(&Authority::new(), 29080));

fn parse(bytes: &[u8]) -> String {
    match Bundle::parse(bytes) {
        Ok(_) => "good".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A good bundle, but for what `change` does to its files.
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
async fn what_is_no_bundle_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.zip"), folder.path().to_owned()] {
        let error = SecureConnect::open(&path).await.err().unwrap();
        assert!(matches!(error, SecureConnectError::Unreadable { .. }));
        let path = path.display().to_string();
        assert!(error.to_string().contains(&path), "{error}");
    }
    let large = vec![b'P'; 2 * 1024 * 1024];
    assert!(matches!(
        refusal(&large).await,
        SecureConnectError::TooLarge
    ));
    assert!(matches!(refusal(b"").await, SecureConnectError::NotAZip(_)));
    assert!(matches!(
        refusal(b"<html>").await,
        SecureConnectError::NotAZip(_)
    ));
    let half = &GOOD[..GOOD.len() / 2];
    assert!(matches!(
        refusal(half).await,
        SecureConnectError::NotAZip(_)
    ));
}

#[test]
fn each_missing_file_is_named() {
    for name in ["config.json", "ca.crt", "cert", "key"] {
        let message = changed(|files| files.retain(|file| file.0 != name));
        assert!(message.contains(&format!("no file `{name}`")), "{message}");
    }
    let folder = changed(|files| files[0].0 = "bundle/config.json");
    assert!(folder.contains("no file `config.json`"), "{folder}");
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
        // A key that can't be read may be told as the certificate's pair.
        let named =
            message.contains(&format!("`{name}`")) || (name == "key" && message.contains("`cert`"));
        assert!(named, "{name}: {message}");
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
    assert!(message.contains("is not the key of `cert`"), "{message}");
    assert!(!message.contains(&other.key[40..80]));
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
    assert!(dated(-10).contains("has expired"));
    assert!(dated(10).contains("not valid yet"));
    // Another authority's is the server's to refuse, but an expired one is expired.
    let stranger = Authority::new().sign(&["client"], -10);
    let message = parse(&zip(&files(&authority, &stranger, 29080)));
    assert!(message.contains("has expired"), "{message}");
}

#[tokio::test]
async fn a_strange_host_is_no_other_url() {
    let authority = Authority::new();
    for host in [
        "",
        "a b",
        "host/path",
        "user@host",
        "host:1",
        "[::1",
        "a\u{0}b",
    ] {
        let mut files = files(&authority, &authority.sign(&["client"], 0), 29080);
        let config = serde_json::json!({"host": host, "port": 29080});
        files[0].1 = config.to_string().into_bytes();
        let error = refusal(&zip(&files)).await.to_string();
        assert!(error.contains("config.json"), "{host:?}: {error}");
    }
    let error = refusal(&bundle(&authority, 0)).await.to_string();
    assert!(error.contains("config.json"), "{error}");
}

const METADATA: &str = r#"{"version":1,"region":"r","contact_info":{"type":"sni_proxy","local_dc":"dc1",
    "contact_points":["00000000-dead-4eef-8000-000000000001"],"sni_proxy_address":"h.example:29042"}}"#;

#[test]
fn metadata_is_read() {
    let read = Metadata::parse(METADATA.as_bytes()).unwrap();
    let proxy = ("h.example".to_owned(), 29042);
    let host_ids = vec![NODE];
    let local_datacenter = "dc1".to_owned();
    assert_eq!(
        read,
        Metadata {
            proxy,
            host_ids,
            local_datacenter
        }
    );
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
        ("h.example:29042", "h.example:0"),
        ("h.example:29042", ":29042"),
        ("h.example:29042", "h.example:99999"),
        ("h.example:29042", ""),
    ] {
        let changed = METADATA.replace(old, new);
        assert_ne!(changed, METADATA);
        let error = Metadata::parse(changed.as_bytes()).unwrap_err();
        assert!(matches!(error, SecureConnectError::Metadata(_)), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_as_a_bundle_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(Bundle::parse(&bytes).is_err());
    }

    /// Errors or, where the bytes didn't matter, a bundle; never a panic.
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
            prop_assert!(!read.host_ids.is_empty() && read.proxy.1 != 0);
        }
    }
}
