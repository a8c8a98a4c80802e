//! What processes and machine say of themselves, from `/proc` (proc(5)).

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use musubi_testnet::network::Network;
use tokio::task::JoinHandle;

/// Microseconds of one clock tick of `/proc`: 100 a second on every Linux that Rust runs on (USER_HZ).
const TICK_US: u64 = 10_000;
const PAGE_BYTES: u64 = 4_096;

/// What was used up to a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    /// CPU of all nodes, microseconds: user and system.
    pub(super) cpu_us: u64,
    /// The machine's time on all cores, ticks.
    pub(super) machine_ticks: u64,
    /// Of it, what the hypervisor gave to others.
    pub(super) steal_ticks: u64,
    /// Bytes in all nodes' folders.
    pub(super) disk_bytes: u64,
}

impl Usage {
    pub(super) fn of(network: &Network) -> anyhow::Result<Self> {
        let mut cpu_us = 0;
        for pid in super::pids(network)? {
            cpu_us += cpu_ticks(&read(&format!("/proc/{pid}/stat"))?)? * TICK_US;
        }
        let (machine_ticks, steal_ticks) = machine_ticks(&read("/proc/stat")?)?;
        Ok(Self { cpu_us, machine_ticks, steal_ticks, disk_bytes: bytes_in(network.dir())? })
    }

    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            cpu_us: self.cpu_us - before.cpu_us,
            machine_ticks: self.machine_ticks - before.machine_ticks,
            steal_ticks: self.steal_ticks.saturating_sub(before.steal_ticks),
            // Compaction may shrink what was there before.
            disk_bytes: self.disk_bytes.saturating_sub(before.disk_bytes),
        }
    }
}

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

/// Fields 14 and 15 of `/proc/PID/stat`: utime and stime. The second field may hold anything in
/// parentheses.
fn cpu_ticks(stat: &str) -> anyhow::Result<u64> {
    let behind = stat.rsplit_once(')').context("/proc/PID/stat names the program")?.1;
    let mut fields = behind.split_whitespace().skip(11);
    let mut next = || -> anyhow::Result<u64> {
        Ok(fields.next().context("/proc/PID/stat has times")?.parse()?)
    };
    Ok(next()? + next()?)
}

/// All ticks, and stolen ones, of the first line of `/proc/stat`.
fn machine_ticks(stat: &str) -> anyhow::Result<(u64, u64)> {
    let first = stat.lines().next().context("/proc/stat has lines")?;
    let fields = first.split_whitespace().skip(1).map(str::parse);
    let fields: Vec<u64> = fields.collect::<Result<_, _>>()?;
    // user nice system idle iowait irq softirq steal; guests are counted in user already.
    let eight = fields.get(..8).context("/proc/stat counts stolen time")?;
    Ok((eight.iter().sum(), eight[7]))
}

fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A file may go away while we look: RocksDB tidies up.
        let Ok(meta) = entry.metadata() else { continue };
        bytes += if meta.is_dir() { bytes_in(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}

/// Resident memory of the largest node, MiB, once a second.
pub(super) struct Sampler {
    series: Arc<Mutex<Vec<u64>>>,
    task: JoinHandle<()>,
}

impl Sampler {
    pub(super) fn start(pids: Vec<u32>) -> Self {
        let series = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&series);
        let task = tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            loop {
                every.tick().await;
                let largest = pids.iter().filter_map(|pid| resident_mib(*pid)).max();
                to.lock().unwrap_or_else(PoisonError::into_inner).extend(largest);
            }
        });
        Self { series, task }
    }

    /// The series so far.
    pub(super) async fn stop(self) -> anyhow::Result<Vec<u64>> {
        self.task.abort();
        let _ = self.task.await;
        Ok(self.series.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn resident_mib(pid: u32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES / (1 << 20))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn proc_files_are_read_by_their_fields() {
        let stat = "77 (a (b) c) S 1 77 77 0 -1 4194560 900 0 2 0 31 11 0 0 20 0 9 0 5 6 7";
        assert_eq!(cpu_ticks(stat).unwrap(), 42);
        let machine = "cpu  10 0 20 300 4 0 1 65 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(machine_ticks(machine).unwrap(), (400, 65));
        assert!(cpu_ticks("").is_err() && machine_ticks("cpu 1").is_err());
        assert!(resident_mib(std::process::id()).unwrap() > 0);
    }
}
