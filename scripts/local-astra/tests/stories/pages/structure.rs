//! The headings of the samples' pages, the table of the main page, and the names of settings.

use std::collections::BTreeSet;

use pulldown_cmark::HeadingLevel;

use super::{Page, pages};
use crate::astra::{samples, workspace};

/// The sections of a sample's page, in this order.
const SECTIONS: [&str; 7] = [
    "Overview",
    "Prerequisites [ASTRA]",
    "Prerequisites [Development Environment]",
    "Setup Project",
    "Sample Code",
    "Output",
    "Clean up",
];

/// Returns a sample's number on the docs page of all languages, and the further sections of its page.
fn numbers(sample: &str) -> (&'static str, &'static [&'static str]) {
    match sample {
        "cql-sample" => ("3.1", &["3.2 Astra SDK"]),
        "rest-sample" => ("4.1", &["4.2 Astra SDK"]),
        "document-sample" => ("5.1", &["5.2 Astra SDK"]),
        "graphql-cql-first-sample" => ("6.1", &[]),
        "graphql-first-sample" => ("6.2", &[]),
        "grpc-sample" => ("7.1", &["7.2 Astra SDK"]),
        "pulsar-client-sample" => ("8.1", &["8.2 Astra SDK"]),
        "pulsar-admin-sample" => ("9", &[]),
        "devops-database-sample" => ("10", &[]),
        "devops-organization-sample" => ("11", &[]),
        "devops-streaming-sample" => ("12", &[]),
        "data-api-sample" => ("13.1", &["13.3 Astra SDK", "13.4 From the Document API"]),
        "data-api-tables-sample" => ("13.2", &[]),
        other => panic!("{other} has no number here: add the one of the docs page"),
    }
}

#[test]
fn a_sample_s_page_has_its_number_and_the_sections_in_their_order() {
    for sample in samples() {
        let headings = Page::of(sample).headings();
        let (number, others) = numbers(&sample.name);
        let title = &headings[0];
        assert_eq!(title.level, HeadingLevel::H1, "{}", sample.name);
        assert!(
            title.text.starts_with(&format!("{number} ")),
            "{}: its number is {number}, not as in: {}",
            sample.name,
            title.text
        );
        let below = &headings[1..];
        assert!(below.iter().all(|h| h.level != HeadingLevel::H1));
        let sections: Vec<&str> = below
            .iter()
            .filter(|heading| heading.level == HeadingLevel::H2)
            .map(|heading| heading.text.as_str())
            .collect();
        let wanted = [&SECTIONS, others].concat();
        assert_eq!(sections, wanted, "{}", sample.name);
    }
}

#[test]
fn no_heading_is_without_text() {
    let all = pages();
    assert!(all.len() > samples().len(), "pages are missing");
    for page in all {
        let name = page.path.display();
        for heading in page.headings() {
            let (line, text) = (heading.line, heading.text);
            assert!(!text.is_empty(), "{name}:{line}: an empty heading");
            // A title may stand right before the first section.
            assert!(
                heading.followed || heading.level == HeadingLevel::H1,
                "{name}:{line}: nothing under {text}"
            );
        }
    }
}

#[test]
fn the_table_of_interfaces_has_each_sample_once() {
    let page = Page::read("README.md".as_ref());
    let mut sections = page.text.split("\n## ");
    let table = sections
        .find(|section| section.starts_with("Interfaces\n"))
        .expect("README.md has a section Interfaces");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .skip(2)
        .collect();
    for sample in samples() {
        let folder = sample.folder.strip_prefix(workspace()).unwrap();
        let link = format!("[`{}`]({})", sample.name, folder.display());
        let of_it: Vec<_> = rows.iter().filter(|row| row[0] == link).collect();
        assert_eq!(of_it.len(), 1, "{link} in the table of README.md");
        // Every deprecated interface has a successor.
        let row = of_it[0];
        assert_eq!(row[2] == "current", row[3].is_empty(), "{row:?}");
    }
    assert_eq!(
        rows.len(),
        samples().len(),
        "a row without a sample: {rows:#?}"
    );
}

#[test]
fn the_first_page_begins_with_a_run() {
    let page = Page::read("README.md".as_ref());
    let lines: Vec<&str> = page.text.lines().collect();
    let run = lines
        .iter()
        .position(|l| *l == "cargo local run rest-sample");
    assert!(run.is_some_and(|line| line < 15), "{run:?}");
    let mut blocks = page.blocks().into_iter();
    assert_eq!(blocks.next().unwrap().code, "cargo local run rest-sample\n");
    assert_eq!(blocks.next().unwrap().language, "text");
}

/// Returns the names of settings in a text.
fn settings(text: &str) -> BTreeSet<&str> {
    let name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let ours = |word: &&str| word.starts_with("ASTRA_") || word.starts_with("CASSANDRA_");
    text.split(|c| !name(c)).filter(ours).collect()
}

#[test]
fn each_setting_in_a_page_exists() {
    let known: BTreeSet<&str> = shared::ALL.iter().map(|setting| setting.name).collect();
    for page in pages() {
        for name in settings(&page.text) {
            // `ASTRA_STREAMING_` means those that begin so.
            let group = name.ends_with('_') && known.iter().any(|known| known.starts_with(name));
            let path = page.path.display();
            assert!(
                group || known.contains(name),
                "{path}: {name} is not in shared"
            );
        }
    }
}

#[test]
fn a_sample_s_page_names_no_setting_that_it_does_not_read() {
    for sample in samples() {
        let page = Page::of(sample);
        let named = settings(&page.text);
        assert!(!named.is_empty(), "{}", sample.name);
        for name in named {
            assert!(sample.reads(name), "{} does not read {name}", sample.name);
        }
    }
}
