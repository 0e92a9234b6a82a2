//! Crates that a sample compiles again after local Astra was built: they have other features in its build.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::figures::Figure;

/// Builds local Astra in a folder of its own, then each sample in a copy of that folder.
///
/// # Errors
/// When a build fails.
pub fn measure() -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let base = folder.path().join("target");
    compiled("local-astra", &base)?;
    let mut figures = Vec::new();
    for sample in samples()? {
        let copy = folder.path().join("copy");
        // Links: cargo never writes into a file that it has built.
        let status = Command::new("cp")
            .arg("-al")
            .args([&base, &copy])
            .status()?;
        ensure!(status.success(), "cp: {status}");
        let crates = compiled(&sample, &copy)?;
        std::fs::remove_dir_all(&copy)?;
        let name = format!("crates that `cargo run -p {sample}` compiles after `cargo local`");
        figures.push(Figure::new(name, crates.to_string(), "few"));
    }
    Ok(figures)
}

fn samples() -> Result<Vec<String>> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .stderr(Stdio::inherit())
        .output()?;
    let metadata: Value = serde_json::from_slice(&metadata.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let names = packages
        .iter()
        .filter_map(|package| package["name"].as_str());
    let samples = names.filter(|name| name.ends_with("-sample"));
    Ok(samples.map(str::to_owned).collect())
}

/// Builds a package, and returns the number of crates of registries that were compiled.
fn compiled(package: &str, target: &Path) -> Result<usize> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--package", package])
        .args(["--message-format", "json"])
        .env("CARGO_TARGET_DIR", target)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{package}: {}", output.status);
    let messages = output.stdout.split(|byte| *byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let artifacts = messages.filter(|message| message["reason"] == "compiler-artifact");
    let compiled = artifacts.filter(|artifact| {
        let id = artifact["package_id"].as_str().unwrap_or_default();
        artifact["fresh"] == false && id.starts_with("registry+")
    });
    Ok(compiled.count())
}
