//! The table's lines: each figure with the condition that it must meet. Those about replicas and proof are in
//! `proof`.

mod proof;

use std::time::Duration;

use musubi_sdk::audit::Report;

use super::{
    Run, bad, describe,
    figures::{Checked, Figures},
    look::Seen,
    report::per_second,
    supply::outstanding,
    words::{grouped, yen},
};
use crate::{
    city::institutions,
    load::{Delivered, PATIENCE, percentile, tenths},
};

/// Longest time without working writes that a killed leader may cause.
const LEADERLESS_MS_MAX: u64 = 5_000;
/// All lines, in the order of the table.
pub(super) fn all(figures: &Figures, run: &Run, seen: &Seen) -> Vec<Checked> {
    let mut checks = day(figures, run);
    checks.push(pace(figures, run.day.seconds, run.outage.leaderless));
    checks.push(waiting(&run.delivered, figures));
    checks.extend(outage(figures));
    checks.extend(outside(figures, seen));
    checks.extend(audited(figures, seen));
    checks.extend(proof::all(figures, seen));
    checks
}

fn line(name: &'static str, value: impl Into<String>, ok: bool) -> Checked {
    Checked { name, value: value.into(), ok }
}

/// A line that shows `good`, or what is wrong.
fn verdict(name: &'static str, good: impl Into<String>, wrong: Option<String>) -> Checked {
    let ok = wrong.is_none();
    line(name, wrong.unwrap_or(good.into()), ok)
}

fn day(figures: &Figures, run: &Run) -> Vec<Checked> {
    let applied: u64 = figures.kinds.values().sum();
    let sent: u64 = figures.bad_attempts.iter().map(|b| b.sent).sum();
    let of_kind =
        |bad: bool| run.delivered.iter().filter(move |d| bad::kind(&d.item).is_some() == bad);
    let mut good = of_kind(false).filter(|d| !bad::as_expected(d)).map(describe);
    let mut bad = of_kind(true).filter(|d| !bad::as_expected(d)).map(describe);
    let mut set_up = run.set_up.iter().filter(|d| !bad::as_expected(d)).map(describe);
    let both = format!("{} / {}", grouped(run.day.good), grouped(applied));
    let wrong_good = good.next().or((run.day.good != applied).then(|| both.clone()));
    let all_kinds = figures.bad_attempts.iter().all(|b| b.sent > 0);
    let missing = format!("{sent} sent of {}, or a kind was left out", run.day.bad);
    let wrong_bad = bad.next().or((sent != run.day.bad || !all_kinds).then_some(missing));
    let turned_down = format!("{}, each with its code in its place", grouped(sent));
    let registered = format!("all {}", grouped(run.set_up.len() as u64));
    vec![
        verdict("set-up applied", registered, set_up.next()),
        verdict("payments submitted / applied", both, wrong_good),
        verdict("bad attempts turned down", turned_down, wrong_bad),
    ]
}

fn pace(figures: &Figures, day: Duration, leaderless: Duration) -> Checked {
    let apart = per_second(figures.committed, day.saturating_sub(leaderless));
    let (all, apart_text) = (grouped(figures.tx_per_s), grouped(apart));
    let value = format!("{all} transactions/s, {apart_text} apart from the outage");
    // How fast is a benchmark's question, not one that a busy machine may fail; that it worked is ours.
    line("throughput", value, apart > 0)
}

fn waiting(delivered: &[Delivered], figures: &Figures) -> Checked {
    let latency = &figures.latency_ms;
    let value = format!("p50 {} ms, p99 {} ms", latency.p50, latency.p99);
    let (p50, p99) = (percentile(delivered, 50), percentile(delivered, 99));
    line("acknowledged within", value, p50 <= p99 && p99 <= PATIENCE)
}

fn outage(figures: &Figures) -> Vec<Checked> {
    let (killed, successor) = (figures.killed_node, figures.successor_node);
    let (old, new) = (figures.killed_term, figures.successor_term);
    let in_flight = grouped(figures.in_flight_at_kill);
    let flight = format!("node {killed}, leader of term {old}, {in_flight} items in flight");
    let next = format!("node {successor}, leader of term {new}");
    let (before, after) = (figures.acknowledged_before, figures.acknowledged_after);
    let both = format!("{} / {}", grouped(before), grouped(after));
    let ms = figures.leaderless_ms;
    let back = format!("node {killed} caught up in {} ms", figures.caught_up_ms);
    vec![
        line("leader killed (SIGKILL)", flight, figures.killed_term > 0),
        line("another leader took over", next, successor != killed && new > old),
        line("acknowledged before / after", both, before > 0 && after > 0),
        line(
            "writes worked again after",
            format!("{} s", tenths(ms.into())),
            ms <= LEADERLESS_MS_MAX,
        ),
        line("killed node back and equal", back, figures.roots_equal),
    ]
}

fn outside(figures: &Figures, seen: &Seen) -> Vec<Checked> {
    let lost = format!("{} of {} verdicts", figures.lost, grouped(seen.acknowledged));
    let twofold = seen.contradicted.first().map(|id| format!("{id} was told two"));
    let strange = seen.nodes.iter().find_map(|node| node.unexplained.first());
    let strange = strange.map(|id| format!("{}, such as {id}", figures.unexplained));
    let wrong: u64 = seen.nodes.iter().map(|n| n.statuses).sum();
    let lost_none = figures.lost == 0 && seen.acknowledged == seen.told.judged();
    vec![
        line("lost on any node", lost, lost_none),
        line("duplicated on any node", figures.duplicated.to_string(), figures.duplicated == 0),
        verdict("unexplained entries on any node", "0", strange),
        verdict("one verdict per id", "everywhere", twofold),
        line("statuses asked of every node", format!("{wrong} differ"), wrong == 0),
        verdict("wallets", "all as in the generator's books", seen.wallets.clone()),
    ]
}

/// What rests on the audit; if there is none, that is a line too.
fn audited(figures: &Figures, seen: &Seen) -> Vec<Checked> {
    let mut checks = match &seen.audit {
        Ok(report) => audit(figures, seen, report),
        Err(problem) => vec![line("audit", problem.as_str(), false)],
    };
    checks.extend(agreement(figures, seen));
    checks
}

fn audit(figures: &Figures, seen: &Seen, audit: &Report) -> Vec<Checked> {
    let size = format!("{} leaves in {} blocks", grouped(audit.size), grouped(audit.blocks));
    let applied: u64 = audit.kinds.values().sum();
    let rejected: u64 = audit.rejected.values().sum();
    let judged = format!("{} applied, {} rejected, as told", grouped(applied), grouped(rejected));
    let verified =
        format!("{} in {} s, all that were sent", grouped(audit.signatures), figures.audit.seconds);
    let bad = audit.void.get("bad_signature").copied().unwrap_or_default();
    let signed: Vec<&str> = audit.validators.iter().map(|v| v.organisation.as_str()).collect();
    vec![
        line("audit", size, figures.audit.ok),
        verdict("audit: verdicts", judged, seen.told.verdicts(audit).err()),
        verdict("audit: signatures verified", verified, seen.told.signatures(audit).err()),
        line("audit: ordered with a bad signature", bad.to_string(), bad == 0),
        line("checkpoints agreed", signed.join(", "), seen.all_signed()),
    ]
}

fn agreement(figures: &Figures, seen: &Seen) -> Vec<Checked> {
    let root = hex::encode(&seen.standing.root[..8]);
    let wrong_root = seen.standing.apart.clone().or_else(|| match figures.roots_equal {
        true => None,
        false if !seen.logs_equal => Some("the logs differ".into()),
        false => Some(format!("{root}… is not what an audit came to")),
    });
    let money = |audit| yen(outstanding(audit, institutions::money()));
    let points = |audit| grouped(outstanding(audit, institutions::points()));
    let lots = |audit: &Report| audit.supply.iter().map(|line| line.lots.len()).sum::<usize>();
    let supply = seen.audit.as_ref().map_or_else(
        |_| String::new(),
        |a| {
            format!(
                "{} and {} points in {} lots: audit, wallets, books",
                money(a),
                points(a),
                lots(a)
            )
        },
    );
    let wrong_supply = match (&seen.supply, figures.supply_conserved) {
        (Err(wrong), _) => Some(wrong.clone()),
        (Ok(()), true) => None,
        (Ok(()), false) => Some("a wallet differs".into()),
    };
    vec![
        verdict("one root on all nodes", format!("{root}…"), wrong_root),
        verdict("supply conserved", supply, wrong_supply),
    ]
}

#[cfg(test)]
pub(super) mod tests;
