//! Runs: who opens and ends them, and how their lines are brought. What a line does is in [`line`].

mod line;

use super::{allowance, case::Case, consent::Consents, grantor};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::PartyId,
    limits,
    operation::{EndRun, OpenRun, RunChunk},
    outcome::Form,
    party::PartyKind,
    run::{Run, is_set, set},
    transaction::Side,
};

/// Two officers of the issuer, and the funder as to a payment of the total. Where old balances are taken over, which nobody here
/// ever saw paid, an officer of another organisation too, as for an allowance.
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
    if op.import.is_some() {
        let consents = Consents::live(case);
        granted_by.extend(allowance::two_organisations(case, &consents, issuer)?);
    }
    if !op.total.0.is_multiple_of(instrument.terms.step.0) {
        return Err(Code::AmountInvalid);
    }
    if op.until <= case.now {
        return Err(Code::DeadlineInvalid);
    }
    if let Some(import) = op.import {
        if case.state.funding(issuer, import.handover).is_some() {
            return Err(Code::FundingUsed);
        }
        case.state.put_funding(issuer, import.handover, case.id);
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
    let open = run.open(case.now) && !case.any_compromised(&run.granted_by);
    if open { Ok(()) } else { Err(Code::RunNotOpen) }
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
        let code = line::apply(case, (op.run, &mut run), &instrument, line).err();
        set(&mut rows.applied, at, code.is_none());
        set(&mut rows.tried, at, code.is_some());
        let entitlement = line::wait(case, &mut run, (op.run, index), line, code);
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
