use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::*;
use crate::BundleError;
use engines::java;
use engines::java::Search;

fn unzipped(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().to_string(), bytes)
        })
        .collect()
}

/// Path of the kept key stores.
fn stores(folder: &Path) -> PathBuf {
    folder.join(format!("client-{DATABASE}.stores.json"))
}

async fn made(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let catalog = watch::channel(catalog(&[])).1;
    let bundles = bundles(&authority(folder), catalog, [29080, 29042]);
    let file = folder.join("bundle.zip");
    bundles.write(DATABASE, &file).await.unwrap();
    for private in [&file, &stores(folder)] {
        let mode = fs::metadata(private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", private.display());
    }
    unzipped(&fs::read(&file).unwrap())
}

#[tokio::test]
async fn the_zip_has_all_files_of_a_real_one() {
    let folder = tempfile::tempdir().unwrap();
    let files = made(folder.path()).await;
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "ca.crt",
            "cert",
            "cert.pfx",
            "config.json",
            "cqlshrc",
            "identity.jks",
            "key",
            "trustStore.jks"
        ]
    );
    let mut config: Value = serde_json::from_slice(&files["config.json"]).unwrap();
    let passwords = ["keyStorePassword", "trustStorePassword", "pfxCertPassword"]
        .map(|key| config.as_object_mut().unwrap().remove(key).unwrap());
    assert!(
        passwords
            .iter()
            .all(|password| password.as_str().unwrap().len() == 32)
    );
    assert_ne!(passwords[0], passwords[1]);
    assert_eq!(
        config,
        json!({
            "host": "localhost", "port": 29080, "cql_port": 29042, "keyspace": "books",
            "localDC": "us-east1", "caCertLocation": "./ca.crt", "keyLocation": "./key",
            "certLocation": "./cert", "keyStoreLocation": "./identity.jks",
            "trustStoreLocation": "./trustStore.jks", "csvLocation": "./data",
        })
    );
    assert!(files["key"].starts_with(b"-----BEGIN PRIVATE KEY-----"));
    let cqlshrc = String::from_utf8(files["cqlshrc"].clone()).unwrap();
    assert!(
        cqlshrc.contains("hostname = localhost\nport = 29042\nssl = true"),
        "{cqlshrc}"
    );
}

#[tokio::test]
async fn there_is_no_bundle_of_an_unknown_database() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = watch::channel(catalog(&[])).1;
    let bundles = bundles(&authority(folder.path()), catalog, [1, 2]);
    let error = bundles.secure_connect(Uuid::nil()).await.unwrap_err();
    assert!(matches!(error, BundleError::UnknownDatabase(_)));
}

/// Opens them as both types: drivers specify JKS, and newer ones let Java choose.
#[tokio::test]
async fn java_opens_the_key_stores() {
    let folder = tempfile::tempdir().unwrap();
    let files = made(folder.path()).await;
    let config: Value = serde_json::from_slice(&files["config.json"]).unwrap();
    let keytool = java::find(&Search::here())
        .await
        .unwrap()
        .home
        .join("bin/keytool");
    for (file, password, entry) in [
        ("identity.jks", "keyStorePassword", "PrivateKeyEntry"),
        ("cert.pfx", "pfxCertPassword", "PrivateKeyEntry"),
        ("trustStore.jks", "trustStorePassword", "trustedCertEntry"),
    ] {
        let path = folder.path().join(file);
        fs::write(&path, &files[file]).unwrap();
        for kind in ["JKS", "PKCS12"] {
            let listed = Command::new(&keytool)
                .args(["-J-Duser.language=en", "-list", "-storetype", kind])
                .arg("-keystore")
                .arg(&path)
                .args(["-storepass", config[password].as_str().unwrap()])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&listed.stdout);
            assert!(
                listed.status.success() && said.contains(entry),
                "{file} as {kind}: {said}"
            );
        }
        let wrong = Command::new(&keytool)
            .args(["-list", "-storepass", "another password", "-keystore"])
            .arg(&path)
            .output()
            .unwrap();
        assert!(!wrong.status.success(), "{file} opens with any password");
    }
}

#[tokio::test]
async fn key_stores_are_kept_for_as_long_as_their_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let first = made(folder.path()).await;
    let names = ["config.json", "cert.pfx", "identity.jks", "trustStore.jks"];
    let again = made(folder.path()).await;
    for name in names {
        assert!(first[name] == again[name], "{name} is another");
    }
    fs::remove_file(folder.path().join(format!("client-{DATABASE}.pem"))).unwrap();
    let new = made(folder.path()).await;
    for name in names {
        assert!(first[name] != new[name], "{name} is the old one");
    }
    fs::write(stores(folder.path()), "half of a fi").unwrap();
    let mended = made(folder.path()).await;
    assert!(new["cert"] == mended["cert"] && new["cert.pfx"] != mended["cert.pfx"]);
}

#[tokio::test]
async fn concurrent_requests_receive_the_same_key_stores() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = watch::channel(catalog(&[])).1;
    let bundles = bundles(&authority(folder.path()), catalog, [1, 2]);
    let (one, other) = tokio::join!(
        bundles.secure_connect(DATABASE),
        bundles.secure_connect(DATABASE)
    );
    let [one, other] = [one, other].map(|bytes| unzipped(&bytes.unwrap()));
    assert!(one == other);
}
