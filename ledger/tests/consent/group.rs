//! Payouts of a group: never below a drafter and one approver, distinct persons (INV-4).

use crate::common::*;
use musubi_ledger::group::GroupPolicy;

fn world() -> World {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 900_000);
    w
}

fn give_key(w: &mut World, person: &str, new: &str) {
    let op = Operation::AddKey(AddKey { party: id(person), key: key(new).public() });
    w.apply(person, op, &[own(person), proves(person, new)]);
}

#[test]
fn a_drafter_and_an_approver_pay_out() {
    let mut w = world();
    let signers = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    w.apply("alice", pay("club", "eve", 500), &signers);
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Live));
    // The approver may send, and the receiver.
    w.apply("bob", pay("club", "eve", 500), &signers);
    w.apply("eve", pay("club", "eve", 500), &signers);
}

#[test]
fn one_person_never_does_both() {
    let mut w = world();
    give_key(&mut w, "carol", "carol/2");
    let op = || pay("club", "eve", 500);
    let drafted = drafts("club", "carol");
    let same_key = [drafted.clone(), approves("club", "carol"), credit("eve")];
    w.void(Code::SamePerson, "carol", op(), &same_key);
    let second_key = [drafted.clone(), approves("club", "carol/2"), credit("eve")];
    w.void(Code::SamePerson, "carol", op(), &second_key);
    // Nobody but carol can have attached her signatures: a verdict.
    let mandate = terms(Direction::Debit, 500);
    let mandate =
        MandateTerms { total: Some(Amount(500)), until: Some(w.now.plus(DAY)), ..mandate };
    let alone = [drafted.clone(), approves("club", "carol/2")];
    w.reject(Code::SamePerson, "carol", crate::common::mandate("club", mandate), &alone);
    // A second approver does not heal it.
    let healed = [drafted, approves("club", "carol/2"), approves("club", "bob"), credit("eve")];
    w.void(Code::SamePerson, "carol", op(), &healed);
    let twice = [
        drafts("club", "carol"),
        drafts("club", "carol/2"),
        approves("club", "bob"),
        credit("eve"),
    ];
    w.void(Code::SamePerson, "carol", op(), &twice);
}

#[test]
fn each_role_takes_somebody_who_has_it() {
    let mut w = world();
    let op = || pay("club", "eve", 500);
    let denied: [(Code, &[By]); 8] = [
        (Code::MissingConsent, &[drafts("club", "alice"), credit("eve")]),
        (Code::MissingConsent, &[approves("club", "bob"), credit("eve")]),
        (Code::MissingConsent, &[debit("alice"), credit("eve")]),
        (Code::RoleMissing, &[drafts("club", "bob"), approves("club", "carol"), credit("eve")]),
        (Code::RoleMissing, &[drafts("club", "carol"), approves("club", "alice"), credit("eve")]),
        (Code::RoleMissing, &[drafts("club", "dave"), approves("club", "bob"), credit("eve")]),
        (Code::RoleMissing, &[drafts("club", "alice"), approves("club", "dave"), credit("eve")]),
        (Code::MissingConsent, &[drafts("club", "alice"), approves("club", "bob")]),
    ];
    for (code, signers) in denied {
        let sender = signers[0].key.clone();
        w.void(code, &sender, op(), signers);
    }
}

#[test]
fn bands_ask_for_more_approvers() {
    let mut w = world();
    let one = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    let two = [&one[..], &[approves("club", "carol")]].concat();
    w.apply("alice", pay("club", "eve", 99_999), &one);
    w.void(Code::ApproversMissing, "alice", pay("club", "eve", 100_000), &one);
    w.apply("alice", pay("club", "eve", 100_000), &two);
    give_key(&mut w, "bob", "bob/2");
    let twice = [&one[..], &[approves("club", "bob/2")]].concat();
    w.void(Code::SamePerson, "alice", pay("club", "eve", 100_000), &twice);
    // Over all legs together.
    w.fund("club", "POINT", 60_000);
    let legs = pay_in("club", "eve", &[("MEBUKU", 50_000), ("POINT", 50_000)]);
    w.void(Code::ApproversMissing, "alice", legs, &one);
}

#[test]
fn the_payee_never_approves_but_may_draft() {
    let mut w = world();
    let approving = [drafts("club", "alice"), approves("club", "bob"), credit("bob")];
    w.void(Code::PayeeApproves, "alice", pay("club", "bob", 500), &approving);
    let besides = [&approving[..], &[approves("club", "carol")]].concat();
    w.void(Code::PayeeApproves, "alice", pay("club", "bob", 500), &besides);
    let drafting = [drafts("club", "alice"), approves("club", "bob"), credit("alice")];
    w.apply("alice", pay("club", "alice", 500), &drafting);
}

#[test]
fn exclusive_roles_are_exclusive() {
    let mut w = world();
    let change = |exclusive, who: &[(&str, bool, bool)]| {
        Operation::ChangeGroup(ChangeGroup {
            group: id("club"),
            roles: Some(roles(who)),
            policy: Some(GroupPolicy { exclusive_roles: exclusive, ..policy(&[]) }),
            representative: None,
        })
    };
    let three = [member("club", "alice"), checker("club", "bob"), represents("club", "dave")];
    let both = [("alice", true, true), ("bob", false, true)];
    w.reject(Code::NotWellFormed, "alice", change(true, &both), &three);
    let apart = [("alice", true, false), ("bob", false, true)];
    w.apply("alice", change(true, &apart), &three);
    let signers = [drafts("club", "bob"), approves("club", "alice"), credit("eve")];
    w.void(Code::RoleMissing, "bob", pay("club", "eve", 1), &signers);
}

#[test]
fn roles_of_who_lost_a_key_are_suspended_until_they_are_back() {
    let mut w = world();
    let recover = Operation::Recover(Recover {
        party: id("bob"),
        key: key("bob/new").public(),
        evidence: document("id check"),
    });
    let two = [officer("registrar", "r1"), officer("registrar", "r2"), proves("bob", "bob/new")];
    w.apply("r1", recover, &two);
    let signers = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    w.void(Code::RolesSuspended, "alice", pay("club", "eve", 1), &signers);
    let receiving = by(Side::Credit, Role::Approver, "club", "bob");
    w.fund("alice", "MEBUKU", 10);
    let signers_in = [debit("alice"), receiving];
    w.void(Code::RolesSuspended, "alice", pay("alice", "club", 1), &signers_in);
    w.wait(DELAY);
    w.void(Code::KeyNotActive, "alice", pay("club", "eve", 1), &signers);
    let renewed = [drafts("club", "alice"), approves("club", "bob").key("bob/new"), credit("eve")];
    w.apply("alice", pay("club", "eve", 1), &renewed);
}

#[test]
fn a_frozen_approver_does_not_count() {
    let mut w = world();
    let freeze = Operation::Freeze(Freeze { party: id("bob"), evidence: document("theft") });
    w.apply("bob", freeze, &[own("bob")]);
    let signers = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    w.void(Code::KeyNotActive, "alice", pay("club", "eve", 1), &signers);
    let signers = [drafts("club", "alice"), approves("club", "carol"), credit("eve")];
    w.apply("alice", pay("club", "eve", 1), &signers);
}

#[test]
fn a_group_pays_a_group() {
    let mut w = world();
    let op = CreateGroup {
        group: id("choir"),
        registrar: id("registrar"),
        representative: id("frank"),
        roles: roles(&[("eve", true, false), ("bob", false, true)]),
        policy: policy(&[]),
    };
    let signers =
        [officer("registrar", "r1"), represents("choir", "frank"), member("choir", "eve")];
    w.apply("frank", Operation::CreateGroup(op), &signers);
    let signers = [drafts("club", "alice"), approves("club", "bob"), receives("choir", "eve")];
    w.apply("alice", pay("club", "choir", 700), &signers);
    assert_eq!(w.spendable("choir", "MEBUKU"), 700);
}
