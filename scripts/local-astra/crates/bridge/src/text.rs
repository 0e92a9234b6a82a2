//! Texts as Java reads them: invalid UTF-8, lone surrogates, the encoding of URLs.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Represents the lone surrogate U+D800 in a text that has to show it again; the others follow.
const SURROGATES: u32 = 0x10_D800;

/// Decodes bytes as Java does: invalid UTF-8 becomes U+FFFD, once for each half of a surrogate pair.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest
        .windows(3)
        .position(|w| matches!(w, [0xED, 0xA0..=0xBF, 0x80..=0xBF]))
    {
        text.push_str(&String::from_utf8_lossy(&rest[..at]));
        text.push(char::REPLACEMENT_CHARACTER);
        rest = &rest[at + 3..];
    }
    text.push_str(&String::from_utf8_lossy(rest));
    Cow::Owned(text)
}

/// Returns true if two hexadecimal digits follow each percent sign.
pub fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Decodes a part of a path.
pub fn decoded(segment: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(segment).collect();
    lossy(&bytes).into_owned()
}

/// Replaces lone surrogates in JSON, such as `\ud83d`, by question marks: Java reads them, but UTF-8 cannot represent
/// them.
pub fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    replace_lone_surrogates(json, |_| "?".to_owned())
}

/// Replaces lone surrogates by characters that [`with_lone_surrogates`] converts back.
pub fn mark_lone_surrogates(json: &str) -> Cow<'_, str> {
    replace_lone_surrogates(json, |surrogate| {
        let marked = char::from_u32(SURROGATES + u32::from(surrogate - 0xD800));
        marked.unwrap_or('?').to_string()
    })
}

/// Replaces the characters of [`mark_lone_surrogates`] in JSON by escapes.
pub fn with_lone_surrogates(json: &str) -> String {
    json.chars()
        .map(|c| match u32::from(c).checked_sub(SURROGATES) {
            Some(offset @ 0..0x800) => format!("\\u{:04X}", 0xD800 + offset),
            _ => c.to_string(),
        })
        .collect()
}

fn replace_lone_surrogates(json: &str, replacement: impl Fn(u16) -> String) -> Cow<'_, str> {
    let mut replaced = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        let start = at + found;
        let Some(code) = escaped(json, start) else {
            // Another escape: its character cannot begin one.
            let next = json[start + 1..].chars().next();
            at = start + 1 + next.map_or(0, char::len_utf8);
            continue;
        };
        let is_pair = (0xD800..0xDC00).contains(&code)
            && escaped(json, start + 6).is_some_and(|next| (0xDC00..0xE000).contains(&next));
        at = start + if is_pair { 12 } else { 6 };
        if (0xD800..0xE000).contains(&code) && !is_pair {
            replaced.push_str(&json[copied..start]);
            replaced.push_str(&replacement(code));
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    replaced.push_str(&json[copied..]);
    Cow::Owned(replaced)
}

/// Returns the code unit of an escape `\uXXXX` that begins here.
fn escaped(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters() {
        for (bytes, wanted) in [
            (&b"caf\xc3\xa9"[..], "caf\u{e9}"),
            (b"a\xffb", "a\u{fffd}b"),
            (b"\xed\xa0\xbd", "\u{fffd}"),
            (b"\xed\xa0\xbd\xed\xb8\x80!", "\u{fffd}\u{fffd}!"),
            (b"a\xf0\x9f", "a\u{fffd}"),
            (b"\xc0\x80", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(lossy(bytes), wanted);
        }
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_are_not() {
        for (json, wanted) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#""nice \ud83d""#, r#""nice ?""#),
            (r#""\ude00 x""#, r#""? x""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uD83D\ud83d\uDE00""#, r#""?\ud83d\uDE00""#),
            (r#""\ud83d\u0041""#, r#""?\u0041""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\?""#),
            (r#""\ud8""#, r#""\ud8""#),
            (r#""\"#, r#""\"#),
            (r#""\é\ud83dé""#, r#""\é?é""#),
        ] {
            assert_eq!(without_lone_surrogates(json), wanted, "{json}");
        }
    }

    #[test]
    fn lone_surrogates_can_be_shown_again() {
        let marked = mark_lone_surrogates(r#"{"\uDE00":"a \ud83d","b":"\ud83d\ude00"}"#);
        let value: serde_json::Value = serde_json::from_str(&marked).unwrap();
        let shown = with_lone_surrogates(&value.to_string());
        assert_eq!(shown, "{\"\\uDE00\":\"a \\uD83D\",\"b\":\"\u{1F600}\"}");
    }
}
