//! `musubi refund` and `musubi redeem`: giving back, and turning claims into money outside.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{
    Amount, Leg, Operation, PartyKind, Role, Side, Stored,
    api::FullTransaction,
    ledger::outcome::{Account, Sign},
    operation::{Pay, RedemptionAnswer},
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

#[derive(Debug, Args)]
pub(crate) struct Refund {
    /// The payment that is given back
    #[arg(value_name = "NAME|ID")]
    payment: String,
    /// How much [default: all of it]
    #[arg(long, value_name = "DECIMAL")]
    amount: Option<String>,
    /// Of which instrument
    #[arg(long, value_name = "CODE", requires = "amount")]
    instrument: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// A merchant's claims
#[derive(Debug, Subcommand)]
pub(crate) enum RedeemCommand {
    /// Ask the issuer to pay a claim out
    Request(RequestArgs),
    /// The issuer's key (`--as`) says that it was paid out, or came back (組戻し)
    Answer(AnswerArgs),
    /// Show a redemption
    Show {
        /// Which
        #[arg(value_name = "NAME|ID")]
        redemption: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    sum: Sum,
    /// Unanswered, the claim returns then: 7 to 90 days ahead
    #[arg(long, default_value = "30d")]
    deadline: When,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
#[group(id = "answer", required = true, multiple = false, args = ["paid", "returned"])]
pub(crate) struct AnswerArgs {
    /// Which
    #[arg(value_name = "NAME|ID")]
    redemption: String,
    /// The bank paid: its confirmation, of which the hash is recorded
    #[arg(long, value_name = "FILE")]
    paid: Option<PathBuf>,
    /// The bank returned it: its notice, of which the hash is recorded
    #[arg(long, value_name = "FILE")]
    returned: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn refund(args: Refund, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let id = session.book().transaction(&args.payment)?;
    let full = session.client()?.transaction(id).await?;
    let (payee, legs) = moved(&full)?;
    let legs = match args.amount {
        None => legs,
        Some(amount) => {
            let instrument = args.instrument.or_else(|| match legs[..] {
                [only] => Some(only.instrument.to_string()),
                _ => None,
            });
            vec![session.leg(&Sum { amount, instrument }).await?]
        }
    };
    let wanted = match session.kind(payee).await {
        Some(PartyKind::Group) => vec![
            slots::want(Side::Debit, &[Role::Drafter], payee),
            slots::want(Side::Debit, &[Role::Approver], payee),
        ],
        _ => vec![slots::want(Side::Debit, &[Role::Holder], payee)],
    };
    let draft = session.composer().await?.refund(contact.party, id, &legs);
    let plan = Plan::new(draft, Some(&actor), "Given back.").wanting(wanted);
    plan.run(session, &args.signing).await
}

/// Who received what by a payment.
fn moved(full: &FullTransaction) -> Result<(musubi_sdk::PartyId, Vec<Leg>), CliError> {
    let movement = match &full.transaction.body.operation {
        Operation::Pay(pay) => return Ok((pay.to, received(full, pay.to))),
        Operation::PayWithCoupons(op) => return Ok((op.pay.to, spent(full, &op.pay))),
        Operation::Transfer(movement) => movement,
        Operation::Propose(propose) => &propose.movement,
        _ => {
            let what = "only payments are given back";
            return Err(CliError::usage("not_refundable", what).about(full.status.id));
        }
    };
    let received: Vec<Leg> = movement
        .legs
        .iter()
        .filter(|leg| {
            let into = |p: &musubi_sdk::ledger::outcome::Posting| {
                p.sign == Sign::Plus
                    && p.account == Account::Wallet(movement.to)
                    && p.lot.instrument == leg.instrument
            };
            // A payout's postings stand with the consent that completed it.
            full.outcome.postings.is_empty() || full.outcome.postings.iter().any(into)
        })
        .copied()
        .collect();
    Ok((movement.to, received))
}

/// What a payer spent, by instrument: what a coupon's sponsor added to it is not given back to the payer.
fn spent(full: &FullTransaction, pay: &Pay) -> Vec<Leg> {
    let mut left = pay.amount;
    let mut legs: Vec<Leg> = Vec::new();
    let out = full.outcome.postings.iter().filter(|p| p.account == Account::Wallet(pay.from));
    for posting in out.filter(|p| p.sign == Sign::Minus) {
        let (instrument, amount) = (posting.lot.instrument, posting.amount.min(left));
        // What rules share on top comes behind the payment itself.
        left = left.checked_sub(amount).unwrap_or_default();
        match legs.iter_mut().find(|leg| leg.instrument == instrument) {
            _ if amount.is_zero() => {}
            Some(leg) => leg.amount.0 += amount.0,
            None => legs.push(Leg { instrument, amount }),
        }
    }
    legs
}

/// What came into a wallet, by instrument: of a payment in whatever there was, only its outcome tells.
fn received(full: &FullTransaction, to: musubi_sdk::PartyId) -> Vec<Leg> {
    let mut legs: Vec<Leg> = Vec::new();
    let into = full.outcome.postings.iter().filter(|p| p.account == Account::Wallet(to));
    for posting in into.filter(|p| p.sign == Sign::Plus) {
        let (instrument, amount) = (posting.lot.instrument, posting.amount);
        match legs.iter_mut().find(|leg| leg.instrument == instrument) {
            Some(leg) => leg.amount.0 += amount.0,
            None => legs.push(Leg { instrument, amount }),
        }
    }
    legs
}

pub(crate) async fn redeem(
    command: RedeemCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        RedeemCommand::Request(args) => request(args, session).await,
        RedeemCommand::Answer(args) => answer(args, session).await,
        RedeemCommand::Show { redemption } => show(&redemption, session).await,
    }
}

async fn request(args: RequestArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let leg = session.leg(&args.sum).await?;
    let composer = session.composer().await?;
    // A minute more: the shortest deadline is judged at a block time that is later than this one.
    let deadline = args.deadline.from(composer.now).plus(60_000);
    let draft = composer.redeem(contact.party, leg, deadline);
    let done = "Asked; the claim is held until the issuer answers.";
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

async fn answer(args: AnswerArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, issuer) = session.actor_contact()?;
    let id = session.book().transaction(&args.redemption)?;
    let (answer, done) = match (&args.paid, &args.returned) {
        (Some(path), _) => {
            let payout = evidence(path)?;
            (RedemptionAnswer::Paid { payout }, "Paid out: the claim is burnt.")
        }
        (None, Some(path)) => {
            let notice = evidence(path)?;
            (RedemptionAnswer::Returned { notice }, "Returned: the claim is the merchant's again.")
        }
        (None, None) => return Err(CliError::usage("no_answer", "say --paid or --returned")),
    };
    let draft = session.composer().await?.answer_redemption(issuer.party, id, answer);
    let wanted = slots::want(Side::Credit, &[Role::Issuer], issuer.party);
    let plan = Plan::new(draft, Some(&actor), done).wanting([wanted]);
    plan.run(session, &args.signing).await
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(text)?;
    let Stored { row, height } = session.client()?.redemption(id).await?;
    let (_, decimals) = session.instrument(Some(&row.instrument.to_string())).await?;
    let lots: Vec<String> = row
        .lots
        .iter()
        .map(|(lot, amount)| {
            format!("{} ({})", table::amount(*amount, decimals), table::word(&lot.origin))
        })
        .collect();
    let gross: u64 = row.lots.iter().map(|(_, amount)| amount.0).sum();
    let net = row.fees.iter().fold(gross, |net, (_, fee)| net.saturating_sub(fee.0));
    let mut payout = vec![table::amount(Amount(net), decimals)];
    payout.extend(row.fees.iter().map(|(to, fee)| {
        format!("{} to {} as a fee", table::amount(*fee, decimals), session.name(to))
    }));
    let text = table::fields(&[
        ("Redemption", id.to_string()),
        ("Merchant", session.name(&row.merchant)),
        ("Instrument", row.instrument.to_string()),
        ("Held", lots.join("\n")),
        ("Payout", payout.join("\n")),
        ("Status", table::word(&row.status)),
        ("Deadline", table::time(row.deadline)),
    ]);
    Report::new(&json!({ "id": id, "redemption": row, "height": height }), text)
}
