//! Commands of requests with their fields and options, read by their [`Spec`].

use super::codes::Code;
use super::commands::{COMMANDS, Kind, Level, Options, Spec};
use super::error::ApiError;
use super::json::{Json, Members};

/// A command whose fields and options are known and of the right kinds.
#[derive(Debug)]
pub struct Command {
    pub name: &'static str,
    fields: Members,
    options: Members,
}

impl Command {
    /// Reads the body of a request at a level.
    ///
    /// # Errors
    /// For anything but one object with one command of that level, and for fields and options that it does not take.
    pub fn read(level: Level, body: Option<Json>) -> Result<Command, ApiError> {
        let body = match body {
            None | Some(Json::Null) => return Err(missing("command")),
            Some(Json::Object(body)) => body,
            Some(other) => {
                let found = format!("the body must be an object, not {}", other.type_name());
                return Err(mismatch(found));
            }
        };
        let mut commands = body.into_iter();
        let Some((name, fields)) = commands.next() else {
            return Err(mismatch("the body has no command"));
        };
        let served = COMMANDS.iter().find(|s| s.level == level && s.name == name);
        let Some(spec) = served else {
            return Err(unknown_command(level, &name));
        };
        let Json::Object(fields) = fields else {
            let found = fields.type_name();
            return Err(mismatch(format!(
                "command '{name}' must be an object, not {found}"
            )));
        };
        let command = spec.read(fields)?;
        if commands.next().is_some() {
            return Err(mismatch("the body has more than one command"));
        }
        for required in spec.required {
            if command.field(required).is_none() {
                return Err(missing(&format!("command.{required}")));
            }
        }
        Ok(command)
    }

    /// A field, even if it is null.
    pub fn field(&self, name: &str) -> Option<&Json> {
        self.fields.get(name)
    }

    /// A text field.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_text()
    }

    /// All options, for a command that reads them itself.
    pub fn own_options(&self) -> &Members {
        &self.options
    }

    /// A boolean option; false unless it is given.
    pub fn flag(&self, name: &str) -> bool {
        let value = self.options.get(name).and_then(Json::as_bool);
        value.unwrap_or(false)
    }

    /// A text option.
    pub fn text_option(&self, name: &str) -> Option<&str> {
        self.options.get(name)?.as_text()
    }

    /// An integer option.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.options.get(name)?.as_number()?.as_i64()
    }
}

impl Spec {
    fn read(&self, fields: Members) -> Result<Command, ApiError> {
        let mut command = Command {
            name: self.name,
            fields: Members::new(),
            options: Members::new(),
        };
        for (name, value) in fields {
            if name == "options" {
                command.options = self.read_options(value)?;
                continue;
            }
            let Some((known, _, kind)) = self.fields.iter().find(|(n, ..)| *n == name) else {
                let options = !matches!(self.options, Options::None) || self.fields.is_empty();
                let names = self.fields.iter().map(|(name, ..)| *name);
                return Err(unknown_field(
                    &name,
                    names.chain(options.then_some("options")),
                ));
            };
            if let Some(value) = coerced(&name, value, *kind)? {
                command.fields.insert((*known).to_owned(), value);
            }
        }
        Ok(command)
    }

    fn read_options(&self, options: Json) -> Result<Members, ApiError> {
        let known = match (&self.options, &options) {
            (_, Json::Null) => return Ok(Members::new()),
            (Options::None, Json::Object(members)) if members.is_empty() => {
                return Ok(Members::new());
            }
            (Options::None, _) => {
                let text = format!(
                    "Command '{}' does not accept options.\n\nSend the command without options.",
                    self.name
                );
                return Err(ApiError::new(Code::CommandAcceptsNoOptions, text));
            }
            (Options::Known(known), _) => Some(*known),
            (Options::Own, _) => None,
        };
        let Json::Object(options) = options else {
            return Err(mismatch(format!(
                "'options' must be an object, not {}",
                options.type_name()
            )));
        };
        let Some(known) = known else {
            return Ok(options);
        };
        let mut read = Members::new();
        for (name, value) in options {
            let field = known
                .iter()
                .find(|(new, old, _)| *new == name || *old == Some(name.as_str()));
            let Some((known_name, _, kind)) = field else {
                return Err(unknown_field(&name, known.iter().map(|(name, ..)| *name)));
            };
            if let Some(value) = coerced(&name, value, *kind)? {
                read.insert((*known_name).to_owned(), value);
            }
        }
        Ok(read)
    }
}

/// The value as its kind. Null is a value only of [`Kind::Any`].
fn coerced(name: &str, value: Json, kind: Kind) -> Result<Option<Json>, ApiError> {
    let wrong = |value: &Json| {
        let (kind, found) = (kind, value.type_name());
        mismatch(format!(
            "'{name}' must be of type {kind:?}, not {found} ({value})"
        ))
    };
    if kind == Kind::Any {
        return Ok(Some(value));
    }
    let coerced = match (kind, &value) {
        (_, Json::Null) => return Ok(None),
        (Kind::Object, Json::Object(_)) | (Kind::Array, Json::Array(_)) => value,
        (Kind::Bool, Json::Bool(_)) | (Kind::Text, Json::Text(_)) => value,
        (Kind::Bool, Json::Number(number)) if number.is_integer() => Json::Bool(!number.is_zero()),
        (Kind::Bool, Json::Text(text)) => match text.trim() {
            "" => return Ok(None),
            "true" | "True" | "TRUE" => Json::Bool(true),
            "false" | "False" | "FALSE" => Json::Bool(false),
            _ => return Err(wrong(&value)),
        },
        (Kind::Text, Json::Number(_) | Json::Bool(_)) => Json::text(value.to_string()),
        (Kind::Integer, Json::Number(number)) => {
            let whole = number.to_i64().and_then(|whole| i32::try_from(whole).ok());
            Json::integer(whole.ok_or_else(|| wrong(&value))?)
        }
        (Kind::Integer, Json::Text(text)) => match text.trim() {
            "" => return Ok(None),
            text => Json::integer(text.parse::<i32>().map_err(|_| wrong(&value))?),
        },
        _ => return Err(wrong(&value)),
    };
    Ok(Some(coerced))
}

/// A value that a command does not accept.
pub fn invalid_value(field: &str, value: impl std::fmt::Display, reason: &str) -> ApiError {
    let text = format!(
        "Command field '{field}' value {value} not valid: {reason}.\n\nSend the command with a valid value."
    );
    ApiError::new(Code::CommandFieldValueInvalid, text)
}

/// A value that is missing.
pub fn missing(field: &str) -> ApiError {
    invalid_value(field, "`null`", "must not be null")
}

/// A member that is not one of the known ones.
pub fn unknown_field<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> ApiError {
    let known: Vec<String> = known.map(|known| format!("'{known}'")).collect();
    let text = format!(
        "Command field '{name}' not recognized: not one of known fields ({}).\n\nSend the command with known fields.",
        known.join(", ")
    );
    ApiError::new(Code::CommandFieldUnknown, text)
}

/// JSON of another structure than the command has.
pub fn mismatch(reason: impl std::fmt::Display) -> ApiError {
    let text = format!("The request is valid JSON of another structure: {reason}.");
    ApiError::new(Code::RequestStructureMismatch, text)
}

fn unknown_command(level: Level, name: &str) -> ApiError {
    let served = COMMANDS
        .iter()
        .filter(|spec| spec.level == level)
        .map(|spec| spec.name);
    let known: Vec<&str> = served.collect();
    let (level, known) = (level.shown(), known.join(", "));
    let text = format!(
        "Command '{name}' is not a {level} Command of the Data API.\n\nThe {level} Commands are: {known}."
    );
    ApiError::new(Code::CommandUnknown, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::reader;

    fn read(level: Level, body: &str) -> Result<Command, &'static str> {
        Command::read(level, reader::read(body).unwrap()).map_err(|error| error.code.name())
    }

    #[test]
    fn commands_take_what_they_know() {
        let find = read(
            Level::Collection,
            r#"{"find":{"filter":null,"options":{"pagingState":"x","limit":"5","includeSimilarity":1,"skip":null}}}"#,
        )
        .unwrap();
        assert!(find.field("filter").is_some_and(Json::is_null) && find.field("sort").is_none());
        assert_eq!(
            (find.text_option("pageState"), find.integer("limit")),
            (Some("x"), Some(5))
        );
        assert!(find.flag("includeSimilarity") && !find.flag("includeSortVector"));
        assert_eq!(find.integer("skip"), None);
    }

    #[test]
    fn other_bodies_are_refused() {
        for (level, body, code) in [
            (Level::Collection, "", "COMMAND_FIELD_VALUE_INVALID"),
            (Level::Collection, "null", "COMMAND_FIELD_VALUE_INVALID"),
            (Level::Collection, "[]", "REQUEST_STRUCTURE_MISMATCH"),
            (Level::Collection, "{}", "REQUEST_STRUCTURE_MISMATCH"),
            (
                Level::Collection,
                r#"{"find":{},"findOne":{}}"#,
                "REQUEST_STRUCTURE_MISMATCH",
            ),
            (
                Level::Collection,
                r#"{"find":[]}"#,
                "REQUEST_STRUCTURE_MISMATCH",
            ),
            (Level::Collection, r#"{"Find":{}}"#, "COMMAND_UNKNOWN"),
            (Level::Keyspace, r#"{"find":{}}"#, "COMMAND_UNKNOWN"),
            (
                Level::Keyspace,
                r#"{"createTable":{}}"#,
                "COMMAND_FIELD_VALUE_INVALID",
            ),
            (
                Level::Collection,
                r#"{"createIndex":{"definition":"n"}}"#,
                "REQUEST_STRUCTURE_MISMATCH",
            ),
            (
                Level::Collection,
                r#"{"find":{"filters":{}}}"#,
                "COMMAND_FIELD_UNKNOWN",
            ),
            (
                Level::Collection,
                r#"{"find":{"options":{"x":1}}}"#,
                "COMMAND_FIELD_UNKNOWN",
            ),
            (
                Level::Collection,
                r#"{"find":{"options":{"limit":1e99}}}"#,
                "REQUEST_STRUCTURE_MISMATCH",
            ),
            (
                Level::Collection,
                r#"{"insertOne":{}}"#,
                "COMMAND_FIELD_VALUE_INVALID",
            ),
            (
                Level::Collection,
                r#"{"insertOne":{"document":{},"options":{"a":1}}}"#,
                "COMMAND_ACCEPTS_NO_OPTIONS",
            ),
            (
                Level::Collection,
                r#"{"insertMany":{"documents":{}}}"#,
                "REQUEST_STRUCTURE_MISMATCH",
            ),
        ] {
            assert_eq!(read(level, body).unwrap_err(), code, "{body}");
        }
    }
}
