//! `musubi party`: who is on the ledger, their attributes, officers and life.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use musubi_sdk::{DocumentHash, PartyId, PartyKind, Role, Side, Wanted, ledger::hash::sha256};

use super::{
    args::Signing,
    error::CliError,
    files,
    finish::Plan,
    keys, party_show,
    register::{self, AttributeArg, Register, registrar},
    session::Session,
    slots,
    table::Report,
    when::When,
};

/// Evidence files are hashed, never sent; this bounds what is read.
const EVIDENCE_MAX: u64 = 256 * 1024 * 1024;

/// Parties and their keys
#[derive(Debug, Subcommand)]
pub(crate) enum PartyCommand {
    /// Put a party on the ledger; a registrar officer acts (`--as`), the party's key signs too
    Register(Box<Register>),
    /// Show a party: keys, roles, attributes
    Show {
        /// Whom [default: the acting identity]
        party: Option<String>,
    },
    /// Attest coarse attributes; a registrar officer acts
    Attest(Attest),
    /// Replace the officers of a registrar, issuer or organisation; two present ones sign
    Officers(Officers),
    /// Stop a party at once: the holder, or one registrar officer
    Freeze(Freeze),
    /// Lift a freeze: two registrar officers
    Unfreeze(Whom),
    /// One more key: an old key and the new one sign
    AddKey(keys::NewKey),
    /// A new key for the acting one: both sign
    RotateKey(keys::NewKey),
    /// End a key: the holder, or a registrar officer
    RevokeKey(keys::RevokeKey),
    /// A new key for somebody who lost theirs: two registrar officers and the new key
    Recover(keys::Recover),
    /// Stop a recovery that waits: any old key, or two registrar officers
    CancelRecovery(Whom),
}

#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Which party
    #[arg(value_name = "NAME|ADDRESS")]
    pub(crate) party: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Attest {
    /// About whom
    #[arg(value_name = "NAME|ADDRESS")]
    party: String,
    /// An attribute; repeat for more
    #[arg(long, value_name = "NAME=VALUE", required = true)]
    attribute: Vec<AttributeArg>,
    /// When they end: 365d, or a last day such as 2027-03-31
    #[arg(long)]
    until: Option<When>,
    /// The registrar [default: the one whose officer acts]
    #[arg(long, value_name = "NAME|ADDRESS")]
    registrar: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Officers {
    /// Of which registrar, issuer or organisation
    #[arg(value_name = "NAME|ADDRESS")]
    party: String,
    /// A person; repeat, at least two
    #[arg(long, value_name = "NAME|ADDRESS", required = true)]
    officer: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Freeze {
    /// Whom
    #[arg(value_name = "NAME|ADDRESS")]
    party: String,
    /// The report that asks for it; its hash is recorded, the file stays here
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(command: PartyCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        PartyCommand::Register(args) => register::run(*args, session).await,
        PartyCommand::Show { party } => party_show::run(party.as_deref(), session).await,
        PartyCommand::Attest(args) => attest(args, session).await,
        PartyCommand::Officers(args) => officers(args, session).await,
        PartyCommand::Freeze(args) => freeze(args, session).await,
        PartyCommand::Unfreeze(args) => unfreeze(args, session).await,
        PartyCommand::AddKey(args) => keys::add(args, session).await,
        PartyCommand::RotateKey(args) => keys::rotate(args, session).await,
        PartyCommand::RevokeKey(args) => keys::revoke(args, session).await,
        PartyCommand::Recover(args) => keys::recover(args, session).await,
        PartyCommand::CancelRecovery(args) => keys::cancel_recovery(args, session).await,
    }
}

async fn attest(args: Attest, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let party = session.party(&args.party).await?;
    let registrar = registrar(session, args.registrar.as_deref()).await?;
    let composer = session.composer().await?;
    let until = args.until.map(|when| when.from(composer.now));
    let attributes = args.attribute.iter().map(|a| a.attribute(until)).collect();
    let draft = composer.attest(officer.party, registrar, party, attributes);
    Plan::new(draft, Some(&actor), "Attested.").run(session, &args.signing).await
}

async fn officers(args: Officers, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let party = session.party(&args.party).await?;
    let mut officers = Vec::new();
    for text in &args.officer {
        officers.push(session.party(text).await?);
    }
    let draft = session.composer().await?.set_officers(officer.party, party, officers);
    Plan::new(draft, Some(&actor), "The officers are replaced.").run(session, &args.signing).await
}

async fn freeze(args: Freeze, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let party = session.party(&args.party).await?;
    let evidence = evidence(&args.evidence)?;
    let draft = session.composer().await?.freeze(contact.party, party, evidence);
    let wanted = decider(session, contact.party, party).await;
    let plan = Plan::new(draft, Some(&actor), "Frozen.").wanting(wanted);
    plan.run(session, &args.signing).await
}

/// In which capacities somebody may decide about a party's keys or freeze: as itself, as one of the
/// group, or as an officer of its registrar.
pub(crate) async fn decider(session: &mut Session, actor: PartyId, party: PartyId) -> Vec<Wanted> {
    let authority = |roles: &[Role], of| slots::want(Side::Authority, roles, of);
    if actor == party {
        return vec![authority(&[Role::Holder], party)];
    }
    let mut wanted = Vec::new();
    if session.kind(party).await == Some(PartyKind::Group) {
        wanted.push(authority(&slots::MEMBERS, party));
    }
    if let Ok(view) = session.party_view(party).await {
        wanted.push(authority(&[Role::Officer], view.party.registrar));
    }
    wanted
}

async fn unfreeze(args: Whom, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let party = session.party(&args.party).await?;
    let draft = session.composer().await?.unfreeze(contact.party, party);
    Plan::new(draft, Some(&actor), "The freeze is lifted.").run(session, &args.signing).await
}

/// The hash of a document that stays where it is.
pub(crate) fn evidence(path: &Path) -> Result<DocumentHash, CliError> {
    let content = files::read_input(path, EVIDENCE_MAX)?;
    Ok(DocumentHash(sha256(&content)))
}
