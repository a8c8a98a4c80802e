//! `musubi dues`: a list of members asked at once, who has paid, and what came in cash.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{
    Purpose, TxId,
    api::{DuesView, RequestLine},
    ledger::{
        operation::{DuesLine, Member, RequestMany},
        state::RequestStatus,
    },
};

use super::{
    args::{Signing, parse_purpose},
    error::CliError,
    finish::Plan,
    party::evidence,
    session::Session,
    slots,
    sums::parse_amount,
    table::{self, Align, Report},
    when::When,
};
use musubi_sdk::{PartyKind, Role, Side};

/// Dues: asking a list of members, who has paid, what came in cash
#[derive(Debug, Subcommand)]
pub(crate) enum DuesCommand {
    /// Ask members, each for their own amount or all for the same
    Ask(Ask),
    /// Show who has paid and who has not
    List {
        /// Which list
        #[arg(value_name = "NAME|ID")]
        list: String,
        /// Only those who have not paid
        #[arg(long)]
        unpaid: bool,
    },
    /// Record that a line was paid in cash
    Cash(Cash),
}

#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// Who is to be paid: a group [default: the acting identity]
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    payee: Option<String>,
    /// A member with a wallet, as often as needed: hanako, or hanako=300
    #[arg(long = "member", value_name = "NAME[=DECIMAL]")]
    members: Vec<String>,
    /// A member without one: a line of the group's roster, by name (drawn at first use) or in hex
    #[arg(long = "line", value_name = "NAME[=DECIMAL]")]
    lines: Vec<String>,
    /// What each owes who has no amount of their own
    #[arg(long, value_name = "DECIMAL")]
    amount: Option<String>,
    /// Of which instrument [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    instrument: Option<String>,
    /// Until when it can be answered: 30d, or a last day such as 2027-03-31
    #[arg(long, default_value = "30d")]
    due: When,
    /// What for
    #[arg(long, value_parser = parse_purpose, default_value = "dues")]
    purpose: Purpose,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Cash {
    /// Which list
    #[arg(value_name = "NAME|ID")]
    list: String,
    /// Whose line: a contact, or a line of the roster
    #[arg(value_name = "NAME")]
    who: String,
    /// The slip or the page of the cash book; only its SHA-256 is sent
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    /// Take an earlier record back
    #[arg(long)]
    mistaken: bool,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(command: DuesCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        DuesCommand::Ask(args) => ask(args, session).await,
        DuesCommand::List { list, unpaid } => show(&list, unpaid, session).await,
        DuesCommand::Cash(args) => cash(args, session).await,
    }
}

async fn ask(args: Ask, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let payee = session.party_or(args.payee.as_deref(), contact.party).await?;
    let (instrument, decimals) = session.instrument(args.instrument.as_deref()).await?;
    let usual = args.amount.as_deref();
    let mut lines = Vec::new();
    for text in &args.members {
        let (name, amount) = split(text, usual)?;
        let member = Member::Party(session.party(name).await?);
        lines.push(DuesLine { member, amount: parse_amount(amount, decimals)? });
    }
    for text in &args.lines {
        let (name, amount) = split(text, usual)?;
        let member = Member::Roster(session.book_mut().roster_line(name)?);
        lines.push(DuesLine { member, amount: parse_amount(amount, decimals)? });
    }
    if lines.is_empty() {
        let error = CliError::usage("no_members", "nobody is asked");
        return Err(error.next("name members by --member, and lines of the roster by --line"));
    }
    lines.sort_unstable_by_key(|line| line.member);
    let composer = session.composer().await?;
    let due = args.due.from(composer.now);
    let done = format!("Asked {} members.", lines.len());
    let op = RequestMany { payee, lines, instrument, tender: Vec::new(), due };
    let draft = composer.request_many(contact.party, op).purpose(args.purpose);
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

/// A name, and its amount or the usual one.
fn split<'t>(text: &'t str, usual: Option<&'t str>) -> Result<(&'t str, &'t str), CliError> {
    match (text.split_once('='), usual) {
        (Some(parts), _) => Ok(parts),
        (None, Some(usual)) => Ok((text, usual)),
        (None, None) => {
            let what = format!("how much {text} owes is not said");
            let error = CliError::usage("no_amount", what);
            Err(error.next(format!("write {text}=500, or --amount for all")))
        }
    }
}

impl Session {
    /// The lines of a list.
    async fn dues(&mut self, text: &str) -> Result<DuesView, CliError> {
        let list: TxId = self.book().transaction(text)?;
        Ok(self.client()?.dues(list).await?)
    }

    /// A member's name: a contact's, a roster line's, or what they are in hex.
    fn member_name(&self, member: Option<Member>) -> String {
        match member {
            Some(Member::Party(party)) => self.name(&party),
            Some(Member::Roster(line)) => {
                let known = self.book().roster.iter().find(|(_, known)| **known == line);
                known.map_or_else(|| line.to_string(), |(name, _)| name.clone())
            }
            None => "anyone".into(),
        }
    }
}

async fn show(list: &str, unpaid: bool, session: &mut Session) -> Result<Report, CliError> {
    let mut view = session.dues(list).await?;
    if unpaid {
        let waits = |line: &RequestLine| {
            matches!(line.row.status, RequestStatus::Open | RequestStatus::Expired)
        };
        view.lines.retain(waits);
    }
    let decimals = session.decimals().await;
    let row = |line: &RequestLine| {
        let sums = line.row.legs.iter().map(|leg| {
            let places = decimals.get(&leg.instrument).copied().unwrap_or(0);
            format!("{} {}", table::amount(leg.amount, places), leg.instrument)
        });
        let status = match line.row.status {
            RequestStatus::Open => "unpaid",
            RequestStatus::Answered(_) => "paid",
            RequestStatus::Cash(_) => "paid in cash",
            RequestStatus::Withdrawn => "withdrawn",
            RequestStatus::Expired => "overdue",
        };
        let sums = sums.collect::<Vec<_>>().join(" and ");
        vec![session.member_name(line.row.member), sums, status.into(), line.request.to_string()]
    };
    let columns = [
        ("Member", Align::Left),
        ("Amount", Align::Right),
        ("Status", Align::Left),
        ("Request", Align::Left),
    ];
    let rows = view.lines.iter().map(row).collect();
    let text = table::table(&columns, rows, "Nobody.");
    Report::new(&view, text)
}

async fn cash(args: Cash, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let view = session.dues(&args.list).await?;
    let line = view.lines.iter().find(|line| {
        let member = line.row.member;
        let hex = matches!(member, Some(Member::Roster(line)) if line.to_string() == args.who);
        hex || session.member_name(member) == args.who
    });
    let line = line.ok_or_else(|| {
        let error = CliError::usage("no_line", format!("{} is not on this list", args.who));
        error.next("`musubi dues list` shows who is")
    })?;
    let evidence = evidence(&args.evidence)?;
    let roles: &[Role] = match session.kind(line.row.payee).await {
        Some(PartyKind::Group) => &slots::MEMBERS,
        Some(PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator) => &[Role::Officer],
        _ => &[Role::Holder],
    };
    let wanted = slots::want(Side::Authority, roles, line.row.payee);
    let composer = session.composer().await?;
    let draft = composer.record_cash(contact.party, line.request, !args.mistaken, evidence);
    let done = if args.mistaken { "Taken back." } else { "Recorded." };
    Plan::new(draft, Some(&actor), done).wanting([wanted]).run(session, &args.signing).await
}
