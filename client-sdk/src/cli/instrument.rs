//! `musubi instrument`: what circulates here, by which rules.

use clap::Subcommand;
use musubi_sdk::{
    Amount, InstrumentId, api::InstrumentView, ledger::instrument::UseExpiry,
    ledger::party::AttributeTest,
};

use super::{
    define,
    error::CliError,
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
    /// Open a new one: two officers of its issuer sign
    Define(Box<define::Define>),
}

pub(crate) async fn run(
    command: InstrumentCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        InstrumentCommand::List => list(session).await,
        InstrumentCommand::Show { instrument } => show(instrument, session).await,
        InstrumentCommand::Define(args) => define::run(*args, session).await,
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
    let test = |test: &Option<AttributeTest>| match test {
        Some(test) => format!("{} is {}", test.name, test.any_of.join(" or ")),
        None => "anyone".into(),
    };
    let expiry = match terms.use_expiry {
        UseExpiry::None => "for ever".into(),
        UseExpiry::At(end) => format!("through {}", table::last_day(Some(end))),
        UseExpiry::Days(days) => format!("{days} days after issue"),
    };
    let text = table::fields(&[
        ("Instrument", view.id.to_string()),
        ("Issuer", session.name(&terms.issuer)),
        ("Regime", table::word(&terms.regime)),
        ("Step", shown(terms.step)),
        ("Moves between", table::word(&terms.transfer)),
        ("Merchants get", table::word(&terms.on_accept)),
        ("Can be spent", expiry),
        ("Redeemable", format!("{} days longer", terms.redemption_days)),
        ("Shortfall", table::word(&terms.shortfall)),
        ("One wallet", cap(terms.wallet_max)),
        ("One transfer", cap(terms.transfer_max)),
        ("Held by", test(&terms.holders)),
        ("Accepted by", test(&terms.acceptors)),
        ("Terms", terms.document.to_string()),
        ("Issued", shown(view.instrument.issued)),
        ("Burnt", shown(view.instrument.burnt)),
        ("In wallets", shown(view.outstanding)),
    ]);
    Report::new(&view, text)
}
