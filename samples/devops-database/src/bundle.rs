//! The secure connect bundle: its link, and the file that `cql-sample` reads.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, redirect::Policy};
use serde::Deserialize;
use tempfile::NamedTempFile;

/// More bytes than a bundle has.
const TOO_LARGE: usize = 10 << 20;

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "downloadURL")]
    url: String,
    region: Option<String>,
}

/// Returns a path in the current folder, whatever the database's name contains.
pub fn default_path(name: &str) -> PathBuf {
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
    format!("secure-connect-{name}.zip").into()
}

/// Returns the link for a region. For five minutes it opens the bundle to everybody, so it is not printed.
pub async fn link(http: &Client, database: &str, region: &str) -> Result<String> {
    let links = http.post(format!("{database}/secureBundleURL?all=true"));
    let links: Vec<Bundle> = crate::http::fetch(links).await?;
    let is_ours = |link: &Bundle| link.region.as_deref().is_none_or(|other| other == region);
    let ours = links.into_iter().find(is_ours);
    let missing = || format!("no bundle for region {region}; check ASTRA_DB_REGION");
    Ok(ours.with_context(missing)?.url)
}

/// Downloads the bundle, unless the file exists and must not be replaced.
pub async fn save(link: &str, path: &Path, replace: bool) -> Result<()> {
    let shown = path.display();
    if path.exists() && !replace {
        println!("4. Kept {shown}, which exists; --force replaces it");
        return Ok(());
    }
    let zip = download(link).await.map_err(reqwest::Error::without_url);
    let zip = zip.context("cannot download the bundle; its link expires, run this again")?;
    let is_zip = zip.starts_with(b"PK") && zip.len() < TOO_LARGE;
    ensure!(is_zip, "the download is not a bundle");
    let failed = || format!("cannot write {shown}; check ASTRA_DB_SECURE_BUNDLE_PATH");
    write(&zip, path, replace).with_context(failed)?;
    println!("4. Wrote {shown}: {} bytes, for its owner only", zip.len());
    Ok(())
}

/// Sends no token, because the link leads to another host.
async fn download(link: &str) -> reqwest::Result<Vec<u8>> {
    let http = Client::builder().redirect(Policy::none());
    let http = http.timeout(Duration::from_secs(30)).build()?;
    let mut response = http.get(link).send().await?.error_for_status()?;
    let mut zip = Vec::new();
    while zip.len() < TOO_LARGE
        && let Some(part) = response.chunk().await?
    {
        zip.extend(part);
    }
    Ok(zip)
}

/// Writes all of the file or nothing, with mode 0600: it contains a private key.
fn write(zip: &[u8], path: &Path, replace: bool) -> Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(zip)?;
    if replace {
        file.persist(path)?;
    } else {
        file.persist_noclobber(path)?;
    }
    Ok(())
}
