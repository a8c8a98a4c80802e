//! Documents: what a payee says about a payment, so that both sides, their books and the tax office can rely on it; and reports
//! that somebody stands by. The body (a PDF, say) stays off the ledger; its hash and the fields that machines read stand here.
//!
//! Types and arithmetic alone; the judge looks at the payment that a document cites.

mod registration;
mod report;
pub mod tax;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{
    id::{DocumentHash, PartyId, Reference, TxId},
    time::{Day, Time},
};
pub use registration::RegistrationNumber;
pub use report::{Report, ReportKind};
use tax::{TaxLine, TaxRule};

/// What a document is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A receipt (領収書): what it is for and how much stands in the payment.
    Receipt(Receipt),
    /// A qualified invoice (適格請求書), before the payment or as a receipt with it.
    Invoice(Invoice),
    /// A credit note (適格返還請求書): takes part of an invoice back.
    CreditNote(CreditNote),
    /// A report that its issuer stands by: about which days, and on which record it rests.
    Report(Report),
}

/// A receipt's fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The applied payment whose payee issues it, or the payee's request that was paid in cash.
    pub payment: TxId,
}

/// A qualified invoice's fields (Consumption Tax Act art. 57-4: issuer's name and description are in the body, the recipient
/// is the document's addressee).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// The payment that it is a receipt for, if it is paid.
    pub payment: Option<TxId>,
    /// The issuer's registration number.
    pub registration: RegistrationNumber,
    /// The JST day of the supply, or the last one of what it sums up.
    pub supplied: Day,
    /// How its tax is reckoned.
    pub rule: TaxRule,
    /// Totals, ascending by rate and mark; one to eight.
    pub lines: Vec<TaxLine>,
}

/// A credit note's fields. Registration and rule are its invoice's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditNote {
    /// The number of the invoice of the same issuer.
    pub invoice: Reference,
    /// What is taken back, ascending by rate and mark; one to eight, each of a rate of the invoice.
    pub lines: Vec<TaxLine>,
}

impl DocumentKind {
    /// The payment that it is about.
    #[must_use]
    pub fn payment(&self) -> Option<TxId> {
        match self {
            Self::Receipt(receipt) => Some(receipt.payment),
            Self::Invoice(invoice) => invoice.payment,
            Self::CreditNote(_) | Self::Report(_) => None,
        }
    }

    /// Totals by rate; receipts and reports have none.
    #[must_use]
    pub fn lines(&self) -> &[TaxLine] {
        match self {
            Self::Receipt(_) | Self::Report(_) => &[],
            Self::Invoice(invoice) => &invoice.lines,
            Self::CreditNote(note) => &note.lines,
        }
    }

    /// Whether every part is within its bounds, apart from whether the tax is right.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        match self {
            Self::Receipt(_) => true,
            Self::Invoice(_) | Self::CreditNote(_) => tax::lines_well_formed(self.lines()),
            Self::Report(report) => report.well_formed(),
        }
    }

    /// Whether one can stand in the other's place.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Report(report), Self::Report(other)) => report.is_about_the_same(other),
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}

/// What the ledger keeps of a document, by its issuer and number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Document {
    /// The transaction that issued it.
    pub issued_by: TxId,
    /// When.
    pub issued: Time,
    /// For whom, if it names a party.
    pub addressee: Option<PartyId>,
    /// SHA-256 of the body.
    pub body: DocumentHash,
    /// What it is, and its fields.
    pub kind: DocumentKind,
    /// The number of the one that it replaces.
    pub replaces: Option<Reference>,
    /// The number of the one that replaced it.
    pub replaced_by: Option<Reference>,
    /// What credit notes have taken back of each line, in the lines' order.
    pub credited: Vec<TaxLine>,
    /// The newest credit note of an invoice; of a credit note, the one before it of the same invoice: from the invoice on,
    /// all of them are found, the newest first.
    pub last_note: Option<Reference>,
}
