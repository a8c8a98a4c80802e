//! Liars in the simulator: each kind of lie leaves evidence in the hands of the others, which verifies offline
//! and names the liar; and where nobody lies, nobody is named, whatever else goes wrong.

#![allow(clippy::unwrap_used)]

use musubi_ledger::evidence::{Kind, Signs};
use musubi_testnet::sim::{Found, Malice, STEPS, Simulator};

/// The liar of every run.
const LIAR: u64 = 1;

/// The evidence that a lie must leave behind, and the key that it must name.
fn kind(malice: Malice) -> (Kind, Signs) {
    match malice {
        Malice::DoubleBatch => (Kind::DoubleBatch, Signs::Log),
        Malice::BadItem => (Kind::BadItem, Signs::Log),
        Malice::TwoRoots => (Kind::TwoRoots, Signs::Log),
        Malice::Rewritten => (Kind::Rewritten, Signs::Log),
        Malice::TwoCosignatures => (Kind::TwoRoots, Signs::Cosignatures),
    }
}

#[test]
fn every_lie_is_evident_to_honest_nodes_and_names_the_liar_alone() {
    let simulator = Simulator::new();
    for malice in Malice::ALL {
        let (mut evident, mut of_kind, mut everywhere) = (0, 0, 0);
        let right = |found: &Found| (found.finding.kind, found.finding.who.signs) == kind(malice);
        for seed in 1..=20 {
            let run = simulator.run_watched(seed, STEPS, Some(malice)).unwrap();
            assert_eq!(run.violation, None, "{} seed {seed}\n{}", malice.name(), run.options);
            for found in &run.found {
                assert_eq!(found.finding.who.node.unwrap().0, LIAR);
                assert_ne!(found.by, LIAR);
                // Who signs one history as the log, and cosigns two, is guilty as cosigner alone.
                let alone = malice != Malice::TwoCosignatures
                    || found.finding.who.signs == Signs::Cosignatures;
                assert!(alone, "{}: {}", malice.name(), found.finding);
                // From the file alone, with nothing but the genesis document.
                let known = simulator.suspects(run.options.validators);
                let again = musubi_ledger::evidence::verify(&found.bytes, &known).unwrap();
                assert_eq!(again, found.finding);
            }
            let holders: std::collections::BTreeSet<u64> =
                run.found.iter().map(|found| found.by).collect();
            evident += u64::from(!run.found.is_empty());
            everywhere += u64::from(holders.len() + 1 == run.options.validators);
            of_kind += u64::from(run.found.iter().any(right));
        }
        println!("{}: {evident} of 20, everywhere {everywhere}, {of_kind}", malice.name());
        assert!(evident >= 6 && everywhere >= 5, "{}: {evident} seeds", malice.name());
        assert!(of_kind >= 5, "{}: of its own kind in {of_kind} seeds", malice.name());
    }
}

#[test]
fn where_nobody_lies_nobody_is_named() {
    let simulator = Simulator::new();
    for seed in 1..=12 {
        let run = simulator.run_watched(seed, STEPS, None).unwrap();
        assert_eq!(run.violation, None, "seed {seed}\n{}", run.options);
        assert!(run.found.is_empty());
    }
}
