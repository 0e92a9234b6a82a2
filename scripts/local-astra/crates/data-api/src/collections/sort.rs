//! Sorts: as they are written, and in memory.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use scylla::value::CqlValue;

use super::Collection;
use super::extended::{self, Extension};
use super::filter::Filter;
use super::id::Key;
use super::indexing::IndexedPaths;
use super::layout::{BOOLS, NULLS, NUMBERS, TEXTS, TIMES};
use super::path::has_valid_escapes;
use super::plan::Plan;
use super::position::Position;
use super::shred::{binary_vector, lexical_is_off, vector_of};
use super::stream::{PageSizes, Stream};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::compare::{in_order, texts_in_order};
use crate::json::{Decimal, Json, Members};
use store::cql::{self, Expression};

/// Documents that a sort looks at.
const MAX_SORTED: usize = 10_000;
/// The maps that may hold the value of a path, in the order of [`SortValue::read`].
const COLUMNS: [&str; 5] = [TEXTS, NUMBERS, BOOLS, NULLS, TIMES];

/// The sort of a command.
#[derive(Clone, Debug)]
pub enum Sort {
    None,
    By(Vec<SortPath>),
    Vector(Vec<f32>),
}

/// One path of a sort.
#[derive(Clone, Debug)]
pub struct SortPath {
    path: String,
    ascending: bool,
}

impl Sort {
    /// Reads the sort of a command.
    ///
    /// # Errors
    /// A sort that is invalid, or that the collection does not support.
    pub fn read(sort: Option<&Json>, collection: &Collection) -> Result<Sort, ApiError> {
        let members = match sort {
            None | Some(Json::Null) => return Ok(Sort::None),
            Some(Json::Object(members)) => members,
            Some(other) => {
                let found = other.type_name();
                return Err(invalid(format!(
                    "a sort must be a JSON Object, not {found}"
                )));
            }
        };
        if members.contains_key("$lexical") {
            return Err(lexical_is_off());
        }
        if let Some(vector) = members.get("$vector") {
            return read_vector(vector, members, collection);
        }
        if let Some(text) = members.get("$vectorize") {
            return Err(vectorize_sort(text, members, collection));
        }
        if members.is_empty() {
            return Ok(Sort::None);
        }
        members.keys().try_for_each(|path| check_path(path))?;
        let paths = members
            .iter()
            .map(|(path, value)| {
                let ascending = read_direction(path, value)?;
                let path = path.clone();
                Ok(SortPath { path, ascending })
            })
            .collect::<Result<Vec<SortPath>, ApiError>>()?;
        let indexed = IndexedPaths::new(collection.definition.indexing.as_ref());
        match paths.iter().find(|by| !indexed.has(&by.path)) {
            None => Ok(Sort::By(paths)),
            Some(by) => {
                let text = format!(
                    "The path '{}' is not indexed: it cannot be used in a sort.",
                    by.path
                );
                Err(ApiError::new(Code::SortClausePathUnindexed, text))
            }
        }
    }
}

fn read_vector(vector: &Json, sort: &Members, collection: &Collection) -> Result<Sort, ApiError> {
    if sort.len() > 1 {
        return Err(invalid("a vector sort stands alone".to_owned()));
    }
    let vector = match (vector, extended::known(vector)) {
        (_, Some((Extension::Binary, binary))) => binary_vector(binary)?,
        (Json::Array(values), _) => vector_of(values)?,
        (other, _) => {
            let found = other.type_name();
            return Err(bad_value(
                "$vector",
                format!("it needs an array, not {found}"),
            ));
        }
    };
    collection.require_vector(&vector)?;
    Ok(Sort::Vector(vector))
}

fn vectorize_sort(text: &Json, sort: &Members, collection: &Collection) -> ApiError {
    if sort.len() > 1 {
        return invalid("a vectorize sort stands alone".to_owned());
    }
    match text.as_text().filter(|text| !text.trim().is_empty()) {
        Some(_) => collection.no_embedding_service(),
        None => bad_value("$vectorize", "it needs a text that is not blank".to_owned()),
    }
}

fn read_direction(path: &str, value: &Json) -> Result<bool, ApiError> {
    let direction = value.as_number().and_then(Decimal::as_i64);
    match direction {
        Some(1) => Ok(true),
        Some(-1) => Ok(false),
        _ => Err(bad_value(path, format!("it must be 1 or -1, not {value}"))),
    }
}

fn check_path(path: &str) -> Result<(), ApiError> {
    let reason = match path {
        "" => "it is empty",
        path if path.starts_with('$') => "it cannot start with '$'",
        path if !has_valid_escapes(path) => "'&' must be followed by '&' or '.'",
        _ => return Ok(()),
    };
    let text = format!("The path '{path}' in the sort is not valid: {reason}.");
    Err(ApiError::new(Code::SortClausePathInvalid, text))
}

fn invalid(reason: String) -> ApiError {
    let text = format!("The sort is not valid: {reason}.");
    ApiError::new(Code::SortClauseInvalid, text)
}

/// The error of a page state beside a sort.
pub fn page_state_with_sort() -> ApiError {
    invalid("'pageState' cannot be used with a sort".to_owned())
}

fn bad_value(path: &str, reason: String) -> ApiError {
    let text = format!("The value of '{path}' in the sort is not valid: {reason}.");
    ApiError::new(Code::SortClauseValueInvalid, text)
}

/// The first documents of a sort after `skip`, up to `count`.
///
/// # Errors
/// [`Code::OverloadedSortRowLimit`] for too many documents; Cassandra's own.
pub async fn first(
    collection: &Collection,
    filter: &Filter,
    by: &[SortPath],
    skip: usize,
    count: usize,
) -> Result<Vec<Position>, ApiError> {
    let entries = |by: &SortPath| {
        let path = CqlValue::Text(by.path.clone());
        COLUMNS.map(|column| cql::entry(column, path.clone()))
    };
    let selected: Vec<Expression> = by.iter().flat_map(entries).collect();
    let sizes = PageSizes::growing(100);
    let mut stream = Stream::new(collection, Plan::of(filter), &selected, None, sizes);
    let directions: Arc<[bool]> = by.iter().map(|by| by.ascending).collect();
    let kept = skip.saturating_add(count);
    let mut heap = BinaryHeap::new();
    let mut seen = 0;
    while let Some(row) = stream.next().await? {
        seen += 1;
        if seen > MAX_SORTED {
            let text = format!(
                "The filter finds more than {MAX_SORTED} documents, which is the most that can be sorted."
            );
            return Err(ApiError::new(Code::OverloadedSortRowLimit, text));
        }
        let mut values = row.selected.into_iter();
        let values = by.iter().map(|_| SortValue::read(&mut values)).collect();
        heap.push(Sorted {
            values,
            directions: Arc::clone(&directions),
            position: row.position,
        });
        if heap.len() > kept {
            heap.pop();
        }
    }
    let sorted = heap.into_sorted_vec().into_iter().skip(skip);
    Ok(sorted.map(|sorted| sorted.position).collect())
}

/// The value of a path in a row.
#[derive(Debug)]
enum SortValue {
    Missing,
    Null,
    Number(Decimal),
    Text(String),
    Bool(i8),
    Time(i64),
}

impl SortValue {
    /// Takes the values of [`COLUMNS`].
    fn read(columns: &mut impl Iterator<Item = Option<CqlValue>>) -> SortValue {
        let values = COLUMNS.map(|_| columns.next().flatten());
        let found = values.into_iter().zip(COLUMNS).find_map(|(value, column)| {
            Some(match (value?, column) {
                (CqlValue::Text(_), NULLS) => SortValue::Null,
                (CqlValue::Text(text), _) => SortValue::Text(text),
                (CqlValue::Decimal(number), _) => SortValue::Number(Decimal::from_cql(&number)),
                (CqlValue::TinyInt(value), _) => SortValue::Bool(value),
                (CqlValue::Timestamp(time), _) => SortValue::Time(time.0),
                _ => return None,
            })
        });
        found.unwrap_or(SortValue::Missing)
    }

    fn rank(&self) -> u8 {
        match self {
            SortValue::Missing => 0,
            SortValue::Null => 1,
            SortValue::Number(_) => 2,
            SortValue::Text(_) => 3,
            SortValue::Bool(_) => 6,
            SortValue::Time(_) => 7,
        }
    }

    fn order(&self, other: &SortValue) -> Ordering {
        match (self, other) {
            (SortValue::Number(left), SortValue::Number(right)) => left.cmp_value(right),
            (SortValue::Text(left), SortValue::Text(right)) => texts_in_order(left, right),
            (SortValue::Bool(left), SortValue::Bool(right)) => left.cmp(right),
            (SortValue::Time(left), SortValue::Time(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// A row in the heap: the greatest is the last of the sort.
#[derive(Debug)]
struct Sorted {
    values: Vec<SortValue>,
    directions: Arc<[bool]>,
    position: Position,
}

impl Ord for Sorted {
    fn cmp(&self, other: &Sorted) -> Ordering {
        let values = self
            .values
            .iter()
            .zip(&other.values)
            .zip(self.directions.iter());
        let mut orders = values.map(|((left, right), ascending)| {
            let order = left.order(right);
            if *ascending { order } else { order.reverse() }
        });
        let first = orders.find(|order| order.is_ne());
        first.unwrap_or_else(|| {
            in_order(&id_of(&self.position.key), &id_of(&other.position.key))
                .then_with(|| self.position.cmp(&other.position))
        })
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

/// The id that a key is made of, as far as it is told by the key.
fn id_of(key: &Key) -> Json {
    let (typ, text) = key;
    match typ {
        2 => Decimal::parse(text).map_or_else(|| Json::text(text), Json::Number),
        3 => Json::Bool(text == "true"),
        4 => Json::Null,
        5 => text
            .parse()
            .map_or_else(|_| Json::text(text), extended::date_json),
        _ => Json::text(text),
    }
}
