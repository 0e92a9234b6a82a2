//! Figures that are no rates: times, memory, counts.

use std::time::{Duration, Instant};

use anyhow::Result;

/// One line of the report.
pub struct Figure {
    pub name: String,
    pub value: String,
    pub aim: &'static str,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: impl Into<String>, aim: &'static str) -> Figure {
        let figure = Figure {
            name: name.into(),
            value: value.into(),
            aim,
        };
        println!("{}: {}", figure.name, figure.value);
        figure
    }

    /// A figure that is a time.
    pub fn time(name: impl Into<String>, time: Duration, aim: &'static str) -> Figure {
        Figure::new(name, format!("{time:.2?}"), aim)
    }
}

/// Runs something that blocks, and returns how long it took.
///
/// # Errors
/// Its own.
pub fn timed(run: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    run()?;
    Ok(began.elapsed())
}

/// Waits for something, and returns how long it took.
///
/// # Errors
/// Its own.
pub async fn waited<T>(run: impl Future<Output = Result<T>>) -> Result<(Duration, T)> {
    let began = Instant::now();
    let done = run.await?;
    Ok((began.elapsed(), done))
}

/// The middle one of some values.
pub fn middle<T: Copy + Default + Ord>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
