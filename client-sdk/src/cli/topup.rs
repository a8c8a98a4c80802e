//! `musubi topup` and `musubi allowance`: issuing value (チャージ), and the right to.

use clap::{Args, Subcommand, ValueEnum};
use musubi_sdk::{
    DocumentHash, OriginKind, Role, Side, Stored,
    draft::Funding,
    ledger::hash::sha256,
    operation::{Citation, GrantAllowance},
};
use serde_json::json;

use super::{
    args::{Signing, Sum},
    error::CliError,
    finish::Plan,
    session::Session,
    slots,
    sums::parse_amount,
    table::{self, Report},
    when::When,
};

/// Where issued value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum OriginArg {
    /// Bought with outside money
    Paid,
    /// Given without consideration: points, premiums
    Free,
    /// A public benefit
    Grant,
}

#[derive(Debug, Args)]
pub(crate) struct Topup {
    /// Whose wallet
    #[arg(long, value_name = "NAME|ADDRESS")]
    to: String,
    #[command(flatten)]
    sum: Sum,
    /// The allowance under which the issuer's key (`--as`) acts
    #[arg(long, value_name = "NAME|ID")]
    allowance: String,
    /// The outside payment's reference; its hash is recorded, and each is used once, for ever
    #[arg(long, value_name = "TEXT")]
    funding: String,
    /// Where the value comes from
    #[arg(long, value_enum, default_value = "paid")]
    origin: OriginArg,
    /// Who gave the outside funds, if not the holder; they sign too
    #[arg(long, value_name = "NAME|ADDRESS")]
    funder: Option<String>,
    /// A campaign's number, under which reports group it
    #[arg(long, default_value_t = 0)]
    campaign: u32,
    /// The holder's standing consent, in place of their signature
    #[arg(long, value_name = "NAME|ID")]
    mandate: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// An issuer's right to issue
#[derive(Debug, Subcommand)]
pub(crate) enum AllowanceCommand {
    /// Grant one: an officer of the issuer and one of another organisation sign
    Grant(Grant),
    /// End one at once: an officer of the issuer
    Revoke(Revoke),
    /// Show its bounds and what is left
    Show {
        /// Which
        #[arg(value_name = "NAME|ID")]
        allowance: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// Of which instrument [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    instrument: Option<String>,
    /// The issuer's automated key that may act: a name of this address book
    #[arg(long, value_name = "NAME")]
    key: String,
    /// Most in all
    #[arg(long, value_name = "DECIMAL")]
    total: String,
    /// Most into one wallet
    #[arg(long, value_name = "DECIMAL")]
    per_wallet: String,
    /// Most on one day (in Japan)
    #[arg(long, value_name = "DECIMAL")]
    per_day: String,
    /// When it ends: 365d, or a last day such as 2027-03-31
    #[arg(long)]
    until: When,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Which
    #[arg(value_name = "NAME|ID")]
    allowance: String,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(args: Topup, session: &mut Session) -> Result<Report, CliError> {
    let (actor, issuer) = session.actor_contact()?;
    let to = session.party(&args.to).await?;
    let leg = session.leg(&args.sum).await?;
    let funder = match &args.funder {
        Some(text) => session.party(text).await?,
        None => to,
    };
    let credit = match &args.mandate {
        Some(text) => Citation::Mandate(session.book().transaction(text)?),
        None => Citation::Live,
    };
    let funding = Funding {
        allowance: session.book().transaction(&args.allowance)?,
        issuer: issuer.party,
        origin: match args.origin {
            OriginArg::Paid => OriginKind::Paid,
            OriginArg::Free => OriginKind::Free,
            OriginArg::Grant => OriginKind::Grant,
        },
        funder,
        campaign: args.campaign,
        payment: DocumentHash(sha256(args.funding.as_bytes())),
    };
    let draft = session.composer().await?.top_up(to, leg.amount, funding, credit);
    let done = format!("Topped up {}.", session.name(&to));
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

pub(crate) async fn allowance(
    command: AllowanceCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        AllowanceCommand::Grant(args) => grant(args, session).await,
        AllowanceCommand::Revoke(args) => revoke(args, session).await,
        AllowanceCommand::Show { allowance } => show(&allowance, session).await,
    }
}

async fn grant(args: Grant, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let (instrument, decimals) = session.instrument(args.instrument.as_deref()).await?;
    let key = session.book().get(&args.key)?.public.ok_or_else(|| {
        let what = format!("the public key of `{}` is not known here", args.key);
        CliError::usage("no_public_key", what)
    })?;
    let composer = session.composer().await?;
    let grant = GrantAllowance {
        instrument,
        key,
        total: parse_amount(&args.total, decimals)?,
        per_wallet: parse_amount(&args.per_wallet, decimals)?,
        per_day: parse_amount(&args.per_day, decimals)?,
        end: args.until.from(composer.now),
    };
    let draft = composer.grant_allowance(officer.party, grant);
    Plan::new(draft, Some(&actor), "Granted.").run(session, &args.signing).await
}

async fn revoke(args: Revoke, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let id = session.book().transaction(&args.allowance)?;
    let issuer = session.client()?.allowance(id).await?.row.issuer;
    let draft = session.composer().await?.revoke_allowance(officer.party, id);
    let wanted = slots::want(Side::Authority, &[Role::Officer], issuer);
    let plan = Plan::new(draft, Some(&actor), "The allowance is ended.").wanting([wanted]);
    plan.run(session, &args.signing).await
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(text)?;
    let Stored { row, height } = session.client()?.allowance(id).await?;
    let (_, decimals) = session.instrument(Some(&row.instrument.to_string())).await?;
    let shown = |amount| table::amount(amount, decimals);
    let status = match row.revoked {
        Some(time) => format!("revoked {}", table::time(time)),
        None => "granted".into(),
    };
    let text = table::fields(&[
        ("Issuer", session.name(&row.issuer)),
        ("Instrument", row.instrument.to_string()),
        ("Status", status),
        ("Used in all", format!("{} of {}", shown(row.used), shown(row.total))),
        ("Used on the last day", format!("{} of {}", shown(row.used_today), shown(row.per_day))),
        ("Into one wallet", format!("at most {}", shown(row.per_wallet))),
        ("Until", table::time(row.end)),
        ("Key", row.key.to_string()),
    ]);
    Report::new(&json!({ "id": id, "allowance": row, "height": height }), text)
}
