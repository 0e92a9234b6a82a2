//! Projections: the members of a document that a response contains.

use super::layers::{Layer, Slice};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Decimal, Json, Members};

/// The part of a document that a response contains.
#[derive(Debug)]
pub enum Projection {
    All,
    Nothing,
    Include(Layer),
    Exclude(Layer),
}

impl Projection {
    /// Reads the projection of a command. Without one, all members except the special ones are returned.
    ///
    /// # Errors
    /// An invalid projection.
    pub fn read(projection: Option<&Json>) -> Result<Projection, ApiError> {
        let empty = Members::new();
        let members = match projection {
            None => &empty,
            Some(Json::Object(members)) => members,
            Some(other) => {
                let found = other.type_name();
                let text = format!("A projection must be a JSON Object, not {found}.");
                return Err(ApiError::new(Code::UnsupportedProjectionDefinition, text));
            }
        };
        if let Some(("*", value)) = members.first().map(|(name, value)| (name.as_str(), value))
            && members.len() == 1
        {
            return if is_included("*", value)? {
                Ok(Projection::All)
            } else {
                Ok(Projection::Nothing)
            };
        }
        let mut paths = Paths::default();
        paths.collect(members, None)?;
        paths.projection()
    }

    /// Returns true if no part of this member of a document is shown.
    pub fn leaves_out(&self, member: &str) -> bool {
        match self {
            Projection::All => false,
            Projection::Nothing => true,
            Projection::Include(layer) => !layer.has(member),
            Projection::Exclude(layer) => layer.ends_at(member),
        }
    }

    /// Applies the projection.
    pub fn apply(&self, document: &mut Json) {
        match self {
            Projection::All => {}
            Projection::Nothing => *document = Json::Object(Members::new()),
            Projection::Include(layer) => layer.include(document),
            Projection::Exclude(layer) => layer.exclude(document),
        }
    }
}

/// The paths of a projection, while it is read.
#[derive(Default)]
struct Paths {
    /// All included, or all excluded.
    paths: Vec<String>,
    includes: bool,
    excludes: bool,
    slices: Vec<(String, Slice)>,
    id: Option<bool>,
    vector: Option<bool>,
    vectorize: Option<bool>,
    lexical: Option<bool>,
}

impl Paths {
    fn collect(&mut self, members: &Members, parent: Option<&str>) -> Result<(), ApiError> {
        for (name, value) in members {
            if name.is_empty() {
                return Err(bad("a path cannot be empty".to_owned()));
            }
            if name.starts_with('$')
                && !["$vector", "$vectorize", "$lexical"].contains(&name.as_str())
            {
                let Some(parent) = parent else {
                    return Err(bad(format!("the path '{name}' cannot start with '$'")));
                };
                if name != "$slice" {
                    return Err(bad(format!(
                        "unsupported operator '{name}' (only '$slice' is supported)"
                    )));
                }
                let slice = read_slice(parent, value)?;
                self.slices.push((parent.to_owned(), slice));
                continue;
            }
            if name == "*" {
                return Err(bad("'*' must be the only path".to_owned()));
            }
            let path = match parent {
                Some(parent) => format!("{parent}.{name}"),
                None => name.clone(),
            };
            if let Json::Object(members) = value {
                self.collect(members, Some(&path))?;
                continue;
            }
            let included = is_included(&path, value)?;
            self.add(path, included)?;
        }
        Ok(())
    }

    fn add(&mut self, path: String, included: bool) -> Result<(), ApiError> {
        let special = match path.as_str() {
            "_id" => &mut self.id,
            "$vector" => &mut self.vector,
            "$vectorize" => &mut self.vectorize,
            "$lexical" => &mut self.lexical,
            _ => {
                if included && self.excludes || !included && self.includes {
                    return Err(bad(format!(
                        "'{path}': a projection cannot both include and exclude"
                    )));
                }
                self.includes |= included;
                self.excludes |= !included;
                self.paths.push(path);
                return Ok(());
            }
        };
        *special = Some(included);
        Ok(())
    }

    fn projection(self) -> Result<Projection, ApiError> {
        let mut layer = Layer::root();
        for path in &self.paths {
            layer.add(path, None).map_err(bad)?;
        }
        for (path, slice) in &self.slices {
            layer.add(path, Some(*slice)).map_err(bad)?;
        }
        let specials = [
            ("_id", self.id != Some(false)),
            ("$vector", self.vector == Some(true)),
            ("$vectorize", self.vectorize == Some(true)),
            ("$lexical", self.lexical == Some(true)),
        ];
        for (name, comes_back) in specials {
            if comes_back == self.includes {
                layer.add(name, None).map_err(bad)?;
            }
        }
        Ok(if self.includes {
            Projection::Include(layer)
        } else {
            Projection::Exclude(layer)
        })
    }
}

fn is_included(path: &str, value: &Json) -> Result<bool, ApiError> {
    match value {
        Json::Number(number) => Ok(!number.is_zero()),
        Json::Bool(value) => Ok(*value),
        other => {
            let found = other.type_name();
            Err(bad(format!(
                "the value of '{path}' must be a Number, a Boolean or an Object, not {found}"
            )))
        }
    }
}

fn read_slice(path: &str, value: &Json) -> Result<Slice, ApiError> {
    let integer = |value: &Json| {
        let integer = value.as_number().filter(|number| number.is_integer());
        integer.and_then(Decimal::as_i64)
    };
    let slice = match value {
        Json::Array(values) => match values.as_slice() {
            [skip, count] => integer(skip)
                .zip(integer(count))
                .map(|(s, c)| Slice::Range(s, c)),
            _ => None,
        },
        value => integer(value).map(Slice::Count),
    };
    match slice {
        Some(Slice::Range(_, count)) if count < 0 => Err(bad(format!(
            "the second number of '$slice' on '{path}' must be positive"
        ))),
        Some(slice) => Ok(slice),
        None => Err(bad(format!(
            "'$slice' on '{path}' needs an integer or two of them, not {value}"
        ))),
    }
}

fn bad(reason: String) -> ApiError {
    let text = format!("Unsupported projection parameter: {reason}.");
    ApiError::new(Code::UnsupportedProjectionParam, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::reader;

    fn projected(projection: &str, document: &str) -> Result<String, &'static str> {
        let read = |text: &str| reader::read(text).unwrap().unwrap();
        let projection = Projection::read(Some(&read(projection))).map_err(|e| e.code.name())?;
        let mut document = read(document);
        projection.apply(&mut document);
        Ok(document.to_string())
    }

    #[test]
    fn projections_narrow_documents() {
        let document = r#"{"_id":1,"$vector":[1],"a":{"b":1,"c":[{"d":1,"e":2},3]},"t":[1,2,3]}"#;
        for (projection, wanted) in [
            (
                "{}",
                r#"{"_id":1,"a":{"b":1,"c":[{"d":1,"e":2},3]},"t":[1,2,3]}"#,
            ),
            (r#"{"a.b":1}"#, r#"{"_id":1,"a":{"b":1}}"#),
            (r#"{"a":{"b":true},"_id":0}"#, r#"{"a":{"b":1}}"#),
            (r#"{"a.c.d":1,"_id":false}"#, r#"{"a":{"c":[{"d":1},3]}}"#),
            (
                r#"{"a":0,"$vector":1}"#,
                r#"{"_id":1,"$vector":[1],"t":[1,2,3]}"#,
            ),
            (r#"{"*":1}"#, document),
            (r#"{"*":0}"#, "{}"),
            (
                r#"{"t":{"$slice":-2},"a":1}"#,
                r#"{"_id":1,"a":{"b":1,"c":[{"d":1,"e":2},3]},"t":[2,3]}"#,
            ),
            (r#"{"t":{"$slice":[1,1]},"a":0}"#, r#"{"_id":1,"t":[2]}"#),
            (r#"{"t":{"$slice":[-5,1]},"a":0}"#, r#"{"_id":1,"t":[1]}"#),
        ] {
            assert_eq!(
                projected(projection, document).as_deref(),
                Ok(wanted),
                "{projection}"
            );
        }
        for projection in [
            r#"{"a":1,"b":0}"#,
            r#"{"a":1,"a.b":1}"#,
            r#"{"*":1,"a":1}"#,
            r#"{"$x":1}"#,
            r#"{"":1}"#,
            r#"{"t":{"$slice":1.5}}"#,
            r#"{"t":{"$slice":[1,-1]}}"#,
            r#"{"t":"x"}"#,
            r#"{"a&b":1}"#,
        ] {
            assert_eq!(
                projected(projection, document),
                Err("UNSUPPORTED_PROJECTION_PARAM"),
                "{projection}"
            );
        }
    }
}
