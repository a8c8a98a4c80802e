//! Parent bodies: joined by both, left by either, and never acting for a group; and how a group's wallet ends.

use crate::common::*;
use musubi_ledger::{lot::OriginKind, state::Shared};

fn world() -> World {
    let mut w = World::new();
    for (name, one, other) in [("choir", "eve", "frank"), ("union", "carol", "dave")] {
        let op = CreateGroup {
            group: id(name),
            registrar: id("registrar"),
            representative: id(one),
            roles: roles(&[(one, true, false), (other, false, true)]),
            policy: policy(&[]),
        };
        let all = [officer("registrar", "r1"), represents(name, one), checker(name, other)];
        w.apply(one, Operation::CreateGroup(op), &all);
    }
    w
}

fn under(group: &str, parent: Option<&str>) -> Operation {
    Operation::SetParent(SetParent { group: id(group), parent: parent.map(id) })
}

fn choir() -> [By; 2] {
    [member("choir", "eve"), checker("choir", "frank")]
}

fn parent_of(w: &World, group: &str) -> Option<PartyId> {
    match w.state.row(&RowKey::Group(id(group))) {
        Some(Row::Group(group)) => Shared::into_value(group).parent,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_sides_join_and_either_leaves() {
    let mut w = world();
    let all = [&choir()[..], &[member("union", "carol")]].concat();
    w.void(Code::MissingConsent, "eve", under("choir", Some("union")), &choir());
    w.void(
        Code::ApproversMissing,
        "eve",
        under("choir", Some("union")),
        &[all[0].clone(), all[2].clone()],
    );
    w.apply("eve", under("choir", Some("union")), &all);
    assert_eq!(parent_of(&w, "choir"), Some(id("union")));
    w.reject(Code::NotWellFormed, "eve", under("choir", Some("union")), &all);
    w.void(Code::MissingConsent, "alice", under("choir", None), &[member("club", "alice")]);
    w.apply("carol", under("choir", None), &[member("union", "carol")]);
    assert_eq!(parent_of(&w, "choir"), None);
    w.apply(
        "eve",
        under("choir", Some("city")),
        &[&choir()[..], &[officer("city", "c1")]].concat(),
    );
    w.apply("eve", under("choir", None), &choir());
    w.reject(Code::NotWellFormed, "eve", under("choir", None), &choir());
}

#[test]
fn no_ring_and_no_person_above() {
    let mut w = world();
    w.apply(
        "eve",
        under("choir", Some("union")),
        &[&choir()[..], &[member("union", "carol")]].concat(),
    );
    let union = [member("union", "carol"), checker("union", "dave")];
    w.reject(
        Code::ParentInvalid,
        "carol",
        under("union", Some("choir")),
        &[&union[..], &[member("choir", "eve")]].concat(),
    );
    w.reject(Code::ParentInvalid, "carol", under("union", Some("union")), &union);
    w.reject(
        Code::ParentInvalid,
        "carol",
        under("union", Some("alice")),
        &[&union[..], &[own("alice")]].concat(),
    );
    w.reject(Code::UnknownParty, "carol", under("union", Some("nobody")), &union);
    w.reject(Code::WrongKind, "carol", under("alice", Some("union")), &union);
}

#[test]
fn a_parent_never_signs_for_a_group_and_grants_as_anybody_does() {
    let mut w = world();
    w.apply(
        "eve",
        under("choir", Some("union")),
        &[&choir()[..], &[member("union", "carol")]].concat(),
    );
    let op = top_up(w.allowance("MEBUKU"), "union", 50_000, "subsidy");
    w.apply("issuer", Operation::TopUp(op), &[issues(), receives("union", "carol")]);
    let grant = [drafts("union", "carol"), approves("union", "dave"), receives("choir", "eve")];
    w.apply("carol", pay("union", "choir", 20_000), &grant);
    assert_eq!(w.spendable("choir", "MEBUKU"), 20_000);
    let take = [drafts("choir", "carol"), approves("choir", "dave"), receives("union", "carol")];
    w.reject(Code::RoleMissing, "carol", pay("choir", "union", 500), &take[..1]);
    let take = [drafts("union", "carol"), approves("union", "dave"), receives("union", "carol")];
    w.void(Code::MissingConsent, "carol", pay("choir", "union", 500), &take);
    w.void(
        Code::MissingConsent,
        "carol",
        Operation::CloseGroup { group: id("choir") },
        &[member("union", "carol"), checker("union", "dave")],
    );
}

#[test]
fn a_closing_group_gives_what_was_paid_to_a_successor_and_the_rest_lapses() {
    let mut w = world();
    let (paid, grant) = (OriginKind::Paid, OriginKind::Grant);
    for (of, origin) in [("MEBUKU", paid), ("COIN", grant), ("POINT", paid)] {
        let op =
            TopUp { origin, funder: id("issuer"), ..top_up(w.allowance(of), "choir", 700, of) };
        w.apply("issuer", Operation::TopUp(op), &[issues(), receives("choir", "eve")]);
    }
    let close = || Operation::CloseGroup { group: id("choir") };
    w.apply("eve", close(), &choir());
    w.reject(
        Code::GroupClosing,
        "eve",
        under("choir", Some("union")),
        &[&choir()[..], &[member("union", "carol")]].concat(),
    );
    w.reject(Code::WalletNotEmpty, "eve", close(), &choir());
    let over = [drafts("choir", "eve"), approves("choir", "frank"), receives("union", "carol")];
    w.apply("eve", pay("choir", "union", 300), &over);
    w.reject(Code::WalletNotEmpty, "eve", close(), &choir());
    let until = w.now.plus(DAY);
    let proposed = w.apply("eve", propose("choir", "union", 400, until), &over[..1]);
    w.apply("frank", decide(proposed, Decision::Consent), &over[1..2]);
    w.apply("carol", decide(proposed, Decision::Consent), &over[2..]);
    w.apply("eve", close(), &choir());
    assert!(w.wallet("choir").lots.is_empty());
    assert_eq!(w.spendable("union", "MEBUKU"), 700);
    assert_eq!(w.totals("COIN").grant.expired, Amount(700), "what was given lapses");
    assert_eq!(w.totals("POINT").paid.expired, Amount(700), "points have nothing behind them");
    w.reject(Code::PartyClosed, "eve", close(), &choir());
}
