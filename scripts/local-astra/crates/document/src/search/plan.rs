//! Query plans: the statements that find candidates, and the checks of each candidate.
//!
//! Conditions that Cassandra can check become restrictions, in one statement per field. The candidates of the most
//! selective one are checked against the others, with one statement each. If no condition narrows the search, all
//! documents are read, together with the rows of the fields in question.

use std::sync::Arc;

use super::filter::{Expression, FieldPath, Filter, Verdict};
use super::stream::{Position, Progress, Stream};
use crate::collections::Collection;
use crate::error::DocumentError;
use crate::layout::MAX_DEPTH;
use crate::profile::Profile;
use crate::rows::{PAGE, Select, leaf_row};
use store::Page;

/// A plan for a `where`.
#[derive(Debug)]
pub struct Plan {
    pub lead: Lead,
    /// Further conditions on a candidate.
    pub checks: Vec<Check>,
}

/// The source of candidates.
#[derive(Debug)]
pub enum Lead {
    /// All documents, filtered by the expression if there is one.
    Everything(Option<Expression>),
    /// Documents for which all these conditions on one field hold, according to Cassandra.
    Pushed(Vec<Arc<Filter>>),
    /// Documents that have the field, and for which these conditions on it hold.
    Field(Vec<Arc<Filter>>),
    /// Those documents, and all without the field.
    FieldIfThere(Vec<Arc<Filter>>),
    /// Documents for which one of these conditions holds.
    Any(Vec<Arc<Filter>>),
}

impl Lead {
    /// Returns the number of streams of candidates.
    pub fn streams(&self) -> usize {
        match self {
            Lead::Everything(_) | Lead::Pushed(_) | Lead::Field(_) | Lead::FieldIfThere(_) => 1,
            Lead::Any(filters) => {
                let (pushed, other) = split_pushed(filters);
                pushed.len() + by_field(other).len()
            }
        }
    }
}

/// Splits the conditions into those that Cassandra evaluates, and the others.
fn split_pushed(filters: &[Arc<Filter>]) -> (Vec<Arc<Filter>>, Vec<Arc<Filter>>) {
    let filters = filters.iter().cloned();
    filters.partition(|filter| filter.condition.is_pushed())
}

/// A check of a candidate.
#[derive(Debug)]
pub enum Check {
    /// All these conditions on one field.
    All(Vec<Arc<Filter>>),
    /// One of these conditions.
    Any(Vec<Arc<Filter>>),
}

impl Plan {
    pub fn of(expression: Option<Expression>) -> Plan {
        let everything = |expression| Plan {
            lead: Lead::Everything(expression),
            checks: Vec::new(),
        };
        let Some(expression) = expression else {
            return everything(None);
        };
        let Some(clauses) = expression.clauses() else {
            return everything(Some(expression));
        };
        let (single, alternatives): (Vec<_>, Vec<_>) =
            clauses.into_iter().partition(|clause| clause.len() == 1);
        let (pushed, other): (Vec<_>, Vec<_>) = single
            .into_iter()
            .flatten()
            .partition(|filter| filter.condition.is_pushed());
        let mut pushed = by_field(pushed);
        let mut other = by_field(other);
        let mut alternatives = alternatives;
        let without_field = |filters: &[Arc<Filter>]| {
            filters
                .iter()
                .any(|filter| filter.condition.holds_without_field())
        };

        let lead = if let Some(first) = take_lightest(&mut pushed) {
            Lead::Pushed(first)
        } else if let Some(first) = take_lightest(&mut alternatives) {
            if without_field(&first) {
                return everything(Some(expression));
            }
            Lead::Any(first)
        } else if let Some(first) = take_lightest(&mut other) {
            let holds_without_field = |f: &Arc<Filter>| f.condition.holds_without_field();
            if first.iter().all(holds_without_field) {
                return everything(Some(expression));
            }
            // One that holds without the field lets the others of its field hold so, too.
            if without_field(&first) {
                Lead::FieldIfThere(first)
            } else {
                Lead::Field(first)
            }
        } else {
            return everything(None);
        };
        let mut checks: Vec<Check> = pushed.into_iter().chain(other).map(Check::All).collect();
        checks.extend(alternatives.into_iter().map(Check::Any));
        Plan { lead, checks }
    }
}

/// Groups conditions by their field, in the order of the fields.
fn by_field(filters: Vec<Arc<Filter>>) -> Vec<Vec<Arc<Filter>>> {
    let mut groups: Vec<Vec<Arc<Filter>>> = Vec::new();
    for filter in filters {
        match groups
            .iter_mut()
            .find(|group| group[0].field == filter.field)
        {
            Some(group) => group.push(filter),
            None => groups.push(vec![filter]),
        }
    }
    groups
}

fn take_lightest(groups: &mut Vec<Vec<Arc<Filter>>>) -> Option<Vec<Arc<Filter>>> {
    let weight = |group: &[Arc<Filter>]| {
        let selectivity = group
            .iter()
            .map(|f| f.selectivity)
            .fold(f64::INFINITY, f64::min);
        let place = group.iter().map(|f| f.place).min().unwrap_or(usize::MAX);
        (selectivity, place)
    };
    let lightest = (0..groups.len()).min_by(|&a, &b| {
        let (a, b) = (weight(&groups[a]), weight(&groups[b]));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    });
    lightest.map(|at| groups.remove(at))
}

/// Returns the statement for conditions on one field that Cassandra evaluates.
fn pushed(select: Select, filters: &[Arc<Filter>]) -> Result<Select, DocumentError> {
    let select = on_field(select, &filters[0].field)?;
    let restrictions = filters.iter().filter_map(|f| f.condition.restriction());
    Ok(restrictions.fold(select, Select::restrict))
}

fn on_field(select: Select, field: &FieldPath) -> Result<Select, DocumentError> {
    select.member(&field.parent, &field.name)
}

/// Returns the number of path columns that identify the field.
fn depth(field: &FieldPath) -> usize {
    (field.segments.len() + 1).min(MAX_DEPTH)
}

/// A document that may match, and the positions of the leading streams.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub position: Position,
    pub progress: Vec<Progress>,
}

/// The candidates of a lead, in token order.
pub struct Candidates<'a> {
    /// The streams that yield candidates.
    leading: Vec<Source<'a>>,
    /// The streams that are only used to check candidates.
    beside: Vec<Source<'a>>,
    judge: Judge,
    verdicts: Vec<Verdict>,
}

struct Source<'a> {
    stream: Stream<'a>,
    /// Conditions to check on its rows; empty if Cassandra has checked them.
    filters: Vec<Arc<Filter>>,
    /// True if it reads only the ids of all documents. Stargate reads their rows, so its pages end elsewhere.
    is_of_all: bool,
}

enum Judge {
    /// Every document.
    Every,
    /// The document comes from a stream that Cassandra has checked, or one of the conditions holds.
    Any,
    /// All conditions hold whose fields exist.
    All,
    Tree(Expression),
}

impl<'a> Candidates<'a> {
    /// Starts a lead, after a document if this is not the first page.
    ///
    /// # Errors
    /// A path that is too deep.
    pub fn new(
        lead: Lead,
        collection: &'a Collection,
        profile: &'a Profile,
        page_size: i32,
        after: Option<&Position>,
    ) -> Result<Candidates<'a>, DocumentError> {
        // One row more than asked for tells whether there is more.
        let stream = |description: String, select: Select, depth: Option<usize>, size: i32| {
            Stream::new(collection, profile, description, select, depth, after, size)
        };
        let checked = |filters: &[Arc<Filter>]| -> Result<Source<'a>, DocumentError> {
            let select = pushed(Select::ids(), filters)?;
            Ok(Source {
                stream: stream(describe("FILTER", filters), select, None, page_size + 1),
                filters: Vec::new(),
                is_of_all: false,
            })
        };
        let unchecked =
            |filters: Vec<Arc<Filter>>, size: i32| -> Result<Source<'a>, DocumentError> {
                let field = &filters[0].field;
                let depth = depth(field);
                let select = on_field(Select::leaves(depth), field)?;
                let description = describe("FILTER IN MEMORY", &filters);
                Ok(Source {
                    stream: stream(description, select, Some(depth), size),
                    filters,
                    is_of_all: false,
                })
            };
        let all_documents = || Source {
            stream: stream(
                "LoadAllDocuments".to_owned(),
                Select::documents(),
                None,
                page_size + 1,
            ),
            filters: Vec::new(),
            is_of_all: true,
        };
        let (leading, beside, judge, filters) = match lead {
            Lead::Everything(None) => (vec![all_documents()], Vec::new(), Judge::Every, Vec::new()),
            Lead::Everything(Some(expression)) => {
                let filters = expression.filters();
                let mut beside = Vec::new();
                for group in by_field(filters.clone()) {
                    // Where no document has anything there is nothing to read.
                    if group[0].field.segments.len() <= MAX_DEPTH {
                        beside.push(unchecked(group, PAGE)?);
                    }
                }
                (
                    vec![all_documents()],
                    beside,
                    Judge::Tree(expression),
                    filters,
                )
            }
            Lead::Pushed(filters) => (vec![checked(&filters)?], Vec::new(), Judge::Every, filters),
            Lead::Field(filters) => {
                let leading = vec![unchecked(filters.clone(), page_size + 1)?];
                (leading, Vec::new(), Judge::All, filters)
            }
            Lead::FieldIfThere(filters) => {
                let beside = vec![unchecked(filters.clone(), PAGE)?];
                (vec![all_documents()], beside, Judge::All, filters)
            }
            Lead::Any(filters) => {
                let (pushed, other) = split_pushed(&filters);
                let mut leading = Vec::new();
                for filter in pushed {
                    leading.push(checked(&[filter])?);
                }
                for group in by_field(other) {
                    leading.push(unchecked(group, page_size + 1)?);
                }
                (leading, Vec::new(), Judge::Any, filters)
            }
        };
        let places = filters.iter().map(|filter| filter.place + 1).max();
        Ok(Candidates {
            leading,
            beside,
            judge,
            verdicts: vec![Verdict::default(); places.unwrap_or(0)],
        })
    }

    /// Restores the progress of the leading streams from the previous page.
    pub fn resume(&mut self, progress: &[Progress]) {
        for (source, progress) in self.leading.iter_mut().zip(progress) {
            source.stream.resume(*progress);
        }
    }

    /// Returns the next candidate; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Candidate>, DocumentError> {
        loop {
            let mut first: Option<Position> = None;
            for source in &mut self.leading {
                let next = source.stream.peek().await?;
                if let Some(next) = next
                    && first.as_ref().is_none_or(|first| next < first)
                {
                    first = Some(next.clone());
                }
            }
            let Some(position) = first else {
                return Ok(None);
            };
            if self.judge(&position).await? {
                let progress = self.leading.iter().map(|source| source.stream.progress());
                return Ok(Some(Candidate {
                    position,
                    progress: progress.collect(),
                }));
            }
        }
    }

    /// Returns true if Stargate would report another page after a document, given the progress of the leading streams
    /// with it. The document must be the last one that was looked at.
    pub async fn has_more(&mut self, progress: &[Progress]) -> Result<bool, DocumentError> {
        for (source, progress) in self.leading.iter_mut().zip(progress) {
            let may_have_more = match progress {
                Progress::Open(_) if source.is_of_all => source.stream.peek().await?.is_some(),
                Progress::NotStarted | Progress::Open(_) => true,
                Progress::Exhausted => false,
            };
            if may_have_more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn judge(&mut self, position: &Position) -> Result<bool, DocumentError> {
        self.verdicts.fill(Verdict::default());
        let verdicts = &mut self.verdicts;
        let mut is_checked = false;
        for source in self.leading.iter_mut().chain(&mut self.beside) {
            let filters = &source.filters;
            let taken = source
                .stream
                .take(position, |row| {
                    for filter in filters {
                        filter.look_at(row, &mut verdicts[filter.place]);
                    }
                })
                .await?;
            is_checked |= taken && filters.is_empty();
        }
        let sources = self.leading.iter().chain(&self.beside);
        let mut filters = sources.flat_map(|source| &source.filters);
        Ok(match &self.judge {
            Judge::Every => true,
            Judge::Any => is_checked || filters.any(|filter| verdicts[filter.place].holds),
            Judge::All => filters.all(|filter| holds_if_there(verdicts[filter.place])),
            Judge::Tree(expression) => expression.holds(&|filter| verdicts[filter.place]),
        })
    }
}

/// Evaluates conditions as Stargate does for rows found by their path: if none of them is the field, the condition
/// holds.
fn holds_if_there(verdict: Verdict) -> bool {
    verdict.holds || !verdict.is_there
}

impl Check {
    /// Checks a document.
    ///
    /// # Errors
    /// A path that is too deep, and Cassandra's own.
    pub async fn holds(
        &self,
        collection: &Collection,
        id: &str,
        profile: &Profile,
    ) -> Result<bool, DocumentError> {
        match self {
            Check::All(filters) => check(collection, id, filters, profile).await,
            Check::Any(filters) => {
                for filter in filters {
                    if check(collection, id, std::slice::from_ref(filter), profile).await? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

/// Returns true if all these conditions, on one field, hold for a document.
async fn check(
    collection: &Collection,
    id: &str,
    filters: &[Arc<Filter>],
    profile: &Profile,
) -> Result<bool, DocumentError> {
    let field = &filters[0].field;
    let is_pushed = filters[0].condition.is_pushed();
    let depth = depth(field);
    let (select, description, size) = if is_pushed {
        (
            pushed(Select::ids(), filters)?,
            describe("FILTER", filters),
            1,
        )
    } else {
        let select = on_field(Select::leaves(depth), field)?;
        let size = if field.is_fixed() { 1 } else { PAGE };
        (select, describe("FILTER IN MEMORY", filters), size)
    };
    let select = select.of_document(id);
    let mut verdicts = vec![Verdict::default(); filters.len()];
    let mut found = false;
    let mut page = Page::first(size);
    loop {
        let rows = select.page(collection, page, profile, &description).await?;
        found |= !rows.rows.is_empty();
        if is_pushed && found {
            return Ok(true);
        }
        for row in rows.rows {
            let row = leaf_row(row.into_iter().skip(2), depth);
            for (filter, verdict) in filters.iter().zip(&mut verdicts) {
                filter.look_at(&row, verdict);
            }
        }
        match rows.page_state {
            // Without a wildcard the first row speaks for all, also if there are several paths.
            Some(state) if !field.is_fixed() => {
                page = Page {
                    size,
                    state: Some(state),
                }
            }
            _ => break,
        }
    }
    Ok(if found {
        !is_pushed && verdicts.into_iter().all(holds_if_there)
    } else {
        filters
            .iter()
            .all(|filter| filter.condition.holds_without_field())
    })
}

fn describe(what: &str, filters: &[Arc<Filter>]) -> String {
    let filters: Vec<String> = filters.iter().map(|filter| filter.to_string()).collect();
    format!("{what}: {}", filters.join(" AND "))
}
