//! `musubi balance --proof` and `musubi balance verify`: what a wallet holds, proved offline. And what both kinds
//! of state proofs share: the policies, and the words about who cosigned.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use musubi_sdk::{
    ChainId, InstrumentId, PartyId,
    ledger::{
        policy::{FinalCheckpoint, Member, PolicyBundle, PolicyChain},
        proof::wallet::{ProvenWallet, WalletProof, WalletProofError},
        wallet::{Holding, LotBalance},
    },
};
use serde_json::{Value, json};

use super::{
    error::{CliError, file_error},
    session::Session,
    table::{self, Align, Report},
};

#[derive(Debug, Subcommand)]
pub(crate) enum BalanceCommand {
    /// Verify a balance proof, offline
    Verify(VerifyArgs),
}

/// What verifying a file offline takes.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The ledger's witness policies: what `/v1/policies` serves
    #[arg(long, value_name = "BUNDLE")]
    policy: PathBuf,
    /// The chain that it must be [default: the profile's; without one, the report says so]
    #[arg(long, value_name = "HEX")]
    chain: Option<ChainId>,
}

/// The policies that proofs are checked against, and whether their chain was known beforehand.
pub(crate) struct Policies {
    pub(crate) chain: PolicyChain,
    known: bool,
}

impl Policies {
    /// From a file.
    pub(crate) fn read(args: &VerifyArgs, session: &Session) -> Result<Self, CliError> {
        let bytes = read(&args.policy)?;
        let bundle = PolicyBundle::decode(&bytes).map_err(refused)?;
        Self::check(&bundle, args.chain.or(session.profile().chain))
    }

    /// From a node.
    pub(crate) async fn ask(session: &mut Session) -> Result<Self, CliError> {
        let known = session.profile().chain;
        let bundle = session.client()?.policy_bundle().await?;
        Self::check(&bundle, known)
    }

    fn check(bundle: &PolicyBundle, known: Option<ChainId>) -> Result<Self, CliError> {
        let claimed = bundle.chain().map_err(refused)?;
        let chain = bundle.verify(&known.unwrap_or(claimed)).map_err(refused)?;
        Ok(Self { chain, known: known.is_some() })
    }

    /// Decimal places as the genesis document has them: enough to show sums offline.
    pub(crate) fn decimals(&self) -> BTreeMap<InstrumentId, u8> {
        let instruments = self.chain.genesis().instruments.iter();
        instruments.map(|first| (first.instrument, first.terms.decimals)).collect()
    }

    /// Who vouches for a checkpoint.
    pub(crate) fn vouched(&self, checkpoint: &FinalCheckpoint) -> String {
        let mut names: Vec<String> = checkpoint.cosigned.iter().map(|c| self.member(c)).collect();
        names.sort_unstable();
        names.dedup();
        let caution = match self.known {
            true => "",
            false => " (taken from the policy file: compare it with a chain id that you know)",
        };
        format!(
            "the checkpoint of {} leaves that {} cosigned, by witness policy {} of chain {}{caution}",
            checkpoint.checkpoint.size(),
            names.join(", "),
            checkpoint.policy,
            self.chain.chain(),
        )
    }

    fn member(&self, cosigned: &musubi_sdk::ledger::policy::Cosigned) -> String {
        let organisations = &self.chain.genesis().organisations;
        match cosigned.member {
            Member::Independent => cosigned.name.clone(),
            Member::Organisation(party) => organisations
                .iter()
                .find(|organisation| organisation.party == party)
                .map_or_else(|| party.to_string(), |organisation| organisation.name.clone()),
        }
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|cause| file_error(path, cause))
}

/// Something was not proved.
pub(crate) fn not_proved(code: &str, what: &impl core::fmt::Display) -> CliError {
    CliError::new(code, format!("this is not proved: {what}"))
        .next("keep the file, and ask another organisation's node for the same")
}

fn refused(error: musubi_sdk::ledger::policy::BundleError) -> CliError {
    not_proved(error.code(), &error)
}

/// Downloads a balance proof, verifies it, keeps it.
pub(crate) async fn download(
    party: PartyId,
    file: &Path,
    session: &mut Session,
) -> Result<Report, CliError> {
    let policies = Policies::ask(session).await?;
    let bytes = session.client()?.wallet_proof(party).await?;
    let report = verified(&bytes, &policies, &session.name(&party))?;
    fs::write(file, &bytes).map_err(|cause| file_error(file, cause))?;
    let text = format!("{}\nThe proof is in {}.", report.text, file.display());
    Ok(Report { text, ..report })
}

/// Verifies a balance proof from a file.
pub(crate) fn run(command: &BalanceCommand, session: &Session) -> Result<Report, CliError> {
    let BalanceCommand::Verify(args) = command;
    let policies = Policies::read(args, session)?;
    verified(&read(&args.file)?, &policies, "")
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
        "{who} after block {}, {}\n{shown}\nVerified: this is the wallet's state in {}. {} leaves have touched it.",
        seal.height,
        table::time(seal.time),
        policies.vouched(checkpoint),
        header.leaves,
    );
    let json = json!({
        "party": header.party,
        "height": seal.height,
        "time": seal.time,
        "leaves": header.leaves,
        "lots": lots,
        "checkpoint": checkpoint_json(checkpoint, policies),
    });
    Ok(Report { json, text })
}

/// A checkpoint for programs.
pub(crate) fn checkpoint_json(checkpoint: &FinalCheckpoint, policies: &Policies) -> Value {
    let cosigned: Vec<&str> = checkpoint.cosigned.iter().map(|c| c.name.as_str()).collect();
    json!({
        "chain": policies.chain.chain(),
        "chain_known": policies.known,
        "size": checkpoint.checkpoint.size(),
        "policy": checkpoint.policy,
        "cosigned": cosigned,
    })
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
