//! Proposals: complete in one, collecting, declined, withdrawn, expired, judged again at completion.

use crate::common::*;
use musubi_ledger::{
    judge::missing_consents,
    state::{Proposal, ProposalStatus},
};

fn world() -> World {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 500_000);
    w
}

fn proposal(w: &World, id: TxId) -> Proposal {
    match w.state.row(&RowKey::Proposal(id)) {
        Some(Row::Proposal(proposal)) => Proposal::clone(&proposal),
        _ => panic!("{id} is a proposal"),
    }
}

/// What it still waits for: (side, role, count).
fn missing(w: &World, id: TxId) -> Vec<(Side, Role, u8)> {
    missing_consents(&w.state, &proposal(w, id), w.now)
        .iter()
        .map(|m| (m.side, m.role, m.count))
        .collect()
}

fn drafted(w: &mut World, to: &str, amount: u64) -> TxId {
    let op = propose("club", to, amount, w.now.plus(DAY));
    w.apply("alice", op, &[drafts("club", "alice")])
}

/// Enough persons to change the club.
fn changers() -> [By; 3] {
    [member("club", "alice"), checker("club", "bob"), represents("club", "dave")]
}

fn consent(w: &mut World, id: TxId, sender: &str, by: By) -> TxId {
    w.apply(sender, decide(id, Decision::Consent), &[by])
}

#[test]
fn complete_in_one() {
    let mut w = world();
    let op = propose("club", "eve", 500, w.now.plus(DAY));
    let all = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    let id = w.apply("alice", op, &all);
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
    assert_eq!(proposal(&w, id).status, ProposalStatus::Completed(id));
    assert_eq!(missing(&w, id), []);
    w.reject(
        Code::ProposalNotOpen,
        "carol",
        decide(id, Decision::Consent),
        &[approves("club", "carol")],
    );
}

#[test]
fn consents_arrive_one_by_one_and_the_payout_bears_the_proposals_id() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 100_000);
    let (debit_side, credit_side) = (Side::Debit, Side::Credit);
    assert_eq!(missing(&w, id), [(debit_side, Role::Approver, 2), (credit_side, Role::Holder, 1)]);
    consent(&mut w, id, "bob", approves("club", "bob"));
    assert_eq!(w.outcome().postings, []);
    consent(&mut w, id, "eve", credit("eve"));
    assert_eq!(missing(&w, id), [(debit_side, Role::Approver, 1)]);
    assert_eq!(w.spendable("eve", "MEBUKU"), 0);
    let last = consent(&mut w, id, "carol", approves("club", "carol"));
    assert_eq!(w.spendable("eve", "MEBUKU"), 100_000);
    assert_eq!(proposal(&w, id).status, ProposalStatus::Completed(last));
    let outcome = w.outcome();
    assert_eq!(outcome.cites, [id]);
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Live));
    assert!(w.judged(id).unwrap().settled.is_some(), "the payout's id is the proposal's");
    assert!(w.judged(last).unwrap().settled.is_none());
    w.apply("eve", refund(id, 10), &[debit("eve")]);
}

#[test]
fn dual_control_holds_from_the_first_signature() {
    let mut w = world();
    let deadline = w.now.plus(DAY);
    let by_carol =
        w.apply("carol", propose("club", "bob", 500, deadline), &[drafts("club", "carol")]);
    let yes = || decide(by_carol, Decision::Consent);
    // Carol may approve for this group, but not what she drafted; the payee never does.
    w.reject(Code::SamePerson, "carol", yes(), &[approves("club", "carol")]);
    w.reject(Code::PayeeApproves, "bob", yes(), &[approves("club", "bob")]);
    w.reject(Code::RoleMissing, "alice", yes(), &[approves("club", "alice")]);
    w.reject(Code::ConsentNotNeeded, "alice", yes(), &[drafts("club", "alice")]);
    w.reject(Code::RoleMissing, "dave", yes(), &[approves("club", "dave")]);
    w.reject(Code::KeyUnknown, "eve", yes(), &[credit("bob").key("eve")]);
    w.void(Code::MissingConsent, "eve", yes(), &[credit("eve")]);
    w.apply("bob", yes(), &[credit("bob")]);
    w.reject(Code::ConsentNotNeeded, "bob", yes(), &[credit("bob")]);
    // Both at once, by one person, in the proposal itself.
    let both = [drafts("club", "carol"), approves("club", "carol")];
    let op = propose("club", "eve", 500, deadline);
    w.reject(Code::SamePerson, "carol", op, &both);
}

#[test]
fn the_recorded_drafter_stays_the_drafter_whatever_roles_hold_now() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    consent(&mut w, id, "eve", credit("eve"));
    let roles = roles(&[("alice", false, true), ("bob", true, true), ("carol", true, true)]);
    let op = Operation::ChangeGroup(ChangeGroup {
        group: crate::common::id("club"),
        roles: Some(roles),
        policy: None,
        representative: None,
    });
    w.apply("alice", op, &changers());
    w.reject(
        Code::SamePerson,
        "alice",
        decide(id, Decision::Consent),
        &[approves("club", "alice")],
    );
    // Her draft does not stand without the role, so approvals alone complete nothing.
    consent(&mut w, id, "bob", approves("club", "bob"));
    assert_eq!(missing(&w, id), [(Side::Debit, Role::Drafter, 1)]);
    assert_eq!(w.spendable("eve", "MEBUKU"), 0);
}

#[test]
fn completion_is_judged_under_the_roles_of_that_moment() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    consent(&mut w, id, "bob", approves("club", "bob"));
    let op = Operation::ChangeGroup(ChangeGroup {
        group: crate::common::id("club"),
        roles: Some(roles(&[("alice", true, false), ("carol", true, true)])),
        policy: None,
        representative: None,
    });
    w.apply("alice", op, &changers());
    consent(&mut w, id, "eve", credit("eve"));
    assert_eq!(w.spendable("eve", "MEBUKU"), 0, "bob's approval no longer counts");
    consent(&mut w, id, "carol", approves("club", "carol"));
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
}

#[test]
fn a_stricter_policy_counts_for_open_proposals() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    consent(&mut w, id, "bob", approves("club", "bob"));
    let op = Operation::ChangeGroup(ChangeGroup {
        group: crate::common::id("club"),
        roles: None,
        policy: Some(policy(&[(1, 2)])),
        representative: None,
    });
    w.apply("alice", op, &changers());
    consent(&mut w, id, "eve", credit("eve"));
    assert_eq!(missing(&w, id), [(Side::Debit, Role::Approver, 1)]);
    consent(&mut w, id, "carol", approves("club", "carol"));
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
}

#[test]
fn if_completion_fails_that_consent_is_rejected_and_the_proposal_stays_open() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    consent(&mut w, id, "eve", credit("eve"));
    let rest = [
        drafts("club", "alice"),
        approves("club", "bob"),
        approves("club", "carol"),
        credit("frank"),
    ];
    let to_frank = pay("club", "frank", 300_000);
    w.apply("alice", to_frank, &rest);
    let rest = [
        drafts("club", "alice"),
        approves("club", "bob"),
        approves("club", "carol"),
        credit("shop"),
    ];
    w.apply("alice", pay("club", "shop", 200_000), &rest);
    let yes = || decide(id, Decision::Consent);
    w.reject(Code::InsufficientFunds, "bob", yes(), &[approves("club", "bob")]);
    assert_eq!(proposal(&w, id).status, ProposalStatus::Open);
    w.fund("club", "MEBUKU", 500);
    w.apply("bob", yes(), &[approves("club", "bob")]);
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
}

#[test]
fn decline_and_withdraw() {
    let mut w = world();
    let no = |id| decide(id, Decision::Decline);
    let back = |id| decide(id, Decision::Withdraw);
    let id = drafted(&mut w, "eve", 500);
    w.void(Code::MissingConsent, "frank", no(id), &[credit("frank")]);
    w.reject(Code::KeyUnknown, "frank", no(id), &[credit("eve").key("frank")]);
    w.reject(Code::RoleMissing, "frank", no(id), &[approves("club", "frank")]);
    let said = w.apply("eve", no(id), &[credit("eve")]);
    assert_eq!(proposal(&w, id).status, ProposalStatus::Declined(said));
    for decision in [Decision::Consent, Decision::Decline] {
        let signer = [approves("club", "bob")];
        w.reject(Code::ProposalNotOpen, "bob", decide(id, decision), &signer);
    }
    // An approver declines too.
    let id = drafted(&mut w, "eve", 500);
    w.apply("bob", no(id), &[approves("club", "bob")]);
    // The proposer alone withdraws.
    let id = drafted(&mut w, "eve", 500);
    w.reject(Code::RoleMissing, "bob", back(id), &[approves("club", "bob")]);
    let said = w.apply("alice", back(id), &[own("alice")]);
    assert_eq!(proposal(&w, id).status, ProposalStatus::Withdrawn(said));
    w.reject(Code::ProposalNotOpen, "alice", back(id), &[own("alice")]);
    w.reject(Code::UnknownProposal, "alice", back(TxId([1; 32])), &[own("alice")]);
}

#[test]
fn a_proposal_expires_exactly_at_its_deadline() {
    let mut w = world();
    let deadline = w.now.plus(DAY);
    let id = drafted(&mut w, "eve", 500);
    consent(&mut w, id, "eve", credit("eve"));
    // The next block is a second away: one millisecond before the deadline.
    w.now = Time(deadline.0 - SECOND - 1);
    consent(&mut w, id, "bob", approves("club", "bob"));
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
    let late = drafted(&mut w, "eve", 500);
    w.now = Time(proposal(&w, late).deadline.0 - SECOND);
    // This block is stamped with the deadline itself.
    let yes = decide(late, Decision::Consent);
    w.reject(Code::ProposalNotOpen, "eve", yes, &[credit("eve")]);
    assert_eq!(proposal(&w, late).status, ProposalStatus::Expired);
    let system = w.last.entries.iter().filter(|e| e.item.is_none());
    assert_eq!(system.count(), 1);
}

#[test]
fn deadlines_keep_to_the_groups_policy_and_the_ledgers_limit() {
    let mut w = world();
    let signer = [drafts("club", "alice")];
    let hours = |h: u64| h * 3_600_000;
    for (deadline, ok) in
        [(w.now, false), (w.now.plus(hours(80)), false), (w.now.plus(hours(72)), true)]
    {
        let op = propose("club", "eve", 5, deadline);
        match ok {
            true => drop(w.apply("alice", op, &signer)),
            false => w.reject(Code::DeadlineInvalid, "alice", op, &signer),
        }
    }
    let op = propose("alice", "eve", 5, w.now.plus(91 * DAY));
    w.reject(Code::DeadlineInvalid, "alice", op, &[debit("alice")]);
    let op = propose("alice", "eve", 5, w.now.plus(89 * DAY));
    w.apply("alice", op, &[debit("alice")]);
}

#[test]
fn a_rotated_keys_consent_stands_a_compromised_keys_does_not() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    consent(&mut w, id, "bob", approves("club", "bob"));
    let rotate = Operation::RotateKey(RotateKey {
        party: crate::common::id("bob"),
        old: key("bob").public(),
        new: key("bob/2").public(),
    });
    w.apply("bob", rotate, &[own("bob"), proves("bob", "bob/2")]);
    assert_eq!(missing(&w, id), [(Side::Credit, Role::Holder, 1)]);
    let compromised = Operation::RevokeKey(RevokeKey {
        party: crate::common::id("bob"),
        key: key("bob").public(),
        compromised: true,
    });
    w.apply("bob", compromised, &[own("bob").key("bob/2")]);
    consent(&mut w, id, "eve", credit("eve"));
    assert_eq!(missing(&w, id), [(Side::Debit, Role::Approver, 1)]);
    assert_eq!(w.spendable("eve", "MEBUKU"), 0);
    // Bob himself approves again, by the key that is his alone.
    consent(&mut w, id, "bob", approves("club", "bob").key("bob/2"));
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
}

#[test]
fn a_drafter_whose_key_was_compromised_drafts_again() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    let rotate = Operation::RotateKey(RotateKey {
        party: crate::common::id("alice"),
        old: key("alice").public(),
        new: key("alice/2").public(),
    });
    w.apply("alice", rotate, &[own("alice"), proves("alice", "alice/2")]);
    let compromised = Operation::RevokeKey(RevokeKey {
        party: crate::common::id("alice"),
        key: key("alice").public(),
        compromised: true,
    });
    w.apply("alice", compromised, &[own("alice").key("alice/2")]);
    consent(&mut w, id, "bob", approves("club", "bob"));
    consent(&mut w, id, "eve", credit("eve"));
    assert_eq!(missing(&w, id), [(Side::Debit, Role::Drafter, 1)]);
    let yes = || decide(id, Decision::Consent);
    w.reject(Code::ConsentNotNeeded, "carol", yes(), &[drafts("club", "carol")]);
    w.apply("alice", yes(), &[drafts("club", "alice/2")]);
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
}

#[test]
fn a_frozen_signers_consent_does_not_count_until_they_act_again() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    consent(&mut w, id, "bob", approves("club", "bob"));
    let freeze =
        Operation::Freeze(Freeze { party: crate::common::id("bob"), evidence: document("theft") });
    w.apply("bob", freeze, &[own("bob")]);
    consent(&mut w, id, "eve", credit("eve"));
    assert_eq!(missing(&w, id), [(Side::Debit, Role::Approver, 1)]);
    let unfreeze = Operation::Unfreeze { party: crate::common::id("bob") };
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    w.apply("r1", unfreeze, &two);
    assert_eq!(missing(&w, id), []);
    // Nothing is missing, but a consent must come to complete it.
    assert_eq!(w.spendable("eve", "MEBUKU"), 0);
    consent(&mut w, id, "carol", approves("club", "carol"));
    assert_eq!(w.spendable("eve", "MEBUKU"), 500);
}

#[test]
fn two_persons_agree_by_proposal() {
    let mut w = world();
    w.fund("alice", "MEBUKU", 1_000);
    let op = propose("alice", "bob", 100, w.now.plus(DAY));
    let id = w.apply("bob", op, &[credit("bob")]);
    assert_eq!(missing(&w, id), [(Side::Debit, Role::Holder, 1)]);
    consent(&mut w, id, "alice", debit("alice"));
    assert_eq!(w.spendable("bob", "MEBUKU"), 100);
    // Nobody proposes what they have no part in.
    let op = propose("alice", "bob", 100, w.now.plus(DAY));
    w.void(Code::MissingConsent, "eve", op, &[own("eve")]);
}

#[test]
fn a_proposal_cites_mandates_and_requests_when_it_completes() {
    let mut w = world();
    let standing = terms(Direction::Credit, 1_000);
    let standing = w.apply("eve", mandate("eve", standing), &[credit("eve")]);
    let op = Operation::Propose(Propose {
        movement: Movement { credit: Citation::Mandate(standing), ..movement("club", "eve", 500) },
        deadline: w.now.plus(DAY),
    });
    let id = w.apply("alice", op, &[drafts("club", "alice")]);
    assert_eq!(missing(&w, id), [(Side::Debit, Role::Approver, 1)]);
    consent(&mut w, id, "bob", approves("club", "bob"));
    let outcome = w.outcome();
    assert_eq!(outcome.cites, [id, standing]);
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Mandate));
}

#[test]
fn a_frozen_proposer_withdraws_nothing() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    let freeze = Operation::Freeze(Freeze {
        party: crate::common::id("alice"),
        evidence: document("theft"),
    });
    w.apply("alice", freeze, &[own("alice")]);
    let back = decide(id, Decision::Withdraw);
    w.reject(Code::PartyFrozen, "alice", back, &[own("alice")]);
    assert_eq!(proposal(&w, id).status, ProposalStatus::Open);
}

#[test]
fn what_may_never_move_is_not_proposed() {
    let mut w = world();
    w.fund("alice", "COIN", 100);
    let deadline = w.now.plus(DAY);
    let op = |movement| Operation::Propose(Propose { movement, deadline });
    let same = op(movement("alice", "alice", 5));
    w.reject(Code::SameParty, "alice", same, &[debit("alice")]);
    let coins = Movement { legs: legs(&[("COIN", 5)]), ..movement("alice", "bob", 5) };
    w.reject(Code::TransferNotAllowed, "alice", op(coins), &[debit("alice")]);
    let too_much = legs(&[("COIN", u64::MAX), ("MEBUKU", 1)]);
    let too_much = Movement { legs: too_much, ..movement("alice", "bob", 5) };
    w.reject(Code::AmountOverflow, "alice", op(too_much), &[debit("alice")]);
    let dear = movement("alice", "bob", 300_001);
    w.reject(Code::OverTransferMax, "alice", op(dear), &[debit("alice")]);
}

#[test]
fn a_proposal_that_is_dead_at_birth_is_rejected() {
    let mut w = world();
    let close = Operation::CloseGroup { group: id("club") };
    let two = [member("club", "alice"), checker("club", "bob")];
    let close = w.transaction("alice", close, &two);
    let op = propose("club", "eve", 500, w.now.plus(DAY));
    let half = w.transaction("alice", op.clone(), &[drafts("club", "alice")]);
    let all = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    let whole = w.transaction("alice", op, &all);
    let dead = Code::ProposalNotOpen;
    assert_eq!(w.block(&[close, half, whole]), [Code::Applied, dead, dead]);
    assert_eq!(w.spendable("eve", "MEBUKU"), 0);
}

#[test]
fn an_issuers_own_key_receives_by_proposal() {
    let mut w = world();
    w.fund("alice", "MEBUKU", 1_000);
    let op = |w: &World| propose("alice", "issuer", 100, w.now.plus(DAY));
    let proposed = op(&w);
    let id = w.apply("alice", proposed, &[debit("alice")]);
    consent(&mut w, id, "issuer", settles());
    assert_eq!(w.spendable("issuer", "MEBUKU"), 100);
    // It declines too.
    let proposed = op(&w);
    let id = w.apply("alice", proposed, &[debit("alice")]);
    w.apply("issuer", decide(id, Decision::Decline), &[settles()]);
}

#[test]
fn who_cannot_consent_cannot_decline() {
    let mut w = world();
    let id = drafted(&mut w, "eve", 500);
    let dave = [by(Side::Debit, Role::Representative, "club", "dave")];
    for decision in [Decision::Consent, Decision::Decline] {
        w.void(Code::MissingConsent, "dave", decide(id, decision), &dave);
    }
    assert_eq!(proposal(&w, id).status, ProposalStatus::Open);
}

#[test]
fn a_settled_proposal_is_due_no_more() {
    let mut w = world();
    let whole = propose("club", "eve", 500, w.now.plus(DAY));
    let all = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    w.apply("alice", whole, &all);
    let declined = drafted(&mut w, "eve", 500);
    w.apply("eve", decide(declined, Decision::Decline), &[credit("eve")]);
    let completed = drafted(&mut w, "eve", 500);
    consent(&mut w, completed, "eve", credit("eve"));
    consent(&mut w, completed, "bob", approves("club", "bob"));
    w.wait(2 * DAY);
    assert_eq!(w.last.entries, [], "nothing is left to do");
}
