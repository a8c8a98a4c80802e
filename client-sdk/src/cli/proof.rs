//! `musubi proof`, `musubi policy`: evidence that needs no node, and what it is checked against.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use musubi_sdk::{
    DocumentHash, Glossary,
    ledger::{
        memo::{MemoError, Reveal, reveal::REVEAL_BYTES_MAX},
        proof::{ProvenTransaction, TransactionProof, TransactionProofError},
        tlog::proof_file::MAX_PROOF_BYTES,
    },
    memo::{self, visible},
    proof,
};
use serde_json::json;

use super::{
    error::CliError,
    files,
    session::Session,
    table::{self, Report},
    trust::{KnownChain, Policies, TrustRoot},
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
    /// The transaction's memo, from `musubi memo reveal`
    #[arg(long, value_name = "FILE")]
    memo: Option<PathBuf>,
    #[command(flatten)]
    root: TrustRoot,
}

impl Verify {
    /// A proof with the memo that one of the parties revealed.
    pub(crate) fn revealed(file: PathBuf, memo: PathBuf, root: TrustRoot) -> Self {
        Self { file, memo: Some(memo), root }
    }
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
    #[command(flatten)]
    chain: KnownChain,
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
            let policies = root.open(session)?;
            Report::new(&summary(&policies), policies.text())
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

pub(crate) fn verify(args: &Verify, session: &Session) -> Result<Report, CliError> {
    let policies = args.root.open(session)?;
    let chain = &policies.chain;
    let bytes = files::read_input(&args.file, MAX_PROOF_BYTES as u64)?;
    let proven = TransactionProof::parse(&bytes).and_then(|proof| proof.verify(chain))?;
    let mut glossary: Glossary = proof::glossary(chain.genesis());
    let contacts = session.book().contacts.iter();
    glossary.names.extend(contacts.map(|(name, contact)| (contact.party, name.clone())));
    let mut pairs = vec![("Proven", proven.leaf.id.to_string())];
    let account = proof::account(&proven, chain, &glossary);
    pairs.extend(account.into_iter().map(|(heading, lines)| (heading, lines.join("\n"))));
    let memo = args.memo.as_deref().map(|file| revealed(file, &proven)).transpose()?;
    pairs.extend(memo.iter().map(|(_, text)| ("Memo", visible(text))));
    pairs.push(("Trust root", policies.root()));
    let mut report = Report::new(&proof::to_json(&proven, chain), table::fields(&pairs))?;
    report.json["trust"] = json!(policies.trust());
    if let Some((hash, text)) = memo {
        report.json["memo"] = json!({ "hash": hash, "text": text });
    }
    Ok(report)
}

/// What a revealed memo says, if it is the one that the proven body cites.
fn revealed(file: &Path, proven: &ProvenTransaction) -> Result<(DocumentHash, String), CliError> {
    let reveal = Reveal::parse(&files::read_input(file, REVEAL_BYTES_MAX as u64)?)?;
    let body = proven.body().ok_or(MemoError::NotCited)?;
    Ok((reveal.blob.hash(), memo::verify(&reveal, body)?))
}

async fn export(args: Export, session: &mut Session) -> Result<Report, CliError> {
    let (policies, bytes) = Policies::ask(args.chain, session).await?;
    files::create(&args.out, &bytes)?;
    let mut text = format!("The ledger's policies are in {}.\n", args.out.display());
    text += &format!("Trust root: {}\n", policies.root());
    text += &policies.text();
    let mut report = Report::new(&summary(&policies), text)?;
    report.json["file"] = json!(args.out);
    Ok(report)
}

fn summary(policies: &Policies) -> serde_json::Value {
    let newest = policies.chain.newest();
    json!({
        "chain": policies.chain.chain(),
        "origin": newest.origin(),
        "trust": policies.trust(),
        "newest": newest.policy(),
        "text": newest.to_text(),
    })
}

impl From<TransactionProofError> for CliError {
    fn from(error: TransactionProofError) -> Self {
        let next = "believe nothing of it; fetch it again with `musubi proof get`, and keep this file if the same \
                    comes from another node";
        Self::new(error.code(), error.to_string()).next(next)
    }
}
