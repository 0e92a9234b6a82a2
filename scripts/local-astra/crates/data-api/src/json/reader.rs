//! The strict reader: a member twice is an error, and numbers keep their digits.

use indexmap::map::Entry;

use super::{Decimal, Json, Members};

/// Objects and arrays within each other. A document may have 16; this keeps the reader's own stack small.
const MAX_DEPTH: usize = 300;
/// Characters of a number.
const MAX_NUMBER: usize = 100;

/// The reason why a text was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Not JSON, with the reason.
    Syntax(String),
    /// Beyond a limit of the reader.
    Limit(String),
}

/// Reads one JSON value, of any size, with nothing after it. An empty text is `None`.
///
/// # Errors
/// For a text that is not JSON, a member that comes twice, and numbers or depths beyond the limits.
pub fn read(text: &str) -> Result<Option<Json>, Unread> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        longest_number: MAX_NUMBER,
        left_out: None,
    };
    reader.skip_blanks();
    if reader.at == text.len() {
        return Ok(None);
    }
    let value = reader.value()?;
    reader.skip_blanks();
    if reader.at < text.len() {
        return Err(reader.error("unexpected text after the value"));
    }
    Ok(Some(value))
}

/// Reads a document that the Data API has stored. Numbers may have grown by updates.
///
/// # Errors
/// For a text that is not JSON: a row that was written over CQL.
pub fn read_stored(text: &str) -> Result<Json, Unread> {
    stored(text, None)
}

/// The same, without a member of the document that may be an array of many numbers.
pub fn read_stored_without(text: &str, member: &str) -> Result<Json, Unread> {
    stored(text, Some(member))
}

fn stored(text: &str, left_out: Option<&str>) -> Result<Json, Unread> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        longest_number: usize::MAX,
        left_out,
    };
    reader.skip_blanks();
    reader.value()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    longest_number: usize,
    /// A member of the outermost object.
    left_out: Option<&'a str>,
}

impl Reader<'_> {
    fn error(&self, reason: &str) -> Unread {
        let read = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line = read.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = read.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Unread::Syntax(format!("{reason} (line {line}, column {column})"))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unread> {
        if self.peek() != Some(byte) {
            return Err(self.error(&format!("expected '{}'", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Json, Unread> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.error("expected a JSON value")),
            None => Err(self.error("unexpected end of input")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, Unread>) -> Result<Json, Unread> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let limit = format!("document depth exceeds maximum allowed ({MAX_DEPTH})");
            return Err(Unread::Limit(limit));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, Unread> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("expected a JSON value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self) -> Result<Json, Unread> {
        self.at += 1;
        let mut members = Members::new();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected the name of a member in quotes"));
            }
            let name = self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            let is_left_out = self.depth == 1 && self.left_out == Some(name.as_str());
            if !(is_left_out && self.skip_numbers()) {
                let value = self.value()?;
                match members.entry(name) {
                    Entry::Vacant(place) => drop(place.insert(value)),
                    Entry::Occupied(_) => return Err(self.error("duplicate member of an object")),
                }
            }
            self.skip_blanks();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b'}')?;
            return Ok(Json::Object(members));
        }
    }

    /// Skips an array of numbers, and nothing else.
    fn skip_numbers(&mut self) -> bool {
        let Some(values) = self.text[self.at..].strip_prefix('[') else {
            return false;
        };
        let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE, ".contains(&byte);
        match values.bytes().position(|byte| !is_number(byte)) {
            Some(end) if values.as_bytes()[end] == b']' => {
                self.at += end + 2;
                true
            }
            _ => false,
        }
    }

    fn array(&mut self) -> Result<Json, Unread> {
        self.at += 1;
        let mut values = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(values));
        }
        loop {
            self.skip_blanks();
            values.push(self.value()?);
            self.skip_blanks();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b']')?;
            return Ok(Json::Array(values));
        }
    }

    /// The escapes are read by `serde_json`, which also refuses lone surrogates and control characters.
    fn string(&mut self) -> Result<String, Unread> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => {
                    let quoted = &self.text[start..=end];
                    let text = serde_json::from_str(quoted)
                        .map_err(|_| self.error("a text with a bad character or escape"))?;
                    self.at = end + 1;
                    return Ok(text);
                }
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        self.at = bytes.len();
        Err(self.error("unexpected end of input in a text"))
    }

    fn number(&mut self) -> Result<Json, Unread> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.error("invalid number"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.error("invalid number"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.error("invalid number"));
            }
        }
        let text = &self.text[start..self.at];
        let length = text.len();
        if length > self.longest_number {
            let limit = format!(
                "number value length ({length}) exceeds the maximum allowed ({MAX_NUMBER})"
            );
            return Err(Unread::Limit(limit));
        }
        let number = Decimal::parse(text);
        let number = number.ok_or_else(|| Unread::Limit("number exponent out of range".into()))?;
        Ok(Json::Number(number))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Result<String, Unread> {
        read(text).map(|value| value.map_or_else(String::new, |value| value.to_string()))
    }

    #[test]
    fn what_is_read_is_printed() {
        for (text, wanted) in [
            (
                r#"{"b":1,"a":[true,null,"x\u00e9\n"]}"#,
                r#"{"b":1,"a":[true,null,"xé\n"]}"#,
            ),
            (" [ ] ", "[]"),
            (r#"{"n":1.0,"m":-0,"e":1e3}"#, r#"{"n":1,"m":0,"e":1E+3}"#),
            ("", ""),
            ("\n", ""),
            ("null", "null"),
        ] {
            assert_eq!(printed(text).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn a_member_of_numbers_is_left_out() {
        for (text, wanted) in [
            (r#"{"v":[1, -2.5,3E+3],"a":1}"#, r#"{"a":1}"#),
            (r#"{"a":{"v":[1]},"v":[]}"#, r#"{"a":{"v":[1]}}"#),
            (r#"{"v":{"$binary":"AA=="}}"#, r#"{"v":{"$binary":"AA=="}}"#),
            (r#"{"v":[[1]],"b":2}"#, r#"{"v":[[1]],"b":2}"#),
            (r#"[{"v":[1]}]"#, r#"[{"v":[1]}]"#),
        ] {
            let read = read_stored_without(text, "v").unwrap();
            assert_eq!(read.to_string(), wanted, "{text}");
        }
        assert!(read_stored_without(r#"{"v":[1"#, "v").is_err());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "1e",
            "tru",
            "\"x",
            "\"\\",
            "\"\u{1}\"",
            "[1] 2",
            r#"{"a":1,"a":2}"#,
            r#""\ud800""#,
            "'x'",
            "NaN",
            "+1",
            ".5",
        ] {
            assert!(matches!(printed(text), Err(Unread::Syntax(_))), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(printed(&deep), Err(Unread::Limit(_))));
        let long = "1".repeat(101);
        assert!(matches!(printed(&long), Err(Unread::Limit(_))));
        assert_eq!(read_stored(&long).unwrap().to_string(), long);
    }
}
