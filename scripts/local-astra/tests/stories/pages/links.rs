//! Targets of the links.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Tag};

use super::{Page, pages};
use crate::astra::workspace;

/// Every host on the pages. Pages only link to public hosts, never to a mirror or a private machine.
const HOSTS: [&str; 8] = [
    "api.astra.datastax.com",
    "apps.astra.datastax.com",
    "astra.datastax.com",
    "awesome-astra.github.io",
    "crates.io",
    "docs.datastax.com",
    "github.com",
    "streaming.datastax.com",
];

/// Returns GitHub's anchors of a page: lower case, dashes for blanks, without other signs, numbered if repeated.
pub fn anchors(page: &Page) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for heading in page.headings() {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let text = heading.text.to_lowercase();
        let anchor: String = text.chars().filter(kept).collect();
        let anchor = anchor.replace(' ', "-");
        let times = seen.entry(anchor.clone()).or_default();
        anchors.insert(match times {
            0 => anchor,
            _ => format!("{anchor}-{times}"),
        });
        *times += 1;
    }
    anchors
}

/// Resolves `..` and `.`; `None` for a path outside the repository.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => (),
            Component::ParentDir => {
                clean.pop().then_some(())?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

/// The problem of a link, if any.
fn broken(page: &Page, link: &str) -> Option<String> {
    if link.contains("://") {
        return None; // Its host is looked at elsewhere.
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.path.clone(),
        path => match inside(&page.path.parent().unwrap().join(path)) {
            Some(target) if !target.starts_with("target") => target,
            _ => return Some("it leads out of the repository".into()),
        },
    };
    if !workspace().join(&target).exists() {
        return Some(format!("there is no {}", target.display()));
    }
    if anchor.is_empty() {
        return None;
    }
    if target.extension().is_none_or(|extension| extension != "md") {
        return Some("only a page has anchors".into());
    }
    let known = anchors(&Page::read(&target));
    (!known.contains(anchor)).then(|| format!("{} has {known:?}", target.display()))
}

#[test]
fn no_link_inside_the_repository_is_dead() {
    let mut count = 0;
    for page in pages() {
        for (event, range) in page.events() {
            let (Event::Start(Tag::Link { dest_url, .. })
            | Event::Start(Tag::Image { dest_url, .. })) = event
            else {
                continue;
            };
            count += 1;
            let why = broken(&page, &dest_url);
            let (name, line) = (page.path.display(), page.line(range.start));
            assert_eq!(why, None, "{name}:{line}: {dest_url}");
        }
    }
    assert!(count > 50, "{count} links");
}

#[test]
fn a_broken_link_is_noticed() {
    let page = Page {
        path: "samples/rest/README.md".into(),
        text: "# A `b` [C]: d_e\n# Twice\n# Twice\n".into(),
    };
    let found: Vec<String> = anchors(&page).into_iter().collect();
    assert_eq!(found, ["a-b-c-d_e", "twice", "twice-1"]);
    for good in [
        "src",
        "../../shared",
        "../../README.md#with-servers-of-your-own",
        "https://x",
    ] {
        assert_eq!(broken(&page, good), None, "{good}");
    }
    for bad in [
        "src/none.rs",
        "../../../README.md",
        "/etc",
        "../../target",
        "../../README.md#none",
        "src#x",
    ] {
        assert!(broken(&page, bad).is_some(), "{bad}");
    }
}

/// Returns true if a line contains this absolute path, and not only as a part of a longer one.
fn has_path(line: &str, path: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let before = |c: char| part(c) || "/}$~".contains(c);
    line.match_indices(path)
        .any(|(at, _)| !line[..at].ends_with(before) && !line[at + path.len()..].starts_with(part))
}

#[test]
fn a_path_is_found_where_it_begins() {
    assert!(has_path("cd /src/x", "/src") && has_path("`/src`", "/src"));
    for other in ["cd ../src", "a/src", "$root/src", "/srcs"] {
        assert!(!has_path(other, "/src"), "{other}");
    }
}

#[test]
fn a_page_names_no_machine_and_no_mirror() {
    let here = workspace().display().to_string();
    for page in pages() {
        for (number, line) in page.text.lines().enumerate() {
            let at = format!("{}:{}: {line}", page.path.display(), number + 1);
            for path in ["/home", "/Users", "/root", "/work", &here] {
                assert!(!has_path(line, path), "a path of one machine, {at}");
            }
            for url in line
                .replace("http://", "https://")
                .split("https://")
                .skip(1)
            {
                let end = |c: char| !(c.is_alphanumeric() || "-._{}$".contains(c));
                let host = url.split(end).next().unwrap().trim_end_matches(['.', '}']);
                let local = ["localhost", "127.0.0.1", ""].contains(&host);
                let known = HOSTS.iter().any(|known| {
                    let rest = host.strip_suffix(known);
                    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                });
                assert!(local || known, "the host {host:?} is not in HOSTS, {at}");
            }
        }
    }
}
