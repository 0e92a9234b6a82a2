//! Places in documents, found by their paths.

use super::super::limits::exceeded;
use super::super::path;
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Json, Members};

/// No document is long enough for more elements.
const MAX_INDEX: usize = 1_000_000;

/// A place in a document: a member of an object or an element of an array, which may be missing.
pub enum Place<'a> {
    Member(&'a mut Members, String),
    Element(&'a mut Vec<Json>, usize),
}

impl Place<'_> {
    pub fn value(&self) -> Option<&Json> {
        match self {
            Place::Member(members, name) => members.get(name),
            Place::Element(values, index) => values.get(*index),
        }
    }

    pub fn value_mut(&mut self) -> Option<&mut Json> {
        match self {
            Place::Member(members, name) => members.get_mut(name),
            Place::Element(values, index) => values.get_mut(*index),
        }
    }

    /// Puts a value there. An array that is too short is filled with nulls.
    pub fn replace(&mut self, value: Json) {
        match self {
            Place::Member(members, name) => drop(members.insert(name.clone(), value)),
            Place::Element(values, index) => {
                if *index >= values.len() {
                    values.resize(*index + 1, Json::Null);
                }
                values[*index] = value;
            }
        }
    }

    /// Takes the value away. An element of an array becomes null.
    pub fn remove(&mut self) -> Option<Json> {
        match self {
            Place::Member(members, name) => members.shift_remove(name),
            Place::Element(values, index) => values
                .get_mut(*index)
                .map(|value| std::mem::replace(value, Json::Null)),
        }
    }
}

/// Checks a path of an update.
///
/// # Errors
/// [`Code::UnsupportedUpdateOperationPath`]
pub fn segments(path: &str) -> Result<Vec<String>, ApiError> {
    path::segments(path)
        .map_err(|reason| bad_path(format!("the path '{path}' is not valid: {reason}")))
}

/// The place of a path; `None` if what should hold it is not there.
///
/// # Errors
/// For a bad path.
pub fn find<'a>(document: &'a mut Json, path: &str) -> Result<Option<Place<'a>>, ApiError> {
    let mut segments = segments(path)?;
    let last = segments.pop().unwrap_or_default();
    let mut context = document;
    for segment in &segments {
        let next = match context {
            Json::Object(members) => members.get_mut(segment),
            Json::Array(values) => path::index(segment).and_then(|index| values.get_mut(index)),
            _ => None,
        };
        match next {
            Some(next) => context = next,
            None => return Ok(None),
        }
    }
    Ok(match context {
        Json::Object(members) => Some(Place::Member(members, last)),
        Json::Array(values) => path::index(&last).map(|index| Place::Element(values, index)),
        _ => None,
    })
}

/// The place of a path; the objects that should hold it are made.
///
/// # Errors
/// For a bad path, and where something else than an object is in the way.
pub fn find_or_create<'a>(document: &'a mut Json, path: &str) -> Result<Place<'a>, ApiError> {
    let mut segments = segments(path)?;
    let last = segments.pop().unwrap_or_default();
    let mut context = document;
    for segment in &segments {
        let found = context.type_name();
        context = match context {
            Json::Object(members) => members
                .entry(segment.clone())
                .or_insert_with(|| Json::Object(Members::new())),
            Json::Array(values) => {
                let index = index_of(segment, path, found)?;
                if index >= values.len() {
                    values.resize(index, Json::Null);
                    values.push(Json::Object(Members::new()));
                }
                &mut values[index]
            }
            _ => return Err(in_the_way(segment, path, found)),
        };
    }
    let found = context.type_name();
    match context {
        Json::Object(members) => Ok(Place::Member(members, last)),
        Json::Array(values) => Ok(Place::Element(values, index_of(&last, path, found)?)),
        _ => Err(in_the_way(&last, path, found)),
    }
}

/// Puts a value at a path.
pub fn set(document: &mut Json, path: &str, value: Json) -> Result<(), ApiError> {
    find_or_create(document, path)?.replace(value);
    Ok(())
}

fn index_of(segment: &str, path: &str, found: &str) -> Result<usize, ApiError> {
    let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    match path::index(segment) {
        Some(index) if index <= MAX_INDEX => Ok(index),
        None if !is_number || segment.starts_with('0') => Err(in_the_way(segment, path, found)),
        _ => Err(exceeded(format!(
            "the index in '{path}' exceeds maximum allowed ({MAX_INDEX})"
        ))),
    }
}

fn in_the_way(segment: &str, path: &str, found: &str) -> ApiError {
    bad_path(format!(
        "cannot create field ('{segment}') in path '{path}': only objects have fields, not {found}"
    ))
}

/// The error of a path that an update cannot go.
pub fn bad_path(reason: String) -> ApiError {
    let text = format!("Unsupported update operation path: {reason}.");
    ApiError::new(Code::UnsupportedUpdateOperationPath, text)
}
