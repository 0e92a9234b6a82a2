//! Reads `.env`, as the Astra CLI writes it and as people do.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The lines of a `.env` that set something.
pub(crate) struct Dotenv {
    /// The file, or why there is none, as a sentence.
    pub(crate) file: Result<PathBuf, String>,
    /// Name to line number and value; no value if the line cannot be read.
    pub(crate) lines: HashMap<String, (usize, Option<String>)>,
}

impl Dotenv {
    /// The nearest `.env` in `folder` and its parents.
    pub(crate) fn find(folder: &Path) -> Self {
        let without = |why| Self {
            file: Err(why),
            lines: HashMap::new(),
        };
        let Some(path) = folder
            .ancestors()
            .map(|dir| dir.join(".env"))
            .find(|path| path.is_file())
        else {
            return without(format!("No .env in {} or its parents.", folder.display()));
        };
        match std::fs::read(&path) {
            Ok(bytes) if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") => {
                without(format!(
                    "{} is not read: it is UTF-16, save it as UTF-8.",
                    path.display()
                ))
            }
            Ok(bytes) => Self::parse(path, &String::from_utf8_lossy(&bytes)),
            Err(error) => without(format!("{} cannot be read: {error}.", path.display())),
        }
    }

    /// One line at a time, so that a line nobody asks for can do no harm. Of two lines with a name the last counts.
    pub(crate) fn parse(path: PathBuf, text: &str) -> Self {
        let mut lines = HashMap::new();
        for (index, line) in text.trim_start_matches('\u{FEFF}').lines().enumerate() {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
            let end = line
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(line.len());
            let (name, rest) = line.split_at(end);
            let value = rest
                .trim_start()
                .strip_prefix('=')
                .and_then(|rest| value(rest.trim()));
            lines.insert(name.to_owned(), (index + 1, value));
        }
        Self {
            file: Ok(path),
            lines,
        }
    }
}

/// A value in quotes is dotenvy's to read; one without quotes stands for itself, up to a comment, because
/// version 1 of the CLI quotes nothing. `$NAME` is never replaced: dotenvy would, so it sees no `$`.
fn value(text: &str) -> Option<String> {
    const DOLLAR: &str = "\u{F8FF}";
    if !text.starts_with(['"', '\'']) {
        let spaced = format!(" {text}").replace('\t', " ");
        let end = spaced.find(" #").unwrap_or(text.len());
        return Some(text[..end].trim_end().to_owned());
    }
    let line = format!("VALUE={}", text.replace("\\$", DOLLAR).replace('$', DOLLAR));
    let (_, value) = dotenvy::from_read_iter(line.as_bytes()).next()?.ok()?;
    Some(value.replace(DOLLAR, "$"))
}
