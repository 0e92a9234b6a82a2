//! Prints `.env.example`: for all samples, or for the one that is named.
//!
//! ```sh
//! cargo run --package shared --example env-example > .env.example
//! cargo run --package shared --example env-example rest-sample
//! ```

use std::process::ExitCode;

use shared::{ALL, SAMPLES, Sample};

const HEADER: &str = "\
# The settings of the samples. Copy this file to .env and fill in the settings of your sample, or let
# `astra db create-dotenv DB -k KEYSPACE` write a .env with the same names. Put values with blanks in quotes.
# The environment wins over .env. An empty value counts as absent. Without an Astra account, run
# `cargo local env > .env` in a clone of the samples.
";

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        print!("{}", text(SAMPLES));
        return ExitCode::SUCCESS;
    };
    let Some(index) = SAMPLES.iter().position(|sample| sample.name == name) else {
        eprintln!("There is no sample {name:?}.");
        return ExitCode::FAILURE;
    };
    print!("{}", text(&SAMPLES[index..=index]));
    ExitCode::SUCCESS
}

/// Each setting of these samples, by part, with what it is, where it comes from and which of them read it.
pub fn text(samples: &[Sample]) -> String {
    let mut text = HEADER.to_owned();
    let mut part = "";
    for setting in ALL {
        let readers: Vec<&str> = samples
            .iter()
            .filter(|sample| sample.settings().contains(setting))
            .map(|sample| sample.name.trim_end_matches("-sample"))
            .collect();
        if readers.is_empty() {
            continue;
        }
        if part != setting.part {
            part = setting.part;
            text.push_str(&format!("\n# ---- {part} ----\n"));
        }
        text.push_str(&format!(
            "\n# {}\n#   from: {}\n",
            setting.what, setting.from
        ));
        if samples.len() > 1 {
            text.push_str(&format!("#   for: {}\n", readers.join(", ")));
        }
        text.push_str(&format!("{}=\n", setting.name));
    }
    text
}
