//! Runs: who opens and ends them, and how their lines are applied, each once.

use super::{case::Case, consent::Consents, gift, grantor};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::{PartyId, TxId},
    instrument::{Came, Instrument},
    limits,
    lot::Lot,
    operation::{EndRun, OpenRun, RunChunk},
    outcome::Form,
    party::PartyKind,
    run::{Run, RunLine, is_set, line_id, set},
    state::{RowKey, Shared},
    transaction::Side,
    wallet::Holding,
};

/// Two officers of the issuer, and the funder as to a payment of the total.
pub(super) fn open(case: &mut Case<'_, '_>, op: &OpenRun) -> Result<(), Code> {
    if !op.well_formed() {
        return Err(Code::NotWellFormed);
    }
    if op.total.is_zero() {
        return Err(Code::AmountInvalid);
    }
    let instrument = case.instrument(op.instrument)?;
    let issuer = instrument.terms.issuer;
    if case.active_party(op.funder)?.kind == PartyKind::Person {
        return Err(Code::WrongKind);
    }
    let mut granted_by = grantor::officers(case, issuer, 2)?;
    if op.funder != issuer {
        granted_by.extend(grantor::funder(case, op.funder, op.total)?);
    }
    if !op.total.0.is_multiple_of(instrument.terms.step.0) {
        return Err(Code::AmountInvalid);
    }
    if op.until <= case.now {
        return Err(Code::DeadlineInvalid);
    }
    let run = Run {
        manifest: op.clone(),
        granted_by,
        ended: None,
        applied: 0,
        given: Amount::ZERO,
        waiting: 0,
    };
    case.state.put_run(case.id, run);
    Ok(())
}

/// One officer of the issuer ends it at once, or who funds it and is not the issuer.
pub(super) fn end(case: &mut Case<'_, '_>, op: &EndRun) -> Result<(), Code> {
    let mut run = case.state.run(op.run).ok_or(Code::UnknownRun)?;
    let issuer = case.instrument(run.manifest.instrument)?.terms.issuer;
    if !funder_ends(case, &run, issuer) {
        let party = case.party(issuer)?;
        Consents::live(case).officers(Side::Authority, (issuer, &party), 1)?;
    }
    check_open(case, &run)?;
    run.ended = Some(case.now);
    case.state.put_run(op.run, run);
    Ok(())
}

fn funder_ends(case: &Case<'_, '_>, run: &Run, issuer: PartyId) -> bool {
    let funder = run.manifest.funder;
    let consents = Consents::live(case);
    funder != issuer
        && case.active_party(funder).is_ok_and(|party| {
            consents.debit(case.scene(), (funder, &party), Amount::ZERO, None, None).is_ok()
        })
}

fn check_open(case: &Case<'_, '_>, run: &Run) -> Result<(), Code> {
    let over = run.ended.is_some() || run.manifest.until <= case.now;
    if over || case.any_compromised(&run.granted_by) { Err(Code::RunNotOpen) } else { Ok(()) }
}

/// Anybody brings lines with their proof. Each is applied once; one that cannot be posted now is told and may come again.
pub(super) fn chunk(case: &mut Case<'_, '_>, op: &RunChunk) -> Result<(), Code> {
    if !op.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let mut run = case.state.run(op.run).ok_or(Code::UnknownRun)?;
    let instrument = case.instrument(run.manifest.instrument)?;
    case.active_party(instrument.terms.issuer)?;
    case.active_party(run.manifest.funder)?;
    check_open(case, &run)?;
    if !op.proves(&run.manifest) {
        return Err(Code::LinesNotProved);
    }
    let first = op.first().expect("what is proved is in range");
    let part = first / limits::RUN_LINES_PER_ROW;
    let mut rows = case.state.run_lines(op.run, part).unwrap_or_default();
    for (index, line) in (first..).zip(&op.lines) {
        let at = index % limits::RUN_LINES_PER_ROW;
        if is_set(&rows.applied, at) {
            continue;
        }
        let code = apply(case, &mut run, &instrument, line).err();
        set(&mut rows.applied, at, code.is_none());
        set(&mut rows.tried, at, code.is_some());
        let entitlement = wait(case, &mut run, (op.run, index), line, code);
        let code = code.unwrap_or(Code::Applied);
        case.outcome.facts.push(Fact::Line { index, code, entitlement });
    }
    case.state.put_run_lines(op.run, part, rows);
    case.state.put_run(op.run, run);
    case.outcome.cites.push(op.run);
    if !case.outcome.postings.is_empty() {
        case.outcome.debit = Form::Run;
        case.outcome.credit = Form::Terms;
    }
    Ok(())
}

/// Issues what a line says; changes nothing if it cannot.
fn apply(
    case: &mut Case<'_, '_>,
    run: &mut Shared<Run>,
    instrument: &Instrument,
    line: &RunLine,
) -> Result<(), Code> {
    let (manifest, amount) = (run.manifest.clone(), line.amount);
    let issuer = instrument.terms.issuer;
    let party = case.party(line.to)?;
    if !matches!(party.kind, PartyKind::Person | PartyKind::Group) {
        return Err(Code::WrongKind);
    }
    if amount.is_zero() || !amount.0.is_multiple_of(instrument.terms.step.0) {
        return Err(Code::AmountInvalid);
    }
    let given = run.given.checked_add(amount).filter(|given| *given <= manifest.total);
    let given = given.ok_or(Code::OverRun)?;
    let lot = Lot {
        instrument: manifest.instrument,
        use_expiry: instrument.terms.expiry_of_issue(case.now),
        origin: manifest.origin,
        funder: manifest.funder,
        campaign: manifest.campaign,
    };
    gift::check(case, line.to, (lot, instrument), (Holding::Spendable, amount))?;
    let funded = manifest.funder != issuer;
    if funded && !case.may_owe(manifest.funder, manifest.instrument, amount) {
        return Err(Code::AmountOverflow);
    }
    let looked = "what may be given was looked at before";
    case.issue(issuer, lot, amount, Came::Issued).expect(looked);
    case.credit(line.to, lot, Holding::Spendable, amount).expect(looked);
    if funded {
        case.owe(manifest.funder, manifest.instrument, amount).expect(looked);
    }
    run.given = given;
    run.applied += 1;
    assert!(run.applied <= manifest.count, "INV-17: no more lines are applied than there are");
    Ok(())
}

/// Keeps an entitlement for a party that is not on the ledger yet, until the line is applied. Tells which it is.
fn wait(
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
    if waits && code.is_none() {
        case.state.remove(RowKey::RunWaiting(line.to, id, index));
        run.waiting -= 1;
        return Some(line_id(&id, index));
    }
    None
}
