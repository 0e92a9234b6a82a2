//! Repairs a Cassandra that cannot start because the name of an index is too long for its folder.
//!
//! Cassandra rejects such an index only after adding it to the schema. Local Astra's HTTP interfaces do not let one
//! through, and one created over CQL is dropped at once. This module handles a Cassandra that was stopped before that.

use std::fs;

use super::{Cassandra, Join, LOG};
use crate::jars::ClassPath;
use crate::java::Jdk;
use crate::{EngineError, java};

const DROP_INDEXES: &str = include_str!("../../java/DropIndexes.java");

/// Prefix of a line that reports a dropped index.
const DROPPED: &str = "DROPPED ";

impl Cassandra {
    /// Returns true if a node ended because it could not read the folder of an index. `longest` is the maximum length of
    /// an index name.
    pub fn has_unusable_index(&self, longest: usize) -> bool {
        (1..=self.nodes).any(|node| {
            let log = fs::read(self.node_folder(node).join(LOG)).unwrap_or_default();
            names_a_folder_too_long(&String::from_utf8_lossy(&log), longest)
        })
    }

    /// Drops the indexes whose names are longer than `longest`, which prevent the nodes from starting, and keeps
    /// everything else. No node may be running.
    /// Returns the keyspace, table and name of each index.
    ///
    /// # Errors
    /// [`EngineError::Mend`], [`EngineError::File`]
    pub async fn drop_unusable_indexes(
        &self,
        longest: usize,
        jdk: &Jdk,
        class_path: &ClassPath,
    ) -> Result<Vec<String>, EngineError> {
        let mut dropped = Vec::new();
        for node in (1..=self.nodes).filter(|node| self.data(*node).exists()) {
            let folder = self.node_folder(node);
            let folder = folder
                .canonicalize()
                .map_err(EngineError::file("open", &folder))?;
            let source = folder.join("DropIndexes.java");
            fs::write(&source, DROP_INDEXES).map_err(EngineError::file("write", &source))?;
            let mut command = jdk.command();
            command
                .args(self.options(node, Join::Again, jdk, &folder))
                .arg("-cp")
                .arg(&class_path.value)
                .arg(source)
                .arg(longest.to_string())
                .current_dir(&folder);
            let said = java::run(command, &[])
                .await
                .map_err(|why| EngineError::Mend {
                    trouble: "An index of Cassandra has a name that is too long for a file",
                    folder,
                    why,
                })?;
            let named = said.lines().filter_map(|line| line.strip_prefix(DROPPED));
            dropped.extend(named.map(str::to_owned));
        }
        // Each node has the whole schema.
        dropped.sort_unstable();
        dropped.dedup();
        Ok(dropped)
    }
}

/// Detects the error in any language of the operating system's messages.
fn names_a_folder_too_long(log: &str, longest: usize) -> bool {
    log.split(|c: char| c == '/' || c.is_whitespace())
        .filter_map(|part| part.strip_prefix('.'))
        .map(|part| part.trim_end_matches([':', '"', '\'', ',', '.']))
        .any(|name| name.len() > longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_too_long_is_told_of() {
        let of = |letters| {
            let folder = format!("/data/ks/t-0a1b/.{}", "i".repeat(letters));
            format!(
                "ERROR x - Failed\njava.lang.RuntimeException: Failed to list files in {folder}\n\tat a.b.C\n"
            )
        };
        assert!(names_a_folder_too_long(&of(255), 254));
        assert!(!names_a_folder_too_long(&of(254), 254));
        let cause = of(255).replace('\n', ": Der Dateiname ist zu lang\n");
        assert!(names_a_folder_too_long(&cause, 254));
    }
}
