//! Documents, dues, holds, parents and repayments.

use super::operations::{Vector, tx};
use crate::common::*;
use musubi_ledger::{
    document::{
        DocumentKind, Invoice, Report, ReportKind,
        tax::{Basis, TaxLine, TaxRule},
    },
    id::RosterLine,
    rule::formula::Rounding,
    time::Day,
};

pub(crate) fn documents() -> Vec<Vector> {
    let lines = || {
        let reduced = TaxLine { reduced: true, ..tax_line(80, 1_080, 86) };
        vec![tax_line(0, 9, 0), reduced, tax_line(100, 315, 31)]
    };
    let gross = DocumentKind::Invoice(Invoice {
        payment: None,
        registration: "T0000000000001".parse().unwrap(),
        supplied: BEGIN.day(),
        rule: TaxRule { basis: Basis::Gross, rounding: Rounding::HalfUp },
        lines: vec![tax_line(100, 346, 31)],
    });
    let answered = |answer| Operation::AnswerHold(AnswerHold { hold: tx("hold"), answer });
    let parent = |parent| Operation::SetParent(SetParent { group: id("club"), parent });
    let joins = vec![member("club", "alice"), checker("club", "bob"), officer("city", "c1")];
    let repay = |by| {
        let leg = legs(&[("MEBUKU", 600)])[0];
        Operation::Repay(Repay { party: id("shop"), leg, by })
    };
    let replacing = IssueDocument {
        addressee: Some(id("alice")),
        replaces: Some("I-1".parse().unwrap()),
        ..issue("shop", "I-2", invoice(Some(tx("sale")), lines()))
    };
    vec![
        (
            "issue_document: receipt",
            issues_document("club", "2026-1", receipt(tx("dues"))),
            vec![member("club", "carol")],
        ),
        (
            "issue_document: invoice, every part",
            Operation::IssueDocument(replacing),
            vec![own("shop")],
        ),
        (
            "issue_document: invoice before payment",
            issues_document("shop", "I-3", gross),
            vec![own("shop")],
        ),
        (
            "issue_document: credit note",
            issues_document("shop", "C-1", credit_note("I-2", vec![tax_line(100, 105, 10)])),
            vec![own("shop")],
        ),
        (
            "request_many",
            Operation::RequestMany(RequestMany {
                payee: id("club"),
                lines: vec![
                    DuesLine { member: Member::Party(id("eve")), amount: Amount(500) },
                    DuesLine { member: Member::Roster(RosterLine([9; 16])), amount: Amount(300) },
                ],
                instrument: instrument("MEBUKU"),
                tender: vec![instrument("MEBUKU"), instrument("POINT")],
                due: BEGIN.plus(30 * DAY),
            }),
            vec![receives("club", "alice")],
        ),
        (
            "record_cash",
            Operation::RecordCash(RecordCash {
                request: tx("dues"),
                received: true,
                evidence: document("cash book"),
            }),
            vec![member("club", "alice"), checker("club", "bob")],
        ),
        (
            "hold",
            Operation::Hold(Hold {
                from: id("alice"),
                to: id("airline"),
                leg: legs(&[("POINT", 400)])[0],
                deadline: BEGIN.plus(7 * DAY),
                order: document("order"),
            }),
            vec![debit("alice")],
        ),
        (
            "answer_hold: settled",
            answered(HoldAnswer::Settled { reference: document("reference") }),
            vec![credit("airline"), settles()],
        ),
        (
            "answer_hold: returned",
            answered(HoldAnswer::Returned { notice: document("notice") }),
            vec![credit("airline")],
        ),
        ("set_parent: joins", parent(Some(id("city"))), joins),
        ("set_parent: leaves", parent(None), vec![officer("city", "c1")]),
        ("repay: wallet", repay(RepayBy::Wallet), vec![debit("shop")]),
        ("repay: outside", repay(RepayBy::Outside { funding: document("bank") }), vec![settles()]),
    ]
}

/// Signed reports: behind all others, whose places are in their references.
pub(crate) fn reports() -> Vec<Vector> {
    let last = Day(BEGIN.day().0 - 1);
    let unused = report(ReportKind::Unused, last, (999, 4_990));
    let first = Some(Day(last.0 - 29));
    let key_figures = Report { from: first, ..report(ReportKind::Kpi, last, (1_000, 5_000)) };
    let of = |number, kind| issues_document("issuer", number, DocumentKind::Report(kind));
    let officers = || vec![officer("issuer", "i1"), officer("issuer", "i2")];
    vec![
        ("issue_document: report of a day's end", of("U-1", unused), officers()),
        ("issue_document: report of a period", of("K-1", key_figures), officers()),
    ]
}
