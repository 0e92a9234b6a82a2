//! `scripts/one-page`: the pages as the one page of the docs site, complete and without dead links.

use std::collections::BTreeSet;
use std::process::Command;

use pulldown_cmark::{Event, HeadingLevel, Tag};

use super::Page;
use super::links::anchors;
use crate::astra::{samples, workspace};

/// The numbers and names of the sections of the docs site.
const SECTIONS: [&str; 12] = [
    "1. Overview",
    "2. Interfaces List",
    "3. CQL",
    "4. Stargate REST API",
    "5. Stargate Document API",
    "6. Stargate GraphQL",
    "7. Stargate gRPC",
    "8. Pulsar Client",
    "9. Pulsar Admin",
    "10. DevOps API Database",
    "11. DevOps API Organization",
    "12. DevOps API Streaming",
];

fn one_page(arguments: &[&str]) -> Page {
    let output = Command::new(workspace().join("scripts/one-page"))
        .args(arguments)
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    Page {
        path: "rust.md".into(),
        text: String::from_utf8(output.stdout).unwrap(),
    }
}

fn links(page: &Page) -> Vec<String> {
    let link = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    };
    page.events().filter_map(|(event, _)| link(event)).collect()
}

/// Number of a section, part by part: `3.2` comes before `10`.
fn number(heading: &str) -> Vec<u8> {
    let (number, _) = heading.split_once(' ').unwrap_or((heading, ""));
    let parts: Result<_, _> = number
        .trim_end_matches('.')
        .split('.')
        .map(str::parse)
        .collect();
    parts.unwrap_or_else(|_| panic!("no number: {heading}"))
}

#[test]
fn it_has_the_sections_of_the_docs_site_in_their_order() {
    let page = one_page(&[]);
    let headings = page.headings();
    let top: Vec<&str> = headings
        .iter()
        .filter(|heading| heading.level == HeadingLevel::H2)
        .map(|heading| heading.text.as_str())
        .collect();
    assert!(top.starts_with(&SECTIONS), "{top:?}");
    let numbers: Vec<Vec<u8>> = headings.iter().map(|h| number(&h.text)).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let unique: BTreeSet<_> = numbers.iter().collect();
    assert_eq!(unique.len(), numbers.len(), "{numbers:?}");
    for sdk in [[3, 2], [4, 2], [5, 2], [7, 2], [8, 2]] {
        assert!(numbers.contains(&sdk.to_vec()), "{sdk:?}: {numbers:?}");
    }
    for heading in headings {
        let before_the_next = heading.text.starts_with(|c: char| c.is_ascii_digit());
        assert!(heading.followed || before_the_next, "{}", heading.text);
    }
    assert!(!page.text.contains("TODO"));
}

#[test]
fn it_has_everything_of_each_page() {
    let page = one_page(&[]);
    let shown: Vec<String> = page.blocks().into_iter().map(|block| block.code).collect();
    for sample in samples() {
        let name = &sample.name;
        let own = Page::of(sample);
        for block in own.blocks() {
            assert!(shown.contains(&block.code), "{name}: {}", block.code);
        }
        let title = own.headings().remove(0).text;
        for heading in own.headings() {
            let text = heading.text;
            // A page that is a whole section has the name of the section instead of its title.
            let whole = text == title && !number(&text).contains(&0) && number(&text).len() == 1;
            let bold = page.text.contains(&format!("{text}**\n"));
            let headings = page.headings();
            let kept = headings.iter().any(|known| known.text == text);
            assert!(whole || bold || kept, "{name}: {text}");
        }
        let words = |text: &str| -> BTreeSet<String> {
            let words = text.split_whitespace().filter(|word| !word.contains("]("));
            words
                .map(|word| word.trim_matches('*').to_owned())
                .collect()
        };
        let body = own.text.split_once('\n').unwrap().1;
        let missing: Vec<_> = words(body)
            .difference(&words(&page.text))
            .cloned()
            .collect();
        // A link that is wrapped in its middle is not recognized above.
        let missing = missing.iter().filter(|word| !word.contains(['[', ']']));
        assert_eq!(missing.collect::<Vec<_>>(), [""; 0], "{name}");
    }
}

#[test]
fn no_link_in_it_is_dead() {
    let page = one_page(&[]);
    let known = anchors(&page);
    let found = links(&page);
    assert!(found.len() > samples().len(), "{found:?}");
    for link in found {
        let anchor = link.strip_prefix('#');
        let live = anchor.map_or(link.contains("://"), |anchor| known.contains(anchor));
        assert!(live, "{link}: {known:?}");
    }
    // The table of the interfaces leads to each section of a sample.
    let (_, list) = page.text.split_once("## 2. Interfaces List").unwrap();
    let (list, _) = list.split_once("\n## ").unwrap();
    for sample in samples() {
        let link = format!("| [`{}`](#", sample.name);
        assert!(list.contains(&link), "{}", sample.name);
    }
}

#[test]
fn with_an_address_it_links_to_the_other_files() {
    let address = "https://example.org/owner/name/blob/main";
    let page = one_page(&[address]);
    let mut to_files = 0;
    for link in links(&page) {
        let Some(path) = link.strip_prefix(&format!("{address}/")) else {
            continue;
        };
        let path = path.split('#').next().unwrap();
        assert!(workspace().join(path).exists(), "{link}");
        to_files += 1;
    }
    assert!(to_files > samples().len(), "{to_files} links");
}
