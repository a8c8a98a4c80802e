//! Everything that can be done to a record, one line each, and what the audit must say of it: which entry or
//! leaf, why, and who signed it.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod policies;
mod record;
mod resume;
mod table;

use common::town::{BEGIN, Town, a_day, genesis, node_key};
use musubi_sdk::{
    audit::{AuditError, Findings, Options, Part, Report, Source, run},
    ledger::time::Time,
};
use record::Record;

async fn audit(record: &Record, options: Options) -> Result<Report, AuditError> {
    let folder = tempfile::tempdir().unwrap();
    record.write(folder.path());
    run(Source::directory(folder.path()).unwrap(), options, |_| {}).await
}

fn findings(result: Result<Report, AuditError>) -> Findings {
    match result {
        Err(AuditError::Finding(findings)) => *findings,
        other => panic!("nothing was found: {other:?}"),
    }
}

#[tokio::test]
async fn what_does_not_follow_from_the_first_fault_is_told_too() {
    let mut record = Record::of(a_day());
    let at = record.first_leaf(2);
    record.leaf(at, |leaf| leaf.outcome[0] ^= 1);
    record.seal(4, |seal| seal.state[0] ^= 1);
    let size = record.town.chain.head().size;
    record.notes[2] = record.forged(3, size, [7; 32], &node_key(3));
    let found = findings(audit(&record, record.options()).await);
    let all: Vec<_> = found.iter().map(|f| (f.part, f.height)).collect();
    assert_eq!(
        all,
        [(Part::Leaf, Some(2)), (Part::Seal, Some(4)), (Part::Checkpoint, None)],
        "{found}"
    );
    // There is an end to it.
    let mut record = Record::of(a_day());
    for _ in 0..40 {
        record.town.block(Vec::new());
    }
    let mut record = Record::of(record.town);
    for height in 1..40 {
        record.seal(height, |seal| seal.items += 1);
    }
    let found = findings(audit(&record, record.options()).await);
    assert_eq!(found.iter().count(), Findings::MAX);
}

#[tokio::test]
async fn behind_a_forged_batch_the_others_signatures_are_still_checked() {
    let mut record = Record::of(a_day());
    record.unsigned(2, |batch| drop(batch.items.pop()));
    record.unsigned(5, |batch| batch.time = batch.time.plus(1));
    let found = findings(audit(&record, record.options()).await);
    let all: Vec<_> = found.iter().map(|f| (f.height, f.fault.code())).collect();
    assert_eq!(all, [(Some(2), "differs"), (Some(5), "bad_leader_signature")], "{found}");
}

#[tokio::test]
async fn that_a_test_set_the_clocks_is_told() {
    let mut genesis = genesis();
    genesis.parameters.driven_time = true;
    let mut town = Town::of(genesis);
    town.block(Vec::new());
    let record = Record::of(town);
    let report = audit(&record, record.options()).await.unwrap();
    let codes: Vec<_> = report.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["driven_time", "chain_not_pinned"]);
}

#[tokio::test]
async fn times_are_told_that_nobody_can_prove_wrong() {
    let mut town = a_day();
    town.time = Time(town.time.0 - 5_000);
    town.block(Vec::new());
    let record = Record::of(town);
    let now = Some(Time(BEGIN.0));
    let report = audit(&record, Options { now, ..record.options() }).await.unwrap();
    let codes: Vec<_> = report.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["stamped_late", "time_ahead", "chain_not_pinned"]);
    assert!(report.warnings[0].detail.contains("height 10 by node 1"), "{:?}", report.warnings);
}
