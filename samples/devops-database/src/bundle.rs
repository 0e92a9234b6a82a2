//! The secure connect bundle: its link, and the file that `cql-sample` reads.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use reqwest::{Client, header::HeaderMap};
use serde::Deserialize;

use crate::request::{self, fetch};

/// More than any bundle has.
const LARGEST: usize = 10 << 20;

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "downloadURL")]
    download_url: String,
    region: Option<String>,
}

/// In the current folder. A name may have what a file's must not.
pub fn default_path(name: &str) -> PathBuf {
    let fit = |c: char| {
        if c.is_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(fit).collect();
    format!("secure-connect-{name}.zip").into()
}

/// The link for our region, good for five minutes. Whoever has it has the bundle: it is not shown.
pub async fn link(http: &Client, database: &str, region: &str) -> Result<String> {
    let links = http.post(format!("{database}/secureBundleURL"));
    let bundles: Vec<Bundle> = fetch(links.query(&[("all", true)])).await?;
    let regions = bundles.iter().filter_map(|bundle| bundle.region.as_deref());
    let regions = regions.collect::<Vec<_>>().join(", ");
    let ours = |bundle: &Bundle| bundle.region.as_deref().is_none_or(|r| r == region);
    let bundle = bundles.into_iter().find(ours);
    let bundle = bundle.with_context(|| {
        format!("there is no bundle for {region}, only for {regions}: look at ASTRA_DB_REGION")
    })?;
    Ok(bundle.download_url)
}

/// Downloads the bundle, whole or not at all: the file appears when all of it is there. It has keys in it, so
/// nobody but its owner may read it.
pub async fn save(link: &str, path: &Path, force: bool) -> Result<()> {
    let shown = path.display();
    if path.exists() && !force {
        println!("4. Found the bundle's link; kept {shown}, as it exists (--force writes over it)");
        return Ok(());
    }
    let zip = download(link).await?;
    let failed = || format!("cannot write {shown}: look at ASTRA_DB_SECURE_BUNDLE_PATH");
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Mode 0600; removed unless it gets its name.
    let mut file =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(failed)?;
    file.write_all(&zip).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    let named = match force {
        true => file.persist(path),
        false => file.persist_noclobber(path),
    };
    named.map_err(|error| anyhow!("{}: {}", failed(), error.error))?;
    println!("4. Wrote {shown}: {} bytes, for its owner only", zip.len());
    Ok(())
}

/// A plain GET of the link, without the token, which is not for that host.
async fn download(link: &str) -> Result<Vec<u8>> {
    let what = "The download of the bundle";
    let start = Instant::now();
    let answer = request::build(HeaderMap::new())?.get(link).send().await;
    let mut answer = answer.map_err(|error| request::no_answer(what, start, &error))?;
    let status = answer.status();
    ensure!(
        status.is_success(),
        "{what} was refused: {status}. Its link is good for five minutes: run this again."
    );
    let mut zip = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| request::no_answer(what, start, &error))?
    {
        zip.extend_from_slice(&chunk);
        ensure!(zip.len() <= LARGEST, "{what} has no end");
    }
    ensure!(
        is_whole(&zip),
        "{what} gave {} bytes that are no zip: run this again",
        zip.len()
    );
    Ok(zip)
}

/// Whether it has what a zip begins and ends with.
fn is_whole(zip: &[u8]) -> bool {
    zip.starts_with(b"PK\x03\x04") && zip.windows(4).any(|four| four == b"PK\x05\x06")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_zip_is_no_bundle() {
        let zip = b"PK\x03\x04some files PK\x05\x06 and their list";
        assert!(is_whole(zip));
        assert!(!is_whole(&zip[..15]));
        assert!(!is_whole(b"<html>link expired</html>"));
    }

    #[test]
    fn a_name_makes_a_file_in_this_folder() {
        let path = default_path("my db/../x");
        assert_eq!(path, Path::new("secure-connect-my_db____x.zip"));
    }
}
