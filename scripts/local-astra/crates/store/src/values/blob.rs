//! Bytes as base64, with the error messages of Java's decoder.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ValueError;

/// Decodes as Java's basic decoder: the standard alphabet, optional padding, left-over bits are ignored.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes standard base64.
///
/// # Errors
/// [`ValueError::Base64`] with Java's message: the wrong character in hexadecimal, or a wrong end.
pub fn from_base64(text: &str) -> Result<Vec<u8>, ValueError> {
    let bytes = text.trim_end_matches('=');
    let stray = bytes
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/'));
    if let Some(stray) = stray {
        // Java converts the text to Latin-1 first: other characters become a question mark.
        let code = u8::try_from(stray).unwrap_or(b'?').cast_signed();
        let sign = if code < 0 { "-" } else { "" };
        return Err(ValueError::Base64(format!(
            "Illegal base64 character {sign}{:x}",
            code.unsigned_abs()
        )));
    }
    DECODER
        .decode(text)
        .map_err(|_| ValueError::Base64("Input byte array has wrong 4-byte ending unit".to_owned()))
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
