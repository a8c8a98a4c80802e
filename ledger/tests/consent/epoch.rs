//! Beginning an epoch: the organisations together, at the one place where a recovery may stand.

use musubi_ledger::{
    batch::NodeId,
    epoch::first_term,
    leaf::LeafKind,
    operation::BeginEpoch,
    policy::WitnessPolicy,
    state::{ReadState, Row, RowKey},
};

use crate::common::*;

fn two() -> [By; 2] {
    [governs("city"), governs("partner")]
}

/// A world with a final checkpoint, and the recovery that goes on from it.
fn scene() -> (World, BeginEpoch) {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 500);
    let at = (w.chain.head().size, w.chain.root());
    w.fund("alice", "MEBUKU", 500);
    let op = begin_epoch(&w, Some(note_of(1, at, "city/node", &OLD_VOICES)));
    (w, op)
}

/// What comes of a recovery, changed and signed so.
fn judged(change: impl FnOnce(&mut BeginEpoch), signers: &[By]) -> Code {
    let (mut w, mut op) = scene();
    change(&mut op);
    let transaction = w.transaction("city", Operation::BeginEpoch(op), signers);
    recover(&mut w, &transaction)
}

fn policy_of(op: &mut BeginEpoch) {
    op.policy = WitnessPolicy::of_nodes(&genesis(), op.policy.number, &op.validators, &[]);
}

#[test]
fn a_majority_of_organisations_begins_an_epoch_where_the_log_ends() {
    let (mut w, op) = scene();
    let size = w.chain.head().size;
    let transaction = w.transaction("city", Operation::BeginEpoch(op.clone()), &two());
    assert_eq!(recover(&mut w, &transaction), Code::Applied);
    let first = &w.last.entries[0];
    assert_eq!((first.index, first.leaf.id), (size, transaction.body.id()), "the first leaf is it");
    let Some(Row::Epoch(row)) = w.state.row(&RowKey::Epoch(2)) else {
        panic!("the epoch has begun")
    };
    assert_eq!((row.begun_by, row.policy), (transaction.body.id(), 2));
    assert_eq!(row.validators, op.validators);
    // Its policy counts: the next change is number 3.
    let next = WitnessPolicy { number: 3, ..op.policy.clone() };
    w.apply("city", Operation::ChangeWitnessPolicy(next), &two());
    // Once is enough, and there is no second one of that number.
    let again = begin_epoch(&w, None);
    let mut again = BeginEpoch { last_term: 1, ..again };
    again.policy.number = 4;
    let again = w.transaction("city", Operation::BeginEpoch(again), &two());
    assert_eq!(recover(&mut w, &again), Code::EpochNotNext);
    assert_eq!(recover(&mut w, &transaction), Code::AlreadyJudged);
}

#[test]
fn fewer_organisations_begin_nothing_and_burn_nothing() {
    assert_eq!(judged(|_| (), &two()[..1]), Code::OrganisationsMissing);
    assert_eq!(judged(|_| (), &[officer("city", "c1"), governs("partner")]), Code::SenderNotSigner);
    let (mut w, op) = scene();
    let body = w.body("city", Operation::BeginEpoch(op));
    let half = sign(body.clone(), &two()[..1]);
    assert_eq!(recover(&mut w, &half), Code::OrganisationsMissing);
    assert_eq!(w.last.items[0].leaf, None);
    // The block that came of it is a leaf more: now the log has gone on without a recovery.
    assert_eq!(recover(&mut w, &sign(body, &two())), Code::OutOfPlace);
}

#[test]
fn nowhere_else_and_with_nothing_beside_it() {
    let (mut w, op) = scene();
    let transaction = w.transaction("city", Operation::BeginEpoch(op.clone()), &two());
    let index = w.chain.head().height + 1;
    let (city, item) = ((NodeId(1), "city/node"), transaction.encode());
    let other = w.transaction("r1", Operation::Unfreeze { party: id("alice") }, &[own("r1")]);
    for (place, leader, items) in [
        ((1, index), city, vec![item.clone()]),
        ((first_term(2) + 1, index), city, vec![item.clone()]),
        ((first_term(3), index), city, vec![item.clone()]),
        ((first_term(2), index + 1), city, vec![item.clone()]),
        ((first_term(2), index), (NodeId(4), "operator/node/2"), vec![item.clone()]),
        ((first_term(2), index), city, vec![item.clone(), other.encode()]),
    ] {
        let (mut chain, before) = (w.chain.clone(), w.state.clone());
        assert_eq!(w.block_at(place, leader, items)[0], Code::OutOfPlace, "{place:?}");
        assert_eq!(w.last.items[0].leaf, None, "void: it is not burnt");
        std::mem::swap(&mut w.chain, &mut chain);
        w.state = before;
    }
    assert_eq!(recover(&mut w, &transaction), Code::Applied);
    for change in [
        (|op: &mut BeginEpoch| op.size -= 1) as fn(&mut BeginEpoch),
        |op| op.root[0] ^= 1,
        |op| op.last_index += 1,
    ] {
        let (mut w, mut op) = scene();
        let place = (first_term(2), op.last_index + 1);
        change(&mut op);
        let transaction = w.transaction("city", Operation::BeginEpoch(op), &two());
        let codes = w.block_at(place, city, vec![transaction.encode()]);
        assert_eq!(codes, [Code::OutOfPlace]);
    }
}

#[test]
fn what_is_due_comes_behind_it() {
    let (mut w, _) = scene();
    let due = w.now.plus(60_000);
    let operation = Operation::RequestPayment(RequestPayment {
        payee: id("shop"),
        payer: None,
        legs: legs(&[("MEBUKU", 5)]),
        tender: Vec::new(),
        due,
    });
    w.apply("shop", operation, &[credit("shop")]);
    w.now = due;
    let op = begin_epoch(&w, None);
    let transaction = w.transaction("city", Operation::BeginEpoch(op), &two());
    assert_eq!(recover(&mut w, &transaction), Code::Applied);
    assert_eq!(w.last.entries.len(), 1);
    w.wait(1);
    assert_eq!(w.last.entries[0].leaf.kind, LeafKind::System);
}

/// What is wrong with a recovery.
type Change = fn(&mut BeginEpoch);

#[test]
fn what_could_begin_no_epoch_is_refused_by_name() {
    let cases: [(Code, Change); 10] = [
        (Code::NotWellFormed, |op| op.reason.clear()),
        (Code::NotWellFormed, |op| op.validators.swap(0, 1)),
        (Code::NotWellFormed, |op| op.validators[1].node = op.validators[2].node),
        (Code::NotWellFormed, |op| op.policy.logs[0].node = NodeId(9)),
        (Code::NotWellFormed, |op| op.policy.witnesses[1].key = key("stranger").public()),
        (Code::WrongPolicyNumber, |op| op.policy.number = 3),
        (Code::UnknownParty, |op| {
            op.validators[1].organisation = id("registrar");
            policy_of(op);
        }),
        // A lost disk under its old id, a lost key under a new id, an id between.
        (Code::ReusedValidator, |op| {
            op.validators[1].id = NodeId(2);
            policy_of(op);
        }),
        (Code::ReusedValidator, |op| {
            op.validators[1].node = genesis().nodes[1].node;
            policy_of(op);
        }),
        (Code::ReusedValidator, |op| {
            op.validators[1].cosigner = genesis().nodes[1].cosigner;
            policy_of(op);
        }),
    ];
    for (at, (code, change)) in cases.into_iter().enumerate() {
        assert_eq!(judged(change, &two()), code, "case {at}");
    }
    let third = |op: &mut BeginEpoch| op.epoch = 3;
    assert_eq!(judged(third, &two()), Code::EpochNotNext, "there was no second");
}

#[test]
fn the_checkpoint_that_it_names_was_final_in_the_epoch_before() {
    let with = |note: String| judged(|op| op.checkpoint = Some(note), &two());
    let at = (3, [7; 32]);
    assert_eq!(with(note_of(1, at, "city/node", &OLD_VOICES)), Code::Applied);
    for bad in [
        note_of(1, at, "city/node", &OLD_VOICES[..1]),
        note_of(1, at, "stranger", &OLD_VOICES),
        note_of(2, at, "city/node", &OLD_VOICES),
        note_of(1, at, "city/node", &NEW_VOICES),
        note_of(1, (10_000, [7; 32]), "city/node", &OLD_VOICES),
        "no note".into(),
    ] {
        assert_eq!(with(bad), Code::CheckpointNotFinal);
    }
    assert_eq!(judged(|op| op.checkpoint = None, &two()), Code::Applied, "nothing was ever final");
}
