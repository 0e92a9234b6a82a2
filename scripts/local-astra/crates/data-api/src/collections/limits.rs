//! Limits of documents: names, depth, sizes.

use super::extended::Extension;
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Json, Members};

pub const DOCUMENT_LENGTH: usize = 4_000_000;
const DEPTH: usize = 16;
const PATH_LENGTH: usize = 1000;
const MEMBERS: usize = 1000;
const ALL_MEMBERS: usize = 2000;
const ELEMENTS: usize = 1000;
const TEXT_LENGTH: usize = 8000;
const VECTOR_LENGTH: usize = 4096;

/// Members at the top that may begin with a dollar.
const SPECIAL: [&str; 3] = ["$vector", "$vectorize", "$lexical"];

/// The error of a document beyond a limit.
pub fn exceeded(reason: impl std::fmt::Display) -> ApiError {
    let text = format!("Document size limitation violated: {reason}.");
    ApiError::new(Code::ShredDocLimitViolation, text)
}

/// Checks names, depth and paths of a whole document, indexed or not.
pub fn check_document(document: &Members) -> Result<(), ApiError> {
    check_members(document, 1, 0)
}

fn check_value(value: &Json, depth: usize, path_length: usize) -> Result<(), ApiError> {
    match value {
        Json::Object(members) => check_object(members, depth + 1, path_length),
        Json::Array(values) => {
            check_depth(depth + 1)?;
            let mut values = values.iter();
            values.try_for_each(|value| check_value(value, depth + 1, path_length))
        }
        _ => Ok(()),
    }
}

fn check_object(members: &Members, depth: usize, path_length: usize) -> Result<(), ApiError> {
    check_depth(depth)?;
    let only = members.first().filter(|_| members.len() == 1);
    if let Some((name, value)) = only
        && Extension::named(name).is_some()
    {
        let integer = value.as_number().is_some_and(|number| number.is_integer());
        if integer || value.as_text().is_some() {
            return Ok(());
        }
        let found = value.type_name();
        let text =
            format!("Bad JSON Extension value to shred: '{name}' cannot be of type {found}.");
        return Err(ApiError::new(Code::ShredBadEjsonValue, text));
    }
    check_members(members, depth, path_length)
}

fn check_members(members: &Members, depth: usize, path_length: usize) -> Result<(), ApiError> {
    for (name, value) in members {
        if depth == 1 && name == "_id" {
            continue;
        }
        check_name(name, depth)?;
        let length = name.encode_utf16().count();
        if path_length + length > PATH_LENGTH {
            let total = path_length + length;
            return Err(exceeded(format!(
                "field path length ({total}) exceeds maximum allowed ({PATH_LENGTH}) (path ends with '{name}')"
            )));
        }
        check_value(value, depth, path_length + 1 + length)?;
    }
    Ok(())
}

fn check_name(name: &str, depth: usize) -> Result<(), ApiError> {
    if !name.is_empty() && !name.starts_with('$') {
        return Ok(());
    }
    if depth == 1 && SPECIAL.contains(&name) {
        return Ok(());
    }
    let reason = if name.is_empty() {
        "is empty"
    } else {
        "starts with '$'"
    };
    let text = format!("Document field name not valid: field name '{name}' {reason}.");
    Err(ApiError::new(Code::ShredBadFieldName, text))
}

fn check_depth(depth: usize) -> Result<(), ApiError> {
    if depth <= DEPTH {
        return Ok(());
    }
    Err(exceeded(format!(
        "document depth exceeds maximum allowed ({DEPTH})"
    )))
}

/// Checks the part of a document that is indexed.
pub fn check_indexed(document: &Members) -> Result<(), ApiError> {
    let mut count = 0;
    check_indexed_members("", document, &mut count)?;
    if count <= ALL_MEMBERS {
        return Ok(());
    }
    Err(exceeded(format!(
        "total number of indexed properties ({count}) in document exceeds maximum allowed ({ALL_MEMBERS})"
    )))
}

fn check_indexed_members(of: &str, members: &Members, count: &mut usize) -> Result<(), ApiError> {
    let length = members.len();
    if length > MEMBERS {
        return Err(exceeded(format!(
            "number of properties an indexable Object (field '{of}') has ({length}) exceeds maximum allowed ({MEMBERS})"
        )));
    }
    *count += length;
    let mut members = members.iter();
    members.try_for_each(|(name, value)| check_indexed_value(name, value, count))
}

fn check_indexed_value(of: &str, value: &Json, count: &mut usize) -> Result<(), ApiError> {
    match value {
        Json::Object(members) => check_indexed_members(of, members, count),
        Json::Array(values) => {
            let most = if of == "$vector" {
                VECTOR_LENGTH
            } else {
                ELEMENTS
            };
            let length = values.len();
            if length > most {
                return Err(exceeded(format!(
                    "number of elements an indexable Array (field '{of}') has ({length}) exceeds maximum allowed ({most})"
                )));
            }
            let mut values = values.iter();
            values.try_for_each(|value| check_indexed_value(of, value, count))
        }
        Json::Text(text) => {
            let length = text.len();
            if length <= TEXT_LENGTH || ["$vectorize", "$binary", "$lexical"].contains(&of) {
                return Ok(());
            }
            Err(exceeded(format!(
                "indexed String value (field '{of}') length ({length} bytes) exceeds maximum allowed ({TEXT_LENGTH} bytes)"
            )))
        }
        _ => Ok(()),
    }
}
