//! `musubi draft`, `approve`, `decline`, `withdraw`, `pending`: payouts that collect consents on the
//! ledger, a group's above all: one person drafts, another approves.

use clap::Args;
use musubi_sdk::{
    Decision, PartyKind, Purpose, Role, Side, Time, Wanted,
    api::ProposalView,
    ledger::state::ProposalStatus,
    operation::{Citation, Movement},
};

use super::{
    args::{Signing, Sum, parse_purpose},
    error::CliError,
    finish::Plan,
    pending::missing,
    session::Session,
    slots,
    table::{self, Report},
    when::When,
};

#[derive(Debug, Args)]
pub(crate) struct DraftArgs {
    /// The group that pays [default: your own wallet pays]
    #[arg(long, value_name = "NAME|ADDRESS")]
    group: Option<String>,
    /// Whom to pay
    #[arg(long, value_name = "NAME|ADDRESS")]
    to: String,
    #[command(flatten)]
    sum: Sum,
    /// What for: purchase, dues, reward, expense, participation, grant, donation, or a number
    #[arg(long, value_parser = parse_purpose)]
    purpose: Option<Purpose>,
    /// A text of up to 1024 bytes beside the log, which only the keys of both parties can read
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
    /// The payee's standing consent, in place of their signature
    #[arg(long, value_name = "NAME|ID")]
    mandate: Option<String>,
    /// Until when consents count [default: as long as the group's policy allows, at most 30d]
    #[arg(long)]
    deadline: Option<When>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The proposal
    #[arg(value_name = "NAME|ID")]
    proposal: String,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn draft(args: DraftArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let from = session.party_or(args.group.as_deref(), contact.party).await?;
    let to = session.party(&args.to).await?;
    let leg = session.leg(&args.sum).await?;
    let composer = session.composer().await?;
    let deadline = match args.deadline {
        Some(when) => when.from(composer.now),
        None => longest(session, from, composer.now).await,
    };
    let credit = match &args.mandate {
        Some(text) => Citation::Mandate(session.book().transaction(text)?),
        None => Citation::Live,
    };
    let debit = Citation::Live;
    let movement = Movement { from, to, legs: vec![leg], debit, credit };
    let mut draft = composer.propose(contact.party, movement, deadline);
    if let Some(purpose) = args.purpose {
        draft = draft.purpose(purpose);
    }
    let role = if args.group.is_some() { Role::Drafter } else { Role::Holder };
    let wanted = slots::want(Side::Debit, &[role], from);
    let done = "Proposed; see who is still missing with `musubi pending`.";
    let plan = Plan::new(draft, Some(&actor), done).wanting([wanted]).memo(args.memo);
    plan.run(session, &args.signing).await
}

/// Thirty days, or what a group's policy allows. A minute less, since the block's time will be later.
async fn longest(session: &mut Session, from: musubi_sdk::PartyId, now: Time) -> Time {
    const HOUR_MS: u64 = 3_600_000;
    let hours = match session.group(from).await {
        Ok(group) => u64::from(group.policy.proposal_hours).min(720),
        Err(_) => 720,
    };
    now.plus(hours * HOUR_MS - 60_000)
}

pub(crate) async fn approve(args: Which, session: &mut Session) -> Result<Report, CliError> {
    let view = proposal(&args, session).await?;
    let wanted = open(view.missing.iter().map(|m| slots::want(m.side, &[m.role], m.party)));
    let wanted = receivers(session, wanted).await;
    if wanted.is_empty() {
        let what = format!("this proposal is {}", table::word(&view.proposal.status));
        return Err(CliError::new("proposal_not_open", what).about(view.id));
    }
    let done = "Your consent is recorded.";
    decide(args, session, &view, (Decision::Consent, wanted, done)).await
}

/// A group receives by any of its members, though the ledger names one role.
async fn receivers(session: &mut Session, mut wanted: Vec<Wanted>) -> Vec<Wanted> {
    for want in &mut wanted {
        let Some(party) = want.party.filter(|_| want.side == Some(Side::Credit)) else {
            continue;
        };
        if session.kind(party).await == Some(PartyKind::Group) {
            want.roles = slots::MEMBERS.to_vec();
        }
    }
    wanted
}

/// The debit side first: whoever may do both approves before receiving.
fn open(wanted: impl Iterator<Item = Wanted>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = wanted.collect();
    wanted.sort_by_key(|want| want.side);
    wanted
}

pub(crate) async fn decline(args: Which, session: &mut Session) -> Result<Report, CliError> {
    let view = proposal(&args, session).await?;
    let movement = &view.proposal.movement;
    let mut wanted = Vec::new();
    for (side, party) in [(Side::Debit, movement.from), (Side::Credit, movement.to)] {
        let roles: &[Role] = match session.kind(party).await {
            Some(PartyKind::Group) => &[Role::Approver, Role::Drafter, Role::Representative],
            Some(PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator) => {
                &[Role::Officer]
            }
            _ => &[Role::Holder],
        };
        wanted.push(slots::want(side, roles, party));
    }
    decide(args, session, &view, (Decision::Decline, wanted, "Declined.")).await
}

pub(crate) async fn withdraw(args: Which, session: &mut Session) -> Result<Report, CliError> {
    let view = proposal(&args, session).await?;
    let wanted = Vec::new();
    decide(args, session, &view, (Decision::Withdraw, wanted, "Withdrawn.")).await
}

async fn proposal(args: &Which, session: &mut Session) -> Result<ProposalView, CliError> {
    let id = session.book().transaction(&args.proposal)?;
    Ok(session.client()?.proposal(id).await?)
}

async fn decide(
    args: Which,
    session: &mut Session,
    view: &ProposalView,
    (decision, wanted, done): (Decision, Vec<Wanted>, &str),
) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let draft = session.composer().await?.decide(contact.party, view.id, decision);
    let plan = Plan::new(draft, Some(&actor), done).wanting(wanted);
    let report = plan.run(session, &args.signing).await?;
    match decision {
        Decision::Consent if report.json["submitted"] == true => after(session, view, report).await,
        _ => Ok(report),
    }
}

/// Says whether this consent was the last one. Without an answer the consent still stands.
async fn after(
    session: &mut Session,
    before: &ProposalView,
    mut report: Report,
) -> Result<Report, CliError> {
    let Ok(now) = session.client()?.proposal(before.id).await else {
        return Ok(report);
    };
    let words = match now.proposal.status {
        ProposalStatus::Completed(_) => "It was the last one: the payout is made.".into(),
        _ => format!("Still missing: {}", missing(session, &now).join(", ")),
    };
    report.text = format!("{}\n{words}", report.text);
    report.json["proposal"] = serde_json::json!(now);
    Ok(report)
}
