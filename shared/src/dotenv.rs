//! Reads `.env` as people, shells and both versions of the Astra CLI write it.
//!
//! Version 1 of the CLI writes values with blanks and quotes without quoting them, which neither a shell nor a crate
//! for `.env` files accepts. Here a value without quotes stands for itself, and `$NAME` is never replaced.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

const BLANKS: [char; 2] = [' ', '\t'];

/// The settings of a `.env`.
pub(crate) struct Dotenv {
    /// The file, or the reason why there is none, as a sentence.
    pub(crate) file: Result<PathBuf, String>,
    /// Line number and value, or the problem of the line, by name. The last line of a name counts.
    pub(crate) lines: HashMap<String, (usize, Result<String, String>)>,
}

impl Dotenv {
    /// Reads the nearest `.env` in `folder` and its parents.
    pub(crate) fn find(folder: &Path) -> Self {
        let mut candidates = folder.ancestors().map(|dir| dir.join(".env"));
        let Some(path) = candidates.find(|path| path.is_file()) else {
            let own = folder.join(".env");
            return Self::absent(if own.is_dir() {
                format!("{} is a folder, not a file.", own.display())
            } else {
                format!("There is no .env in {} or its parents.", folder.display())
            });
        };
        match std::fs::read(&path) {
            Err(error) => Self::absent(format!("{} cannot be read: {error}.", path.display())),
            Ok(bytes) if bytes.contains(&0) => Self::absent(format!(
                "{} is not UTF-8, perhaps UTF-16: save it as UTF-8.",
                path.display()
            )),
            Ok(bytes) => Self::parse(path, &String::from_utf8_lossy(&bytes)),
        }
    }

    pub(crate) fn absent(why: String) -> Self {
        Self {
            file: Err(why),
            lines: HashMap::new(),
        }
    }

    /// Keeps errors per line, because only a line that a sample needs matters.
    pub(crate) fn parse(path: PathBuf, text: &str) -> Self {
        let text = text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n");
        let mut lines = HashMap::new();
        let (mut rest, mut number) = (&*text, 1);
        while !rest.is_empty() {
            let (name, value, next) = assignment(rest);
            let value = match value {
                Some(value) if value.contains('\u{FFFD}') => {
                    Err("is not UTF-8: save the file as UTF-8".to_owned())
                }
                Some(value) => Ok(value),
                None => Err(format!("cannot be read: write {name}=value")),
            };
            lines.insert(name.to_owned(), (number, value));
            number += rest[..rest.len() - next.len()].matches('\n').count();
            rest = next;
        }
        Self {
            file: Ok(path),
            lines,
        }
    }
}

/// Splits the first assignment off: its name, its value if it can be read, and the lines after it.
fn assignment(text: &str) -> (&str, Option<String>, &str) {
    let (_, next) = text.split_once('\n').unwrap_or_default();
    let text = text.trim_start_matches(BLANKS);
    let text = text
        .strip_prefix("export")
        .filter(|rest| rest.starts_with(BLANKS))
        .map_or(text, |rest| rest.trim_start_matches(BLANKS));
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let Some(value) = rest.trim_start_matches(BLANKS).strip_prefix('=') else {
        return (name, None, next);
    };
    let value = value.trim_start_matches(BLANKS);
    if !value.starts_with(['"', '\'']) {
        return (name, Some(unquoted(value)), next);
    }
    // Only with nothing but a comment behind it, a quote in another line is the end of this value.
    let Some((value, rest)) = quoted(value) else {
        return (name, None, next);
    };
    let (comment, after) = rest.split_once('\n').unwrap_or((rest, ""));
    if unquoted(comment).is_empty() {
        (name, Some(value), after)
    } else {
        (name, None, next)
    }
}

/// Returns the rest of the line up to a comment.
fn unquoted(text: &str) -> String {
    let line = text.split('\n').next().unwrap_or_default();
    let end = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| line[..*at].is_empty() || line[..*at].ends_with(BLANKS));
    line[..end.unwrap_or(line.len())].trim().to_owned()
}

/// Returns the text between the quote at the start and the next one, and what follows. Between double quotes, a
/// backslash escapes as in a shell, and `\n` is a line break.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.chars();
    let quote = characters.next()?;
    let mut value = String::new();
    loop {
        match characters.next()? {
            c if c == quote => return Some((value, characters.as_str())),
            '\\' if quote == '"' => match characters.next()? {
                'n' => value.push('\n'),
                c @ ('"' | '\\' | '$' | '`') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
}
