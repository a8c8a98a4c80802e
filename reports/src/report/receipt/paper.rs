//! What the payee said about the payment: its receipt or qualified invoice (適格請求書), from the proof of the transaction
//! that issued it. The paper itself, where it is at hand, must be the one whose hash was issued.

use musubi_ledger::{
    code::Code,
    document::{
        DocumentKind, Invoice, RegistrationNumber,
        tax::{Basis, TaxLine},
    },
    hash::sha256,
    operation::{IssueDocument, Operation},
    policy::PolicyChain,
    proof::{ProvenTransaction, TransactionProof},
};
use musubi_sdk::{Amount, Day, DocumentHash, Reference, Time, TxId};
use serde::Serialize;

use crate::{
    error::ReportError,
    names::{Named, Names},
    sheet::{Cell, Column, Table},
    sum::Sum,
};

/// A document about the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Who issued it.
    pub issuer: Named,
    /// Its number.
    pub number: Reference,
    /// The transaction that issued it.
    pub issued_by: TxId,
    /// When.
    pub issued: Time,
    /// For whom, if it names a party.
    pub addressee: Option<Named>,
    /// SHA-256 of the paper.
    pub paper: DocumentHash,
    /// Whether the paper was at hand, and is the one.
    pub paper_at_hand: bool,
    /// The number of the one that it replaces.
    pub replaces: Option<Reference>,
    /// What makes it a qualified invoice; a plain receipt has nothing of it.
    pub invoice: Option<Fields>,
}

/// The fields of a qualified invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fields {
    /// The issuer's registration number.
    pub registration: RegistrationNumber,
    /// The day of the supply.
    pub supplied: Day,
    /// What the totals are.
    pub basis: Basis,
    /// Totals and tax by rate.
    pub lines: Vec<TaxLine>,
}

/// Reads a document from the proof of the transaction that issued it, and holds the paper against it.
///
/// # Errors
/// `not_proved` if the proof does not hold; `other_document` if it is about another payment or no document; `other_paper`
/// if the paper is not the one that was issued.
pub(super) fn said(
    proof: &[u8],
    paper: Option<&[u8]>,
    about: &[TxId],
    policies: &PolicyChain,
    names: &Names,
) -> Result<Said, ReportError> {
    let proven = TransactionProof::parse(proof).and_then(|proof| proof.verify(policies));
    let proven = proven.map_err(|error| {
        let next =
            "believe nothing of it; fetch the document's proof again with `musubi proof get`";
        ReportError::asked("not_proved", error.to_string(), next)
    })?;
    let op = issued(&proven, about)?;
    if let Some(paper) = paper
        && DocumentHash(sha256(paper)) != op.body
    {
        let what = format!("the paper's SHA-256 is not the one that {} was issued with", op.number);
        let next =
            "ask the issuer for the paper itself: a copy that was saved anew has another hash";
        return Err(ReportError::asked("other_paper", what, next));
    }
    Ok(Said {
        issuer: names.of(op.issuer),
        number: op.number.clone(),
        issued_by: proven.leaf.id,
        issued: proven.leaf.time,
        addressee: op.addressee.map(|party| names.of(party)),
        paper: op.body,
        paper_at_hand: paper.is_some(),
        replaces: op.replaces.clone(),
        invoice: match &op.kind {
            DocumentKind::Invoice(invoice) => Some(fields(invoice)),
            DocumentKind::Receipt(_) | DocumentKind::CreditNote(_) | DocumentKind::Report(_) => {
                None
            }
        },
    })
}

/// The operation, if it took effect and is about the payment.
fn issued<'p>(
    proven: &'p ProvenTransaction,
    about: &[TxId],
) -> Result<&'p IssueDocument, ReportError> {
    let operation = proven.body().map(|body| &body.operation);
    match operation {
        Some(Operation::IssueDocument(op))
            if proven.leaf.code == Code::Applied
                && op.kind.payment().is_some_and(|payment| about.contains(&payment)) =>
        {
            Ok(op)
        }
        _ => {
            let what = format!("{} issued no document about this payment", proven.leaf.id);
            let next = "`musubi document list --of PAYMENT` names the documents, `document show` the transaction behind each";
            Err(ReportError::asked("other_document", what, next))
        }
    }
}

fn fields(invoice: &Invoice) -> Fields {
    let Invoice { registration, supplied, rule, lines, .. } = invoice;
    Fields {
        registration: *registration,
        supplied: *supplied,
        basis: rule.basis,
        lines: lines.clone(),
    }
}

impl Said {
    /// What stands at the document's head.
    pub(super) fn facts(&self) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        let what = match &self.invoice {
            Some(_) => "適格請求書",
            None => "電子領収書",
        };
        let mut number = format!("{what} {}（発行者 {}）", self.number, self.issuer.name);
        if let Some(replaced) = &self.replaces {
            number += &format!("　{replaced} の差替え");
        }
        facts.push(("書類番号".into(), number));
        if let Some(invoice) = &self.invoice {
            facts.push(("登録番号".into(), invoice.registration.to_string()));
            facts.push(("取引年月日".into(), invoice.supplied.to_string()));
        }
        facts.extend(self.addressee.iter().map(|to| ("交付先".into(), format!("{} 様", to.name))));
        let at_hand = match self.paper_at_hand {
            true => "（添付・照合済み）",
            false => "（書面は発行者が交付したもの）",
        };
        facts.push(("書面の SHA-256".into(), format!("{}{at_hand}", self.paper)));
        facts
    }

    /// Totals by rate; none of a plain receipt.
    pub(super) fn table(&self) -> Option<Table> {
        let Fields { basis, lines, .. } = self.invoice.as_ref()?;
        let total = match basis {
            Basis::Net => "対価の額（税抜）",
            Basis::Gross => "対価の額（税込）",
        };
        let columns = vec![
            Column::words("適用税率", 20),
            Column::figures(total, 20),
            Column::figures("消費税額等", 20),
        ];
        let mut table = Table::new("tax", "税率ごとの合計（円）", columns);
        let yen = |amount: Amount| Cell::Sum(Sum::from(amount), 0);
        for line in lines {
            table.push(vec![Cell::text(rate(line)), yen(line.total), yen(line.tax)]);
        }
        let sum = |of: fn(&TaxLine) -> Amount| Sum(lines.iter().map(|l| i128::from(of(l).0)).sum());
        let (totals, taxes) = (sum(|line| line.total), sum(|line| line.tax));
        table.push(vec![Cell::text("合計"), Cell::Sum(totals, 0), Cell::Sum(taxes, 0)]);
        if *basis == Basis::Net {
            let all = totals + taxes;
            table.push(vec![Cell::text("合計（税込）"), Cell::Sum(all, 0), Cell::Empty]);
        }
        Some(table)
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(invoice) = &self.invoice {
            if invoice.lines.iter().any(|line| line.reduced) {
                notes.push("「※」は軽減税率の対象です。".into());
            }
            let paper = match self.paper_at_hand {
                true => "取引の内容（品名）は、この PDF に添付された書面にあります。",
                false => "取引の内容（品名）は、発行者が交付した書面にあります。",
            };
            notes.push(paper.into());
            notes.push("税額は税率ごとに一回の端数処理によるもので、台帳が検算しています。".into());
        }
        notes.push(
            "書類がその後に差し替えられ、または返還請求書が発行されたかは、台帳で確かめられます。"
                .into(),
        );
        notes
    }
}

/// `10%`, `8%※`, `対象外`.
fn rate(line: &TaxLine) -> String {
    let mark = if line.reduced { "※" } else { "" };
    match (line.rate / 10, line.rate % 10) {
        (0, 0) => format!("対象外（0%）{mark}"),
        (whole, 0) => format!("{whole}%{mark}"),
        (whole, tenth) => format!("{whole}.{tenth}%{mark}"),
    }
}
