//! A group's life: forming, active, closing, closed; successors when it cannot act.

use crate::common::*;
use musubi_ledger::group::{Group, GroupLife};

fn group(w: &World, name: &str) -> Group {
    match w.state.row(&RowKey::Group(id(name))) {
        Some(Row::Group(group)) => Group::clone(&group),
        other => panic!("{other:?}"),
    }
}

fn create(who: &[(&str, bool, bool)]) -> CreateGroup {
    CreateGroup {
        group: id("choir"),
        registrar: id("registrar"),
        representative: id("frank"),
        roles: roles(who),
        policy: policy(&[]),
    }
}

fn change(w: &ChangeGroup) -> Operation {
    Operation::ChangeGroup(w.clone())
}

fn unchanged() -> ChangeGroup {
    ChangeGroup { group: id("club"), roles: None, policy: None, representative: None }
}

const PAIR: [(&str, bool, bool); 2] = [("eve", true, false), ("bob", false, true)];

#[test]
fn representative_second_person_and_registrar_open_a_group() {
    let mut w = World::new();
    let op = || Operation::CreateGroup(create(&PAIR));
    let all = [officer("registrar", "r1"), represents("choir", "frank"), member("choir", "eve")];
    w.void(Code::MissingConsent, "frank", op(), &all[1..]);
    w.void(Code::MissingConsent, "eve", op(), &[all[0].clone(), all[2].clone()]);
    w.void(Code::ApproversMissing, "frank", op(), &all[..2]);
    let posing = [all[0].clone(), represents("choir", "bob"), all[2].clone()];
    w.void(Code::RoleMissing, "bob", op(), &posing);
    let outsider = [all[0].clone(), all[1].clone(), member("choir", "carol")];
    w.void(Code::RoleMissing, "frank", op(), &outsider);
    w.apply("frank", op(), &all);
    assert_eq!(group(&w, "choir").life, GroupLife::Active);
    w.reject(Code::PartyExists, "frank", op(), &all);
}

#[test]
fn the_representative_twice_is_one_person() {
    let mut w = World::new();
    let op = Operation::AddKey(AddKey { party: id("frank"), key: key("frank/2").public() });
    w.apply("frank", op, &[own("frank"), proves("frank", "frank/2")]);
    let both = create(&[("frank", true, false), ("bob", false, true)]);
    let signers =
        [officer("registrar", "r1"), represents("choir", "frank"), member("choir", "frank/2")];
    w.void(Code::ApproversMissing, "frank", Operation::CreateGroup(both), &signers);
}

#[test]
fn groups_are_well_formed() {
    let mut w = World::new();
    let all = [officer("registrar", "r1"), represents("choir", "frank"), member("choir", "eve")];
    let good = create(&PAIR);
    let mut unsorted = good.clone();
    unsorted.roles.reverse();
    let bad_bands: [&[(u64, u8)]; 4] = [&[(1, 0)], &[(1, 9)], &[(5, 1), (5, 2)], &[(5, 2), (6, 1)]];
    for bands in bad_bands {
        let op = CreateGroup { policy: policy(bands), ..good.clone() };
        w.reject(Code::NotWellFormed, "frank", Operation::CreateGroup(op), &all);
    }
    let nobody = create(&[("eve", false, false)]);
    for op in [unsorted, nobody] {
        w.reject(Code::NotWellFormed, "frank", Operation::CreateGroup(op), &all);
    }
    let with_shop = create(&[("eve", true, false), ("shop", false, true)]);
    w.reject(Code::WrongKind, "frank", Operation::CreateGroup(with_shop), &all);
}

#[test]
fn a_forming_group_only_receives() {
    let mut w = World::new();
    let op = Operation::CreateGroup(create(&[("eve", true, true)]));
    let signers =
        [officer("registrar", "r1"), represents("choir", "frank"), member("choir", "eve")];
    w.apply("frank", op, &signers);
    assert_eq!(group(&w, "choir").life, GroupLife::Forming);
    w.fund("alice", "MEBUKU", 1_000);
    let receive = [debit("alice"), receives("choir", "eve")];
    w.apply("alice", pay("alice", "choir", 500), &receive);
    let give = [drafts("choir", "eve"), approves("choir", "eve"), credit("alice")];
    w.void(Code::SamePerson, "eve", pay("choir", "alice", 1), &give);
    let op = propose("choir", "alice", 1, w.now.plus(DAY));
    w.reject(Code::GroupCannotPay, "eve", op, &[drafts("choir", "eve")]);
    // A drafter and an approver make it active.
    let op = ChangeGroup {
        group: id("choir"),
        roles: Some(roles(&PAIR)),
        policy: None,
        representative: None,
    };
    w.apply("eve", change(&op), &[represents("choir", "frank"), member("choir", "eve")]);
    assert_eq!(group(&w, "choir").life, GroupLife::Active);
    let give = [drafts("choir", "eve"), approves("choir", "bob"), credit("alice")];
    w.apply("eve", pay("choir", "alice", 1), &give);
}

/// The club's largest payouts need a drafter and two approvers: so do its changes.
#[test]
fn changes_take_as_many_persons_as_the_largest_payout() {
    let mut w = World::new();
    let stricter = ChangeGroup { policy: Some(policy(&[(1, 2)])), ..unchanged() };
    let op = || change(&stricter);
    w.void(Code::ApproversMissing, "alice", op(), &[member("club", "alice")]);
    w.void(Code::MissingConsent, "eve", op(), &[own("eve")]);
    let outsider = [member("club", "alice"), member("club", "eve")];
    w.void(Code::RoleMissing, "alice", op(), &outsider);
    let carol_twice = [member("club", "carol"), checker("club", "carol")];
    w.void(Code::ApproversMissing, "carol", op(), &carol_twice);
    let three = [member("club", "alice"), represents("club", "dave"), checker("club", "bob")];
    w.void(Code::ApproversMissing, "alice", op(), &three[..2]);
    w.apply("alice", op(), &three);
    w.reject(Code::NotWellFormed, "alice", change(&unchanged()), &[member("club", "alice")]);
}

#[test]
fn two_persons_do_not_lower_the_bands_to_pay_by_themselves() {
    let mut w = World::new();
    let lax = ChangeGroup { policy: Some(policy(&[])), ..unchanged() };
    let puppet = ChangeGroup { representative: Some(id("eve")), ..unchanged() };
    let ours = ChangeGroup { roles: Some(roles(&PAIR)), ..unchanged() };
    let two = [member("club", "alice"), checker("club", "bob")];
    for op in [lax, ours] {
        w.void(Code::ApproversMissing, "alice", change(&op), &two);
    }
    let with_eve = [two[0].clone(), two[1].clone(), own("eve")];
    w.void(Code::ApproversMissing, "alice", change(&puppet), &with_eve);
}

#[test]
fn where_fewer_can_act_all_of_them_change_the_group() {
    let mut w = World::new();
    for person in ["dave", "carol"] {
        let freeze = Operation::Freeze(Freeze { party: id(person), evidence: document("gone") });
        w.apply("r1", freeze, &[officer("registrar", "r1")]);
    }
    let ours = ChangeGroup {
        roles: Some(roles(&[("alice", true, false), ("bob", false, true)])),
        representative: Some(id("bob")),
        ..unchanged()
    };
    let two = [member("club", "alice"), checker("club", "bob"), own("bob")];
    w.void(Code::ApproversMissing, "bob", change(&ours), &two[1..]);
    w.apply("alice", change(&ours), &two);
}

#[test]
fn a_new_representative_signs_but_is_not_one_of_the_group_yet() {
    let mut w = World::new();
    let next = ChangeGroup { representative: Some(id("eve")), ..unchanged() };
    let op = || change(&next);
    let three = [member("club", "alice"), checker("club", "bob"), checker("club", "carol")];
    w.void(Code::MissingConsent, "alice", op(), &three);
    let eve_as_third = [member("club", "alice"), checker("club", "bob"), own("eve")];
    w.void(Code::ApproversMissing, "alice", op(), &eve_as_third);
    let all = [&three[..], &[own("eve")]].concat();
    w.apply("alice", op(), &all);
    assert_eq!(group(&w, "club").representative, id("eve"));
}

#[test]
fn successors_are_installed_with_notice_where_nobody_can_act() {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 1_000);
    let install = |effective: Time| {
        Operation::InstallSuccessors(InstallSuccessors {
            group: id("club"),
            representative: id("frank"),
            roles: roles(&[("eve", true, false), ("frank", false, true)]),
            effective,
        })
    };
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    let later = w.now.plus(NOTICE + DAY);
    w.reject(Code::GroupCanAct, "r1", install(later), &two);
    for person in ["alice", "carol"] {
        let freeze = Operation::Freeze(Freeze { party: id(person), evidence: document("gone") });
        w.apply("r1", freeze, &[officer("registrar", "r1")]);
    }
    w.void(Code::ApproversMissing, "r1", install(later), &two[..1]);
    w.void(Code::MissingConsent, "dave", install(later), &[represents("club", "dave")]);
    let soon = w.now.plus(NOTICE);
    w.reject(Code::DeadlineInvalid, "r1", install(soon), &two);
    w.apply("r1", install(later), &two);
    let pay_out = [drafts("club", "eve"), approves("club", "frank"), credit("bob")];
    w.void(Code::RoleMissing, "eve", pay("club", "bob", 1), &pay_out);
    w.now = Time(later.0 - SECOND - 1);
    w.void(Code::RoleMissing, "eve", pay("club", "bob", 1), &pay_out);
    w.now = Time(later.0 - SECOND);
    w.apply("eve", pay("club", "bob", 1), &pay_out);
    assert_eq!(group(&w, "club").representative, id("frank"));
}

#[test]
fn closing_empties_and_then_ends() {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 1_000);
    w.fund("alice", "MEBUKU", 1_000);
    let open = propose("club", "eve", 10, w.now.plus(DAY));
    let open = w.apply("alice", open, &[drafts("club", "alice")]);
    let close = || Operation::CloseGroup { group: id("club") };
    let two = [member("club", "alice"), checker("club", "bob")];
    w.void(Code::ApproversMissing, "alice", close(), &two[..1]);
    w.void(Code::MissingConsent, "r1", close(), &[officer("registrar", "r1")]);
    w.apply("alice", close(), &two);
    assert_eq!(group(&w, "club").life, GroupLife::Closing);
    let yes = decide(open, Decision::Consent);
    w.reject(Code::ProposalNotOpen, "bob", yes, &[approves("club", "bob")]);
    let receive = [debit("alice"), receives("club", "alice")];
    w.reject(Code::GroupClosing, "alice", pay("alice", "club", 1), &receive);
    w.reject(Code::WalletNotEmpty, "alice", close(), &two);
    let empty = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    w.apply("alice", pay("club", "eve", 1_000), &empty);
    w.apply("alice", close(), &two);
    w.reject(Code::PartyClosed, "alice", close(), &two);
    w.reject(Code::PartyClosed, "alice", pay("alice", "club", 1), &receive);
    w.reject(Code::PartyClosed, "alice", pay("club", "eve", 1), &empty);
}

#[test]
fn a_group_cancels_successors_and_changes_nothing_else() {
    let mut w = World::new();
    for person in ["alice", "carol"] {
        let freeze = Operation::Freeze(Freeze { party: id(person), evidence: document("gone") });
        w.apply("r1", freeze, &[officer("registrar", "r1")]);
    }
    let op = Operation::InstallSuccessors(InstallSuccessors {
        group: id("club"),
        representative: id("frank"),
        roles: roles(&[("eve", true, false), ("frank", false, true)]),
        effective: w.now.plus(NOTICE + DAY),
    });
    w.apply("r1", op, &[officer("registrar", "r1"), officer("registrar", "r2")]);
    // Bob and Dave are still there: the club lives.
    let two = [checker("club", "bob"), represents("club", "dave")];
    w.void(Code::ApproversMissing, "bob", change(&unchanged()), &two[..1]);
    let before = group(&w, "club");
    w.apply("bob", change(&unchanged()), &two);
    assert_eq!(group(&w, "club"), Group { successors: None, ..before });
    w.reject(Code::NotWellFormed, "bob", change(&unchanged()), &two);
    w.wait(2 * NOTICE);
    assert_eq!(group(&w, "club").representative, id("dave"));
}

#[test]
fn a_budget_of_a_group_that_has_lost_its_officers_pays_nothing() {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 1_000);
    let budget = MandateTerms {
        total: Some(Amount(500)),
        staff: ids(&["eve"]),
        until: Some(w.now.plus(DAY)),
        ..terms(Direction::Debit, 500)
    };
    let payout = [drafts("club", "alice"), approves("club", "bob")];
    let budget = w.apply("alice", mandate("club", budget), &payout);
    let op = ChangeGroup { roles: Some(roles(&[("alice", true, false)])), ..unchanged() };
    let three = [member("club", "alice"), checker("club", "bob"), checker("club", "carol")];
    w.apply("alice", change(&op), &three);
    assert_eq!(group(&w, "club").life, GroupLife::Forming);
    let signers = [debit("eve"), credit("shop")];
    let op = pay_by_mandate("club", "shop", 1, budget);
    w.reject(Code::GroupCannotPay, "eve", op, &signers);
}
