//! What a document or a list of dues says, in plain words.

use musubi_ledger::{
    document::{
        DocumentKind, Report, ReportKind,
        tax::{Basis, TaxLine, TaxRule},
    },
    operation::{IssueDocument, Member, RequestMany},
    rule::formula::Rounding,
};

use crate::describe::{Glossary, grouped};

/// What a document is called.
#[must_use]
pub fn kind_name(kind: &DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Receipt(_) => "receipt (領収書)",
        DocumentKind::Invoice(_) => "qualified invoice (適格請求書)",
        DocumentKind::CreditNote(_) => "credit note (適格返還請求書)",
        DocumentKind::Report(report) => report_name(report.what),
    }
}

/// What issuing a document says: a line for what it is, one for each field.
#[must_use]
pub fn document_text(op: &IssueDocument, glossary: &Glossary) -> Vec<String> {
    let what = kind_name(&op.kind);
    let mut lines = vec![format!("Issue {what} {} as {}", op.number, glossary.party(&op.issuer))];
    lines.extend(op.addressee.map(|party| format!("For {}", glossary.party(&party))));
    lines.extend(op.replaces.as_ref().map(|number| format!("In place of {number}")));
    lines.extend(kind_text(&op.kind));
    lines.push(format!("The paper's SHA-256 is {}", op.body));
    lines
}

/// The fields that machines read.
#[must_use]
pub fn kind_text(kind: &DocumentKind) -> Vec<String> {
    match kind {
        DocumentKind::Receipt(receipt) => vec![format!("About payment {}", receipt.payment)],
        DocumentKind::Invoice(invoice) => {
            let paid = invoice.payment.map_or_else(
                || "Not paid yet".into(),
                |payment| format!("About payment {payment}"),
            );
            let (year, month, day) = invoice.supplied.civil();
            let mut lines = vec![
                paid,
                format!("Registration number {}", invoice.registration),
                format!("Supplied until {year}-{month:02}-{day:02}"),
                rule(invoice.rule).into(),
            ];
            lines.extend(invoice.lines.iter().map(line));
            lines
        }
        DocumentKind::CreditNote(note) => {
            let head = format!("Takes back part of invoice {}", note.invoice);
            std::iter::once(head).chain(note.lines.iter().map(line)).collect()
        }
        DocumentKind::Report(report) => report_text(report),
    }
}

fn report_name(what: ReportKind) -> &'static str {
    match what {
        ReportKind::Unused => "report of the unused balance (基準日未使用残高報告)",
        ReportKind::Kpi => "report of key figures (指標報告)",
        ReportKind::Accounts => "report of a group's accounts (収支報告書)",
        ReportKind::Settlement => "report of what merchants are to be paid (換金精算書)",
        ReportKind::Statement => "statement of a wallet (取引明細書)",
    }
}

fn report_text(report: &Report) -> Vec<String> {
    let days = match report.from {
        Some(from) => format!("About {from} to {}, both included", report.to),
        None => format!("About the end of {}", report.to),
    };
    let Report { height, size, root, .. } = report;
    vec![days, format!("Rests on the record up to block {height}: {size} leaves, root {root}")]
}

fn rule(rule: TaxRule) -> &'static str {
    match (rule.basis, rule.rounding) {
        (Basis::Net, Rounding::Floor) => "Totals without tax; tax of each rate rounded down",
        (Basis::Net, Rounding::Ceil) => "Totals without tax; tax of each rate rounded up",
        (Basis::Net, Rounding::HalfUp) => "Totals without tax; tax of each rate rounded half up",
        (Basis::Gross, Rounding::Floor) => "Totals with tax; tax of each rate rounded down",
        (Basis::Gross, Rounding::Ceil) => "Totals with tax; tax of each rate rounded up",
        (Basis::Gross, Rounding::HalfUp) => "Totals with tax; tax of each rate rounded half up",
    }
}

fn line(line: &TaxLine) -> String {
    let mark = if line.reduced { " (reduced rate)" } else { "" };
    let (whole, tenth) = (line.rate / 10, line.rate % 10);
    let rate = if tenth == 0 { format!("{whole} %") } else { format!("{whole}.{tenth} %") };
    format!("{rate}{mark}: {} yen, tax {} yen", grouped(line.total, 0), grouped(line.tax, 0))
}

/// What a list asks of whom: a line for each member.
#[must_use]
pub fn dues_text(op: &RequestMany, glossary: &Glossary) -> Vec<String> {
    let mut lines =
        vec![format!("Ask {} members to pay {}", op.lines.len(), glossary.party(&op.payee))];
    lines.extend(op.lines.iter().map(|line| {
        let member = match line.member {
            Member::Party(party) => glossary.party(&party),
            Member::Roster(roster) => format!("roster line {roster}"),
        };
        format!("{member}: {}", glossary.amount(op.instrument, line.amount))
    }));
    if !op.tender.is_empty() {
        let names: Vec<String> = op.tender.iter().map(ToString::to_string).collect();
        lines.push(format!("Each may be paid in {} together", names.join(", ")));
    }
    lines.push(format!("Each can be answered once, by anybody, until {}", op.due));
    lines
}
