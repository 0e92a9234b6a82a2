//! `env`: the settings of the samples, as lines of a `.env` file.

use anyhow::{Result, bail};
use secrecy::ExposeSecret;

use crate::background::state::{Lock, Which};
use settings::Folders;
use settings::environment;
use settings::environment::{Door, Who};
use settings::layout::Layout;
use settings::secrets::Secrets;

/// Prints the settings with the plain URLs, which work from a `.env` on every platform.
///
/// # Errors
/// Local Astra was never started.
pub fn env(folders: &Folders, who: Who) -> Result<u8> {
    if !folders.data.join("secrets.json").exists() {
        bail!("local Astra was never started. Run `cargo local up` first");
    }
    if Lock::try_take(folders, Which::Process)?.is_some() {
        eprintln!("Local Astra is not running. Run `cargo local up` to start it.");
    }
    let ports = Layout::of(&folders.data, None)?.ports;
    let secrets = Secrets::of(&folders.data)?;
    let mut lines = "# Local Astra. These tokens are only valid on this machine.\n".to_owned();
    for (name, value) in environment::of(folders, &ports, &secrets, Door::Plain, who) {
        lines.push_str(&format!("{name}={}\n", quoted(value.expose_secret())));
    }
    super::print(&lines)?;
    Ok(0)
}

/// Formats a value for a `.env` file and a shell: quoted where a shell would split it.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./:@%+,=-".contains(c);
    if value.chars().all(plain) {
        value.to_owned()
    } else if value.contains('\'') {
        let special = |c: char| ['\\', '"', '$', '`'].contains(&c);
        let mut escaped = String::new();
        for c in value.chars() {
            escaped.extend(special(c).then_some('\\'));
            escaped.push(c);
        }
        format!("\"{escaped}\"")
    } else {
        format!("'{value}'")
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_with_a_space_is_one_word() {
        let path = "/Users/me/Library/Application Support/bundle.zip";
        assert_eq!(quoted(path), format!("'{path}'"));
        assert_eq!(quoted("/it's/\"$x"), "\"/it's/\\\"\\$x\"");
        let url = "https://localhost:2000/api/graphql/samples";
        for plain in ["", url, "AstraCS:a:0f", "pulsar+ssl://localhost:1"] {
            assert_eq!(quoted(plain), plain);
        }
    }
}
