//! Paths into a document: the segments of URLs, `where` and `fields`, and those of rows.
//!
//! A segment is a member name, or an array index in brackets, which rows store with six digits: `[000005]`. Conditions
//! and `fields` also support `*` (any member), `[*]` (any index) and `a,b` (either); a backslash escapes a period, a
//! comma or an asterisk.

use super::error::DocumentError;
use super::layout::{MAX_ARRAY_LENGTH, MAX_DEPTH};

/// A pattern for a segment of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `*`
    Any,
    /// `[*]`
    AnyIndex,
    /// A name or an index, or several separated by commas.
    OneOf(Vec<String>),
}

impl Pattern {
    /// Parses a segment whose indexes are already in stored form.
    pub fn read(segment: &str) -> Pattern {
        match segment {
            "*" => Pattern::Any,
            "[*]" => Pattern::AnyIndex,
            _ => Pattern::OneOf(split(segment, ',').into_iter().map(unescape).collect()),
        }
    }

    /// Returns true if a row's segment matches. After the end of the row's path the segment is the empty text.
    pub fn fits(&self, segment: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::AnyIndex => is_index(segment),
            Pattern::OneOf(names) => names.iter().any(|name| name == segment),
        }
    }

    pub fn is_wildcard(&self) -> bool {
        matches!(self, Pattern::Any | Pattern::AnyIndex)
    }
}

/// Converts segments in stored form to patterns for rows.
pub fn patterns(segments: &[impl AsRef<str>]) -> Vec<Pattern> {
    let segments = segments.iter();
    segments.map(|s| Pattern::read(s.as_ref())).collect()
}

/// Converts fields to patterns below a path.
pub fn below(path: &[Pattern], fields: Vec<Vec<String>>) -> Vec<Vec<Pattern>> {
    let below = |field: Vec<String>| path.iter().cloned().chain(patterns(&field)).collect();
    fields.into_iter().map(below).collect()
}

/// Returns true if a row is at this path, or below it.
pub fn is_on(row: &[String], patterns: &[Pattern]) -> bool {
    patterns.len() <= MAX_DEPTH
        && patterns
            .iter()
            .enumerate()
            .all(|(at, pattern)| pattern.fits(row.get(at).map_or("", String::as_str)))
}

/// Returns true for `[…]`, which is or should be an index.
pub fn is_index(segment: &str) -> bool {
    segment.len() >= 2 && segment.starts_with('[') && segment.ends_with(']')
}

/// Parses the number in `[5]`; `None` for a name and for `[*]`.
///
/// # Errors
/// Anything else in brackets, and an index larger than the longest array.
pub fn index(segment: &str) -> Result<Option<i32>, DocumentError> {
    if !is_index(segment) || segment == "[*]" {
        return Ok(None);
    }
    let number: i32 = segment[1..segment.len() - 1]
        .parse()
        .map_err(|_| DocumentError::ArrayPath(segment.to_owned()))?;
    if i64::from(number) > MAX_ARRAY_LENGTH as i64 - 1 {
        return Err(DocumentError::ArrayLength);
    }
    Ok(Some(number))
}

/// Converts a segment to its stored form: indexes with six digits, all else unchanged. Converts each of several,
/// separated by commas.
pub fn stored(segment: &str) -> Result<String, DocumentError> {
    if !segment.contains(',') {
        return stored_one(segment);
    }
    let parts: Result<Vec<String>, _> = split(segment, ',').into_iter().map(stored_one).collect();
    Ok(parts?.join(","))
}

/// Converts a segment as [`stored`] does, but without splitting at commas.
pub fn stored_one(segment: &str) -> Result<String, DocumentError> {
    Ok(match index(segment)? {
        Some(number) => format!("[{number:0>6}]"),
        None => segment.to_owned(),
    })
}

/// Converts the segments of a path in a URL to their stored form.
pub fn stored_path(segments: &[String]) -> Result<Vec<String>, DocumentError> {
    segments.iter().map(|segment| stored(segment)).collect()
}

/// Converts a dotted path of `fields` or `$set`: splits it at periods, converts to stored form, and removes escapes.
pub fn field_path(text: &str) -> Result<Vec<String>, DocumentError> {
    let segments = split(text, '.').into_iter();
    segments.map(|s| Ok(unescape(&stored(s)?))).collect()
}

/// Splits at separators without a backslash before them. As in Java, empty parts at the end are dropped, and an empty
/// text is one empty part.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut before) = (0, None);
    for (at, c) in text.char_indices() {
        if c == separator && before != Some('\\') {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
        before = Some(c);
    }
    parts.push(&text[start..]);
    drop_empty_end(parts, text)
}

/// Splits as [`split`] does, but ignores backslashes.
pub fn split_plainly(text: &str, separator: char) -> Vec<&str> {
    drop_empty_end(text.split(separator).collect(), text)
}

fn drop_empty_end<'a>(mut parts: Vec<&'a str>, text: &str) -> Vec<&'a str> {
    while !text.is_empty() && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// Removes the backslash from `\.`, `\,` and `\*`.
pub fn unescape(text: impl AsRef<str>) -> String {
    without_escapes(text.as_ref(), true)
}

/// Returns true if a written document can contain this member name.
pub fn is_valid_name(name: &str) -> bool {
    // Escaped characters are allowed.
    !without_escapes(name, false).contains(['\'', '\\', '.', '['])
}

fn without_escapes(text: &str, keep_character: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&next @ ('.' | ',' | '*'))) => {
                chars.next();
                if keep_character {
                    plain.push(next);
                }
            }
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &[&str]) -> Vec<String> {
        path.iter().map(|&s| s.to_owned()).collect()
    }

    #[test]
    fn indexes_get_six_digits() {
        for (text, wanted) in [
            ("[0]", "[000000]"),
            ("[000012]", "[000012]"),
            ("[0],[2]", "[000000],[000002]"),
            ("a,[1]", "a,[000001]"),
            (r"a\,b", r"a\,b"),
            ("[*]", "[*]"),
            ("[", "["),
            ("a[0]", "a[0]"),
        ] {
            assert_eq!(stored(text).unwrap(), wanted);
        }
        for text in ["[]", "[x]", "[1.5]", "[99999999999]", "[0,1]x]"] {
            assert!(
                matches!(stored_one(text), Err(DocumentError::ArrayPath(_))),
                "{text}"
            );
        }
        assert!(stored("[999999]").is_ok());
        assert!(matches!(
            stored("[1000000]"),
            Err(DocumentError::ArrayLength)
        ));
    }

    #[test]
    fn texts_split_as_in_java() {
        for (text, wanted) in [
            ("a.b", vec!["a", "b"]),
            (r"a\.b.c", vec![r"a\.b", "c"]),
            ("", vec![""]),
            (".", vec![]),
            ("a..", vec!["a"]),
            (".a", vec!["", "a"]),
        ] {
            assert_eq!(split(text, '.'), wanted, "{text}");
        }
        assert_eq!(split_plainly(r"a\.b", '.'), [r"a\", "b"]);
    }

    #[test]
    fn only_some_names_may_be_written() {
        for name in ["a", "a b", "*", "a,b", "$x", "]", "@", "0", r"a\.b", r"\*"] {
            assert!(is_valid_name(name), "{name}");
        }
        for name in ["a.b", "[0]", "a[", "it's", r"a\b", r"a\.b.c", r"\\."] {
            assert!(!is_valid_name(name), "{name}");
        }
        assert_eq!(unescape(r"a\.b\,c\*\d"), r"a.b,c*\d");
    }

    #[test]
    fn wildcards_fit() {
        let bike = row(&["bikes", "[000001]", "brand"]);
        for path in [
            vec!["bikes"],
            vec!["bikes", "[*]"],
            vec!["bikes", "[000000],[000001]", "brand"],
            vec!["*", "*", "brand"],
            vec!["bikes", "[*]", "brand", "*"],
        ] {
            assert!(is_on(&bike, &patterns(&path)), "{path:?}");
        }
        for path in [
            vec!["bike"],
            vec!["bikes", "[000000]"],
            vec!["bikes", "[*]", "[*]"],
            vec!["bikes", "[*]", "brand", ","],
        ] {
            assert!(!is_on(&bike, &patterns(&path)), "{path:?}");
        }
    }
}
