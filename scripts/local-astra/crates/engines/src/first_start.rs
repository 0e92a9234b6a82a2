//! The first start of an engine in its folder, which is repeated from the beginning if it was interrupted.
//!
//! Both engines write their data in several steps, and reject data left incomplete by a kill. Until the first start is
//! complete, the folder cannot contain any user data, so it is emptied and the next start is again a first one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::EngineError;

/// Marker file in the folder of an engine, from before its first start until the start is complete.
const MARKER: &str = "first-start";

/// Prepares the folder of a stopped engine for its next start: removes `data` if the first start did not complete, or
/// if `is_whole` is false. After the start has completed, call [`complete`].
///
/// # Errors
/// [`EngineError::File`] or [`EngineError::DiskFull`]
pub fn begin(folder: &Path, data: &[PathBuf], is_whole: bool) -> Result<(), EngineError> {
    let marker = folder.join(MARKER);
    if is_whole && !marker.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(EngineError::file("create", folder))?;
    // Before anything is removed: after a kill during the removal, the rest of the data must not look complete.
    fs::write(&marker, "").map_err(EngineError::file("write", &marker))?;
    for path in data {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(EngineError::file("remove", path)(error));
            }
            _ => (),
        }
    }
    Ok(())
}

/// Marks the first start as complete, if there was one.
///
/// # Errors
/// [`EngineError::File`]
pub fn complete(folder: &Path) -> Result<(), EngineError> {
    let marker = folder.join(MARKER);
    match fs::remove_file(&marker) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(EngineError::file("remove", &marker)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_complete_start_left_is_kept() {
        let engine = tempfile::tempdir().unwrap();
        let data = [engine.path().join("data"), engine.path().join("more")];
        let fill = || {
            data.iter()
                .for_each(|path| fs::create_dir_all(path).unwrap())
        };
        let is_there = || data.iter().all(|path| path.exists());

        begin(engine.path(), &data, false).unwrap();
        fill();
        // Interrupted, but apparently complete.
        begin(engine.path(), &data, true).unwrap();
        assert!(!is_there());
        fill();
        complete(engine.path()).unwrap();
        begin(engine.path(), &data, true).unwrap();
        assert!(is_there());
        // A part is missing.
        begin(engine.path(), &data, false).unwrap();
        assert!(!is_there());
    }
}
