//! `musubi exchange`: value that waits for points of a system outside, or for a benefit of the issuer's.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{
    Role, Side, Stored,
    ledger::operation::{Hold, HoldAnswer},
};
use serde_json::json;

use super::{
    args::{Signing, Sum},
    error::CliError,
    finish::Plan,
    party::evidence,
    session::Session,
    slots,
    table::{self, Report},
    when::When,
};

/// Value that waits for points outside, or for a benefit of the issuer's
#[derive(Debug, Subcommand)]
pub(crate) enum ExchangeCommand {
    /// Let value wait for what somebody outside, or the issuer, delivers
    Ask(Ask),
    /// Whoever delivers (`--as`) says that it did, or that nothing comes
    Answer(AnswerArgs),
    /// Show what waits
    Show {
        /// Which
        #[arg(value_name = "NAME|ID")]
        hold: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    sum: Sum,
    /// Who delivers: an external party, or the issuer
    #[arg(long, value_name = "NAME|ADDRESS")]
    to: String,
    /// Whose value it is: a group's, say [default: the acting identity's]
    #[arg(long, value_name = "NAME|ADDRESS")]
    from: Option<String>,
    /// What is wanted, and where it goes; only its SHA-256 is sent
    #[arg(long, value_name = "FILE")]
    order: PathBuf,
    /// Unanswered, the value returns then: an hour to 90 days ahead
    #[arg(long, default_value = "7d")]
    deadline: When,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
#[group(id = "hold_answer", required = true, multiple = false, args = ["settled", "returned"])]
pub(crate) struct AnswerArgs {
    /// Which
    #[arg(value_name = "NAME|ID")]
    hold: String,
    /// It was delivered: the other system's reference, of which the hash is recorded and used once
    #[arg(long, value_name = "FILE")]
    settled: Option<PathBuf>,
    /// Nothing is delivered: why, of which the hash is recorded
    #[arg(long, value_name = "FILE")]
    returned: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(
    command: ExchangeCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        ExchangeCommand::Ask(args) => ask(args, session).await,
        ExchangeCommand::Answer(args) => answer(args, session).await,
        ExchangeCommand::Show { hold } => show(&hold, session).await,
    }
}

async fn ask(args: Ask, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let from = session.party_or(args.from.as_deref(), contact.party).await?;
    let to = session.party(&args.to).await?;
    let leg = session.leg(&args.sum).await?;
    let order = evidence(&args.order)?;
    let composer = session.composer().await?;
    let deadline = args.deadline.from(composer.now);
    let draft = composer.hold(contact.party, Hold { from, to, leg, deadline, order });
    let done = "Held until it is delivered, or returns.";
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

async fn answer(args: AnswerArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let id = session.book().transaction(&args.hold)?;
    let held = session.client()?.hold(id).await?.row;
    let issuer = session.client()?.instrument(held.instrument).await?.instrument.terms.issuer;
    let burns = slots::want(Side::Credit, &[Role::Issuer], issuer);
    let attests = slots::want(Side::Credit, &[Role::Holder], held.to);
    let outside = held.to != issuer;
    let (answer, done, wanted) = match (&args.settled, &args.returned) {
        (Some(path), _) => {
            let answer = HoldAnswer::Settled { reference: evidence(path)? };
            let wanted = if outside { vec![attests, burns] } else { vec![burns] };
            (answer, "Delivered: the value is burnt.", wanted)
        }
        (None, Some(path)) => {
            let answer = HoldAnswer::Returned { notice: evidence(path)? };
            let itself = outside && contact.party == held.to;
            (answer, "Returned to its holder.", vec![if itself { attests } else { burns }])
        }
        (None, None) => return Err(CliError::usage("no_answer", "say --settled or --returned")),
    };
    let draft = session.composer().await?.answer_hold(contact.party, id, answer);
    Plan::new(draft, Some(&actor), done).wanting(wanted).run(session, &args.signing).await
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(text)?;
    let Stored { row, height } = session.client()?.hold(id).await?;
    let (_, decimals) = session.instrument(Some(&row.instrument.to_string())).await?;
    let lots: Vec<String> = row
        .lots
        .iter()
        .map(|(lot, amount)| {
            format!("{} ({})", table::amount(*amount, decimals), table::word(&lot.origin))
        })
        .collect();
    let text = table::fields(&[
        ("Hold", id.to_string()),
        ("From", session.name(&row.from)),
        ("Delivered by", session.name(&row.to)),
        ("Instrument", row.instrument.to_string()),
        ("Held", lots.join("\n")),
        ("Status", table::word(&row.status)),
        ("Deadline", table::time(row.deadline)),
    ]);
    Report::new(&json!({ "id": id, "hold": row, "height": height }), text)
}
