//! `musubi instrument`: what circulates here, by which rules.

use clap::Subcommand;
use musubi_sdk::{
    Amount, InstrumentId,
    api::InstrumentView,
    ledger::{
        calendar::Span,
        instrument::{Flows, LifeStep, Limit, Terms, Validity},
        predicate::Predicate,
    },
};

use super::{
    args::Signing,
    bounds, change, define,
    error::CliError,
    finish::Plan,
    session::Session,
    table::{self, Align, Report},
};

/// What can be held
#[derive(Debug, Subcommand)]
pub(crate) enum InstrumentCommand {
    /// List all, with their supply
    List,
    /// Show one's rules and supply
    Show {
        /// Its code
        #[arg(value_name = "CODE")]
        instrument: InstrumentId,
    },
    /// Define a new one: two officers of its issuer sign
    Define(Box<define::Define>),
    /// A further step of its life, how much there may be, or its published terms
    Change(change::Change),
    /// Renew what slides of it in your wallet
    Touch {
        /// Its code
        #[arg(value_name = "CODE")]
        instrument: InstrumentId,
        #[command(flatten)]
        signing: Signing,
    },
}

pub(crate) async fn run(
    command: InstrumentCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        InstrumentCommand::List => list(session).await,
        InstrumentCommand::Show { instrument } => show(instrument, session).await,
        InstrumentCommand::Define(args) => define::run(*args, session).await,
        InstrumentCommand::Change(args) => change::run(args, session).await,
        InstrumentCommand::Touch { instrument, signing } => {
            touch(instrument, &signing, session).await
        }
    }
}

async fn list(session: &mut Session) -> Result<Report, CliError> {
    let views = session.client()?.instruments().await?;
    let row = |view: &InstrumentView| {
        let terms = &view.instrument.terms;
        vec![
            view.id.to_string(),
            table::word(&terms.regime),
            session.name(&terms.issuer),
            table::word(&terms.transfer),
            table::amount(view.outstanding, terms.decimals),
        ]
    };
    let columns = [
        ("Instrument", Align::Left),
        ("Regime", Align::Left),
        ("Issuer", Align::Left),
        ("Moves between", Align::Left),
        ("In wallets", Align::Right),
    ];
    let rows = views.iter().map(row).collect();
    Report::new(&views, table::table(&columns, rows, "There is no instrument yet."))
}

async fn show(id: InstrumentId, session: &mut Session) -> Result<Report, CliError> {
    let view = session.client()?.instrument(id).await?;
    let terms = &view.instrument.terms;
    let shown = |amount| table::amount(amount, terms.decimals);
    let cap = |most: Option<Amount>| most.map_or_else(|| "no limit".into(), shown);
    let test = |test: &Option<Predicate>| {
        test.as_ref().map_or_else(|| "anyone".into(), bounds::predicate_text)
    };
    let limit = |limit: &Limit| {
        let who = limit.who.as_ref().map(|who| format!(" if {}", bounds::predicate_text(who)));
        format!("{} {}{}", table::word(&limit.of), shown(limit.most), who.unwrap_or_default())
    };
    let limits: Vec<String> = terms.limits.iter().map(limit).collect();
    let steps: Vec<String> = view.instrument.life.iter().map(step_text).collect();
    let sum =
        |of: fn(&Flows) -> Amount| Amount(view.totals.flows().into_iter().map(|f| of(f).0).sum());
    let text = table::fields(&[
        ("Instrument", view.id.to_string()),
        ("Issuer", session.name(&terms.issuer)),
        ("Regime", table::word(&terms.regime)),
        ("Life", steps.join("; ")),
        ("Face", format!("{} yen", terms.face)),
        ("Step", shown(terms.step)),
        ("Moves between", table::word(&terms.transfer)),
        ("Merchants get", table::word(&terms.on_accept)),
        ("Can be spent", validity_text(terms)),
        ("Redeemable", format!("{} days longer", terms.redemption_days)),
        ("Shortfall", table::word(&terms.shortfall)),
        ("Limits", if limits.is_empty() { "none".into() } else { limits.join("; ") }),
        ("Issued at most", cap(terms.supply_max)),
        ("Held by", test(&terms.holders)),
        ("Accepted by", test(&terms.acceptors)),
        ("Terms", terms.document.to_string()),
        ("Issued", shown(sum(|flows| flows.issued))),
        ("Taken over", shown(sum(|flows| flows.imported))),
        ("Redeemed", shown(sum(|flows| flows.redeemed))),
        ("Expired", shown(sum(|flows| flows.expired))),
        ("Not redeemed in time", shown(sum(|flows| flows.lapsed))),
        ("Corrected", shown(sum(|flows| flows.corrected))),
        ("In wallets", shown(view.outstanding)),
    ]);
    Report::new(&view, text)
}

fn step_text(step: &LifeStep) -> String {
    format!("{} from {}", table::word(&step.life), table::time(step.at))
}

fn validity_text(terms: &Terms) -> String {
    let span = |span| match span {
        Span::Days(days) => format!("{days} days"),
        Span::Months(months) => format!("{months} months"),
    };
    let until = match terms.validity {
        Validity::None => "for ever".into(),
        Validity::At(end) => format!("through {}", table::last_day(Some(end))),
        Validity::After(length) => format!("{} after issue", span(length)),
        Validity::Sliding(length) => format!("{} after its holder last used any", span(length)),
    };
    match terms.begins {
        Some(begins) => format!("from {}, {until}", begins.day()),
        None => until,
    }
}

async fn touch(
    instrument: InstrumentId,
    signing: &Signing,
    session: &mut Session,
) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let party = contact.party;
    let draft = session.composer().await?.touch(party, party, instrument);
    Plan::new(draft, Some(&actor), format!("Renewed {instrument}.")).run(session, signing).await
}
