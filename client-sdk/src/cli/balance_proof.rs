//! `musubi balance --proof` and `musubi balance verify`: what a wallet holds, proved offline.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use musubi_sdk::{
    InstrumentId, PartyId,
    ledger::{
        limits::WALLET_PROOF_BYTES_MAX,
        proof::wallet::{ProvenWallet, WalletProof, WalletProofError},
        wallet::{Holding, LotBalance},
    },
};
use serde_json::json;

use super::{
    error::CliError,
    files,
    session::Session,
    table::{self, Align, Report},
    trust::{KnownChain, Policies, TrustRoot},
};

#[derive(Debug, Subcommand)]
pub(crate) enum BalanceCommand {
    /// Verify a balance proof, offline
    Verify(VerifyArgs),
}

/// What verifying a proof of state offline takes.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The file, `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) root: TrustRoot,
}

/// Something was not proved.
pub(crate) fn not_proved(code: &str, what: &impl core::fmt::Display) -> CliError {
    CliError::new(code, format!("this is not proved: {what}"))
        .next("keep the file, and ask another organisation's node for the same")
}

/// Downloads a balance proof, verifies it, keeps it.
pub(crate) async fn download(
    party: PartyId,
    file: &Path,
    given: KnownChain,
    session: &mut Session,
) -> Result<Report, CliError> {
    let (policies, _) = Policies::ask(given, session).await?;
    let bytes = session.client()?.wallet_proof(party).await?;
    let report = verified(&bytes, &policies, &session.name(&party))?;
    files::create(file, &bytes)?;
    let text = format!("{}\nThe proof is in {}.", report.text, file.display());
    Ok(Report { text, ..report })
}

/// Verifies a balance proof from a file.
pub(crate) fn run(command: &BalanceCommand, session: &Session) -> Result<Report, CliError> {
    let BalanceCommand::Verify(args) = command;
    let policies = args.root.open(session)?;
    verified(&files::read_input(&args.file, WALLET_PROOF_BYTES_MAX as u64)?, &policies, "")
}

fn verified(bytes: &[u8], policies: &Policies, name: &str) -> Result<Report, CliError> {
    let refused = |error: WalletProofError| not_proved(error.code(), &error);
    let proof = WalletProof::decode(bytes).map_err(refused)?;
    let proven = proof.verify(&policies.chain).map_err(refused)?;
    let ProvenWallet { seal, header, lots, checkpoint } = &proven;
    let party = header.party.to_string();
    let who = if name.is_empty() || name == party { party } else { format!("{name} ({party})") };
    let shown = match lots {
        Some(lots) => lots_table(lots, &policies.decimals()),
        None => "What it holds is not shown.".into(),
    };
    let text = format!(
        "{who} after block {}, {}\n{shown}\nVerified: this is the wallet's state in {}. {} leaves have touched it.\nTrust root: {}",
        seal.height,
        table::time(seal.time),
        policies.vouched(checkpoint),
        header.leaves,
        policies.root(),
    );
    let json = json!({
        "party": header.party,
        "height": seal.height,
        "time": seal.time,
        "leaves": header.leaves,
        "lots": lots,
        "checkpoint": policies.checkpoint_json(checkpoint),
        "trust": policies.trust(),
    });
    Ok(Report { json, text })
}

/// Lots, in spending order.
pub(crate) fn lots_table(lots: &[LotBalance], decimals: &BTreeMap<InstrumentId, u8>) -> String {
    let row = |balance: &LotBalance| {
        let places = decimals.get(&balance.lot.instrument).copied().unwrap_or(0);
        let shown = |holding| table::amount(balance.amount(holding), places);
        vec![
            balance.lot.instrument.to_string(),
            table::word(&balance.lot.origin),
            shown(Holding::Spendable),
            shown(Holding::Held),
            shown(Holding::Claim),
            table::last_day(balance.lot.use_expiry),
        ]
    };
    let columns = [
        ("Instrument", Align::Left),
        ("Origin", Align::Left),
        ("Spendable", Align::Right),
        ("Held", Align::Right),
        ("Claim", Align::Right),
        ("Usable through", Align::Left),
    ];
    table::table(&columns, lots.iter().map(row).collect(), "The wallet is empty.")
}
