//! Random documents: receipts, invoices and credit notes, mostly by whoever was paid; and reports.

use musubi_ledger::{
    document::{
        DocumentKind, Invoice, Report, ReportKind,
        tax::{Basis, TaxLine, TaxRule},
    },
    rule::formula::Rounding,
};

use super::*;

/// Numbers are few, so that some come twice.
const NUMBERS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

/// Lines that are right, and sometimes not quite.
fn lines(choice: u16, rule: TaxRule) -> Vec<TaxLine> {
    let total = Amount(pick(&[105, 315, 35, 1_000, 7, 0], choice).unwrap());
    let line = |rate: u16, reduced| {
        let tax = rule.tax(rate, total);
        TaxLine { rate, reduced, total, tax }
    };
    let mut lines = match choice / 8 % 4 {
        0 => vec![line(80, true), line(100, false)],
        1 => vec![line(0, false)],
        _ => vec![line(100, false)],
    };
    match choice % 29 {
        0 => lines[0].tax = Amount(lines[0].tax.0 + 1),
        1 => lines.reverse(),
        2 => lines.clear(),
        _ => {}
    }
    lines
}

fn rule(choice: u16) -> TaxRule {
    TaxRule {
        basis: pick(&[Basis::Net, Basis::Gross], choice).unwrap(),
        rounding: pick(&[Rounding::Floor, Rounding::HalfUp, Rounding::Ceil], choice / 2).unwrap(),
    }
}

impl Generator {
    /// A document about something that was paid, or about nothing yet.
    pub(super) fn paper(&self, step: &Step) -> Made {
        let latest = self.moves.len().saturating_sub(6);
        let (payment, payee) =
            pick(&self.moves[latest..], step[1]).unwrap_or((TxId([0; 32]), "shop"));
        let issuer = match step[2] % 12 {
            0 => "issuer",
            1 => pick(&PARTIES, step[3]).unwrap(),
            2..=5 => "shop",
            _ => payee,
        };
        let number = pick(&NUMBERS, step[3]).unwrap();
        let earlier = pick(&NUMBERS, step[4]).unwrap();
        let kind = match step[4] / 16 % 5 {
            0 | 1 => receipt(payment),
            2 => credit_note(earlier, lines(step[5], rule(step[5] % 2))),
            paid => {
                let rule = rule(step[5] % 2);
                DocumentKind::Invoice(Invoice {
                    payment: (paid == 3 && issuer == payee).then_some(payment),
                    registration: "T1234567890123".parse().unwrap(),
                    supplied: musubi_ledger::time::Day(20_000),
                    rule,
                    lines: lines(step[5], rule),
                })
            }
        };
        let op = IssueDocument {
            addressee: pick(&["alice", "nobody", "bob"], step[2] / 16)
                .filter(|_| step[3] > 9_000)
                .map(id),
            replaces: step[2].is_multiple_of(9).then(|| earlier.parse().unwrap()),
            ..issue(issuer, number, kind)
        };
        let signer = match issuer {
            "issuer" => officer("issuer", "i1"),
            other => decides(other),
        };
        (Operation::IssueDocument(op), vec![signer], None)
    }
}

/// A report, mostly of days and a record that are over.
pub(super) fn report(world: &World, step: &Step) -> Made {
    let issuer = pick(&["issuer", "club", "shop", "club", "issuer", "alice"], step[1]).unwrap();
    let today = world.now.day().0;
    let to = musubi_ledger::time::Day(today - pick(&[1, 0, 1, 2, 1], step[2]).unwrap());
    let from = pick(&[None, Some(1), Some(0)], step[2] / 8).unwrap();
    let head = world.chain.head();
    let kind = DocumentKind::Report(Report {
        what: pick(&[ReportKind::Unused, ReportKind::Kpi], step[3]).unwrap(),
        from: match step[5] % 19 {
            0 => Some(musubi_ledger::time::Day(to.0 + 1)),
            _ => from.map(|days| musubi_ledger::time::Day(to.0 - days)),
        },
        to,
        height: head.height + pick(&[0, 0, 0, 1], step[4]).unwrap(),
        size: match step[5] % 17 {
            0 => head.height,
            1 => head.size + 1,
            _ => head.size,
        },
        root: musubi_ledger::id::MerkleHash([7; 32]),
    });
    let earlier = pick(&NUMBERS, step[4] / 4).unwrap();
    let op = IssueDocument {
        replaces: step[2].is_multiple_of(3).then(|| earlier.parse().unwrap()),
        ..issue(issuer, pick(&NUMBERS, step[3] / 2).unwrap(), kind)
    };
    let signers = match issuer {
        "issuer" => vec![officer("issuer", "i1"), officer("issuer", "i2")],
        "club" => vec![member("club", "alice"), checker("club", "bob")],
        other => vec![decides(other)],
    };
    (Operation::IssueDocument(op), signers, None)
}
