//! Whatever anybody makes of what honest nodes signed, it accuses none of them: all pairs of what a history
//! holds, cut up, mixed and altered.

use musubi_ledger::{
    batch::Batch,
    evidence::{BadItem, DoubleBatch, Evidence, Rewritten, SignedBatch, TwoRoots, verify},
};
use proptest::prelude::*;

use crate::scene::*;

/// Batches of an honest history: terms rise, an entry that was replaced is of an earlier term, no place comes
/// twice within a term.
fn batches(cuts: &[(u64, u8, u8)]) -> Vec<Batch> {
    let (mut term, mut leader, mut index) = (1, 1, 1);
    let mut batches = Vec::new();
    for (time, (elects, back, items)) in (1_000..).zip(cuts) {
        if *elects % 4 == 0 {
            // A new leader, perhaps the same node after a crash, whose log lacks some of the last entries.
            term += 1 + elects % 3;
            leader = 1 + elects % 3;
            index -= u64::from(back % 3).min(index - 1);
        }
        let good = payment(true);
        let items: Vec<&[u8]> = (0..items % 3).map(|_| good.as_slice()).collect();
        batches.push(batch(leader, (term, index), time, &items));
        index += 1;
    }
    batches
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pair_of_an_honest_history_verifies(
        cuts in proptest::collection::vec((0u64..12, any::<u8>(), any::<u8>()), 1..12),
    ) {
        let (batches, known) = (batches(&cuts), suspects());
        for one in &batches {
            for other in &batches {
                prop_assert_eq!(Evidence::double_batch(&one.encode(), &other.encode()), None);
                let (first, second) = (SignedBatch::of(one), SignedBatch::of(other));
                let forced = Evidence::DoubleBatch(DoubleBatch { first, second });
                prop_assert!(forced.verify(&known).is_err());
                for item in 0..other.items.len() {
                    let item = other.items[item].clone();
                    let forced = BadItem { batch: SignedBatch::of(one), position: 0, item };
                    prop_assert!(Evidence::BadItem(forced).verify(&known).is_err());
                }
            }
        }
    }

    #[test]
    fn no_two_notes_of_an_honest_history_verify(sizes in proptest::collection::vec((1u64..=3, 1u64..40), 2..8)) {
        let (log, known) = (Log::grown(40, 0, 0), suspects());
        let fork = Log::grown(40, 3, 1);
        let notes: Vec<_> = sizes.iter().map(|(n, s)| (*s, note(*n, *s, log.root(*s), None))).collect();
        for (old, one) in &notes {
            for (new, other) in &notes {
                let two = TwoRoots { first: one.clone(), second: other.clone() };
                prop_assert!(Evidence::TwoRoots(two).verify(&known).is_err());
                if old >= new {
                    continue;
                }
                for from in [&log, &fork] {
                    let (root, proof) = from.proof(*old, *new);
                    let (earlier, later) = (one.clone(), other.clone());
                    let forced = Rewritten { earlier, later, root, proof };
                    prop_assert!(Evidence::Rewritten(forced).verify(&known).is_err());
                }
            }
        }
    }

    /// Of real evidence against node 3, altered anyhow: it shows the same, or nothing, and never anybody else.
    #[test]
    fn altered_evidence_accuses_nobody_else(
        which in 0usize..4,
        changes in proptest::collection::vec((any::<usize>(), any::<u8>(), any::<bool>()), 0..4),
    ) {
        let (told, kept) = (Log::grown(20, 11, 1), Log::grown(40, 0, 0));
        let who = suspect(3, false);
        let (earlier, later) = (note(3, 13, told.root(13), None), note(3, 29, kept.root(29), None));
        let evidence = [
            Evidence::double_batch(&batch(3, (4, 7), 1, &[]).encode(), &batch(3, (4, 7), 2, &[]).encode()),
            Evidence::bad_item(&batch(3, (4, 7), 1, &[&payment(false)]), 0),
            Evidence::two_roots(&who, &note(3, 13, [1; 32], None), &earlier),
            Evidence::rewritten(&who, &earlier, &later, kept.proof(13, 29)),
        ];
        let mut bytes = evidence[which].as_ref().unwrap().encode();
        for (at, what, flips) in &changes {
            let at = at % bytes.len();
            bytes[at] = if *flips { bytes[at] ^ what } else { *what };
        }
        match verify(&bytes, &suspects()) {
            Ok(finding) => prop_assert_eq!(finding.who, who),
            Err(error) => prop_assert!(!changes.is_empty(), "{error}"),
        }
    }
}
