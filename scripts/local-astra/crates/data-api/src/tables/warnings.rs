//! Warnings for slow filters, and errors for unsupported ones.

use std::collections::BTreeMap;

use scylla::cluster::metadata::{ColumnType, NativeType};

use super::Table;
use super::indexes::Function;
use super::messages::{columns, list};
use super::types::ApiType;
use crate::codes::Code;
use crate::error::ApiError;
use crate::filter::{Condition, Group, Operator, Part};
use store::{Column, ColumnKind};

/// Conditions by column; the last one of a column counts.
type ByColumn<'a> = BTreeMap<&'a str, &'a Condition>;

fn by_column(filter: &Group) -> ByColumn<'_> {
    let conditions = filter.all().into_iter();
    conditions
        .map(|condition| (condition.path.as_str(), condition))
        .collect()
}

/// The warnings of a filter that finds rows.
///
/// # Errors
/// For unknown columns, and for ranges of durations.
pub fn of_select(table: &Table, filter: &Group) -> Result<Vec<ApiError>, ApiError> {
    let conditions = by_column(filter);
    require_known(table, &conditions)?;
    let durations: Vec<&str> = names_of(table, &conditions, |column, condition| {
        is_range(condition.operator) && is_native(&column.typ, &[NativeType::Duration])
    });
    if !durations.is_empty() {
        let text = format!(
            "Durations have no order: the columns {} cannot be compared with a range.",
            list(durations)
        );
        let code = Code::UnsupportedComparisonFilterAgainstDuration;
        return Err(ApiError::new(code, text));
    }
    if conditions.is_empty() {
        let problem = "The filter is empty: all rows are read";
        return Ok(vec![slow(table, Code::ZeroFilterOperations, problem)]);
    }
    let mut warnings = Vec::new();
    let only_keys = conditions.keys().all(|name| table.is_key(name));
    let unindexed = names_of(table, &conditions, |column, _| {
        let is_primitive = ApiType::of(&column.typ).is_primitive();
        !only_keys && is_primitive && !is_indexed(table, column, None)
    });
    warnings.extend(missing_index(table, unindexed));
    let unindexed = names_of(table, &conditions, |column, condition| {
        let function = match condition.part {
            Part::Whole => return false,
            Part::Keys => Function::Keys,
            Part::Values => Function::Values,
            Part::Entries => Function::Entries,
        };
        !is_indexed(table, column, Some(function))
    });
    warnings.extend(missing_index(table, unindexed));
    let literals = [
        NativeType::Text,
        NativeType::Ascii,
        NativeType::Boolean,
        NativeType::Uuid,
    ];
    let others = [NativeType::Duration, NativeType::Blob];
    let inefficient = |operators: &[Operator], types: &[NativeType]| {
        names_of(table, &conditions, |column, condition| {
            condition.part == Part::Whole
                && operators.contains(&condition.operator)
                && is_native(&column.typ, types)
                && is_indexed(table, column, None)
        })
    };
    let not_equal = inefficient(&[Operator::Ne], &[literals.as_slice(), &others].concat());
    let ranges = [Operator::Gt, Operator::Gte, Operator::Lt, Operator::Lte];
    let found = [
        (Code::NotEqualsUnsupportedByIndexing, not_equal),
        (
            Code::ComparisonFilterUnsupportedByIndexing,
            inefficient(&ranges, &literals),
        ),
        (
            Code::NotInFilterUnsupportedByIndexing,
            inefficient(&[Operator::Nin], &literals),
        ),
    ];
    for (code, names) in found.into_iter().filter(|(_, names)| !names.is_empty()) {
        let problem = format!(
            "The indexes of the columns {} do not serve these conditions",
            list(names)
        );
        warnings.push(slow(table, code, &problem));
    }
    if only_keys && let Some(problem) = key_problem(table, &conditions) {
        warnings.push(slow(table, Code::IncompletePrimaryKeyFilter, &problem));
    }
    if warnings.is_empty() {
        reject_ranges_of_partitions(table, &conditions)?;
    }
    Ok(warnings)
}

/// Rejects ranges of partition key columns. The real server adds ALLOW FILTERING only together with a warning, and
/// without it Cassandra rejects such a range.
fn reject_ranges_of_partitions(table: &Table, conditions: &ByColumn<'_>) -> Result<(), ApiError> {
    let ranges = names_of(table, conditions, |column, condition| {
        column.kind == ColumnKind::PartitionKey && is_range(condition.operator)
    });
    if ranges.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "The database finds no range of the partition key columns {}",
        list(ranges)
    );
    Err(rejected(table, Code::InvalidDatabaseQuery, &problem))
}

/// Checks the filter of an update or delete of one row: equalities on the whole key.
///
/// # Errors
/// For any other filter.
pub fn require_row(table: &Table, filter: &Group) -> Result<(), ApiError> {
    let conditions = by_column(filter);
    require_keys(table, &conditions)?;
    let others = names_of(table, &conditions, |_, condition| {
        condition.operator != Operator::Eq || condition.part != Part::Whole
    });
    if !others.is_empty() {
        let problem = format!("updateOne and deleteOne need $eq on {}", list(others));
        let code = Code::UnsupportedFilterForUpdateOneDeleteOne;
        return Err(rejected(table, code, &problem));
    }
    let missing: Vec<&Column> = table
        .key()
        .filter(|column| !conditions.contains_key(column.name.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "updateOne and deleteOne need the whole primary key, the filter lacks {}",
        columns(missing)
    );
    let code = Code::MissingFullPrimaryKeyForUpdateDelete;
    Err(rejected(table, code, &problem))
}

/// Checks the filter of a delete of many rows: the partition key, and clustering columns from the first on.
///
/// # Errors
/// For any other filter.
pub fn require_rows(table: &Table, filter: &Group) -> Result<(), ApiError> {
    let conditions = by_column(filter);
    require_keys(table, &conditions)?;
    match key_problem(table, &conditions) {
        None => Ok(()),
        Some(problem) => Err(rejected(table, Code::InvalidPrimaryKeyFilter, &problem)),
    }
}

fn require_keys(table: &Table, conditions: &ByColumn<'_>) -> Result<(), ApiError> {
    if conditions.is_empty() {
        let code = Code::MissingFilterForUpdateDelete;
        return Err(rejected(table, code, "The command needs a filter"));
    }
    require_known(table, conditions)?;
    let others = names_of(table, conditions, |column, _| !table.is_key(&column.name));
    if others.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "The filter has columns that are not part of the primary key: {}",
        list(others)
    );
    let code = Code::UnsupportedNonPrimaryKeyFilterForUpdateDelete;
    Err(rejected(table, code, &problem))
}

fn require_known(table: &Table, conditions: &ByColumn<'_>) -> Result<(), ApiError> {
    let unknown: Vec<&str> = conditions
        .keys()
        .copied()
        .filter(|name| table.column(name).is_none())
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(table.unknown_filter_columns(&unknown))
}

fn names_of<'a>(
    table: &Table,
    conditions: &ByColumn<'a>,
    wanted: impl Fn(&Column, &Condition) -> bool,
) -> Vec<&'a str> {
    let conditions = conditions.iter().filter(|(name, condition)| {
        let column = table.column(name);
        column.is_some_and(|column| wanted(column, condition))
    });
    conditions.map(|(name, _)| *name).collect()
}

fn is_range(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte
    )
}

fn is_native(typ: &ColumnType<'_>, natives: &[NativeType]) -> bool {
    matches!(typ, ColumnType::Native(native) if natives.contains(native))
}

fn is_indexed(table: &Table, column: &Column, function: Option<Function>) -> bool {
    table
        .indexes()
        .any(|index| index.column == column.name && index.function == function)
}

/// The columns of the key that are missing, or that come too early.
fn key_problem(table: &Table, conditions: &ByColumn<'_>) -> Option<String> {
    let has = |column: &&Column| conditions.contains_key(column.name.as_str());
    let missing: Vec<&Column> = table.meta.partition_key().filter(|c| !has(c)).collect();
    let clustering = table.meta.clustering_key().skip_while(|column| has(column));
    let late: Vec<&Column> = clustering.filter(has).collect();
    if missing.is_empty() && late.is_empty() {
        return None;
    }
    Some(format!(
        "The filter lacks the partition key columns {}, and has clustering columns out of order: {}",
        columns(missing),
        columns(late)
    ))
}

fn missing_index(table: &Table, names: Vec<&str>) -> Option<ApiError> {
    (!names.is_empty()).then(|| {
        let problem = format!("The filter has columns without an index: {}", list(names));
        slow(table, Code::MissingIndex, &problem)
    })
}

fn slow(table: &Table, code: Code, problem: &str) -> ApiError {
    let indexed = list(table.indexes().map(|index| index.column));
    let text = format!(
        "{problem}. This is slow on large tables.\n\n{} It has indexes on: {indexed}.",
        table.defined_keys()
    );
    ApiError::new(code, text)
}

fn rejected(table: &Table, code: Code, problem: &str) -> ApiError {
    ApiError::new(code, format!("{problem}.\n\n{}", table.defined_keys()))
}
