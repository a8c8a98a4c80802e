//! The `musubi` command. This file owns the list of commands and what the process prints and returns.
//!
//! One file per command family. Shared: `session` (home, network, keys) with `lookup` (what nodes
//! tell), `contacts` and `profile` (files of the home), `slots` (who signs as what), `finish` (show,
//! ask, sign, then submit or hand over) with `outbox`, `sums`, `confirm`, `secret`, `table`, `when`, `args`, `error`.
//!
//! Exit codes: 0 done, 1 rejected or failed, 2 called in a way that cannot work.

mod args;
mod audit;
mod audit_words;
mod balance;
mod balance_proof;
mod bounds;
mod change;
mod charge;
mod confirm;
mod contact;
mod contacts;
mod coupon;
mod define;
mod document;
mod document_lines;
mod document_report;
mod document_show;
mod draw;
mod dues;
mod error;
mod evidence;
mod exchange;
mod files;
mod finish;
mod group;
mod group_children;
mod handover;
mod history;
mod instrument;
mod key;
mod keys;
mod lookup;
mod mandate;
mod medium;
mod memo;
mod offer;
mod outbox;
mod party;
mod party_show;
mod pay;
mod pending;
mod profile;
mod proof;
mod proposal;
mod refund;
mod register;
mod repay;
mod report;
mod request;
mod rule;
mod run;
mod scheme;
mod scheme_apply;
mod scheme_casting;
mod scheme_catalogue;
mod scheme_compare;
mod scheme_offer;
mod scheme_put;
mod secret;
mod session;
mod settle;
mod settle_days;
mod slots;
mod statement;
mod status;
mod sums;
mod table;
mod topup;
mod trust;
mod when;

use std::{io::Write, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use error::CliError;
use session::{Global, Session};
use table::Report;

/// Musubi (結び): a ledger for local currencies, where both sides consent to every transfer
#[derive(Debug, Parser)]
#[command(name = "musubi", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keys on this device
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Names for parties
    #[command(subcommand)]
    Contact(contact::ContactCommand),
    /// Parties and their keys
    #[command(subcommand)]
    Party(party::PartyCommand),
    /// Printed QR cards and IC cards for holders without a phone
    #[command(subcommand)]
    Medium(medium::MediumCommand),
    /// Groups (自治会, サークル)
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Issue value into a wallet (チャージ); the issuer's key acts
    Topup(topup::Topup),
    /// Pay somebody, or what a shop's code says
    Pay(pay::Pay),
    /// Ask to be paid
    #[command(subcommand)]
    Request(request::RequestCommand),
    /// Consent in advance, and shop codes
    #[command(subcommand)]
    Mandate(mandate::MandateCommand),
    /// An issuer's right to issue
    #[command(subcommand)]
    Allowance(topup::AllowanceCommand),
    /// What can be held
    #[command(subcommand)]
    Instrument(instrument::InstrumentCommand),
    /// Pay what a party owes an instrument's issuer
    Repay(repay::RepayArgs),
    /// Value that waits for points outside, or for a benefit of the issuer's
    #[command(subcommand)]
    Exchange(exchange::ExchangeCommand),
    /// Dues: asking a list of members, who has paid, what came in cash
    #[command(subcommand)]
    Dues(dues::DuesCommand),
    /// Receipts, qualified invoices, credit notes
    #[command(subcommand)]
    Document(document::DocumentCommand),
    /// What the ledger posts by itself: rewards, premiums, shares, fees
    #[command(subcommand)]
    Rule(rule::RuleCommand),
    /// What may be taken: gifts, benefits, points for coming
    #[command(subcommand)]
    Offer(offer::OfferCommand),
    /// Grant something to many at once
    #[command(subcommand)]
    Run(run::RunCommand),
    /// Propose a payout, a group's above all: others approve it
    Draft(proposal::DraftArgs),
    /// Consent to a proposal: as approver, as drafter, or as the one who is paid
    Approve(proposal::Which),
    /// Say no to a proposal, which ends it
    Decline(proposal::Which),
    /// Take one's own proposal back
    Withdraw(proposal::Which),
    /// Open proposals, and who is still missing
    Pending(pending::Pending),
    /// Complete a half-signed transaction: shows what it does, asks, signs, submits
    Accept(handover::Accept),
    /// Sign without submitting, to a file, a text or a QR code
    Sign(handover::Sign),
    /// Submit a signed transaction; the same bytes may be submitted again
    Submit(handover::Submit),
    /// Give a payment back, whole or in part
    Refund(refund::Refund),
    /// Have a merchant's claims paid out
    #[command(subcommand)]
    Redeem(refund::RedeemCommand),
    /// Pay merchants out at a cut-off; when that is
    #[command(subcommand)]
    Settle(settle::SettleCommand),
    /// What a wallet holds
    Balance(balance::Balance),
    /// What happened to a wallet
    History(history::History),
    /// A period of a wallet, proved: opening, every line, closing
    Statement(statement::StatementArgs),
    /// Where a transaction stands
    Status(status::StatusArgs),
    /// Follow a wallet: a line for each entry (with --json, a document each)
    Watch(status::Watch),
    /// Re-verify every signature and re-execute every rule of the whole log
    Audit(audit::Audit),
    /// Statements, accounts, settlement files, key figures: made from the whole log, verified and executed again
    Report(report::ReportArgs),
    /// Files that show that a validator broke the rules: check, list, fetch
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Texts beside the log, for both parties' eyes: read, reveal, verify, erase
    #[command(subcommand)]
    Memo(memo::MemoCommand),
    /// Evidence that a transaction is in the log, to be checked without any node
    #[command(subcommand)]
    Proof(proof::ProofCommand),
    /// Whose signatures make the log final: what proofs are checked against
    #[command(subcommand)]
    Policy(proof::PolicyCommand),
    /// Local currencies as files: check one and play it, put it on a network, list them all
    #[command(subcommand)]
    Scheme(scheme::SchemeCommand),
    /// Print shell completions
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Which ledger answers, and where it stands
    Info(status::InfoArgs),
}

/// Runs the command with the process's arguments.
pub(crate) fn main() -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if json && error.use_stderr() => {
            let what = error.to_string();
            let what = what.trim_start_matches("error: ").trim_end();
            return failed(&CliError::usage("usage", what), json);
        }
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return failed(&CliError::new("no_runtime", cause.to_string()), json),
    };
    match runtime.block_on(run(cli)) {
        Ok(report) => print(&report, json),
        Err(error) => failed(&error, json),
    }
}

async fn run(cli: Cli) -> Result<Report, CliError> {
    match &cli.command {
        Command::Completions { shell } => return completions(*shell),
        Command::Scheme(command) => {
            if let Some(done) = scheme::run_alone(command) {
                return done;
            }
        }
        Command::Settle(settle::SettleCommand::Days(args)) => return settle_days::days(args),
        _ => {}
    }
    let mut session = Session::open(cli.global)?;
    let session = &mut session;
    match cli.command {
        Command::Key(command) => key::run(command, session).await,
        Command::Contact(command) => contact::run(command, session).await,
        Command::Party(command) => party::run(command, session).await,
        Command::Medium(command) => medium::run(command, session).await,
        Command::Group(command) => group::run(command, session).await,
        Command::Topup(args) => topup::run(args, session).await,
        Command::Pay(args) => pay::run(args, session).await,
        Command::Request(command) => request::run(command, session).await,
        Command::Mandate(command) => mandate::run(command, session).await,
        Command::Allowance(command) => topup::allowance(command, session).await,
        Command::Instrument(command) => instrument::run(command, session).await,
        Command::Repay(args) => repay::run(args, session).await,
        Command::Exchange(command) => exchange::run(command, session).await,
        Command::Dues(command) => dues::run(command, session).await,
        Command::Document(command) => document::run(command, session).await,
        Command::Rule(command) => rule::run(command, session).await,
        Command::Offer(command) => offer::run(command, session).await,
        Command::Run(command) => run::run(command, session).await,
        Command::Draft(args) => proposal::draft(args, session).await,
        Command::Approve(args) => proposal::approve(args, session).await,
        Command::Decline(args) => proposal::decline(args, session).await,
        Command::Withdraw(args) => proposal::withdraw(args, session).await,
        Command::Pending(args) => pending::run(args, session).await,
        Command::Accept(args) => handover::accept(args, session).await,
        Command::Sign(args) => handover::half_sign(args, session).await,
        Command::Submit(args) => handover::submit(args, session).await,
        Command::Refund(args) => refund::refund(args, session).await,
        Command::Redeem(command) => refund::redeem(command, session).await,
        Command::Settle(command) => settle::run(command, session).await,
        Command::Balance(args) => balance::run(args, session).await,
        Command::History(args) => history::run(args, session).await,
        Command::Statement(args) => statement::run(args, session).await,
        Command::Status(args) => status::status(args, session).await,
        Command::Watch(args) => status::watch(args, session).await,
        Command::Audit(args) => audit::run(args, session).await,
        Command::Report(args) => report::run(&args, session),
        Command::Evidence(command) => evidence::run(command, session).await,
        Command::Memo(command) => memo::run(command, session).await,
        Command::Proof(command) => proof::run(command, session).await,
        Command::Policy(command) => proof::policy(command, session).await,
        Command::Completions { shell } => completions(shell),
        Command::Scheme(command) => scheme::run(&command, session).await,
        Command::Info(args) => status::info(args, session).await,
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Report, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "musubi", &mut script);
    let script = String::from_utf8_lossy(&script).trim_end().to_owned();
    Report::new(&serde_json::json!({ "script": script }), script)
}

/// Prints a result. Who reads only the first lines of it (`musubi history | head`) is no failure.
fn print(report: &Report, json: bool) -> ExitCode {
    let text = match json {
        true if report.json.is_null() => String::new(),
        true => report.json.to_string(),
        false => report.text.clone(),
    };
    if !text.is_empty() {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
    ExitCode::SUCCESS
}

fn failed(error: &CliError, json: bool) -> ExitCode {
    let text = match json {
        true => error.to_json().to_string(),
        false => error.to_string(),
    };
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::from(error.exit_code())
}

#[cfg(test)]
mod tests;
