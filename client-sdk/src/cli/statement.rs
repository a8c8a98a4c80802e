//! `musubi statement`: a period of one wallet from a proved balance to a proved balance, with nothing missing
//! between; downloaded and verified, or verified offline.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand};
use musubi_sdk::{
    Day, InstrumentId, Time, describe,
    ledger::{
        limits::STATEMENT_BYTES_MAX,
        outcome::Account,
        proof::statement::{ProvenLine, ProvenStatement, Statement, StatementError},
        wallet::Holding,
    },
};
use serde_json::{Value, json};

use super::{
    balance_proof::{VerifyArgs, lots_table, not_proved},
    error::CliError,
    files,
    session::Session,
    table::{self, Align, Report},
    trust::{KnownChain, Policies},
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct StatementArgs {
    #[command(subcommand)]
    command: Option<StatementCommand>,
    /// Whose wallet [default: the acting identity's]
    #[arg(value_name = "NAME|ADDRESS")]
    party: Option<String>,
    /// The first day, in Japan: 2026-04-01
    #[arg(long, value_name = "DATE", required = true)]
    from: Option<Day>,
    /// The last day, included
    #[arg(long, value_name = "DATE", required = true)]
    to: Option<Day>,
    /// Keep the file, which anyone can verify offline
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    chain: KnownChain,
}

#[derive(Debug, Subcommand)]
enum StatementCommand {
    /// Verify a statement, offline
    Verify(VerifyArgs),
}

pub(crate) async fn run(args: StatementArgs, session: &mut Session) -> Result<Report, CliError> {
    if let Some(StatementCommand::Verify(args)) = &args.command {
        let policies = args.root.open(session)?;
        let bytes = files::read_input(&args.file, STATEMENT_BYTES_MAX as u64)?;
        return verified(&bytes, &policies, session);
    }
    let (Some(from), Some(to)) = (args.from, args.to) else {
        return Err(CliError::usage("usage", "a statement needs --from and --to"));
    };
    let party = session.party_or_own(args.party.as_deref()).await?;
    let (policies, _) = Policies::ask(args.chain, session).await?;
    let bytes = session.client()?.statement(party, (from, to)).await?;
    let report = verified(&bytes, &policies, session)?;
    let Some(file) = &args.proof else { return Ok(report) };
    files::create(file, &bytes)?;
    let text = format!("{}\nThe statement is in {}.", report.text, file.display());
    Ok(Report { text, ..report })
}

fn verified(bytes: &[u8], policies: &Policies, session: &Session) -> Result<Report, CliError> {
    let refused = |error: StatementError| not_proved(error.code(), &error);
    let statement = Statement::decode(bytes).map_err(refused)?;
    let proven = statement.verify(&policies.chain).map_err(refused)?;
    let text = words(&proven, policies, session);
    Ok(Report { json: document(&proven, policies), text })
}

fn words(proven: &ProvenStatement, policies: &Policies, session: &Session) -> String {
    let decimals = policies.decimals();
    let party = proven.party.to_string();
    let name = session.name(&proven.party);
    let who = if name == party { party } else { format!("{name} ({party})") };
    let opening = match &proven.opening_seal {
        Some(seal) => format!("Opening, after block {} of {}", seal.height, table::time(seal.time)),
        None => "Opening: nothing had touched the wallet before".into(),
    };
    let closing = &proven.closing_seal;
    let rows = proven.lines.iter().flat_map(|line| rows(proven, line, &decimals, session));
    let lines = table::table(&COLUMNS, rows.collect(), "Nothing touched the wallet.");
    let until = match proven.proven_until >= proven.to {
        true => String::new(),
        false => format!(
            " The log had not reached the period's end: nothing is said of what comes behind {}.",
            table::time(closing.time)
        ),
    };
    format!(
        "Statement of {who}, {} to {}\n\n{opening}\n{}\n\n{lines}\n\nClosing, after block {} of {}\n{}\n\n\
         Verified: both balances are proved by {}. Between them no leaf that touched this wallet is missing, added or \
         altered ({} lines), every signature holds, and they add up.{until}\nTrust root: {}",
        proven.from.day(),
        Time(proven.to.0 - 1).day(),
        lots_table(&proven.opening, &decimals),
        closing.height,
        table::time(closing.time),
        lots_table(&proven.closing, &decimals),
        policies.vouched(&proven.checkpoint),
        proven.lines.len(),
        policies.root(),
    )
}

const COLUMNS: [table::Column; 7] = [
    ("Time", Align::Left),
    ("Code", Align::Left),
    ("What", Align::Left),
    ("Sum", Align::Right),
    ("Of", Align::Left),
    ("State", Align::Left),
    ("With", Align::Left),
];

/// One row per instrument and state that changed.
fn rows(
    proven: &ProvenStatement,
    line: &ProvenLine,
    decimals: &BTreeMap<InstrumentId, u8>,
    session: &Session,
) -> Vec<Vec<String>> {
    let row = |((instrument, holding), sum): ((InstrumentId, Holding), i128)| {
        let places = decimals.get(&instrument).copied().unwrap_or(0);
        vec![
            table::time(line.leaf.time).trim_end_matches(" JST").to_owned(),
            table::short(&line.leaf.id),
            what(line),
            table::signed(sum, places),
            instrument.to_string(),
            table::word(&holding),
            others(proven, line, session),
        ]
    };
    sums(proven, line).into_iter().map(row).collect()
}

/// What a line changed of the wallet.
fn sums(proven: &ProvenStatement, line: &ProvenLine) -> BTreeMap<(InstrumentId, Holding), i128> {
    let mut sums = BTreeMap::new();
    for posting in line.postings(&proven.party) {
        *sums.entry((posting.lot.instrument, posting.holding)).or_default() += posting.signed();
    }
    sums
}

fn what(line: &ProvenLine) -> String {
    match &line.transaction {
        Some(transaction) => {
            let purpose = describe::purpose(transaction.body.purpose);
            let name = table::word(&transaction.body.operation);
            let none = transaction.body.purpose == musubi_sdk::Purpose::NONE;
            if none { name } else { format!("{name}, {purpose}") }
        }
        None => "due by itself".into(),
    }
}

fn others(proven: &ProvenStatement, line: &ProvenLine, session: &Session) -> String {
    let postings = line.outcome.postings.iter();
    let mut others: Vec<_> = postings
        .map(|posting| match posting.account {
            Account::Wallet(party) | Account::Issuance(party) => party,
        })
        .filter(|party| *party != proven.party)
        .collect();
    others.sort_unstable();
    others.dedup();
    others.iter().map(|party| session.name(party)).collect::<Vec<_>>().join(", ")
}

fn document(proven: &ProvenStatement, policies: &Policies) -> Value {
    let lines: Vec<Value> = proven
        .lines
        .iter()
        .map(|line| {
            let postings: Vec<_> = line.postings(&proven.party).collect();
            json!({
                "leaf": line.index,
                "id": line.leaf.id,
                "time": line.leaf.time,
                "postings": postings,
                "operation": line.transaction.as_ref().map(|tx| table::word(&tx.body.operation)),
            })
        })
        .collect();
    json!({
        "party": proven.party,
        "from": proven.from,
        "to": proven.to,
        "proven_until": proven.proven_until,
        "complete": proven.proven_until >= proven.to,
        "opening": proven.opening,
        "lines": lines,
        "closing": proven.closing,
        "checkpoint": policies.checkpoint_json(&proven.checkpoint),
        "trust": policies.trust(),
    })
}
