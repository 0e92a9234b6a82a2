//! `.env.example` tells of each setting what it is, which samples read it and where it comes from, and holds
//! nothing else. `copy-sample` leaves this file behind, for a copy has only its own part of `.env.example`.

use std::collections::BTreeMap;

use shared::*;

const SAMPLES: [(&str, &[&str]); 11] = [
    ("cql", Cql::NAMES),
    ("rest", Rest::NAMES),
    ("document", Document::NAMES),
    ("graphql-cql-first", GraphqlCqlFirst::NAMES),
    ("graphql-first", GraphqlFirst::NAMES),
    ("grpc", Grpc::NAMES),
    ("pulsar-client", PulsarClient::NAMES),
    ("pulsar-admin", PulsarAdmin::NAMES),
    ("devops-database", DevopsDatabase::NAMES),
    ("devops-organization", DevopsOrganization::NAMES),
    ("devops-streaming", DevopsStreaming::NAMES),
];

fn example() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Each `NAME=` with the three comment lines above it.
fn entries() -> Vec<(String, [String; 3])> {
    let text = example();
    let lines: Vec<&str> = text.lines().collect();
    let mut entries = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            assert_eq!(value, "", "{name} has a value");
            entries.push((
                name.to_owned(),
                [3, 2, 1].map(|above| lines[index - above].to_owned()),
            ));
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "{line}");
        }
    }
    entries
}

#[test]
fn it_has_every_setting_once_and_in_order() {
    let names: Vec<String> = entries().into_iter().map(|(name, _)| name).collect();
    let all: Vec<&str> = ALL.iter().map(|setting| setting.name).collect();
    assert_eq!(names, all);
}

#[test]
fn it_says_what_a_setting_is_who_reads_it_and_how_to_get_it() {
    let entries: BTreeMap<String, [String; 3]> = entries().into_iter().collect();
    for setting in ALL {
        let readers: Vec<&str> = SAMPLES
            .iter()
            .filter(|(_, names)| names.contains(&setting.name))
            .map(|(sample, _)| *sample)
            .collect();
        assert!(!readers.is_empty(), "nobody reads {}", setting.name);
        let expected = [
            format!("# {}", setting.what),
            format!("#   from: {}", setting.get),
            format!("#   for: {}", readers.join(", ")),
        ];
        assert_eq!(
            entries.get(setting.name),
            Some(&expected),
            "{}",
            setting.name
        );
    }
}
