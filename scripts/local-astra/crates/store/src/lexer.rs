//! A lexer for CQL statements, as precise as necessary to determine what a statement does.

/// A token of a statement. Numbers and other constants appear as words or signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A keyword or an unquoted name, in lower case.
    Word(String),
    /// A name in double quotes, unchanged.
    Quoted(String),
    /// A text in single quotes or between `$$`.
    Text,
    Sign(char),
}

impl Part {
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Part::Word(word) if word == keyword)
    }
}

/// Iterator over the tokens of a statement, without comments. An unterminated quote or comment ends with the statement;
/// Cassandra itself rejects such a statement.
pub struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Parts<'a> {
    pub fn of(cql: &'a str) -> Parts<'a> {
        Parts { rest: cql }
    }

    /// Consumes the next token if it is this keyword.
    pub fn next_is(&mut self, keyword: &str) -> bool {
        self.take_if(|part| part.is(keyword))
    }

    /// Consumes the next token if it is this sign.
    pub fn next_is_sign(&mut self, sign: char) -> bool {
        self.take_if(|part| *part == Part::Sign(sign))
    }

    fn take_if(&mut self, is_wanted: impl FnOnce(&Part) -> bool) -> bool {
        let mut ahead = Parts { rest: self.rest };
        let is_next = ahead.next().is_some_and(|part| is_wanted(&part));
        if is_next {
            self.rest = ahead.rest;
        }
        is_next
    }

    /// Skips to the position after the first `end`.
    fn skip_to(&mut self, end: &str) {
        self.rest = self.rest.split_once(end).map_or("", |(_, after)| after);
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("--") || self.rest.starts_with("//") {
                let end = self.rest.find(['\n', '\r']);
                self.rest = end.map_or("", |end| &self.rest[end..]);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                self.rest = comment;
                self.skip_to("*/");
            } else {
                break;
            }
        }
        let first = self.rest.chars().next()?;
        if let Some(text) = self.rest.strip_prefix("$$") {
            self.rest = text;
            self.skip_to("$$");
            return Some(Part::Text);
        }
        if first == '\'' || first == '"' {
            let (text, after) = quoted(&self.rest[1..], first);
            self.rest = after;
            return Some(match first {
                '"' => Part::Quoted(text),
                _ => Part::Text,
            });
        }
        let of_a_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = if of_a_word(first) {
            let after = self.rest.find(|c| !of_a_word(c));
            after.unwrap_or(self.rest.len())
        } else {
            first.len_utf8()
        };
        let (part, after) = self.rest.split_at(end);
        self.rest = after;
        Some(if of_a_word(first) {
            Part::Word(part.to_ascii_lowercase())
        } else {
            Part::Sign(first)
        })
    }
}

/// Splits at the closing quote. In the part before it, two quotes stand for one.
fn quoted(mut rest: &str, quote: char) -> (String, &str) {
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once(quote) {
        text.push_str(before);
        match after.strip_prefix(quote) {
            Some(more) => {
                text.push(quote);
                rest = more;
            }
            None => return (text, after),
        }
    }
    text.push_str(rest);
    (text, "")
}

/// Returns the names before a period in a statement: the keyspaces it refers to, and other qualifiers.
pub fn qualifiers(cql: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = None;
    for part in Parts::of(cql) {
        match part {
            Part::Sign('.') => names.extend(before.take()),
            Part::Word(name) | Part::Quoted(name) => before = Some(name),
            Part::Text | Part::Sign(_) => before = None,
        }
    }
    names
}

/// Returns true for `USE <keyspace>`.
pub fn is_use(cql: &str) -> bool {
    Parts::of(cql).next().is_some_and(|part| part.is("use"))
}

/// Returns true if a write depends on a condition (`IF`).
pub fn is_conditional(cql: &str) -> bool {
    let writes = ["insert", "update", "delete", "begin"];
    let mut parts = Parts::of(cql);
    let first = parts.next();
    first.is_some_and(|part| writes.iter().any(|word| part.is(word)))
        && parts.any(|part| part.is("if"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Part {
        Part::Word(text.to_owned())
    }

    #[test]
    fn words_names_and_texts_are_told_apart() {
        let cql = "/* a -- */ CREATE\tTable -- if\n ks.\"Odd \"\" name\"// x\n('it''s' $$ if $$);";
        assert_eq!(
            Parts::of(cql).collect::<Vec<_>>(),
            [
                word("create"),
                word("table"),
                word("ks"),
                Part::Sign('.'),
                Part::Quoted("Odd \" name".to_owned()),
                Part::Sign('('),
                Part::Text,
                Part::Text,
                Part::Sign(')'),
                Part::Sign(';'),
            ]
        );
    }

    #[test]
    fn a_comment_ends_with_its_line_also_where_that_ends_in_a_carriage_return() {
        let parts = Parts::of("-- one\rcreate // two\r\ntable --");
        assert_eq!(parts.collect::<Vec<_>>(), [word("create"), word("table")]);
    }

    #[test]
    fn a_keyword_is_taken_only_if_it_is_next() {
        let mut parts = Parts::of("if /* */ NOT \"not\" x");
        assert!(parts.next_is("if") && parts.next_is("not") && !parts.next_is("not"));
        assert_eq!(parts.next(), Some(Part::Quoted("not".to_owned())));
    }

    #[test]
    fn what_stands_before_a_period_is_a_qualifier() {
        let cql = "SELECT a.b, 'x'.c FROM \"K s\".t -- other.t\n WHERE k = 1.5";
        assert_eq!(qualifiers(cql), ["a", "K s", "1"]);
        assert!(qualifiers("USE ks; a . . 'b'.c").contains(&"a".to_owned()));
        assert_eq!(qualifiers("SELECT * FROM t"), [""; 0]);
    }

    #[test]
    fn what_never_ends_is_no_trouble() {
        for cql in [
            "'", "\"", "/*", "--", "$$", "a'b''", "\"a\"\"", "é", "$", "/",
        ] {
            Parts::of(cql).count();
        }
    }

    #[test]
    fn a_condition_is_a_word_of_a_writing_statement() {
        assert!(is_conditional("UPDATE t SET a = 1 WHERE k = 2 if a = 3"));
        assert!(is_conditional(
            "INSERT INTO t (k) VALUES ('x') IF NOT EXISTS"
        ));
        assert!(!is_conditional(
            "INSERT INTO t (k, \"if\") VALUES ('if', 1)"
        ));
        assert!(!is_conditional(
            "CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)"
        ));
    }
}
