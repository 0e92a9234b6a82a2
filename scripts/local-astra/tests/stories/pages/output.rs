//! The output on the pages matches that of a run, and so do the resources that a run leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::normal::{as_alone, normal};
use super::run::finish;
use super::{Block, Page, REFRESH, refreshing};
use crate::astra::{LocalAstra, RUN_LIMIT, Sample, block_on, local_astra, samples};
use crate::samples::devops_samples::{database, terminate};
use crate::samples::header;
use crate::stand_in::devops::Api;

/// Returns true if "Clean up" begins with the resources that a run leaves behind.
fn says_what_is_left(clean_up: &str) -> bool {
    let first = clean_up.trim_start().split("\n\n").next().unwrap();
    first.starts_with("The sample ") && first.contains("and nothing else")
}

/// Runs a sample, and returns its whole output in order.
fn printed(sample: &Sample, flags: &[String], settings: &BTreeMap<String, String>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(&sample.program);
    command
        .args(flags)
        .env_clear()
        .envs(settings)
        .current_dir(folder.path());
    let (code, out) = finish(command, RUN_LIMIT);
    assert_eq!(code, Some(0), "{} {flags:?}: {out}", sample.name);
    out
}

/// Returns everything that a run could leave outside its keyspace, as seen by other clients.
pub fn everything(astra: &LocalAstra, sample: &Sample) -> String {
    let devops = Api::of(astra, &astra.application());
    let mut all = String::new();
    block_on(async {
        let session = astra.cql().await;
        let cql = "SELECT keyspace_name, table_name FROM system_schema.tables";
        let result = session.query_unpaged(cql, ()).await.unwrap();
        for row in result
            .into_rows_result()
            .unwrap()
            .rows::<(String, String)>()
            .unwrap()
        {
            let (keyspace, table) = row.unwrap();
            all.push_str(&format!("{keyspace}.{table}\n"));
        }
        let cql = "SELECT keyspace_name FROM system_schema.keyspaces";
        let result = session.query_unpaged(cql, ()).await.unwrap();
        for row in result
            .into_rows_result()
            .unwrap()
            .rows::<(String,)>()
            .unwrap()
        {
            all.push_str(&format!("{}\n", row.unwrap().0));
        }
        for path in [
            "databases?limit=100",
            "organizations/roles",
            "clientIdSecrets",
        ] {
            let list = devops.get(&format!("/v2/{path}")).await;
            assert_eq!(list.status, 200, "{path}");
            all.push_str(&list.body.to_string());
        }
        if streams(sample) {
            let settings = astra.settings("samples");
            let (tenant, token) = (
                &settings["ASTRA_STREAMING_NAME"],
                &settings["ASTRA_STREAMING_PULSAR_TOKEN"],
            );
            let tenants = devops.get("/v2/streaming/tenants").await;
            assert_eq!(tenants.status, 200);
            all.push_str(&tenants.body.to_string());
            let admin = Api::of(astra, token);
            for path in [
                format!("namespaces/{tenant}"),
                format!("persistent/{tenant}/default"),
            ] {
                let list = admin.get(&format!("/admin/v2/{path}")).await;
                assert_eq!(list.status, 200, "{path}");
                all.push_str(&list.body.to_string());
            }
        }
    });
    all
}

fn streams(sample: &Sample) -> bool {
    sample
        .settings
        .iter()
        .any(|name| name.starts_with("ASTRA_STREAMING_"))
}

/// Returns the names with a time that a run reports as created. Names in its lists may belong to other tests.
fn own_names(out: &str) -> BTreeSet<&str> {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let ours = |word: &&str| word.starts_with("rust_sample_") || word.starts_with("rust-sample-");
    let own = |word: &&str| ours(word) && normal(word).contains("TIME");
    let made = out.lines().filter(|line| line.contains(". Created "));
    made.flat_map(|line| line.split(|c| !name(c)))
        .filter(own)
        .collect()
}

/// Returns the part of an output that begins with the same step as a block.
fn from_step<'a>(out: &'a str, block: &str) -> &'a str {
    let step = block.split_inclusive(". ").next().unwrap();
    let at = if out.starts_with(step) {
        Some(0)
    } else {
        out.find(&format!("\n{step}")).map(|at| at + 1)
    };
    &out[at.unwrap_or_else(|| panic!("no step {step}: {out}"))..]
}

/// Returns the runs on a page: for each block under "Output" the output with the flags in its introduction.
fn runs(astra: &LocalAstra, sample: &Sample, page: &Page) -> Vec<(usize, Block, String)> {
    let blocks = page.blocks().into_iter().enumerate();
    let shown = blocks.filter(|(_, block)| block.section == "Output" && block.language == "text");
    shown
        .map(|(number, block)| {
            let flags: Vec<String> = block
                .introduced_by
                .iter()
                .flat_map(|code| code.split(' '))
                .filter(|word| word.starts_with("--"))
                .map(str::to_owned)
                .collect();
            let out = run(astra, sample, &flags);
            let alone = as_alone(from_step(&out, &block.code), &block.code, refreshing());
            (number, block, alone)
        })
        .collect()
}

/// Runs the sample, checks what it leaves, and returns its output as `cargo local run` shows it.
fn run(astra: &LocalAstra, sample: &Sample, flags: &[String]) -> String {
    let (keyspace, mut settings) = if sample.has_keyspace() {
        let keyspace = astra.keyspace();
        let settings = sample.settings_in(astra, &keyspace);
        (keyspace, settings)
    } else {
        let keyspace = "samples".to_owned();
        let settings = astra.settings(&keyspace);
        (keyspace, settings)
    };
    if sample.has_keyspace() {
        // Somebody else's.
        let theirs = format!("CREATE TYPE {keyspace}.theirs (a int)");
        block_on(async { astra.cql().await.query_unpaged(theirs, ()).await }).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let mut of_its_own = None;
    if sample.name == "devops-database-sample" && !flags.is_empty() {
        // Not the database of the other tests, which would be in MAINTENANCE, nor its bundle.
        let id = database(astra, &keyspace.replace("samples", "pages_database"));
        settings.insert("ASTRA_DB_ID".into(), id.clone());
        let bundle = folder.path().join("secure-connect-local.zip");
        settings.insert(
            "ASTRA_DB_SECURE_BUNDLE_PATH".into(),
            bundle.display().to_string(),
        );
        of_its_own = Some(id);
    }
    let before = everything(astra, sample);
    let mut out = printed(sample, flags, &settings);
    let after = everything(astra, sample);
    for name in own_names(&out) {
        assert!(!after.contains(name), "{name} is left: {out}");
    }
    if sample.has_keyspace() {
        assert_eq!(astra.left_in(&keyspace), ["theirs"], "{out}");
    }
    for named in [
        "local",
        "samples",
        "Database Administrator",
        "rust-samples/default",
    ] {
        assert_eq!(
            before.contains(named),
            after.contains(named),
            "{named} was not its own: {out}"
        );
    }
    if let Some(id) = of_its_own {
        terminate(astra, &id);
    }
    let shown = match sample.name.as_str() {
        "graphql-first-sample" => "samples_graphql_first",
        _ => "samples",
    };
    if sample.has_keyspace() {
        out = out.replace(&keyspace, shown);
    }
    for folder in [folder.path(), &astra.folders.data] {
        out = out.replace(&folder.display().to_string(), "...");
    }
    out
}

/// Returns the number of a step if the line begins with one: `12. ...`.
fn step(line: &str) -> Option<u8> {
    line.split_once(". ")?.0.parse().ok()
}

#[test]
fn the_output_in_a_page_is_what_a_run_prints_and_it_leaves_what_the_page_says() {
    let astra = local_astra();
    let (mut stale, mut other_steps) = (Vec::new(), Vec::<String>::new());
    for sample in samples() {
        if streams(sample) {
            astra.with_pulsar();
        }
        let page = Page::of(sample);
        let clean_up = page.text.split("\n## Clean up\n").nth(1).unwrap();
        let name = sample.name.as_str();
        assert!(
            says_what_is_left(clean_up),
            "{name}: \"Clean up\" does not begin with what a run leaves"
        );
        let runs = runs(astra, sample, &page);
        assert!(!runs.is_empty(), "{name}: no output in its page");
        for (number, block, out) in &runs {
            if normal(&block.code) == normal(out) {
                continue;
            }
            let at = format!("{}:{}", page.path.display(), block.line);
            stale.push(format!("{at}, of another run. This one:\n{out}"));
            if refreshing() {
                page.rewrite(*number, out);
            }
        }
        // The header of the program has the same steps.
        let program = std::fs::read_to_string(sample.folder.join("src/main.rs")).unwrap();
        let steps =
            |lines: Vec<&str>| -> BTreeSet<u8> { lines.into_iter().filter_map(step).collect() };
        let in_header = steps(header(&program));
        let printed = steps(runs.iter().flat_map(|(_, _, out)| out.lines()).collect());
        if in_header != printed || printed.len() < 3 {
            other_steps.push(format!(
                "{name}: its header has the steps {in_header:?}, its runs {printed:?}"
            ));
        }
    }
    first_run(&mut stale);
    assert!(other_steps.is_empty(), "{}", other_steps.join("\n"));
    assert!(
        refreshing() || stale.is_empty(),
        "{REFRESH}:\n{}",
        stale.join("\n")
    );
}

/// Checks the output of the REST sample on the main page.
fn first_run(stale: &mut Vec<String>) {
    let output = |page: &Page, section: &str| {
        let blocks = page.blocks().into_iter().enumerate();
        let mut shown =
            blocks.filter(|(_, block)| block.language == "text" && block.section == section);
        shown
            .next()
            .unwrap_or_else(|| panic!("no output under {section:?}"))
    };
    let top = Page::read("README.md".as_ref());
    let (_, rest) = output(&Page::read("samples/rest/README.md".as_ref()), "Output");
    let (number, block) = output(&top, "");
    if block.code != rest.code {
        stale.push("README.md: the first run is not that of samples/rest/README.md".into());
        if refreshing() {
            top.rewrite(number, &rest.code);
        }
    }
}
