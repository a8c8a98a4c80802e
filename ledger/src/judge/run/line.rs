//! What a run's line does: it is issued to its party, or kept for it.

use crate::{
    code::Code,
    id::TxId,
    instrument::{Came, Instrument},
    judge::{case::Case, gift},
    lot::{Lot, OriginKind},
    operation::OpenRun,
    party::PartyKind,
    run::{Run, RunLine, line_id},
    state::{RowKey, Shared},
    wallet::Holding,
};

/// Issues what a line says; changes nothing if it cannot.
pub(super) fn apply(
    case: &mut Case<'_, '_>,
    (id, run): (TxId, &mut Shared<Run>),
    instrument: &Instrument,
    line: &RunLine,
) -> Result<(), Code> {
    let (manifest, amount) = (run.manifest.clone(), line.amount);
    let issuer = instrument.terms.issuer;
    check_old(case, &manifest, instrument, line)?;
    let party = case.party(line.to)?;
    if !matches!(party.kind, PartyKind::Person | PartyKind::Group) {
        return Err(Code::WrongKind);
    }
    if amount.is_zero() || !amount.0.is_multiple_of(instrument.terms.step.0) {
        return Err(Code::AmountInvalid);
    }
    let given = run.given.checked_add(amount).filter(|given| *given <= manifest.total);
    let given = given.ok_or(Code::OverRun)?;
    let lot = lot(case, &manifest, instrument, line);
    gift::check(case, line.to, (lot, instrument), (Holding::Spendable, amount))?;
    let owes = manifest.funder != issuer && manifest.import.is_none_or(|import| import.owed);
    if owes && !case.may_owe(manifest.funder, manifest.instrument, amount) {
        return Err(Code::AmountOverflow);
    }
    let looked = "what may be given was looked at before";
    let came = if manifest.import.is_some() { Came::Imported } else { Came::Issued };
    case.issue(issuer, lot, amount, came).expect(looked);
    case.credit(line.to, lot, Holding::Spendable, amount).expect(looked);
    if owes {
        case.owe(manifest.funder, manifest.instrument, amount).expect(looked);
    }
    if let Some(old) = line.old {
        case.state.put_funding(issuer, old.reference, id);
    }
    run.given = given;
    run.applied += 1;
    assert!(run.applied <= manifest.count, "INV-17: no more lines are applied than there are");
    Ok(())
}

/// A line of an import says what it was, is taken over once for ever, and not after it has expired.
fn check_old(
    case: &Case<'_, '_>,
    manifest: &OpenRun,
    instrument: &Instrument,
    line: &RunLine,
) -> Result<(), Code> {
    let Some(old) = line.old.filter(|_| manifest.import.is_some()) else {
        let alike = line.old.is_some() == manifest.import.is_some();
        return if alike { Ok(()) } else { Err(Code::NotWellFormed) };
    };
    if case.state.funding(instrument.terms.issuer, old.reference).is_some() {
        return Err(Code::FundingUsed);
    }
    if old.usable(case.now) { Ok(()) } else { Err(Code::BalanceLapsed) }
}

/// The lot that a line becomes. Paid value is one lot whoever paid, as at a top-up.
fn lot(case: &Case<'_, '_>, manifest: &OpenRun, instrument: &Instrument, line: &RunLine) -> Lot {
    let terms = &instrument.terms;
    let issued = terms.expiry_of_issue(case.now);
    let paid = manifest.origin == OriginKind::Paid;
    Lot {
        instrument: manifest.instrument,
        use_expiry: line.old.map_or(issued, |old| old.expiry(issued)),
        origin: manifest.origin,
        funder: if paid { terms.issuer } else { manifest.funder },
        campaign: manifest.campaign,
    }
}

/// Keeps an entitlement for a party that is not on the ledger yet, until the line is applied or never can be. Tells which it is.
pub(super) fn wait(
    case: &mut Case<'_, '_>,
    run: &mut Shared<Run>,
    (id, index): (TxId, u32),
    line: &RunLine,
    code: Option<Code>,
) -> Option<TxId> {
    let waits = case.state.run_waiting(line.to, id, index).is_some();
    if code == Some(Code::UnknownParty) {
        if !waits {
            case.state.put_run_waiting(line.to, id, index, line.amount);
            run.waiting += 1;
        }
        return Some(line_id(&id, index));
    }
    let over = matches!(code, None | Some(Code::FundingUsed | Code::BalanceLapsed));
    if waits && over {
        case.state.remove(RowKey::RunWaiting(line.to, id, index));
        run.waiting -= 1;
        return Some(line_id(&id, index));
    }
    None
}
