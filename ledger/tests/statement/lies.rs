//! What a liar might try with a good statement.

use musubi_ledger::{
    leaf::Leaf,
    proof::{
        statement::{Cause, Line, Statement},
        wallet::LotsPart,
    },
    time::Time,
};
use proptest::prelude::*;

use crate::common::*;
use crate::days::play;
use crate::refused;

/// Three payments of Alice a day over nine days, with others' between them; and a statement of the middle.
fn world() -> World {
    let mut steps = Vec::new();
    for day in 0..9u64 {
        for payment in 0..3 {
            let pause = if payment == 0 { 240 } else { 0 };
            steps.extend([(pause, 0, 1, 101 + day), (0, 1, 2, 7), (0, 2, 0, 3)]);
        }
    }
    play(&steps)
}

fn good(world: &World) -> Statement {
    let past = world.past();
    let day = |n: u64| Time(BEGIN.0 + n * DAY);
    let statement = past.statement(&id("alice"), day(3), day(6), Closing::Before);
    assert!(statement.opening.is_some() && statement.bound.is_some());
    assert!(statement.lines.len() >= 12 && !statement.after.is_empty());
    statement
}

fn with(good: &Statement, alter: impl FnOnce(&mut Statement)) -> &'static str {
    let mut statement = good.clone();
    alter(&mut statement);
    assert_ne!(&statement, good, "something is altered");
    refused(&statement)
}

#[test]
fn lines_left_out_added_or_moved() {
    let world = world();
    let good = good(&world);
    let count = good.lines.len();
    for at in 0..count {
        assert_eq!(with(&good, |s| drop(s.lines.remove(at))), "line_count");
        let again = |s: &mut Statement| s.lines.insert(at, s.lines[at].clone());
        assert_eq!(with(&good, again), "line_order");
        if at > 0 {
            assert_eq!(with(&good, |s| s.lines.swap(at, at - 1)), "line_order");
        }
    }
    let others: Vec<Line> = world.past().lines();
    let of_alice = |line: &Line| line.postings(&id("alice")).next().is_some();
    let bobs = others.iter().find(|l| l.leaf.time >= good.from && !of_alice(l)).unwrap();
    let at = good.lines.iter().position(|line| line.index > bobs.index).unwrap_or(count);
    assert_eq!(with(&good, |s| s.lines.insert(at, bobs.clone())), "line_of_another_wallet");
    let replaced = |s: &mut Statement| s.lines[at.min(count - 1)] = bobs.clone();
    assert_eq!(with(&good, replaced), "line_of_another_wallet");
    let early = others.iter().rfind(|l| l.leaf.time < good.from && of_alice(l)).unwrap();
    assert_eq!(with(&good, |s| s.lines.insert(0, early.clone())), "line_outside_period");
    let later = others.iter().find(|l| l.leaf.time >= good.to && of_alice(l)).unwrap();
    assert_eq!(with(&good, |s| s.lines.push(later.clone())), "line_outside_period");
}

#[test]
fn lines_altered_name_themselves() {
    let world = world();
    let good = good(&world);
    let payment = |line: &&Line| matches!(line.cause, Cause::Transaction(_));
    let at = good.lines.iter().position(|line| payment(&line)).unwrap();
    let other = good.lines[at + 1].clone();
    let line = |alter: &dyn Fn(&mut Line)| {
        let mut statement = good.clone();
        alter(&mut statement.lines[at]);
        let error = statement.verify(&crate::policies()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("line {}: ", at + 1)), "{error}");
        error.code()
    };
    assert_eq!(line(&|l| l.outcome.postings[0].amount.0 += 1), "other_outcome");
    assert_eq!(line(&|l| l.outcome.postings.truncate(1)), "other_outcome");
    assert_eq!(line(&|l| l.leaf.time.0 += 1), "line_not_in_log");
    assert_eq!(line(&|l| l.leaf.code = Code::InsufficientFunds), "line_not_in_log");
    assert_eq!(line(&|l| l.leaf.outcome[0] ^= 1), "line_not_in_log");
    assert_eq!(line(&|l| l.index += 1), "line_not_in_log");
    assert_eq!(line(&|l| l.inclusion[0][0] ^= 1), "line_not_in_log");
    assert_eq!(line(&|l| l.cause = other.cause.clone()), "other_cause");
    assert_eq!(line(&|l| l.outcome = other.outcome.clone()), "other_outcome");
    assert_eq!(line(&|l| l.cause = Cause::Transaction(vec![1; 40])), "bad_line");
    let unsigned = |l: &mut Line| {
        let Cause::Transaction(bytes) = &mut l.cause else { panic!("a payment") };
        let mut tx = Transaction::decode(bytes).unwrap();
        tx.signatures.pop();
        *bytes = tx.encode();
    };
    assert_eq!(line(&unsigned), "other_signatures");
}

#[test]
fn what_was_due_by_itself_has_its_own_cause() {
    let world = world();
    // Points were given on the way; where they expired, the line is the system's.
    let mut steps = vec![(0, 0, 0, 5), (0, 1, 2, 7), (0, 0, 1, 8)];
    steps.extend([(255, 0, 1, 8); 6]);
    let expired = play(&steps);
    let good = expired.past().statement(&id("alice"), BEGIN, Time(u64::MAX), Closing::Last);
    let system = |line: &Line| matches!(line.cause, Cause::System(_));
    let at = good.lines.iter().position(system).expect("points expired");
    good.verify(&crate::policies()).unwrap();
    let later = |s: &mut Statement| {
        if let Cause::System(due) = &mut s.lines[at].cause {
            due.deadline.0 += 1;
        }
    };
    assert_eq!(with(&good, later), "other_cause");
    let payment = world.past().lines().pop().unwrap().cause;
    assert_eq!(with(&good, |s| s.lines[at].cause = payment.clone()), "other_cause");
}

#[test]
fn shifted_periods() {
    let world = world();
    let good = good(&world);
    let (first, last) = (good.lines[0].leaf.time, good.lines.last().unwrap().leaf.time);
    assert_eq!(with(&good, |s| s.from = first.plus(1)), "line_outside_period");
    let opening = good.opening.as_ref().unwrap().seal.time;
    assert_eq!(with(&good, |s| s.from = opening), "opening_late");
    assert_eq!(with(&good, |s| s.to = last), "line_outside_period");
    assert_eq!(with(&good, |s| s.to = s.from), "empty_period");
    let behind = good.after[0].time;
    assert_eq!(with(&good, |s| s.to = behind.plus(1)), "line_left_out");
    assert_eq!(with(&good, |s| s.to = Time(u64::MAX)), "bound_early");
}

#[test]
fn other_states() {
    let world = world();
    let past = world.past();
    let good = good(&world);
    let day = |n: u64| Time(BEGIN.0 + n * DAY);
    let bob = past.statement(&id("bob"), day(3), day(6), Closing::Before);
    assert_eq!(with(&good, |s| s.closing = bob.closing.clone()), "other_wallet");
    assert_eq!(with(&good, |s| s.opening = bob.opening.clone()), "other_wallet");
    assert_eq!(with(&good, |s| s.bound = bob.bound.clone()), "other_wallet");
    assert_eq!(with(&good, |s| s.party = id("bob")), "other_wallet");
    let earlier = past.statement(&id("alice"), day(3), day(5), Closing::Before);
    assert_eq!(with(&good, |s| s.closing = earlier.closing.clone()), "line_count");
    assert_eq!(with(&good, |s| s.opening = None), "line_overdrawn");
    let received = past.statement(&id("bob"), day(3), day(6), Closing::Before);
    assert_eq!(with(&received, |s| s.opening = None), "line_count");
    let older = past.statement(&id("alice"), day(2), day(6), Closing::Before);
    assert_eq!(with(&good, |s| s.opening = older.opening.clone()), "line_count");
    let hide = |s: &mut Statement| s.closing = s.closing.clone().without_lots();
    assert_eq!(with(&good, hide), "lots_hidden");
    let richer = |s: &mut Statement| {
        if let LotsPart::Shown { lots, .. } = &mut s.closing.lots {
            lots[0].spendable.0 += 1;
        }
    };
    assert_eq!(with(&good, richer), "state_mismatch");
    assert_eq!(with(&good, |s| s.checkpoint = past.note(&["city"])), "no_quorum");
    assert_eq!(with(&good, |s| s.checkpoint = "no note".into()), "bad_note");
}

#[test]
fn the_end_cannot_be_cut_off_unseen() {
    let world = world();
    let past = world.past();
    let good = good(&world);
    // Without the later header the statement still proves something, but says up to when.
    let mut cut = good.clone();
    cut.bound = None;
    assert_eq!(refused(&cut), "bound_mismatch");
    cut.after.clear();
    let proven = cut.verify(&crate::policies()).unwrap();
    assert_eq!(proven.proven_until, good.closing.seal.time.plus(1));
    assert!(proven.proven_until < good.to);
    // The last lines moved behind the end.
    let day = |n: u64| Time(BEGIN.0 + n * DAY);
    let shorter = past.statement(&id("alice"), day(3), day(5), Closing::Before);
    let mut short = Statement { to: good.to, ..shorter };
    assert_eq!(refused(&short), "line_left_out");
    short.after = good.after.clone();
    assert_eq!(refused(&short), "bound_mismatch");
    for at in 0..good.after.len() {
        let missing = |s: &mut Statement| s.after.retain(|leaf| *leaf != good.after[at]);
        assert_eq!(with(&good, missing), "bound_mismatch");
    }
    let altered = |s: &mut Statement| s.after[0].time.0 += 1;
    assert_eq!(with(&good, altered), "bound_mismatch");
    let added = |s: &mut Statement| {
        let leaf: Leaf = s.after[0];
        s.after.push(leaf);
    };
    assert_eq!(with(&good, added), "bound_mismatch");
    assert_eq!(with(&good, |s| s.closing = s.bound.clone().unwrap()), "lots_hidden");
    let last = past.state(past.seals() - 1, &id("alice")).unwrap();
    assert_eq!(with(&good, |s| s.closing = last.clone()), "line_count");
    // A statement of a time that the log has not reached.
    let future = past.statement(&id("alice"), day(900), day(901), Closing::Last);
    assert_eq!(refused(&future), "closing_early");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// One flipped bit anywhere in the file: refused, or at least not believed to say anything else.
    #[test]
    fn a_flipped_bit_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8u32) {
        thread_local! {
            static GOOD: (Vec<u8>, musubi_ledger::proof::statement::ProvenStatement) = {
                let good = good(&world());
                (good.encode(), good.verify(&crate::policies()).unwrap())
            };
        }
        GOOD.with(|(bytes, said)| {
            let mut bytes = bytes.clone();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let Ok(statement) = Statement::decode(&bytes) else { return };
            if let Ok(proven) = statement.verify(&crate::policies()) {
                // Period and checkpoint note leave room: the period is the question, not the answer, and a
                // note may lose a signature beyond the quorum.
                assert_eq!(proven.lines, said.lines);
                assert_eq!((&proven.opening, &proven.closing), (&said.opening, &said.closing));
                assert_eq!(proven.party, said.party);
            }
        });
    }
}
