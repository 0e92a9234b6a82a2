//! Each sample, as its user runs it: what it prints, what it leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::astra::{Ended, Sample, local_astra, samples};

/// What the story of a sample must have printed, in this order.
pub fn story(name: &str) -> &'static [&'static str] {
    match name {
        "rest-sample" => &[
            "1. Found keyspace test_",
            "2. Wrong token: 401 Unauthorized, ",
            "3. Created table rust_sample_users_",
            "4. Inserted Ada Lovelace and Grace Hopper\n",
            "5. Read by key: User { first: \"Ada\", last: \"Lovelace\", color: \"blue\" }\n",
            "6. Found in pages of one: Ada, Grace\n",
            "7. Changed one column: User { first: \"Ada\", last: \"Lovelace\", color: \"green\" }\n",
            "8. Deleted that row, read again: count 0\n",
            "9. Dropped table rust_sample_users_",
        ],
        "cql-sample" => &[
            "1. Cluster cndb, release 5.0.",
            ", node ",
            "2. Created table rust_sample_books_",
            "3. Inserted two books with one prepared statement",
            "4. Read: Emma (1815), Persuasion (1818)\n",
            "5. Read in pages of one: Emma (1815), Persuasion (1818)\n",
            "6. Changed a year, read again: Emma (1815), Persuasion (1817)\n",
            "7. Deleted Emma, left: Persuasion (1817)\n",
            "8. Dropped table rust_sample_books_",
        ],
        "grpc-sample" => &[
            "Connected to data center datacenter1",
            "Wrong token: Unauthenticated",
            "Created table",
            "Inserted Emma and Moby Dick",
            "Book { title: \"Emma\", author: \"Jane Austen\", pages: 474 }",
            "in pages of one: ",
            "selected again: 0 rows",
            "Dropped table",
        ],
        "document-sample" => &[
            "1. Found namespace",
            "2. Wrong token: 401",
            "3. Created collection rust_sample_person_",
            "4. Posted Ada: the id is ",
            "6. Read p1: Person { name: \"Grace\", age: 45",
            "7. Found who is 40 or more, in pages of one: ",
            "8. Changed the city of p1, read its address: Address { city: \"Arlington\", country: \"USA\" }",
            "9. Deleted p2, read again: 404",
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
            "1. Found keyspace test_",
            ", tables in it: 0\n",
            "2. Created table rust_sample_books\n",
            "3. Inserted Emma and Persuasion in one request\n",
            "4. Read by key: [Book { title: Some(\"Emma\"), author: Some(\"Jane Austen\"), year: Some(1815) }]\n",
            "5. Found in pages of one: Emma, Persuasion\n",
            "6. Changed a year, read again: \
             [Book { title: Some(\"Persuasion\"), author: Some(\"Jane Austen\"), year: Some(1817) }]\n",
            "7. Deleted Emma, read again: 0 books\n",
            "8. Dropped table rust_sample_books\n",
        ],
        "graphql-first-sample" => &[
            "1. Keyspace test_",
            ", version of its last schema: ",
            "2. Deployed src/schema.graphql as version ",
            ": Create table rust_sample_books\n",
            "3. Inserted Emma and Persuasion in one request\n",
            "4. Read by title: [Book { title: \"Emma\", author: \"Jane Austen\", year: 1815 }]\n",
            "5. Changed a year, read again: [Book { title: \"Persuasion\", author: \"Jane Austen\", year: 1817 }]\n",
            "6. Deleted Emma, read again: 0 books\n",
            "7. Undeployed version ",
            "8. Dropped table rust_sample_books\n",
        ],
        "pulsar-client-sample" => &[
            "1. Connected to pulsar",
            "2. Created topic persistent://",
            "/default/rust_sample_topic_",
            "3. Sent Hello World as message ",
            "4. Sent {\"sensor\":\"kitchen\",\"celsius\":21.5} as message ",
            "5. Subscribed as rust_sample_subscription, at the earliest message\n",
            "6. Received and acknowledged: Hello World\n",
            "7. Received and acknowledged: Reading { sensor: \"kitchen\", celsius: 21.5 }\n",
            "8. Unsubscribed and closed\n",
            "9. Deleted topic persistent://",
        ],
        "pulsar-admin-sample" => &[
            "1. Namespaces of tenant ",
            "/default",
            "2. Wrong token: 401 Unauthorized, ",
            "3. Created namespace ",
            "/rust_sample_namespace_",
            "4. Created topic orders\n",
            "5. Topics there: persistent://",
            "/orders\n",
            "6. Created subscription billing, at the earliest message\n",
            "7. Stats: 0 messages came in, 0 bytes are stored, backlog of billing: 0\n",
            "8. Deleted topic orders\n",
            "9. Deleted namespace ",
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
    // GraphQL's queries are compiled, and with them the name of the table.
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
fn two_at_once_that_share_a_name_leave_each_other_alone() {
    let astra = local_astra();
    for sample in samples().iter().filter(|s| s.name.starts_with("graphql")) {
        let keyspace = astra.keyspace();
        let settings = sample.settings_in(astra, &keyspace);
        let running = [sample.start(&settings), sample.start(&settings)];
        let ended = running.map(|running| running.end());
        let done = ended.iter().filter(|ended| ended.code == Some(0));
        assert!(done.clone().count() > 0, "{ended:#?}");
        done.for_each(|ended| told(ended, story(&sample.name)));
        for ended in ended.iter().filter(|ended| ended.code != Some(0)) {
            assert!(ended.err.contains("README.md tells how"), "{ended:#?}");
        }
        assert_eq!(astra.left_in(&keyspace), [""; 0], "{ended:#?}");
    }
}

/// What `shared` reads for a sample.
fn read_by(name: &str) -> &'static [&'static str] {
    match name {
        "cql-sample" => shared::Cql::NAMES,
        "rest-sample" => shared::Rest::NAMES,
        "document-sample" => shared::Document::NAMES,
        "graphql-cql-first-sample" => shared::GraphqlCqlFirst::NAMES,
        "graphql-first-sample" => shared::GraphqlFirst::NAMES,
        "grpc-sample" => shared::Grpc::NAMES,
        "pulsar-client-sample" => shared::PulsarClient::NAMES,
        "pulsar-admin-sample" => shared::PulsarAdmin::NAMES,
        "devops-database-sample" => shared::DevopsDatabase::NAMES,
        "devops-organization-sample" => shared::DevopsOrganization::NAMES,
        "devops-streaming-sample" => shared::DevopsStreaming::NAMES,
        other => panic!("{other} reads no settings of shared"),
    }
}

#[test]
fn a_manifest_lists_what_its_sample_reads() {
    for sample in samples() {
        let listed: BTreeSet<&str> = sample.settings.iter().map(String::as_str).collect();
        let read: BTreeSet<&str> = read_by(&sample.name).iter().copied().collect();
        assert_eq!(listed, read, "{}", sample.name);
    }
}

/// The text of a file of each sample that has it, by the sample's name.
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

#[test]
fn what_samples_have_in_common_is_the_same_in_each() {
    // Each sample stands alone, so each has these files; but for what they use they are the same.
    let own = |line: &&str| !line.starts_with("use crate::");
    for (file, in_how_many) in [("cleanup.rs", 11), ("wait.rs", 3), ("flags.rs", 3)] {
        let texts = files(&format!("src/{file}"));
        assert!(texts.len() >= in_how_many, "{file}: {:?}", texts.keys());
        let all: BTreeSet<String> = texts
            .values()
            .map(|text| text.lines().filter(own).collect::<Vec<_>>().join("\n"))
            .collect();
        assert_eq!(all.len(), 1, "{file}: {all:#?}");
    }
}

/// Functions of `request.rs`, and samples in which they are the same: a fix of one is a fix of all.
const SHARED_FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "innermost",
        &[
            "rest",
            "document",
            "graphql-cql-first",
            "graphql-first",
            "pulsar-client",
            "pulsar-admin",
            "devops-database",
            "devops-organization",
            "devops-streaming",
        ],
    ),
    (
        "may_be_done",
        &[
            "rest",
            "document",
            "pulsar-client",
            "pulsar-admin",
            "devops-database",
            "devops-organization",
            "devops-streaming",
        ],
    ),
    (
        "client",
        &["rest", "document", "graphql-cql-first", "graphql-first"],
    ),
    ("client", &["devops-organization", "devops-streaming"]),
    ("client", &["pulsar-client", "pulsar-admin"]),
    ("send", &["rest", "document", "pulsar-admin"]),
    ("send", &["devops-organization", "devops-streaming"]),
    ("exchange", &["rest", "document"]),
    ("exchange", &["graphql-cql-first", "graphql-first"]),
    ("said", &["rest", "document"]),
    ("said", &["pulsar-client", "pulsar-admin"]),
    (
        "said",
        &["devops-database", "devops-organization", "devops-streaming"],
    ),
    ("shorten", &["rest", "document", "graphql-cql-first"]),
    ("shorten", &["pulsar-client", "pulsar-admin"]),
    (
        "shorten",
        &["devops-database", "devops-organization", "devops-streaming"],
    ),
];

#[test]
fn functions_that_samples_have_in_common_are_the_same_in_each() {
    let texts = files("src/request.rs");
    for (name, samples) in SHARED_FUNCTIONS {
        let all: BTreeSet<&str> = samples
            .iter()
            .map(|sample| {
                let text = &texts[format!("{sample}-sample").as_str()];
                function(text, name).unwrap_or_else(|| panic!("{sample} has no {name}"))
            })
            .collect();
        assert_eq!(all.len(), 1, "{name} of {samples:?}: {all:#?}");
    }
}

/// The text of a function that is in no other item, from its name to the brace that ends it.
fn function<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = [format!("fn {name}("), format!("fn {name}<")];
    let at = start.iter().find_map(|start| text.find(start.as_str()))?;
    let end = text[at..].find("\n}\n")?;
    Some(&text[at..at + end])
}

#[test]
fn a_function_ends_with_its_brace() {
    let text = "fn ab() {\n    1\n}\n\nfn a<T>() {\n    {\n    }\n}\n";
    assert_eq!(function(text, "ab"), Some("fn ab() {\n    1"));
    assert_eq!(function(text, "a"), Some("fn a<T>() {\n    {\n    }"));
    assert_eq!(function(text, "b"), None);
}
