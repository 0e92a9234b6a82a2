//! The flags of the command line.

use std::collections::BTreeSet;
use std::env::args_os;

use anyhow::{Result, bail};

/// The flags that are given, of those that there are.
pub fn read(known: &[&'static str]) -> Result<BTreeSet<&'static str>> {
    let mut given = BTreeSet::new();
    for flag in args_os().skip(1) {
        match known.iter().find(|known| flag == **known) {
            Some(known) => given.insert(*known),
            None => bail!(
                "there is no flag {}; there are: {}. Without one the sample only reads.",
                flag.display(),
                known.join(", ")
            ),
        };
    }
    Ok(given)
}
