//! `cargo local`: Astra on this machine, for the samples.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use local_astra::background::state::Engines;
use local_astra::{background, commands};
use mimalloc::MiMalloc;
use settings::Folders;
use settings::environment::Who;
use tokio::runtime::Builder;

/// Returns the memory of a large response to the system, which glibc's allocator keeps.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Astra on this machine: its interfaces on a real Apache Cassandra and Apache Pulsar, for running the samples.
#[derive(Parser)]
#[command(name = "cargo local", bin_name = "cargo local", version)]
struct Arguments {
    /// Use this folder for data and state instead of the default one
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build and run a sample against local Astra, and start local Astra if necessary
    Run {
        /// Package name of the sample, such as rest-sample
        sample: String,
        /// Arguments for the sample
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Start local Astra in the background
    Up {
        /// Number of Cassandra nodes, 1 or 3 (3 on Linux only), fixed at the first start of a data folder
        #[arg(long, value_parser = ["1", "3"])]
        nodes: Option<String>,
        /// Also start Pulsar. `run` starts it automatically for samples that need it
        #[arg(long)]
        pulsar: bool,
    },
    /// Stop local Astra and keep its data
    Down,
    /// Show what is running: endpoints, engines, memory, logs
    Status,
    /// Print the settings of the samples as NAME=value lines for a .env file
    Env {
        /// Use the operator's token, which allows everything that a self-hosted Stargate allows
        #[arg(long)]
        operator: bool,
    },
    /// Print the logs of local Astra, Cassandra and Pulsar
    Logs,
    /// Stop local Astra and delete all its data
    Reset {
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Run the background process, which `up` starts
    #[command(hide = true)]
    Background {
        /// For tests: end when standard input closes, and remove the data folder
        #[arg(long)]
        temporary: bool,
    },
}

/// Stack size per thread; memory is only used as needed. Client input is bounded to a depth that needs far less.
/// However, the driver recurses through every level of a type reported by Cassandra, and Cassandra accepts types with
/// several hundred levels, each of which uses 4 KB here.
const STACK: usize = 64 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(execute(arguments));
    // Pending reads, such as of standard input, must not keep the process alive.
    runtime.shutdown_background();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // `{:#}` prints the causes on one line, without a backtrace.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(arguments: Arguments) -> anyhow::Result<u8> {
    let folders = Folders::new(arguments.data.as_deref())?;
    match arguments.command {
        Command::Run { sample, arguments } => {
            commands::run::run(&folders, &sample, &arguments).await
        }
        Command::Up { nodes, pulsar } => {
            let nodes = nodes.as_deref().map(str::parse).transpose()?;
            let engines = Engines {
                cassandra: true,
                pulsar,
            };
            commands::up::up(&folders, nodes, engines).await
        }
        Command::Down => commands::down::down(&folders).await,
        Command::Status => commands::status::status(&folders),
        Command::Env { operator } => {
            let who = if operator {
                Who::Operator
            } else {
                Who::Application
            };
            commands::env::env(&folders, who)
        }
        Command::Logs => commands::logs::logs(&folders),
        Command::Reset { yes } => commands::reset::reset(&folders, yes).await,
        Command::Background { temporary } => background::run(folders, temporary).await.map(|()| 0),
    }
}
