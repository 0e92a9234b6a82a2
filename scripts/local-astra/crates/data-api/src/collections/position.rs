//! Positions of documents in the order of their collection, and page states that carry them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::id::Key;
use crate::codes::Code;
use crate::error::ApiError;

/// Tells a page state of local Astra from other bytes.
const VERSION: &[u8] = b"la1";

/// The place of a document: by the token of its key, then by the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub token: i64,
    pub key: Key,
}

/// The start of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageState {
    /// The last document of the page before.
    pub after: Position,
    /// The documents of the limit that are left, if there is a limit.
    pub remaining: Option<u32>,
}

impl PageState {
    /// The text for a client.
    pub fn text(&self) -> String {
        let mut bytes = VERSION.to_vec();
        bytes.extend(self.after.token.to_be_bytes());
        bytes.extend(self.remaining.unwrap_or(u32::MAX).to_be_bytes());
        bytes.push(self.after.key.0.to_be_bytes()[0]);
        bytes.extend(self.after.key.1.as_bytes());
        STANDARD.encode(bytes)
    }

    /// Reads what a client sends back.
    ///
    /// # Errors
    /// [`Code::UnexpectedDriverError`] for anything but a page state.
    pub fn read(text: &str) -> Result<PageState, ApiError> {
        PageState::decode(text).ok_or_else(|| {
            ApiError::new(
                Code::UnexpectedDriverError,
                "The page state is none that a command has returned.",
            )
        })
    }

    fn decode(text: &str) -> Option<PageState> {
        let bytes = STANDARD.decode(text).ok()?;
        let rest = bytes.strip_prefix(VERSION)?;
        let (token, rest) = rest.split_first_chunk::<8>()?;
        let (remaining, rest) = rest.split_first_chunk::<4>()?;
        let (typ, key) = rest.split_first()?;
        let remaining = u32::from_be_bytes(*remaining);
        Some(PageState {
            after: Position {
                token: i64::from_be_bytes(*token),
                key: (
                    i8::from_be_bytes([*typ]),
                    String::from_utf8(key.to_vec()).ok()?,
                ),
            },
            remaining: (remaining != u32::MAX).then_some(remaining),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_states_come_back() {
        for remaining in [None, Some(0), Some(20)] {
            let after = Position {
                token: -5,
                key: (1, "é".to_owned()),
            };
            let state = PageState { after, remaining };
            assert_eq!(PageState::read(&state.text()).unwrap(), state);
        }
        for text in ["", "bm9wZQ==", "x", "bGEx"] {
            let code = PageState::read(text).unwrap_err().code;
            assert_eq!(code, Code::UnexpectedDriverError, "{text}");
        }
    }
}
