//! The indexed paths of a collection.

use super::layers::Layer;
use super::path;
use crate::codes::Code;
use crate::command::mismatch;
use crate::error::ApiError;
use crate::json::{Json, Members};

/// Members that are indexed even if the allowed paths do not name them.
const ALWAYS: [&str; 3] = ["$vector", "$vectorize", "$lexical"];

/// The option `indexing`: the paths that are indexed, or those that are not.
#[derive(Clone, Debug)]
pub enum Indexing {
    Allow(Vec<String>),
    Deny(Vec<String>),
}

impl PartialEq for Indexing {
    /// The order of the paths does not matter, and an empty list says nothing.
    fn eq(&self, other: &Indexing) -> bool {
        let sorted = |indexing: &Indexing| {
            let (allow, mut paths) = match indexing {
                Indexing::Allow(paths) => (true, paths.clone()),
                Indexing::Deny(paths) => (false, paths.clone()),
            };
            paths.sort_unstable();
            (allow || paths.is_empty(), paths)
        };
        sorted(self) == sorted(other)
    }
}

impl Eq for Indexing {}

impl Indexing {
    /// Reads the option of `createCollection`.
    ///
    /// # Errors
    /// [`Code::InvalidIndexingDefinition`] for anything but one list of different paths.
    pub fn read(option: &Members) -> Result<Indexing, ApiError> {
        let invalid = |reason: String| {
            ApiError::new(
                Code::InvalidIndexingDefinition,
                format!("The indexing is invalid: {reason}."),
            )
        };
        if let Some(unknown) = option
            .keys()
            .find(|name| !["allow", "deny"].contains(&name.as_str()))
        {
            let text = format!("`createCollection.options.indexing` has no option \"{unknown}\".");
            return Err(ApiError::new(Code::InvalidCreateCollectionField, text));
        }
        let paths = |name: &str| match option.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Array(paths)) => {
                let texts: Option<Vec<String>> = paths
                    .iter()
                    .map(|path| path.as_text().map(str::to_owned))
                    .collect();
                texts
                    .map(Some)
                    .ok_or_else(|| mismatch(format!("'{name}' must be a list of texts")))
            }
            Some(_) => Err(mismatch(format!("'{name}' must be a list of texts"))),
        };
        let indexing = match (paths("allow")?, paths("deny")?) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "'allow' and 'deny' cannot be used together".to_owned(),
                ));
            }
            (None, None) => return Err(invalid("give 'allow' or 'deny'".to_owned())),
            (Some(paths), None) => Indexing::Allow(paths),
            (None, Some(paths)) => Indexing::Deny(paths),
        };
        let (Indexing::Allow(paths) | Indexing::Deny(paths)) = &indexing;
        let unique: std::collections::HashSet<&String> = paths.iter().collect();
        if unique.len() < paths.len() {
            return Err(invalid("a path is listed twice".to_owned()));
        }
        if paths.as_slice() == ["*"] {
            return Ok(indexing);
        }
        for path in paths {
            if path.is_empty() {
                return Err(invalid("a path is empty".to_owned()));
            }
            if path.starts_with('$') && path != "$vector" {
                return Err(invalid(format!(
                    "the path '{path}' must not start with '$'"
                )));
            }
            path::segments(path)
                .map_err(|reason| invalid(format!("the path '{path}' is not valid: {reason}")))?;
        }
        Ok(indexing)
    }

    /// Reads what a comment keeps.
    pub fn of_comment(kept: &Json) -> Option<Indexing> {
        let paths = |name: &str| -> Option<Vec<String>> {
            let paths = kept.get(name)?.as_array()?.iter();
            Some(
                paths
                    .filter_map(|path| path.as_text().map(str::to_owned))
                    .collect(),
            )
        };
        match (paths("allow"), paths("deny")) {
            (Some(allow), _) if !allow.is_empty() => Some(Indexing::Allow(allow)),
            (_, Some(deny)) => Some(Indexing::Deny(deny)),
            (Some(allow), None) => Some(Indexing::Allow(allow)),
            (None, None) => None,
        }
    }

    pub fn to_json(&self) -> Json {
        match self {
            Indexing::Allow(paths) => Json::object([("allow", Json::texts(paths))]),
            Indexing::Deny(paths) => Json::object([("deny", Json::texts(paths))]),
        }
    }
}

/// The rule that an [`Indexing`] makes.
#[derive(Debug)]
pub enum IndexedPaths {
    All,
    Only(Layer),
    /// Nothing but the special members.
    None(Layer),
    AllBut(Layer),
}

impl IndexedPaths {
    pub fn new(indexing: Option<&Indexing>) -> IndexedPaths {
        match indexing {
            None => IndexedPaths::All,
            Some(Indexing::Allow(paths) | Indexing::Deny(paths)) if paths.is_empty() => {
                IndexedPaths::All
            }
            Some(Indexing::Allow(paths)) if paths.as_slice() == ["*"] => IndexedPaths::All,
            Some(Indexing::Allow(paths)) => {
                let paths = paths.iter().map(String::as_str).chain(ALWAYS);
                IndexedPaths::Only(Layer::of_indexing(paths))
            }
            Some(Indexing::Deny(paths)) if paths.as_slice() == ["*"] => {
                IndexedPaths::None(Layer::of_indexing(ALWAYS.into_iter()))
            }
            Some(Indexing::Deny(paths)) => {
                IndexedPaths::AllBut(Layer::of_indexing(paths.iter().map(String::as_str)))
            }
        }
    }

    /// Returns true if a path is indexed.
    pub fn has(&self, path: &str) -> bool {
        let Ok(segments) = path::segments(path) else {
            return matches!(self, IndexedPaths::All);
        };
        match self {
            IndexedPaths::All => true,
            IndexedPaths::Only(layer) | IndexedPaths::None(layer) => layer.covers(&segments),
            IndexedPaths::AllBut(layer) => !layer.covers(&segments),
        }
    }

    /// The part of a document that is indexed.
    pub fn of_document(&self, document: &Members) -> Members {
        let mut indexed = Json::Object(document.clone());
        match self {
            IndexedPaths::All => {}
            IndexedPaths::Only(layer) | IndexedPaths::None(layer) => layer.include(&mut indexed),
            IndexedPaths::AllBut(layer) => layer.exclude(&mut indexed),
        }
        match indexed {
            Json::Object(members) => members,
            _ => Members::new(),
        }
    }
}
