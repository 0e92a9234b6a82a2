//! Hashes of values, by which whole arrays and objects and the elements of arrays are found.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::extended;
use crate::json::{Decimal, Json};

/// Characters of an MD5 in base64; a text of fewer is its own hash.
const LENGTH: usize = 22;

/// The hash of a value.
pub fn of(value: &Json) -> String {
    if let Some(milliseconds) = extended::date(value) {
        return of_date(milliseconds);
    }
    match value {
        Json::Null => "Z".to_owned(),
        Json::Bool(false) => "B0".to_owned(),
        Json::Bool(true) => "B1".to_owned(),
        Json::Number(number) => of_number(number),
        Json::Text(text) => bounded(format!("S{text}")),
        Json::Array(values) => {
            let mut text = format!("A{}", values.len());
            for value in values {
                text.push('\n');
                text.push_str(&of(value));
            }
            bounded(text)
        }
        Json::Object(members) => {
            let mut text = format!("O{}", members.len());
            for (name, value) in members {
                text.push('\n');
                text.push_str(name);
                text.push('\n');
                text.push_str(&of(value));
            }
            bounded(text)
        }
    }
}

pub fn of_number(number: &Decimal) -> String {
    bounded(format!("N{}", number.plain()))
}

pub fn of_date(milliseconds: i64) -> String {
    bounded(format!("T{milliseconds}"))
}

fn bounded(text: String) -> String {
    if text.encode_utf16().count() < LENGTH {
        return text;
    }
    STANDARD_NO_PAD.encode(md5::compute(text).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::reader;

    #[test]
    fn hashes_are_those_of_the_contract() {
        for (text, hash) in [
            ("[]", "A0"),
            ("null", "Z"),
            ("true", "B1"),
            ("1e3", "N1000"),
            ("\"novel\"", "Snovel"),
            (r#"{"$date":5}"#, "T5"),
            (r#"{"p":2}"#, "O1\np\nN2"),
            (r#"[1,"a",null,{"p":2}]"#, "A4\nN1\nSa\nZ\nO1\np\nN2"),
        ] {
            assert_eq!(of(&reader::read(text).unwrap().unwrap()), hash, "{text}");
        }
        let long = of(&Json::text("a".repeat(21)));
        assert_eq!(long.len(), LENGTH);
        assert_eq!(of(&Json::text("a".repeat(20))).len(), 21);
    }
}
