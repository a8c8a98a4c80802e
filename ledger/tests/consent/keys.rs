//! Keys: adding, rotating, revoking, freezing, recovering.

use crate::common::*;
use musubi_ledger::{
    limits,
    party::{KeyStatus, Party, PartyStatus},
};

fn add(party: &str, new: &str) -> Operation {
    Operation::AddKey(AddKey { party: id(party), key: key(new).public() })
}

fn rotate(party: &str, old: &str, new: &str) -> Operation {
    Operation::RotateKey(RotateKey {
        party: id(party),
        old: key(old).public(),
        new: key(new).public(),
    })
}

fn revoke(party: &str, which: &str, compromised: bool) -> Operation {
    Operation::RevokeKey(RevokeKey { party: id(party), key: key(which).public(), compromised })
}

fn freeze(party: &str) -> Operation {
    Operation::Freeze(Freeze { party: id(party), evidence: document("report") })
}

fn recover(party: &str, new: &str) -> Operation {
    Operation::Recover(Recover {
        party: id(party),
        key: key(new).public(),
        evidence: document("id check"),
    })
}

fn party(w: &World, name: &str) -> Party {
    match w.state.row(&RowKey::Party(id(name))) {
        Some(Row::Party(party)) => Party::clone(&party),
        other => panic!("{other:?}"),
    }
}

fn status(w: &World, name: &str) -> KeyStatus {
    match w.state.row(&RowKey::Key(key(name).public())) {
        Some(Row::Key(record)) => record.status,
        other => panic!("{other:?}"),
    }
}

fn two() -> [By; 2] {
    [officer("registrar", "r1"), officer("registrar", "r2")]
}

fn three(party: &str, new: &str) -> [By; 3] {
    [officer("registrar", "r1"), officer("registrar", "r2"), proves(party, new)]
}

#[test]
fn a_key_is_added_by_a_key_and_proves_itself() {
    let mut w = World::new();
    let op = || add("alice", "alice/2");
    w.void(Code::MissingConsent, "alice", op(), &[own("alice")]);
    w.void(Code::KeyUnknown, "eve", op(), &[own("eve"), proves("alice", "alice/2")]);
    let forged = [own("alice").key("eve"), proves("alice", "alice/2")];
    w.void(Code::KeyUnknown, "eve", op(), &forged);
    w.apply("alice", op(), &[own("alice"), proves("alice", "alice/2")]);
    w.fund("alice", "MEBUKU", 10);
    let signers = [debit("alice").key("alice/2"), credit("bob")];
    w.apply("alice", pay("alice", "bob", 1), &signers);
    // A key belongs to one party for ever.
    let theirs = [own("eve"), proves("eve", "alice/2")];
    w.void(Code::SenderNotSigner, "bob", add("eve", "alice/2"), &theirs);
    w.reject(Code::KeyExists, "eve", add("eve", "alice/2"), &theirs);
}

#[test]
fn a_party_has_a_number_of_keys() {
    let mut w = World::new();
    for n in 1..limits::KEYS_PER_PARTY_MAX {
        let new = format!("alice/{n}");
        w.apply("alice", add("alice", &new), &[own("alice"), proves("alice", &new)]);
    }
    let more = [own("alice"), proves("alice", "alice/more")];
    w.reject(Code::TooManyKeys, "alice", add("alice", "alice/more"), &more);
}

#[test]
fn keys_of_officials_take_the_organisations_together() {
    let mut w = World::new();
    let op = || add("issuer", "issuer/3");
    let proof = proves("issuer", "issuer/3");
    let by_itself = [own("issuer").key("issuer/auto"), proof.clone()];
    w.void(Code::MissingConsent, "issuer", op(), &by_itself);
    let one = [governs("city"), proof.clone()];
    w.void(Code::OrganisationsMissing, "city", op(), &one);
    let forged = [governs("city"), governs("partner").key("city/governance"), proof.clone()];
    w.void(Code::OrganisationsMissing, "city", op(), &forged);
    w.apply("city", op(), &[governs("city"), governs("partner"), proof]);
}

#[test]
fn rotation_takes_both_keys() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10);
    let op = || rotate("alice", "alice", "alice/2");
    w.void(Code::MissingConsent, "alice", op(), &[own("alice")]);
    w.void(Code::KeyUnknown, "eve", op(), &[own("alice").key("eve"), proves("alice", "alice/2")]);
    w.apply("alice", op(), &[own("alice"), proves("alice", "alice/2")]);
    assert_eq!(status(&w, "alice"), KeyStatus::Rotated);
    let signers = [debit("alice"), credit("bob")];
    w.void(Code::SenderNotSigner, "alice", pay("alice", "bob", 1), &signers);
    w.void(Code::KeyNotActive, "bob", pay("alice", "bob", 1), &signers);
    let signers = [debit("alice").key("alice/2"), credit("bob")];
    w.apply("alice", pay("alice", "bob", 1), &signers);
    w.reject(
        Code::KeyExists,
        "alice",
        rotate("alice", "alice/2", "alice"),
        &[own("alice").key("alice/2"), proves("alice", "alice")],
    );
}

#[test]
fn revocation_by_the_holder_or_one_registrar_officer() {
    let mut w = World::new();
    w.apply("alice", add("alice", "alice/2"), &[own("alice"), proves("alice", "alice/2")]);
    let op = |which: &str, compromised| revoke("alice", which, compromised);
    w.void(Code::MissingConsent, "eve", op("alice/2", false), &[own("eve")]);
    w.reject(Code::RoleMissing, "eve", op("alice/2", false), &[officer("registrar", "eve")]);
    w.apply("alice", op("alice/2", false), &[own("alice")]);
    assert_eq!(status(&w, "alice/2"), KeyStatus::Revoked);
    w.reject(Code::KeyNotActive, "alice", op("alice/2", false), &[own("alice")]);
    w.apply("alice", op("alice/2", true), &[own("alice")]);
    assert_eq!(status(&w, "alice/2"), KeyStatus::Compromised);
    w.reject(Code::KeyUnknown, "alice", op("bob", false), &[own("alice")]);
    w.reject(Code::KeyUnknown, "alice", op("nobody", false), &[own("alice")]);
    // The last key cannot be ended, unless it is compromised.
    w.reject(Code::LastKey, "alice", op("alice", false), &[own("alice")]);
    w.apply("r1", op("alice", true), &[officer("registrar", "r1")]);
    w.fund("bob", "MEBUKU", 10);
    let signers = [debit("bob"), credit("alice")];
    w.void(Code::KeyNotActive, "bob", pay("bob", "alice", 1), &signers);
}

#[test]
fn freezing_is_at_once_and_lifting_takes_two() {
    let mut w = World::new();
    w.void(Code::MissingConsent, "eve", freeze("alice"), &[own("eve")]);
    w.reject(Code::RoleMissing, "eve", freeze("alice"), &[officer("registrar", "eve")]);
    w.reject(Code::UnknownParty, "eve", freeze("nobody"), &[own("eve")]);
    w.apply("r3", freeze("alice"), &[officer("registrar", "r3")]);
    w.reject(Code::PartyFrozen, "r3", freeze("alice"), &[officer("registrar", "r3")]);
    let lift = || Operation::Unfreeze { party: id("alice") };
    w.void(Code::ApproversMissing, "r3", lift(), &[officer("registrar", "r3")]);
    w.void(Code::MissingConsent, "alice", lift(), &[own("alice")]);
    w.apply("r1", lift(), &two());
    w.reject(Code::NotFrozen, "r1", lift(), &two());
    // The holder freezes too; a group, by any of its roles.
    w.apply("alice", freeze("alice"), &[own("alice")]);
    w.reject(Code::KeyNotActive, "alice", revoke("alice", "alice", true), &[own("alice")]);
    w.reject(Code::RoleMissing, "eve", freeze("club"), &[member("club", "eve")]);
    w.apply("bob", freeze("club"), &[checker("club", "bob")]);
}

#[test]
fn a_lost_key_is_replaced_after_the_delay() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10);
    w.apply("r1", freeze("alice"), &[officer("registrar", "r1")]);
    let op = || recover("alice", "alice/new");
    let proof = proves("alice", "alice/new");
    w.void(Code::ApproversMissing, "r1", op(), &[officer("registrar", "r1"), proof.clone()]);
    w.void(Code::MissingConsent, "r1", op(), &two());
    w.apply("r1", op(), &three("alice", "alice/new"));
    assert_eq!(status(&w, "alice/new"), KeyStatus::Waiting);
    let second = recover("alice", "alice/other");
    w.reject(Code::RecoveryPending, "r1", second, &three("alice", "alice/other"));
    let lift = Operation::Unfreeze { party: id("alice") };
    w.reject(Code::RecoveryPending, "r1", lift, &two());
    let newly = [debit("alice").key("alice/new"), credit("bob")];
    w.void(Code::SenderNotSigner, "alice", pay("alice", "bob", 1), &newly);
    let effective = party(&w, "alice").recovery.unwrap().effective;
    // The new key works in the very block of its time, and not a millisecond before.
    w.now = Time(effective.0 - SECOND - 1);
    w.void(Code::SenderNotSigner, "alice", pay("alice", "bob", 1), &newly);
    w.now = Time(effective.0 - SECOND);
    w.apply("alice", pay("alice", "bob", 1), &newly);
    assert_eq!(status(&w, "alice"), KeyStatus::Revoked);
    assert_eq!(status(&w, "alice/new"), KeyStatus::Active);
    assert_eq!(party(&w, "alice").status, PartyStatus::Active);
    let old = [debit("alice"), credit("bob")];
    w.void(Code::SenderNotSigner, "alice", pay("alice", "bob", 1), &old);
}

#[test]
fn any_old_key_cancels_a_recovery_even_while_frozen() {
    let mut w = World::new();
    let cancel = || Operation::CancelRecovery { party: id("alice") };
    w.reject(Code::NoRecovery, "alice", cancel(), &[own("alice")]);
    w.apply("r1", freeze("alice"), &[officer("registrar", "r1")]);
    w.apply("r1", recover("alice", "thief"), &three("alice", "thief"));
    w.void(Code::MissingConsent, "eve", cancel(), &[own("eve")]);
    w.void(Code::ApproversMissing, "r1", cancel(), &[officer("registrar", "r1")]);
    w.apply("alice", cancel(), &[own("alice")]);
    assert_eq!(status(&w, "thief"), KeyStatus::Revoked);
    w.wait(2 * DELAY);
    assert_eq!(party(&w, "alice").status, PartyStatus::Frozen);
    // Two registrar officers cancel too.
    w.apply("r1", recover("alice", "thief/2"), &three("alice", "thief/2"));
    w.apply("r1", cancel(), &two());
    // Once effective there is nothing to cancel.
    w.apply("r1", recover("alice", "alice/new"), &three("alice", "alice/new"));
    w.wait(DELAY);
    w.reject(Code::NoRecovery, "alice", cancel(), &[own("alice").key("alice/new")]);
}

#[test]
fn officials_recover_by_the_organisations_together() {
    let mut w = World::new();
    w.void(
        Code::MissingConsent,
        "r1",
        recover("issuer", "issuer/new"),
        &three("issuer", "issuer/new"),
    );
    let together = [governs("city"), governs("operator"), proves("issuer", "issuer/new")];
    w.apply("city", recover("issuer", "issuer/new"), &together);
    let group =
        [officer("registrar", "r1"), officer("registrar", "r2"), proves("club", "club/new")];
    w.reject(Code::WrongKind, "r1", recover("club", "club/new"), &group[..2]);
    let mut w = World::new();
    w.apply("r1", recover("alice", "alice/new"), &three("alice", "alice/new"));
    let mut again = World::new();
    let taken = [officer("registrar", "r1"), officer("registrar", "r2"), proves("alice", "bob")];
    again.void(Code::SenderNotSigner, "eve", recover("alice", "bob"), &taken);
    again.void(Code::MissingConsent, "r1", recover("alice", "bob"), &taken[..2]);
    let code = {
        let tx = again.transaction("r1", recover("alice", "bob"), &taken);
        again.block(core::slice::from_ref(&tx))[0]
    };
    assert_eq!(code, Code::KeyExists);
}

#[test]
fn a_freeze_during_a_recovery_outlives_it() {
    let mut w = World::new();
    w.apply("r1", recover("alice", "alice/new"), &three("alice", "alice/new"));
    w.apply("alice", freeze("alice"), &[own("alice")]);
    let lift = || Operation::Unfreeze { party: id("alice") };
    w.reject(Code::RecoveryPending, "r1", lift(), &two());
    w.now = Time(party(&w, "alice").recovery.unwrap().effective.0 - SECOND);
    w.fund("bob", "MEBUKU", 10);
    let newly = [debit("bob"), credit("alice").key("alice/new")];
    w.reject(Code::PartyFrozen, "bob", pay("bob", "alice", 1), &newly);
    assert_eq!(status(&w, "alice/new"), KeyStatus::Active);
    assert_eq!(party(&w, "alice").status, PartyStatus::Frozen);
    w.apply("r1", lift(), &two());
    w.apply("bob", pay("bob", "alice", 1), &newly);
}

/// More is due than one block tidies up: the recovery has taken effect, its row says so only later.
#[test]
fn a_recovery_holds_from_its_time_whenever_its_leaf_comes() {
    let mut w = World::new();
    w.fund("bob", "MEBUKU", 10);
    w.apply("r1", recover("alice", "alice/new"), &three("alice", "alice/new"));
    let effective = party(&w, "alice").recovery.unwrap().effective;
    let waiting = |w: &mut World| {
        let op = RequestPayment {
            payee: id("bob"),
            payer: None,
            legs: legs(&[("MEBUKU", 1)]),
            tender: Vec::new(),
            due: Time(effective.0 - 1),
        };
        w.transaction("bob", Operation::RequestPayment(op), &[credit("bob")])
    };
    let many: Vec<Transaction> = (0..limits::SYSTEM_LEAVES_MAX).map(|_| waiting(&mut w)).collect();
    assert!(w.block(&many).iter().all(|code| *code == Code::Applied));
    w.now = Time(effective.0 - SECOND);
    let newest = [own("alice").key("alice/new"), proves("alice", "alice/newest")];
    let turn = w.transaction("alice", rotate("alice", "alice/new", "alice/newest"), &newest);
    let more = [own("alice").key("alice/newest"), proves("alice", "alice/more")];
    let second = w.transaction("alice", add("alice", "alice/more"), &more);
    assert_eq!(w.block(&[turn, second]), [Code::Applied; 2]);
    assert!(w.last.overdue, "the recovery's own leaf is still to come");
    w.wait(SECOND);
    assert_eq!(status(&w, "alice"), KeyStatus::Revoked);
    assert_eq!(status(&w, "alice/new"), KeyStatus::Rotated);
    for good in ["alice/newest", "alice/more"] {
        assert_eq!(status(&w, good), KeyStatus::Active);
        let signers = [debit("bob"), credit("alice").key(good)];
        w.apply("bob", pay("bob", "alice", 1), &signers);
    }
}

#[test]
fn an_ended_key_makes_room_for_a_new_one() {
    let mut w = World::new();
    for n in 1..limits::KEYS_PER_PARTY_MAX {
        let new = format!("alice/{n}");
        w.apply("alice", add("alice", &new), &[own("alice"), proves("alice", &new)]);
    }
    w.apply("alice", revoke("alice", "alice/7", false), &[own("alice")]);
    w.apply("alice", revoke("alice", "alice/3", true), &[own("alice")]);
    let more = |new: &str| [own("alice"), proves("alice", new)];
    w.apply("alice", add("alice", "alice/more"), &more("alice/more"));
    let keys = party(&w, "alice").keys;
    assert!(!keys.contains(&key("alice/7").public()), "the one that ended first goes");
    assert!(keys.contains(&key("alice/3").public()));
    // It is still hers for ever, and ends nothing but itself.
    assert_eq!(status(&w, "alice/7"), KeyStatus::Revoked);
    let theirs = [own("eve"), proves("eve", "alice/7")];
    w.reject(Code::KeyExists, "eve", add("eve", "alice/7"), &theirs);
    w.apply("alice", add("alice", "alice/again"), &more("alice/again"));
    w.reject(Code::TooManyKeys, "alice", add("alice", "alice/last"), &more("alice/last"));
}

#[test]
fn what_others_do_to_a_party_shows_in_its_feed() {
    let mut w = World::new();
    let feed = |w: &World| w.last.entries.last().unwrap().parties.clone();
    w.apply("r1", freeze("alice"), &[officer("registrar", "r1")]);
    assert!(feed(&w).contains(&id("alice")));
    w.apply("r1", Operation::Unfreeze { party: id("alice") }, &two());
    assert!(feed(&w).contains(&id("alice")));
    w.apply("r1", revoke("alice", "alice", true), &[officer("registrar", "r1")]);
    assert!(feed(&w).contains(&id("alice")));
    w.fund("bob", "MEBUKU", 10);
    let useless = by(Side::Debit, Role::Holder, "frank", "eve");
    let signers = [debit("bob"), credit("carol"), useless];
    w.apply("bob", pay("bob", "carol", 1), &signers);
    assert_eq!(feed(&w), ids(&["bob", "carol"]));
}
