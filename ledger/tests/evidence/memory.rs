//! Who contradicts itself is noticed by whoever hears it, in whatever order.

use musubi_ledger::evidence::{Evidence, Kind, Memory};
use proptest::prelude::*;

use crate::scene::*;

/// The kinds found in these notes, each with its node; all of it verifies.
fn found(memory: &mut Memory, own: &Log, notes: &[String]) -> Vec<(Kind, u64)> {
    let mut evidence = Vec::new();
    for note in notes {
        evidence.extend(memory.take(note, own).evidence);
    }
    kinds(&evidence)
}

fn kinds(evidence: &[Evidence]) -> Vec<(Kind, u64)> {
    let known = suspects();
    let of = |evidence: &Evidence| {
        let finding = evidence.verify(&known).unwrap();
        (finding.kind, finding.who.node.unwrap().0)
    };
    evidence.iter().map(of).collect()
}

fn memory() -> Memory {
    Memory::new(ORIGIN.into(), suspects())
}

#[test]
fn another_root_at_a_size_signed_before_is_evidence() {
    let own = Log::grown(20, 0, 0);
    let (good, lie) = (note(2, 9, own.root(9), Some(5)), note(2, 9, [9; 32], Some(6)));
    for notes in [[good.clone(), lie.clone()], [lie, good]] {
        let both = found(&mut memory(), &own, &notes);
        // By its node key and by its cosigner's.
        assert_eq!(both, [(Kind::TwoRoots, 2), (Kind::TwoRoots, 2)]);
    }
}

#[test]
fn a_root_that_is_not_the_own_logs_waits_for_what_contradicts_it() {
    let own = Log::grown(40, 0, 0);
    let mut memory = memory();
    let taken = memory.take(&note(3, 13, [9; 32], None), &own);
    assert!(taken.contradicts && taken.evidence.is_empty(), "one signature shows nothing");
    assert_eq!(found(&mut memory, &own, &[note(3, 8, own.root(8), None)]), [], "it is older");
    assert_eq!(found(&mut memory, &own, &[note(2, 29, own.root(29), None)]), [], "another's");
    let later = [note(3, 29, own.root(29), None), note(3, 30, own.root(30), None)];
    assert_eq!(found(&mut memory, &own, &later), [(Kind::Rewritten, 3)], "told once");
}

#[test]
fn what_came_before_its_leaves_is_compared_when_they_are_here() {
    let whole = Log::grown(40, 0, 0);
    let early = Log::first(&whole, 10);
    let mut memory = memory();
    let notes = [note(3, 13, [9; 32], None), note(3, 29, whole.root(29), None)];
    assert_eq!(found(&mut memory, &early, &notes), []);
    assert!(!memory.look_again(&early).contradicts);
    let taken = memory.look_again(&whole);
    assert!(taken.contradicts);
    assert_eq!(kinds(&taken.evidence), [(Kind::Rewritten, 3)]);
    assert_eq!(memory.look_again(&whole), Default::default());
}

#[test]
fn a_flood_of_notes_is_forgotten_but_the_lie_is_not() {
    let own = Log::grown(300, 0, 0);
    let mut memory = memory();
    memory.take(&note(1, 5, [9; 32], None), &Log::first(&own, 20));
    for size in 21..200 {
        let beyond = memory.take(&note(1, size, own.root(size), None), &Log::first(&own, 20));
        assert_eq!(beyond, Default::default());
    }
    let found = found(&mut memory, &own, &[note(1, 200, own.root(200), None)]);
    assert_eq!(found, [(Kind::Rewritten, 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Honest validators, each behind by some leaves, heard in any order by a node that is behind too.
    #[test]
    fn honest_signers_give_no_evidence(said in proptest::collection::vec((1u64..=3, 1u64..60, any::<bool>(), 1u64..60), 1..40)) {
        let log = Log::grown(60, 0, 0);
        let (mut memory, mut own) = (memory(), 1);
        for (node, size, cosigned, executed) in said {
            own = own.max(executed);
            let behind = Log::first(&log, own);
            let taken = memory.take(&note(node, size, log.root(size), cosigned.then_some(size)), &behind);
            prop_assert_eq!(taken, Default::default());
            prop_assert_eq!(memory.look_again(&behind), Default::default());
        }
    }

    /// Node 3 tells a fork here and the truth there: only node 3 is ever named, and once both were heard
    /// at fitting sizes it is.
    #[test]
    fn a_liar_among_honest_signers_is_the_only_one_named(
        said in proptest::collection::vec((1u64..=3, 1u64..60, any::<bool>()), 1..40),
        parts_at in 0u64..50,
    ) {
        let (log, fork) = (Log::grown(60, 0, 0), Log::grown(60, parts_at, 1));
        let mut memory = memory();
        let (mut lies, mut evident) = (Vec::new(), false);
        for (node, size, lie) in said {
            let lies_now = node == 3 && lie && size > parts_at;
            let root = if lies_now { fork.root(size) } else { log.root(size) };
            let taken = memory.take(&note(node, size, root, None), &log);
            if lies_now {
                lies.push(size);
            } else if node == 3 && lies.iter().take(8).any(|lie| *lie < size) {
                evident = true;
            }
            let found = kinds(&taken.evidence);
            prop_assert!(found.iter().all(|(_, node)| *node == 3), "{found:?}");
            if !found.is_empty() {
                return Ok(());
            }
            prop_assert!(!evident, "a lie and a later truth, and nothing is noticed");
        }
    }
}
