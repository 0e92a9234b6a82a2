//! Paths into documents: names with periods between them; a period in a name is `&.`, an ampersand `&&`.

/// Names in a path. No document is as deep; what is built from a path must not be deeper than the stack.
const MAX_SEGMENTS: usize = 200;

/// Splits a path into its names.
///
/// # Errors
/// The reason why it is no path.
pub fn segments(path: &str) -> Result<Vec<String>, &'static str> {
    let mut segments = Vec::new();
    let mut segment = String::new();
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '.' if segment.is_empty() => return Err("a name in it is empty"),
            '.' if segments.len() == MAX_SEGMENTS => return Err("it has too many names"),
            '.' => segments.push(std::mem::take(&mut segment)),
            '&' => match characters.next() {
                Some(escaped @ ('.' | '&')) => segment.push(escaped),
                _ => return Err("'&' must be followed by '&' or '.'"),
            },
            other => segment.push(other),
        }
    }
    if segment.is_empty() {
        return Err("it cannot be empty or end with a period");
    }
    segments.push(segment);
    Ok(segments)
}

/// Returns true if the ampersands of a path are valid escapes.
pub fn has_valid_escapes(path: &str) -> bool {
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        if character == '&' && !matches!(characters.next(), Some('.' | '&')) {
            return false;
        }
    }
    true
}

/// A name as it stands in a path.
pub fn escaped(name: &str) -> String {
    name.replace('&', "&&").replace('.', "&.")
}

/// The index that a name means in an array: a number without leading zeros.
pub fn index(segment: &str) -> Option<usize> {
    let is_number = segment.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = segment.len() > 1 && segment.starts_with('0');
    (is_number && !leading_zero)
        .then(|| segment.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_at_periods_that_are_not_escaped() {
        let split = |path: &str| segments(path).map(|segments| segments.join("|"));
        assert_eq!(split("a.b&.c.d&&").as_deref(), Ok("a|b.c|d&"));
        for path in ["", ".a", "a.", "a..b", "a&", "a&b"] {
            assert!(split(path).is_err(), "{path}");
        }
        assert_eq!(segments(&escaped("a.b&c")), Ok(vec!["a.b&c".to_owned()]));
        assert_eq!(
            (index("0"), index("10"), index("01"), index("x")),
            (Some(0), Some(10), None, None)
        );
    }
}
