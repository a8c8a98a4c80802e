//! `musubi proof`, `musubi policy`: evidence that needs no node, and what it is checked against.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use musubi_sdk::{
    ChainId, Glossary,
    ledger::{
        policy::{BundleError, PolicyBundle, PolicyChain, bundle::BUNDLE_BYTES_MAX},
        proof::{TransactionProof, TransactionProofError},
        tlog::proof_file::MAX_PROOF_BYTES,
    },
    proof,
};
use serde_json::json;

use super::{
    error::CliError,
    files,
    session::Session,
    table::{self, Report},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ProofCommand {
    /// Fetch the proof of a transaction, once it is final
    Get(Get),
    /// Verify a proof without any network, and say what it shows
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// A transaction
    #[arg(value_name = "NAME|ID", required_unless_present = "leaf", conflicts_with = "leaf")]
    id: Option<String>,
    /// A leaf of the log: for what time did, which has no transaction
    #[arg(long, value_name = "INDEX")]
    leaf: Option<u64>,
    /// Write the proof to a new file instead of the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Do not wait until it is final
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A proof file, `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    root: TrustRoot,
}

/// What a verifier believes before it has seen anything.
#[derive(Debug, Args)]
pub(crate) struct TrustRoot {
    /// The ledger's policy bundle, from `musubi policy export`
    #[arg(long, value_name = "BUNDLE")]
    policy: PathBuf,
    /// The chain that it must be: the SHA-256 of the genesis document [default: the profile's]
    #[arg(long, value_name = "CHAIN")]
    genesis: Option<ChainId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Fetch and verify the bundle of all witness policies since genesis
    Export(Export),
    /// Print a bundle's policies as other tools of transparency logs read them (C2SP tlog-policy)
    Show(TrustRoot),
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The new file
    #[arg(long, value_name = "FILE", default_value = "policies.musubi")]
    out: PathBuf,
    /// The chain that it must be: the SHA-256 of the genesis document [default: the profile's]
    #[arg(long, value_name = "CHAIN")]
    genesis: Option<ChainId>,
}

pub(crate) async fn run(command: ProofCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        ProofCommand::Get(args) => get(args, session).await,
        ProofCommand::Verify(args) => verify(&args, session),
    }
}

pub(crate) async fn policy(
    command: PolicyCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        PolicyCommand::Export(args) => export(args, session).await,
        PolicyCommand::Show(root) => {
            let (policies, trust) = root.open(session)?;
            Report::new(&summary(&policies, &trust), texts(&policies))
        }
    }
}

async fn get(args: Get, session: &mut Session) -> Result<Report, CliError> {
    let client = session.client()?;
    let proof = match (&args.id, args.leaf) {
        (Some(id), _) => client.proof(session.book().transaction(id)?, !args.no_wait).await?,
        (None, Some(leaf)) => client.leaf_proof(leaf, !args.no_wait).await?,
        (None, None) => unreachable!("clap asks for one of them"),
    };
    let (id, leaf, file) = (proof.claimed_id(), proof.file().index(), proof.to_string());
    let Some(out) = &args.out else {
        let report = json!({ "id": id, "leaf": leaf, "proof": file });
        return Report::new(&report, file.trim_end_matches('\n'));
    };
    files::create(out, file.as_bytes())?;
    let text =
        format!("The proof of {id} is in {}; check it with `musubi proof verify`.", out.display());
    Report::new(&json!({ "id": id, "leaf": leaf, "file": out }), text)
}

fn verify(args: &Verify, session: &Session) -> Result<Report, CliError> {
    let (policies, trust) = args.root.open(session)?;
    let bytes = files::read_input(&args.file, MAX_PROOF_BYTES as u64)?;
    let proven = TransactionProof::parse(&bytes).and_then(|proof| proof.verify(&policies))?;
    let mut glossary: Glossary = proof::glossary(policies.genesis());
    let contacts = session.book().contacts.iter();
    glossary.names.extend(contacts.map(|(name, contact)| (contact.party, name.clone())));
    let mut pairs = vec![("Proven", proven.leaf.id.to_string())];
    let account = proof::account(&proven, &policies, &glossary);
    pairs.extend(account.into_iter().map(|(heading, lines)| (heading, lines.join("\n"))));
    pairs.push(("Trust root", trust.words(&policies)));
    let mut report = Report::new(&proof::to_json(&proven, &policies), table::fields(&pairs))?;
    report.json["trust"] = json!(trust.name());
    Ok(report)
}

async fn export(args: Export, session: &mut Session) -> Result<Report, CliError> {
    let bytes = session.client()?.policies().await?;
    let (policies, trust) = open(&bytes, args.genesis, session)?;
    files::create(&args.out, &bytes)?;
    let mut text = format!("The ledger's policies are in {}.\n", args.out.display());
    text += &format!("Trust root: {}\n", trust.words(&policies));
    text += &texts(&policies);
    let mut report = Report::new(&summary(&policies, &trust), text)?;
    report.json["file"] = json!(args.out);
    Ok(report)
}

fn summary(policies: &PolicyChain, trust: &Trust) -> serde_json::Value {
    let newest = policies.newest();
    json!({
        "chain": policies.chain(),
        "origin": newest.origin(),
        "trust": trust.name(),
        "newest": newest.policy(),
        "text": newest.to_text(),
    })
}

fn texts(policies: &PolicyChain) -> String {
    policies.newest().to_text().trim_end().to_owned()
}

/// Where the chain id came from to which everything is traced back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Given,
    Profile,
    Bundle,
}

impl Trust {
    fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Profile => "profile",
            Self::Bundle => "bundle",
        }
    }

    fn words(self, policies: &PolicyChain) -> String {
        let chain = policies.chain();
        match self {
            Self::Given => format!("chain {chain}, as given with --genesis"),
            Self::Profile => format!("chain {chain}, as this home's profile has it"),
            Self::Bundle => format!(
                "chain {chain}, as the bundle itself says and nobody else: compare it once with one you know by \
                 other means, then give it with --genesis"
            ),
        }
    }
}

impl TrustRoot {
    /// Follows the bundle's policies from the trust root.
    fn open(&self, session: &Session) -> Result<(PolicyChain, Trust), CliError> {
        open(&read_bundle(&self.policy)?, self.genesis, session)
    }
}

fn read_bundle(path: &Path) -> Result<Vec<u8>, CliError> {
    files::read_input(path, BUNDLE_BYTES_MAX as u64)
}

fn open(
    bytes: &[u8],
    given: Option<ChainId>,
    session: &Session,
) -> Result<(PolicyChain, Trust), CliError> {
    let bundle = PolicyBundle::decode(bytes)?;
    let (chain, trust) = match (given, session.profile().chain) {
        (Some(chain), _) => (chain, Trust::Given),
        (None, Some(chain)) => (chain, Trust::Profile),
        (None, None) => (bundle.chain()?, Trust::Bundle),
    };
    Ok((bundle.verify(&chain)?, trust))
}

impl From<BundleError> for CliError {
    fn from(error: BundleError) -> Self {
        let next = "fetch the bundle again with `musubi policy export`, from another organisation's node too";
        Self::new(error.code(), error.to_string()).next(next)
    }
}

impl From<TransactionProofError> for CliError {
    fn from(error: TransactionProofError) -> Self {
        let next = "believe nothing of it; fetch it again with `musubi proof get`, and keep this file if the same \
                    comes from another node";
        Self::new(error.code(), error.to_string()).next(next)
    }
}
