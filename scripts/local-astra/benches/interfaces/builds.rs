//! Crates that a sample compiles again after local Astra was built: they have other features in its build.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::figures::Figure;
use crate::server::{cargo_build, messages_of, run};

/// Builds local Astra in a folder of its own, then each sample in a copy of that folder.
///
/// # Errors
/// When a build fails.
pub fn measure() -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let base = folder.path().join("target");
    compiled("local-astra", &base)?;
    let mut figures = Vec::new();
    for shared::Sample { name: sample, .. } in shared::SAMPLES {
        let copy = folder.path().join("copy");
        // Links: cargo never writes into a file that it has built.
        run(Command::new("cp").arg("-al").args([&base, &copy]))?;
        let crates = compiled(sample, &copy)?;
        std::fs::remove_dir_all(&copy)?;
        let name = format!("crates that `cargo run -p {sample}` compiles after `cargo local`");
        figures.push(Figure::new(name, crates.to_string(), "few"));
    }
    Ok(figures)
}

/// Builds a package, and returns the number of crates of registries that were compiled.
fn compiled(package: &str, target: &Path) -> Result<usize> {
    let mut cargo = cargo_build(package);
    let messages = messages_of(cargo.arg("--quiet").env("CARGO_TARGET_DIR", target))?;
    let compiled = messages.iter().filter(|message| {
        let id = message["package_id"].as_str().unwrap_or_default();
        message["reason"] == "compiler-artifact"
            && message["fresh"] == false
            && id.starts_with("registry+")
    });
    Ok(compiled.count())
}
