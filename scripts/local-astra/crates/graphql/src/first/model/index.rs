//! An index on a column: `@cql_index`.

use std::collections::BTreeMap;

use apollo_compiler::parser::SourceSpan;

use crate::first::directives::Use;
use crate::first::problems::{Problems, Skip};
use store::types::TypeName;

const SAI: &str = "org.apache.cassandra.index.sai.StorageAttachedIndex";

/// The indexed part of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The value of a column that is not a collection.
    Default,
    Values,
    Full,
    /// Not available in directives, but possible in an index created otherwise.
    Keys,
    Entries,
}

impl Part {
    /// Returns its name in Stargate's messages.
    pub fn name(self) -> &'static str {
        match self {
            Part::Default => "DEFAULT",
            Part::Values => "VALUES_",
            Part::Full => "FULL",
            Part::Keys => "KEYS",
            Part::Entries => "ENTRIES",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    /// The Java class of a custom index.
    pub class: Option<String>,
    pub part: Part,
    pub options: BTreeMap<String, String>,
}

impl Index {
    /// Returns true if the capabilities of the index are known.
    pub fn is_built_in(&self) -> bool {
        self.class.as_deref().is_none_or(|class| class == SAI)
    }
}

/// Reads the directive of a field that maps to `typ`.
///
/// # Errors
/// [`Skip`] for a type that cannot be indexed.
pub fn build(
    directive: Use<'_>,
    default_name: &str,
    typ: &TypeName,
    at: Option<SourceSpan>,
    label: &str,
    problems: &mut Problems,
) -> Result<Index, Skip> {
    let name = directive.text("name", problems);
    let class = directive.text("class", problems);
    let is_collection = typ.is_collection();
    let read = |name: &str| match name {
        "VALUES" => Some(Part::Values),
        "FULL" => Some(Part::Full),
        _ => None,
    };
    let part = directive.constant("target", read, problems);
    let part = part.filter(|part| {
        let (fits, name, wanted) = match part {
            Part::Full => (typ.is_frozen(), "FULL", "frozen"),
            _ => (!typ.is_frozen(), "VALUES", "non-frozen"),
        };
        if !is_collection || !fits {
            let message = format!(
                "{label}: index target {name} can only be used for {wanted} collection columns"
            );
            problems.invalid(at, message);
        }
        is_collection && fits
    });
    let options = directive.text("options", problems);
    let options = options.map(|text| {
        options_of(&text).unwrap_or_else(|| {
            let message = format!(
                "{label}: invalid format for options. Expected 'option1':'value1','option2','value2'..."
            );
            problems.invalid(at, message);
            BTreeMap::new()
        })
    });
    if typ.is_user_defined() && !typ.is_frozen() {
        let message =
            format!("{label}: fields that map to UDTs can only be indexed if they are frozen");
        return Err(problems.invalid(at, message));
    }
    let default = if is_collection {
        Part::Values
    } else {
        Part::Default
    };
    Ok(Index {
        name: name.unwrap_or_else(|| default_name.to_owned()),
        class,
        part: part.unwrap_or(default),
        options: options.unwrap_or_default(),
    })
}

/// Parses `'a': 'b', 'c': 'd'` as pairs.
fn options_of(text: &str) -> Option<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    for pair in text.split(',') {
        let (key, value) = pair.split_once(':')?;
        let trimmed = |part: &str| part.trim_matches(['\'', ' ']).to_owned();
        // A key that is there twice, or a second colon, is refused as well.
        if value.contains(':') || options.insert(trimmed(key), trimmed(value)).is_some() {
            return None;
        }
    }
    Some(options)
}
