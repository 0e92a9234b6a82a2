//! `reset`: stops local Astra and deletes all its data.

use std::fs;
use std::io::{self, IsTerminal};

use anyhow::{Context, Result, bail};

use settings::Folders;

/// Asks for confirmation unless `yes` is set, then stops everything and removes the data folder.
///
/// # Errors
/// There is no terminal to ask on, or something cannot be stopped or removed.
pub async fn reset(folders: &Folders, yes: bool) -> Result<u8> {
    let data = folders.data.display();
    if !yes {
        if !io::stdin().is_terminal() {
            bail!("this deletes all data in {data}. Run `cargo local reset --yes` to confirm");
        }
        super::print(&format!(
            "This deletes all data in {data}. Continue? [y/N] "
        ))?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            super::print("Nothing was changed.\n")?;
            return Ok(1);
        }
    }
    let _command = super::lock(folders).await?;
    super::down::stop(folders).await?;
    // Only local Astra's own files, because the user may have chosen an existing folder.
    for name in OURS {
        let path = folders.data.join(name);
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => (),
        }
    }
    super::print(&format!("All data of local Astra is gone from {data}.\n"))?;
    Ok(0)
}

const OURS: [&str; 9] = [
    "cassandra",
    "certificates",
    "logs",
    "pulsar",
    "run",
    "streaming",
    "layout.json",
    "secrets.json",
    "secure-connect-local.zip",
];
