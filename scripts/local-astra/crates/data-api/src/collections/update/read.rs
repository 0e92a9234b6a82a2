//! Updates as they are written.

use super::super::Collection;
use super::locate::{bad_path, segments};
use super::{Action, Operation};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::compare::texts_in_order;
use crate::json::{Decimal, Json, Members};
use crate::update::{read_operators, unsupported};

/// The operators in the order in which they are done.
const OPERATORS: [&str; 12] = [
    "$addToSet",
    "$currentDate",
    "$inc",
    "$max",
    "$min",
    "$mul",
    "$pop",
    "$push",
    "$rename",
    "$set",
    "$setOnInsert",
    "$unset",
];

/// Reads an update.
pub fn actions(update: Option<&Json>, collection: &Collection) -> Result<Vec<Action>, ApiError> {
    let operators = read_operators(update, &OPERATORS, check_operator)?;
    for (operator, operands) in &operators {
        let has = |name: &str| operands.contains_key(name);
        if ["$set", "$unset"].contains(operator) && has("$vector") && has("$vectorize") {
            let text = "'$vector' and '$vectorize' cannot be used together.";
            return Err(ApiError::new(Code::InvalidUsageOfVectorize, text));
        }
    }
    let mut actions = Vec::new();
    for (operator, operands) in operators {
        actions.extend(of_operator(operator, operands, collection)?);
    }
    check_conflicts(&actions)?;
    Ok(actions)
}

fn check_operator(operator: &str) -> Result<(), ApiError> {
    let problem = match operator {
        "$pullAll" => "'$pullAll' is for tables".to_owned(),
        known if OPERATORS.contains(&known) => return Ok(()),
        other if other.starts_with('$') => format!("unknown operator '{other}'"),
        other => format!("the operator '{other}' must start with '$'"),
    };
    Err(unsupported(problem))
}

fn of_operator(
    operator: &str,
    operands: &Members,
    collection: &Collection,
) -> Result<Vec<Action>, ApiError> {
    let read = operands.iter().map(|(path, operand)| {
        check_path(operator, path)?;
        let operation = operation(operator, path, operand)?;
        segments(path)?;
        if matches!(operation, Operation::Set(_) | Operation::SetOnInsert(_))
            && path == "$vectorize"
        {
            check_vectorize(Some(operand), collection)?;
        }
        Ok(Action {
            path: path.clone(),
            operation,
        })
    });
    let mut actions = read.collect::<Result<Vec<Action>, ApiError>>()?;
    actions.sort_by(|left, right| texts_in_order(&left.path, &right.path));
    Ok(actions)
}

/// Refuses text that would have to be made a vector.
///
/// # Errors
/// [`Code::EmbeddingServiceNotConfigured`]
pub fn check_vectorize(text: Option<&Json>, collection: &Collection) -> Result<(), ApiError> {
    match text {
        None | Some(Json::Null) => Ok(()),
        Some(_) => Err(collection.no_embedding_service()),
    }
}

fn check_path(operator: &str, path: &str) -> Result<(), ApiError> {
    let sets = ["$set", "$setOnInsert", "$unset"].contains(&operator);
    let code = match path {
        "_id" if operator == "$setOnInsert" => return Ok(()),
        "_id" => Code::UnsupportedUpdateOperatorForDocId,
        "$vector" if !sets => Code::UnsupportedUpdateOperatorForVector,
        "$vectorize" if !sets => Code::UnsupportedUpdateOperatorForVectorize,
        "$lexical" if !sets => Code::UnsupportedUpdateOperatorForLexical,
        path if !path.starts_with('$') => return Ok(()),
        _ => {
            return match operator {
                "$inc" | "$mul" => Err(bad_modifier(format!("{operator} has no modifiers"))),
                "$push" | "$addToSet" => Err(bad_operand(format!(
                    "{operator} needs a path, not the modifier {path}"
                ))),
                _ => Ok(()),
            };
        }
    };
    let text = format!("The operator {operator} cannot be used on '{path}'.");
    Err(ApiError::new(code, text))
}

fn operation(operator: &str, path: &str, operand: &Json) -> Result<Operation, ApiError> {
    let number = || match operand {
        Json::Number(number) => Ok(number.clone()),
        other => {
            let found = other.type_name();
            Err(bad_operand(format!(
                "{operator} needs a Number, not {found}"
            )))
        }
    };
    let value = || operand.clone();
    Ok(match operator {
        "$addToSet" => Operation::AddToSet(each(operator, operand)?.0),
        "$push" => {
            let (values, position) = each(operator, operand)?;
            Operation::Push { values, position }
        }
        "$currentDate" => current_date(operand)?,
        "$inc" => Operation::Inc(number()?),
        "$mul" => Operation::Mul(number()?),
        "$max" => Operation::Max(value()),
        "$min" => Operation::Min(value()),
        "$pop" => match number()?.to_i64() {
            Some(-1) => Operation::Pop { first: true },
            Some(1) => Operation::Pop { first: false },
            _ => return Err(bad_operand(format!("$pop needs 1 or -1, not {operand}"))),
        },
        "$rename" => rename(path, operand)?,
        "$setOnInsert" => Operation::SetOnInsert(value()),
        "$unset" => Operation::Unset,
        _ => Operation::Set(value()),
    })
}

fn current_date(operand: &Json) -> Result<Operation, ApiError> {
    let is_type = |members: &Members| {
        members.len() == 1 && members.get("$type").and_then(Json::as_text) == Some("date")
    };
    match operand {
        Json::Bool(true) => Ok(Operation::CurrentDate),
        Json::Object(members) if is_type(members) => Ok(Operation::CurrentDate),
        other => Err(bad_operand(format!(
            "$currentDate needs true or {{\"$type\":\"date\"}}, not {other}"
        ))),
    }
}

fn rename(path: &str, operand: &Json) -> Result<Operation, ApiError> {
    let Some(target) = operand.as_text() else {
        let found = operand.type_name();
        return Err(bad_operand(format!("$rename needs a text, not {found}")));
    };
    check_path("$rename", target)?;
    if target == path {
        return Err(bad_path(format!(
            "$rename needs two different paths ('{path}')"
        )));
    }
    segments(target)?;
    Ok(Operation::Rename(target.to_owned()))
}

/// The values of `$push` and `$addToSet`, and where they go.
fn each(operator: &str, operand: &Json) -> Result<(Vec<Json>, Option<i64>), ApiError> {
    let modifiers = operand
        .as_object()
        .filter(|members| members.keys().any(|name| name.starts_with('$')));
    let Some(modifiers) = modifiers else {
        return Ok((vec![operand.clone()], None));
    };
    let (mut values, mut position) = (None, None);
    for (name, value) in modifiers {
        match (name.as_str(), value) {
            ("$each", Json::Array(each)) => values = Some(each.clone()),
            ("$each", other) => {
                let found = other.type_name();
                return Err(bad_operand(format!(
                    "$each of {operator} needs an Array, not {found}"
                )));
            }
            ("$position", value) if operator == "$push" => {
                let integer = value.as_number().filter(|number| number.is_integer());
                let integer = integer.and_then(Decimal::as_i64);
                position = Some(integer.ok_or_else(|| {
                    bad_operand(format!("$position needs an integer, not {value}"))
                })?);
            }
            _ => return Err(bad_modifier(format!("{operator} has no modifier '{name}'"))),
        }
    }
    match values {
        Some(values) => Ok((values, position)),
        None => Err(bad_operand(format!(
            "modifiers of {operator} need $each beside them"
        ))),
    }
}

/// No two operators may change the same path, or one below another's.
fn check_conflicts(actions: &[Action]) -> Result<(), ApiError> {
    let mut paths: Vec<(Vec<String>, &Action)> = Vec::new();
    for action in actions {
        paths.push((segments(&action.path)?, action));
    }
    paths.sort_by(|(left, _), (right, _)| left.cmp(right));
    for pair in paths.windows(2) {
        let [(upper, first), (lower, second)] = pair else {
            continue;
        };
        if upper == lower || lower.starts_with(upper) {
            let (first, second) = (&first.path, &second.path);
            return Err(bad_operand(format!(
                "operators on '{first}' and '{second}' conflict"
            )));
        }
    }
    Ok(())
}

fn bad_operand(reason: String) -> ApiError {
    let text = format!("Unsupported update operation parameter: {reason}.");
    ApiError::new(Code::UnsupportedUpdateOperationParam, text)
}

fn bad_modifier(reason: String) -> ApiError {
    let text = format!("Unsupported update operation modifier: {reason}.");
    ApiError::new(Code::UnsupportedUpdateOperationModifier, text)
}
