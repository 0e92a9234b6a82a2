//! Projections: the columns that a response has.

use super::Table;
use super::messages::{columns, list};
use super::types::{Support, Usage, describe_columns};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Json, Members};
use store::Column;

impl Table {
    /// Returns the selected columns, which are all columns unless the projection contains some.
    ///
    /// # Errors
    /// For an invalid projection, one that selects nothing, or columns that the API cannot read.
    pub fn projected(&self, projection: Option<&Json>) -> Result<Vec<&Column>, ApiError> {
        let members = match projection {
            Some(Json::Object(members)) => members,
            Some(Json::Array(values)) if !values.is_empty() => {
                let text = "A projection must be a JSON Object, not Array.";
                return Err(ApiError::new(Code::UnsupportedProjectionDefinition, text));
            }
            _ => &Members::new(),
        };
        let selected = self.selected(members)?;
        if selected.is_empty() {
            let text = format!(
                "The projection selects no column of the table: {}.\n\n{}",
                list(members.keys()),
                self.defined_columns()
            );
            return Err(ApiError::new(Code::UnknownColumnsInProjection, text));
        }
        let unsupported: Vec<&Column> = selected
            .iter()
            .copied()
            .filter(|column| !Support::of(&column.typ).read)
            .collect();
        if !unsupported.is_empty() {
            let text = format!(
                "The columns {} cannot be read: exclude them by a projection.\n\n{}",
                columns(unsupported),
                self.defined_columns()
            );
            return Err(ApiError::new(Code::UnsupportedColumnsInProjection, text));
        }
        Ok(selected)
    }

    fn selected(&self, members: &Members) -> Result<Vec<&Column>, ApiError> {
        let all = || self.meta.columns.iter();
        match members.first() {
            None => return Ok(all().collect()),
            Some((name, value)) if name == "*" && members.len() == 1 => {
                let all: Vec<&Column> = all().collect();
                return Ok(if is_included(name, value)? {
                    all
                } else {
                    Vec::new()
                });
            }
            _ => {}
        }
        let mut includes = None;
        for (name, value) in members {
            if name.is_empty() {
                return Err(bad("a path cannot be empty".to_owned()));
            }
            if name == "*" {
                return Err(bad("'*' must be the only path".to_owned()));
            }
            let included = is_included(name, value)?;
            if *includes.get_or_insert(included) != included {
                return Err(bad(format!(
                    "'{name}': a projection cannot both include and exclude"
                )));
            }
        }
        let named = |column: &&Column| members.contains_key(&column.name);
        Ok(if includes == Some(true) {
            all().filter(named).collect()
        } else {
            all().filter(|column| !named(column)).collect()
        })
    }
}

/// The schema of columns that were read.
pub fn schema(columns: &[&Column]) -> Json {
    describe_columns(columns.iter().copied(), Usage::Rows)
}

fn is_included(path: &str, value: &Json) -> Result<bool, ApiError> {
    match value {
        Json::Number(number) => Ok(!number.is_zero()),
        Json::Bool(value) => Ok(*value),
        other => {
            let found = other.type_name();
            Err(bad(format!(
                "the value of '{path}' must be a Number or a Boolean, not {found}"
            )))
        }
    }
}

fn bad(reason: String) -> ApiError {
    let text = format!("Unsupported projection parameter: {reason}.");
    ApiError::new(Code::UnsupportedProjectionParam, text)
}
