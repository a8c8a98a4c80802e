//! `musubi repay`: what a party owes an instrument's issuer.

use std::path::PathBuf;

use clap::Args;
use musubi_sdk::{
    Role, Side,
    ledger::operation::{Repay, RepayBy},
};

use super::{
    args::{Signing, Sum},
    error::CliError,
    finish::Plan,
    party::evidence,
    session::Session,
    slots,
    table::Report,
};

#[derive(Debug, Args)]
pub(crate) struct RepayArgs {
    #[command(flatten)]
    sum: Sum,
    /// Who owes [default: the acting identity]
    #[arg(long, value_name = "NAME|ADDRESS")]
    party: Option<String>,
    /// It paid by other means, as the issuer's key (`--as`) says: the outside payment's reference, of which the hash is recorded
    #[arg(long, value_name = "FILE")]
    outside: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(args: RepayArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let party = session.party_or(args.party.as_deref(), contact.party).await?;
    let leg = session.leg(&args.sum).await?;
    let (by, wanted) = match &args.outside {
        None => (RepayBy::Wallet, None),
        Some(path) => {
            let issuer = session.client()?.instrument(leg.instrument).await?;
            let issuer = issuer.instrument.terms.issuer;
            let roles = [Role::Issuer, Role::Officer];
            let wanted = slots::want(Side::Credit, &roles, issuer);
            (RepayBy::Outside { funding: evidence(path)? }, Some(wanted))
        }
    };
    let draft = session.composer().await?.repay(contact.party, Repay { party, leg, by });
    Plan::new(draft, Some(&actor), "Paid.").wanting(wanted).run(session, &args.signing).await
}
