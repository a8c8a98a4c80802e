//! `musubi evidence`: checks a file that accuses somebody, offline; and fetches such files from a node.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use musubi_sdk::{
    ChainId, Genesis,
    ledger::{
        evidence::{self, EvidenceError, Suspects},
        limits,
    },
};
use serde_json::json;

use super::{
    error::CliError,
    files,
    session::Session,
    table::{self, Align, Report},
    trust::{KnownChain, Policies},
};

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Check a file offline: whom it shows doing what; exit code 1 if it shows nothing
    Verify(Verify),
    /// The files that a node keeps
    List,
    /// Fetch a file from a node, to be verified
    Get(Get),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The evidence file, `-` for standard input
    file: PathBuf,
    /// The ledger's genesis document
    #[arg(long, value_name = "FILE", required_unless_present = "policy")]
    genesis: Option<PathBuf>,
    /// The ledger's policy bundle, which also knows keys that came later
    #[arg(long, value_name = "FILE", conflicts_with = "genesis")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    chain: KnownChain,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Its name, as listed
    name: String,
    /// Where to write it [default: its name, in this folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(
    command: EvidenceCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        EvidenceCommand::Verify(args) => verify(&args, session),
        EvidenceCommand::List => list(session).await,
        EvidenceCommand::Get(args) => get(&args, session).await,
    }
}

fn verify(args: &Verify, session: &Session) -> Result<Report, CliError> {
    let expected = args.chain.known(session);
    let suspects = match (&args.genesis, &args.policy) {
        (Some(path), _) => of_genesis(path, expected)?,
        (None, Some(path)) => {
            Suspects::of_policies(&Policies::read(path, args.chain, session)?.chain)
        }
        (None, None) => unreachable!("one of them is required"),
    };
    let bytes = files::read_input(&args.file, limits::EVIDENCE_BYTES_MAX as u64)?;
    let finding = evidence::verify(&bytes, &suspects)?;
    let chain = suspects.chain();
    let mut text = finding.to_string();
    if expected.is_none() {
        text += &format!("\nChecked for the chain {chain}: compare that id with one you trust.");
    }
    let json = json!({
        "chain": chain,
        "finding": finding,
        "sentence": finding.to_string(),
        "name": finding.file_name(),
    });
    Report::new(&json, text)
}

fn of_genesis(path: &Path, expected: Option<ChainId>) -> Result<Suspects, CliError> {
    let bytes = files::read_input(path, limits::GENESIS_BYTES_MAX as u64)?;
    let genesis = Genesis::decode(&bytes)
        .map_err(|cause| CliError::new("bad_genesis", format!("{}: {cause}", path.display())))?;
    match expected {
        Some(chain) if chain != genesis.chain() => {
            let found = genesis.chain();
            let what = format!("the document is of the chain {found}, expected is {chain}");
            Err(CliError::new("wrong_chain", what).next("take the genesis document of that chain"))
        }
        _ => Ok(Suspects::of_genesis(&genesis)),
    }
}

async fn list(session: &mut Session) -> Result<Report, CliError> {
    let found = session.client()?.evidence().await?;
    let columns = [("File", Align::Left), ("It says", Align::Left)];
    let rows = found.iter().map(|view| vec![view.name.clone(), view.sentence.clone()]);
    let empty = "This node keeps no evidence.";
    let text = table::table(&columns, rows.collect(), empty);
    Report::new(&found, text)
}

async fn get(args: &Get, session: &mut Session) -> Result<Report, CliError> {
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let bytes = session.client()?.evidence_file(&args.name).await?;
    files::create(&path, &bytes)?;
    let path = path.display();
    let text = format!(
        "Written to {path}. It proves nothing before you have checked it:\n  musubi evidence verify \
         {path} --genesis GENESIS.bin"
    );
    Ok(Report::done(text))
}

impl From<EvidenceError> for CliError {
    fn from(error: EvidenceError) -> Self {
        let what = format!("the file shows nothing, and accuses nobody: {error}");
        Self::new(error.code(), what)
    }
}
