//! Updates: operators on paths, or a whole replacement.
//!
//! - [`read`]: updates as they are written
//! - [`locate`]: places in documents
//! - [`fields`], [`numbers`], [`arrays`]: what the operators do

mod arrays;
mod fields;
pub mod locate;
mod numbers;
mod read;

use super::Collection;
use super::id::Id;
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::compare::is_same;
use crate::json::{Decimal, Json, Members};

/// A change of a document.
#[derive(Debug)]
pub enum Update {
    /// In the order in which they are done.
    Actions(Vec<Action>),
    /// The new members, and the id that it may have.
    Replacement { id: Option<Json>, members: Members },
}

/// One operator on one path.
#[derive(Debug)]
pub struct Action {
    path: String,
    operation: Operation,
}

/// The operators, with their operands, in the order in which they are done.
#[derive(Clone, Debug)]
enum Operation {
    AddToSet(Vec<Json>),
    CurrentDate,
    Inc(Decimal),
    Max(Json),
    Min(Json),
    Mul(Decimal),
    /// The first element, or the last.
    Pop {
        first: bool,
    },
    Push {
        values: Vec<Json>,
        position: Option<i64>,
    },
    Rename(String),
    Set(Json),
    SetOnInsert(Json),
    Unset,
}

impl Update {
    /// Reads the `update` of a command.
    pub fn read(update: Option<&Json>, collection: &Collection) -> Result<Update, ApiError> {
        read::actions(update, collection).map(Update::Actions)
    }

    /// Reads a `replacement`.
    ///
    /// # Errors
    /// For a replacement that local Astra cannot serve.
    pub fn replacement(document: &Json, collection: &Collection) -> Result<Update, ApiError> {
        let mut members = document.as_object().cloned().unwrap_or_default();
        read::check_vectorize(members.get("$vectorize"), collection)?;
        let id = members.shift_remove("_id");
        Ok(Update::Replacement { id, members })
    }

    /// Changes a document. Returns true if it differs afterwards.
    ///
    /// # Errors
    /// Operators that do not accept the document's values.
    pub fn apply(&self, document: &mut Json, is_new: bool) -> Result<bool, ApiError> {
        match self {
            Update::Actions(actions) => {
                let mut modified = false;
                for action in actions {
                    modified |= action.apply(document, is_new)?;
                }
                Ok(modified)
            }
            Update::Replacement { id, members } => replace(document, id.as_ref(), members),
        }
    }
}

impl Action {
    fn apply(&self, document: &mut Json, is_new: bool) -> Result<bool, ApiError> {
        let path = self.path.as_str();
        match &self.operation {
            Operation::AddToSet(values) => arrays::add_to_set(document, path, values),
            Operation::CurrentDate => fields::set_current_date(document, path),
            Operation::Inc(number) => numbers::add(document, path, number),
            Operation::Max(value) => {
                numbers::replace_if(document, path, value, std::cmp::Ordering::Less)
            }
            Operation::Min(value) => {
                numbers::replace_if(document, path, value, std::cmp::Ordering::Greater)
            }
            Operation::Mul(number) => numbers::multiply(document, path, number),
            Operation::Pop { first } => arrays::pop(document, path, *first),
            Operation::Push { values, position } => arrays::push(document, path, values, *position),
            Operation::Rename(target) => fields::rename(document, path, target),
            Operation::Set(value) => fields::set(document, path, value),
            Operation::SetOnInsert(value) if is_new => fields::set(document, path, value),
            Operation::SetOnInsert(_) => Ok(false),
            Operation::Unset => fields::unset(document, path),
        }
    }
}

fn replace(document: &mut Json, id: Option<&Json>, members: &Members) -> Result<bool, ApiError> {
    let Json::Object(old) = document else {
        return Ok(false);
    };
    let old_id = old.get("_id").cloned();
    if let (Some(id), Some(old_id)) = (id, &old_id)
        && !Id::read(id)?.is_same(&Id::read(old_id)?)
    {
        let text = format!(
            "The replacement has the _id {id}, the document that it replaces has {old_id}."
        );
        return Err(ApiError::new(Code::DocumentReplaceDifferentDocid, text));
    }
    let others: Members = old
        .iter()
        .filter(|(name, _)| *name != "_id")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if is_same(&Json::Object(others), &Json::Object(members.clone())) {
        return Ok(false);
    }
    let mut new = Members::new();
    if let Some(id) = old_id.or_else(|| id.cloned()) {
        new.insert("_id".to_owned(), id);
    }
    new.extend(
        members
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    *document = Json::Object(new);
    Ok(true)
}

/// The error of a value that an operator does not take.
fn wrong_target(operator: &str, wanted: &str, path: &str, found: &Json) -> ApiError {
    let found = found.type_name();
    let text = format!(
        "Unsupported target JSON value for update operation: {operator} needs a {wanted}, the value at '{path}' is of type {found}."
    );
    ApiError::new(Code::UnsupportedUpdateOperationTarget, text)
}

#[cfg(test)]
mod tests;
