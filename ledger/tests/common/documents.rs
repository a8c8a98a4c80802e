//! Documents in the words of a test.

use musubi_ledger::{
    amount::Amount,
    document::{
        CreditNote, Document, DocumentKind, Invoice, Receipt, Report, ReportKind,
        tax::{Basis, TaxLine, TaxRule},
    },
    execute::MemoryState,
    id::{MerkleHash, TxId},
    operation::{IssueDocument, Operation},
    rule::formula::Rounding,
    state::{ReadState, Row, RowKey, Shared},
    time::{Day, Time},
};

use super::{
    names::{document, id},
    world::World,
};

/// Totals without tax, rounded down.
pub const NET_DOWN: TaxRule = TaxRule { basis: Basis::Net, rounding: Rounding::Floor };

/// A total of a rate in thousandths.
pub fn tax_line(rate: u16, total: u64, tax: u64) -> TaxLine {
    TaxLine { rate, reduced: false, total: Amount(total), tax: Amount(tax) }
}

/// A receipt for a payment.
pub fn receipt(payment: TxId) -> DocumentKind {
    DocumentKind::Receipt(Receipt { payment })
}

/// A qualified invoice of totals without tax, rounded down.
pub fn invoice(payment: Option<TxId>, lines: Vec<TaxLine>) -> DocumentKind {
    DocumentKind::Invoice(Invoice {
        payment,
        registration: "T1234567890123".parse().unwrap(),
        supplied: Time(1_775_001_600_000).day(),
        rule: NET_DOWN,
        lines,
    })
}

/// A credit note.
pub fn credit_note(invoice: &str, lines: Vec<TaxLine>) -> DocumentKind {
    DocumentKind::CreditNote(CreditNote { invoice: invoice.parse().unwrap(), lines })
}

/// A report about the end of a day, on the record up to a block with so many leaves.
pub fn report(what: ReportKind, to: Day, (height, size): (u64, u64)) -> Report {
    Report { what, from: None, to, height, size, root: MerkleHash([7; 32]) }
}

/// A document for nobody in particular, which replaces none.
pub fn issue(issuer: &str, number: &str, kind: DocumentKind) -> IssueDocument {
    IssueDocument {
        issuer: id(issuer),
        number: number.parse().unwrap(),
        addressee: None,
        body: document(number),
        replaces: None,
        kind,
    }
}

/// The same as an operation.
pub fn issues_document(issuer: &str, number: &str, kind: DocumentKind) -> Operation {
    Operation::IssueDocument(issue(issuer, number, kind))
}

impl World {
    /// What is kept of a document.
    pub fn paper(&self, issuer: &str, number: &str) -> Option<Document> {
        match self.state.row(&RowKey::Document(id(issuer), number.parse().unwrap())) {
            Some(Row::Document(found)) => Some(Shared::into_value(found)),
            _ => None,
        }
    }
}

/// No more is credited than was invoiced; what counts for a payment is there and nothing replaced it (INV-19).
pub fn check_document(state: &MemoryState, key: &RowKey, row: &Row) {
    match (key, row) {
        (RowKey::Document(..), Row::Document(kept)) => {
            if let DocumentKind::Invoice(invoice) = &kept.kind {
                assert_eq!(invoice.lines.len(), kept.credited.len());
                for (line, credited) in invoice.lines.iter().zip(&kept.credited) {
                    assert_eq!(line.of(), credited.of());
                    let within = credited.total <= line.total && credited.tax <= line.tax;
                    assert!(within, "INV-19: {line:?} {credited:?}");
                }
            }
        }
        (RowKey::Documented(payment, issuer), Row::Documented(number)) => {
            match state.row(&RowKey::Document(*issuer, number.clone())) {
                Some(Row::Document(kept)) => {
                    let stands = kept.kind.payment() == Some(*payment);
                    assert!(stands && kept.replaced_by.is_none(), "INV-19: {number}");
                }
                other => panic!("INV-19: {number} counts and is {other:?}"),
            }
        }
        _ => {}
    }
}
