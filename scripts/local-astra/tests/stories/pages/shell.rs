//! The commands on the pages succeed when they are pasted.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::normal::normal;
use super::output::everything;
use super::run::finish;
use super::{Block, Page, pages};
use crate::astra::{
    LocalAstra, Sample, block_on, local_astra, samples, turn_in_samples, workspace,
};
use crate::samples::devops_samples::{database, terminate};
use crate::stand_in::devops::Api;

/// Limit for a block, while other tests hold cargo's locks.
const LIMIT: Duration = Duration::from_secs(600);

/// Blocks that are not run here, by the start of a line, with the reason.
const NOT_PASTED: [(&str, &str); 14] = [
    ("REFRESH_PAGES=1 ", "it runs this test"),
    ("astra ", "needs an Astra account, and the Astra CLI"),
    (
        "cql-proxy ",
        "needs a bundle of Astra, and DataStax's cql-proxy",
    ),
    (
        "grpcurl ",
        "needs grpcurl; a table is dropped over gRPC by grpc.rs",
    ),
    (
        "export CASSANDRA_CONTACT_POINTS=",
        "needs a Cassandra on its usual port; cql.rs does it with another port",
    ),
    (
        "for of in ",
        "asks Astra's address; schemas.rs asks local Astra's, and compares the files",
    ),
    ("clone=", "setup_project.rs pastes it in an empty folder"),
    (
        "(cd \"$clone\"",
        "setup_project.rs pastes it after the block before",
    ),
    ("cargo add ", "for a program of the reader's own"),
    (
        "curl -H 'Content-Type: application/json' http://localhost:8081/v1/auth",
        "needs a Stargate of the reader's own",
    ),
    ("cargo test --workspace", "it runs this test"),
    (".ci/run", "it runs this test"),
    (
        "scripts/interop/run",
        "takes minutes, and tools that the tests do not need; .ci/run has it as a part",
    ),
    (
        "cargo local --data /tmp/mine ",
        "starts another Cassandra; lifecycle.rs does, in a folder of its own",
    ),
];

/// Blocks that are not run here, by a text anywhere in a line.
const NOT_PASTED_EITHER: [(&str, &str); 2] = [
    ("mine-sample", "a sample that the reader is about to write"),
    (
        "--create-",
        "changes what other tests use; devops_samples.rs runs the flags",
    ),
];

fn not_pasted(block: &Block) -> Option<&'static str> {
    if block.code.trim() == "cargo run" {
        return Some("setup_project.rs runs it, in the project that the page makes");
    }
    let has = |begin: &str| block.code.lines().any(|line| line.starts_with(begin));
    let first = NOT_PASTED.iter().find(|(begin, _)| has(begin));
    let parts = NOT_PASTED_EITHER.iter();
    let other = || parts.clone().find(|(part, _)| block.code.contains(part));
    first.or_else(other).map(|(_, why)| *why)
}

fn quoted(word: &Path) -> String {
    format!("'{}'", word.display().to_string().replace('\'', "'\\''"))
}

/// A reader's machine: a home folder, a clone without the developer's `.env`, and a `cargo` that uses this repository,
/// whose `cargo local` is the local Astra of the tests.
struct Reader {
    folder: tempfile::TempDir,
    clone: PathBuf,
}

impl Reader {
    fn new(astra: &LocalAstra) -> Reader {
        let folder = tempfile::tempdir().unwrap();
        let clone = folder.path().join("clone");
        std::fs::create_dir(&clone).unwrap();
        for entry in std::fs::read_dir(workspace()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if ![".env", ".git", "target"].contains(&name.to_str().unwrap()) {
                symlink(&path, clone.join(name)).unwrap();
            }
        }
        let tools = folder.path().join("tools");
        std::fs::create_dir(&tools).unwrap();
        let alias = std::fs::read_to_string(workspace().join(".cargo/config.toml")).unwrap();
        assert!(
            alias.contains("local = \"run --package local-astra --\""),
            "{alias}"
        );
        let cargo = quoted(env!("CARGO").as_ref());
        let script = format!(
            "#!/bin/sh\n\
             case $1 in\n\
             local) shift; exec {} --data {} \"$@\" ;;\n\
             run) shift; exec {cargo} run --quiet --manifest-path {} \"$@\" ;;\n\
             *) exec {cargo} \"$@\" ;;\n\
             esac\n",
            quoted(env!("CARGO_BIN_EXE_local-astra").as_ref()),
            quoted(&astra.folders.data),
            quoted(&workspace().join("Cargo.toml")),
        );
        let program = tools.join("cargo");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let reader = Reader { folder, clone };
        reader.paste("cargo local env > .env\n").unwrap();
        reader
    }

    /// Pastes a block; the error is a description of the failure.
    fn paste(&self, code: &str) -> Result<String, String> {
        let home = std::env::var("HOME").unwrap();
        let own = |name: &str, folder: &str| {
            std::env::var(name).unwrap_or_else(|_| format!("{home}/{folder}"))
        };
        let path = std::env::var("PATH").unwrap();
        let mut sh = Command::new("sh");
        sh.args(["-c", &format!("set -e\n{code}")])
            .current_dir(&self.clone)
            .env("HOME", self.folder.path())
            .env("CARGO_HOME", own("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", own("RUSTUP_HOME", ".rustup"))
            .env(
                "PATH",
                format!("{}/tools:{path}", self.folder.path().display()),
            )
            .env("NO_PROXY", "localhost,127.0.0.1")
            .env("no_proxy", "localhost,127.0.0.1");
        for setting in shared::ALL {
            sh.env_remove(setting.name);
        }
        let (code, out) = finish(sh, LIMIT);
        match code {
            Some(0) => Ok(out),
            other => Err(format!("{other:?}: {out}")),
        }
    }

    /// Sets a line of `.env`.
    fn set(&self, name: &str, value: &str) {
        let path = self.clone.join(".env");
        let text = std::fs::read_to_string(&path).unwrap();
        let others = text
            .lines()
            .filter(|line| !line.starts_with(&format!("{name}=")));
        let line = format!("{name}={value}");
        let lines: Vec<&str> = others.chain([line.as_str()]).collect();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
}

/// Resources left by a killed run: their names on the page, and their names in this run.
type Left = Vec<(&'static str, String)>;

/// Creates what a killed run of the sample leaves.
fn leave(astra: &LocalAstra, sample: &Sample, reader: &Reader) -> Left {
    let api = Api::of(astra, &astra.application());
    let post = |path: &str, body: Value| block_on(api.ask(Method::POST, path, Some(body)));
    let cql =
        |text: &str| block_on(async { astra.cql().await.query_unpaged(text, ()).await }).unwrap();
    let table = |name: &str| {
        cql(&format!(
            "CREATE TABLE samples.{name} (title text PRIMARY KEY)"
        ))
    };
    let name = || "rust_sample_left_1".to_owned();
    match sample.name.as_str() {
        "rest-sample" => {
            table(&name());
            vec![("TABLE", name())]
        }
        "document-sample" => {
            let made = post(
                "/api/rest/v2/namespaces/samples/collections",
                json!({ "name": name() }),
            );
            assert_eq!(made.status, 201, "{}", made.body);
            vec![("COLLECTION", name())]
        }
        "data-api-sample" => {
            let command = json!({ "createCollection": { "name": name() } });
            let made = post("/api/json/v1/samples", command);
            assert_eq!(made.body, json!({ "status": { "ok": 1 } }));
            vec![("COLLECTION", name())]
        }
        "data-api-tables-sample" => {
            table(&name());
            vec![("TABLE", name())]
        }
        "graphql-cql-first-sample" => {
            table("rust_sample_books");
            vec![("rust_sample_books", "rust_sample_books".into())]
        }
        "graphql-first-sample" => {
            let keyspace = astra.keyspace();
            reader.set("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE", &keyspace);
            let schema = std::fs::read_to_string(sample.folder.join("src/schema.graphql")).unwrap();
            let deploy = "mutation($keyspace: String!, $schema: String!) \
                { deploySchema(keyspace: $keyspace, schema: $schema) { version } }";
            let variables = json!({ "keyspace": keyspace, "schema": schema });
            let made = post(
                "/api/graphql-admin",
                json!({ "query": deploy, "variables": variables }),
            );
            let version = &made.body["data"]["deploySchema"]["version"];
            vec![("VERSION", version.as_str().unwrap().to_owned())]
        }
        "pulsar-admin-sample" | "pulsar-client-sample" => {
            let settings = astra.with_pulsar().settings("samples");
            let tenant = &settings["ASTRA_STREAMING_NAME"];
            let admin = Api::of(astra, &settings["ASTRA_STREAMING_PULSAR_TOKEN"]);
            let put = |path: String| {
                let made = block_on(admin.ask(Method::PUT, &format!("/admin/v2/{path}"), None));
                assert_eq!(made.status, 204, "{path}");
            };
            if sample.name == "pulsar-client-sample" {
                put(format!("persistent/{tenant}/default/{}", name()));
                return vec![("TOPIC", name())];
            }
            put(format!("namespaces/{tenant}/{}", name()));
            put(format!("persistent/{tenant}/{}/orders", name()));
            vec![("NAMESPACE", name())]
        }
        "devops-database-sample" => {
            let (one, other) = ("rust_sample_left_2", "rust_sample_left_3");
            reader.set("ASTRA_DB_ID", &database(astra, "rust_sample_kept"));
            let id = std::fs::read_to_string(reader.clone.join(".env")).unwrap();
            let id = id
                .lines()
                .find_map(|line| line.strip_prefix("ASTRA_DB_ID="))
                .unwrap();
            let path = format!("/v2/databases/{id}/keyspaces/{one}");
            let made = block_on(api.ask(Method::POST, &path, None));
            assert_eq!(made.status, 201, "{}", made.body);
            block_on(api.wait(id, "ACTIVE"));
            vec![
                ("NAME", one.into()),
                (
                    "databases/ID",
                    format!("databases/{}", database(astra, other)),
                ),
            ]
        }
        "devops-streaming-sample" => {
            let tenant = "rust-sample-left-1";
            let body = json!({"tenantName": tenant, "cloudProvider": "aws", "cloudRegion": "useast1",
                "userEmail": "you@localhost"});
            let made = post("/v2/streaming/tenants", body);
            assert_eq!(made.status, 200, "{tenant}");
            let cluster = made.body["clusterName"].as_str().unwrap().to_owned();
            vec![("TENANT", tenant.into()), ("CLUSTER", cluster)]
        }
        "devops-organization-sample" => {
            let organization = "drn:astra:org:10ca1a57-7a00-4000-8000-00000000000a";
            let policy = json!({"description": "nothing", "effect": "allow",
                "resources": [organization], "actions": ["org-db-view"]});
            let role = post(
                "/v2/organizations/roles",
                json!({ "name": name(), "policy": policy }),
            );
            assert_eq!(role.status, 201, "{}", role.body);
            let role = role.body["ID"].as_str().unwrap().to_owned();
            let token = post("/v2/clientIdSecrets", json!({ "roles": [role] }));
            let client = token.body["clientId"].as_str().unwrap().to_owned();
            vec![("CLIENT_ID", client), ("roles/ID", format!("roles/{role}"))]
        }
        other => panic!("say what a killed run of {other} leaves, or why its block is not pasted"),
    }
}

/// Pastes a block of "Clean up" with existing leftovers, which are then gone. The page shows the output below.
fn clean_up(
    astra: &LocalAstra,
    sample: &Sample,
    reader: &Reader,
    block: &Block,
    shown: Option<&Block>,
) -> Result<(), String> {
    reader.paste("cargo local env > .env\n")?;
    let left = leave(astra, sample, reader);
    let mut code = block.code.clone();
    let mut expected = shown.map(|shown| shown.code.clone());
    for (name, value) in &left {
        assert!(code.contains(name), "{}: no {name} in: {code}", sample.name);
        code = code.replace(name, value);
        expected = expected.map(|expected| expected.replace(name, value));
    }
    let before = everything(astra, sample);
    let out = reader.paste(&code)?;
    let as_shown = expected.is_some_and(|expected| normal(&expected) == normal(&out));
    if out.contains("\"errors\"") || !as_shown {
        return Err(format!("not the output on the page: {out}"));
    }
    if sample.name == "devops-database-sample" {
        let text = std::fs::read_to_string(reader.clone.join(".env")).unwrap();
        let kept = text
            .lines()
            .find_map(|line| line.strip_prefix("ASTRA_DB_ID="))
            .unwrap();
        let gone = left[1].1.trim_start_matches("databases/");
        let api = Api::of(astra, &astra.application());
        block_on(api.wait(kept, "ACTIVE"));
        block_on(api.wait(gone, "TERMINATED"));
        terminate(astra, kept);
    }
    let after = everything(astra, sample);
    for (name, value) in &left {
        let value = value.rsplit('/').next().unwrap();
        if sample.name.starts_with("graphql") || *name == "CLUSTER" {
            continue;
        }
        assert!(before.contains(value), "{name} was not there");
        assert!(!after.contains(value), "{name} is left");
    }
    if sample.name == "graphql-cql-first-sample" {
        // The whole name: other samples have tables that begin so.
        let has = |all: &str| all.lines().any(|line| line == "samples.rust_sample_books");
        assert!(has(&before));
        assert!(!has(&after));
    }
    if sample.name == "graphql-first-sample" {
        let text = std::fs::read_to_string(reader.clone.join(".env")).unwrap();
        let keyspace = text
            .lines()
            .find_map(|line| line.strip_prefix("ASTRA_DB_GRAPHQL_FIRST_KEYSPACE="));
        assert_eq!(astra.left_in(keyspace.unwrap()), [""; 0]);
    }
    Ok(())
}

#[test]
fn no_command_fails_when_pasted() {
    let astra = local_astra();
    astra.with_pulsar();
    let _turn = turn_in_samples();
    let reader = Reader::new(astra);
    let mut pasted = 0;
    let mut failed = Vec::new();
    for page in pages() {
        let sample = samples()
            .iter()
            .find(|sample| Page::of(sample).path == page.path);
        let blocks = page.blocks();
        for (number, block) in blocks.iter().enumerate() {
            if block.language != "sh" || not_pasted(block).is_some() {
                continue;
            }
            pasted += 1;
            let done = match sample {
                Some(sample) if block.section == "Clean up" => {
                    let next = blocks.get(number + 1);
                    let shown = next.filter(|next| next.language == "text");
                    clean_up(astra, sample, &reader, block, shown)
                }
                _ => reader.paste(&block.code).map(|_| ()),
            };
            // The next one may have the same name for its project.
            let project = reader.folder.path().join("my-app");
            if project.exists() {
                std::fs::remove_dir_all(project).unwrap();
            }
            if let Err(why) = done {
                let at = format!("{}:{}", page.path.display(), block.line);
                failed.push(format!("{at}:\n{}{why}", block.code));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(pasted > 2 * samples().len(), "{pasted} blocks were pasted");
}

#[test]
fn each_reason_not_to_paste_has_its_block() {
    let blocks: Vec<Block> = pages().iter().flat_map(Page::blocks).collect();
    let shell = || blocks.iter().filter(|block| block.language == "sh");
    for (begin, why) in NOT_PASTED {
        assert!(
            shell().any(|block| block.code.lines().any(|line| line.starts_with(begin))),
            "{begin}: {why}"
        );
    }
    for (part, why) in NOT_PASTED_EITHER {
        assert!(
            shell().any(|block| block.code.contains(part)),
            "{part}: {why}"
        );
    }
}
