//! A bulk grant's line against a plain transfer: blocks of both on one ledger, in turns within one run, by CPU time. Medians
//! of all rounds: of judging, leaves and digests, and of the whole with the checks of signatures and proofs.
#![allow(missing_docs)]

use musubi_benches::{
    cpu::{Blocks, ratio},
    town::{Payment, Town},
};

const LINES: usize = 640;
const ROUNDS: usize = 60;

fn main() {
    let mut town = Town::new(1_000, 100);
    let (mut transfers, mut lines) = (Blocks::default(), Blocks::default());
    for round in 0..ROUNDS + 2 {
        // The first ones warm up.
        if round == 2 {
            (transfers, lines) = (Blocks::default(), Blocks::default());
        }
        let payments = town.payments(LINES, Payment::BothSign);
        let chunks = town.grants(LINES);
        for (blocks, items) in [(&mut transfers, payments), (&mut lines, chunks)] {
            let posted = blocks.measure(&mut town, items);
            assert!(posted >= 2 * LINES, "every line and every transfer moves something");
        }
    }
    let (transfer, line) = (transfers.median(LINES), lines.median(LINES));
    println!("transfer: {} ns judged, {} ns with signatures", transfer.judged, transfer.whole);
    println!(
        "line of a run: {} ns judged ({}x), {} ns with signatures ({}x)",
        line.judged,
        ratio(line.judged, transfer.judged),
        line.whole,
        ratio(line.whole, transfer.whole),
    );
}
