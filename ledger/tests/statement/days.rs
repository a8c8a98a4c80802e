//! Random histories, and statements over random periods of them.

use musubi_ledger::{
    lot::OriginKind,
    proof::statement::Statement,
    wallet::{LotBalance, Wallet},
};
use proptest::prelude::*;

use crate::common::*;
use crate::policies;

const HOLDERS: [&str; 4] = ["alice", "bob", "carol", "shop"];

/// A payment or a gift of points between two of [`HOLDERS`], after a pause.
type Step = (u8, usize, usize, u64);

fn pause(choice: u8) -> u64 {
    match choice {
        0..=149 => 0,
        150..=219 => 7 * 3_600_000,
        220..=245 => DAY,
        _ => 9 * DAY,
    }
}

/// Plays a history: blocks of up to three steps.
pub(crate) fn play(steps: &[Step]) -> World {
    let mut world = World::with_past();
    for holder in &HOLDERS[..3] {
        world.fund(holder, "MEBUKU", 50_000);
    }
    for group in steps.chunks(3) {
        world.now = world.now.plus(pause(group[0].0));
        let mut transactions = Vec::new();
        for &(_, from, to, amount) in group {
            let (from, to) = (HOLDERS[from % 3], HOLDERS[to % 4]);
            if amount % 5 == 0 {
                // Points expire by themselves: lines without a transaction.
                world.issue(from, "POINT", amount, OriginKind::Free, 3);
            } else if from != to {
                let payment = pay(from, to, amount);
                let signers = [debit(from), credit(to)];
                transactions.push(world.transaction(from, payment, &signers));
            }
        }
        world.block(&transactions);
    }
    world.wait(SECOND);
    world
}

fn lots(wallet: Option<&Wallet>) -> Vec<LotBalance> {
    wallet.map_or_else(Vec::new, |wallet| wallet.lots.clone())
}

/// What must be proved, read off the past that keeps everything.
fn check(world: &World, statement: &Statement) {
    let bytes = statement.encode();
    assert_eq!(&Statement::decode(&bytes).unwrap(), statement, "one spelling");
    let proven = statement.verify(&policies()).unwrap_or_else(|e| panic!("{e}: {statement:#?}"));
    let past = world.past();
    let before = |time| (0..past.seals()).rev().find(|at| past.seal(*at).time < time);
    let party = statement.party;
    let at = |time| before(time).and_then(|seal| past.wallet(seal, &party));
    assert_eq!(proven.opening, lots(at(statement.from)));
    assert_eq!(proven.closing, lots(at(statement.to)));
    let expected = past.leaves(&party, statement.from, statement.to);
    assert_eq!(proven.lines.len(), expected.len());
    for (line, entry) in proven.lines.iter().zip(expected) {
        assert_eq!(
            (line.index, &line.leaf, &line.outcome),
            (entry.index, &entry.leaf, &entry.outcome)
        );
        assert_eq!(line.transaction.is_some(), entry.item.is_some());
    }
    let last = past.seal(past.seals() - 1).time;
    assert_eq!(proven.proven_until, statement.to.min(last.plus(1)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_period_of_every_history_is_proved(
        steps in proptest::collection::vec((any::<u8>(), 0..4usize, 0..4usize, 1..400u64), 3..24),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3u64), 1..6),
    ) {
        let world = play(&steps);
        let past = world.past();
        for (one, two, jitter) in cuts {
            let (one, two) = (one.index(past.seals()), two.index(past.seals()));
            let (first, last) = (one.min(two), one.max(two));
            // Right at a block's time, a moment before, a moment behind.
            let from = Time(past.seal(first).time.0 - 1 + jitter);
            let to = Time(past.seal(last).time.0 + jitter);
            for holder in HOLDERS {
                let party = id(holder);
                if past.wallet(past.seals() - 1, &party).is_none() {
                    continue;
                }
                let shuts = |at: usize| past.wallet(at, &party).is_some();
                let closes = (0..past.seals()).rev().find(|at| past.seal(*at).time < to);
                // Nothing can be said of a time that the log has not reached.
                let reached = past.seal(past.seals() - 1).time >= from;
                if !closes.is_some_and(shuts) || from >= to || !reached {
                    continue;
                }
                check(&world, &past.statement(&party, from, to, Closing::Before));
                if past.leaves(&party, to, Time(u64::MAX)).is_empty() {
                    check(&world, &past.statement(&party, from, to, Closing::Last));
                }
            }
        }
    }
}
