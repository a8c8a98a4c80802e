//! `musubi medium`: printed QR cards and IC cards for holders without a phone.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{Role, Side, Stored, entropy, operation::EnrolMedium};
use serde_json::json;

use super::{
    args::Signing,
    bounds::{Bounds, DirectionArg},
    charge,
    contacts::check_name,
    error::CliError,
    finish::Plan,
    party::evidence,
    register::registrar,
    session::Session,
    slots,
    table::{self, Report},
};

/// Media: identifiers that are no key
#[derive(Debug, Subcommand)]
pub(crate) enum MediumCommand {
    /// Give a holder a medium: two registrar officers where it can pay, one where it only receives
    Enrol(Box<Enrol>),
    /// End a medium: the holder, or one registrar officer
    Revoke(Revoke),
    /// Charge a medium that is shown at a shop's terminal: the shop's key (`--as`) signs
    Charge(charge::Charge),
    /// Show a medium and its mandates
    Show {
        /// Which
        #[arg(value_name = "NAME|MEDIUM")]
        medium: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Enrol {
    /// A name for the medium in this address book
    name: String,
    /// Whose it is
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    holder: String,
    /// What it may do; its bounds follow. To give, --per-day and --until are required
    #[arg(long, value_enum, default_value = "give")]
    may: DirectionArg,
    /// What may also be received with it at one use
    #[arg(long, value_name = "DECIMAL")]
    receive: Option<String>,
    #[command(flatten)]
    bounds: Bounds,
    /// The registrar [default: the one whose officer acts]
    #[arg(long, value_name = "NAME|ADDRESS")]
    registrar: Option<String>,
    /// The signed application; its hash is recorded, the file stays here
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Which
    #[arg(value_name = "NAME|MEDIUM")]
    medium: String,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(command: MediumCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        MediumCommand::Enrol(args) => enrol(*args, session).await,
        MediumCommand::Revoke(args) => revoke(args, session).await,
        MediumCommand::Charge(args) => charge::run(args, session).await,
        MediumCommand::Show { medium } => show(&medium, session).await,
    }
}

async fn enrol(args: Enrol, session: &mut Session) -> Result<Report, CliError> {
    check_name(&args.name)?;
    let (actor, officer) = session.actor_contact()?;
    let composer = session.composer().await?;
    let first = args.bounds.terms(args.may, composer.now, session).await?;
    let also = match &args.receive {
        Some(per_use) => {
            let bounds = Bounds {
                per_use: per_use.clone(),
                per_day: None,
                per_counterparty: None,
                total: None,
                uses: None,
                staff: Vec::new(),
                ..args.bounds.clone()
            };
            Some(bounds.terms(DirectionArg::Receive, composer.now, session).await?)
        }
        None => None,
    };
    let (debit, credit) = match args.may {
        DirectionArg::Give => (Some(first), also),
        DirectionArg::Receive => (None, Some(first)),
    };
    let medium = entropy::medium_id();
    let enrol = EnrolMedium {
        medium,
        party: session.party(&args.holder).await?,
        registrar: registrar(session, args.registrar.as_deref()).await?,
        debit,
        credit,
        evidence: evidence(&args.evidence)?,
    };
    session.book_mut().media.insert(args.name.clone(), medium);
    let draft = composer.enrol_medium(officer.party, enrol);
    let done = format!("Enrolled {}: {medium}", args.name);
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

async fn revoke(args: Revoke, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let medium = session.book().medium(&args.medium)?;
    let stored = session.client()?.medium(medium).await?.row;
    let wanted = match stored.party == contact.party {
        true => slots::want(Side::Authority, &[Role::Holder], stored.party),
        false => slots::want(Side::Authority, &[Role::Officer], stored.registrar),
    };
    let draft = session.composer().await?.revoke_medium(contact.party, medium);
    let plan = Plan::new(draft, Some(&actor), "The medium is ended.").wanting([wanted]);
    plan.run(session, &args.signing).await
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().medium(text)?;
    let Stored { row, height } = session.client()?.medium(id).await?;
    let mandates: Vec<String> = row.mandates.iter().map(ToString::to_string).collect();
    let status = match row.revoked {
        Some(time) => format!("revoked {}", table::time(time)),
        None => "active".into(),
    };
    let text = table::fields(&[
        ("Medium", id.to_string()),
        ("Holder", session.name(&row.party)),
        ("Registrar", session.name(&row.registrar)),
        ("Status", status),
        ("Mandates", mandates.join("\n")),
    ]);
    Report::new(&json!({ "id": id, "medium": row, "height": height }), text)
}
