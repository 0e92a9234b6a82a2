//! One expected jar: a line of the committed lists, and its comparison with a file.

use std::{fs, io, path::Path};

use aws_lc_rs::digest;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Jar {
    /// `group:artifact:version[:classifier]`
    pub(super) coordinates: String,
    /// Path relative to a Maven repository.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Hexadecimal, lower case.
    pub(super) sha256: String,
}

impl Jar {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split_whitespace();
        let (coordinates, bytes, sha256) = (
            columns.next()?,
            columns.next()?.parse().ok()?,
            columns.next()?,
        );
        let mut parts = coordinates.split(':');
        let (group, artifact, version) = (parts.next()?, parts.next()?, parts.next()?);
        let classifier = parts
            .next()
            .map(|classifier| format!("-{classifier}"))
            .unwrap_or_default();
        let folder = group.replace('.', "/");
        Some(Self {
            coordinates: coordinates.to_string(),
            path: format!("{folder}/{artifact}/{version}/{artifact}-{version}{classifier}.jar"),
            bytes,
            sha256: sha256.to_string(),
        })
    }

    /// Compares the file in `repository` with this entry. `None` if they match.
    pub(super) fn flaw(&self, repository: &Path) -> io::Result<Option<Flaw>> {
        let content = match fs::read(repository.join(&self.path)) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(Flaw::Missing));
            }
            Err(error) => return Err(error),
        };
        let sha256 = hex(digest::digest(&digest::SHA256, &content).as_ref());
        let right = content.len() as u64 == self.bytes && sha256 == self.sha256;
        Ok((!right).then_some(Flaw::Different {
            bytes: content.len() as u64,
            sha256,
        }))
    }
}

/// The reason a jar cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Missing,
    Different { bytes: u64, sha256: String },
}

/// Formats bytes as two lowercase digits each.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
