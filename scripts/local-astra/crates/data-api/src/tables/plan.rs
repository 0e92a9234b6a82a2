//! Plans: the statements that find the rows of a filter, and the check above them.
//!
//! Cassandra narrows by keys and by storage-attached indexes, all ANDed. It knows no OR, no `!=`, no `NOT IN` and no
//! `IN` on other columns. So a few statements find candidates, and what they leave open is checked on each row.

use scylla::cluster::metadata::{ColumnType, NativeType};

use super::Table;
use super::indexes::Function;
use super::row_tests::{Comparison, Filter, Subject, Test};
use super::types::ApiType;
use store::cql::{self, Expression};

/// Statements that are merged; beyond this all rows are read instead.
const MAX_LEADS: usize = 100;

/// One statement: the tests that Cassandra makes. None of them: all rows.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    pub tests: Vec<Test>,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// No statement: no row fits.
    pub leads: Vec<Lead>,
    /// The check of the rows that they find; `None` if every one of them fits.
    pub check: Option<Filter>,
}

/// Statements, and the parts of the filter that they do not check.
type Found = (Vec<Lead>, Vec<Filter>);

impl Plan {
    /// The plan of a filter.
    pub fn of(table: &Table, filter: &Filter) -> Plan {
        if matches!(filter, Filter::Any(any) if any.is_empty()) {
            return Plan {
                leads: Vec::new(),
                check: None,
            };
        }
        let found = leads(table, filter);
        let (leads, open) = found.unwrap_or_else(|| {
            let all = vec![Lead::default()];
            (all, filter.clone().into_parts())
        });
        Plan::new(leads, open)
    }

    /// The plan that reads one partition in its order; `None` if the filter names no single one.
    pub fn of_partition(table: &Table, filter: &Filter) -> Option<Plan> {
        let (leads, open) = by_key(table, filter.clone().into_parts())?;
        (leads.len() == 1).then(|| Plan::new(leads, open))
    }

    fn new(leads: Vec<Lead>, open: Vec<Filter>) -> Plan {
        Plan {
            leads,
            check: (!open.is_empty()).then(|| Filter::all(open)),
        }
    }

    /// Returns whether the plan is one statement that can be ordered by a vector index.
    pub fn takes_vectors(&self, table: &Table) -> bool {
        let takes = |lead: &Lead| {
            let by_index = lead.tests.iter().all(|test| is_indexed(table, test));
            let by_key = !lead.tests.is_empty()
                && lead.tests.len() == table.meta.partition_key().count()
                && table
                    .meta
                    .partition_key()
                    .all(|column| lead.tests.iter().any(|test| test.column == column.name));
            by_index || by_key
        };
        self.check.is_none() && matches!(self.leads.as_slice(), [lead] if takes(lead))
    }
}

fn leads(table: &Table, filter: &Filter) -> Option<Found> {
    match filter {
        Filter::Any(any) => {
            let mut together = Vec::new();
            let mut open = false;
            for part in any {
                let (leads, left) = leads(table, part)?;
                together.extend(leads);
                open |= !left.is_empty();
            }
            let open = if open {
                vec![filter.clone()]
            } else {
                Vec::new()
            };
            (together.len() <= MAX_LEADS).then_some((together, open))
        }
        filter => {
            let parts = filter.clone().into_parts();
            by_key(table, parts.clone())
                .or_else(|| by_index(table, parts.clone()))
                .or_else(|| by_alternatives(table, parts))
        }
    }
}

/// Statements for whole partition keys, narrowed by the first clustering columns.
fn by_key(table: &Table, mut parts: Vec<Filter>) -> Option<Found> {
    let mut leads = vec![Lead::default()];
    for column in table.meta.partition_key() {
        let place = parts
            .iter()
            .position(|part| equalities(part, &column.name).is_some())?;
        let tests = equalities(&parts.remove(place), &column.name)?;
        if leads.len() * tests.len() > MAX_LEADS {
            return None;
        }
        leads = leads
            .iter()
            .flat_map(|lead| tests.iter().map(|test| with(lead, test)))
            .collect();
    }
    for column in table.meta.clustering_key() {
        let is_on = |part: &Filter, wanted: &[Comparison]| match part {
            Filter::Test(test) => {
                test.column == column.name
                    && test.subject == Subject::Value
                    && wanted.contains(&test.comparison)
            }
            _ => false,
        };
        let mut take = |wanted: &[Comparison]| {
            let place = parts.iter().position(|part| is_on(part, wanted));
            if let Some(Filter::Test(test)) = place.map(|place| parts.remove(place)) {
                leads = leads.iter().map(|lead| with(lead, &test)).collect();
                return true;
            }
            false
        };
        if take(&[Comparison::Eq]) {
            continue;
        }
        take(&[Comparison::Gt, Comparison::Gte]);
        take(&[Comparison::Lt, Comparison::Lte]);
        break;
    }
    Some((leads, parts))
}

fn with(lead: &Lead, test: &Test) -> Lead {
    let mut lead = lead.clone();
    lead.tests.push(test.clone());
    lead
}

/// The tests of a filter that a column equals this or that.
fn equalities(filter: &Filter, column: &str) -> Option<Vec<Test>> {
    match filter {
        Filter::Test(test) => {
            let equals = test.column == column
                && test.subject == Subject::Value
                && test.comparison == Comparison::Eq;
            equals.then(|| vec![test.clone()])
        }
        Filter::Any(any) => {
            let tests: Option<Vec<Vec<Test>>> =
                any.iter().map(|part| equalities(part, column)).collect();
            tests.map(|tests| tests.into_iter().flatten().collect())
        }
        Filter::All(_) => None,
    }
}

/// One statement for all tests that indexes serve.
fn by_index(table: &Table, parts: Vec<Filter>) -> Option<Found> {
    let mut lead = Lead::default();
    let mut open = Vec::new();
    for part in parts {
        match part {
            Filter::Test(test) if is_indexed(table, &test) && fits_beside(&test, &lead.tests) => {
                lead.tests.push(test);
            }
            part => open.push(part),
        }
    }
    (!lead.tests.is_empty()).then(|| (vec![lead], open))
}

/// The fewest statements that a part of the filter needs.
fn by_alternatives(table: &Table, parts: Vec<Filter>) -> Option<Found> {
    let of_parts = parts.iter().enumerate().filter_map(|(place, part)| {
        let Filter::Any(_) = part else { return None };
        let (leads, open) = leads(table, part)?;
        Some((place, leads, open))
    });
    let (place, leads, mut open) = of_parts.min_by_key(|(_, leads, _)| leads.len())?;
    let others = parts
        .into_iter()
        .enumerate()
        .filter(|(other, _)| *other != place);
    open.extend(others.map(|(_, part)| part));
    Some((leads, open))
}

/// Cassandra takes one equality, or one bound at each end.
fn fits_beside(test: &Test, others: &[Test]) -> bool {
    let is_lower = |c: Comparison| matches!(c, Comparison::Gt | Comparison::Gte);
    let mut same = others
        .iter()
        .filter(|other| other.column == test.column && other.subject == Subject::Value);
    test.subject != Subject::Value
        || same.all(|other| {
            let equality = [test.comparison, other.comparison].contains(&Comparison::Eq);
            !equality && is_lower(test.comparison) != is_lower(other.comparison)
        })
}

/// Returns whether a storage-attached index supports the test.
fn is_indexed(table: &Table, test: &Test) -> bool {
    let function = match (&test.subject, test.comparison) {
        (_, Comparison::Ne) => return false,
        (Subject::Value, Comparison::Eq) => None,
        (Subject::Value, _) => {
            let column = table.column(&test.column);
            if !column.is_some_and(|column| has_ranges(&column.typ)) {
                return false;
            }
            None
        }
        (Subject::Element, _) => Some(Function::Values),
        (Subject::Key, _) => Some(Function::Keys),
        (Subject::Entry(_), _) => Some(Function::Entries),
    };
    table
        .indexes()
        .any(|index| index.is_sai() && index.column == test.column && index.function == function)
}

/// Returns whether the index of a type supports ranges.
fn has_ranges(typ: &ColumnType<'static>) -> bool {
    matches!(
        ApiType::of(typ),
        ApiType::Primitive(
            NativeType::TinyInt
                | NativeType::SmallInt
                | NativeType::Int
                | NativeType::BigInt
                | NativeType::Varint
                | NativeType::Decimal
                | NativeType::Float
                | NativeType::Double
                | NativeType::Date
                | NativeType::Time
                | NativeType::Timestamp
        )
    )
}

impl Lead {
    /// The conditions of the statement.
    pub fn conditions(&self) -> impl Iterator<Item = Expression> {
        self.tests.iter().map(|test| {
            let column = cql::column(&test.column);
            let value = test.value.clone();
            match &test.subject {
                Subject::Value => column.op(test.comparison.cql(), value),
                Subject::Element => column.op("CONTAINS", value),
                Subject::Key => column.op("CONTAINS KEY", value),
                Subject::Entry(key) => cql::entry(&test.column, key.clone()).op("=", value),
            }
        })
    }
}

impl Comparison {
    pub fn cql(self) -> &'static str {
        match self {
            Comparison::Eq => "=",
            Comparison::Ne => "!=",
            Comparison::Gt => ">",
            Comparison::Gte => ">=",
            Comparison::Lt => "<",
            Comparison::Lte => "<=",
        }
    }
}
