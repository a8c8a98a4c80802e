//! `musubi settle`: merchants' claims are frozen at a cut-off, paid out by the bank, and answered for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{
    Amount, Code, Role, Side,
    ledger::{
        api::{SettlementLineView, SettlementView},
        operation::{RedemptionAnswer, Settle, SettleLine},
        state::{Redemption, RedemptionStatus},
    },
};

use super::{
    args::Signing,
    error::CliError,
    finish::Plan,
    party::evidence,
    session::Session,
    settle_days::Days,
    slots,
    sums::parse_amount,
    table::{self, Align, Report},
    when::When,
};

/// Pay merchants out at a cut-off
#[derive(Debug, Subcommand)]
pub(crate) enum SettleCommand {
    /// Freeze merchants' claims: two officers of the issuer sign
    Open(Open),
    /// Say what the bank did: the issuer's key (`--as`)
    Answer(Answer),
    /// Show a settlement, line by line
    Show {
        /// Which
        #[arg(value_name = "NAME|ID")]
        settlement: String,
    },
    /// When is cut off and paid
    Days(Days),
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Whose claims, and how much of them if not all: at most 64
    #[arg(value_name = "NAME|ADDRESS[=DECIMAL]", required = true)]
    merchants: Vec<String>,
    /// Claims on which instrument [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    instrument: Option<String>,
    /// The cut-off: a last day such as 2026-12-15
    #[arg(long, value_name = "WHEN")]
    cut_off: When,
    /// Unanswered, the claims return then
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    deadline: When,
    /// The list that was decided about; its hash is recorded
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// Which settlement
    #[arg(value_name = "NAME|ID")]
    settlement: String,
    /// Which of its lines, as `settle show` numbers them [default: all that wait]
    #[arg(long, value_delimiter = ',')]
    lines: Vec<u32>,
    /// The bank paid: its confirmation
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "returned",
        required_unless_present = "returned"
    )]
    paid: Option<PathBuf>,
    /// The bank returned them (組戻し): its notice
    #[arg(long, value_name = "FILE")]
    returned: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(command: SettleCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        SettleCommand::Open(args) => open(args, session).await,
        SettleCommand::Answer(args) => answer(args, session).await,
        SettleCommand::Show { settlement } => show(&settlement, session).await,
        SettleCommand::Days(args) => super::settle_days::days(&args),
    }
}

async fn open(args: Open, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let (instrument, decimals) = session.instrument(args.instrument.as_deref()).await?;
    let mut lines = Vec::with_capacity(args.merchants.len());
    for text in &args.merchants {
        let (name, amount) = match text.split_once('=') {
            Some((name, amount)) => (name, Some(parse_amount(amount, decimals)?)),
            None => (text.as_str(), None),
        };
        let merchant = session.party(name).await?;
        let gross = match amount {
            Some(amount) => amount,
            None => {
                let wallet = session.client()?.wallet(merchant).await?;
                let of_it = wallet.balances.iter().find(|of| of.instrument == instrument);
                let none = || {
                    CliError::usage("no_claim", format!("{name} has no claim on {instrument}"))
                        .next("leave them out")
                };
                of_it.map(|of| of.claim).filter(|claim| !claim.is_zero()).ok_or_else(none)?
            }
        };
        lines.push(SettleLine { merchant, gross });
    }
    let composer = session.composer().await?;
    let settle = Settle {
        instrument,
        cut_off: args.cut_off.from(composer.now),
        lines,
        // A minute more: the shortest deadline is judged at a block time that is later than this one.
        deadline: args.deadline.from(composer.now).plus(60_000),
        document: evidence(&args.document)?,
    };
    let draft = composer.settle(officer.party, settle);
    let done = "Settled as far as claims could be frozen; `musubi settle show` tells line by line.";
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

async fn answer(args: Answer, session: &mut Session) -> Result<Report, CliError> {
    let (actor, issuer) = session.actor_contact()?;
    let id = session.book().transaction(&args.settlement)?;
    let (answer, done) = match (&args.paid, &args.returned) {
        (Some(path), _) => {
            let payout = evidence(path)?;
            (RedemptionAnswer::Paid { payout }, "Paid out: the claims are burnt.")
        }
        (None, Some(path)) => {
            let notice = evidence(path)?;
            (
                RedemptionAnswer::Returned { notice },
                "Returned: the claims are the merchants' again.",
            )
        }
        (None, None) => return Err(CliError::usage("no_answer", "say --paid or --returned")),
    };
    let mut lines = args.lines;
    if lines.is_empty() {
        lines = waiting(&session.client()?.settlement(id).await?);
        if lines.is_empty() {
            let what = format!("no line of {} waits", args.settlement);
            return Err(CliError::usage("none_waits", what).next("see `musubi settle show`"));
        }
    }
    lines.sort_unstable();
    lines.dedup();
    let draft = session.composer().await?.answer_settlement(issuer.party, id, lines, answer);
    let wanted = slots::want(Side::Credit, &[Role::Issuer], issuer.party);
    let plan = Plan::new(draft, Some(&actor), done).wanting([wanted]);
    plan.run(session, &args.signing).await
}

/// The places of the lines that have no answer.
fn waiting(view: &SettlementView) -> Vec<u32> {
    let open = |line: &SettlementLineView| {
        line.redemption.as_ref().is_some_and(|row| row.status == RedemptionStatus::Open)
    };
    (0..).zip(&view.lines).filter(|(_, line)| open(line)).map(|(index, _)| index).collect()
}

/// What the bank pays of a frozen claim.
fn net(redemption: &Redemption) -> u64 {
    let gross: u64 = redemption.lots.iter().map(|(_, amount)| amount.0).sum();
    let fees: u64 = redemption.fees.iter().map(|(_, amount)| amount.0).sum();
    gross.saturating_sub(fees).saturating_sub(redemption.netted.0)
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(text)?;
    let view = session.client()?.settlement(id).await?;
    let list = &view.settlement.list;
    let (_, decimals) = session.instrument(Some(&list.instrument.to_string())).await?;
    let amount = |sum: u64| table::amount(Amount(sum), decimals);
    let lines = list.lines.iter().zip(&view.settlement.codes).zip(&view.lines).enumerate();
    let row = |(index, ((line, code), found)): (usize, ((&SettleLine, &Code), _))| {
        let found: &SettlementLineView = found;
        let mut row = vec![index.to_string(), session.name(&line.merchant), amount(line.gross.0)];
        row.extend(match &found.redemption {
            None => ["".into(), "".into(), "".into(), code.name().into()],
            Some(r) => {
                let fees = r.fees.iter().map(|(_, fee)| fee.0).sum();
                [amount(fees), amount(r.netted.0), amount(net(r)), table::word(&r.status)]
            }
        });
        row
    };
    let rows = lines.map(row).collect();
    let columns = [
        ("Line", Align::Right),
        ("Merchant", Align::Left),
        ("Gross", Align::Right),
        ("Fees", Align::Right),
        ("Netted", Align::Right),
        ("Net", Align::Right),
        ("Status", Align::Left),
    ];
    let head = format!(
        "Cut off {}, answered by {}\n",
        table::time(list.cut_off),
        table::time(list.deadline)
    );
    Report::new(&view, head + &table::table(&columns, rows, "No line."))
}
