//! The tester tested: each planted bug must be caught within a bounded number of seeds.

#![allow(clippy::unwrap_used)]

mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use musubi_consensus::Planted;
use world::World;

/// The first seed under which the world, or an assert of the replica, notices.
fn caught(planted: Planted, seeds: u64) -> (u64, String) {
    for seed in 0..seeds {
        let run = || {
            World::new(seed, 3, |config| config.planted = Some(planted))
                .and_then(|mut world| world.run(12_000))
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(_)) => (),
            Ok(Err(violation)) => return (seed, violation),
            Err(_) => return (seed, "an assert of the replica".into()),
        }
    }
    panic!("{planted:?} went unnoticed through {seeds} seeds");
}

#[test]
fn every_planted_bug_is_caught_for_what_it_is() {
    let bugs = [
        (Planted::AckBeforePersist, "I14"),
        (Planted::VoteNotPersisted, "I14"),
        (Planted::ExecuteTwice, "I10"),
        (Planted::SkipAfterRestart, "I10"),
        (Planted::KeepConflictingTail, ""),
        (Planted::CommitBeforePersist, "durable copies"),
    ];
    for (planted, sign) in bugs {
        let (seed, violation) = caught(planted, 400);
        println!("{planted:?}: seed {seed}: {violation}");
        assert!(violation.contains(sign), "{planted:?} was noticed as: {violation}");
    }
}
