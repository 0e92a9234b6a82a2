//! `status`: the running processes, their endpoints, uptime and memory.

use anyhow::Result;

use crate::background;
use crate::background::state::{self, Lock, Phase, State, Which};
use engines::process::ProcessId;
use settings::Folders;
use settings::layout::Layout;

/// Prints what is running. Returns 0 if local Astra is ready, 1 otherwise.
///
/// # Errors
/// The state cannot be read.
pub fn status(folders: &Folders) -> Result<u8> {
    let running = Lock::try_take(folders, Which::Process)?.is_none();
    let state = State::read(folders)?;
    let Some(state) = state.filter(|_| running) else {
        super::print(&format!(
            "Local Astra is not running. Run `cargo local up` to start it.\ndata       {}\n",
            folders.data.display()
        ))?;
        return Ok(1);
    };
    super::print(&report(folders, &state)?)?;
    Ok(u8::from(state.phase != Phase::Ready))
}

fn report(folders: &Folders, state: &State) -> Result<String> {
    let layout = Layout::of(&folders.data, None)?;
    let ports = &layout.ports;
    let since = duration(state::now().saturating_sub(state.since));
    let mut lines = vec![match &state.phase {
        Phase::Ready => format!("Local Astra is ready, for {since}."),
        Phase::Starting => format!("Local Astra is starting, for {since}."),
        Phase::Broken(why) | Phase::Failed(why) => {
            format!("Local Astra is broken, for {since}: {why}. Run `cargo local up` to repair it.")
        }
    }];
    lines.extend(state.notes.iter().map(|note| format!("note       {note}")));
    lines.push(format!("TLS        https://localhost:{}", ports.tls));
    lines.push(format!("plain      http://localhost:{}", ports.plain));
    if state.up.cassandra {
        lines.push(
            "           REST and Document at /api/rest/v2, GraphQL at /api/graphql,".to_owned(),
        );
        lines.push("           DevOps at /v2, gRPC on both".to_owned());
    }
    if state.up.pulsar {
        lines.push("           Pulsar's admin API at /admin/v2 on both".to_owned());
    }
    if state.up.cassandra {
        lines.push(format!("bundle     {}", folders.bundle().display()));
        for address in layout.cassandra() {
            lines.push(format!("CQL        {address} (Cassandra itself)"));
        }
        lines.push(
            "           log in with the third part of a token as the password of its client id, or"
                .to_owned(),
        );
        lines.push(
            "           use the bundle, which also accepts the user `token` and client secrets"
                .to_owned(),
        );
    }
    if state.up.pulsar {
        let [tls, plain] = [true, false].map(|tls| ports.pulsar.broker_url(tls));
        lines.push(format!("broker     {tls}"));
        lines.push(format!("           {plain} (plain)"));
    }
    let cassandra = background::cassandra::of(folders, &layout);
    for node in 1..=layout.nodes {
        if let Some(engine) = cassandra.running(node)? {
            lines.push(process(&engine.name, engine.process)?);
        }
    }
    let pulsar = background::pulsar::of(folders, &layout);
    if let Some(engine) = pulsar.running()? {
        lines.push(process(&engine.name, engine.process)?);
    }
    lines.push(process("gateway", state.process)?);
    lines.push(format!("authority  {}", folders.authority().display()));
    lines.push(format!("data       {}", folders.data.display()));
    lines.push(format!("logs       {}", folders.logs().display()));
    for node in 1..=layout.nodes {
        lines.push(format!(
            "           {}",
            folders.cassandra_log(node).display()
        ));
    }
    if folders.pulsar_log().exists() {
        lines.push(format!("           {}", folders.pulsar_log().display()));
    }
    Ok(lines.join("\n") + "\n")
}

fn process(name: &str, process: ProcessId) -> Result<String> {
    let memory = match process.vitals()? {
        Some(vitals) => format!("{} MB", vitals.bytes / 1_000_000),
        None => "gone".to_owned(),
    };
    Ok(format!("{name:<10} process {}, {memory}", process.pid))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
