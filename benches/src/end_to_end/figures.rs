//! The benchmark's figures, as a table and as JSON. Integers until the last step: a decimal is a text.

use std::{str::FromStr, time::Duration};

use comfy_table::{Cell, CellAlignment, Table, presets};
use musubi_testnet::load::Latency;
use serde::Serialize;
use serde_json::Number;

use super::machine::Usage;

/// Signature checks of one transfer: two on each of three nodes.
const CHECKS_PER_NODE: u64 = 2;

/// What was measured.
pub(super) struct Measured {
    pub(super) transfers: u64,
    pub(super) payers: u32,
    pub(super) payees: u32,
    pub(super) seconds: Duration,
    pub(super) latency: Latency,
    pub(super) used: Usage,
    pub(super) memory: Vec<u64>,
    pub(super) signature_ns: u64,
    pub(super) nodes: u64,
}

/// The figures.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    transfers: u64,
    payers: u32,
    payees: u32,
    seconds: Number,
    /// Committed transfers a second.
    tx_per_s: Number,
    /// From posting a bulk submission to its verdicts.
    latency_ms: Latency,
    /// CPU of all nodes together for one transfer, microseconds.
    cpu_us_per_tx: Number,
    /// CPU of one signature check in a batch of 512 distinct keys, microseconds.
    signature_us: Number,
    /// CPU of a transfer by the CPU of its signature checks.
    ratio: Number,
    /// Of the machine's time, what the hypervisor gave to others.
    steal_percent: Number,
    /// Most memory that a node had resident.
    rss_mib: u64,
    /// The same at four moments of the run: a flat line does not leak.
    rss_mib_quarters: Vec<u64>,
    /// Growth of one node's folder for one transfer.
    disk_bytes_per_tx: u64,
}

impl Figures {
    pub(super) fn new(m: &Measured) -> Self {
        let micros = u64::try_from(m.seconds.as_micros()).unwrap_or(u64::MAX).max(1);
        let cpu_ns_per_tx = m.used.cpu_us * 1_000 / m.transfers;
        let floor_ns = m.nodes * CHECKS_PER_NODE * m.signature_ns;
        let last = m.memory.len().saturating_sub(1);
        let quarters = (1..=4).filter_map(|quarter| m.memory.get(last * quarter / 4).copied());
        Self {
            transfers: m.transfers,
            payers: m.payers,
            payees: m.payees,
            seconds: decimal(micros / 10_000),
            tx_per_s: decimal(per(m.transfers * 100_000_000, micros)),
            latency_ms: m.latency.clone(),
            cpu_us_per_tx: decimal(cpu_ns_per_tx / 10),
            signature_us: decimal(m.signature_ns / 10),
            ratio: decimal(per(cpu_ns_per_tx * 100, floor_ns)),
            steal_percent: decimal(per(m.used.steal_ticks * 10_000, m.used.machine_ticks)),
            rss_mib: m.memory.iter().copied().max().unwrap_or(0),
            rss_mib_quarters: quarters.collect(),
            disk_bytes_per_tx: m.used.disk_bytes / m.transfers / m.nodes,
        }
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.style_mut().row_separator = comfy_table::LineStyle::none();
        table.set_header(["figure", "value", "first goal"]);
        let mut row = |name: &str, value: String, goal: &str| {
            let value = Cell::new(value).set_alignment(CellAlignment::Right);
            table.add_row(vec![Cell::new(name), value, Cell::new(goal)]);
        };
        row("transfers, both sides signed live", self.transfers.to_string(), "");
        row("committed transfers/s", self.tx_per_s.to_string(), "> 5000 on a quiet machine");
        row("latency p50, ms", self.latency_ms.p50.to_string(), "");
        row("latency p99, ms", self.latency_ms.p99.to_string(), "");
        row("CPU of all nodes per transfer, µs", self.cpu_us_per_tx.to_string(), "");
        row("CPU of one signature check, µs", self.signature_us.to_string(), "");
        row("CPU per transfer ÷ its six checks", self.ratio.to_string(), "≤ 2.5");
        row("steal, %", self.steal_percent.to_string(), "");
        let quarters: Vec<String> = self.rss_mib_quarters.iter().map(u64::to_string).collect();
        row("resident memory, largest node, MiB", self.rss_mib.to_string(), "< 512");
        row("the same, quarter by quarter", quarters.join(" "), "flat");
        row("disk growth of a node per transfer, B", self.disk_bytes_per_tx.to_string(), "");
        table
    }
}

/// Many by some, or by one where there are none.
pub(crate) fn per(many: u64, by: u64) -> u64 {
    many / by.max(1)
}

/// A number with up to two decimals, from hundredths.
pub(crate) fn decimal(hundredths: u64) -> Number {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    Number::from_str(&text).expect("digits, a point and two digits")
}

#[cfg(test)]
mod tests {
    use musubi_testnet::load::tenths;

    use super::*;

    #[test]
    fn figures_follow_from_what_was_measured() {
        let figures = Figures::new(&Measured {
            transfers: 1_000,
            payers: 10,
            payees: 5,
            seconds: Duration::from_millis(200),
            latency: Latency { p50: tenths(1_000), p99: tenths(2_000) },
            used: Usage {
                cpu_us: 300_000,
                machine_ticks: 40,
                steal_ticks: 1,
                disk_bytes: 2_400_000,
            },
            memory: vec![90, 100, 100, 101, 100],
            signature_ns: 25_000,
            nodes: 3,
        });
        assert_eq!(figures.tx_per_s.to_string(), "5000.0");
        assert_eq!(figures.cpu_us_per_tx.to_string(), "300.0");
        assert_eq!(figures.ratio.to_string(), "2.0");
        assert_eq!(figures.steal_percent.to_string(), "2.5");
        assert_eq!((figures.rss_mib, figures.disk_bytes_per_tx), (101, 800));
        assert_eq!(figures.rss_mib_quarters, [100, 100, 101, 100]);
    }
}
