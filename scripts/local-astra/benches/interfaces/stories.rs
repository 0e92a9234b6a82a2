//! Samples beside the same story in Python, told with the official client; then many messages in both languages.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::figures::{Figure, middle};
use crate::messages;
use crate::server::{Server, cargo_build, run, settings};

const ROUNDS: usize = 7;
/// The interval between two looks at the memory of a program.
const INTERVAL: Duration = Duration::from_millis(2);
/// Samples, and the programs in `benches/python`.
const STORIES: [(&str, &str); 4] = [
    ("cql-sample", "cql.py"),
    ("data-api-sample", "data_api.py"),
    ("data-api-tables-sample", "data_api_tables.py"),
    ("pulsar-client-sample", "pulsar_client.py"),
];
/// The pinned clients.
const CLIENTS: [&str; 3] = ["cql", "data-api/python", "pulsar"];

/// Runs each story in both languages in turns, against one local Astra.
///
/// # Errors
/// When a story fails, or Python's clients cannot be installed.
pub async fn measure(program: &Path) -> Result<Vec<Figure>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir()?;
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(folder.path()))?;
    let bin = folder.path().join("bin");
    let mut pip = Command::new(bin.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]);
    for client in CLIENTS {
        let file = here
            .join("../interop")
            .join(client)
            .join("requirements.txt");
        pip.arg("-r").arg(file);
    }
    run(&mut pip)?;
    let server = Server::start(program)?;
    server.run(&["up", "--pulsar"])?;
    let settings = settings(&server)?;
    let python = |file| {
        let mut python = Command::new(bin.join("python"));
        python.arg(here.join("benches/python").join(file));
        python.envs(&settings);
        python
    };
    let mut figures = Vec::new();
    for (sample, file) in STORIES {
        run(cargo_build(sample).arg("--quiet"))?;
        let rust = || {
            let mut rust = Command::new(program.with_file_name(sample));
            rust.envs(&settings);
            rust
        };
        let mut uses = [Vec::new(), Vec::new()];
        // The first round is not counted.
        for round in 0..=ROUNDS {
            for (mut command, uses) in [rust(), python(file)].into_iter().zip(&mut uses) {
                let used = used(&mut command)?;
                if round > 0 {
                    uses.push(used);
                }
            }
        }
        let [rust, python] = uses.map(|uses| Use::middle(&uses));
        figures.push(Figure::new(
            format!("story of `{sample}`, and of Python: wall, processor, memory"),
            format!("{rust}, and {python}: {}", rust.over(&python)),
            "processor 0.4",
        ));
    }
    figures.extend(messages::measure(&settings, || python("messages.py")).await?);
    Ok(figures)
}

/// The time and memory that a program used.
struct Use {
    wall: Duration,
    processor: Duration,
    /// Bytes at the most.
    memory: u64,
}

impl Use {
    /// The middle ones.
    fn middle(uses: &[Use]) -> Use {
        Use {
            wall: middle(uses.iter().map(|used| used.wall).collect()),
            processor: middle(uses.iter().map(|used| used.processor).collect()),
            memory: middle(uses.iter().map(|used| used.memory).collect()),
        }
    }

    fn over(&self, other: &Use) -> String {
        let wall = self.wall.as_secs_f64() / other.wall.as_secs_f64();
        let processor = self.processor.as_secs_f64() / other.processor.as_secs_f64();
        let memory = self.memory as f64 / other.memory as f64;
        format!("{wall:.2} / {processor:.2} / {memory:.2}")
    }
}

impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (wall, processor) = (self.wall, self.processor);
        write!(f, "{wall:.2?} {processor:.2?} {} MB", self.memory >> 20)
    }
}

/// Runs a program to its end.
fn used(command: &mut Command) -> Result<Use> {
    let before = processor_of_children()?;
    let began = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        // The file has no memory once the program has ended.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        memory = memory.max(peak.unwrap_or_default() << 10);
        sleep(INTERVAL);
    };
    let wall = began.elapsed();
    ensure!(ended.success(), "{:?}: {ended}", command.get_program());
    Ok(Use {
        wall,
        processor: processor_of_children()?.saturating_sub(before),
        memory,
    })
}

/// The processor time of all children that have ended. The clock of the file ticks a hundred times per second.
fn processor_of_children() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat")?;
    let fields = fields.split_whitespace().skip(13).take(2);
    let ticks = fields.map(|ticks| Ok(ticks.parse::<u64>()?));
    let ticks: u64 = ticks.sum::<Result<u64>>()?;
    Ok(Duration::from_millis(10 * ticks))
}
