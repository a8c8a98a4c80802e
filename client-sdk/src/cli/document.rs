//! `musubi document`: receipts, qualified invoices, credit notes, signed reports.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use musubi_sdk::{
    Day, DocumentHash, Reference, Time,
    ledger::{
        document::{
            CreditNote, DocumentKind, Invoice, Receipt, RegistrationNumber,
            tax::{Basis, TaxLine, TaxRule},
        },
        operation::IssueDocument,
        rule::formula::Rounding,
    },
};

use super::{
    args::Signing,
    document_lines::{Line, lines_of},
    document_report, document_show,
    error::CliError,
    finish::Plan,
    party::evidence,
    session::Session,
    table::Report,
    when::When,
};

/// Receipts, qualified invoices, credit notes, signed reports
#[derive(Debug, Subcommand)]
pub(crate) enum DocumentCommand {
    /// Give a receipt for a payment that you got
    Receipt(ReceiptArgs),
    /// Issue a qualified invoice, for a payment or before it
    Invoice(InvoiceArgs),
    /// Take part of an invoice back
    Credit(CreditArgs),
    /// Stand by a report that `musubi report` has made as JSON: days, block and root are read from it
    Report(ReportArgs),
    /// What payees say about a payment: what counts, credit notes, what was replaced
    List {
        /// The payment, or the request that was paid in cash
        #[arg(long, value_name = "NAME|ID")]
        of: String,
    },
    /// Show a document
    Show {
        /// Who issued it
        #[arg(value_name = "NAME|ADDRESS")]
        issuer: String,
        /// Its number
        number: Reference,
    },
}

/// What every document has.
#[derive(Debug, Args)]
pub(crate) struct Paper {
    /// Its number: used once, for ever
    number: Reference,
    /// The paper itself; only its SHA-256 is sent
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// For whom
    #[arg(long, value_name = "NAME|ADDRESS")]
    to: Option<String>,
    /// Who issues it: a group, say [default: the acting identity]
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    issuer: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptArgs {
    #[command(flatten)]
    paper: Paper,
    /// Which payment
    #[arg(long, value_name = "NAME|ID")]
    payment: String,
    /// The number of a wrong one that this replaces
    #[arg(long, value_name = "NUMBER")]
    replaces: Option<Reference>,
}

/// What the totals are.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BasisArg {
    /// Without tax
    Net,
    /// With tax
    Gross,
}

/// How a rate's tax becomes whole yen.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoundingArg {
    /// Down
    Floor,
    /// Up
    Ceil,
    /// To the nearest, halves up
    HalfUp,
}

#[derive(Debug, Args)]
pub(crate) struct InvoiceArgs {
    #[command(flatten)]
    paper: Paper,
    /// The payment that it is a receipt for
    #[arg(long, value_name = "NAME|ID")]
    payment: Option<String>,
    /// The issuer's registration number: T and thirteen digits
    #[arg(long, value_name = "T…")]
    registration: RegistrationNumber,
    /// The day of the supply: 2026-04-01 [default: today]
    #[arg(long, value_name = "DAY")]
    supplied: Option<When>,
    /// What the totals are
    #[arg(long, value_enum, default_value = "net")]
    basis: BasisArg,
    /// How each rate's tax is rounded, once
    #[arg(long, value_enum, default_value = "floor")]
    rounding: RoundingArg,
    /// A rate's total in yen, and its tax if you say it: 10=315, 8r=1080:86; r marks the reduced rate
    #[arg(long = "line", value_name = "RATE=TOTAL[:TAX]", required = true)]
    lines: Vec<Line>,
    /// The number of a wrong one that this replaces
    #[arg(long, value_name = "NUMBER")]
    replaces: Option<Reference>,
}

#[derive(Debug, Args)]
pub(crate) struct CreditArgs {
    #[command(flatten)]
    paper: Paper,
    /// The number of the invoice
    #[arg(long, value_name = "NUMBER")]
    invoice: Reference,
    /// What is taken back of a rate, in yen, and its tax if you say it: 10=105
    #[arg(long = "line", value_name = "RATE=TOTAL[:TAX]", required = true)]
    lines: Vec<Line>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    paper: Paper,
    /// The number of an earlier one about the same days that this replaces
    #[arg(long, value_name = "NUMBER")]
    replaces: Option<Reference>,
}

pub(crate) async fn run(
    command: DocumentCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        DocumentCommand::Receipt(args) => {
            let payment = session.book().transaction(&args.payment)?;
            let kind = DocumentKind::Receipt(Receipt { payment });
            issue(args.paper, args.replaces, kind, session).await
        }
        DocumentCommand::Invoice(args) => invoice(args, session).await,
        DocumentCommand::Credit(args) => credit(args, session).await,
        DocumentCommand::Report(args) => {
            let (body, kind) = document_report::read(&args.paper.body, session).await?;
            issue_as(args.paper, body, args.replaces, kind, session).await
        }
        DocumentCommand::List { of } => document_show::list(&of, session).await,
        DocumentCommand::Show { issuer, number } => {
            document_show::show(&issuer, &number, session).await
        }
    }
}

async fn invoice(args: InvoiceArgs, session: &mut Session) -> Result<Report, CliError> {
    let payment = args.payment.as_deref().map(|text| session.book().transaction(text));
    let payment = payment.transpose()?;
    let now = session.composer().await?.now;
    let supplied = args.supplied.map_or(now, |when| when.from(now));
    let basis = match args.basis {
        BasisArg::Net => Basis::Net,
        BasisArg::Gross => Basis::Gross,
    };
    let rounding = match args.rounding {
        RoundingArg::Floor => Rounding::Floor,
        RoundingArg::Ceil => Rounding::Ceil,
        RoundingArg::HalfUp => Rounding::HalfUp,
    };
    let rule = TaxRule { basis, rounding };
    let kind = DocumentKind::Invoice(Invoice {
        payment,
        registration: args.registration,
        supplied: last_day(supplied, args.supplied.is_some()),
        rule,
        lines: lines_of(&args.lines, rule)?,
    });
    issue(args.paper, args.replaces, kind, session).await
}

/// A day that was typed is an exclusive end, one that was not is now.
fn last_day(time: Time, typed: bool) -> Day {
    Time(time.0.saturating_sub(u64::from(typed))).day()
}

async fn credit(args: CreditArgs, session: &mut Session) -> Result<Report, CliError> {
    let issuer = session.party_or_own(args.paper.issuer.as_deref()).await?;
    let invoice = session.client()?.document(issuer, &args.invoice).await?.document;
    let DocumentKind::Invoice(invoiced) = &invoice.kind else {
        let what = format!("{} is no invoice", args.invoice);
        return Err(CliError::usage("no_invoice", what).next("a credit note takes back an invoice"));
    };
    let lines: Vec<TaxLine> = lines_of(&args.lines, invoiced.rule)?;
    let kind = DocumentKind::CreditNote(CreditNote { invoice: args.invoice, lines });
    issue(args.paper, None, kind, session).await
}

async fn issue(
    paper: Paper,
    replaces: Option<Reference>,
    kind: DocumentKind,
    session: &mut Session,
) -> Result<Report, CliError> {
    let body = evidence(&paper.body)?;
    issue_as(paper, body, replaces, kind, session).await
}

async fn issue_as(
    paper: Paper,
    body: DocumentHash,
    replaces: Option<Reference>,
    kind: DocumentKind,
    session: &mut Session,
) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let issuer = session.party_or_own(paper.issuer.as_deref()).await?;
    let addressee = match &paper.to {
        Some(text) => Some(session.party(text).await?),
        None => None,
    };
    let done = format!("Issued {}.", paper.number);
    let op = IssueDocument { issuer, number: paper.number, addressee, body, replaces, kind };
    let draft = session.composer().await?.issue_document(contact.party, op);
    Plan::new(draft, Some(&actor), done).run(session, &paper.signing).await
}
