//! The class data sharing (CDS) archive of an engine: its classes in the JVM's memory format, which saves seconds per
//! start.
//!
//! The first clean stop writes it, and later starts map it. An archive is only valid for one JVM and one set of jars.
//! Its name contains both, and its size, because a JVM crashes on a truncated archive. A start without an archive, or
//! with one that the JVM rejects, is merely slower.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{jar::hex, jars::ClassPath, java::Jdk};

/// Age at which an incomplete archive is considered abandoned.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// The archive of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassArchive {
    /// The JVM maps this file.
    Used { file: PathBuf },
    /// The JVM writes `temporary` when it exits. `name` is the final name without the size.
    New { temporary: PathBuf, name: String },
}

impl ClassArchive {
    /// Returns true if the JVM needs extra seconds to exit.
    pub(super) fn is_new(&self) -> bool {
        matches!(self, Self::New { .. })
    }

    /// Moves a new archive to its final name, after the JVM has exited by itself. A failure only delays the next start.
    pub(super) fn put_in_place(&self) {
        let Self::New { temporary, name } = self else {
            return;
        };
        if temporary
            .parent()
            .is_some_and(|folder| find(folder, name).is_some())
        {
            return self.discard(); // another one was faster
        }
        // Synced before it is renamed: after a power failure it must not be empty.
        let placed = File::open(temporary).and_then(|file| {
            file.sync_all()?;
            fs::rename(
                temporary,
                temporary.with_file_name(file_name(name, file.metadata()?.len())),
            )
        });
        if placed.is_err() {
            self.discard();
        }
    }

    /// Removes the archive after the JVM was killed or has crashed: it may be incomplete or the cause of the crash.
    pub(super) fn discard(&self) {
        let (Self::New {
            temporary: file, ..
        }
        | Self::Used { file }) = self;
        // Usually there is no new one.
        let _ = fs::remove_file(file);
    }
}

fn file_name(name: &str, bytes: u64) -> String {
    format!("{name}-{bytes}.jsa")
}

/// Returns the JVM option that uses the archive in `folder`, or that writes it at exit if it does not exist yet.
pub fn option(folder: &Path, jdk: &Jdk, class_path: &ClassPath) -> (OsString, ClassArchive) {
    // Without the folder the JVM writes no archive and logs the reason.
    let _ = fs::create_dir_all(folder);
    // The JVM runs in another folder.
    let folder = &folder
        .canonicalize()
        .unwrap_or_else(|_| folder.to_path_buf());
    sweep(folder);
    let made_for = format!(
        "{}\n{}\n{}",
        jdk.java.display(),
        jdk.release,
        class_path.fingerprint
    );
    let name = hex(&digest::digest(&digest::SHA256, made_for.as_bytes()).as_ref()[..8]);
    let flag = |flag: &str, path: &Path| {
        let mut option = OsString::from(flag);
        option.push(path);
        option
    };
    if let Some(file) = find(folder, &name) {
        return (
            flag("-XX:SharedArchiveFile=", &file),
            ClassArchive::Used { file },
        );
    }
    let temporary = folder.join(format!("{name}.{}.new", Uuid::new_v4()));
    (
        flag("-XX:ArchiveClassesAtExit=", &temporary),
        ClassArchive::New { temporary, name },
    )
}

/// Returns the archive of that name if its size is unchanged; otherwise removes it.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let archives = fs::read_dir(folder).ok()?.flatten().filter(|entry| {
        let file = entry.file_name();
        file.to_str()
            .is_some_and(|file| file.starts_with(&format!("{name}-")) && file.ends_with(".jsa"))
    });
    archives.into_iter().find_map(|entry| {
        let bytes = entry.metadata().ok()?.len();
        if entry.file_name().to_str() == Some(&file_name(name, bytes)) {
            return Some(entry.path());
        }
        // An archive that cannot be removed is not used either.
        let _ = fs::remove_file(entry.path());
        None
    })
}

/// Removes the files of killed runs. Files that cannot be read or removed are kept.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|changed| {
                SystemTime::now()
                    .duration_since(changed)
                    .is_ok_and(|age| age > ABANDONED)
            });
        if old && path.extension().is_some_and(|extension| extension == "new") {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jdk(release: &str) -> Jdk {
        Jdk {
            home: "/jdk".into(),
            java: "/jdk/bin/java".into(),
            major: 17,
            release: release.into(),
        }
    }

    fn class_path(fingerprint: &str) -> ClassPath {
        ClassPath {
            value: "a.jar".into(),
            fingerprint: fingerprint.into(),
        }
    }

    fn temporary(archive: &ClassArchive) -> &Path {
        match archive {
            ClassArchive::New { temporary, .. } => temporary,
            ClassArchive::Used { file } => panic!("{file:?} is used"),
        }
    }

    #[test]
    fn written_once_then_used_by_the_same_jvm_and_jars_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("made when needed");
        let ask = |release, jars| option(&folder, &jdk(release), &class_path(jars));
        let (flag, new) = ask("17.0.1", "x");
        assert_eq!(
            flag.to_str().unwrap(),
            format!("-XX:ArchiveClassesAtExit={}", temporary(&new).display())
        );
        fs::write(temporary(&new), "archive").unwrap();
        new.put_in_place();
        let (flag, used) = ask("17.0.1", "x");
        let ClassArchive::Used { file } = &used else {
            panic!("{used:?}")
        };
        assert_eq!(
            flag.to_str().unwrap(),
            format!("-XX:SharedArchiveFile={}", file.display())
        );
        assert_eq!(fs::read_to_string(file).unwrap(), "archive");
        assert!(ask("17.0.2", "x").1.is_new());
        assert!(ask("17.0.1", "y").1.is_new());
        used.discard();
        assert!(ask("17.0.1", "x").1.is_new());
    }

    #[test]
    fn an_archive_that_is_cut_off_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let ask = || option(folder.path(), &jdk("17"), &class_path("x")).1;
        let new = ask();
        fs::write(temporary(&new), "archive").unwrap();
        new.put_in_place();
        let ClassArchive::Used { file } = ask() else {
            panic!("not used")
        };
        fs::write(&file, "arch").unwrap();
        assert!(ask().is_new());
        assert!(!file.exists());
    }

    #[test]
    fn of_two_that_are_made_at_once_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let ask = || option(folder.path(), &jdk("17"), &class_path("x")).1;
        let (first, second) = (ask(), ask());
        for (archive, text) in [(&first, "first"), (&second, "second")] {
            fs::write(temporary(archive), text).unwrap();
            archive.put_in_place();
        }
        let names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn an_archive_that_was_not_written_or_not_finished_is_no_archive() {
        let folder = tempfile::tempdir().unwrap();
        let ask = || option(folder.path(), &jdk("17"), &class_path("x")).1;
        ask().put_in_place();
        let killed = ask();
        fs::write(temporary(&killed), "half").unwrap();
        killed.discard();
        assert!(ask().is_new());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
