//! The processor time that programs of others use, and the machine.

use std::time::Instant;

use anyhow::{Context, Result};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Watches the processors.
pub struct Others {
    system: System,
    ours: Vec<Pid>,
    began: Instant,
    used: u64,
}

impl Others {
    /// Takes all but this process and these for others.
    ///
    /// # Errors
    /// When the system cannot be read.
    pub fn new(processes: &[u32]) -> Result<Others> {
        let ours = processes.iter().copied().chain([std::process::id()]);
        let mut others = Others {
            system: System::new()?,
            ours: ours.map(Pid::from_u32).collect(),
            began: Instant::now(),
            used: 0,
        };
        others.begin();
        Ok(others)
    }

    /// Begins to watch.
    pub fn begin(&mut self) {
        self.system.refresh_cpu_usage();
        self.began = Instant::now();
        self.used = self.of_ours();
    }

    /// The cores that others have used since then, on average.
    pub fn cores(&mut self) -> f64 {
        self.system.refresh_cpu_usage();
        let cores = self.system.cpus().len();
        let all = f64::from(self.system.global_cpu_usage()) / 100.0 * cores as f64;
        let seconds = self.began.elapsed().as_secs_f64();
        let ours = self.of_ours().saturating_sub(self.used) as f64 / 1000.0 / seconds;
        (all - ours).max(0.0)
    }

    /// Milliseconds of processor time.
    fn of_ours(&mut self) -> u64 {
        let kind = ProcessRefreshKind::nothing().with_cpu().without_tasks();
        let these = ProcessesToUpdate::Some(&self.ours);
        self.system.refresh_processes_specifics(these, false, kind);
        let ours = self.ours.iter().filter_map(|pid| self.system.process(*pid));
        ours.map(sysinfo::Process::accumulated_cpu_time).sum()
    }
}

/// The memory of a process, in bytes.
///
/// # Errors
/// When the system cannot be read.
pub fn memory(process: u32) -> Result<u64> {
    let pid = Pid::from_u32(process);
    let mut system = System::new()?;
    let kind = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
    Ok(system.process(pid).map_or(0, sysinfo::Process::memory))
}

/// The memory of a process in bytes, in which a shared page counts by its share.
///
/// # Errors
/// When the system cannot be read, and on systems other than Linux.
pub fn proportional_memory(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes.context(path)?.parse()?;
    Ok(kilobytes << 10)
}

/// Processor, cores, memory, system.
///
/// # Errors
/// When the system cannot be read.
pub fn machine() -> Result<String> {
    let mut system = System::new()?;
    system.refresh_cpu_all();
    system.refresh_memory();
    let cpus = system.cpus();
    let brand = cpus.first().map_or("", |cpu| cpu.brand()).trim();
    Ok(format!(
        "{} cores ({}), {} GiB, {} {}",
        cpus.len(),
        if brand.is_empty() {
            System::cpu_arch()
        } else {
            brand.to_owned()
        },
        system.total_memory() / (1 << 30),
        System::name().unwrap_or_default(),
        System::kernel_version().unwrap_or_default(),
    ))
}
