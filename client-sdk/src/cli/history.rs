//! `musubi history`: what happened to a wallet, newest first, with the balance after each line.

use std::collections::BTreeMap;

use clap::Args;
use musubi_sdk::{
    Code, InstrumentId, Operation, PartyId, Purpose, Time, TxId,
    api::{EntryView, WalletView},
    describe,
    ledger::outcome::{Account, Posting},
};
use serde_json::json;

use super::{
    error::CliError,
    session::Session,
    table::{self, Align, Report},
};

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Whose wallet [default: the acting identity's]
    #[arg(value_name = "NAME|ADDRESS")]
    party: Option<String>,
    /// Entries on one page
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Every page there is
    #[arg(long)]
    all: bool,
    /// Go on before this leaf: what the last page said
    #[arg(long, value_name = "LEAF", conflicts_with = "all")]
    before: Option<u64>,
}

/// One line of a statement: what one entry did to one instrument of one wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) time: Time,
    pub(crate) id: TxId,
    pub(crate) what: String,
    pub(crate) code: Code,
    /// What moved; none for an entry that moved nothing here.
    pub(crate) moved: Option<Moved>,
    pub(crate) purpose: Purpose,
    /// The proposal that this decided, whose purpose it shares.
    pub(crate) proposal: Option<TxId>,
}

/// A sum of one instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) instrument: InstrumentId,
    pub(crate) sum: i128,
    pub(crate) counterparties: Vec<PartyId>,
    /// The first use expiry among the lots.
    pub(crate) expiry: Option<Time>,
}

pub(crate) async fn run(args: History, session: &mut Session) -> Result<Report, CliError> {
    let party = session.party_or_own(args.party.as_deref()).await?;
    session.scheme().await?;
    let client = session.client()?;
    let wallet = client.wallet(party).await?;
    let mut entries: Vec<EntryView> = Vec::new();
    let mut next = args.before;
    loop {
        let page = client.history(party, next, args.limit).await?;
        entries.extend(page.entries);
        next = page.next;
        if !args.all || next.is_none() {
            break;
        }
    }
    let balances = args.before.is_none().then(|| totals(&wallet));
    let decimals = session.decimals().await;
    let statement = statement(session, party, &entries).await?;
    let rows = rows(session, (&wallet, statement), &decimals, balances);
    let mut text = table::table(&COLUMNS, rows, "Nothing has happened to this wallet yet.");
    if let Some(leaf) = next {
        text = format!("{text}\nMore: `musubi history --before {leaf}`");
    }
    Report::new(&json!({ "party": party, "entries": entries, "next": next }), text)
}

const COLUMNS: [table::Column; 9] = [
    ("Time", Align::Left),
    ("Code", Align::Left),
    ("What", Align::Left),
    ("Sum", Align::Right),
    ("Of", Align::Left),
    ("With", Align::Left),
    ("For", Align::Left),
    ("Usable through", Align::Left),
    ("Holds then", Align::Right),
];

/// All that a wallet holds, in every state.
fn totals(wallet: &WalletView) -> BTreeMap<InstrumentId, i128> {
    let lots = wallet.balances.iter().flat_map(|balance| &balance.lots);
    let mut totals = BTreeMap::new();
    for lot in lots {
        let held = [lot.spendable, lot.held, lot.claim];
        let sum: i128 = held.iter().map(|amount| i128::from(amount.0)).sum();
        *totals.entry(lot.lot.instrument).or_default() += sum;
    }
    totals
}

/// The lines of all entries with their heights; a payout bears its proposal's purpose.
async fn statement(
    session: &mut Session,
    party: PartyId,
    entries: &[EntryView],
) -> Result<Vec<(u64, Line)>, CliError> {
    let client = session.client()?;
    let mut statement = Vec::new();
    for entry in entries {
        for mut line in lines(entry, party) {
            if let Some(id) = line.proposal.filter(|_| line.moved.is_some()) {
                line.purpose = client.proposal(id).await?.proposal.purpose;
            }
            statement.push((entry.height, line));
        }
    }
    Ok(statement)
}

fn rows(
    session: &Session,
    (wallet, statement): (&WalletView, Vec<(u64, Line)>),
    decimals: &BTreeMap<InstrumentId, u8>,
    mut balances: Option<BTreeMap<InstrumentId, i128>>,
) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (height, line) in statement {
        let instrument = line.moved.as_ref().map(|moved| moved.instrument);
        let places = instrument.and_then(|i| decimals.get(&i)).copied().unwrap_or(0);
        let mut holds = String::new();
        // Newest first: before this line the wallet held so much less. An entry that came after the
        // balance was read is not in it.
        if let (Some(moved), Some(balances), true) =
            (&line.moved, &mut balances, height <= wallet.height)
        {
            let balance = balances.entry(moved.instrument).or_default();
            holds = table::signed(*balance, places).trim_start_matches('+').into();
            *balance -= moved.sum;
        }
        rows.push(row(session, line, places, holds));
    }
    rows
}

fn row(session: &Session, line: Line, places: u8, holds: String) -> Vec<String> {
    let moved = line.moved.as_ref();
    let names = |m: &Moved| m.counterparties.iter().map(|p| session.name(p)).collect::<Vec<_>>();
    let with = |moved: &Moved| names(moved).join(", ");
    let purpose = match line.purpose {
        Purpose::NONE => String::new(),
        purpose => describe::purpose(purpose),
    };
    vec![
        table::time(line.time).trim_end_matches(" JST").to_owned(),
        table::short(&line.id),
        line.what.clone(),
        moved.map(|m| table::signed(m.sum, places)).unwrap_or_default(),
        moved.map(|m| m.instrument.to_string()).unwrap_or_default(),
        moved.map(with).unwrap_or_default(),
        purpose,
        moved.map(|m| table::last_day(m.expiry)).unwrap_or_default(),
        holds,
    ]
}

/// What an entry means to a party: a line per instrument that moved, or one that says what it was.
pub(crate) fn lines(entry: &EntryView, party: PartyId) -> Vec<Line> {
    let body = entry.transaction.as_ref().map(|t| &t.body);
    let kind = match body {
        Some(body) => table::word(&operation_name(&body.operation)),
        None => table::word(&entry.kind),
    };
    let moves = moves(&entry.outcome.postings, party);
    let proposal = match body.map(|body| &body.operation) {
        Some(Operation::Decide(decide)) => Some(decide.proposal),
        _ => None,
    };
    let what = match entry.code {
        Code::Applied if proposal.is_some() && !moves.is_empty() => "payout".into(),
        Code::Applied => kind,
        code => format!("{kind}: {code}"),
    };
    let line = |moved| Line {
        time: entry.time,
        id: entry.id,
        what: what.clone(),
        code: entry.code,
        moved,
        purpose: body.map_or(Purpose::NONE, |body| body.purpose),
        proposal,
    };
    if moves.is_empty() {
        return vec![line(None)];
    }
    moves.into_iter().map(|moved| line(Some(moved))).collect()
}

fn moves(postings: &[Posting], party: PartyId) -> Vec<Moved> {
    let own = |p: &&Posting| p.account == Account::Wallet(party);
    let mut moves: BTreeMap<InstrumentId, Moved> = BTreeMap::new();
    for posting in postings.iter().filter(own) {
        let instrument = posting.lot.instrument;
        let moved = moves.entry(instrument).or_insert_with(|| Moved {
            instrument,
            sum: 0,
            counterparties: others(postings, instrument, party),
            expiry: None,
        });
        moved.sum += posting.signed();
        moved.expiry = [moved.expiry, posting.lot.use_expiry].into_iter().flatten().min();
    }
    moves.into_values().collect()
}

fn others(postings: &[Posting], instrument: InstrumentId, party: PartyId) -> Vec<PartyId> {
    let of = |p: &&Posting| p.lot.instrument == instrument;
    let who = |p: &Posting| match p.account {
        Account::Wallet(other) | Account::Issuance(other) => other,
    };
    let mut others: Vec<PartyId> = postings.iter().filter(of).map(who).collect();
    others.retain(|other| *other != party);
    others.sort_unstable();
    others.dedup();
    others
}

/// An operation's name, as JSON has it.
fn operation_name(operation: &Operation) -> String {
    match serde_json::to_value(operation) {
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
