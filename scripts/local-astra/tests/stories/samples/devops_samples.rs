//! The DevOps samples with their flags: the resources they create and remove, and the bundle that one of them keeps.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use sysinfo::Signal;
use tempfile::tempdir;

use crate::astra::{Ended, LocalAstra, RUN_LIMIT, Sample, block_on, local_astra, samples};
use crate::stand_in::devops::Api;

const DATABASE: &str = "devops-database-sample";
const ORGANIZATION: &str = "devops-organization-sample";

pub fn sample(name: &str) -> &'static Sample {
    samples().iter().find(|s| s.name == name).unwrap()
}

/// Creates a database for this test, because changes of keyspaces by other tests would block those of this one. Returns
/// its id.
pub fn database(astra: &LocalAstra, name: &str) -> String {
    let api = Api::of(astra, &astra.application());
    block_on(async {
        let body = json!({"name": name, "keyspace": name, "cloudProvider": "GCP",
            "tier": "serverless", "capacityUnits": 1, "region": "us-east1"});
        let made = api.ask(Method::POST, "/v2/databases", Some(body)).await;
        let id = made.location.unwrap_or_else(|| panic!("{}", made.body));
        api.wait(&id, "ACTIVE").await;
        id
    })
}

pub fn terminate(astra: &LocalAstra, id: &str) {
    let api = Api::of(astra, &astra.application());
    block_on(async {
        let path = format!("/v2/databases/{id}/terminate");
        assert_eq!(api.ask(Method::POST, &path, None).await.status, 202);
        api.wait(id, "TERMINATED").await;
    });
}

fn run(name: &str, flags: &[&str], settings: &BTreeMap<String, String>) -> Ended {
    let ended = sample(name).start_with(flags, settings).end();
    for (name, value) in settings.iter().filter(|(name, _)| name.contains("TOKEN")) {
        let secret = value.rsplit(':').next().unwrap();
        let told = ended.out.contains(secret) || ended.err.contains(secret);
        assert!(secret.is_empty() || !told, "{name}: {ended:#?}");
    }
    ended
}

/// Returns the word after `before`.
pub fn after<'a>(text: &'a str, before: &str) -> &'a str {
    let at = text
        .find(before)
        .unwrap_or_else(|| panic!("{before}: {text}"));
    let rest = &text[at + before.len()..];
    rest.split([' ', ':', ',', '\n']).next().unwrap()
}

fn told(ended: &Ended, lines: &[&str]) {
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let mut rest = ended.out.as_str();
    for line in lines {
        let at = rest
            .find(line)
            .unwrap_or_else(|| panic!("{line}: {ended:#?}"));
        rest = &rest[at + line.len()..];
    }
}

/// Returns true if the keyspace exists in Cassandra.
fn has_keyspace(astra: &LocalAstra, name: &str) -> bool {
    block_on(async {
        let cql = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
        let found = astra.cql().await.query_unpaged(cql, (name,)).await.unwrap();
        found.into_rows_result().unwrap().rows_num() > 0
    })
}

/// Waits until the keyspace is gone, shortly after the request to drop it.
fn goes(astra: &LocalAstra, keyspace: &str) {
    let limit = Instant::now() + RUN_LIMIT;
    while has_keyspace(astra, keyspace) {
        assert!(Instant::now() < limit, "keyspace {keyspace} is left");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Runs the sample to the line of this step, then sends a signal.
fn interrupted(
    flag: &str,
    step: &str,
    signal: Signal,
    settings: &BTreeMap<String, String>,
) -> Ended {
    let mut running = sample(DATABASE).start_with(&[flag], settings);
    let mut out = BufReader::new(running.child.stdout.take().unwrap());
    let (mut line, mut seen) = (String::new(), String::new());
    while !line.starts_with(step) {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "no {step}: {seen}");
        seen += &line;
    }
    running.signal(signal);
    // What it goes on to print must have a reader.
    let rest = std::thread::spawn(move || std::io::read_to_string(out).unwrap());
    let mut ended = running.end();
    ended.out = seen + &rest.join().unwrap();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let name = if signal == Signal::Term {
        "SIGTERM"
    } else {
        "Ctrl-C"
    };
    assert!(
        ended.err.contains(&format!("stopped by {name}")),
        "{ended:#?}"
    );
    assert!(!ended.err.contains("left behind"), "{ended:#?}");
    ended
}

/// Returns the id of a database, given the name from a sample.
pub fn id_of(api: &Api, name: &str) -> Option<String> {
    let all = block_on(api.get("/v2/databases?include=all&limit=100")).body;
    let all = all.as_array().unwrap();
    let found = all
        .iter()
        .find(|database| database["info"]["name"] == name)?;
    Some(found["id"].as_str().unwrap().to_owned())
}

#[test]
fn a_keyspace_comes_and_goes_also_after_ctrl_c() {
    let astra = local_astra();
    let id = database(astra, "sample_keyspace");
    let mut settings = astra.settings("samples");
    settings.insert("ASTRA_DB_ID".into(), id.clone());
    let ended = run(DATABASE, &["--create-keyspace"], &settings);
    told(
        &ended,
        &[
            "5. Created keyspace ",
            "6. ACTIVE after ",
            "7. Deleted keyspace ",
        ],
    );
    assert!(ended.err.contains("Waiting for keyspace "), "{ended:#?}");
    assert!(!has_keyspace(
        astra,
        after(&ended.out, "7. Deleted keyspace ")
    ));

    let api = Api::of(astra, &astra.application());
    for (step, signal) in [("5. ", Signal::Interrupt), ("7. ", Signal::Term)] {
        let ended = interrupted("--create-keyspace", step, signal, &settings);
        goes(astra, after(&ended.out, "5. Created keyspace "));
        block_on(api.wait(&id, "ACTIVE"));
    }
    terminate(astra, &id);
}

#[test]
fn a_database_comes_and_goes_also_after_ctrl_c() {
    let astra = local_astra();
    let settings = astra.settings("samples");
    let ended = run(DATABASE, &["--create-db"], &settings);
    told(
        &ended,
        &[
            "8. Created database ",
            "9. ACTIVE after ",
            "10. Terminated database ",
        ],
    );
    assert!(!has_keyspace(
        astra,
        after(&ended.out, "8. Created database ")
    ));

    let api = Api::of(astra, &astra.application());
    for (step, signal) in [
        ("8. ", Signal::Interrupt),
        ("8. ", Signal::Term),
        ("10. ", Signal::Term),
    ] {
        let ended = interrupted("--create-db", step, signal, &settings);
        let name = after(&ended.out, "8. Created database ");
        assert!(ended.out.contains("10. Terminated database "), "{ended:#?}");
        block_on(api.wait(&id_of(&api, name).unwrap(), "TERMINATED"));
        goes(astra, name);
    }
}

#[test]
fn a_role_and_its_token_come_and_go() {
    let astra = local_astra();
    let ended = run(ORGANIZATION, &["--create-role"], &astra.settings("samples"));
    told(
        &ended,
        &[
            "4. Created role rust_sample_",
            "5. Changed its description: \"Views databases, nothing else\"\n",
            "6. Created a token for the role: client id ",
            "7. The token can list databases; listing roles is denied: 403",
            "8. Revoked tokens: 1, deleted role rust_sample_",
        ],
    );
    assert!(!ended.out.contains("AstraCS:"), "{ended:#?}");
    let role = after(&ended.out, "4. Created role ");
    let client_id = after(&ended.out, "client id ");
    let api = Api::of(astra, &astra.application());
    block_on(async {
        for (path, gone) in [
            ("organizations/roles", role),
            ("clientIdSecrets", client_id),
        ] {
            let list = api.get(&format!("/v2/{path}")).await;
            assert_eq!(list.status, 200);
            assert!(!list.body.to_string().contains(gone), "{gone} is left");
        }
    });
}

#[test]
fn the_downloaded_bundle_is_private_and_leads_cql_to_the_database() {
    let astra = local_astra();
    let folder = tempdir().unwrap();
    let bundle = folder.path().join("mine.zip");
    let mut settings = astra.settings(&astra.keyspace());
    let path = bundle.display().to_string();
    settings.insert("ASTRA_DB_SECURE_BUNDLE_PATH".into(), path);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;

    told(&run(DATABASE, &[], &settings), &["4. Wrote ", "mine.zip: "]);
    assert_eq!(mode(&bundle), 0o600);
    // With the token alone, as somebody has who only ran this.
    let mut login = settings.clone();
    login.remove("ASTRA_DB_CLIENT_ID");
    login.remove("ASTRA_DB_CLIENT_SECRET");
    told(
        &run("cql-sample", &[], &login),
        &["1. Connected to cluster cndb"],
    );

    std::fs::write(&bundle, "mine").unwrap();
    told(&run(DATABASE, &[], &settings), &["4. Kept ", "--force"]);
    assert_eq!(std::fs::read(&bundle).unwrap(), b"mine");
    told(&run(DATABASE, &["--force"], &settings), &["4. Wrote "]);
    assert!(std::fs::read(&bundle).unwrap().starts_with(b"PK"));
    assert_eq!(mode(&bundle), 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_name_of_a_database_never_leads_out_of_the_folder() {
    let astra = local_astra();
    let api = Api::of(astra, &astra.application());
    let name = "x/../../y \u{202e}z";
    let id = block_on(async {
        let body = json!({"name": name, "keyspace": "odd_name", "cloudProvider": "GCP",
            "tier": "serverless", "capacityUnits": 1, "region": "us-east1"});
        let made = api.ask(Method::POST, "/v2/databases", Some(body)).await;
        let id = made.location.unwrap_or_else(|| panic!("{}", made.body));
        api.wait(&id, "ACTIVE").await;
        id
    });
    let mut settings = astra.settings("samples");
    settings.insert("ASTRA_DB_ID".into(), id.clone());
    settings.remove("ASTRA_DB_SECURE_BUNDLE_PATH");
    told(
        &run(DATABASE, &[], &settings),
        &["4. Wrote secure-connect-x_______y__z.zip: "],
    );
    terminate(astra, &id);
}

#[test]
fn an_unknown_flag_is_told_with_those_that_there_are() {
    for (name, known) in [
        (DATABASE, "--create-keyspace, --create-db, --force"),
        (ORGANIZATION, "--create-role"),
    ] {
        let ended = run(name, &["--create-al"], &BTreeMap::new());
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert_eq!(ended.out, "");
        assert!(
            ended.err.contains("unknown flag \"--create-al\"; known "),
            "{ended:#?}"
        );
        assert!(ended.err.contains(known), "{ended:#?}");
    }
}
