//! Plans: the statements that find the documents of a filter, and the check above them.
//!
//! Cassandra narrows by elements of sets and entries of maps, all of them ANDed. It knows no OR, no ranges of
//! entries and no absence. So a few statements find candidates, and the whole filter is checked on their columns.

use super::filter::{Filter, Test};
use super::id::Key;
use super::layout::EXIST;

/// Statements that are merged; beyond this all rows are read instead.
const MAX_LEADS: usize = 100;

/// One statement: the tests that Cassandra makes. None of them: all rows.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    pub key: Option<Key>,
    pub tests: Vec<Test>,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// No statement: no document fits.
    pub leads: Vec<Lead>,
    /// The check of the rows that they find; `None` if every one of them fits.
    pub check: Option<Filter>,
}

impl Plan {
    pub fn of(filter: &Filter) -> Plan {
        let filter = simplified(filter.clone());
        if is_never(&filter) {
            return Plan {
                leads: Vec::new(),
                check: None,
            };
        }
        if matches!(&filter, Filter::All(all) if all.is_empty()) {
            return Plan {
                leads: vec![Lead::default()],
                check: None,
            };
        }
        match leads(&filter) {
            Some((leads, true)) => Plan { leads, check: None },
            Some((leads, false)) => Plan {
                leads,
                check: Some(filter),
            },
            None => Plan {
                leads: vec![Lead::default()],
                check: Some(filter),
            },
        }
    }

    /// Returns true if there are statements, and each selects one key.
    pub fn is_by_key(&self) -> bool {
        !self.leads.is_empty() && self.leads.iter().all(|lead| lead.key.is_some())
    }
}

fn is_never(filter: &Filter) -> bool {
    matches!(filter, Filter::Any(any) if any.is_empty())
}

fn is_always(filter: &Filter) -> bool {
    matches!(filter, Filter::All(all) if all.is_empty())
}

/// Flattens groups within groups of the same kind, and removes parts without effect.
fn simplified(filter: Filter) -> Filter {
    match filter {
        Filter::Test(Test::Keys(keys)) if keys.is_empty() => Filter::Any(Vec::new()),
        Filter::Test(test) => Filter::Test(test),
        Filter::All(all) => {
            let mut parts = Vec::new();
            for part in all.into_iter().map(simplified) {
                match part {
                    never if is_never(&never) => return never,
                    Filter::All(inner) => parts.extend(inner),
                    part => parts.push(part),
                }
            }
            single_or(parts, Filter::All)
        }
        Filter::Any(any) => {
            let mut parts = Vec::new();
            for part in any.into_iter().map(simplified) {
                match part {
                    always if is_always(&always) => return always,
                    Filter::Any(inner) => parts.extend(inner),
                    part => parts.push(part),
                }
            }
            single_or(parts, Filter::Any)
        }
    }
}

fn single_or(mut parts: Vec<Filter>, group: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            group(parts)
        }
        None => group(parts),
    }
}

/// Returns the statements that find all documents of a filter, and true if they find no others.
fn leads(filter: &Filter) -> Option<(Vec<Lead>, bool)> {
    match filter {
        Filter::Test(test) => leads_of_test(test),
        Filter::All(all) => leads_of_all(all),
        Filter::Any(any) => {
            let mut together = Vec::new();
            let mut exact = true;
            for part in any {
                let (leads, is_exact) = leads(part)?;
                together.extend(leads);
                exact &= is_exact;
            }
            (together.len() <= MAX_LEADS).then_some((together, exact))
        }
    }
}

fn leads_of_test(test: &Test) -> Option<(Vec<Lead>, bool)> {
    let alone = |test: Test| Lead {
        key: None,
        tests: vec![test],
    };
    match test {
        Test::Keys(keys) => {
            let of_key = |key: &Key| Lead {
                key: Some(key.clone()),
                tests: Vec::new(),
            };
            Some((keys.iter().map(of_key).collect(), true))
        }
        test if narrows(test) => Some((vec![alone(test.clone())], true)),
        Test::Range { path, .. } => Some((vec![alone(exists(path))], false)),
        _ => None,
    }
}

fn leads_of_all(all: &[Filter]) -> Option<(Vec<Lead>, bool)> {
    let tests = || {
        all.iter().filter_map(|part| match part {
            Filter::Test(test) => Some(test),
            _ => None,
        })
    };
    let narrowing: Vec<Test> = tests().filter(|test| narrows(test)).cloned().collect();
    let keys = tests().find(|test| matches!(test, Test::Keys(_)));
    let exact = narrowing.len() + usize::from(keys.is_some()) == all.len();
    if let Some((of_keys, _)) = keys.and_then(leads_of_test) {
        let narrowed = of_keys.into_iter().map(|lead| Lead {
            tests: narrowing.clone(),
            ..lead
        });
        return Some((narrowed.collect(), exact));
    }
    if !narrowing.is_empty() {
        let lead = Lead {
            key: None,
            tests: narrowing,
        };
        return Some((vec![lead], exact));
    }
    let groups = all.iter().filter(|part| !matches!(part, Filter::Test(_)));
    let of_groups = groups.filter_map(leads).map(|(leads, _)| leads);
    if let Some(fewest) = of_groups.min_by_key(Vec::len) {
        return Some((fewest, false));
    }
    let mut paths: Vec<&String> = tests()
        .filter_map(|test| match test {
            Test::Range { path, .. } => Some(path),
            _ => None,
        })
        .collect();
    paths.sort_unstable();
    paths.dedup();
    let tests: Vec<Test> = paths.into_iter().map(|path| exists(path)).collect();
    (!tests.is_empty()).then(|| (vec![Lead { key: None, tests }], false))
}

/// Returns true if Cassandra can find rows by this test.
fn narrows(test: &Test) -> bool {
    matches!(
        test,
        Test::Set { holds: true, .. } | Test::Entry { equals: true, .. }
    )
}

fn exists(path: &str) -> Test {
    Test::Set {
        column: EXIST,
        element: path.to_owned(),
        holds: true,
    }
}
