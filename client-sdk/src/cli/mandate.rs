//! `musubi mandate`: bounded, revocable consent in advance, and the shop codes that stand on it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{
    PartyKind, Role, ShopCode, Side, Stored, image::QrImage, ledger::mandate::Mandate, qr::Tag,
};
use serde_json::json;

use super::{
    args::{Signing, Sum},
    bounds::{Bounds, DirectionArg},
    error::CliError,
    files,
    finish::Plan,
    session::Session,
    slots,
    table::{self, Report},
};

/// Consent in advance
#[derive(Debug, Subcommand)]
pub(crate) enum MandateCommand {
    /// Grant one; an event budget of a group is a mandate to give, with staff
    Grant(Grant),
    /// End one at once
    Revoke(Revoke),
    /// Show its bounds and what is used of them
    Show {
        /// Which
        #[arg(value_name = "NAME|ID")]
        mandate: String,
    },
    /// Print the QR code of a shop: who it is, which till, and the standing mandate
    Code(Code),
}

#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// To receive, or to give
    #[arg(value_enum)]
    direction: DirectionArg,
    /// Whose consent it is: a group, say [default: the acting identity's]
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    grantor: Option<String>,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Which
    #[arg(value_name = "NAME|ID")]
    mandate: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Code {
    /// The standing mandate to receive
    #[arg(value_name = "NAME|ID")]
    mandate: String,
    /// The shop [default: the acting identity's]
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    merchant: Option<String>,
    /// Which till or counter: 1 to 16 of A-Z and 0-9
    #[arg(long, default_value = "SHOP")]
    tag: String,
    /// A fixed amount, for a till's screen
    #[arg(long, value_name = "DECIMAL")]
    amount: Option<String>,
    /// Of which instrument
    #[arg(long, value_name = "CODE", requires = "amount")]
    instrument: Option<String>,
    /// Write what the code says to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw the code into an SVG file, for printing
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) async fn run(
    command: MandateCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        MandateCommand::Grant(args) => grant(args, session).await,
        MandateCommand::Revoke(args) => revoke(args, session).await,
        MandateCommand::Show { mandate } => show(&mandate, session).await,
        MandateCommand::Code(args) => code(args, session).await,
    }
}

async fn grant(args: Grant, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let grantor = session.party_or(args.grantor.as_deref(), contact.party).await?;
    let composer = session.composer().await?;
    let terms = args.bounds.terms(args.direction, composer.now, session).await?;
    let draft = composer.grant_mandate(contact.party, grantor, terms);
    Plan::new(draft, Some(&actor), "Granted.").run(session, &args.signing).await
}

async fn revoke(args: Revoke, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let id = session.book().transaction(&args.mandate)?;
    let draft = session.composer().await?.revoke_mandate(contact.party, id);
    let mut wanted = Vec::new();
    if let Ok(stored) = session.client()?.mandate(id).await {
        let grantor = stored.row.grantor;
        let roles: &[Role] = match session.kind(grantor).await {
            Some(PartyKind::Group) => &slots::MEMBERS,
            Some(PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator) => {
                &[Role::Officer]
            }
            _ => &[Role::Holder],
        };
        wanted.push(slots::want(Side::Authority, roles, grantor));
    }
    let plan = Plan::new(draft, Some(&actor), "The mandate is ended.").wanting(wanted);
    plan.run(session, &args.signing).await
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(text)?;
    let Stored { row, height } = session.client()?.mandate(id).await?;
    let decimals = session.decimals().await;
    let places = row.terms.instruments.first().and_then(|i| decimals.get(i)).copied();
    let text = table::fields(&facts(session, &row, places.unwrap_or(0)));
    Report::new(&json!({ "id": id, "mandate": row, "height": height }), text)
}

fn facts(session: &Session, mandate: &Mandate, decimals: u8) -> Vec<(&'static str, String)> {
    let terms = &mandate.terms;
    let shown = |amount| table::amount(amount, decimals);
    let of = |used, cap: Option<_>| match cap {
        Some(cap) => format!("{} of {}", shown(used), shown(cap)),
        None => format!("{}, no limit", shown(used)),
    };
    let instruments: Vec<String> = terms.instruments.iter().map(ToString::to_string).collect();
    let staff: Vec<String> = terms.staff.iter().map(|person| session.name(person)).collect();
    let status = match mandate.revoked {
        Some(time) => format!("revoked {}", table::time(time)),
        None => "granted".into(),
    };
    let uses = match terms.uses {
        Some(most) => format!("{} of {most}", mandate.uses),
        None => mandate.uses.to_string(),
    };
    vec![
        ("Grantor", session.name(&mandate.grantor)),
        (
            "Consents to",
            match terms.direction {
                musubi_sdk::Direction::Debit => "give".into(),
                musubi_sdk::Direction::Credit => "receive".into(),
            },
        ),
        ("Status", status),
        ("Instruments", instruments.join(", ")),
        ("At one use", format!("at most {}", shown(terms.per_use))),
        ("Used on the last day", of(mandate.used_today, terms.per_day)),
        ("Used in all", of(mandate.used, terms.total)),
        ("Uses", uses),
        ("Staff", staff.join(", ")),
        ("Medium", mandate.medium.map(|m| m.to_string()).unwrap_or_default()),
        ("Consent", if mandate.attested { "attested".into() } else { String::new() }),
        ("From", table::time(terms.from)),
        ("Until", terms.until.map_or_else(|| "revoked".into(), table::time)),
    ]
}

async fn code(args: Code, session: &mut Session) -> Result<Report, CliError> {
    let merchant = session.party_or_own(args.merchant.as_deref()).await?;
    let mandate = session.book().transaction(&args.mandate)?;
    let tag: Tag = args
        .tag
        .parse()
        .map_err(|_| CliError::usage("bad_tag", "a tag takes 1 to 16 characters of A-Z and 0-9"))?;
    let mut code = ShopCode::fixed(session.scheme().await?, merchant, tag, mandate);
    if let Some(amount) = args.amount {
        let instrument = args.instrument;
        code = code.with_amount(session.leg(&Sum { amount, instrument }).await?);
    }
    draw(&code, args.out.as_deref(), args.svg.as_deref())
}

/// Shows a shop's code, and writes what was asked for.
pub(crate) fn draw(
    code: &ShopCode,
    out: Option<&std::path::Path>,
    svg: Option<&std::path::Path>,
) -> Result<Report, CliError> {
    let text = code.to_string();
    let image =
        QrImage::new(&text).map_err(|error| CliError::new(error.code(), error.to_string()))?;
    if let Some(path) = out {
        files::replace(path, text.as_bytes())?;
    }
    if let Some(path) = svg {
        files::replace(path, image.to_svg(600).as_bytes())?;
    }
    let report = json!({ "code": text, "file": out, "svg": svg });
    Report::new(&report, format!("{}\n{text}", image.to_terminal()))
}
