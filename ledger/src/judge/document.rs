//! Documents: a payee says what was paid for. No value moves; that the payment, the invoice and the tax are what they are said
//! to be is checked here, and that a payment has one document that counts. Of a report is checked who stands by it, and that its
//! days and its record lie behind.

use super::{Clock, case::Case, consent::Consents, dues};
use crate::{
    amount::Amount,
    code::Code,
    document::{CreditNote, Document, DocumentKind, Report, tax::TaxLine},
    id::{PartyId, Reference, TxId},
    operation::IssueDocument,
    party::{Party, PartyKind},
    rule::Post,
    state::{Settled, Shared},
    transaction::Side,
};

pub(super) fn issue(case: &mut Case<'_, '_>, op: &IssueDocument) -> Result<(), Code> {
    if !op.kind.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let issuer = case.active_party(op.issuer)?;
    if let Some(addressee) = op.addressee {
        case.party(addressee)?;
    }
    check_consents(case, op, &issuer)?;
    if let DocumentKind::Invoice(invoice) = &op.kind
        && !invoice.lines.iter().all(|line| invoice.rule.is_right(line))
    {
        return Err(Code::TaxWrong);
    }
    if let Some(payment) = op.kind.payment() {
        check_payment(case, op.issuer, payment)?;
    }
    if case.state.document(op.issuer, &op.number).is_some() {
        return Err(Code::DocumentExists);
    }
    check_place(case, op)?;
    let last_note = match &op.kind {
        DocumentKind::CreditNote(note) => credit(case, op, note)?,
        DocumentKind::Receipt(_) | DocumentKind::Invoice(_) | DocumentKind::Report(_) => None,
    };
    if let DocumentKind::Report(report) = &op.kind {
        check_over(case, report)?;
    }
    keep(case, op, last_note);
    Ok(())
}

/// One who speaks for the issuer. A report is what others act on: an office or a group stands by it with two persons.
fn check_consents(case: &Case<'_, '_>, op: &IssueDocument, issuer: &Party) -> Result<(), Code> {
    let (consents, scene) = (Consents::live(case), case.scene());
    match (&op.kind, issuer.kind) {
        (DocumentKind::Report(_), PartyKind::Group) => {
            let group = case.group(op.issuer)?;
            consents.persons_of_group(scene, (op.issuer, &group), 2)
        }
        (
            DocumentKind::Report(_),
            PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator,
        ) => consents.officers(Side::Authority, (op.issuer, issuer), 2).map(drop),
        _ => consents.speaks_for(scene, Side::Authority, (op.issuer, issuer)),
    }
}

/// A report's last day is over, and its record ends before this block. Whether that record has this root at this size, whoever
/// makes the report again finds out: the state keeps no roots.
fn check_over(case: &Case<'_, '_>, report: &Report) -> Result<(), Code> {
    let Clock { height, first_leaf, time } = case.clock;
    let over = report.to.next().begin() <= time;
    let behind = report.height < height && report.size <= first_leaf;
    if over && behind { Ok(()) } else { Err(Code::ReportTooEarly) }
}

/// A payment to the issuer of which something is left, or a request of its own that was paid in cash.
fn check_payment(case: &mut Case<'_, '_>, issuer: PartyId, id: TxId) -> Result<(), Code> {
    if let Some(payee) = dues::paid_in_cash(case, id) {
        case.outcome.cites.push(id);
        return if payee == issuer { Ok(()) } else { Err(Code::NotPayee) };
    }
    let judged = case.state.judged(id).filter(|judged| judged.code == Code::Applied);
    let settled = judged.as_ref().and_then(|judged| judged.settled.as_ref());
    let settled = settled.ok_or(Code::UnknownOriginal)?;
    if !is_payee(case, settled, issuer) {
        return Err(Code::NotPayee);
    }
    if settled.lots.iter().all(|part| part.undone == part.amount) {
        return Err(Code::OverOriginal);
    }
    case.outcome.cites.push(id);
    Ok(())
}

/// Who was paid: whoever received it, or a share of it; for a top-up the instrument's issuer, who got outside funds for it.
fn is_payee(case: &Case<'_, '_>, settled: &Settled, party: PartyId) -> bool {
    let shared = settled.derived.iter().filter(|derived| {
        let rule = case.state.rule(derived.rule);
        rule.is_some_and(|rule| matches!(rule.terms.post, Post::Share(_)))
    });
    let mut parts = shared.flat_map(|derived| &derived.parts);
    let paid = if settled.issued { settled.from } else { settled.to };
    paid == party || parts.any(|part| part.to == party)
}

/// One document of an issuer counts for a payment. Another one must replace it, by its number.
fn check_place(case: &Case<'_, '_>, op: &IssueDocument) -> Result<(), Code> {
    let payment = op.kind.payment();
    let there = payment.and_then(|payment| case.state.documented(payment, op.issuer));
    let Some(number) = &op.replaces else {
        return if there.is_some() { Err(Code::DocumentExists) } else { Ok(()) };
    };
    let replaced = standing(case, op.issuer, number)?;
    let alike = replaced.kind.is_like(&op.kind) && replaced.kind.payment() == payment;
    let credits = matches!(op.kind, DocumentKind::CreditNote(_));
    if !alike || credits {
        return Err(Code::NotWellFormed);
    }
    // What was taken back of it would be there again.
    if replaced.credited.iter().any(|line| !line.total.is_zero()) {
        return Err(Code::OverOriginal);
    }
    Ok(())
}

/// A document that nothing has replaced.
fn standing(
    case: &Case<'_, '_>,
    issuer: PartyId,
    number: &Reference,
) -> Result<Shared<Document>, Code> {
    let found = case.state.document(issuer, number);
    found.filter(|document| document.replaced_by.is_none()).ok_or(Code::UnknownDocument)
}

/// Takes part of an invoice back, by rates that it has and never beyond it; the number of the note that did so before.
fn credit(
    case: &mut Case<'_, '_>,
    op: &IssueDocument,
    note: &CreditNote,
) -> Result<Option<Reference>, Code> {
    let invoiced = standing(case, op.issuer, &note.invoice)?;
    let DocumentKind::Invoice(invoice) = &invoiced.kind else {
        return Err(Code::UnknownDocument);
    };
    let mut credited = invoiced.credited.clone();
    for line in &note.lines {
        let at = invoice.lines.iter().position(|known| known.of() == line.of());
        let at = at.ok_or(Code::OverOriginal)?;
        let (known, before) = (&invoice.lines[at], &mut credited[at]);
        let total = before.total.checked_add(line.total).ok_or(Code::OverOriginal)?;
        if total > known.total {
            return Err(Code::OverOriginal);
        }
        if !invoice.rule.takes_back(known, before, line) {
            return Err(Code::TaxWrong);
        }
        before.total = total;
        before.tax = before.tax.checked_add(line.tax).expect("no more than the invoice's");
        assert!(before.tax <= known.tax, "INV-19: no more is credited than was invoiced");
    }
    case.outcome.cites.push(invoiced.issued_by);
    let before = invoiced.last_note.clone();
    let last_note = Some(op.number.clone());
    let changed = Document { credited, last_note, ..(*invoiced).clone() };
    case.state.put_document(op.issuer, &note.invoice, changed);
    Ok(before)
}

/// `last_note`: of a credit note, the one before it.
fn keep(case: &mut Case<'_, '_>, op: &IssueDocument, last_note: Option<Reference>) {
    if let Some(number) = &op.replaces {
        let replaced = case.state.document(op.issuer, number).expect("looked at before");
        let replaced = Document { replaced_by: Some(op.number.clone()), ..(*replaced).clone() };
        case.outcome.cites.push(replaced.issued_by);
        case.state.put_document(op.issuer, number, replaced);
    }
    if let Some(payment) = op.kind.payment() {
        case.state.put_documented(payment, op.issuer, op.number.clone());
    }
    let nothing = |line: &TaxLine| TaxLine { total: Amount::ZERO, tax: Amount::ZERO, ..*line };
    let credited = match &op.kind {
        DocumentKind::Invoice(invoice) => invoice.lines.iter().map(nothing).collect(),
        DocumentKind::Receipt(_) | DocumentKind::CreditNote(_) | DocumentKind::Report(_) => {
            Vec::new()
        }
    };
    let document = Document {
        issued_by: case.id,
        issued: case.now,
        addressee: op.addressee,
        body: op.body,
        kind: op.kind.clone(),
        replaces: op.replaces.clone(),
        replaced_by: None,
        credited,
        last_note,
    };
    case.state.put_document(op.issuer, &op.number, document);
}
