//! The table's lines: each figure with the condition that it must meet.

use super::{
    Run, describe,
    figures::{Checked, Figures, as_expected, is_bad, tenths},
    report::Seen,
    story::{grouped, yen},
};
use crate::city::institutions;

/// Longest time without working writes that a killed leader may cause.
const LEADERLESS_MS_MAX: u64 = 5_000;

/// All lines, in the order of the table.
pub(super) fn all(figures: &Figures, run: &Run, seen: &Seen) -> Vec<Checked> {
    let mut checks = day(figures, run);
    checks.extend(outage(figures, run));
    checks.extend(outside(figures, seen));
    checks.extend(audit(figures, seen));
    checks
}

fn line(name: &'static str, value: impl Into<String>, ok: bool) -> Checked {
    Checked { name, value: value.into(), ok }
}

fn day(figures: &Figures, run: &Run) -> Vec<Checked> {
    let applied: u64 = figures.kinds.values().sum();
    let sent: u64 = figures.bad_attempts.iter().map(|b| b.sent).sum();
    let wrong = |bad: bool| {
        let mut wrong = run.delivered.iter().filter(|d| is_bad(&d.item) == bad && !as_expected(d));
        wrong.next().map(describe)
    };
    let (wrong_good, wrong_bad) = (wrong(false), wrong(true));
    let set_up = run.setup_unexpected.first().cloned();
    let bad_ok = sent == run.day.bad
        && wrong_bad.is_none()
        && figures.bad_attempts.iter().all(|b| b.got == b.expected_code);
    let good_ok = wrong_good.is_none() && run.day.good == applied;
    let good = wrong_good.map_or_else(String::new, |wrong| format!(": {wrong}"));
    let bad = wrong_bad.unwrap_or_else(|| "each with its code".into());
    // Nobody stayed without an answer.
    let answered = run.delivered.len() as u64 == run.day.good + run.day.bad;
    let latency = &figures.latency_ms;
    let (good_sent, applied) = (grouped(run.day.good), grouped(applied));
    let pace = format!("{} transactions/s, the outage included", grouped(figures.tx_per_s));
    vec![
        line("set-up applied", set_up.clone().unwrap_or("all".into()), set_up.is_none()),
        line("payments submitted / applied", format!("{good_sent} / {applied}{good}"), good_ok),
        line("bad attempts turned down", format!("{}, {bad}", grouped(sent)), bad_ok),
        line("throughput", pace, figures.tx_per_s > 0),
        line(
            "acknowledged within",
            format!("p50 {} ms, p99 {} ms", latency.p50, latency.p99),
            answered,
        ),
    ]
}

fn outage(figures: &Figures, run: &Run) -> Vec<Checked> {
    let outage = &run.outage;
    let flight = format!("node {}, {} items in flight", outage.node, grouped(outage.in_flight));
    let (before, after) = (figures.acknowledged_before, figures.acknowledged_after);
    let both = format!("{} / {}", grouped(before), grouped(after));
    let ms = figures.leaderless_ms;
    let again = format!("{} s", tenths(ms.into()));
    let back = format!("node {} caught up in {} ms", outage.node, figures.caught_up_ms);
    vec![
        line("leader killed (SIGKILL)", flight, outage.in_flight > 0),
        line("acknowledged before / after", both, before > 0 && after > 0),
        line("writes worked again after", again, ms <= LEADERLESS_MS_MAX),
        line("killed node back and equal", back, figures.roots_equal),
    ]
}

fn outside(figures: &Figures, seen: &Seen) -> Vec<Checked> {
    let lost = format!("{} of {} verdicts", figures.lost, grouped(seen.acknowledged));
    let wrong: u64 = seen.nodes.iter().map(|n| n.2).sum();
    let wallets = seen.wallets.clone().unwrap_or("all as in the generator's books".into());
    vec![
        line("lost on any node", lost, figures.lost == 0 && seen.acknowledged > 0),
        line("duplicated on any node", figures.duplicated.to_string(), figures.duplicated == 0),
        line("statuses asked of every node", format!("{wrong} differ"), wrong == 0),
        line("wallets", wallets, seen.wallets.is_none()),
    ]
}

fn audit(figures: &Figures, seen: &Seen) -> Vec<Checked> {
    let audit = &seen.audit;
    let size = format!("{} leaves in {} blocks", grouped(audit.size), grouped(audit.blocks));
    let verified = format!("{} in {} s", grouped(audit.signatures), figures.audit.seconds);
    let bad = audit.void.get("bad_signature").copied().unwrap_or_default();
    let root = format!("{}…", audit.root.chars().take(16).collect::<String>());
    let signed: Vec<&str> = audit.validators.iter().map(|v| v.organisation.as_str()).collect();
    let outstanding = |instrument| {
        let line = audit.supply.iter().find(|line| line.instrument == instrument);
        line.map_or(0, |line| line.outstanding.0)
    };
    let supply = format!(
        "{} and {} points, per instrument and lot",
        yen(outstanding(institutions::money())),
        grouped(outstanding(institutions::points()))
    );
    vec![
        line("log", size, figures.audit.ok),
        line("audit: signatures verified", verified, audit.signatures > figures.committed),
        line("audit: ordered with a bad signature", bad.to_string(), bad == 0),
        line("one root on all nodes", root, figures.roots_equal),
        line("checkpoints agreed", signed.join(", "), seen.all_signed()),
        line("supply conserved", supply, figures.supply_conserved),
    ]
}
