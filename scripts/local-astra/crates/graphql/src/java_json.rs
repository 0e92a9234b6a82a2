//! JSON texts of responses, with numbers as Java writes them.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Returns a JSON text with exponents as Java writes them, `1.0E10`. The values of apollo-compiler have `1.0e+10`.
pub fn text(value: &Value) -> String {
    let mut bytes = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, JavaNumbers));
    let text = written.ok().and_then(|()| String::from_utf8(bytes).ok());
    text.unwrap_or_else(|| value.to_string())
}

struct JavaNumbers;

impl Formatter for JavaNumbers {
    fn write_number_str<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        number: &str,
    ) -> io::Result<()> {
        let number = number.replace("e+", "E").replace('e', "E");
        writer.write_all(number.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_java() {
        let given = r#"{"e":[1.0e+10,1.0E10,4.9e-324,1.5,-7,"1.0e+10"],"n":null,"b":true}"#;
        let value: Value = serde_json::from_str(given).unwrap();
        let wanted = r#"{"e":[1.0E10,1.0E10,4.9E-324,1.5,-7,"1.0e+10"],"n":null,"b":true}"#;
        assert_eq!(text(&value), wanted);
    }
}
