//! From what was run and seen to figures, each checked.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Number;

use super::{
    DemoArgs, Run, bad, checks,
    figures::{Audit, Figures, FinalMs},
    look::Seen,
};
use crate::load::{Delivered, Place, latency, percentiles, tenths};

/// Puts the figures together and checks them.
#[must_use]
pub(super) fn report(args: &DemoArgs, run: &Run, seen: &Seen) -> Figures {
    let judged = |place| run.delivered.iter().filter(move |d| d.answer.place == place);
    let replays = run.delivered.iter().filter(|d| d.item.kind == "replay").count() as u64;
    let committed =
        (judged(Place::Applied).count() + judged(Place::Rejected).count()) as u64 - replays;
    let outage = &run.outage;
    let good = || judged(Place::Applied).filter(|d| bad::kind(&d.item).is_none());
    let before = |d: &&Delivered| d.answer.acked < outage.killed;
    let mut figures = Figures {
        payments: args.payments,
        seed: args.seed,
        committed,
        tx_per_s: per_second(committed, run.day.seconds),
        kinds: count(good().map(|d| d.item.kind)),
        rejected: count(judged(Place::Rejected).map(|d| d.answer.code.clone())),
        bad_attempts: bad::attempts(&run.delivered),
        latency_ms: latency(&run.delivered),
        leaderless_ms: millis(outage.leaderless),
        killed_node: outage.leader.node,
        killed_term: outage.leader.term,
        successor_node: outage.successor.node,
        successor_term: outage.successor.term,
        in_flight_at_kill: outage.in_flight,
        acknowledged_before: good().filter(before).count() as u64,
        acknowledged_after: good().filter(|d| !before(d)).count() as u64,
        caught_up_ms: millis(outage.caught_up),
        lost: seen.nodes.iter().map(|n| n.lost).sum(),
        duplicated: seen.nodes.iter().map(|n| n.twice).sum(),
        unexplained: seen.nodes.iter().map(|n| n.unexplained.len() as u64).sum(),
        contradicted: seen.contradicted.len() as u64,
        supply_conserved: seen.supply.is_ok() && seen.wallets.is_none(),
        roots_equal: seen.logs_equal && seen.standing.apart.is_none() && seen.root_recomputed(),
        replicas: seen.replicas.count as u64,
        replicas_equal: (seen.replicas.count > 0).then_some(seen.replicas.apart.is_none()),
        final_share: share(seen.finality.covered, seen.finality.payments),
        final_ms: FinalMs {
            all: percentiles(&seen.finality.all),
            apart_from_outage: percentiles(&seen.finality.apart),
        },
        proofs_verified: seen.proofs.verified,
        statements_proven: seen.statements.proven,
        evidence_caught: seen.drill.caught(),
        consent_forms: seen
            .audit
            .as_ref()
            .map_or_else(|_| BTreeMap::new(), |a| a.consent_forms.clone()),
        audit: audit(seen),
        story: run.story.lines.clone(),
        checks: Vec::new(),
        seconds: run.begun.elapsed().as_secs(),
    };
    figures.checks = checks::all(&figures, run, seen);
    figures
}

/// The audit's figures, also of one that failed.
#[must_use]
pub(super) fn audit(seen: &Seen) -> Audit {
    let report = seen.audit.as_ref();
    Audit {
        ok: seen.all_signed(),
        entries: report.map_or(0, |a| a.size),
        signatures: report.map_or(0, |a| a.signatures),
        seconds: tenths(seen.audit_took.as_millis()),
        problem: report.err().cloned(),
    }
}

/// So many in that time, per second.
#[must_use]
pub(super) fn per_second(many: u64, time: Duration) -> u64 {
    let micros = time.as_micros().max(1);
    u64::try_from(u128::from(many) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// A part of a whole with four decimals, rounded down: 1 only if it is all of it. Nothing of nothing is 0.
#[must_use]
pub(super) fn share(part: u64, whole: u64) -> Number {
    let parts = u128::from(part) * 10_000 / u128::from(whole.max(1));
    let text = format!("{}.{:04}", parts / 10_000, parts % 10_000);
    text.parse().expect("digits, a point and digits")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Counts by a name.
fn count<K: Ord>(names: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}
