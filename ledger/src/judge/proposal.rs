//! Proposals: transfers on the ledger that still collect consents.

use super::{
    case::{Case, total},
    consent::{Consents, Missing, Scene},
    movement::{self, Origin},
    way::Way,
};
use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, TxId},
    limits,
    operation::{Citation, Decide, Decision, Movement, Propose},
    party::{KeyStatus, PartyKind},
    state::{DueKind, Overlay, Proposal, ProposalConsent, ProposalStatus, Settled},
    time::Time,
    transaction::{Role, Side},
};

pub(super) fn propose(case: &mut Case<'_, '_>, op: &Propose) -> Result<(), Code> {
    movement::well_formed(&op.movement)?;
    // A medium is shown at a terminal, now: nothing to collect.
    if matches!(op.movement.debit, Citation::Medium { .. }) {
        return Err(Code::NotWellFormed);
    }
    let from = case.active_party(op.movement.from)?;
    let to = case.active_party(op.movement.to)?;
    total(&op.movement.legs)?;
    let window = if from.kind == PartyKind::Group {
        u64::from(case.group(op.movement.from)?.policy.proposal_hours) * 3_600_000
    } else {
        limits::PROPOSAL_WINDOW_MS
    };
    let body = case.body();
    let mut proposal = Proposal {
        movement: op.movement.clone(),
        proposer: body.sender,
        drafter: None,
        purpose: body.purpose,
        answers: body.answers,
        opened: case.now,
        deadline: op.deadline,
        consents: Vec::new(),
        status: ProposalStatus::Open,
    };
    collect(case, &mut proposal)?;
    movement::check_allowed(case, Way::of_movement(&op.movement), &from, &to)?;
    if op.deadline <= case.now || op.deadline > case.now.plus(window) {
        return Err(Code::DeadlineInvalid);
    }
    // One of its groups may have begun to close in this very block.
    if !is_open(case.scene(), &proposal) {
        return Err(Code::ProposalNotOpen);
    }
    match try_complete(case, case.id, &mut proposal)? {
        Some(settled) => case.settled = Some(settled),
        None => case.due_at(op.deadline, DueKind::Proposal, case.id.0),
    }
    case.state.put_proposal(case.id, proposal);
    Ok(())
}

pub(super) fn decide(case: &mut Case<'_, '_>, op: &Decide) -> Result<(), Code> {
    let mut proposal = case.state.proposal(op.proposal).ok_or(Code::UnknownProposal)?;
    match op.decision {
        Decision::Consent => collect(case, &mut proposal)?,
        Decision::Decline => check_may_decline(case, &proposal)?,
        Decision::Withdraw if case.body().sender != proposal.proposer => {
            return Err(Code::RoleMissing);
        }
        // Withdrawing needs no role, only the proposer: but not one who is frozen.
        Decision::Withdraw => drop(case.active_party(proposal.proposer)?),
    }
    if !is_open(case.scene(), &proposal) {
        return Err(Code::ProposalNotOpen);
    }
    case.outcome.cites.push(op.proposal);
    match op.decision {
        Decision::Consent => {
            if let Some(settled) = try_complete(case, op.proposal, &mut proposal)? {
                settle(case, op.proposal, settled);
            }
        }
        Decision::Decline => proposal.status = ProposalStatus::Declined(case.id),
        Decision::Withdraw => proposal.status = ProposalStatus::Withdrawn(case.id),
    }
    if proposal.status != ProposalStatus::Open {
        case.settled_before(proposal.deadline, DueKind::Proposal, op.proposal);
    }
    case.state.put_proposal(op.proposal, proposal);
    Ok(())
}

/// The payout's id is the proposal's: what moved is kept with the proposal's verdict.
fn settle(case: &mut Case<'_, '_>, id: TxId, settled: Settled) {
    let mut judged = case.state.judged(id).expect("a stored proposal was judged");
    judged.settled = Some(settled);
    case.state.put_judged(id, judged);
}

fn is_open(scene: Scene<'_, '_>, proposal: &Proposal) -> bool {
    let parties = [proposal.movement.from, proposal.movement.to];
    let died = parties.into_iter().any(|party| {
        let closing = scene.state.group(party).and_then(|group| group.closing_since);
        closing.is_some_and(|since| proposal.opened <= since)
    });
    proposal.status == ProposalStatus::Open && scene.now < proposal.deadline && !died
}

/// In which somebody may consent to a proposal, in the order in which their faults are told.
const ROLES: [Role; 6] = [
    Role::Holder,
    Role::Drafter,
    Role::Approver,
    Role::Officer,
    Role::Representative,
    Role::Issuer,
];

/// Adds the transaction's consents to a proposal. At least one must be new and wanted.
fn collect(case: &Case<'_, '_>, proposal: &mut Proposal) -> Result<(), Code> {
    let consents = Consents::live(case);
    let movement = proposal.movement.clone();
    let wanted = [
        (Side::Debit, movement.from, movement.debit == Citation::Live),
        (Side::Credit, movement.to, movement.credit == Citation::Live),
    ];
    let before = proposal.consents.len();
    let mut seen = false;
    for consent in consents.all() {
        let fits = |w: &&(Side, PartyId, bool)| (w.0, w.1) == (consent.side, consent.party);
        let Some((_, _, live)) = wanted.iter().find(fits) else {
            continue;
        };
        seen = true;
        if *live && is_new(case, proposal, consent) {
            admit(case, proposal, *consent)?;
        }
    }
    match (proposal.consents.len() > before, seen) {
        (true, _) => Ok(()),
        (false, true) => Err(Code::ConsentNotNeeded),
        (false, false) => Err(wanted
            .iter()
            .flat_map(|(side, party, _)| ROLES.map(|role| consents.lack(*side, role, *party)))
            .find(|code| *code != Code::MissingConsent)
            .unwrap_or(Code::MissingConsent)),
    }
}

/// Whether this person has not given this consent yet, or gave it by a key that is compromised by now.
fn is_new(case: &Case<'_, '_>, proposal: &Proposal, consent: &ProposalConsent) -> bool {
    let same = |c: &ProposalConsent| {
        (c.side, c.role, c.signer) == (consent.side, consent.role, consent.signer)
    };
    let given = proposal.consents.iter().filter(|c| same(c));
    given.into_iter().all(|c| {
        let record = case.state.key(c.key);
        record.is_some_and(|record| record.status == KeyStatus::Compromised)
    })
}

/// Admits one consent: its signer has the role now, and dual control holds from the first signature.
fn admit(
    case: &Case<'_, '_>,
    proposal: &mut Proposal,
    consent: ProposalConsent,
) -> Result<(), Code> {
    let party = case.party(consent.party)?;
    let alone = Consents::one(consent);
    alone.takes_part(case.scene(), consent.side, (consent.party, &party))?;
    if party.kind == PartyKind::Group && consent.side == Side::Debit {
        admit_group_debit(proposal, &consent)?;
    }
    if proposal.consents.len() == limits::PROPOSAL_CONSENTS_MAX {
        return Err(Code::ConsentNotNeeded);
    }
    proposal.consents.push(consent);
    Ok(())
}

/// The recorded drafter never approves that proposal, whatever roles hold now (INV-4).
fn admit_group_debit(proposal: &mut Proposal, consent: &ProposalConsent) -> Result<(), Code> {
    match consent.role {
        Role::Drafter if proposal.drafter.is_some_and(|d| d != consent.signer) => {
            Err(Code::ConsentNotNeeded)
        }
        Role::Drafter => {
            let approved = |c: &ProposalConsent| {
                c.role == Role::Approver && c.side == Side::Debit && c.signer == consent.signer
            };
            if proposal.consents.iter().any(approved) {
                return Err(Code::SamePerson);
            }
            proposal.drafter = Some(consent.signer);
            Ok(())
        }
        Role::Approver if proposal.drafter == Some(consent.signer) => Err(Code::SamePerson),
        Role::Approver if proposal.movement.to == consent.signer => Err(Code::PayeeApproves),
        Role::Approver => Ok(()),
        _ => Err(Code::ConsentNotNeeded),
    }
}

/// Carries the proposal out if nothing is missing; `None` if consents are.
fn try_complete(
    case: &mut Case<'_, '_>,
    id: TxId,
    proposal: &mut Proposal,
) -> Result<Option<Settled>, Code> {
    if !missing(case.state, proposal, case.now).is_empty() {
        return Ok(None);
    }
    let consents = Consents::collected(case.scene(), proposal);
    let origin = Origin {
        id,
        purpose: proposal.purpose,
        answers: proposal.answers,
        drafter: proposal.drafter,
    };
    let movement = proposal.movement.clone();
    let settled = movement::complete(case, Way::of_movement(&movement), &consents, origin)?;
    proposal.status = ProposalStatus::Completed(case.id);
    Ok(Some(settled))
}

fn check_may_decline(case: &Case<'_, '_>, proposal: &Proposal) -> Result<(), Code> {
    let consents = Consents::live(case);
    let movement: &Movement = &proposal.movement;
    let mut lack = Code::MissingConsent;
    for (side, id) in [(Side::Debit, movement.from), (Side::Credit, movement.to)] {
        let party = case.party(id)?;
        let result = consents.takes_part(case.scene(), side, (id, &party));
        match result {
            Ok(()) => return Ok(()),
            Err(Code::MissingConsent) => {}
            Err(code) => lack = code,
        }
    }
    Err(lack)
}

/// What a proposal still waits for; empty also if it is not open any more.
pub(super) fn missing(state: &Overlay<'_>, proposal: &Proposal, now: Time) -> Vec<Missing> {
    let scene = Scene { state, now };
    if !is_open(scene, proposal) {
        return Vec::new();
    }
    let consents = Consents::collected(scene, proposal);
    let mut missing = Vec::new();
    let movement = &proposal.movement;
    if movement.debit == Citation::Live {
        let amount = total(&movement.legs).unwrap_or(Amount(u64::MAX));
        missing.extend(missing_debit(scene, &consents, movement.from, amount));
    }
    if movement.credit == Citation::Live {
        missing.extend(missing_credit(scene, &consents, movement.to));
    }
    missing
}

fn missing_debit(
    scene: Scene<'_, '_>,
    consents: &Consents,
    id: PartyId,
    amount: Amount,
) -> Vec<Missing> {
    let kind = scene.state.party(id).map(|party| party.kind);
    let wanted: Vec<(Role, u8)> = match (kind, scene.group(id)) {
        (_, Ok(group)) => {
            vec![(Role::Drafter, 1), (Role::Approver, group.policy.approvers_for(amount))]
        }
        (Some(PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator), _) => {
            vec![(Role::Officer, 2)]
        }
        _ => vec![(Role::Holder, 1)],
    };
    let lacking = |(role, count): (Role, u8)| {
        let given = consents.able(scene, Side::Debit, role, id);
        let count = count.saturating_sub(u8::try_from(given).unwrap_or(u8::MAX));
        (count > 0).then_some(Missing { side: Side::Debit, role, party: id, count })
    };
    wanted.into_iter().filter_map(lacking).collect()
}

fn missing_credit(scene: Scene<'_, '_>, consents: &Consents, id: PartyId) -> Option<Missing> {
    let party = scene.state.party(id)?;
    let given = consents.credit(scene, (id, &party)).is_ok();
    let role = match party.kind {
        PartyKind::Group => Role::Drafter,
        PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => Role::Officer,
        _ => Role::Holder,
    };
    (!given).then_some(Missing { side: Side::Credit, role, party: id, count: 1 })
}
