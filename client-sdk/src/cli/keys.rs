//! `musubi party …-key`: which keys act for a party on the ledger.

use std::path::PathBuf;

use clap::Args;
use musubi_sdk::{PublicKey, Role, Side};

use super::{
    args::{SignSpec, Signing},
    error::CliError,
    finish::Plan,
    party::{Whom, decider, evidence},
    session::Session,
    slots,
    table::Report,
};

/// A new key for the acting identity's own party.
#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// The identity with the new key, made by `musubi key new NAME2 --party NAME`
    #[arg(value_name = "NAME")]
    new: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeKey {
    /// Whose key
    #[arg(value_name = "NAME|ADDRESS")]
    party: String,
    /// Which key [default: that of the name given]
    #[arg(long, value_name = "HEX")]
    key: Option<PublicKey>,
    /// Somebody else may have it: what it consented to and is not executed yet dies with it
    #[arg(long)]
    compromised: bool,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// Who lost their key
    #[arg(value_name = "NAME|ADDRESS")]
    party: String,
    /// The identity with the new key, made by `musubi key new NAME2 --party NAME`
    #[arg(long, value_name = "NAME")]
    new: String,
    /// The identity check; its hash is recorded, the file stays here
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

fn public(session: &Session, name: &str) -> Result<PublicKey, CliError> {
    session.book().get(name)?.public.ok_or_else(|| {
        let what = format!("the public key of `{name}` is not known here");
        CliError::usage("no_public_key", what).next("add it with `musubi contact add --public HEX`")
    })
}

/// The new key signs too, if it is on this device.
fn with_new(session: &Session, mut signing: Signing, name: &str) -> Result<Signing, CliError> {
    let here = session.book().get(name)?.key.is_some();
    if here && !signing.sign.iter().any(|spec| spec.name == name) {
        signing.sign.push(SignSpec::plain(name));
    }
    Ok(signing)
}

fn same_party(session: &Session, new: &str, actor: &str) -> Result<(), CliError> {
    if session.book().get(new)?.party == session.book().get(actor)?.party {
        return Ok(());
    }
    let what = format!("`{new}` belongs to another party than `{actor}`");
    let next = format!("make the key with `musubi key new {new}2 --party {actor}`");
    Err(CliError::usage("other_party", what).next(next))
}

pub(crate) async fn add(args: NewKey, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    same_party(session, &args.new, &actor)?;
    let key = public(session, &args.new)?;
    let draft = session.composer().await?.add_key(contact.party, key);
    let holder = slots::want(Side::Authority, &[Role::Holder], contact.party);
    let signing = with_new(session, args.signing, &args.new)?;
    let plan = Plan::new(draft, Some(&actor), "The key is added.").wanting([holder]);
    plan.run(session, &signing).await
}

pub(crate) async fn rotate(args: NewKey, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    same_party(session, &args.new, &actor)?;
    let (old, new) = (public(session, &actor)?, public(session, &args.new)?);
    let draft = session.composer().await?.rotate_key(contact.party, old, new);
    let signing = with_new(session, args.signing, &args.new)?;
    let done = format!("The key is replaced: act as {} from now on.", args.new);
    Plan::new(draft, Some(&actor), done).run(session, &signing).await
}

pub(crate) async fn revoke(args: RevokeKey, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let party = session.party(&args.party).await?;
    let key = match args.key {
        Some(key) => key,
        None => public(session, &args.party)?,
    };
    let composer = session.composer().await?;
    let draft = composer.revoke_key(contact.party, party, key, args.compromised);
    let wanted = decider(session, contact.party, party).await;
    let plan = Plan::new(draft, Some(&actor), "The key is ended.").wanting(wanted);
    plan.run(session, &args.signing).await
}

pub(crate) async fn recover(args: Recover, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let party = session.party(&args.party).await?;
    if session.book().get(&args.new)?.party != party {
        same_party(session, &args.new, &args.party)?;
    }
    let key = public(session, &args.new)?;
    let evidence = evidence(&args.evidence)?;
    let draft = session.composer().await?.recover(contact.party, party, key, evidence);
    let signing = with_new(session, args.signing, &args.new)?;
    let done = "The recovery waits for its delay; any old key can still stop it.";
    Plan::new(draft, Some(&actor), done).run(session, &signing).await
}

pub(crate) async fn cancel_recovery(args: Whom, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let party = session.party(&args.party).await?;
    let draft = session.composer().await?.cancel_recovery(contact.party, party);
    let wanted = decider(session, contact.party, party).await;
    let plan = Plan::new(draft, Some(&actor), "The recovery is stopped.").wanting(wanted);
    plan.run(session, &args.signing).await
}
