#![allow(clippy::unwrap_used)]
//! Each figure has a way not to hold, and is shown then: never a panic, never silence.

use std::{collections::BTreeMap, time::Instant};

use musubi_ledger::{
    hash::sha256,
    id::{ChainId, TxId},
    time::Time,
};
use musubi_sdk::audit::{Agreement, Covered};

use super::{
    super::{
        drill::Drill,
        figures::{Audit, FinalMs, tables},
        finality::Finality,
        look::Node,
        proofs::Proofs,
        replicas::Replicas,
        standing::Standing,
        statements::Statements,
        told::Told,
    },
    *,
};
use crate::{
    item::{Expected, Item},
    load::{Answer, Latency, Place},
};

/// An audit that found nothing wrong with a log of nine leaves.
pub(in crate::demo) fn report() -> Report {
    let organisations = ["city", "operator", "partner"];
    let validators = (1..).zip(organisations).map(|(node, organisation)| Agreement {
        node,
        organisation: organisation.into(),
        size: 9,
        height: 3,
    });
    let covered = Covered { size: 9, height: 3, time: Time(1), blocks_beyond: 0 };
    Report {
        chain: ChainId([1; 32]),
        pinned: false,
        origin: "test".into(),
        height: 3,
        time: Time(1),
        size: 9,
        root: hex::encode([7; 32]),
        state: String::new(),
        blocks: 3,
        items: 0,
        transactions: 0,
        system: 0,
        signatures: 0,
        kinds: BTreeMap::new(),
        rejected: BTreeMap::new(),
        void: BTreeMap::new(),
        consent_forms: BTreeMap::new(),
        supply: Vec::new(),
        validators: validators.collect(),
        covered_by_majority: covered,
        covered_by_all: Some(covered),
        tiles: 0,
        final_checkpoint: None,
        checkpoint: String::new(),
        kept: Vec::new(),
        recoveries: Vec::new(),
        resumed: None,
        warnings: Vec::new(),
    }
}

pub(super) fn seen() -> Seen {
    let node = || Node { lost: 0, twice: 0, unexplained: [].into(), statuses: 0 };
    Seen {
        standing: Standing { size: 9, root: [7; 32], apart: None },
        nodes: vec![node(), node(), node()],
        acknowledged: 0,
        contradicted: [].into(),
        logs_equal: true,
        wallets: None,
        told: Told::default(),
        audit: Ok(report()),
        audit_took: Duration::from_secs(1),
        replicas: Replicas { count: 0, ..Replicas::default() },
        supply: Ok(()),
        finality: Finality::default(),
        proofs: Proofs::default(),
        statements: Statements::default(),
        drill: Drill::default(),
    }
}

pub(super) fn figures() -> Figures {
    let (entries, signatures, seconds) = (9, 0, tenths(10));
    let ms = |p50| Latency { p50: tenths(p50), p99: tenths(2 * p50) };
    Figures {
        payments: 400,
        seed: 1,
        committed: 400,
        tx_per_s: 400,
        kinds: BTreeMap::new(),
        rejected: BTreeMap::new(),
        bad_attempts: Vec::new(),
        latency_ms: Latency { p50: tenths(1_000), p99: tenths(2_000) },
        leaderless_ms: 1_000,
        killed_node: 1,
        killed_term: 2,
        successor_node: 3,
        successor_term: 3,
        in_flight_at_kill: 50,
        acknowledged_before: 200,
        acknowledged_after: 200,
        caught_up_ms: 100,
        lost: 0,
        duplicated: 0,
        unexplained: 0,
        contradicted: 0,
        supply_conserved: true,
        roots_equal: true,
        replicas: 0,
        replicas_equal: None,
        final_share: super::super::report::share(1, 1),
        final_ms: FinalMs { all: ms(30_000), apart_from_outage: ms(20_000) },
        proofs_verified: 0,
        statements_proven: 0,
        evidence_caught: false,
        consent_forms: BTreeMap::new(),
        audit: Audit { ok: true, entries, signatures, seconds, problem: None },
        story: Vec::new(),
        checks: Vec::new(),
        seconds: 10,
    }
}

/// Names of the lines that do not hold.
pub(super) fn wrong(checks: &[Checked]) -> Vec<&'static str> {
    checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

#[test]
fn the_outage_needs_traffic_and_another_leader_in_a_later_term() {
    let with = |change: fn(&mut Figures)| {
        let mut figures = figures();
        change(&mut figures);
        outage(&figures)
    };
    assert!(wrong(&with(|_| {})).is_empty());
    assert_eq!(wrong(&with(|f| f.successor_node = 1)), ["another leader took over"]);
    assert_eq!(wrong(&with(|f| f.successor_term = 2)), ["another leader took over"]);
    assert_eq!(wrong(&with(|f| f.killed_term = 0)), ["leader killed (SIGKILL)"]);
    assert_eq!(wrong(&with(|f| f.acknowledged_after = 0)), ["acknowledged before / after"]);
    assert_eq!(wrong(&with(|f| f.leaderless_ms = 5_001)), ["writes worked again after"]);
    assert_eq!(wrong(&with(|f| f.roots_equal = false)), ["killed node back and equal"]);
}

#[test]
fn a_day_brings_something_and_nobody_waits_beyond_patience() {
    let second = Duration::from_secs;
    assert!(pace(&figures(), second(4), second(2)).ok);
    let none = Figures { committed: 0, ..figures() };
    assert!(!pace(&none, second(4), second(2)).ok);
    let all = |milliseconds: &[u64]| -> Vec<Delivered> {
        let one = |ms: &u64| {
            let expected = Expected::Replay;
            let item = Item { kind: "dues", id: TxId([1; 32]), bytes: Vec::new(), expected };
            let (latency, acked) = (Duration::from_millis(*ms), Instant::now());
            let answer = Answer { code: "applied".into(), place: Place::Applied, latency, acked };
            Delivered { item, answer }
        };
        milliseconds.iter().map(one).collect()
    };
    assert!(waiting(&all(&[10, 2_000, 60_000]), &figures()).ok);
    assert!(!waiting(&all(&[10, 2_000, 60_001]), &figures()).ok);
}

#[test]
fn what_logs_and_journal_tell_differently_is_a_line() {
    let with = |change: fn(&mut Figures, &mut Seen)| {
        let (mut figures, mut seen) = (figures(), seen());
        change(&mut figures, &mut seen);
        let checks = outside(&figures, &seen);
        wrong(&checks)
    };
    assert!(with(|_, _| {}).is_empty());
    assert_eq!(with(|f, _| f.lost = 1), ["lost on any node"]);
    // Fewer or more in the journal than the client counted itself.
    assert_eq!(with(|_, s| s.acknowledged = 1), ["lost on any node"]);
    assert_eq!(with(|f, _| f.duplicated = 1), ["duplicated on any node"]);
    let strange = |_: &mut Figures, s: &mut Seen| s.nodes[2].unexplained = [TxId([1; 32])].into();
    assert_eq!(with(strange), ["unexplained entries on any node"]);
    let twofold = |_: &mut Figures, s: &mut Seen| s.contradicted = [TxId([1; 32])].into();
    assert_eq!(with(twofold), ["one verdict per id"]);
    assert_eq!(with(|_, s| s.nodes[1].statuses = 1), ["statuses asked of every node"]);
    assert_eq!(with(|_, s| s.wallets = Some("empty".into())), ["wallets"]);
}

#[test]
fn an_audit_is_held_against_what_was_told() {
    let (mut figures, mut seen) = (figures(), seen());
    assert!(wrong(&audit(&figures, &seen, &report())).is_empty());
    let mut more = report();
    more.signatures = 1;
    assert_eq!(wrong(&audit(&figures, &seen, &more)), ["audit: signatures verified"]);
    let mut more = report();
    more.kinds = [("transfer".into(), 1)].into();
    assert_eq!(wrong(&audit(&figures, &seen, &more)), ["audit: verdicts"]);
    // One validator's newest checkpoint does not cover the run.
    let mut short = report();
    short.validators[1].size = 8;
    seen.audit = Ok(short.clone());
    figures.audit.ok = seen.all_signed();
    assert_eq!(wrong(&audit(&figures, &seen, &short)), ["audit", "checkpoints agreed"]);
}

#[test]
fn roots_must_be_one_and_recomputed() {
    let mut seen = seen();
    assert!(seen.root_recomputed());
    assert!(wrong(&agreement(&figures(), &seen)).is_empty());
    seen.standing.root = sha256(b"another history");
    assert!(!seen.root_recomputed());
    let unequal = Figures { roots_equal: false, ..figures() };
    assert_eq!(wrong(&agreement(&unequal, &seen)), ["one root on all nodes"]);
    seen.standing.apart = Some("nodes 1 and 2 signed different roots of 9 leaves".into());
    let shown = agreement(&unequal, &seen);
    assert!(shown[0].value.starts_with("nodes 1 and 2 signed"), "{}", shown[0].value);
}

#[test]
fn a_failed_audit_is_shown_with_its_reason_and_written_down() {
    let problem = "differs: leaf 4 at height 2: the verdict";
    let mut seen = seen();
    seen.audit = Err(problem.into());
    seen.supply = Err("there is no audit".into());
    assert!(!seen.all_signed() && !seen.root_recomputed());
    let mut figures = figures();
    (figures.roots_equal, figures.supply_conserved) = (false, false);
    figures.audit = super::super::report::audit(&seen);
    figures.checks = audited(&figures, &seen);
    assert_eq!(wrong(&figures.checks), ["audit", "one root on all nodes", "supply conserved"]);
    assert!(!figures.hold());
    let shown = tables(&figures);
    assert!(shown.contains('✗') && shown.contains(problem), "{shown}");
    let json = serde_json::to_value(&figures).unwrap();
    assert_eq!(json["audit"]["ok"], false);
    assert_eq!(json["audit"]["problem"], problem);
}
