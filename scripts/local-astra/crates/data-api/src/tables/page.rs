//! Page states, which contain the next row of each statement.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::codes::Code;
use crate::error::ApiError;

/// Tells a page state of a table from other bytes.
const VERSION: &[u8] = b"lt1";

/// The next row of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The row after the first `skip` rows of the page with this state of Cassandra.
    At {
        page: Option<Vec<u8>>,
        skip: u32,
    },
    End,
}

impl Place {
    pub const START: Place = Place::At {
        page: None,
        skip: 0,
    };
}

/// The start of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageState {
    /// The rows of the limit that are left, if there is a limit.
    pub remaining: Option<u32>,
    pub places: Vec<Place>,
}

impl PageState {
    /// The text for a client.
    pub fn text(&self) -> String {
        let mut bytes = VERSION.to_vec();
        bytes.extend(self.remaining.unwrap_or(u32::MAX).to_be_bytes());
        for place in &self.places {
            match place {
                Place::End => bytes.push(0),
                Place::At { page, skip } => {
                    bytes.push(if page.is_some() { 2 } else { 1 });
                    bytes.extend(skip.to_be_bytes());
                    if let Some(page) = page {
                        let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
                        bytes.extend(length.to_be_bytes());
                        bytes.extend(page);
                    }
                }
            }
        }
        STANDARD.encode(bytes)
    }

    /// Reads what a client sends back.
    ///
    /// # Errors
    /// [`Code::UnexpectedDriverError`] for anything but a page state of a filter with so many statements.
    pub fn read(text: &str, statements: usize) -> Result<PageState, ApiError> {
        let state = PageState::decode(text).filter(|state| state.places.len() == statements);
        state.ok_or_else(|| {
            ApiError::new(
                Code::UnexpectedDriverError,
                "The page state is none that this command has returned.",
            )
        })
    }

    fn decode(text: &str) -> Option<PageState> {
        let bytes = STANDARD.decode(text).ok()?;
        let rest = bytes.strip_prefix(VERSION)?;
        let (remaining, mut rest) = number(rest)?;
        let mut places = Vec::new();
        while let Some((kind, after)) = rest.split_first() {
            rest = after;
            if *kind == 0 {
                places.push(Place::End);
                continue;
            }
            let (skip, after) = number(rest)?;
            rest = after;
            let page = match kind {
                1 => None,
                2 => {
                    let (length, after) = number(rest)?;
                    let (page, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
                    rest = after;
                    Some(page.to_vec())
                }
                _ => return None,
            };
            places.push(Place::At { page, skip });
        }
        Some(PageState {
            remaining: (remaining != u32::MAX).then_some(remaining),
            places,
        })
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_states_come_back() {
        let at = |page: Option<&[u8]>, skip| Place::At {
            page: page.map(<[u8]>::to_vec),
            skip,
        };
        for places in [
            vec![Place::START],
            vec![at(Some(b"state"), 7), Place::End, at(None, 3)],
        ] {
            for remaining in [None, Some(0), Some(20)] {
                let state = PageState {
                    remaining,
                    places: places.clone(),
                };
                assert_eq!(PageState::read(&state.text(), places.len()).unwrap(), state);
                assert!(PageState::read(&state.text(), places.len() + 1).is_err());
            }
        }
        for text in ["", "bm9wZQ==", "x", "bHQx", "bHQxAAAAAAI="] {
            let code = PageState::read(text, 1).unwrap_err().code;
            assert_eq!(code, Code::UnexpectedDriverError, "{text}");
        }
    }
}
