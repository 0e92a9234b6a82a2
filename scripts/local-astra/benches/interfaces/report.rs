//! Medians and ratios, as a page.

use std::fmt::Write;

use anyhow::Result;
use time::OffsetDateTime;

use crate::figures::Figure;
use crate::large::Large;
use crate::load::{Level, Row};
use crate::others::machine;
use crate::{ATTEMPTS, QUIET, USERS};

/// The rates of a row at one level, round by round.
pub struct Measured {
    name: String,
    against: String,
    level: Level,
    driver: Vec<f64>,
    ours: Vec<f64>,
    disturbed: usize,
}

impl Measured {
    pub fn new(row: &Row, level: &Level) -> Measured {
        Measured {
            name: row.name.clone(),
            against: row.against.clone(),
            level: *level,
            driver: Vec::new(),
            ours: Vec::new(),
            disturbed: 0,
        }
    }

    /// Adds the rates of a round.
    pub fn add(&mut self, driver: f64, ours: f64, quiet: bool) {
        self.driver.push(driver);
        self.ours.push(ours);
        self.disturbed += usize::from(!quiet);
    }

    fn line(&self) -> String {
        let (driver, ours) = (median(&self.driver), median(&self.ours));
        let Level {
            ours: in_flight,
            driver: of_driver,
            aim,
        } = self.level;
        let in_flight = if in_flight == of_driver {
            in_flight.to_string()
        } else {
            format!("{in_flight} (driver {of_driver})")
        };
        format!(
            "| {} | {} | {in_flight} | {} | {} | {:.1} | {aim} | {} |\n",
            self.name,
            self.against,
            rate(driver),
            rate(ours),
            driver / ours,
            self.disturbed,
        )
    }
}

fn rate(rate: f64) -> String {
    if rate < 10.0 {
        format!("{rate:.2}")
    } else {
        format!("{rate:.0}")
    }
}

/// The middle value; the mean of the two middle ones where their number is even.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, middle.checked_sub(1)) {
        (0, Some(before)) => f64::midpoint(sorted[before], sorted[middle]),
        (_, _) => sorted.get(middle).copied().unwrap_or(f64::NAN),
    }
}

/// The page.
pub struct Report {
    rounds: usize,
    sections: String,
}

impl Report {
    pub fn new(rounds: usize) -> Report {
        Report {
            rounds,
            sections: String::new(),
        }
    }

    /// Adds what was measured of one build.
    pub fn add(
        &mut self,
        profile: &str,
        measured: &[Measured],
        large: &[Large],
        figures: &[Figure],
    ) {
        let users = if profile == USERS {
            ", which `cargo local` runs"
        } else {
            ""
        };
        let mut text = format!("\n## Profile `{profile}`{users}\n\n");
        if !measured.is_empty() {
            text += "| operation | the driver's statement | in flight | driver, per second | local Astra, per second | ratio | aim | disturbed rounds |\n";
            text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
        }
        text.extend(measured.iter().map(Measured::line));
        if !large.is_empty() {
            text += "\nA collection of documents of 2 kB, with vectors:\n\n";
            text += "| operation | time | memory of the gateway before | the most during it |\n";
            text += "| --- | --- | --- | --- |\n";
            text.extend(large.iter().map(|large| {
                let (before, most) = (large.before >> 20, large.most >> 20);
                format!(
                    "| {} | {:.2?} | {before} MB | {most} MB |\n",
                    large.name, large.time
                )
            }));
        }
        if !figures.is_empty() {
            text += "\n| figure | value | aim |\n| --- | --- | --- |\n";
            text.extend(figures.iter().map(|figure| {
                format!("| {} | {} | {} |\n", figure.name, figure.value, figure.aim)
            }));
        }
        self.sections += &text;
    }

    /// The page as Markdown.
    ///
    /// # Errors
    /// When the system cannot be read.
    pub fn text(&self) -> Result<String> {
        let now = OffsetDateTime::now_utc();
        let mut text = "# Benchmark\n\n".to_owned();
        text += "`cargo bench -p local-astra` writes this page. A ratio is the rate of the CQL driver (`scylla`) divided by the\n\
            rate of local Astra. Both are measured in turns in one run, on one Cassandra, and each rate is the median of the\n\
            rounds. To measure two builds, run\n\
            `cargo bench -p local-astra -- --profile dev --profile release`. `--help` after `--` lists the other arguments.\n\n";
        // Writing to a text does not fail.
        let _ = writeln!(text, "- machine: {}", machine()?);
        let _ = writeln!(text, "- date: {}; rounds: {}", now.date(), self.rounds);
        let _ = writeln!(
            text,
            "- A round in which other programs used more than {QUIET} cores was measured again, up to {ATTEMPTS} times in all;\n  \
            the last column counts those that stayed disturbed."
        );
        Ok(text + &self.sections)
    }
}
