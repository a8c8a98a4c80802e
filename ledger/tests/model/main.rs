//! A second, deliberately simple model of the rules, and random days that both must agree on.
//!
//! The model (`rules.rs`, `consent.rs`, `book.rs`) shares no code with the judge: plain maps, cloned
//! before every item and put back if it fails. It reads the same signed transactions, and predicts for
//! each the code and whether it gets a leaf, and after each block every balance, receivable and key.
//!
//! Covered: every operation. Transfers with every citation, groups' payouts, event budgets with staff,
//! proposals and decisions, payment requests, mandates with all bounds, media that officers or holders
//! enrolled, top-ups, instruments defined and allowances granted meanwhile, corrections, rules put and ended with all that they
//! give, share, cap, carry and take back, documents, dues and cash, holds, offers with rights, codes, prices, stock, caps and lotteries,
//! runs opened, brought in any order and ended, groups that begin,
//! change, get successors and close, refunds (also of redeemed claims), redemptions with answers and
//! time-outs, freezing and lifting, expiry of lots, keys that are added, rotated, revoked or compromised with
//! all that they granted or consented to, recoveries that wait, are cancelled or take effect, registrations,
//! attributes, officers; retries of the same bytes, other signatures under the same body, references used
//! again, wrong, missing, foreign, stale and additional signatures.
//! Never generated: weak keys, more than 32 attributes, a group's debit signed by its representative.
//!
//! What random days rarely meet is written by hand (`scripted.rs`).
//! Every block's state is scanned as a whole (`common/scan.rs`), and every day is executed twice.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod book;
mod consent;
mod generate;
mod rules;
mod scripted;

use common::*;
use generate::{Generator, Step};
use proptest::prelude::*;
use rules::Model;

/// What a day consists of: blocks of steps, and how long each block comes after the one before.
fn day() -> impl Strategy<Value = Vec<(u8, Vec<Step>)>> {
    let step = proptest::array::uniform8(any::<u16>());
    let block = (any::<u8>(), proptest::collection::vec(step, 1..8));
    proptest::collection::vec(block, 1..24)
}

/// How long the next block waits: mostly seconds, sometimes hours, days or weeks.
fn pause(choice: u8) -> u64 {
    match choice {
        0..=199 => SECOND,
        200..=229 => 5 * 3_600_000,
        230..=249 => 3 * DAY,
        _ => 12 * DAY,
    }
}

fn check_block(world: &mut World, model: &mut Model, transactions: &[Transaction]) {
    let codes = world.block(transactions);
    let leaves: Vec<bool> = world.last.items.iter().map(|i| i.leaf.is_some()).collect();
    model.begin_block(&world.last);
    for ((tx, code), leaf) in transactions.iter().zip(codes).zip(leaves) {
        let (predicted, with_leaf) = model.judge(tx);
        assert_eq!((code, leaf), (predicted, with_leaf), "real, model: {tx:#?}");
    }
    model.compare(world);
}

/// Runs a day; tells the codes that came up.
fn run(blocks: &[(u8, Vec<Step>)]) -> Vec<Code> {
    let mut world = World::new();
    let mut twin = World::new();
    generate::register_keyless(&mut world);
    generate::register_keyless(&mut twin);
    for world in [&mut world, &mut twin] {
        world.register("airline", PartyKind::External);
    }
    let mut model = Model::new(&world);
    let mut generator = Generator::new();
    let mut seen = Vec::new();
    let opening = generator.opening(&mut world);
    check_block(&mut world, &mut model, &opening);
    twin.block(&opening);
    generator.learn(&opening, &world);
    for (choice, steps) in blocks {
        world.now = world.now.plus(pause(*choice));
        twin.now = world.now;
        let transactions: Vec<Transaction> =
            steps.iter().map(|step| generator.transaction(&mut world, step)).collect();
        check_block(&mut world, &mut model, &transactions);
        generator.learn(&transactions, &world);
        seen.extend(world.last.items.iter().map(|item| item.code));
        twin.block(&transactions);
        assert_eq!(twin.last.seal, world.last.seal, "INV-9: twice the same");
        assert_eq!(twin.last.root, world.last.root, "INV-9: twice the same");
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_judge_and_the_model_agree(blocks in day()) {
        run(&blocks);
    }
}

/// That the days are worth something: a fixed one meets many different verdicts.
#[test]
fn a_long_day_meets_many_codes() {
    let mut state = 7_u64;
    let mut next = || {
        // Knuth's MMIX generator: any numbers do.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u16::try_from(state >> 48).unwrap()
    };
    let blocks: Vec<(u8, Vec<Step>)> = (0..400)
        .map(|_| {
            let choice = next().to_le_bytes()[0];
            (choice, (0..6).map(|_| core::array::from_fn(|_| next())).collect())
        })
        .collect();
    let mut seen = run(&blocks);
    let applied = seen.iter().filter(|code| **code == Code::Applied).count();
    seen.sort_unstable();
    seen.dedup();
    assert!(applied > 300, "{applied} applied");
    assert!(seen.len() >= 62, "only {seen:?}");
}

/// A day that once parted them: attested attributes make a holder eligible for what has just been defined.
#[test]
fn attested_attributes_open_instruments() {
    let opens = [24640, 6257, 14657, 3330, 22528, 29097, 56050, 2];
    let tops_up = [41749, 0, 8785, 10553, 34487, 0, 10, 196];
    assert_eq!(run(&[(0, vec![opens]), (0, vec![tops_up])]).last(), Some(&Code::Applied));
}
