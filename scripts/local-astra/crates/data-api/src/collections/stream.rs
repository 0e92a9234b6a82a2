//! Rows of a plan, one after the other in the order of their tokens.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};

use futures::future::try_join_all;
use scylla::value::CqlValue;

use super::Collection;
use super::filter::{Comparison, Filter, Scalar, Test};
use super::id::{Key, key_value, read_key};
use super::layout::KEY;
use super::plan::{Lead, Plan};
use super::position::Position;
use crate::error::ApiError;
use crate::json::Decimal;
use store::Page;
use store::cql::{self, Expression, Statement};

/// Rows of the largest page.
const LARGEST_PAGE: i32 = 500;
/// Statements that start at once.
const TOGETHER: usize = 16;

/// A row that fits: its place, and what was selected of it.
#[derive(Debug)]
pub struct Row {
    pub position: Position,
    pub selected: Vec<Option<CqlValue>>,
}

/// Rows per page: of the first one, and at most.
#[derive(Clone, Copy, Debug)]
pub struct PageSizes {
    pub first: i32,
    pub largest: i32,
}

impl PageSizes {
    /// Small pages at first, then larger ones: for rows of a few columns.
    pub fn growing(wanted: usize) -> PageSizes {
        PageSizes {
            first: i32::try_from(wanted)
                .unwrap_or(LARGEST_PAGE)
                .clamp(1, LARGEST_PAGE),
            largest: LARGEST_PAGE,
        }
    }

    /// Pages of whole documents, which may be large.
    pub fn of_documents(wanted: usize) -> PageSizes {
        let wanted = i32::try_from(wanted).unwrap_or(LARGEST_PAGE).clamp(1, 50);
        PageSizes {
            first: wanted,
            largest: wanted,
        }
    }
}

/// The rows of a plan. Each of its statements has one page in memory, never more.
pub struct Stream<'a> {
    collection: &'a Collection,
    statements: Vec<Paged<'a>>,
    check: Option<Check>,
    started: bool,
}

impl<'a> Stream<'a> {
    /// Reads the rows after a position.
    pub fn new(
        collection: &'a Collection,
        plan: Plan,
        selected: &[Expression],
        after: Option<&Position>,
        sizes: PageSizes,
    ) -> Stream<'a> {
        let check = plan.check.map(Check::new);
        let checked = check.iter().flat_map(Check::columns);
        let columns: Vec<Expression> = checked.chain(selected.iter().cloned()).collect();
        // Many statements share what one may hold.
        let share = i32::try_from(plan.leads.len()).unwrap_or(i32::MAX).max(1);
        let first = if share == 1 {
            sizes.first
        } else {
            (sizes.first / share).max(4)
        };
        let sizes = PageSizes { first, ..sizes };
        let statements = plan.leads.iter();
        Stream {
            collection,
            statements: statements
                .map(|lead| Paged::new(collection, lead, &columns, after, sizes))
                .collect(),
            check,
            started: false,
        }
    }

    /// The next row that fits; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Row>, ApiError> {
        if !self.started {
            self.started = true;
            if self.statements.is_empty() {
                self.collection.require_readable().await?;
            }
            for some in self.statements.chunks_mut(TOGETHER) {
                try_join_all(some.iter_mut().map(Paged::fill)).await?;
            }
        }
        loop {
            let mut first: Option<(usize, Position)> = None;
            for (number, statement) in self.statements.iter_mut().enumerate() {
                statement.fill().await?;
                let Some(row) = statement.rows.front() else {
                    continue;
                };
                if first
                    .as_ref()
                    .is_none_or(|(_, position)| row.position < *position)
                {
                    first = Some((number, row.position.clone()));
                }
            }
            let Some((number, position)) = first else {
                return Ok(None);
            };
            let row = self.statements[number].rows.pop_front();
            for statement in &mut self.statements {
                // The same row, found by another statement.
                if statement
                    .rows
                    .front()
                    .is_some_and(|row| row.position == position)
                {
                    statement.rows.pop_front();
                }
            }
            let Some(mut row) = row else {
                return Ok(None);
            };
            if let Some(check) = &self.check {
                let selected = row.selected.split_off(check.elements.len());
                let checked = std::mem::replace(&mut row.selected, selected);
                if !check.fits(&row.position.key, &checked) {
                    continue;
                }
            }
            return Ok(Some(row));
        }
    }
}

/// One statement, read page by page.
struct Paged<'a> {
    collection: &'a Collection,
    statement: Statement,
    after: Option<Position>,
    next: Option<Page>,
    largest: i32,
    rows: VecDeque<Row>,
}

impl<'a> Paged<'a> {
    fn new(
        collection: &'a Collection,
        lead: &Lead,
        columns: &[Expression],
        after: Option<&Position>,
        sizes: PageSizes,
    ) -> Paged<'a> {
        let token = cql::raw(format!("token({KEY})"));
        let start = after.filter(|_| lead.key.is_none());
        let start = start.map(|after| token.clone().op(">=", CqlValue::BigInt(after.token)));
        let selected = [cql::column(KEY), token].into_iter();
        Paged {
            collection,
            statement: collection
                .select(selected.chain(columns.iter().cloned()))
                .filter(conditions(lead).into_iter().chain(start)),
            after: after.cloned(),
            next: Some(Page::first(sizes.first)),
            largest: sizes.largest,
            rows: VecDeque::new(),
        }
    }

    /// Reads pages until there is a row, or none is left.
    async fn fill(&mut self) -> Result<(), ApiError> {
        while self.rows.is_empty() {
            let Some(page) = self.next.take() else {
                return Ok(());
            };
            let size = page.size;
            let read = self.collection.query(self.statement.clone(), page).await?;
            self.next = read.page_state.map(|state| Page {
                size: (size * 2).min(self.largest),
                state: Some(state),
            });
            let rows = read.rows.into_iter().filter_map(read_row);
            let after = self.after.as_ref();
            self.rows = rows
                .filter(|row| after.is_none_or(|after| row.position > *after))
                .collect();
        }
        Ok(())
    }
}

/// A row that begins with key and token; rows with another key are none.
fn read_row(columns: Vec<Option<CqlValue>>) -> Option<Row> {
    let mut columns = columns.into_iter();
    let key = read_key(columns.next()?)?;
    let Some(CqlValue::BigInt(token)) = columns.next()? else {
        return None;
    };
    Some(Row {
        position: Position { token, key },
        selected: columns.collect(),
    })
}

/// The conditions of a statement.
pub fn conditions(lead: &Lead) -> Vec<Expression> {
    let key = lead.key.as_ref();
    let key = key.map(|key| cql::equal(KEY, key_value(key)));
    let tests = lead.tests.iter().filter_map(|test| match test {
        Test::Set {
            column, element, ..
        } => Some(cql::column(column).op("CONTAINS", CqlValue::Text(element.clone()))),
        Test::Entry {
            column,
            path,
            value,
            ..
        } => {
            let value = value.to_cql()?;
            Some(cql::entry(column, CqlValue::Text(path.clone())).op("=", value))
        }
        // No statement is led by these.
        Test::Keys(_) | Test::Range { .. } => None,
    });
    key.into_iter().chain(tests).collect()
}

/// The check of a filter on the columns of a row.
struct Check {
    filter: Filter,
    /// The elements and entries that it looks at, and where they are in a row.
    elements: HashMap<(&'static str, String), usize>,
}

impl Check {
    fn new(filter: Filter) -> Check {
        let mut elements = HashMap::new();
        collect(&filter, &mut elements);
        Check { filter, elements }
    }

    fn columns(&self) -> Vec<Expression> {
        let mut ordered: Vec<_> = self.elements.iter().collect();
        ordered.sort_unstable_by_key(|(_, place)| **place);
        let columns = ordered.into_iter();
        columns
            .map(|((column, element), _)| cql::entry(column, CqlValue::Text(element.clone())))
            .collect()
    }

    fn fits(&self, key: &Key, values: &[Option<CqlValue>]) -> bool {
        self.check(&self.filter, key, values)
    }

    fn check(&self, filter: &Filter, key: &Key, values: &[Option<CqlValue>]) -> bool {
        let value = |column: &'static str, element: &String| {
            let place = self.elements.get(&(column, element.clone()))?;
            values.get(*place)?.as_ref()
        };
        match filter {
            Filter::All(all) => all.iter().all(|part| self.check(part, key, values)),
            Filter::Any(any) => any.iter().any(|part| self.check(part, key, values)),
            Filter::Test(Test::Keys(keys)) => keys.contains(key),
            Filter::Test(Test::Set {
                column,
                element,
                holds,
            }) => value(column, element).is_some() == *holds,
            Filter::Test(Test::Entry {
                column,
                path,
                value: wanted,
                equals,
            }) => {
                let found = value(column, path).and_then(|found| wanted.compare(found));
                (found == Some(Ordering::Equal)) == *equals
            }
            Filter::Test(Test::Range {
                path,
                comparison,
                value: wanted,
            }) => {
                let found = value(wanted.column(), path).and_then(|found| wanted.compare(found));
                found.is_some_and(|order| comparison.holds(order))
            }
        }
    }
}

fn collect(filter: &Filter, elements: &mut HashMap<(&'static str, String), usize>) {
    let (column, element) = match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            return parts.iter().for_each(|part| collect(part, elements));
        }
        Filter::Test(Test::Keys(_)) => return,
        Filter::Test(Test::Set {
            column, element, ..
        }) => (*column, element),
        Filter::Test(Test::Entry { column, path, .. }) => (*column, path),
        Filter::Test(Test::Range { path, value, .. }) => (value.column(), path),
    };
    let place = elements.len();
    elements.entry((column, element.clone())).or_insert(place);
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
        }
    }
}

impl Scalar {
    /// Compares a value of a row to this one; `None` if it is of another type.
    fn compare(&self, found: &CqlValue) -> Option<Ordering> {
        match (self, found) {
            (Scalar::Bool(wanted), CqlValue::TinyInt(found)) => Some(found.cmp(&i8::from(*wanted))),
            (Scalar::Number(wanted), CqlValue::Decimal(found)) => {
                Some(Decimal::from_cql(found).cmp_value(wanted))
            }
            (Scalar::Text(wanted), CqlValue::Text(found)) => Some(found.as_str().cmp(wanted)),
            (Scalar::Time(wanted), CqlValue::Timestamp(found)) => Some(found.0.cmp(wanted)),
            (Scalar::Size(wanted), CqlValue::Int(found)) => Some(found.cmp(wanted)),
            _ => None,
        }
    }

    fn to_cql(&self) -> Option<CqlValue> {
        match self {
            Scalar::Bool(value) => Some(CqlValue::TinyInt((*value).into())),
            Scalar::Number(number) => number.to_cql().map(CqlValue::Decimal),
            Scalar::Text(text) => Some(CqlValue::Text(text.clone())),
            Scalar::Time(time) => Some(CqlValue::Timestamp(scylla::value::CqlTimestamp(*time))),
            Scalar::Size(size) => Some(CqlValue::Int(*size)),
        }
    }
}
