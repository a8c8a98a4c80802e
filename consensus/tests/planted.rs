//! The tester tested: each planted bug must be caught within a bounded number of seeds.

#![allow(clippy::unwrap_used)]

mod world;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use musubi_consensus::Planted;
use world::World;

/// What an assert of the replica, or of storage, says.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}

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
            Err(panic) => return (seed, text_of(&*panic)),
        }
    }
    panic!("{planted:?} went unnoticed through {seeds} seeds");
}

#[test]
fn every_planted_bug_is_caught_for_what_it_is() {
    let bugs = [
        (Planted::AckBeforePersist, ["I14"].as_slice()),
        (Planted::VoteNotPersisted, &["I14"]),
        (Planted::ExecuteTwice, &["I10"]),
        (Planted::SkipAfterRestart, &["I10"]),
        // A candidate speaks of a log that its disk does not hold, or a restart finds the old tail behind
        // newer entries.
        (Planted::KeepConflictingTail, &["a candidacy for another log", "the log is broken"]),
        (Planted::CommitBeforePersist, &["durable copies"]),
    ];
    for (planted, signs) in bugs {
        let (seed, violation) = caught(planted, 400);
        println!("{planted:?}: seed {seed}: {violation}");
        let named = signs.iter().any(|sign| violation.contains(sign));
        assert!(named, "{planted:?} was noticed as: {violation}");
    }
}
