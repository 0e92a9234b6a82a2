//! "Setup Project" of each sample's page: its exact lines, pasted in an empty folder beside a clone, and the files on
//! the page.

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::astra::{Running, Sample, samples, workspace};
use crate::copies::copying::{files, locked_as_here, read};
use crate::copies::projects;
use crate::pages::Page;
use crate::pages::code::{whole, written};

/// Name of the clone on the pages.
const CLONE: &str = "astra-samples";
/// Name of the project on the pages.
const PROJECT: &str = "my-app";

/// Returns the blocks of "Setup Project" that create a project in an empty folder, and that run it with local Astra.
fn steps(page: &Page) -> (String, String) {
    let blocks = page.blocks();
    let with = |part: &str| {
        let mut blocks = blocks.iter();
        let found = blocks
            .find(|b| b.section == "Setup Project" && b.code.contains(part))
            .unwrap_or_else(|| panic!("{}: no {part}", page.path.display()));
        found.code.clone()
    };
    (with("cargo new"), with("cargo local env"))
}

/// Folders and files of the clone that a page can copy: crates, and generated files.
const COPIED: [&str; 6] = [
    "shared",
    "prost-build-stand-in",
    "proto",
    "graphql",
    "*.json",
    "Cargo.lock",
];

/// Returns the other files that the block copies.
fn other_copies(make: &str) -> Vec<&str> {
    let lines = make.lines().filter(|line| line.starts_with("cp "));
    let words = lines.flat_map(|line| line.split(' ').filter(|word| word.contains("$clone")));
    let last = |word: &str| word.replace('"', "").rsplit('/').next().unwrap().to_owned();
    words
        .filter(|word| !COPIED.contains(&last(word).as_str()))
        .collect()
}

/// Returns a reader's dependencies as cargo parses the manifest; for a crate of this repository only its name.
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
            // A crate of this repository.
            name if dependency["path"].is_string() => name.into(),
            name => {
                let said = [
                    "req",
                    "kind",
                    "optional",
                    "uses_default_features",
                    "rename",
                    "target",
                ]
                .map(|key| format!("{key} {}", dependency[key]));
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

/// Creates a `cargo` for the reader's shell, whose `cargo local` is the local Astra of the tests.
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
         'local up' | 'local up --pulsar') echo 'local Astra runs' >&2 ;;\n\
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
fn the_page_of_each_sample_makes_it_from_an_empty_folder() {
    let (_kept, outside) = projects::outside();
    let mut failed = Vec::new();
    for sample in samples() {
        let here = outside.join(format!("for {}/an empty folder", sample.name));
        std::fs::create_dir_all(&here).unwrap();
        if let Err(why) = follow(sample, &here) {
            failed.push(format!("{}: {why}", sample.name));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Pastes the lines of a page in an empty folder, writes the files on the page, and runs the result.
fn follow(sample: &Sample, here: &Path) -> Result<(), String> {
    let beside = here.parent().unwrap();
    symlink(workspace(), beside.join(CLONE)).unwrap();
    let tools_folder = beside.join("tools");
    std::fs::create_dir(&tools_folder).unwrap();
    let (settings, keyspace) = projects::settings(sample);
    let dotenv = tools_folder.join("settings");
    std::fs::write(&dotenv, &settings).unwrap();
    tools(&tools_folder, sample, &dotenv);
    let paste = |code: &str| {
        let path = std::env::var("PATH").unwrap();
        let mut shell = projects::command("sh", here, sample);
        shell
            .args(["-e", "-c", code])
            .env("PATH", format!("{}:{path}", tools_folder.display()))
            // The index as it was when the workspace was locked; a reader's cargo asks for the newest.
            .env("CARGO_NET_OFFLINE", "true");
        let ended = Running::start(&mut shell).end_within(projects::LIMIT);
        if ended.code == Some(0) && !ended.err.contains("warning") {
            Ok(ended.out)
        } else {
            Err(format!("{code}\n{ended:#?}"))
        }
    };

    let page = Page::of(sample);
    let (make, run) = steps(&page);
    paste(&make)?;
    let copies = other_copies(&make);
    if !copies.is_empty() {
        return Err(format!("it copies {copies:?}, which the page should show"));
    }
    let project = here.join(PROJECT);
    let written = written(sample);
    for file in &written {
        let (_, block) = whole(&page, file).ok_or(format!("{file} is not shown"))?;
        let path = project.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, block.code).unwrap();
    }
    // The shell of a reader is still in the project, and still knows where the clone is.
    let clone = make.lines().find(|line| line.starts_with("clone="));
    let clone = clone.ok_or("the page does not say where the clone is")?;
    let out = paste(&format!("{clone}\ncd {PROJECT}\n{run}"))?;

    assert_eq!(dependencies(&project), dependencies(&sample.folder));
    let of_sample: BTreeSet<String> = files(&sample.folder)
        .into_iter()
        .filter(|file| !["Cargo.toml", "README.md"].contains(&file.as_str()))
        .collect();
    for file in of_sample {
        assert!(project.join(&file).exists(), "{}: {file}", sample.name);
        assert_eq!(read(project.join(&file)), read(sample.folder.join(&file)));
    }
    locked_as_here(&project);
    let ignored = read(project.join(".gitignore"));
    assert!(ignored.lines().any(|line| line == ".env"), "{ignored}");
    assert_eq!(read(project.join(".env")), settings);
    projects::same_story(sample, &project, &keyspace, Some(out));
    Ok(())
}

#[test]
fn a_sample_beside_shared_needs_one_path_changed() {
    let page = read(workspace().join("README.md")).replace('\n', " ");
    let by_hand = "`shared = { path = \"../shared\" }`";
    assert!(page.contains(by_hand), "{page}");
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
        assert!((1..=2).contains(&differ.count()), "{changed}");
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
