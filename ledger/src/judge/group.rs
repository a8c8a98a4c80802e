//! Groups: opening, changing, helping and closing them.

use super::{
    case::Case,
    consent::{Consents, suspended},
};
use crate::{
    amount::Amount,
    code::Code,
    group::{Group, GroupLife, GroupPolicy, RoleGrant, Successors},
    id::PartyId,
    instrument::{Regime, Went},
    lot::OriginKind,
    operation::{ChangeGroup, CreateGroup, InstallSuccessors},
    outcome::Form,
    party::{Party, PartyKind, PartyStatus},
    state::{DueKind, padded},
    transaction::{Role, Side},
    wallet::Holding,
};

/// The representative, a second person with a role, and a registrar officer.
pub(super) fn create(case: &mut Case<'_, '_>, op: &CreateGroup) -> Result<(), Code> {
    check_roles(&op.roles, &op.policy)?;
    let registrar = case.active_of_kind(op.registrar, PartyKind::Registrar)?;
    check_persons(case, op.representative, &op.roles)?;
    let mut group = Group {
        representative: op.representative,
        roles: op.roles.clone(),
        policy: op.policy.clone(),
        life: GroupLife::Forming,
        closing_since: None,
        successors: None,
        parent: None,
    };
    group.settle_life();
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (op.registrar, &registrar), 1)?;
    consents.persons(Side::Authority, Role::Representative, op.group, |person| {
        Ok(*person == op.representative)
    })?;
    consents.persons_of_group(case.scene(), (op.group, &group), 2)?;
    if case.state.party(op.group).is_some() {
        return Err(Code::PartyExists);
    }
    let party = Party {
        kind: PartyKind::Group,
        status: PartyStatus::Active,
        tag: None,
        registrar: op.registrar,
        organisation: None,
        keys: Vec::new(),
        officers: Vec::new(),
        attributes: Vec::new(),
        recovery: None,
        freeze_evidence: None,
        opened: case.now,
    };
    case.state.put_party(op.group, party);
    case.state.put_group(op.group, group);
    case.open_wallet(op.group);
    Ok(())
}

fn check_roles(roles: &[RoleGrant], policy: &GroupPolicy) -> Result<(), Code> {
    if policy.well_formed() && Group::roles_well_formed(roles, policy) {
        Ok(())
    } else {
        Err(Code::NotWellFormed)
    }
}

fn check_persons(
    case: &Case<'_, '_>,
    representative: PartyId,
    roles: &[RoleGrant],
) -> Result<(), Code> {
    case.active_of_kind(representative, PartyKind::Person)?;
    for grant in roles {
        case.active_of_kind(grant.person, PartyKind::Person)?;
    }
    Ok(())
}

/// As many persons of the group as its largest payout takes, or a few could lower the policy and then
/// pay; a new representative signs too. Changing nothing cancels successors who wait.
pub(super) fn change(case: &mut Case<'_, '_>, op: &ChangeGroup) -> Result<(), Code> {
    case.active_of_kind(op.group, PartyKind::Group)?;
    let before = case.group(op.group)?;
    let mut after = before.clone();
    if let Some(roles) = &op.roles {
        after.roles.clone_from(roles);
    }
    if let Some(policy) = &op.policy {
        after.policy.clone_from(policy);
    }
    if let Some(representative) = op.representative {
        after.representative = representative;
    }
    // A group that decides for itself needs no successors from outside any more.
    after.successors = None;
    if after == before {
        return Err(Code::NotWellFormed);
    }
    check_roles(&after.roles, &after.policy)?;
    if (&after.roles, after.representative) != (&before.roles, before.representative) {
        check_persons(case, after.representative, &after.roles)?;
    }
    let consents = old_hands(case, op)?;
    let count = to_change(case, &before);
    consents.persons_of_group(case.scene(), (op.group, &before), count)?;
    after.settle_life();
    case.state.put_group(op.group, after);
    Ok(())
}

/// How many persons change a group: the drafter and the approvers of its highest band, or all who can
/// act where they are fewer, but never less than two.
fn to_change(case: &Case<'_, '_>, group: &Group) -> usize {
    let largest = 1 + usize::from(group.policy.approvers_for(Amount(u64::MAX)));
    let mut members: Vec<PartyId> = group.roles.iter().map(|grant| grant.person).collect();
    members.push(group.representative);
    members.sort_unstable();
    members.dedup();
    members
        .retain(|person| case.active_party(*person).is_ok() && !suspended(case.scene(), *person));
    largest.min(members.len()).max(2)
}

/// The consents of the group as it is. A new representative's signature is demanded, and then set
/// aside: it does not make one of the two persons unless they hold a role already.
fn old_hands(case: &Case<'_, '_>, op: &ChangeGroup) -> Result<Consents, Code> {
    let mut consents = Consents::live(case);
    if let Some(representative) = op.representative {
        let slot = (Side::Authority, Role::Holder, representative);
        consents.holder(slot.0, slot.2)?;
    }
    consents.keep_party(op.group);
    Ok(consents)
}

/// Two registrar officers, for a group whose officers cannot act.
pub(super) fn install_successors(
    case: &mut Case<'_, '_>,
    op: &InstallSuccessors,
) -> Result<(), Code> {
    let party = case.active_of_kind(op.group, PartyKind::Group)?;
    let mut group = case.group(op.group)?;
    check_roles(&op.roles, &group.policy)?;
    check_persons(case, op.representative, &op.roles)?;
    let registrar = case.active_party(party.registrar)?;
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (party.registrar, &registrar), 2)?;
    if can_act(case, &group) {
        return Err(Code::GroupCanAct);
    }
    if op.effective < case.now.plus(case.parameters.successor_notice_ms) {
        return Err(Code::DeadlineInvalid);
    }
    group.successors = Some(Successors {
        representative: op.representative,
        roles: op.roles.clone(),
        effective: op.effective,
    });
    case.state.put_group(op.group, group);
    case.due_at(op.effective, DueKind::Successors, padded(&op.group.0));
    Ok(())
}

/// Whether some drafter and another approver are persons who act now.
fn can_act(case: &Case<'_, '_>, group: &Group) -> bool {
    let acting = |grant: &&RoleGrant| case.active_party(grant.person).is_ok();
    let roles: Vec<RoleGrant> = group.roles.iter().filter(acting).copied().collect();
    Group::can_pay(&roles)
}

/// Two persons of the group. Once begun, closing again ends it, with what lapses of its wallet; what was paid for must have gone before.
pub(super) fn close(case: &mut Case<'_, '_>, id: PartyId) -> Result<(), Code> {
    let mut party = case.active_of_kind(id, PartyKind::Group)?;
    let mut group = case.group(id)?;
    let consents = Consents::live(case);
    consents.persons_of_group(case.scene(), (id, &group), 2)?;
    if group.life == GroupLife::Closing {
        lapse(case, id)?;
        party.status = PartyStatus::Closed;
        case.state.put_party(id, party);
    } else {
        group.life = GroupLife::Closing;
        group.closing_since = Some(case.now);
        group.successors = None;
        case.state.put_group(id, group);
    }
    Ok(())
}

/// What a group that ends may not keep, and nobody else gets: value that was given to it, and what has no consideration behind it. What
/// was paid for never lapses: it is spent, given to a successor, or given back to its issuer, by proposal; nor does what is held or claimed.
fn lapse(case: &mut Case<'_, '_>, id: PartyId) -> Result<(), Code> {
    let wallet = case.wallet(id);
    for balance in wallet.lots.clone() {
        let terms = case.instrument(balance.lot.instrument)?.terms.clone();
        let given = balance.lot.origin != OriginKind::Paid
            || matches!(terms.regime, Regime::Free | Regime::Counter);
        // What has expired or lapsed and is not swept yet is gone already.
        let lapsed = !terms.redeemable(balance.lot.use_expiry, case.now);
        let waits = !balance.held.is_zero() || !(balance.claim.is_zero() || lapsed);
        let gone = !balance.lot.usable(case.now);
        if waits || !(given || gone) {
            return Err(Code::WalletNotEmpty);
        }
        for holding in [Holding::Spendable, Holding::Claim] {
            let amount = balance.amount(holding);
            if !amount.is_zero() {
                case.debit(id, balance.lot, holding, amount);
                case.burn(terms.issuer, balance.lot, amount, Went::in_time(holding))?;
            }
        }
    }
    if !wallet.lots.is_empty() {
        case.outcome.debit = Form::Live;
        case.outcome.credit = Form::Terms;
    }
    Ok(())
}
