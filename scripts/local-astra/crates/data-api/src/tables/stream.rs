//! Rows of a plan, one after the other in the order of the database: by the token of the partition, then by the
//! clustering columns.

use std::cmp::Ordering;
use std::collections::VecDeque;

use futures::future::try_join_all;
use scylla::value::CqlValue;

use super::Table;
use super::compare::compare;
use super::page::Place;
use super::plan::Plan;
use super::row_tests::Filter;
use crate::error::ApiError;
use store::cql::{self, Expression, Statement};
use store::types::quote;
use store::{ColumnKind, Page};

/// Rows of the largest page.
const LARGEST_PAGE: i32 = 500;
/// Statements that start at once.
const TOGETHER: usize = 16;

/// A row: the values of the selected columns, in their order.
pub type Row = Vec<Option<CqlValue>>;

/// The columns and the order of a statement.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names of columns.
    pub columns: Vec<String>,
    /// A function to select behind them.
    pub function: Option<Expression>,
    pub order: Vec<Expression>,
}

/// The rows of a plan. Each of its statements has one page in memory, never more.
pub struct Stream<'a> {
    table: &'a Table,
    statements: Vec<Paged<'a>>,
    check: Option<Filter>,
    /// The selected columns. Those beyond the wanted ones are only for checks and merges.
    columns: Vec<String>,
    /// The columns that rows have for the caller.
    wanted: usize,
    /// The places of the key's columns in a row, and whether they are descending. Only for merges.
    order: Vec<(usize, bool)>,
    started: bool,
}

impl<'a> Stream<'a> {
    /// Reads the rows from these places on; as many places as the plan has statements. `count` rows are expected.
    pub fn new(
        table: &'a Table,
        plan: Plan,
        selection: &Selection,
        places: Vec<Place>,
        count: usize,
    ) -> Stream<'a> {
        let mut columns = selection.columns.clone();
        let mut place_of = |name: &str| {
            let known = columns.iter().position(|column| column == name);
            known.unwrap_or_else(|| {
                columns.push(name.to_owned());
                columns.len() - 1
            })
        };
        for name in plan.check.iter().flat_map(Filter::columns) {
            place_of(name);
        }
        let merges = plan.leads.len() > 1;
        let mut order = Vec::new();
        if merges {
            for column in table.key() {
                let descending = column.kind == ColumnKind::Clustering && column.descending;
                order.push((place_of(&column.name), descending));
            }
        }
        let wanted = selection.columns.len();
        let mut select: Vec<Expression> = columns.iter().map(|name| cql::column(name)).collect();
        select.extend(selection.function.clone());
        if merges {
            let key: Vec<String> = table.meta.partition_key().map(|c| quote(&c.name)).collect();
            select.push(cql::raw(format!("token({})", key.join(", "))));
        }
        let count = i32::try_from(count)
            .unwrap_or(LARGEST_PAGE)
            .clamp(1, LARGEST_PAGE);
        let largest = if plan.check.is_some() {
            LARGEST_PAGE
        } else {
            count
        };
        // Many statements share the rows that one can hold.
        let share = i32::try_from(plan.leads.len()).unwrap_or(i32::MAX).max(1);
        let (first, largest) = if merges {
            ((count / share).max(4), (largest / share).max(4))
        } else {
            (count, largest)
        };
        let statements = plan.leads.iter().zip(places).map(|(lead, place)| {
            let select = table.select(select.clone()).filter(lead.conditions());
            Paged {
                table,
                statement: select.order_by(selection.order.clone()),
                size: first,
                largest: largest.max(first),
                place,
                rows: VecDeque::new(),
                next: Place::End,
            }
        });
        Stream {
            table,
            statements: statements.collect(),
            check: plan.check,
            columns,
            wanted,
            order,
            started: false,
        }
    }

    /// The next row that fits, with the value of the function behind the wanted columns; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Row>, ApiError> {
        if !self.started {
            self.started = true;
            if self.statements.is_empty() {
                self.table.require_readable().await?;
            }
            for some in self.statements.chunks_mut(TOGETHER) {
                try_join_all(some.iter_mut().map(Paged::fill)).await?;
            }
        }
        loop {
            let mut first: Option<usize> = None;
            for number in 0..self.statements.len() {
                self.statements[number].fill().await?;
                let Some(row) = self.statements[number].rows.front() else {
                    continue;
                };
                let least = first.and_then(|first| self.statements[first].rows.front());
                if least.is_none_or(|least| self.in_order(row, least).is_lt()) {
                    first = Some(number);
                }
            }
            let Some(number) = first else {
                return Ok(None);
            };
            let Some(row) = self.statements[number].pop() else {
                return Ok(None);
            };
            if self.statements.len() > 1 {
                for other in 0..self.statements.len() {
                    // The same row, found by another statement.
                    let front = self.statements[other].rows.front();
                    if front.is_some_and(|front| self.in_order(front, &row).is_eq()) {
                        self.statements[other].pop();
                    }
                }
            }
            if self.fits(&row) {
                let extra = row.get(self.columns.len()).cloned();
                let mut row = row;
                row.truncate(self.wanted);
                row.extend(extra);
                return Ok(Some(row));
            }
        }
    }

    /// The places after the rows that were returned; `None` at the end of all.
    pub fn places(&self) -> Option<Vec<Place>> {
        let places: Vec<Place> = self.statements.iter().map(Paged::place).collect();
        places
            .iter()
            .any(|place| *place != Place::End)
            .then_some(places)
    }

    fn fits(&self, row: &Row) -> bool {
        let Some(check) = &self.check else {
            return true;
        };
        let value = |name: &str| {
            let place = self.columns.iter().position(|column| column == name)?;
            row.get(place)?.as_ref()
        };
        let ignores_case = |name: &str| {
            let mut indexes = self.table.indexes();
            indexes.any(|index| index.column == name && index.ignores_case())
        };
        check.fits(&value, &ignores_case)
    }

    /// The order of two rows of merged statements: the token is the last value.
    fn in_order(&self, left: &Row, right: &Row) -> Ordering {
        let in_order = |left: Option<&CqlValue>, right: Option<&CqlValue>| match (left, right) {
            (Some(left), Some(right)) => compare(left, right).unwrap_or(Ordering::Equal),
            (left, right) => left.is_some().cmp(&right.is_some()),
        };
        let token = |row: &'_ Row| match row.last() {
            Some(Some(CqlValue::BigInt(token))) => *token,
            _ => i64::MIN,
        };
        let mut order = token(left).cmp(&token(right));
        for (place, descending) in &self.order {
            let value = |row: &'_ Row| row.get(*place).cloned().flatten();
            let (left, right) = (value(left), value(right));
            let values = in_order(left.as_ref(), right.as_ref());
            order = order.then(if *descending {
                values.reverse()
            } else {
                values
            });
        }
        order
    }
}

/// One statement, read page by page.
struct Paged<'a> {
    table: &'a Table,
    statement: Statement,
    size: i32,
    largest: i32,
    /// The place of the first of `rows`.
    place: Place,
    rows: VecDeque<Row>,
    /// The start of the page after `rows`.
    next: Place,
}

impl Paged<'_> {
    /// Reads pages until there is a row, or none is left.
    async fn fill(&mut self) -> Result<(), ApiError> {
        while self.rows.is_empty() {
            let Place::At { page, skip } = &mut self.place else {
                return Ok(());
            };
            let asked = Page {
                size: self.size,
                state: page.clone(),
            };
            let read = self.table.query(self.statement.clone(), asked).await?;
            self.size = (self.size * 2).min(self.largest);
            let skipped = usize::try_from(*skip)
                .unwrap_or(usize::MAX)
                .min(read.rows.len());
            self.rows = read.rows.into_iter().skip(skipped).collect();
            let left = *skip - u32::try_from(skipped).unwrap_or(*skip);
            self.next = match read.page_state {
                Some(state) => Place::At {
                    page: Some(state),
                    skip: left,
                },
                None => Place::End,
            };
            if self.rows.is_empty() {
                self.place = self.next.clone();
            }
        }
        Ok(())
    }

    fn pop(&mut self) -> Option<Row> {
        let row = self.rows.pop_front()?;
        if let Place::At { skip, .. } = &mut self.place {
            *skip += 1;
        }
        if self.rows.is_empty() {
            self.place = self.next.clone();
        }
        Some(row)
    }

    fn place(&self) -> Place {
        self.place.clone()
    }
}
