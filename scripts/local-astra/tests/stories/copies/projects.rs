//! Projects of readers, outside the workspace: built and run as a reader does it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::astra::{Ended, LocalAstra, Running, Sample, local_astra, workspace};
use crate::samples::{story, told};

/// Limit for a build with a run on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(600);

/// Returns a command that runs a program in a folder, without settings.
pub fn command(program: &str, folder: &Path, sample: &Sample) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for setting in shared::ALL {
        command.env_remove(setting.name);
    }
    // In the workspace's target folder only what is the project's own is left to compile.
    let target = sample.program.ancestors().nth(2).unwrap();
    command.env("CARGO_TARGET_DIR", target);
    command.env("CARGO_TERM_COLOR", "never");
    command
}

/// Returns a command that runs cargo in a project created from a sample.
pub fn cargo(what: &[&str], folder: &Path, sample: &Sample) -> Command {
    let mut cargo = command(env!("CARGO"), folder, sample);
    cargo.args(what).arg("--quiet");
    // Cargo would take a `shared` in a project for the workspace's own, and the other way round: both have the same
    // name, version and path from the root. With another profile they have other file names.
    let mut own = vec!["shared"];
    match sample.name.as_str() {
        "cql-sample" => own.push("astra-secure-connect"),
        "pulsar-client-sample" => own.push("prost-build@0.13.99"),
        _ => {}
    }
    cargo.arg("--config").arg(profile());
    for package in own {
        let profile = format!("profile.dev.package.\"{package}\".codegen-units=17");
        cargo.args(["--config", &profile]);
    }
    cargo
}

/// Returns the workspace's profile as a configuration: with it, the registry's crates are those that the workspace has
/// compiled.
fn profile() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
        let profile = manifest.find("[profile.dev]").unwrap();
        let profile = manifest[profile..].split("\n[patch").next().unwrap();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profile.toml");
        std::fs::write(&file, profile).unwrap();
        file
    })
}

/// Returns the output of `cargo local env`, with a keyspace of this test.
fn dotenv(astra: &LocalAstra, sample: &Sample, keyspace: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_local-astra"))
        .arg("--data")
        .arg(&astra.folders.data)
        .arg("env")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let first = "ASTRA_DB_GRAPHQL_FIRST_KEYSPACE";
    for line in &mut lines {
        let (name, value) = line.split_once('=').unwrap_or_default();
        *line = match name {
            "ASTRA_DB_GRAPHQL_URL" => {
                let (base, _) = value.rsplit_once('/').unwrap();
                format!("{name}={base}/{keyspace}")
            }
            "ASTRA_DB_KEYSPACE" if !sample.reads(first) => format!("{name}={keyspace}"),
            _ if name == first => format!("{name}={keyspace}"),
            _ => continue,
        };
    }
    lines.join("\n") + "\n"
}

/// Removes the parts of an output that are new in each run: numbers, and the ids of documents and schemas.
fn normal(story: &str) -> String {
    let id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let words = story.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut normal = String::new();
    for word in words {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if id(bare) {
            normal.push_str("ID");
            normal.push_str(&word[bare.len()..]);
        } else {
            let mut last = ' ';
            for c in word.chars() {
                let c = if c.is_ascii_digit() { '#' } else { c };
                if c != '#' || last != '#' {
                    normal.push(c);
                }
                last = c;
            }
        }
    }
    normal
}

/// Keeps only the beginnings of the lines of the control plane's samples, because other tests change their lists.
fn without_lists(story: &str) -> String {
    let lines = story.lines();
    let beginnings = lines.map(|line| line.split(": ").next().unwrap_or_default());
    beginnings.collect::<Vec<_>>().join("\n")
}

/// Returns a `.env` for a sample, and the keyspace in it; empty if the sample uses none.
pub fn settings(sample: &Sample) -> (String, String) {
    let astra = local_astra();
    if sample
        .settings
        .iter()
        .any(|name| name.starts_with("ASTRA_STREAMING_"))
    {
        astra.with_pulsar();
    }
    let keyspace = if sample.has_keyspace() {
        astra.keyspace()
    } else {
        String::new()
    };
    (dotenv(astra, sample, &keyspace), keyspace)
}

/// Builds the project in a folder, runs it against local Astra with a `.env`, and compares its output with that of the
/// sample it was created from.
pub fn tells_the_story_of(sample: &Sample, folder: &Path, flags: &[&str]) {
    let built = cargo(&["build"], folder, sample)
        .args(flags)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{}: {said}", sample.name);
    assert_eq!(said, "", "{}", sample.name);
    let (settings, keyspace) = settings(sample);
    std::fs::write(folder.join(".env"), settings).unwrap();
    same_story(sample, folder, &keyspace, None);
}

/// Runs the built program of a folder, and the sample, with the existing `.env`, and compares their output. The project
/// may have run before, with the output `first`.
pub fn same_story(sample: &Sample, folder: &Path, keyspace: &str, mut first: Option<String>) {
    // What other tests make or drop in between is listed by only one of the two: then both tell again.
    for last in [false, false, true] {
        let ours = match first.take() {
            Some(out) => Ended {
                code: Some(0),
                out,
                err: String::new(),
            },
            None => Running::start(&mut cargo(&["run"], folder, sample)).end_within(LIMIT),
        };
        let original = sample.run_in(folder);
        for ended in [&original, &ours] {
            told(ended, story(&sample.name));
        }
        if !keyspace.is_empty() {
            assert_eq!(local_astra().left_in(keyspace), [""; 0], "{ours:#?}");
        }
        let comparable = |out: &str| {
            if sample.name.starts_with("devops-") {
                normal(&without_lists(out))
            } else {
                normal(out)
            }
        };
        let (theirs, ours) = (comparable(&original.out), comparable(&ours.out));
        if last || theirs == ours {
            assert_eq!(ours, theirs, "{}", sample.name);
            break;
        }
    }
    forget(sample, folder);
}

/// Removes the program from the workspace's target folder, in which every program would remain.
fn forget(sample: &Sample, folder: &Path) {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let name = manifest
        .split("name = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let package = name.unwrap();
    let cleaned = cargo(&["clean", "--package", package], folder, sample)
        .output()
        .unwrap();
    assert!(cleaned.status.success(), "{cleaned:?}");
}

#[test]
fn only_what_a_run_has_anew_is_left_out_of_the_comparison() {
    let story = "1. Posted Ada: the id is d1a971b8-0390-4bd7-beed-2c0d26dd54c3, 12 bytes.\nleft-pad x_12_3 as 10:0\n";
    assert_eq!(
        normal(story),
        "#. Posted Ada: the id is ID, # bytes.\nleft-pad x_#_# as #:#\n"
    );
}

/// Creates a folder for projects that is not below the workspace. It is removed at the end of the test.
pub fn outside() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    assert!(!path.starts_with(crate::astra::workspace()));
    (folder, path)
}
