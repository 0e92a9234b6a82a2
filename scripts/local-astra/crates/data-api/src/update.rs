//! Updates as operators with their operands: the same for collections and tables, which read the operands themselves.

use super::codes::Code;
use super::command::missing;
use super::error::ApiError;
use super::json::{Json, Members};

/// Reads the update of a command in the order of `operators`. An operator that is not among them is left out.
///
/// # Errors
/// For an update or operands that are no object, and those of `check_operator`, which gets every operator.
pub fn read_operators<'a>(
    update: Option<&'a Json>,
    operators: &[&'static str],
    check_operator: impl Fn(&str) -> Result<(), ApiError>,
) -> Result<Vec<(&'static str, &'a Members)>, ApiError> {
    let members = match update {
        None | Some(Json::Null) => return Err(missing("command.update")),
        Some(Json::Object(members)) => members,
        Some(other) => {
            let found = other.type_name();
            return Err(bad_type(format!(
                "an update must be a JSON Object, not {found}"
            )));
        }
    };
    for (operator, operands) in members {
        check_operator(operator)?;
        if operands.as_object().is_none() {
            let found = operands.type_name();
            return Err(bad_type(format!(
                "'{operator}' must have a JSON Object, not {found}"
            )));
        }
    }
    let given = |operator: &&'static str| Some((*operator, members.get(*operator)?.as_object()?));
    Ok(operators.iter().filter_map(given).collect())
}

/// The error of an operator that does not exist or cannot be used.
pub fn unsupported(reason: impl std::fmt::Display) -> ApiError {
    let text = format!("Unsupported update operation: {reason}.");
    ApiError::new(Code::UnsupportedUpdateOperation, text)
}

fn bad_type(reason: String) -> ApiError {
    let text = format!("Unsupported update data type: {reason}.");
    ApiError::new(Code::UnsupportedUpdateDataType, text)
}
