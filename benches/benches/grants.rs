//! A bulk grant's line against a plain transfer: blocks of both on one ledger, in turns within one run, by CPU time. Medians
//! of all rounds: of judging, leaves and digests, and of the whole with the checks of signatures and proofs.
#![allow(missing_docs)]

use musubi_benches::town::{Payment, Town};
use musubi_ledger::{execute::check_items, genesis::RULES_VERSION};
use rustix::time::{ClockId, clock_gettime};

const LINES: usize = 640;
const ROUNDS: usize = 60;

fn cpu_ns() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// CPU nanoseconds of one block: with the checks of signatures, and without.
fn block(town: &mut Town, items: Vec<Vec<u8>>) -> (i64, i64) {
    let batch = town.batch(items);
    let start = cpu_ns();
    let checked = check_items(&batch.chain, RULES_VERSION, &batch.items, &|_| false);
    let judged = cpu_ns();
    let executed = town.chain.execute(&town.state, &batch, [0; 32], &checked);
    let end = cpu_ns();
    assert!(executed.items.iter().all(|item| item.code.name() == "applied"));
    let posted = executed.entries.iter().map(|entry| entry.outcome.postings.len()).sum::<usize>();
    assert!(posted >= 2 * LINES, "every line and every transfer moves something");
    town.state.apply(&executed.changes);
    (end - start, end - judged)
}

fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[values.len() / 2]
}

fn main() {
    let mut town = Town::new(1_000, 100);
    let mut took: [Vec<(i64, i64)>; 2] = Default::default();
    for round in 0..ROUNDS + 2 {
        let payments = town.payments(LINES, Payment::BothSign);
        let paid = block(&mut town, payments);
        let chunks = town.grants(LINES);
        let granted = block(&mut town, chunks);
        // The first ones warm up.
        if round >= 2 {
            took[0].push(paid);
            took[1].push(granted);
        }
    }
    let of = |at: usize| {
        let (whole, judged): (Vec<i64>, Vec<i64>) = took[at].iter().copied().unzip();
        (median(whole), median(judged))
    };
    let per = |ns: i64| ns / i64::try_from(LINES).unwrap_or(1);
    let (transfer, line) = (of(0), of(1));
    let ratio = |a: i64, b: i64| format!("{}.{:03}", a / b, a % b * 1_000 / b);
    println!("transfer: {} ns judged, {} ns with signatures", per(transfer.1), per(transfer.0));
    println!(
        "line of a run: {} ns judged ({}x), {} ns with signatures ({}x)",
        per(line.1),
        ratio(line.1, transfer.1),
        per(line.0),
        ratio(line.0, transfer.0),
    );
}
