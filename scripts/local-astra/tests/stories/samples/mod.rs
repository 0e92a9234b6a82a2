//! Each sample as its user runs it: its output, and the resources that remain.

mod devops_failures;
pub mod devops_samples;
pub mod failures;
mod faults;
mod leftovers;
mod nodes;
mod pulsar;
mod schemas;

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crate::astra::{Ended, Sample, local_astra, samples};
use crate::http::{self, Then};
use failures::through;

/// Returns the texts that a sample must print, in this order.
pub fn story(name: &str) -> &'static [&'static str] {
    match name {
        "rest-sample" => &[
            "1. Found the keyspace\n",
            "2. Wrong token: 401 Unauthorized\n",
            "3. Created table rust_sample_users_",
            "4. Inserted Ada Lovelace and Grace Hopper\n",
            "5. Read by key: [User { first: \"Ada\", last: \"Lovelace\", color: \"blue\" }]\n",
            "6. Found, one row per page: Ada, Grace\n",
            "7. Updated: [User { first: \"Ada\", last: \"Lovelace\", color: \"green\" }]\n",
            "8. Deleted, left: []\n",
            "9. Dropped table rust_sample_users_",
        ],
        "cql-sample" => &[
            "1. Connected to cluster cndb, release 5.0.",
            ", node ",
            "2. Created table rust_sample_books_",
            "3. Inserted Emma and Persuasion\n",
            "4. Read: Emma (1815), Persuasion (1818)\n",
            "5. Read page by page: Emma (1815), Persuasion (1818)\n",
            "6. Updated: Emma (1815), Persuasion (1817)\n",
            "7. Deleted, left: Persuasion (1817)\n",
            "8. Dropped table rust_sample_books_",
        ],
        "grpc-sample" => &[
            "1. Connected to data center ",
            "2. Wrong token: Unauthenticated\n",
            "3. Created table \"test_",
            "4. Inserted Emma and Moby Dick in one batch\n",
            "5. Selected by key: [Book { title: \"Emma\", author: \"Jane Austen\", pages: 474 }]\n",
            "6. Selected all, one row per page: Emma, Moby Dick\n",
            "7. Deleted, left: []\n",
            "8. Dropped table \"test_",
        ],
        "data-api-sample" => &[
            "1. The keyspace has 0 collections\n",
            "2. Created collection rust_sample_books_",
            "3. Inserted 8 books\n",
            "4. Inserted Emma again: 200 OK, but DOCUMENT_ALREADY_EXISTS\n",
            "5. Horror since 1880: Dracula, The Turn of the Screw\n",
            "6. Nearest to scary: The Turn of the Screw 0.988, Frankenstein 0.964, Dracula 0.947\n",
            "7. Nearest to an adventure with a little love, since 1850: \
             Around the World in Eighty Days 0.993, Treasure Island 0.970, Moby-Dick 0.908\n",
            "8. Updated Emma: [\"romance\", \"comedy\"], 1 reader\n",
            "9. Deleted books before 1860, left: 4\n",
            "10. Deleted collection rust_sample_books_",
        ],
        "data-api-tables-sample" => &[
            "1. Created table rust_sample_loans_",
            "2. Created an index on days\n",
            "3. Inserted 4 loans\n",
            "4. Loans of Emma, newest first: 2026-03-02, 2026-01-12\n",
            "5. Over 20 days: Dracula 21, Emma 28\n",
            "6. Updated: [Loan { book: \"Dracula\", date: \"2026-03-16\", days: 10, tags: [\"weekend\"] }]\n",
            "7. Inserted a text as days: 200 OK, but INVALID_COLUMN_VALUES\n",
            "8. Deleted a loan of Dracula, left: 2026-02-20\n",
            "9. Dropped table rust_sample_loans_",
        ],
        "document-sample" => &[
            "1. Found the namespace\n",
            "2. Wrong token: 401 Unauthorized\n",
            "3. Created collection rust_sample_person_",
            "4. Posted Ada: {\"documentId\": \"",
            "5. Put Grace as p1 and Alan as p2\n",
            "6. Read p1: Person { name: \"Grace\", age: 45, address: {\"city\": \"New York\", \"country\": \"US\"} }\n",
            "7. Found, one document per page: Grace, Alan\n",
            "8. Patched p1: {\"city\": \"Arlington\", \"country\": \"US\"}\n",
            "9. Deleted p2, read again: 404 Not Found\n",
            "10. Deleted collection rust_sample_person_",
        ],
        "devops-database-sample" => &[
            "1. Found ",
            "local (10ca1a57-7a00-4000-8000-000000000001, us-east1, ACTIVE)",
            "2. Database local: keyspaces ",
            "; regions us-east1\n",
            "3. Found ",
            " serverless regions: ",
            "4. Kept ",
            "secure-connect-local.zip, which exists; --force replaces it\n",
        ],
        "devops-organization-sample" => &[
            "1. Current organization: 10ca1a57-7a00-4000-8000-00000000000a\n",
            "2. Found 1 user: y***@localhost (active)\n",
            "3. Found ",
            "Database Administrator",
        ],
        "devops-streaming-sample" => &[
            "1. Clouds and regions: aws (useast1, ",
            "2. Found ",
            "rust-samples on pulsar-aws-useast1 (active)",
        ],
        "graphql-cql-first-sample" => &[
            "1. Found the keyspace\n",
            "2. Created table rust_sample_books\n",
            "3. Inserted Emma and Persuasion in one request\n",
            "4. Read by key: [Book { title: Some(\"Emma\"), author: Some(\"Jane Austen\"), year: Some(1815) }]\n",
            "5. Found, one row per page: Emma, Persuasion\n",
            "6. Updated: \
             [Book { title: Some(\"Persuasion\"), author: Some(\"Jane Austen\"), year: Some(1817) }]\n",
            "7. Deleted, left: []\n",
            "8. Dropped table rust_sample_books\n",
        ],
        "graphql-first-sample" => &[
            "1. Found the keyspace\n",
            "2. Deployed src/schema.graphql as version ",
            "   Create table rust_sample_books\n",
            "3. Inserted Emma and Persuasion in one request\n",
            "4. Read by key: [Book { title: \"Emma\", author: \"Jane Austen\", year: 1815 }]\n",
            "5. Updated: [Book { title: \"Persuasion\", author: \"Jane Austen\", year: 1817 }]\n",
            "6. Deleted, left: []\n",
            "7. Undeployed the schema\n",
            "8. Dropped table rust_sample_books\n",
        ],
        "pulsar-client-sample" => &[
            "1. Created topic persistent://",
            "/default/rust_sample_topic_",
            "2. Connected to pulsar",
            "3. Sent Hello World as message ",
            "4. Sent {\"sensor\":\"kitchen\",\"celsius\":21.5} as message ",
            "5. Subscribed at the earliest message\n",
            "6. Received and acknowledged: Hello World\n",
            "7. Received and acknowledged: Reading { sensor: \"kitchen\", celsius: 21.5 }\n",
            "8. Unsubscribed and closed\n",
            "9. Deleted topic persistent://",
        ],
        "pulsar-admin-sample" => &[
            "1. Namespaces: ",
            "/default",
            "2. Wrong token: 401 Unauthorized\n",
            "3. Created namespace rust_sample_namespace_",
            "4. Created topic orders\n",
            "5. Topics: persistent://",
            "/orders\n",
            "6. Created subscription billing\n",
            "7. Statistics: 0 messages, backlog 0\n",
            "8. Deleted topic orders\n",
            "9. Deleted the namespace\n",
        ],
        other => panic!("{other} has no story here: say what it prints"),
    }
}

pub fn told(ended: &Ended, lines: &[&str]) {
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.err, "", "{ended:#?}");
    let mut rest = ended.out.as_str();
    for line in lines {
        let at = rest
            .find(line)
            .unwrap_or_else(|| panic!("{line:?} is not told, or too late: {ended:#?}"));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn each_sample_tells_its_story_twice_and_leaves_nothing() {
    let astra = local_astra().with_pulsar();
    // Those that speak to Pulsar alone are tested with what they leave there.
    let astras = |sample: &&Sample| sample.reads("ASTRA_DB_APPLICATION_TOKEN");
    for sample in samples().iter().filter(astras) {
        let keyspace = astra.keyspace();
        for _ in 0..2 {
            let ended = sample.run(&sample.settings_in(astra, &keyspace));
            told(&ended, story(&sample.name));
            assert_eq!(astra.left_in(&keyspace), [""; 0], "{ended:#?}");
        }
    }
}

#[test]
fn two_at_once_do_not_meet() {
    let astra = local_astra();
    // The GraphQL samples have the name of their table in compiled queries: two runs in one keyspace are not supported.
    let own_names = |sample: &&Sample| sample.has_keyspace() && !sample.name.starts_with("graphql");
    for sample in samples().iter().filter(own_names) {
        let keyspace = astra.keyspace();
        let settings = sample.settings_in(astra, &keyspace);
        let running = [sample.start(&settings), sample.start(&settings)];
        for ended in running.map(|running| running.end()) {
            told(&ended, story(&sample.name));
        }
        assert_eq!(astra.left_in(&keyspace), [""; 0]);
    }
}

#[test]
fn a_document_that_may_come_late_is_reported() {
    let astra = local_astra();
    let sample = samples().iter().find(|s| s.name == "document-sample");
    let keyspace = astra.keyspace();
    let proxy = http::failing(astra.layout.ports.plain, 4, Then::Stall);
    let settings = sample.unwrap().settings_in(astra, &keyspace);
    let settings = through(astra, &settings, proxy.port);
    let running = proxy.wait_past(4, sample.unwrap().start(&settings));
    running.interrupt();
    let ended = running.end();
    // A write to a collection that does not exist creates it.
    let check = "Error: check that collection rust_sample_person_";
    assert!(ended.err.contains(check), "{ended:#?}");
    assert_eq!(astra.left_in(&keyspace), [""; 0], "{ended:#?}");
}

/// Returns the text of a file of each sample that contains it, by the sample's name.
fn files(path: &str) -> BTreeMap<&'static str, String> {
    let all = samples().iter();
    all.filter_map(|sample| {
        let text = std::fs::read_to_string(sample.folder.join(path)).ok()?;
        Some((sample.name.as_str(), text))
    })
    .collect()
}

#[test]
fn the_samples_ask_for_the_same_versions() {
    // A manifest that inherits its versions could not be copied out, so each says its own.
    let mut versions: BTreeMap<String, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for (sample, manifest) in files("Cargo.toml") {
        let dependencies = manifest.split_once("\n[dependencies]\n").unwrap().1;
        for line in dependencies.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, what)) = line.split_once(" = ") else {
                continue;
            };
            let what = what.split_once("version = ").map_or(what, |(_, rest)| rest);
            let Some(version) = what.strip_prefix('"').and_then(|v| v.split('"').next()) else {
                continue;
            };
            let known = versions.entry(name.to_owned()).or_default();
            known.entry(version.to_owned()).or_default().push(sample);
        }
    }
    assert!(versions.len() > 5, "{versions:?}");
    for (name, known) in versions {
        assert_eq!(known.len(), 1, "{name}: {known:?}");
    }
}

/// Removes the `const` items, which differ between samples.
fn without_constants(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        inside |= line.starts_with("const ");
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= !line.ends_with(';');
    }
    kept
}

#[test]
fn a_helper_with_the_same_name_is_the_same_but_for_its_constants() {
    for helper in ["http.rs", "graphql.rs", "data_api.rs"] {
        let mut known: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (sample, text) in files(&format!("src/{helper}")) {
            known
                .entry(without_constants(&text))
                .or_default()
                .push(sample);
        }
        let groups: Vec<_> = known.values().collect();
        assert!(groups.len() < 2, "{helper} differs between {groups:?}");
    }
}

#[test]
fn the_wait_of_the_devops_samples_is_the_same_in_each() {
    let mut waits = Vec::new();
    for file in ["src/create.rs", "src/token.rs", "src/delete.rs"] {
        for (sample, text) in files(file) {
            let from = text
                .find("async fn wait_until(")
                .unwrap_or_else(|| panic!("{sample} has no wait_until in {file}"));
            let end = text[from..].find("\n}\n").unwrap();
            waits.push(text[from..from + end].to_owned());
        }
    }
    assert_eq!(waits.len(), 3);
    waits.dedup();
    assert_eq!(waits.len(), 1, "{waits:#?}");
}

#[test]
fn only_constants_may_differ() {
    let text = "//! Doc.\n\nconst A: &str = \"a\";\nconst B: &str =\n    \"b; c\";\n\nfn d() {}\n";
    assert_eq!(without_constants(text), "//! Doc.\n\n\nfn d() {}\n");
}

/// Maximum number of lines of a `main.rs`.
fn longest_main(sample: &str) -> usize {
    if sample.starts_with("data-api-") {
        170
    } else {
        140
    }
}

/// Maximum number of lines of each other file of a sample.
fn longest_helper(sample: &str) -> usize {
    match sample {
        "rest-sample" | "document-sample" | "pulsar-admin-sample" | "pulsar-client-sample" => 70,
        "graphql-cql-first-sample" => 80,
        "graphql-first-sample" => 110,
        "grpc-sample" => 85,
        "cql-sample" => 60,
        _ => 90,
    }
}

#[test]
fn a_sample_is_as_short_as_its_page_promises() {
    let mut wrong = Vec::new();
    let mut total = 0;
    for sample in samples() {
        let name = sample.name.as_str();
        for entry in std::fs::read_dir(sample.folder.join("src")).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().and_then(OsStr::to_str).unwrap().to_owned();
            if !file.ends_with(".rs") {
                continue;
            }
            let lines = std::fs::read_to_string(path).unwrap().lines().count();
            let most = match file.as_str() {
                "main.rs" => longest_main(name),
                "cleanup.rs" | "wait.rs" | "flags.rs" | "request.rs" => 0,
                _ => longest_helper(name),
            };
            if lines > most {
                wrong.push(format!("{name}: {file} has {lines} lines, not {most}"));
            }
            if !name.starts_with("data-api-") {
                total += lines;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(total < 3_200, "{total} lines in all");
}

#[test]
fn a_manifest_holds_what_cargo_needs_and_nothing_else() {
    let mut wrong = Vec::new();
    for (sample, manifest) in files("Cargo.toml") {
        for sign in ["metadata", "workspace = true"] {
            if manifest.contains(sign) {
                wrong.push(format!("{sample}: {sign:?}"));
            }
        }
        if !manifest.contains("\nanyhow = \"1\"\n") {
            wrong.push(format!("{sample}: anyhow is not \"1\""));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the lines of a program's header without the comment marks.
pub fn header(program: &str) -> Vec<&str> {
    let lines = program.lines();
    let header = lines.map_while(|line| line.strip_prefix("//!"));
    header.map(str::trim).collect()
}

#[test]
fn a_header_has_a_sentence_numbered_steps_prerequisites_and_usage() {
    let mut wrong = Vec::new();
    for (sample, program) in files("src/main.rs") {
        let header = header(&program);
        let parts: Vec<&str> = header.split(|line| line.is_empty()).map(|p| p[0]).collect();
        let usage = format!("cargo run -p {sample}");
        let form = [
            header.first().is_some_and(|line| line.ends_with('.')),
            parts.get(1).is_some_and(|line| line.starts_with("1. ")),
            parts.contains(&"# Prerequisites"),
            parts.contains(&"# Usage"),
            header.iter().any(|line| line.starts_with(&usage)),
        ];
        if form.contains(&false) {
            wrong.push(format!("{sample}: {form:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
