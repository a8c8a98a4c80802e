//! The `musubi-report` command, which `musubi report …` runs.
//!
//! Exit codes: 0 done, 1 failed, 2 called in a way that cannot work.

mod export;
mod input;
mod output;
mod settle;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use musubi_ledger::{
    policy::{PolicyBundle, bundle::BUNDLE_BYTES_MAX},
    tlog::proof_file::MAX_PROOF_BYTES,
};
use musubi_sdk::{Day, Time};
use serde_json::json;

use self::{input::Input, output::Output};
use crate::{
    error::ReportError,
    period::Period,
    report::{
        Materials, accounts, kpi,
        receipt::{self, Shown},
        statement, unused,
    },
    source::Scope,
};

/// Reports from a ledger that this machine has verified and executed again. docs/REPORTS.md says what each holds
#[derive(Debug, Parser)]
#[command(name = "musubi report", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    output: Output,
    /// Errors as a problem document on standard error
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything that happened to one wallet: a member's, a group's or a merchant's
    Statement(OfParty),
    /// A group's accounts (収支報告): income, spending, dues by member, who approved each payout
    Accounts(OfParty),
    /// What is unused at the end of a base date, and what must be secured of it
    Unused {
        /// The base date, whose 24:00 counts: 2027-03-31
        #[arg(long, value_name = "DATE")]
        at: Day,
    },
    /// Key figures ①⑤⑥⑦ and ❶, with the choices that they rest on
    Kpi(Days),
    /// What merchants are to be paid: as a report, or as a bank's file (--format zengin)
    Settlement(settle::SettlementArgs),
    /// The receipt (領収書) of a payment, from its proof alone: no record is read
    Receipt(ReceiptArgs),
    /// Tables for analysis, in Parquet: pseudonymous, what too few have in common suppressed
    Export(export::ExportArgs),
}

/// The longest paper that a receipt takes along.
const PAPER_BYTES_MAX: usize = 10_000_000;

#[derive(Debug, Args)]
struct ReceiptArgs {
    /// The payment's proof, from `musubi proof get`
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    /// The ledger's policy bundle, from `musubi policy export`
    #[arg(long, value_name = "BUNDLE")]
    policy: PathBuf,
    /// The proof of the transaction that issued the payee's receipt or invoice: shows its number, T-number and tax by rate
    #[arg(long, value_name = "PROOF")]
    document: Option<PathBuf>,
    /// The issued paper: held against its hash on the ledger, and attached
    #[arg(long, value_name = "FILE", requires = "document")]
    paper: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct OfParty {
    /// Whose: a name of the --names file, an address, or a party's id
    #[arg(value_name = "NAME|ADDRESS")]
    party: String,
    #[command(flatten)]
    days: Days,
}

#[derive(Debug, Args)]
struct Days {
    /// The first day, in Japan: 2026-04-01
    #[arg(long, value_name = "DATE")]
    from: Day,
    /// The last day, included
    #[arg(long, value_name = "DATE")]
    to: Day,
}

impl Days {
    fn period(&self) -> Result<Period, ReportError> {
        Period::new(self.from, self.to)
    }
}

/// Runs the command with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => {
            let error = ReportError::asked("no_runtime", cause.to_string(), "free some resources");
            return failed(&error, json);
        }
    };
    match runtime.block_on(run(&cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, json),
    }
}

async fn run(cli: &Cli) -> Result<(), ReportError> {
    let Cli { input, output, .. } = cli;
    output.check()?;
    match &cli.command {
        Command::Statement(args) => {
            let period = args.days.period()?;
            let (source, names) = input.read(span(period)).await?;
            let party = names.find(&args.party)?;
            let materials = Materials { source: &source, names: &names };
            output.write(&statement::make(materials, party, period)?)
        }
        Command::Accounts(args) => {
            let period = args.days.period()?;
            let (source, names) = input.read(span(period)).await?;
            let party = names.find(&args.party)?;
            let materials = Materials { source: &source, names: &names };
            output.write(&accounts::make(materials, party, period)?)
        }
        Command::Unused { at } => {
            let instant = at.next().begin();
            let (source, names) = input.read(Scope::span(instant, instant)).await?;
            output.write(&unused::make(Materials { source: &source, names: &names }, *at)?)
        }
        Command::Settlement(args) => settle::run(args, input, output).await,
        Command::Receipt(args) => receipt_of(args, input, output),
        Command::Export(args) => export::run(args, input, output).await,
        Command::Kpi(days) => {
            let period = days.period()?;
            let scope = Scope { from: Time::ZERO, ..span(period) };
            let (source, names) = input.read(scope).await?;
            output.write(&kpi::make(Materials { source: &source, names: &names }, period)?)
        }
    }
}

/// Offline: proof and policies are all that is believed.
fn receipt_of(args: &ReceiptArgs, input: &Input, output: &Output) -> Result<(), ReportError> {
    let read = |file: &PathBuf, most: usize| {
        let bytes = std::fs::read(file).map_err(|cause| ReportError::file(file, cause))?;
        let long = || ReportError::file(file, "is too long to be one");
        if bytes.len() > most { Err(long()) } else { Ok(bytes) }
    };
    let bad = |error: musubi_ledger::policy::BundleError| {
        let next = "fetch it again with `musubi policy export`, and check --chain";
        ReportError::asked("bad_policy", error.to_string(), next)
    };
    let bundle = PolicyBundle::decode(&read(&args.policy, BUNDLE_BYTES_MAX)?).map_err(bad)?;
    let chain = match input.chain() {
        Some(chain) => chain,
        None => bundle.chain().map_err(bad)?,
    };
    let policies = bundle.verify(&chain).map_err(bad)?;
    let names = input.names(&policies.genesis().scheme)?;
    let proof = read(&args.proof, MAX_PROOF_BYTES)?;
    let document = args.document.as_ref().map(|file| read(file, MAX_PROOF_BYTES)).transpose()?;
    let paper = args.paper.as_ref().map(|file| read(file, PAPER_BYTES_MAX)).transpose()?;
    let shown = document.as_deref().map(|proof| Shown { proof, paper: paper.as_deref() });
    let receipt = receipt::make(&proof, shown, &policies, &names)?;
    output.write_with(&receipt, &receipt.extras(&proof, shown))
}

fn span(period: Period) -> Scope {
    Scope::span(period.from(), period.until())
}

fn failed(error: &ReportError, json: bool) -> ExitCode {
    let text = match json {
        true => json!({ "code": error.code(), "title": error.to_string(), "next": error.next() })
            .to_string(),
        false => format!("error: {error} ({})\nnext: {}", error.code(), error.next()),
    };
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::from(if matches!(error, ReportError::Asked { .. }) { 2 } else { 1 })
}
