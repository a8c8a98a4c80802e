//! `musubi balance`: what a wallet holds, lot by lot if asked.

use std::path::PathBuf;

use clap::Args;
use musubi_sdk::{
    PartyId,
    api::{BalanceView, SpendableOf, WalletView},
};

use super::{
    balance_proof::{self, BalanceCommand},
    error::CliError,
    session::Session,
    table::{self, Align, Report},
    trust::KnownChain,
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Balance {
    #[command(subcommand)]
    command: Option<BalanceCommand>,
    /// Whose wallet [default: the acting identity's]
    #[arg(value_name = "NAME|ADDRESS")]
    party: Option<String>,
    /// Every lot, with origin and expiry
    #[arg(long)]
    lots: bool,
    /// How much of it could be paid to somebody now, within all limits, or why not
    #[arg(long, value_name = "NAME|ADDRESS", conflicts_with_all = ["lots", "proof"])]
    payee: Option<String>,
    /// Keep the proof of it in a file, which anyone can verify offline
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    chain: KnownChain,
}

pub(crate) async fn run(args: Balance, session: &mut Session) -> Result<Report, CliError> {
    if let Some(command) = &args.command {
        return balance_proof::run(command, session);
    }
    let party = session.party_or_own(args.party.as_deref()).await?;
    if let Some(payee) = &args.payee {
        return spendable(party, payee, session).await;
    }
    if let Some(file) = &args.proof {
        return balance_proof::download(party, file, args.chain, session).await;
    }
    let wallet = session.client()?.wallet(party).await?;
    let name = session.name(&party);
    let text = if args.lots { lots(&wallet) } else { balances(&wallet) };
    let heading = format!("{name}, as of {} (block {})", table::time(wallet.time), wallet.height);
    Report::new(&wallet, format!("{heading}\n{text}"))
}

/// What could be paid to `payee` now.
async fn spendable(party: PartyId, payee: &str, session: &mut Session) -> Result<Report, CliError> {
    let payee = session.party(payee).await?;
    let view = session.client()?.spendable(party, payee).await?;
    let row = |of: &SpendableOf| {
        let why = of.code.map(|code| code.sentence().to_owned());
        let amount = table::amount(of.spendable, of.decimals);
        vec![of.instrument.to_string(), amount, why.unwrap_or_default()]
    };
    let columns =
        [("Instrument", Align::Left), ("Spendable", Align::Right), ("Why not", Align::Left)];
    let rows = view.instruments.iter().map(row).collect();
    let (name, whom) = (session.name(&party), session.name(&payee));
    let at = table::time(view.time);
    let heading = format!("{name} to {whom}, as of {at} (block {})", view.height);
    let text = table::table(&columns, rows, "The wallet is empty.");
    Report::new(&view, format!("{heading}\n{text}"))
}

fn balances(wallet: &WalletView) -> String {
    let row = |balance: &BalanceView| {
        let shown = |amount| table::amount(amount, balance.decimals);
        let mut usable = balance.lots.iter().filter(|lot| lot.usable && !lot.spendable.is_zero());
        let next = usable.clone().filter_map(|lot| lot.lot.use_expiry).min();
        // A shop's claim has no day until which it could be spent.
        let through = usable.next().map_or_else(String::new, |_| table::last_day(next));
        vec![
            balance.instrument.to_string(),
            shown(balance.spendable),
            shown(balance.held),
            shown(balance.claim),
            shown(balance.receivable),
            through,
        ]
    };
    let columns = [
        ("Instrument", Align::Left),
        ("Spendable", Align::Right),
        ("Held", Align::Right),
        ("Claim", Align::Right),
        ("Owed", Align::Right),
        ("Usable through", Align::Left),
    ];
    table::table(&columns, wallet.balances.iter().map(row).collect(), "The wallet is empty.")
}

fn lots(wallet: &WalletView) -> String {
    let mut rows = Vec::new();
    for balance in &wallet.balances {
        let shown = |amount| table::amount(amount, balance.decimals);
        for lot in &balance.lots {
            let campaign = match lot.lot.campaign {
                0 => String::new(),
                number => number.to_string(),
            };
            rows.push(vec![
                balance.instrument.to_string(),
                table::word(&lot.lot.origin),
                campaign,
                shown(lot.spendable),
                shown(lot.held),
                shown(lot.claim),
                table::last_day(lot.lot.use_expiry),
            ]);
        }
    }
    let columns = [
        ("Instrument", Align::Left),
        ("Origin", Align::Left),
        ("Campaign", Align::Left),
        ("Spendable", Align::Right),
        ("Held", Align::Right),
        ("Claim", Align::Right),
        ("Usable through", Align::Left),
    ];
    table::table(&columns, rows, "The wallet is empty.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use musubi_sdk::{Amount, OriginKind, PartyId, Time, api::LotView, ledger::lot::Lot};

    fn wallet() -> WalletView {
        let instrument = "MEBUKU".parse().unwrap();
        let lot = |amount, use_expiry, origin| LotView {
            lot: Lot { instrument, use_expiry, origin, funder: PartyId([1; 16]), campaign: 0 },
            since: Time(0),
            spendable: Amount(amount),
            held: Amount::ZERO,
            claim: Amount::ZERO,
            usable: true,
        };
        let end = Some(Time(1_795_359_600_000));
        WalletView {
            party: PartyId([2; 16]),
            leaves: 2,
            balances: vec![BalanceView {
                instrument,
                decimals: 0,
                spendable: Amount(12_300),
                held: Amount::ZERO,
                claim: Amount::ZERO,
                receivable: Amount::ZERO,
                lots: vec![lot(300, end, OriginKind::Free), lot(12_000, None, OriginKind::Paid)],
            }],
            height: 7,
            time: Time(1_795_000_000_000),
        }
    }

    #[test]
    fn a_balance_says_what_can_be_spent_and_what_expires_first() {
        let expected = "\
──────────────────────────────────────────────────────────────
 Instrument   Spendable   Held   Claim   Owed   Usable through
══════════════════════════════════════════════════════════════
 MEBUKU          12,300      0       0      0   2026-11-22
──────────────────────────────────────────────────────────────";
        assert_eq!(squeeze(&balances(&wallet())), squeeze(expected));
    }

    #[test]
    fn a_claim_alone_has_no_day_until_which_it_can_be_spent() {
        let mut wallet = wallet();
        for lot in &mut wallet.balances[0].lots {
            lot.claim = std::mem::replace(&mut lot.spendable, Amount::ZERO);
        }
        let text = balances(&wallet);
        assert!(!text.contains("expiry") && !text.contains("2026-11-22"), "{text}");
    }

    #[test]
    fn lots_stand_in_spending_order() {
        let text = lots(&wallet());
        let rows: Vec<&str> = text.lines().filter(|line| line.contains("MEBUKU")).collect();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].contains("free") && rows[0].contains("2026-11-22"));
        assert!(rows[1].contains("paid") && rows[1].contains("no expiry"));
        let empty = WalletView { balances: Vec::new(), ..wallet() };
        assert_eq!(lots(&empty), "The wallet is empty.");
    }

    fn squeeze(text: &str) -> Vec<Vec<&str>> {
        let rule = |line: &&str| !line.starts_with(['─', '═']);
        text.lines().filter(rule).map(|line| line.split_whitespace().collect()).collect()
    }
}
