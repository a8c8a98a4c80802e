//! The demo's figures: counted, checked, and shown as a table and as JSON.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::Number;

use super::{
    courier::Place,
    drive::Delivered,
    story::{Line, grouped},
};
use crate::{day::Bad, item::Item};

/// A figure with its check.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Checked {
    /// What it is.
    pub(super) name: &'static str,
    /// As shown.
    pub(super) value: String,
    /// Whether it is what it must be.
    pub(super) ok: bool,
}

/// A kind of bad attempt and what came of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BadAttempts {
    /// Which.
    pub(super) kind: &'static str,
    /// How many.
    pub(super) sent: u64,
    /// The code that each must get.
    pub(super) expected_code: String,
    /// The code that all got; several, if they differ.
    pub(super) got: String,
    /// Where they ended.
    pub(super) place: String,
}

/// Percentiles of a bulk submission's acknowledgement.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Latency {
    /// Half of all items.
    pub(super) p50: Number,
    /// All but one in a hundred.
    pub(super) p99: Number,
}

/// What the audit found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Audit {
    /// Whether nothing was wrong.
    pub(super) ok: bool,
    /// Leaves compared.
    pub(super) entries: u64,
    /// Signatures verified.
    pub(super) signatures: u64,
    /// How long it took.
    pub(super) seconds: Number,
}

/// Everything, as `--json` writes it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    /// Payments asked for.
    pub(super) payments: u64,
    /// The seed.
    pub(super) seed: u64,
    /// Transactions with a verdict in the day.
    pub(super) committed: u64,
    /// Per second of the day, the outage included.
    pub(super) tx_per_s: u64,
    /// Applied items of the day by kind.
    pub(super) kinds: BTreeMap<&'static str, u64>,
    /// Rejected items of the day by code.
    pub(super) rejected: BTreeMap<String, u64>,
    /// Bad attempts by kind.
    pub(super) bad_attempts: Vec<BadAttempts>,
    /// Milliseconds from posting to acknowledgement.
    pub(super) latency_ms: Latency,
    /// Milliseconds from the leader's end to the first verdict on something submitted after it.
    pub(super) leaderless_ms: u64,
    /// The leader that was killed.
    pub(super) killed_node: u64,
    /// Items without an answer at that moment.
    pub(super) in_flight_at_kill: u64,
    /// Payments acknowledged before the kill.
    pub(super) acknowledged_before: u64,
    /// Payments acknowledged after it.
    pub(super) acknowledged_after: u64,
    /// Milliseconds from the killed node's restart until it had caught up.
    pub(super) caught_up_ms: u64,
    /// Acknowledged verdicts that a node's log lacks or tells otherwise.
    pub(super) lost: u64,
    /// Ids that stand in a node's log twice.
    pub(super) duplicated: u64,
    /// Whether the audit's recount of all wallets equals issue less burning, per instrument and lot,
    /// and the generator's own books.
    pub(super) supply_conserved: bool,
    /// Whether all nodes signed one root.
    pub(super) roots_equal: bool,
    /// Sides of applied transactions by the form of their consent, from the audit.
    pub(super) consent_forms: BTreeMap<String, u64>,
    /// The audit.
    pub(super) audit: Audit,
    /// The ten lines.
    pub(super) story: Vec<Line>,
    /// The table.
    pub(super) checks: Vec<Checked>,
    /// Whole seconds of the run, set-up to audit.
    pub(super) seconds: u64,
}

/// Milliseconds with one decimal, from microseconds: without floating-point arithmetic.
///
/// # Panics
/// Never: what is written is a number.
#[must_use]
pub(super) fn tenths(microseconds: u128) -> Number {
    let tenths = microseconds / 100;
    let text = format!("{}.{}", tenths / 10, tenths % 10);
    Number::from_str(&text).expect("digits, a point and a digit")
}

/// Percentiles of latencies.
#[must_use]
pub(super) fn latency(delivered: &[Delivered]) -> Latency {
    let mut all: Vec<Duration> = delivered.iter().map(|d| d.answer.latency).collect();
    all.sort_unstable();
    let at = |per_cent: usize| {
        let place = (all.len() * per_cent / 100).min(all.len().saturating_sub(1));
        tenths(all.get(place).map_or(0, Duration::as_micros))
    };
    Latency { p50: at(50), p99: at(99) }
}

/// Whether an item got what it must get, where it must get it.
#[must_use]
pub(super) fn as_expected(delivered: &Delivered) -> bool {
    delivered.answer.code == delivered.item.expected.code().name()
}

/// Whether an item is one of the bad attempts.
#[must_use]
pub(super) fn is_bad(item: &Item) -> bool {
    Bad::ALL.iter().any(|bad| bad.name() == item.kind)
}

/// Bad attempts by kind.
#[must_use]
pub(super) fn bad_attempts(delivered: &[Delivered]) -> Vec<BadAttempts> {
    let of = |bad: &Bad| {
        let all: Vec<_> = delivered.iter().filter(|d| d.item.kind == bad.name()).collect();
        let joined = |texts: Vec<String>| {
            let mut texts = texts;
            texts.sort_unstable();
            texts.dedup();
            texts.join(", ")
        };
        let place = |d: &&Delivered| match (bad, d.answer.place) {
            (Bad::Replay, Place::Applied) => "the old verdict again".to_owned(),
            (_, place) => format!("{place:?}").to_lowercase(),
        };
        BadAttempts {
            kind: bad.name(),
            sent: all.len() as u64,
            expected_code: bad.code().name().into(),
            got: joined(all.iter().map(|d| d.answer.code.clone()).collect()),
            place: joined(all.iter().map(place).collect()),
        }
    };
    Bad::ALL.iter().map(of).collect()
}

/// Counts by a name.
pub(super) fn count<K: Ord>(names: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.style_mut().row_separator = comfy_table::LineStyle::none();
    table.set_header(header);
    table
}

/// The ten lines, for people.
#[must_use]
pub(super) fn story_text(lines: &[Line]) -> String {
    let mut text = String::new();
    for (number, line) in (1..).zip(lines) {
        let mark = if line.ok { "✓" } else { "✗" };
        text.push_str(&format!("{mark} {number:>2}. {}\n", line.line));
        match &line.why {
            None => text.push_str(&format!("      {}\n", line.id)),
            Some(why) => text.push_str(&format!("      {why}\n")),
        }
    }
    text
}

/// The tables, for people.
#[must_use]
pub(super) fn tables(figures: &Figures) -> String {
    let mut bad = table(["bad attempt", "sent", "must get", "got", "as"]);
    for b in &figures.bad_attempts {
        let sent = Cell::new(grouped(b.sent)).set_alignment(CellAlignment::Right);
        bad.add_row(vec![
            Cell::new(b.kind),
            sent,
            Cell::new(&b.expected_code),
            Cell::new(&b.got),
            Cell::new(&b.place),
        ]);
    }
    let mut checks = table(["", "figure", "value"]);
    for check in &figures.checks {
        let mark = if check.ok { "✓" } else { "✗" };
        checks.add_row([mark, check.name, &check.value]);
    }
    format!("{bad}\n\n{checks}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_keep_one_decimal() {
        assert_eq!(tenths(12_345).to_string(), "12.3");
        assert_eq!(tenths(40).to_string(), "0.0");
    }
}
