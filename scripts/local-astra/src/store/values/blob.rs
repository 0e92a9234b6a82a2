//! Bytes as base64, with the refusals of Java's decoder.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ValueError;

/// Java's basic decoder: the standard alphabet, padding may be missing, left-over bits are not looked at.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads standard base64.
///
/// # Errors
/// [`ValueError::Base64`] with Java's text: which character is wrong, in hexadecimal, or that the end is.
pub fn from_base64(text: &str) -> Result<Vec<u8>, ValueError> {
    let bytes = text.trim_end_matches('=');
    let stray = bytes
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/'));
    if let Some(stray) = stray {
        // Java makes Latin-1 of the text first: what that lacks becomes a question mark.
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
