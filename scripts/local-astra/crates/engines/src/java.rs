//! Finds the JDK that runs the engines: version 17 or 21, anywhere on this machine.
//!
//! Cassandra 5.0 fails to start on 24 and newer, which have no security manager. Versions 18 to 20, 22 and 23 are
//! untested. An unsuitable JAVA_HOME does not hide a suitable JDK elsewhere.

use std::{
    collections::HashSet,
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use super::EngineError;

/// Limit for `java` to print its version.
const ASK_LIMIT: Duration = Duration::from_secs(10);

/// Limit to compile and run a single-file program.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// A suitable JDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jdk {
    /// The folder that contains `bin/java`; passed to Maven as JAVA_HOME.
    pub home: PathBuf,
    /// The absolute path of `bin/java`.
    pub java: PathBuf,
    /// 17 or 21.
    pub major: u32,
    /// Vendor and full version, e.g. `Debian 17.0.15+6-Debian-1deb12u1`. A class archive is only valid for one of
    /// these.
    pub release: String,
}

impl Jdk {
    /// Returns a command that runs `java`, without the Java options of the environment: they could open a JMX port or
    /// change the heap.
    pub fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.java);
        for variable in [
            "JAVA_TOOL_OPTIONS",
            "JDK_JAVA_OPTIONS",
            "_JAVA_OPTIONS",
            "CLASSPATH",
        ] {
            command.env_remove(variable);
        }
        command
    }
}

/// Places to search, in this order.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// `JAVA_HOME`.
    pub java_home: Option<PathBuf>,
    /// `PATH`, split.
    pub path: Vec<PathBuf>,
    /// Folders of JDKs, each with the path from an entry to the folder of `bin`: `/usr/lib/jvm` and ``,
    /// `/Library/Java/JavaVirtualMachines` and `Contents/Home`.
    pub folders: Vec<(PathBuf, &'static str)>,
}

impl Search {
    /// Places on this machine: JAVA_HOME, PATH, and the folders of Linux, macOS, SDKMAN!, IntelliJ and Homebrew.
    pub fn here() -> Self {
        let mut folders: Vec<(PathBuf, &'static str)> = vec![
            ("/usr/lib/jvm".into(), ""),
            ("/usr/java".into(), ""),
            ("/opt/java".into(), ""),
            ("/Library/Java/JavaVirtualMachines".into(), "Contents/Home"),
            (
                "/opt/homebrew/opt".into(),
                "libexec/openjdk.jdk/Contents/Home",
            ),
            ("/usr/local/opt".into(), "libexec/openjdk.jdk/Contents/Home"),
        ];
        if let Some(home) = env::home_dir() {
            folders.push((home.join(".sdkman/candidates/java"), ""));
            folders.push((home.join(".jdks"), ""));
            folders.push((
                home.join("Library/Java/JavaVirtualMachines"),
                "Contents/Home",
            ));
        }
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            java_home: set("JAVA_HOME").map(PathBuf::from),
            path: set("PATH")
                .map(|path| env::split_paths(&path).collect())
                .unwrap_or_default(),
            folders,
        }
    }

    /// Lists the existing `java` programs in order of preference, without duplicates from links.
    fn candidates(&self) -> Vec<PathBuf> {
        let mut javas: Vec<PathBuf> = self
            .java_home
            .iter()
            .map(|home| home.join("bin/java"))
            .collect();
        javas.extend(
            self.path
                .iter()
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join("java")),
        );
        for (folder, inner) in &self.folders {
            let Ok(entries) = folder.read_dir() else {
                continue;
            };
            let mut homes: Vec<PathBuf> = entries
                .flatten()
                .map(|entry| entry.path().join(inner))
                .collect();
            homes.sort();
            javas.extend(homes.iter().map(|home| home.join("bin/java")));
        }
        let mut seen = HashSet::new();
        javas
            .iter()
            .filter_map(|java| java.canonicalize().ok())
            .filter(|java| java.is_file() && seen.insert(java.clone()))
            .collect()
    }

    fn places(&self) -> String {
        let mut places = vec![
            match &self.java_home {
                Some(home) => format!("JAVA_HOME ({})", home.display()),
                None => "JAVA_HOME (not set)".to_string(),
            },
            "`java` on the PATH".to_string(),
        ];
        places.extend(
            self.folders
                .iter()
                .map(|(folder, _)| folder.display().to_string()),
        );
        places.join(", ")
    }
}

/// Returns the first JDK 17 or 21 found in the places of `search`.
///
/// Errors: [`EngineError::NoJava`], or [`EngineError::NoFittingJava`] with the path of each JDK found and the reason it
/// is unsuitable.
pub async fn find(search: &Search) -> Result<Jdk, EngineError> {
    let mut unfit = Vec::new();
    for java in search.candidates() {
        let Some(version) = version_of(&java).await else {
            continue;
        };
        match version.verdict() {
            None => return Ok(version.into_jdk(java)),
            Some(why) => unfit.push(format!(
                "  {} at {}: {why}",
                version.number,
                version.home.display()
            )),
        }
    }
    if unfit.is_empty() {
        return Err(EngineError::NoJava {
            looked: search.places(),
        });
    }
    Err(EngineError::NoFittingJava {
        found: unfit.join("\n"),
    })
}

/// Version information of a JDK.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    home: PathBuf,
    /// In Java's format: `17.0.15`, `1.8.0_392`.
    number: String,
    major: u32,
    release: String,
}

impl Version {
    fn new(home: PathBuf, number: &str, vendor: &str, runtime: Option<&str>) -> Option<Self> {
        let mut parts = number.split(['.', '-', '+', '_']);
        let major = match parts.next()?.parse().ok()? {
            1 => parts.next()?.parse().ok()?, // 1.8 is 8
            major => major,
        };
        let release = format!("{vendor} {}", runtime.unwrap_or(number))
            .trim()
            .to_string();
        Some(Self {
            home,
            number: number.to_string(),
            major,
            release,
        })
    }

    /// The reason this JDK is unsuitable, if any.
    fn verdict(&self) -> Option<&'static str> {
        match self.major {
            17 | 21 => None,
            ..17 => Some("too old"),
            18..24 => Some("between the two, Cassandra is not tested on it"),
            24.. => Some("too new, Cassandra 5.0 does not start on 24 and newer"),
        }
    }

    fn into_jdk(self, java: PathBuf) -> Jdk {
        Jdk {
            home: self.home,
            java,
            major: self.major,
            release: self.release,
        }
    }
}

/// Runs a short Java program with `input` as its standard input. Returns its output, or the reason it failed.
pub async fn run(command: std::process::Command, input: &[u8]) -> Result<String, String> {
    let mut command = Command::from(command);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let run = async {
        let mut child = command.spawn()?;
        // Closed after it was written, which ends the input.
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input).await?;
        }
        child.wait_with_output().await
    };
    match timeout(RUN_LIMIT, run).await {
        Ok(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Ok(output)) => Err(output.status.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("not done after {} s", RUN_LIMIT.as_secs())),
    }
}

/// Reads the version from the file `release` of the JDK, or else runs `java`. `None` if it is not Java or does not
/// respond.
async fn version_of(java: &Path) -> Option<Version> {
    let home = java.parent()?.parent()?;
    if let Ok(release) = tokio::fs::read_to_string(home.join("release")).await
        && let Some(version) = from_release_file(home, &release)
    {
        return Some(version);
    }
    let mut command = Command::new(java);
    command
        .args(["-XshowSettings:properties", "-version"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(ASK_LIMIT, command.output()).await.ok()?.ok()?;
    from_properties(home, &String::from_utf8_lossy(&output.stderr))
}

/// Parses `JAVA_VERSION="17.0.15"` and the related properties.
fn from_release_file(home: &Path, text: &str) -> Option<Version> {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| value.trim().trim_matches('"'))
    };
    let vendor = value("IMPLEMENTOR").unwrap_or_default();
    Version::new(
        home.to_path_buf(),
        value("JAVA_VERSION")?,
        vendor,
        value("JAVA_RUNTIME_VERSION"),
    )
}

/// Parses `    java.version = 17.0.15` and the related properties. Uses `java.home`, because `java` may be a launcher.
fn from_properties(home: &Path, text: &str) -> Option<Version> {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| {
                line.trim_start()
                    .strip_prefix(name)?
                    .trim_start()
                    .strip_prefix('=')
            })
            .map(str::trim)
    };
    let home = value("java.home").map_or_else(|| home.to_path_buf(), PathBuf::from);
    let vendor = value("java.vendor").unwrap_or_default();
    Version::new(
        home,
        value("java.version")?,
        vendor,
        value("java.runtime.version"),
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use tempfile::TempDir;

    use super::*;

    /// Creates a folder that looks like a JDK of that version. Its `java` prints nothing.
    fn jdk(root: &Path, name: &str, version: &str) -> PathBuf {
        let home = root.join(name);
        fs::create_dir_all(home.join("bin")).unwrap();
        fs::copy("/bin/true", home.join("bin/java")).unwrap();
        let release = format!(
            "IMPLEMENTOR=\"Maker\"\nJAVA_VERSION=\"{version}\"\nJAVA_RUNTIME_VERSION=\"{version}+7\"\n"
        );
        fs::write(home.join("release"), release).unwrap();
        home
    }

    fn folder() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        (folder, root)
    }

    #[tokio::test]
    async fn java_home_comes_first() {
        let (_folder, root) = folder();
        jdk(&root, "a17", "17.0.15");
        let home = jdk(&root, "z21", "21.0.8");
        let search = Search {
            java_home: Some(home.clone()),
            path: vec![],
            folders: vec![(root, "")],
        };
        let found = find(&search).await.unwrap();
        assert_eq!((found.major, &found.home), (21, &home));
        assert_eq!(found.java, home.join("bin/java"));
        assert_eq!(found.release, "Maker 21.0.8+7");
    }

    #[tokio::test]
    async fn a_wrong_java_home_does_not_hide_a_fitting_jdk() {
        let (_folder, root) = folder();
        let wrong = jdk(&root, "home", "25.0.3");
        let on_path = jdk(&root, "path", "11.0.2");
        let fitting = jdk(&root.join("Machines"), "17.jdk/Contents/Home", "17.0.1");
        let search = Search {
            java_home: Some(wrong),
            path: vec![on_path.join("bin")],
            folders: vec![
                (root.join("missing"), ""),
                (root.join("Machines"), "Contents/Home"),
            ],
        };
        assert_eq!(find(&search).await.unwrap().home, fitting);
    }

    #[tokio::test]
    async fn java_on_the_path_is_followed_to_its_jdk() {
        let (_folder, root) = folder();
        let home = jdk(&root, "jdk", "17");
        fs::create_dir(root.join("bin")).unwrap();
        symlink(home.join("bin/java"), root.join("bin/java")).unwrap();
        let search = Search {
            path: vec![root.join("bin")],
            ..Search::default()
        };
        assert_eq!(find(&search).await.unwrap().home, home);
    }

    #[tokio::test]
    async fn each_unfit_one_is_named_with_its_reason() {
        let (_folder, root) = folder();
        for (name, version) in [("a", "1.8.0_392"), ("b", "19.0.2"), ("c", "24-ea")] {
            jdk(&root, name, version);
        }
        symlink(root.join("a"), root.join("link")).unwrap();
        let search = Search {
            folders: vec![(root.clone(), "")],
            ..Search::default()
        };
        let message = find(&search).await.unwrap_err().to_string();
        assert!(
            message.contains(&format!(
                "  1.8.0_392 at {}: too old\n",
                root.join("a").display()
            )),
            "{message}"
        );
        assert!(
            message.contains("19.0.2 at") && message.contains("not tested"),
            "{message}"
        );
        assert!(
            message.contains("24-ea at") && message.contains("too new"),
            "{message}"
        );
        assert!(message.contains("Install a JDK 17 or 21"), "{message}");
        assert_eq!(message.matches("1.8.0_392").count(), 1, "{message}");
    }

    #[tokio::test]
    async fn no_java_at_all_says_where_it_looked() {
        let (_folder, root) = folder();
        let silent = jdk(&root, "silent", "17"); // no release file, and says nothing when run
        fs::remove_file(silent.join("release")).unwrap();
        fs::create_dir_all(root.join("empty")).unwrap();
        let search = Search {
            java_home: Some(root.join("gone")),
            path: vec![],
            folders: vec![(root.clone(), "")],
        };
        let message = find(&search).await.unwrap_err().to_string();
        assert!(
            message.starts_with("No Java found. Looked at JAVA_HOME ("),
            "{message}"
        );
        assert!(message.contains(&root.display().to_string()), "{message}");
    }

    #[test]
    fn reads_what_a_running_java_prints() {
        let said = "Property settings:\n    java.home = /jdk\n    java.runtime.version = 17.0.9+9\n    java.vendor = Maker\n    \
                    java.vendor.url = https://example.org\n    java.version = 17.0.9\n    java.version.date = 2023-10-17\n";
        let version = from_properties(Path::new("/usr"), said).unwrap();
        assert_eq!(version.home, Path::new("/jdk"));
        assert_eq!(
            (version.major, version.release.as_str()),
            (17, "Maker 17.0.9+9")
        );
        assert_eq!(
            from_properties(Path::new("/usr"), "The operation couldn't be completed."),
            None
        );
    }
}
