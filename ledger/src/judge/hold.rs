//! Holds: value waits until whoever delivers for it says so, or returns. Time alone returns it too.

use super::{case::Case, consent::Consents};
use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, TxId},
    instrument::{Instrument, Went},
    limits,
    lot::{Lot, OriginKind},
    operation::{AnswerHold, Hold, HoldAnswer},
    outcome::{Account, Form, Outcome, Posting, Sign},
    party::{Party, PartyKind},
    spend::{self, Part},
    state::{DueKind, Held, HoldStatus, Overlay},
    time::Time,
    transaction::{Role, Side},
    wallet::{Holding, Wallet},
};

/// Shorter, and nobody could deliver.
const DEADLINE_MIN_MS: u64 = 3_600_000;

pub(super) fn hold(case: &mut Case<'_, '_>, op: &Hold) -> Result<(), Code> {
    if op.leg.amount.is_zero() {
        return Err(Code::AmountInvalid);
    }
    let from = case.active_party(op.from)?;
    let to = case.active_party(op.to)?;
    if !matches!(to.kind, PartyKind::External | PartyKind::Issuer) {
        return Err(Code::WrongKind);
    }
    let consents = Consents::live(case);
    consents.debit(case.scene(), (op.from, &from), op.leg.amount, Some(op.to), None)?;
    case.check_legs(&[op.leg])?;
    let instrument = case.instrument(op.leg.instrument)?;
    if to.kind == PartyKind::Issuer && op.to != instrument.terms.issuer {
        return Err(Code::TransferNotAllowed);
    }
    if from.kind == PartyKind::Group {
        let group = case.group(op.from)?;
        case.check_can_pay(&group)?;
    }
    instrument.check_spendable(case.now)?;
    let range = case.now.plus(DEADLINE_MIN_MS)..=case.now.plus(limits::REDEMPTION_WINDOW_MS);
    if !range.contains(&op.deadline) {
        return Err(Code::DeadlineInvalid);
    }
    let parts = choose(case, op, (&to, &instrument))?;
    let lots: Vec<(Lot, Amount)> = parts.iter().map(|part| (part.lot, part.amount)).collect();
    for (lot, amount) in &lots {
        case.turn(op.from, *lot, (Holding::Spendable, Holding::Held), *amount)?;
    }
    let held = Held {
        from: op.from,
        to: op.to,
        instrument: op.leg.instrument,
        lots,
        deadline: op.deadline,
        order: op.order,
        status: HoldStatus::Open,
    };
    case.state.put_hold(case.id, held);
    case.due_at(op.deadline, DueKind::Hold, case.id.0);
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Terms;
    Ok(())
}

/// In the order of spending, of what does not expire while it waits. What was paid for a prepaid instrument leaves it for
/// nothing outside: that would be a refund (Payment Services Act art. 20 (5)).
fn choose(
    case: &Case<'_, '_>,
    op: &Hold,
    (to, instrument): (&Party, &Instrument),
) -> Result<Vec<Part>, Code> {
    let bound = to.kind == PartyKind::External && instrument.terms.regime.prepaid();
    let mut wallet: Wallet = (*case.wallet(op.from)).clone();
    wallet.lots.retain(|balance| {
        balance.lot.usable(op.deadline) && !(bound && balance.lot.origin == OriginKind::Paid)
    });
    let named = [(op.leg.instrument, instrument)];
    spend::choose(&wallet, &named, op.leg.amount, case.now).ok_or(Code::InsufficientFunds)
}

/// What is delivered outside is attested by whoever delivers, and burnt by the issuer; either of them returns it.
pub(super) fn answer(case: &mut Case<'_, '_>, op: &AnswerHold) -> Result<(), Code> {
    let mut held = case.state.hold(op.hold).ok_or(Code::UnknownRedemption)?;
    let issuer = case.instrument(held.instrument)?.terms.issuer;
    check_answer(case, (held.to, issuer), op.answer)?;
    if held.status != HoldStatus::Open || held.deadline <= case.now {
        return Err(Code::RedemptionNotOpen);
    }
    match op.answer {
        HoldAnswer::Settled { reference } => {
            if case.state.funding(held.to, reference).is_some() {
                return Err(Code::FundingUsed);
            }
            for (lot, amount) in held.lots.clone() {
                case.debit(held.from, lot, Holding::Held, amount);
                case.burn(issuer, lot, amount, Went::Redeemed)?;
            }
            case.state.put_funding(held.to, reference, case.id);
        }
        HoldAnswer::Returned { .. } => {
            for (lot, amount) in held.lots.clone() {
                case.turn(held.from, lot, (Holding::Held, Holding::Spendable), amount)?;
            }
        }
    }
    held.status = HoldStatus::Answered(op.answer);
    case.settled_before(held.deadline, DueKind::Hold, op.hold);
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Live;
    case.outcome.cites.push(op.hold);
    case.state.put_hold(op.hold, held);
    Ok(())
}

fn check_answer(
    case: &Case<'_, '_>,
    (to, issuer): (PartyId, PartyId),
    answer: HoldAnswer,
) -> Result<(), Code> {
    let consents = Consents::live(case);
    case.active_party(issuer)?;
    let burns = consents.own_key(Side::Credit, Role::Issuer, issuer).map(drop);
    if to == issuer {
        return burns;
    }
    case.active_party(to)?;
    let attests = consents.holder(Side::Credit, to).map(drop);
    match answer {
        HoldAnswer::Settled { .. } => attests.and(burns),
        HoldAnswer::Returned { .. } => attests.or(burns),
    }
}

/// The hold times out: the value returns. It expires later than that, and is still due then.
pub(super) fn time_out(
    state: &mut Overlay<'_>,
    id: TxId,
    now: Time,
    outcome: &mut Outcome,
) -> Vec<PartyId> {
    let mut held = state.hold(id).expect("a due hold exists");
    if held.status != HoldStatus::Open {
        return Vec::new();
    }
    held.status = HoldStatus::TimedOut;
    let (from, to) = (held.from, held.to);
    let mut wallet = state.wallet(from).expect("a wallet, once opened, stays");
    for (lot, amount) in held.lots.clone() {
        let since = wallet.since(&lot).unwrap_or(now);
        wallet.take(lot, Holding::Held, amount).expect("INV-2: a hold is in its wallet");
        wallet
            .add(lot, Holding::Spendable, amount, since)
            .expect("the sum over states is unchanged");
        let account = Account::Wallet(from);
        for (holding, sign) in [(Holding::Held, Sign::Minus), (Holding::Spendable, Sign::Plus)] {
            outcome.postings.push(Posting { account, lot, holding, sign, amount });
        }
    }
    state.put_wallet(from, wallet);
    state.put_hold(id, held);
    let mut parties = vec![from, to];
    parties.sort_unstable();
    parties
}
