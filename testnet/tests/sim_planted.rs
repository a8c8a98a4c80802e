//! The simulator tested: each planted bug is caught within a few seeds, and for what it is.

#![allow(clippy::unwrap_used)]

use musubi_testnet::sim::{
    Bug, STEPS, Simulator,
    command::{Seeds, first_catch},
};

/// How the oracle may name a bug. An assert of the code under test catches it too.
fn signs(bug: Bug) -> &'static [&'static str] {
    match bug {
        Bug::AckBeforePersist | Bug::VoteNotPersisted | Bug::ReportBeforeSync => &["I14"],
        Bug::ExecuteTwice | Bug::SkipAfterRestart | Bug::AppliedIndexLags => &["I7"],
        Bug::KeepConflictingTail => &["I21", "I15", "I2"],
        Bug::LeadWithHungDisk => &["I24"],
        Bug::BelieveTheForgetful => &["I25"],
        Bug::CommitBeforePersist => &["I8", "I14"],
        Bug::AppliedWithoutBlock => &["I15"],
        Bug::ClockInExecution => &["I17"],
        Bug::HashMapOrder | Bug::VerdictByNode => &["I4"],
        Bug::SupplyNotUpdated => &["I5"],
        Bug::VerdictForgotten => &["I7", "I15"],
        Bug::AckBeforeCommit => &["I8"],
        Bug::CosignUnexecuted | Bug::CosignBeforePersist | Bug::CosignBetweenSeals => &["I27"],
        // Who forgets what it has signed does not send it again either: on a quiet network nothing becomes final there.
        Bug::CosignForgotten => &["I27", "I24"],
        Bug::OrganisationTwice | Bug::PolicyUntold => &["I28"],
    }
}

#[test]
fn every_planted_bug_is_caught_for_what_it_is() {
    let simulator = Simulator::new();
    for bug in Bug::ALL {
        let caught = first_catch(&simulator, bug, Seeds { from: 1, to: 60 }, STEPS).unwrap();
        let run = caught.unwrap_or_else(|| panic!("{} escapes 60 seeds", bug.name()));
        let violation = run.violation.unwrap();
        println!("{}: seed {}: {}", bug.name(), run.options.seed, violation.invariant);
        let invariant = violation.invariant.split(' ').next().unwrap();
        assert!(signs(bug).contains(&invariant), "{}: {violation:?}", bug.name());
        // Without the bug the very same seed holds.
        let clean = simulator.run(run.options.seed, STEPS, None, None).unwrap();
        assert_eq!(clean.violation, None);
    }
}
