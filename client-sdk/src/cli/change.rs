//! `musubi instrument change`: what may change of an instrument after it was defined.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use musubi_sdk::{
    InstrumentId,
    ledger::instrument::{InstrumentChange, Life, LifeStep},
};

use super::{
    args::Signing, error::CliError, finish::Plan, party::evidence, session::Session,
    sums::parse_amount, table::Report, when::When,
};

#[derive(Debug, Args)]
#[group(id = "change", required = true, multiple = false, args = ["life", "supply_max", "supply_unlimited", "terms"])]
pub(crate) struct Change {
    /// Its code
    #[arg(value_name = "CODE")]
    instrument: InstrumentId,
    /// What it becomes; every step but `open` needs an officer of another organisation too
    #[arg(long, value_enum)]
    life: Option<LifeArg>,
    /// From when on: 61d, or the day whose end it is [default: at once]
    #[arg(long, value_name = "WHEN", requires = "life")]
    at: Option<When>,
    /// Most that may be issued in all
    #[arg(long, value_name = "DECIMAL")]
    supply_max: Option<String>,
    /// As much may be issued as allowances let
    #[arg(long)]
    supply_unlimited: bool,
    /// The published terms, newly worded, of which the hash is recorded
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,
    /// The public notice or decision behind it, of which the hash is recorded
    #[arg(long, value_name = "FILE")]
    notice: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// Steps of an instrument's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum LifeArg {
    /// Issued, spent, redeemed
    Open,
    /// Nothing more is issued
    IssueEnded,
    /// Nothing more is spent; claims can be redeemed
    UseEnded,
    /// Nothing more is redeemed
    RedemptionEnded,
    /// What is left counts as recovered
    Barred,
}

impl From<LifeArg> for Life {
    fn from(arg: LifeArg) -> Self {
        match arg {
            LifeArg::Open => Self::Open,
            LifeArg::IssueEnded => Self::IssueEnded,
            LifeArg::UseEnded => Self::UseEnded,
            LifeArg::RedemptionEnded => Self::RedemptionEnded,
            LifeArg::Barred => Self::Barred,
        }
    }
}

pub(crate) async fn run(args: Change, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let (id, decimals) = session.instrument(Some(&args.instrument.to_string())).await?;
    let composer = session.composer().await?;
    let change = match (args.life, &args.supply_max, &args.terms) {
        (Some(life), ..) => {
            // Ordered a little later, a step that is to hold at once must not lie in the past.
            let soon = composer.now.plus(60_000);
            let at = args.at.map_or(soon, |when| when.from(composer.now));
            InstrumentChange::Life(LifeStep { life: life.into(), at })
        }
        (_, Some(most), _) => InstrumentChange::SupplyMax(Some(parse_amount(most, decimals)?)),
        (.., Some(terms)) => InstrumentChange::Document(evidence(terms)?),
        _ => InstrumentChange::SupplyMax(None),
    };
    let draft = composer.change_instrument(officer.party, id, change, evidence(&args.notice)?);
    Plan::new(draft, Some(&actor), format!("Changed {id}.")).run(session, &args.signing).await
}
