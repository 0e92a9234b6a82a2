//! Sorts: as they are written, and in memory.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use scylla::value::CqlValue;

use super::Table;
use super::compare::compare;
use super::messages::{columns, list};
use super::stream::{Row, Stream};
use super::types::{ApiType, api_name};
use crate::codes::Code;
use crate::collections::extended;
use crate::collections::extended::Extension;
use crate::collections::{Metric, vector_of};
use crate::error::ApiError;
use crate::filter::{Group, Operator};
use crate::json::compare::texts_in_order;
use crate::json::{Decimal, Json};
use store::Column;

/// Rows that a sort looks at.
const MAX_SORTED: usize = 10_000;
/// The most rows that a vector sort returns.
pub const MAX_NEAREST: usize = 1000;

/// The sort of a command.
#[derive(Clone, Debug)]
pub enum Sort {
    None,
    /// By clustering columns, by the database.
    Database(Vec<SortColumn>),
    Memory(Vec<SortColumn>),
    Vector {
        column: String,
        vector: Vec<f32>,
        metric: Metric,
    },
}

/// One column of a sort.
#[derive(Clone, Debug)]
pub struct SortColumn {
    pub name: String,
    pub ascending: bool,
}

/// The options of a command that decide about its sort.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    pub limit: Option<i64>,
    pub skip: Option<i64>,
}

impl Table {
    /// Reads the sort of a command, with the warning of one that is done in memory.
    ///
    /// # Errors
    /// For an invalid sort, or one that the table does not support.
    pub fn read_sort(
        &self,
        sort: Option<&Json>,
        filter: &Group,
        window: Window,
    ) -> Result<(Sort, Option<ApiError>), ApiError> {
        let members = match sort {
            None | Some(Json::Null) => return Ok((Sort::None, None)),
            Some(Json::Object(members)) if members.is_empty() => return Ok((Sort::None, None)),
            Some(Json::Object(members)) => members,
            Some(other) => {
                let found = other.type_name();
                let text = format!("The sort is not valid: it must be a JSON Object, not {found}.");
                return Err(ApiError::new(Code::SortClauseInvalid, text));
            }
        };
        let unknown: Vec<&String> = members
            .keys()
            .filter(|n| self.column(n).is_none())
            .collect();
        if !unknown.is_empty() {
            let text = format!(
                "The sort has the unknown columns {}.\n\n{}",
                list(unknown),
                self.defined_columns()
            );
            return Err(ApiError::new(Code::CannotSortUnknownColumns, text));
        }
        let named: Vec<(&Column, &Json)> = members
            .iter()
            .filter_map(|(name, value)| Some((self.column(name)?, value)))
            .collect();
        let is_vector = |column: &Column| matches!(ApiType::of(&column.typ), ApiType::Vector(_));
        let is_text = |column: &Column| ["ascii", "text"].contains(&api_name(&column.typ));
        let is_special = |(column, value): &(&Column, &Json)| {
            is_vector(column) || is_text(column) && value.as_text().is_some()
        };
        if let Some((column, value)) = named.iter().copied().find(is_special) {
            if named.len() > 1 {
                let text = "A sort by a vector or by text stands alone.";
                return Err(ApiError::new(Code::CannotSortOnSpecialWithOthers, text));
            }
            if is_vector(column) {
                return Ok((self.vector_sort(column, value, window)?, None));
            }
            let code = match window.skip {
                Some(_) => Code::CannotLexicalSortWithSkipOption,
                None => Code::CannotLexicalSortNonIndexedColumns,
            };
            let text = format!("The column {} has no text index.", column.name);
            return Err(ApiError::new(code, text));
        }
        let by = named
            .iter()
            .map(|(column, value)| self.sort_column(column, value))
            .collect::<Result<Vec<SortColumn>, ApiError>>()?;
        Ok(match self.warning_of_memory(&by, filter, window) {
            None => (Sort::Database(by), None),
            Some(warning) => (Sort::Memory(by), Some(warning)),
        })
    }

    fn sort_column(&self, column: &Column, value: &Json) -> Result<SortColumn, ApiError> {
        let name = &column.name;
        let direction = value.as_number().and_then(Decimal::as_i64);
        let code = match (direction, value) {
            (Some(1 | -1), _) => {
                return Ok(SortColumn {
                    name: name.clone(),
                    ascending: direction == Some(1),
                });
            }
            (_, Json::Array(_)) => Code::CannotVectorSortNonVectorColumns,
            (_, Json::Text(_)) => Code::CannotVectorizeSortNonVectorColumn,
            _ => Code::InvalidRegularSortExpression,
        };
        let text = format!(
            "The sort by {name} must be 1 or -1, not {value}.\n\n{}",
            self.defined_columns()
        );
        Err(ApiError::new(code, text))
    }

    fn vector_sort(&self, column: &Column, value: &Json, window: Window) -> Result<Sort, ApiError> {
        let name = &column.name;
        let vector = match (value, extended::looks_extended(value)) {
            (Json::Array(values), _) => vector_of(values)?,
            (Json::Text(_), _) => {
                let text = format!("The column {name} has no embedding service for texts.");
                let code = Code::CannotVectorizeSortWhenMissingVectorizeDefinition;
                return Err(ApiError::new(code, text));
            }
            (Json::Object(_), extension) => {
                let floats = extension.and_then(|(name, inner)| match Extension::named(name) {
                    Some(Extension::Binary) => inner.as_text().and_then(extended::floats),
                    _ => None,
                });
                floats.ok_or_else(|| {
                    let text = format!(
                        "The sort by the vector {name} must be an array or floats in $binary."
                    );
                    ApiError::new(Code::SortClauseValueInvalid, text)
                })?
            }
            (other, _) => {
                let found = other.type_name();
                let text = format!("The sort by the vector {name} must be an array, not {found}.");
                return Err(ApiError::new(Code::InvalidVectorSortExpression, text));
            }
        };
        let ApiType::Vector(dimension) = ApiType::of(&column.typ) else {
            return Ok(Sort::None);
        };
        let too_many = |limit: i64| usize::try_from(limit).is_ok_and(|limit| limit > MAX_NEAREST);
        let index = self
            .indexes()
            .find(|index| index.column == *name && index.is_sai());
        let (code, problem) = if window.limit.is_some_and(too_many) {
            let code = Code::CannotVectorSortWithLimitExceedsMax;
            (code, format!("with a limit above {MAX_NEAREST}"))
        } else if window.skip.is_some() {
            let code = Code::CannotVectorSortWithSkipOption;
            (code, "with 'skip'".to_owned())
        } else if vector.len() != usize::from(dimension) {
            let code = Code::CannotVectorSortOnMismatchedVectorDimensions;
            let found = vector.len();
            (
                code,
                format!("with {found} numbers in place of {dimension}"),
            )
        } else if let Some(index) = index {
            return Ok(Sort::Vector {
                column: name.clone(),
                vector,
                metric: index.metric(),
            });
        } else {
            let code = Code::CannotVectorSortNonIndexedVectorColumns;
            (code, "without a vector index".to_owned())
        };
        let text = format!("The vector {name} cannot be used in a sort {problem}.");
        Err(ApiError::new(code, text))
    }

    /// The warning of a sort that the database cannot do.
    fn warning_of_memory(
        &self,
        by: &[SortColumn],
        filter: &Group,
        window: Window,
    ) -> Option<ApiError> {
        let clustering: Vec<&Column> = self.meta.clustering_key().collect();
        let is_clustering = |name: &str| clustering.iter().any(|column| column.name == name);
        let others: Vec<&String> = by
            .iter()
            .map(|by| &by.name)
            .filter(|n| !is_clustering(n))
            .collect();
        let in_order = by
            .iter()
            .zip(&clustering)
            .all(|(by, column)| by.name == column.name);
        let (code, problem) = if window.skip.is_some() {
            let code = Code::InMemorySortingDueSkipOptions;
            (code, "The command has 'skip'".to_owned())
        } else if !others.is_empty() {
            let code = Code::InMemorySortingDueToNonPartitionSorting;
            let others = list(others);
            (
                code,
                format!("The sort has columns that are no clustering columns: {others}"),
            )
        } else if !in_order {
            let code = Code::InMemorySortingDueToOutOfOrderPartitionSorting;
            (
                code,
                "The sort has the clustering columns in another order".to_owned(),
            )
        } else if !self.is_one_partition(filter) {
            let code = Code::InMemorySortingDueToPartitionKeyNotRestricted;
            (code, "The filter does not name one partition".to_owned())
        } else {
            return None;
        };
        let text = format!(
            "{problem}: the rows were sorted in memory, which is slow for many.\n\nThe table {} has the clustering columns: {}.",
            self.shown(),
            columns(clustering)
        );
        Some(ApiError::new(code, text))
    }

    /// Returns whether the filter contains the whole key of one partition.
    fn is_one_partition(&self, filter: &Group) -> bool {
        let conditions = filter.all();
        self.meta.partition_key().all(|column| {
            conditions.iter().any(|condition| {
                let is_exact = match condition.operator {
                    Operator::Eq => true,
                    Operator::In => condition.value.as_array().is_some_and(|v| v.len() == 1),
                    _ => false,
                };
                is_exact && condition.path == column.name
            })
        })
    }
}

/// The first rows of a sort after `skip`, up to `count`, and how many were sorted. The first columns of the stream
/// are those of the sort.
///
/// # Errors
/// [`Code::OverloadedSortRowLimit`] for too many rows; Cassandra's own.
pub async fn first(
    mut stream: Stream<'_>,
    by: &[SortColumn],
    skip: usize,
    count: usize,
) -> Result<(Vec<Row>, usize), ApiError> {
    let directions: Arc<[bool]> = by.iter().map(|by| by.ascending).collect();
    let kept = skip.saturating_add(count);
    let mut heap = BinaryHeap::new();
    let mut seen = 0;
    while let Some(mut row) = stream.next().await? {
        seen += 1;
        if seen > MAX_SORTED {
            let text = format!(
                "The filter finds more than {MAX_SORTED} rows, which is the most that can be sorted."
            );
            return Err(ApiError::new(Code::OverloadedSortRowLimit, text));
        }
        let rest = row.split_off(by.len());
        heap.push(Sorted {
            values: row,
            directions: Arc::clone(&directions),
            number: seen,
            row: rest,
        });
        if heap.len() > kept {
            heap.pop();
        }
    }
    let sorted = heap.into_sorted_vec().into_iter().skip(skip);
    Ok((sorted.map(|sorted| sorted.row).collect(), seen))
}

/// A row in the heap: the greatest is the last of the sort.
struct Sorted {
    values: Row,
    directions: Arc<[bool]>,
    /// Equal rows stay in the order of the database.
    number: usize,
    row: Row,
}

impl Ord for Sorted {
    fn cmp(&self, other: &Sorted) -> Ordering {
        let values = self.values.iter().zip(&other.values);
        let mut orders = values
            .zip(self.directions.iter())
            .map(|((left, right), ascending)| {
                let order = in_order(left.as_ref(), right.as_ref());
                if *ascending { order } else { order.reverse() }
            });
        let first = orders.find(|order| order.is_ne());
        first.unwrap_or_else(|| self.number.cmp(&other.number))
    }
}

impl PartialOrd for Sorted {
    fn partial_cmp(&self, other: &Sorted) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sorted {
    fn eq(&self, other: &Sorted) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sorted {}

/// The order of Java's types where it differs from Cassandra's: texts, UUIDs and bytes.
fn in_order(left: Option<&CqlValue>, right: Option<&CqlValue>) -> Ordering {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.is_some().cmp(&right.is_some()),
    };
    match (left, right) {
        (CqlValue::Text(left), CqlValue::Text(right)) => texts_in_order(left, right),
        (CqlValue::Uuid(left), CqlValue::Uuid(right)) => {
            let signed = |uuid: &uuid::Uuid| {
                let (high, low) = uuid.as_u64_pair();
                (high.cast_signed(), low.cast_signed())
            };
            signed(left).cmp(&signed(right))
        }
        (CqlValue::Blob(left), CqlValue::Blob(right)) => {
            let signed =
                |bytes: &[u8]| -> Vec<i8> { bytes.iter().map(|b| b.cast_signed()).collect() };
            signed(left).cmp(&signed(right))
        }
        (left, right) => compare(left, right).unwrap_or(Ordering::Equal),
    }
}
