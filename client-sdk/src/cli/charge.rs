//! `musubi medium charge`: a card shown at a shop's terminal, whose key signs each use.

use clap::Args;
use musubi_sdk::{Client, Direction, MediumId, TxId};

use super::{
    args::{Signing, Sum},
    error::CliError,
    finish::Plan,
    session::Session,
    table::Report,
};

#[derive(Debug, Args)]
pub(crate) struct Charge {
    /// What was shown
    #[arg(value_name = "NAME|MEDIUM")]
    medium: String,
    #[command(flatten)]
    sum: Sum,
    /// The shop's standing mandate to receive
    #[arg(long, value_name = "NAME|ID")]
    mandate: String,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(args: Charge, session: &mut Session) -> Result<Report, CliError> {
    let (actor, shop) = session.actor_contact()?;
    let medium = session.book().medium(&args.medium)?;
    let credit = session.book().transaction(&args.mandate)?;
    let leg = session.leg(&args.sum).await?;
    let client = session.client()?;
    let stored = client.medium(medium).await?.row;
    let debit = debit_mandate(&client, medium, &stored.mandates).await?;
    let composer = session.composer().await?;
    let draft = composer.pay_by_medium(stored.party, shop.party, &[leg], (medium, debit), credit);
    let done = format!("Charged {}.", session.name(&stored.party));
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

/// The mandate under which a medium pays.
async fn debit_mandate(
    client: &Client,
    medium: MediumId,
    mandates: &[TxId],
) -> Result<TxId, CliError> {
    for id in mandates {
        if client.mandate(*id).await?.row.terms.direction == Direction::Debit {
            return Ok(*id);
        }
    }
    let what = format!("{medium} only receives: it has no mandate to pay");
    Err(CliError::new("medium_cannot_pay", what).next("its registrar can enrol another one"))
}
