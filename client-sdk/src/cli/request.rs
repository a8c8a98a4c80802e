//! `musubi request`: a payee's signed, one-use consent to be paid.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{PartyKind, Purpose, Role, ShopCode, Side, Stored, qr::Tag};
use serde_json::json;

use super::{
    args::{Signing, Sum, parse_purpose},
    error::CliError,
    finish::Plan,
    mandate::draw,
    session::Session,
    slots,
    table::{self, Report},
    when::When,
};

/// Asking to be paid
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Ask to be paid, by anyone or by one party
    Create(Create),
    /// Show a request
    Show {
        /// Which
        #[arg(value_name = "NAME|ID")]
        request: String,
    },
    /// Withdraw a request that nobody has answered
    Cancel(Which),
    /// Pay exactly what a request asks for
    Answer(Answer),
    /// Print the request as a shop's dynamic QR code
    Code(Code),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    sum: Sum,
    /// Who alone may answer
    #[arg(long, value_name = "NAME|ADDRESS")]
    from: Option<String>,
    /// Who is to be paid: a group, say [default: the acting identity]
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    payee: Option<String>,
    /// Until when it can be answered: 30d, or a last day such as 2027-03-31
    #[arg(long, default_value = "7d")]
    due: When,
    /// What for: purchase, dues, reward, expense, participation, grant, donation, or a number
    #[arg(long, value_parser = parse_purpose)]
    purpose: Option<Purpose>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Which
    #[arg(value_name = "NAME|ID")]
    request: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// Which
    #[arg(value_name = "NAME|ID")]
    request: String,
    /// For whom you pay: a line of the group's roster, by name (drawn at first use) or in hex
    #[arg(long, value_name = "NAME|HEX")]
    on_behalf_of: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Code {
    /// Which
    #[arg(value_name = "NAME|ID")]
    request: String,
    /// Which till or counter: 1 to 16 of A-Z and 0-9
    #[arg(long, default_value = "SHOP")]
    tag: String,
    /// Write what the code says to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw the code into an SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) async fn run(
    command: RequestCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        RequestCommand::Create(args) => create(args, session).await,
        RequestCommand::Show { request } => show(&request, session).await,
        RequestCommand::Cancel(args) => cancel(args, session).await,
        RequestCommand::Answer(args) => answer(args, session).await,
        RequestCommand::Code(args) => code(args, session).await,
    }
}

async fn create(args: Create, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let payee = session.party_or(args.payee.as_deref(), contact.party).await?;
    let payer = match &args.from {
        Some(text) => Some(session.party(text).await?),
        None => None,
    };
    let leg = session.leg(&args.sum).await?;
    let composer = session.composer().await?;
    let due = args.due.from(composer.now);
    let mut draft = composer.request(contact.party, payee, payer, &[leg], due);
    if let Some(purpose) = args.purpose {
        draft = draft.purpose(purpose);
    }
    Plan::new(draft, Some(&actor), "Asked.").run(session, &args.signing).await
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(text)?;
    let Stored { row, height } = session.client()?.request(id).await?;
    let decimals = session.decimals().await;
    let legs: Vec<String> = row
        .legs
        .iter()
        .map(|leg| {
            let places = decimals.get(&leg.instrument).copied().unwrap_or(0);
            format!("{} {}", table::amount(leg.amount, places), leg.instrument)
        })
        .collect();
    let text = table::fields(&[
        ("Request", id.to_string()),
        ("Payee", session.name(&row.payee)),
        ("Payer", row.payer.map_or_else(|| "anyone".into(), |p| session.name(&p))),
        ("Amount", legs.join(" and ")),
        ("For", musubi_sdk::describe::purpose(row.purpose)),
        ("Status", table::word(&row.status)),
        ("Until", table::time(row.due)),
    ]);
    Report::new(&json!({ "id": id, "request": row, "height": height }), text)
}

async fn cancel(args: Which, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let id = session.book().transaction(&args.request)?;
    let payee = session.client()?.request(id).await?.row.payee;
    let roles: &[Role] = match session.kind(payee).await {
        Some(PartyKind::Group) => &slots::MEMBERS,
        Some(PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator) => &[Role::Officer],
        _ => &[Role::Holder],
    };
    let wanted = slots::want(Side::Authority, roles, payee);
    let draft = session.composer().await?.cancel_request(contact.party, id);
    let plan = Plan::new(draft, Some(&actor), "Withdrawn.").wanting([wanted]);
    plan.run(session, &args.signing).await
}

async fn answer(args: Answer, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let id = session.book().transaction(&args.request)?;
    let request = session.client()?.request(id).await?.row;
    let composer = session.composer().await?;
    let mut draft = composer
        .pay_request(contact.party, request.payee, &request.legs, id)
        .purpose(request.purpose);
    if let Some(text) = &args.on_behalf_of {
        draft = draft.on_behalf_of(session.book_mut().roster_line(text)?);
    }
    let done = format!("Paid {}.", session.name(&request.payee));
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

async fn code(args: Code, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(&args.request)?;
    let request = session.client()?.request(id).await?.row;
    let [leg] = request.legs[..] else {
        let what = "a code names one instrument, and this request asks for several";
        return Err(CliError::usage("too_many_legs", what));
    };
    let tag: Tag = args
        .tag
        .parse()
        .map_err(|_| CliError::usage("bad_tag", "a tag takes 1 to 16 characters of A-Z and 0-9"))?;
    let code = ShopCode {
        scheme: session.scheme().await?,
        merchant: request.payee,
        tag,
        mandate: None,
        leg: Some(leg),
        request: Some(id),
    };
    draw(&code, args.out.as_deref(), args.svg.as_deref())
}
