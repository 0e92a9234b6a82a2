//! The paging state: the start of the next page as an opaque text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

use super::stream::{Position, Progress};
use crate::error::DocumentError;

const DOCUMENTS: u8 = 1;
const PARTS: u8 = 2;

/// The numbers of a stream that has not started and of an exhausted one. A smaller number counts the rows that the
/// stream returned of the last document.
const NOT_STARTED: u32 = u32::MAX;
const EXHAUSTED: u32 = u32::MAX - 1;

/// State of a search in a collection: the last document, and the progress of the leading streams.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterDocument {
    pub position: Position,
    pub progress: Vec<Progress>,
}

impl AfterDocument {
    pub fn write(&self) -> String {
        let mut bytes = vec![DOCUMENTS];
        // No search has as many streams as 16 bits can count: they'd not fit into a URL.
        let streams = u16::try_from(self.progress.len()).unwrap_or(u16::MAX);
        bytes.extend(streams.to_be_bytes());
        for progress in &self.progress {
            let number = match progress {
                Progress::NotStarted => NOT_STARTED,
                Progress::Open(rows) => *rows.min(&(EXHAUSTED - 1)),
                Progress::Exhausted => EXHAUSTED,
            };
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.position.token.to_be_bytes());
        bytes.extend(self.position.id.as_bytes());
        URL_SAFE.encode(bytes)
    }

    /// Parses the text of [`AfterDocument::write`], for a search with `streams` streams.
    ///
    /// # Errors
    /// The text is anything else.
    pub fn read(text: &str, streams: usize) -> Result<AfterDocument, DocumentError> {
        let read = || {
            let bytes = URL_SAFE.decode(text).ok()?;
            let rest = bytes.strip_prefix(&[DOCUMENTS])?;
            let (count, rest) = rest.split_first_chunk()?;
            let count = usize::from(u16::from_be_bytes(*count));
            let (progress, rest) = rest.split_at_checked(4 * count)?;
            let progress = progress.as_chunks::<4>().0.iter();
            let progress = progress.map(|number| match u32::from_be_bytes(*number) {
                NOT_STARTED => Progress::NotStarted,
                EXHAUSTED => Progress::Exhausted,
                rows => Progress::Open(rows),
            });
            let (token, id) = rest.split_first_chunk()?;
            let id = String::from_utf8(id.to_vec()).ok()?;
            (count == streams).then(|| AfterDocument {
                progress: progress.collect(),
                position: Position {
                    token: i64::from_be_bytes(*token),
                    id,
                },
            })
        };
        read().ok_or_else(DocumentError::page_state)
    }
}

/// Formats the state of a search in a document: the path of the last part.
pub fn write_path(path: &[String]) -> String {
    let mut bytes = vec![PARTS];
    for segment in path {
        let length = u32::try_from(segment.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(segment.as_bytes());
    }
    URL_SAFE.encode(bytes)
}

/// Parses the text of [`write_path`], for a path of `segments` segments.
///
/// # Errors
/// The text is anything else.
pub fn read_path(text: &str, segments: usize) -> Result<Vec<String>, DocumentError> {
    let read = || {
        let bytes = URL_SAFE.decode(text).ok()?;
        let mut rest = bytes.strip_prefix(&[PARTS])?;
        let mut path = Vec::new();
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (segment, after) = after.split_at_checked(length)?;
            path.push(String::from_utf8(segment.to_vec()).ok()?);
            rest = after;
        }
        (path.len() == segments).then_some(path)
    };
    read().ok_or_else(DocumentError::page_state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let state = AfterDocument {
            position: Position {
                token: -7,
                id: "büch".to_owned(),
            },
            progress: vec![Progress::Open(7), Progress::NotStarted, Progress::Exhausted],
        };
        assert_eq!(AfterDocument::read(&state.write(), 3).unwrap(), state);
        let path = ["a".to_owned(), String::new(), "[000001]".to_owned()];
        assert_eq!(read_path(&write_path(&path), 3).unwrap(), path);
    }

    #[test]
    fn other_states_are_refused() {
        let path = write_path(&["a".to_owned()]);
        for text in ["garbage", "", "AQ==", "AgAAAAk=", "%", &path] {
            assert!(AfterDocument::read(text, 1).is_err(), "{text}");
        }
        assert!(read_path(&path, 2).is_err());
        assert!(read_path("AgAAAAk=", 1).is_err());
    }
}
