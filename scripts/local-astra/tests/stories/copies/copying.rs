//! `scripts/copy-sample`: its errors and its results.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::astra::{samples, workspace};
use crate::copies::projects;

/// Creates a downloaded archive of the repository: the contents of a clone, without git and build results.
fn archive(folder: &Path) -> PathBuf {
    let root = folder.join("samples of Astra");
    std::fs::create_dir_all(&root).unwrap();
    for entry in std::fs::read_dir(workspace()).unwrap() {
        let from = entry.unwrap().path();
        let name = from.file_name().and_then(OsStr::to_str).unwrap();
        if [".env", ".git", "issues", "target"].contains(&name) {
            continue;
        }
        let copied = Command::new("cp").arg("-R").arg(&from).arg(&root).status();
        assert!(copied.unwrap().success(), "{name}");
    }
    root
}

pub fn copy_sample(root: &Path, from: &Path, arguments: &[&str]) -> Output {
    script(root)
        .args(arguments)
        .current_dir(from)
        .output()
        .unwrap()
}

/// Returns the script of a clone or archive. It builds the list of settings, for which archives share a folder.
fn script(root: &Path) -> Command {
    let mut script = Command::new(root.join("scripts/copy-sample"));
    if *root != workspace() {
        script.env("CARGO_TARGET_DIR", workspace().join("target/archives"));
    }
    script
}

/// Asserts that the program reported one error, and returns the message.
fn refused(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(said.starts_with("copy-sample: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// Asserts that the program succeeded, and returns its output.
pub fn copied(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns the relative paths of all files below a folder.
pub fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder).unwrap();
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn an_unknown_sample_is_refused_and_all_are_named() {
    let here = tempfile::tempdir().unwrap();
    let outside = here.path();
    let all: String = {
        let mut names: Vec<&str> = samples()
            .iter()
            .map(|sample| sample.folder.file_name())
            .map(|n| n.and_then(OsStr::to_str).unwrap())
            .collect();
        names.sort();
        names.iter().map(|name| format!(" {name}")).collect()
    };
    for arguments in [
        &[][..],
        &["rest"],
        &["rest", "app", "more"],
        &["--help"],
        &["cobol", "app"],
        &["", "app"],
        &["-sample", "app"],
        &[".", "app"],
        &["..", "app"],
        &["../samples/rest", "app"],
        &["rest/", "app"],
        &["rest/src", "app"],
        &["r*", "app"],
    ] {
        let said = refused(&copy_sample(&workspace(), outside, arguments));
        assert!(
            said.ends_with(&format!(":{all}\n")),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(files(outside), BTreeSet::new());
}

#[test]
fn a_folder_that_is_no_empty_one_outside_is_refused() {
    let here = tempfile::tempdir().unwrap();
    let root = archive(here.path());
    let clone = here.path().join("linked");
    symlink(&root, &clone).unwrap();
    let link = here.path().join("link");
    symlink(root.join("samples"), &link).unwrap();
    symlink("nowhere", here.path().join("dangling")).unwrap();
    std::fs::create_dir_all(here.path().join("full/of things")).unwrap();
    std::fs::create_dir(here.path().join("hidden")).unwrap();
    std::fs::write(here.path().join("hidden/.env"), "").unwrap();
    std::fs::write(here.path().join("file"), "").unwrap();
    std::fs::create_dir(root.join("empty")).unwrap();
    let inside = root.join("new/folder").display().to_string();
    let before = files(here.path());

    for (target, why) in [
        ("", "no name"),
        ("full", "full is not empty"),
        ("full/", "full/ is not empty"),
        ("hidden", "hidden is not empty"),
        (".", ". is not empty"),
        ("file", "file is a file"),
        ("file/app", "cannot create file/app"),
        ("dangling", "cannot create dangling"),
        (inside.as_str(), "inside this repository"),
        ("samples of Astra/app", "inside this repository"),
        ("samples of Astra/empty", "inside this repository"),
        ("linked/app", "inside this repository"),
        ("link/app", "inside this repository"),
        ("full/../link/app", "inside this repository"),
    ] {
        for root in [&root, &clone] {
            let output = copy_sample(root, here.path(), &["rest", target]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{target}: {output:?}");
            assert!(said.contains(why), "{target}: {said}");
        }
    }
    assert_eq!(files(here.path()), before);
    assert!(root.join("empty").is_dir() && !root.join("new").exists());
    assert!(!here.path().join("full/app").exists());
}

#[test]
fn any_folder_will_do_from_anywhere() {
    let here = tempfile::tempdir().unwrap();
    let root = archive(here.path());
    let clone = here.path().join("linked");
    symlink(&root, &clone).unwrap();
    std::fs::create_dir(here.path().join("there, empty")).unwrap();

    for (root, target, name) in [
        (&root, "app", "app"),
        (&root, "there, empty", "there-empty"),
        (&clone, "made/on the/way", "way"),
        (&root, "trailing/", "trailing"),
        (&root, "-p", "p"),
        (&root, "--", "rest-sample"),
        (&root, "2nd try", "app-2nd-try"),
        (&root, "test", "test-app"),
        (&root, "shared", "shared-app"),
        (&root, "async", "async-app"),
        (&root, "été à Åland", "t-land"),
        (&root, "日本", "rest-sample"),
        (&root, "_", "rest-sample"),
        (&root, "a'b\"c$(d)`e`\\f&g#h", "a-b-c-d-e-f-g-h"),
        (&root, "serde", "serde"),
        (&root, "rest-sample", "rest-sample"),
        (&root, "My.App", "My-App"),
    ] {
        let said = copied(&copy_sample(root, here.path(), &["rest", target]));
        let folder = here.path().join(target);
        let told = format!(
            "rest-sample is in {}, as package {name}.\n",
            folder.canonicalize().unwrap().display()
        );
        assert!(said.starts_with(&told), "{target}: {said}");
        // Cargo itself says whether the name, the manifest and the lock file hold.
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--offline", "--depth", "0"])
            .current_dir(&folder)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{target}: {errors}");
        let tree = String::from_utf8_lossy(&output.stdout);
        assert!(
            tree.starts_with(&format!("{name} v0.1.0 ")),
            "{target}: {tree}"
        );
    }

    // The current folder itself.
    let empty = here.path().join("current");
    std::fs::create_dir(&empty).unwrap();
    let said = copied(&copy_sample(&clone, &empty, &["cql-sample", "."]));
    assert!(said.contains("as package current."), "{said}");
}

#[test]
fn neither_git_nor_a_way_to_the_registry_is_needed() {
    let here = tempfile::tempdir().unwrap();
    let root = archive(here.path());
    let tools = here.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    let bin = |tool: &str| -> Option<PathBuf> {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join(tool))
            .find(|path| path.is_file())
    };
    // Cargo needs the compiler and the linker to list the settings.
    for tool in "bash basename cat cp dirname grep ls mkdir rm sed tr cc as ld".split(' ') {
        symlink(bin(tool).unwrap(), tools.join(tool)).unwrap();
    }
    let awk = bin("awk").unwrap().canonicalize().unwrap();
    symlink(awk, tools.join("awk")).unwrap();
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    symlink(rustc, tools.join("rustc")).unwrap();
    let copy = |target: &str, tools: &Path| {
        script(&root)
            .args(["grpc", target])
            .env("PATH", tools)
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .current_dir(here.path())
            .output()
            .unwrap()
    };
    let said = refused(&copy("without cargo", &tools));
    assert!(said.contains("cargo is not installed"), "{said}");
    assert!(!here.path().join("without cargo").exists());

    let cargo = tools.join("cargo");
    symlink(env!("CARGO"), &cargo).unwrap();
    let said = copied(&copy("app", &tools));
    assert!(said.contains("grpc-sample is in "), "{said}");
    locked_as_here(&here.path().join("app"));

    // A cargo that finds no index: the copy exists all the same.
    let replace = |text: &str| {
        std::fs::remove_file(&cargo).unwrap();
        std::fs::write(&cargo, text).unwrap();
        std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).unwrap();
    };
    let real = env!("CARGO");
    replace(&format!(
        "#!/bin/sh\n[ \"$1\" != update ] && exec '{real}' \"$@\"\n"
    ));
    let output = copy("no index", &tools);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("Cargo.lock is not yet cut"), "{said}");
    let lock = read(here.path().join("no index/Cargo.lock"));
    assert_eq!(lock, read(root.join("Cargo.lock")));

    // A cargo that builds nothing: nothing is created.
    replace("#!/bin/sh\necho 'no space left' >&2; exit 101\n");
    let output = copy("no build", &tools);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = "no space left\ncopy-sample: cargo cannot list the settings of grpc-sample\n";
    assert_eq!(said, expected);
    assert!(!here.path().join("no build").exists());
}

/// Returns the packages of a lock file, with their versions and sources.
fn locked(folder: &Path) -> BTreeSet<String> {
    let text = read(folder.join("Cargo.lock"));
    let packages = text.split("[[package]]\n").skip(1);
    let from_registry = packages.filter(|package| package.contains("\nsource = "));
    let pinned = |package: &str| package.lines().take(3).collect::<Vec<_>>().join(", ");
    from_registry.map(pinned).collect()
}

pub fn locked_as_here(folder: &Path) {
    let (theirs, ours) = (locked(folder), locked(&workspace()));
    assert!(theirs.len() > 20, "{theirs:?}");
    let other: Vec<_> = theirs.difference(&ours).collect();
    assert!(other.is_empty(), "{other:?}");
    assert!(theirs.len() < ours.len());
}

/// Returns the names in a `.env` or `.env.example`.
fn names(text: &str) -> BTreeSet<&str> {
    let set = text.lines().filter(|line| !line.starts_with('#'));
    set.filter_map(|line| Some(line.split_once('=')?.0))
        .collect()
}

#[test]
fn a_copy_has_what_it_needs_and_no_more() {
    let here = tempfile::tempdir().unwrap();
    let root = archive(here.path());
    for sample in samples() {
        let name = sample.folder.file_name().and_then(OsStr::to_str).unwrap();
        // What its user, and a build there, may have left.
        let original = root.join("samples").join(name);
        std::fs::create_dir_all(original.join("target/debug")).unwrap();
        for left in ["target/debug/x", ".env", "secure-connect-local.zip"] {
            std::fs::write(original.join(left), "secret").unwrap();
        }
        let folder = here.path().join(format!("my {name}"));
        let output = copy_sample(&root, &original, &[name, folder.to_str().unwrap()]);
        let said = copied(&output);

        let pulsar = sample.name == "pulsar-client-sample";
        let mut expected = files(&sample.folder);
        expected.retain(|file| file != ".env" && !file.starts_with("target/"));
        let added = [".env.example", ".gitignore", "Cargo.lock", "LICENSE"];
        expected.extend(added.map(str::to_owned));
        let with = |part: &str| format!("shared/{part}");
        expected.extend(
            files(&workspace().join("shared/src"))
                .iter()
                .map(|f| with(&format!("src/{f}"))),
        );
        expected.insert(with("Cargo.toml"));
        let connector = "shared/secure-connect";
        if read(sample.folder.join("Cargo.toml")).contains(connector) {
            let files = files(&workspace().join(connector))
                .into_iter()
                .filter(|file| !file.starts_with("target/"));
            expected.extend(files.map(|file| format!("{connector}/{file}")));
        }
        if pulsar {
            let files = files(&workspace().join("scripts/prost-build-stand-in"));
            expected.extend(
                files
                    .iter()
                    .map(|file| format!("prost-build-stand-in/{file}")),
            );
        }
        assert_eq!(files(&folder), expected, "{name}");
        locked_as_here(&folder);

        let manifest = read(folder.join("Cargo.toml"));
        assert!(
            manifest.contains(&format!("\nname = \"my-{name}\"\n")),
            "{manifest}"
        );
        assert!(manifest.contains("\n[workspace]\n"), "{manifest}");
        assert!(
            manifest.contains("\nshared = { path = \"shared\" }\n"),
            "{manifest}"
        );
        assert_eq!(
            manifest.contains("\nprost-build = { path = \"prost-build-stand-in\" }"),
            pulsar
        );
        assert!(!manifest.contains("../"), "{manifest}");

        let example = read(folder.join(".env.example"));
        let settings: BTreeSet<&str> = sample.settings.iter().copied().collect();
        assert_eq!(names(&example), settings, "{name}");
        assert!(!example.contains("#   for: "), "{example}");

        let page = read(folder.join("README.md"));
        assert!(!page.contains("](../"), "{name}: a link out of the folder");
        assert!(
            !page.contains("cargo run -p"),
            "{name}: a package of the clone"
        );
        assert!(
            !page.contains("copy-sample"),
            "{name}: a script of the clone"
        );
        let streaming = |name: &&str| name.starts_with("ASTRA_STREAMING_");
        let up = if settings.iter().any(streaming) {
            "cargo local up --pulsar"
        } else {
            "cargo local up"
        };
        let lines =
            format!("\n(cd \"$clone\" && {up})\n(cd \"$clone\" && cargo local env) > .env\n");
        assert!(page.contains(&lines), "{page}");
        let program = read(folder.join("src/main.rs"));
        for command in ["cargo run -p", "cargo local run"] {
            assert!(!program.contains(command), "{name}: {command}");
        }
        let env = format!("{up} && cargo local env > \"{}/.env\"\n", folder.display());
        assert!(said.contains(&env), "{said}");
    }
}

#[test]
fn the_first_commit_is_offered_and_holds_no_secret() {
    let here = tempfile::tempdir().unwrap();
    let folder = here.path().join("my app");
    let target = folder.to_str().unwrap();
    let said = copied(&copy_sample(&workspace(), here.path(), &["rest", target]));
    assert!(!folder.join(".git").exists());
    std::fs::write(folder.join(".env"), "ASTRA_DB_APPLICATION_TOKEN=secret\n").unwrap();
    std::fs::create_dir(folder.join("target")).unwrap();
    std::fs::write(folder.join("target/x"), "").unwrap();

    let offered = said.lines().last().unwrap();
    assert!(offered.contains("git init"), "{said}");
    let sh = |command: &str| {
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(&folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "test")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "test@localhost")))
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    sh(offered);
    let committed: BTreeSet<String> = sh("git ls-files").lines().map(str::to_owned).collect();
    let mut all = files(&folder);
    all.retain(|file| !file.starts_with(".git/") && !file.starts_with("target/") && file != ".env");
    assert_eq!(committed, all);
    assert_eq!(sh("git status --porcelain"), "");
}

#[test]
fn each_copy_tells_the_story_of_its_original() {
    let (_kept, outside) = projects::outside();
    for sample in samples() {
        let name = sample.folder.file_name().and_then(OsStr::to_str).unwrap();
        let folder = format!("my {name}");
        copied(&copy_sample(&workspace(), &outside, &[name, &folder]));
        projects::tells_the_story_of(sample, &outside.join(folder), &["--locked"]);
    }
}
