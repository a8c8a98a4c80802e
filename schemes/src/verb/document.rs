//! `document`: a payee says what was paid for: a receipt, a qualified invoice, a credit note.

use musubi_ledger::{
    amount::Amount,
    document::{
        CreditNote, DocumentKind, Invoice, Receipt, RegistrationNumber,
        tax::{Basis, TaxLine, TaxRule},
    },
    id::{DocumentHash, PartyId, Reference, TxId},
    operation::{IssueDocument, Operation},
    party::PartyKind,
    rule::formula::Rounding,
    state::{Row, RowKey},
    transaction::{Role, Side},
};

use super::{Act, Fault, Fields, Names, Node, Play, Verb, sealed::Sealed};
use crate::play::Signer;

const KINDS: [(&str, Kind); 3] =
    [("receipt", Kind::Receipt), ("invoice", Kind::Invoice), ("credit_note", Kind::CreditNote)];
const BASES: [(&str, Basis); 2] = [("net", Basis::Net), ("gross", Basis::Gross)];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Receipt,
    Invoice,
    CreditNote,
}

#[derive(Debug)]
enum What {
    Receipt,
    Invoice(RegistrationNumber, TaxRule, Vec<TaxLine>),
    CreditNote(Reference, Vec<TaxLine>),
}

/// Whose payments, and who says what of them.
#[derive(Debug)]
struct Paper {
    what: What,
    /// The step whose payments it is about; none for a credit note.
    of: Option<String>,
    /// Who issues it, where no payment says so.
    by: Option<usize>,
    number: Option<Reference>,
    replaces: Option<Reference>,
}

pub(super) fn document(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let kind = fields.need("kind").and_then(|node| match node.text()?.as_str() {
        "report" => node
            .wrong("a report is made from a record and signed by hand: `musubi document report`"),
        _ => node.one_of(&KINDS),
    })?;
    let reference = |key| match fields.may(key) {
        None => Some(None),
        Some(node) => {
            let text = node.text()?;
            let read = text.parse().ok();
            read.map(Some).or_else(|| node.wrong("a number is 1 to 64 visible ASCII characters"))
        }
    };
    let (number, replaces) = (reference("number"), reference("replaces"));
    let credited = matches!(kind, Kind::CreditNote);
    let of =
        if credited { None } else { Some(fields.need("of").and_then(|node| names.step(&node))?) };
    let by =
        if credited { Some(fields.need("by").and_then(|node| names.party(&node))?) } else { None };
    let what = match kind {
        Kind::Receipt => What::Receipt,
        Kind::Invoice => {
            let registration = fields.need("registration").and_then(|node| {
                let read = node.text()?.parse().ok();
                read.or_else(|| node.wrong("a registration number is T and thirteen digits"))
            });
            let rule = rule(fields)?;
            What::Invoice(registration?, rule, lines(fields, &rule)?)
        }
        Kind::CreditNote => {
            let invoice = fields.need("invoice").and_then(|node| {
                let read = node.text()?.parse().ok();
                read.or_else(|| node.wrong("a number is 1 to 64 visible ASCII characters"))
            });
            let rule = rule(fields)?;
            What::CreditNote(invoice?, lines(fields, &rule)?)
        }
    };
    Some(Box::new(Paper { what, of, by, number: number?, replaces: replaces? }))
}

fn rule(fields: &Fields<'_>) -> Option<TaxRule> {
    let roundings =
        [("floor", Rounding::Floor), ("ceil", Rounding::Ceil), ("half_up", Rounding::HalfUp)];
    let basis = fields.may("basis").map_or(Some(Basis::Gross), |node| node.one_of(&BASES));
    let rounding =
        fields.may("rounding").map_or(Some(Rounding::Floor), |node| node.one_of(&roundings));
    Some(TaxRule { basis: basis?, rounding: rounding? })
}

/// Totals by rate, in percent. The tax is reckoned where a line does not say it.
fn lines(fields: &Fields<'_>, rule: &TaxRule) -> Option<Vec<TaxLine>> {
    let line = |node: &Node<'_>| {
        let fields = node.fields()?;
        let percent = fields.need("percent").and_then(|node| node.whole(0..=100));
        let reduced = fields.may("reduced").map_or(Some(false), |node| node.flag());
        let total = fields.need("total").and_then(|node| node.amount());
        let tax = fields.may("tax").map(|node| node.whole(0..=u64::MAX));
        fields.finish();
        let (rate, total) = (u16::try_from(percent? * 10).ok()?, total?);
        let tax = match tax {
            Some(tax) => Amount(tax?),
            None => rule.tax(rate, total),
        };
        Some(TaxLine { rate, reduced: reduced?, total, tax })
    };
    let mut lines =
        fields.need("lines")?.list()?.iter().map(line).collect::<Option<Vec<TaxLine>>>()?;
    lines.sort_by_key(TaxLine::of);
    Some(lines)
}

impl Paper {
    fn act(
        &self,
        play: &mut Play<'_>,
        (issuer, addressee): (usize, Option<PartyId>),
        (place, payment): (usize, Option<TxId>),
    ) -> Result<Act, Fault> {
        let number = match &self.number {
            Some(number) if place == 0 => number.clone(),
            Some(number) => numbered(number, place)?,
            None => numbered(&"R".parse().expect("a visible text"), play.papers())?,
        };
        let kind = match &self.what {
            What::Receipt => {
                let payment = payment.expect("a receipt is about payments");
                DocumentKind::Receipt(Receipt { payment })
            }
            What::Invoice(registration, rule, lines) => DocumentKind::Invoice(Invoice {
                payment,
                registration: *registration,
                supplied: play.stage.now().day(),
                rule: *rule,
                lines: lines.clone(),
            }),
            What::CreditNote(invoice, lines) => DocumentKind::CreditNote(CreditNote {
                invoice: invoice.clone(),
                lines: lines.clone(),
            }),
        };
        let issue = IssueDocument {
            issuer: play.party(issuer),
            number,
            addressee,
            body: DocumentHash(play.fresh_hash("body")),
            replaces: self.replaces.clone(),
            kind,
        };
        let signers = speaks(play, issuer);
        let body = play.body(signers[0].3, Operation::IssueDocument(issue));
        Ok(Act::new(body, signers))
    }
}

fn numbered(number: &Reference, place: usize) -> Result<Reference, Fault> {
    let text = format!("{number}-{place}");
    text.parse().map_err(|_| Fault::Lacks(format!("{text} is too long for a number")))
}

/// Who signs for a document's issuer: itself, one of a group, an officer.
fn speaks(play: &Play<'_>, at: usize) -> Vec<Signer> {
    let member = &play.scheme.cast.members[at];
    match (&member.group, member.kind) {
        (Some(group), _) => {
            vec![(Side::Authority, Role::Drafter, play.party(at), group.drafters[0])]
        }
        (None, PartyKind::Issuer | PartyKind::Operator) => play.officers(&member.name, 1),
        (None, _) => vec![(Side::Authority, Role::Holder, play.party(at), at)],
    }
}

impl Verb for Paper {}
impl Sealed for Paper {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let Some(of) = &self.of else {
            let by = self.by.expect("who issues is known where no payment says so");
            return Ok(vec![self.act(play, (by, None), (0, None))?]);
        };
        let payments = play.past.get(of).cloned().unwrap_or_default();
        if payments.is_empty() {
            return Err(Fault::Lacks(format!("{of} was not played")));
        }
        let mut acts = Vec::new();
        for (place, payment) in payments.into_iter().enumerate() {
            let settled = match play.stage.state().row(&RowKey::Judged(payment)) {
                Some(Row::Judged(judged)) => judged.settled.clone(),
                _ => None,
            };
            let settled = settled.ok_or_else(|| Fault::Lacks(format!("{of} moved nothing")))?;
            let (issuer, payer) = if settled.issued {
                (settled.from, settled.to)
            } else {
                (settled.to, settled.from)
            };
            let found = play.actors.iter().position(|actor| actor.party == issuer);
            let issuer = found.ok_or_else(|| Fault::Lacks("nobody was paid".to_owned()))?;
            acts.push(self.act(play, (issuer, Some(payer)), (place, Some(payment)))?);
        }
        Ok(acts)
    }
}
