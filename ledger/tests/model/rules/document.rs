//! Documents, as a shelf of papers.

use musubi_ledger::{
    document::{
        DocumentKind, Report,
        tax::{Basis, TaxLine, TaxRule},
    },
    rule::{Post, formula::Rounding},
};

use super::*;

/// A paper, and what of it was taken back by rate and mark.
#[derive(Clone)]
pub(super) struct Paper {
    kind: DocumentKind,
    replaced: bool,
    credited: BTreeMap<(u16, bool), (u64, u64)>,
    /// Notes that took back of it, as they came.
    notes: Vec<Reference>,
}

impl Paper {
    pub(super) fn is_about(&self, payment: TxId) -> bool {
        self.kind.payment() == Some(payment)
    }
}

/// Tax of a whole, as a fraction made whole.
fn tax_of(rule: TaxRule, rate: u16, total: u64) -> u64 {
    let above = i128::from(total) * i128::from(rate);
    let below = match rule.basis {
        Basis::Net => 1000,
        Basis::Gross => 1000 + i128::from(rate),
    };
    let whole = above.div_euclid(below);
    let rest = above - whole * below;
    let more = match rule.rounding {
        Rounding::Floor => false,
        Rounding::Ceil => rest > 0,
        Rounding::HalfUp => 2 * rest >= below,
    };
    u64::try_from(whole + i128::from(more)).unwrap()
}

fn in_order(lines: &[TaxLine]) -> bool {
    let mut seen = BTreeSet::new();
    let fresh = |l: &TaxLine| {
        let last = seen.last().copied();
        seen.insert((l.rate, l.reduced)) && last < Some((l.rate, l.reduced))
    };
    let good = |l: &TaxLine| l.total.0 > 0 && l.rate <= 1000;
    !lines.is_empty() && lines.len() <= 8 && lines.iter().all(good) && lines.iter().all(fresh)
}

impl Model {
    /// One who speaks for a party.
    pub(super) fn speaks(&self, by: &Signatures, party: PartyId) -> Result<(), Code> {
        match self.kinds[&party] {
            PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => by.officers(party, 1),
            _ => self.holder(by, Side::Authority, party),
        }
    }

    /// Two who stand by a report of an office or a group; of anybody else, itself.
    fn two_speak(&self, by: &Signatures, party: PartyId) -> Result<(), Code> {
        match self.kinds[&party] {
            PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => by.officers(party, 2),
            PartyKind::Group => {
                let persons = by.members(Side::Authority, (party, &self.groups[&party]))?;
                demand(persons.len() >= 2, Code::ApproversMissing)
            }
            _ => by.own(Side::Authority, Role::Holder, party),
        }
    }

    pub(super) fn issue_document(
        &mut self,
        op: &IssueDocument,
        by: &Signatures,
    ) -> Result<(), Code> {
        let lines: &[TaxLine] = match &op.kind {
            DocumentKind::Receipt(_) | DocumentKind::Report(_) => &[],
            DocumentKind::Invoice(invoice) => &invoice.lines,
            DocumentKind::CreditNote(note) => &note.lines,
        };
        let good = match &op.kind {
            DocumentKind::Receipt(_) => true,
            DocumentKind::Report(report) => {
                let first = report.from.unwrap_or(report.to);
                first.0 <= report.to.0 && report.height < report.size
            }
            _ => in_order(lines),
        };
        demand(good, Code::NotWellFormed)?;
        self.active(op.issuer)?;
        let known = |party| self.kinds.contains_key(&party);
        demand(op.addressee.is_none_or(known), Code::UnknownParty)?;
        match op.kind {
            DocumentKind::Report(_) => self.two_speak(by, op.issuer)?,
            _ => self.speaks(by, op.issuer)?,
        }
        let mut credited = BTreeMap::new();
        if let DocumentKind::Invoice(invoice) = &op.kind {
            let right = |l: &TaxLine| tax_of(invoice.rule, l.rate, l.total.0) == l.tax.0;
            demand(invoice.lines.iter().all(right), Code::TaxWrong)?;
            credited = invoice.lines.iter().map(|l| (l.of(), (0, 0))).collect();
        }
        let payment = op.kind.payment();
        payment.map_or(Ok(()), |paid| self.paid(paid, op.issuer))?;
        let key = |number: &Reference| (op.issuer, number.clone());
        demand(!self.papers.contains_key(&key(&op.number)), Code::DocumentExists)?;
        match &op.replaces {
            None => {
                let same = |(of, paper): (&(PartyId, Reference), &Paper)| {
                    of.0 == op.issuer && paper.kind.payment() == payment
                };
                let there = payment.is_some() && self.papers.iter().any(same);
                demand(!there, Code::DocumentExists)?;
            }
            Some(number) => {
                let old = self.papers.get(&key(number)).filter(|paper| !paper.replaced);
                let old = old.ok_or(Code::UnknownDocument)?;
                let both = (&old.kind, &op.kind);
                let days = |r: &Report| (r.what, r.from, r.to);
                let alike = match both {
                    (DocumentKind::Receipt(_), DocumentKind::Receipt(_))
                    | (DocumentKind::Invoice(_), DocumentKind::Invoice(_)) => true,
                    (DocumentKind::Report(old), DocumentKind::Report(new)) => {
                        days(old) == days(new)
                    }
                    _ => false,
                };
                demand(alike && old.kind.payment() == payment, Code::NotWellFormed)?;
                let whole = old.credited.values().all(|(total, _)| *total == 0);
                demand(whole, Code::OverOriginal)?;
            }
        }
        if let DocumentKind::CreditNote(note) = &op.kind {
            self.take_back_invoice(&key(&note.invoice), &note.lines)?;
            let invoice = self.papers.get_mut(&key(&note.invoice)).unwrap();
            invoice.notes.push(op.number.clone());
        }
        if let DocumentKind::Report(report) = &op.kind {
            // 24:00 in Japan is 15:00 of the same day in Greenwich.
            let over = u64::from(report.to.0) * DAY + 15 * 3_600_000;
            let (blocks, leaves) = self.before;
            let behind = report.height < blocks && report.size <= leaves;
            demand(over <= self.now && behind, Code::ReportTooEarly)?;
        }
        if let Some(number) = &op.replaces {
            self.papers.get_mut(&key(number)).unwrap().replaced = true;
        }
        let paper = Paper { kind: op.kind.clone(), replaced: false, credited, notes: Vec::new() };
        self.papers.insert(key(&op.number), paper);
        Ok(())
    }

    fn take_back_invoice(
        &mut self,
        key: &(PartyId, Reference),
        lines: &[TaxLine],
    ) -> Result<(), Code> {
        let paper = self.papers.get_mut(key).filter(|paper| !paper.replaced);
        let paper = paper.ok_or(Code::UnknownDocument)?;
        let DocumentKind::Invoice(invoice) = &paper.kind else {
            return Err(Code::UnknownDocument);
        };
        for line in lines {
            let known = invoice.lines.iter().find(|known| known.of() == line.of());
            let known = known.ok_or(Code::OverOriginal)?;
            let (total, tax) = paper.credited[&line.of()];
            let all = total + line.total.0;
            demand(all <= known.total.0, Code::OverOriginal)?;
            let left = known.tax.0 - tax;
            let alone = tax_of(invoice.rule, line.rate, line.total.0);
            let with_others = tax_of(invoice.rule, line.rate, all).saturating_sub(tax);
            let good = [alone.min(left), with_others.min(left)];
            demand(good.contains(&line.tax.0), Code::TaxWrong)?;
            paper.credited.insert(line.of(), (all, tax + line.tax.0));
        }
        Ok(())
    }

    /// Whether a party was paid by something that is not undone.
    fn paid(&self, payment: TxId, party: PartyId) -> Result<(), Code> {
        if self.cash.contains(&payment) {
            return demand(self.requests[&payment].0.payee == party, Code::NotPayee);
        }
        let original = self.originals.get(&payment).ok_or(Code::UnknownOriginal)?;
        let shares = original.gifts.iter().map(|at| &self.gifts[*at]);
        let shares =
            shares.filter(|gift| matches!(self.rules[&gift.rule].terms.post, Post::Share(_)));
        let mut shared = shares.flat_map(|gift| &gift.pieces);
        let receiver = if original.issued { original.from } else { original.to };
        let paid = receiver == party || shared.any(|piece| piece.to == party);
        demand(paid, Code::NotPayee)?;
        let left = original.lots.iter().any(|part| part.undone < part.amount);
        demand(left, Code::OverOriginal)
    }

    /// Compares every paper.
    pub(super) fn compare_documents(&self, world: &World) {
        let mut papers = 0;
        for (key, row) in world.state.rows() {
            if let (RowKey::Document(issuer, number), Row::Document(kept)) = (key, row) {
                let paper = &self.papers[&(*issuer, number.clone())];
                assert_eq!((&paper.kind, paper.replaced), (&kept.kind, kept.replaced_by.is_some()));
                let credited: BTreeMap<(u16, bool), (u64, u64)> =
                    kept.credited.iter().map(|l| (l.of(), (l.total.0, l.tax.0))).collect();
                assert_eq!(paper.credited, credited, "{number}");
                if !matches!(kept.kind, DocumentKind::CreditNote(_)) {
                    let notes = notes_from(world, *issuer, kept.last_note.clone());
                    assert!(paper.notes.iter().rev().eq(&notes), "{number}: {notes:?}");
                }
                papers += 1;
            }
        }
        assert_eq!(papers, self.papers.len());
    }
}

/// The credit notes that rows lead to, from one on.
fn notes_from(world: &World, issuer: PartyId, first: Option<Reference>) -> Vec<Reference> {
    let of = |number: &Reference| match world.state.row(&RowKey::Document(issuer, number.clone())) {
        Some(Row::Document(kept)) => kept.last_note.clone(),
        other => panic!("{number} took back and is {other:?}"),
    };
    std::iter::successors(first, of).collect()
}
