//! The demo's figures: counted, checked, and shown as a table and as JSON.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::Number;

use super::{
    bad::BadAttempts,
    story::Line,
    words::{grouped, wrapped},
};
use crate::load::Latency;

/// Characters of a value before it goes on in another line: reasons can be long.
const VALUE_WIDTH: usize = 72;

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
    /// The first thing that is wrong, or why there was no audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// How long payments took to become final.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FinalMs {
    /// All payments.
    #[serde(flatten)]
    pub(super) all: Latency,
    /// Those that did not wait while nobody led.
    pub(super) apart_from_outage: Latency,
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
    /// The term in which it led.
    pub(super) killed_term: u64,
    /// Who led the survivors once writes worked again.
    pub(super) successor_node: u64,
    /// In which term.
    pub(super) successor_term: u64,
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
    /// Ids in a node's log of which the client was never told.
    pub(super) unexplained: u64,
    /// Ids that were acknowledged with two verdicts.
    pub(super) contradicted: u64,
    /// Whether the audit's recount equals issue less burning and what the nodes' wallets show, lot by lot,
    /// and every wallet is as in the generator's own books.
    pub(super) supply_conserved: bool,
    /// Whether all nodes signed one root.
    pub(super) roots_equal: bool,
    /// Replicas.
    pub(super) replicas: u64,
    /// Whether all of them came to the validators' log, root and state digest; none without replicas.
    pub(super) replicas_equal: Option<bool>,
    /// Share of the day's applied payments that a final checkpoint covers on every node.
    #[serde(rename = "final")]
    pub(super) final_share: Number,
    /// Milliseconds from submission to the first checkpoint that was found final above it.
    pub(super) final_ms: FinalMs,
    /// Verdicts of the sample that two implementations verified offline, and that are as submitted and told.
    pub(super) proofs_verified: u64,
    /// Wallets whose day was proved offline, and is as in the books.
    pub(super) statements_proven: u64,
    /// Whether every other node can show anyone that node 3's key lied, and accuses nobody else.
    pub(super) evidence_caught: bool,
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

impl Figures {
    /// Whether every figure and every line of the story holds.
    #[must_use]
    pub(super) fn hold(&self) -> bool {
        self.checks.iter().all(|check| check.ok) && self.story.iter().all(|line| line.ok)
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.style_mut().row_separator = comfy_table::LineStyle::none();
    table.set_header(header);
    table
}

fn mark(ok: bool) -> &'static str {
    if ok { "✓" } else { "✗" }
}

/// The ten lines, for people.
#[must_use]
pub(super) fn story_text(lines: &[Line]) -> String {
    let mut text = String::new();
    for (number, line) in (1..).zip(lines) {
        let mark = mark(line.ok);
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
        checks.add_row([mark(check.ok), check.name, &wrapped(&check.value, VALUE_WIDTH)]);
    }
    format!("{bad}\n\n{checks}")
}
