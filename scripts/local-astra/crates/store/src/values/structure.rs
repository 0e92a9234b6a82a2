//! Splits the text forms of lists, sets, maps, tuples and user-defined types: `[1, 2]`, `{'p','q'}`, `{'z': 5}`, `(a,
//! 1)`, `{street: 'x', zip: 5}`. The elements are still text, to be parsed by type.

use std::borrow::Cow;

use super::ValueError;

/// Removes one pair of single quotes, and replaces two quotes inside by one. Other text is unchanged.
pub(super) fn unquote(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        Some(inner) if inner.contains("''") => Cow::Owned(inner.replace("''", "'")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(text),
    }
}

/// The elements of `[a, b]`.
pub(super) fn list(text: &str) -> Result<Vec<&str>, ValueError> {
    elements("List", text, b'[', b']')
}

/// The elements of `{a, b}`.
pub(super) fn set(text: &str) -> Result<Vec<&str>, ValueError> {
    elements("Set", text, b'{', b'}')
}

/// The elements of `(a, b)`.
pub(super) fn tuple(text: &str) -> Result<Vec<&str>, ValueError> {
    let mut reader = Reader::new("Tuple", text);
    let elements = reader.elements(b'(', b')')?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.fail("EOF or blank"));
    }
    Ok(elements)
}

/// The pairs of a compact map, `{a: 1, b: 2}`.
pub(super) fn map(text: &str) -> Result<Vec<(&str, &str)>, ValueError> {
    Reader::new("Map", text).pairs()
}

/// The fields of a user-defined type, `{a: 1, b: 2}`.
pub(super) fn fields(text: &str) -> Result<Vec<(&str, &str)>, ValueError> {
    Reader::new("UDT", text).pairs()
}

/// The pairs of a non-compact map, `[{'key': a, 'value': 1}]`.
pub(super) fn entries(text: &str) -> Result<Vec<(&str, &str)>, ValueError> {
    let mut pairs = Vec::new();
    for entry in elements("Map", text, b'[', b']')? {
        let entry = Reader::new("Map", entry).pairs()?;
        let [(key_name, key), (value_name, value)] = entry[..] else {
            return Err(ValueError::MapEntrySize);
        };
        if bare(key_name) != "key" {
            return Err(ValueError::MapEntryKey);
        }
        if bare(value_name) != "value" {
            return Err(ValueError::MapEntryValue);
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn bare(name: &str) -> &str {
    name.trim_matches(['\'', '"'])
}

fn elements<'a>(
    kind: &'static str,
    text: &'a str,
    open: u8,
    close: u8,
) -> Result<Vec<&'a str>, ValueError> {
    Reader::new(kind, text).elements(open, close)
}

struct Reader<'a> {
    kind: &'static str,
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(kind: &'static str, text: &'a str) -> Reader<'a> {
        Reader { kind, text, at: 0 }
    }

    fn elements(&mut self, open: u8, close: u8) -> Result<Vec<&'a str>, ValueError> {
        self.series(open, close, Reader::value)
    }

    fn pairs(&mut self) -> Result<Vec<(&'a str, &'a str)>, ValueError> {
        self.series(b'{', b'}', |reader| {
            let key = reader.value()?;
            reader.blanks();
            reader.expect(b':')?;
            reader.blanks();
            Ok((key, reader.value()?))
        })
    }

    fn series<T>(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<T, ValueError>,
    ) -> Result<Vec<T>, ValueError> {
        let mut items = Vec::new();
        self.blanks();
        self.expect(open)?;
        self.blanks();
        if self.next_is(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            self.blanks();
            if self.next_is(close) {
                return Ok(items);
            }
            self.expect(b',')?;
            self.blanks();
        }
    }

    /// Reads one value: a quoted text, a bracketed value, or a run of characters that need no quotes.
    fn value(&mut self) -> Result<&'a str, ValueError> {
        let start = self.at;
        let mut open = Vec::new();
        let mut quoted = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'\'' if quoted && self.text[self.at + 1..].starts_with('\'') => self.at += 1,
                b'\'' => quoted = !quoted,
                _ if quoted => {}
                b'[' | b'{' | b'(' => open.push(byte),
                b']' | b'}' | b')' if open.is_empty() => break,
                b']' | b'}' | b')' => {
                    open.pop();
                }
                _ if open.is_empty() && !is_bare(byte) => break,
                _ => {}
            }
            self.at += 1;
            let closed = matches!(byte, b'\'' | b']' | b'}' | b')') && !quoted && open.is_empty();
            if closed {
                break;
            }
        }
        // An empty text is an empty value if something follows.
        if quoted || !open.is_empty() || start == self.text.len() {
            self.at = start;
            return Err(self.problem(format!("invalid CQL value at character {start}")));
        }
        Ok(&self.text[start..self.at])
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n')) {
            self.at += 1;
        }
    }

    fn next_is(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: u8) -> Result<(), ValueError> {
        if self.next_is(wanted) {
            return Ok(());
        }
        Err(self.fail(&format!("'{}'", char::from(wanted))))
    }

    fn fail(&self, wanted: &str) -> ValueError {
        let got = match self.text[self.at..].chars().next() {
            Some(found) => format!("'{found}'"),
            None => "EOF".to_owned(),
        };
        self.problem(format!(
            "at character {} expecting {wanted} but got {got}",
            self.at
        ))
    }

    fn problem(&self, problem: String) -> ValueError {
        ValueError::Structure {
            kind: self.kind,
            text: self.text.to_owned(),
            problem,
        }
    }
}

/// Returns true if this byte can appear in an unquoted value. Non-ASCII bytes cannot.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_' | b'&')
}
