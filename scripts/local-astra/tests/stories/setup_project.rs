//! "Setup Project" of each sample's page: its very lines, pasted in an empty folder beside a clone.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::astra::{Running, Sample, samples, workspace};
use crate::copying::{files, locked_as_here, read};
use crate::projects;

/// What the pages call the clone.
const CLONE: &str = "astra-samples";
/// What the pages call the project.
const PROJECT: &str = "my-app";

/// The shell blocks of a section of the sample's page.
fn blocks(sample: &Sample, section: &str) -> Vec<String> {
    let page = read(sample.folder.join("README.md"));
    let section = page.split(&format!("\n{section}\n")).nth(1).unwrap();
    let section = section.split("\n#").next().unwrap();
    let blocks = section.split("\n```sh\n").skip(1);
    blocks
        .map(|block| block.split("\n```").next().unwrap().to_owned() + "\n")
        .collect()
}

/// The blocks that make a project from an empty folder and run it.
fn steps(sample: &Sample) -> (String, String) {
    let blocks = blocks(sample, "## Setup Project");
    let made = blocks.iter().position(|block| block.contains("cargo new"));
    let made = made.unwrap_or_else(|| panic!("{} makes no project", sample.name));
    (blocks[made].clone(), blocks[made + 1].clone())
}

/// A reader's dependencies as cargo understands the manifest; of those with a path only their names.
fn dependencies(folder: &Path) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let manifest = folder.join("Cargo.toml").display().to_string();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|p| p["manifest_path"] == manifest);
    let mut all: Vec<String> = package.unwrap()["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dependency| match dependency["name"].as_str().unwrap() {
            name @ ("shared" | "astra-secure-connect") => name.into(),
            name => {
                let said = [
                    "req",
                    "kind",
                    "optional",
                    "uses_default_features",
                    "rename",
                    "target",
                ];
                let said = said.map(|key| format!("{key} {}", dependency[key]));
                let mut features: Vec<&str> = dependency["features"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|feature| feature.as_str().unwrap())
                    .collect();
                features.sort_unstable();
                format!("{name}: {}, {features:?}", said.join(", "))
            }
        })
        .collect();
    all.sort();
    all
}

/// A `cargo` for the reader's shell, whose `cargo local` is the local Astra of the tests.
fn tools(folder: &Path, sample: &Sample, settings: &Path) {
    let real = projects::cargo(&["run"], folder, sample);
    let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    let real: Vec<String> = std::iter::once(real.get_program())
        .chain(real.get_args())
        .map(|word| quoted(word.to_str().unwrap()))
        .collect();
    let (cargo, run) = real.split_first().unwrap();
    let script = format!(
        "#!/bin/sh\n\
         case \"$*\" in\n\
         'local env') exec cat {} ;;\n\
         'local up' | 'local up --pulsar') echo 'local Astra runs' ;;\n\
         run) exec {cargo} {} ;;\n\
         *) exec {cargo} \"$@\" ;;\n\
         esac\n",
        quoted(settings.to_str().unwrap()),
        run.join(" "),
    );
    let program = folder.join("cargo");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn the_lines_of_each_page_make_its_sample_from_an_empty_folder() {
    let (_kept, outside) = projects::outside();
    for sample in samples() {
        let name = &sample.name;
        let here = outside.join(format!("for {name}/an empty folder"));
        std::fs::create_dir_all(&here).unwrap();
        symlink(workspace(), here.parent().unwrap().join(CLONE)).unwrap();
        let tools_folder = here.parent().unwrap().join("tools");
        std::fs::create_dir(&tools_folder).unwrap();
        let (settings, keyspace) = projects::settings(sample);
        let dotenv = tools_folder.join("settings");
        std::fs::write(&dotenv, &settings).unwrap();
        tools(&tools_folder, sample, &dotenv);

        let (make, run) = steps(sample);
        let mut shell = projects::command("sh", &here, sample);
        let path = std::env::var("PATH").unwrap();
        shell
            .args(["-e", "-c", &format!("{make}\n{run}")])
            .env("PATH", format!("{}:{path}", tools_folder.display()))
            // The index as it was when the workspace was locked; a reader's cargo asks for the newest.
            .env("CARGO_NET_OFFLINE", "true");
        let first = Running::start(&mut shell).end_within(projects::LIMIT);
        assert_eq!(first.code, Some(0), "{name}: {first:#?}");
        assert!(!first.err.contains("warning"), "{name}: {}", first.err);

        let project = here.join(PROJECT);
        assert_eq!(
            dependencies(&project),
            dependencies(&sample.folder),
            "{name}"
        );
        let written = ["Cargo.toml", "README.md"];
        let theirs = files(&sample.folder)
            .into_iter()
            .filter(|file| !written.contains(&file.as_str()));
        let contents = |folder: &Path, file: &str| (file.to_owned(), read(folder.join(file)));
        let theirs: BTreeMap<_, _> = theirs.map(|file| contents(&sample.folder, &file)).collect();
        let ours: BTreeMap<_, _> = theirs.keys().map(|file| contents(&project, file)).collect();
        assert_eq!(ours, theirs, "{name}");
        locked_as_here(&project);
        let ignored = read(project.join(".gitignore"));
        assert!(ignored.lines().any(|line| line == ".env"), "{ignored}");
        assert_eq!(read(project.join(".env")), settings, "{name}");
        projects::same_story(sample, &project, &keyspace, Some(first.out));
    }
}

#[test]
fn a_sample_beside_shared_needs_one_path_changed() {
    let page = read(workspace().join("README.md"));
    let by_hand = "A folder of `samples` with a copy of `shared` beside it builds when one path in its `Cargo.toml` is changed";
    assert!(page.replace('\n', " ").contains(by_hand), "{page}");
    let (_kept, outside) = projects::outside();
    let copy = |from: &str, to: &Path| {
        let copied = Command::new("cp")
            .arg("-R")
            .arg(workspace().join(from))
            .arg(to)
            .status();
        assert!(copied.unwrap().success());
    };
    copy("shared", &outside);
    for sample in samples() {
        let folder = outside.join(sample.folder.file_name().unwrap());
        copy(sample.folder.to_str().unwrap(), &folder);
        copy("Cargo.lock", &folder);
        let manifest = read(folder.join("Cargo.toml"));
        let changed = manifest.replace("path = \"../../shared", "path = \"../shared");
        let differ = manifest
            .lines()
            .zip(changed.lines())
            .filter(|(a, b)| a != b);
        let paths = 1 + usize::from(sample.name == "cql-sample");
        assert_eq!(differ.count(), paths, "{changed}");
        std::fs::write(folder.join("Cargo.toml"), changed).unwrap();
        assert_eq!(
            dependencies(&folder),
            dependencies(&sample.folder),
            "{}",
            sample.name
        );
    }
    // One built and run stands for all: what differs is in the manifests.
    let rest = samples()
        .iter()
        .find(|sample| sample.name == "rest-sample")
        .unwrap();
    let folder = outside.join("rest");
    // Its name is the workspace's, and so would be its program's.
    let manifest = read(folder.join("Cargo.toml"))
        .replace("name = \"rest-sample\"", "name = \"rest-by-hand\"");
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    projects::tells_the_story_of(rest, &folder, &[]);
}
