//! `musubi run plan` and `musubi run open`: from a list to a manifest that is signed.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use musubi_sdk::{
    Amount, OriginKind, PartyId,
    ledger::{
        operation::{Import, OpenRun},
        run::{OldBalance, plan::RunPlan},
    },
    run_file::{
        self, RUN_FILE_BYTES_MAX,
        old::{self, NumberKey},
    },
};
use serde_json::json;

use super::{read, text};
use crate::cli::{
    args::Signing,
    error::CliError,
    files::{self, read_input},
    finish::Plan,
    party,
    session::Session,
    sums::parse_amount,
    table::{self, Report},
    when::When,
};

/// What a list holds
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Kind {
    /// Who is granted how much: `party,amount`
    Grant,
    /// Balances of another system: `party,number,amount,last day`
    Import,
}

#[derive(Debug, Args)]
pub(crate) struct ToPlan {
    /// The list as CSV; - for standard input
    #[arg(value_name = "CSV")]
    list: PathBuf,
    /// What the list holds
    #[arg(long, value_enum, default_value = "grant")]
    kind: Kind,
    /// Of which instrument the amounts are [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    instrument: Option<String>,
    /// Where to write the run's file
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// What hides the old numbers: one file for all lists of the old system, made if it is not there; keep it secret
    #[arg(long, value_name = "FILE", required_if_eq("kind", "import"))]
    number_key: Option<PathBuf>,
}

/// Where what a run gives comes from
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Origin {
    /// Given without consideration: points
    Free,
    /// A public benefit
    Grant,
    /// Old balances alone: what was bought over there
    Paid,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The run's file, as `run plan` wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Of what [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    instrument: Option<String>,
    /// Until when lines are applied: 60d, or the day whose end it is
    #[arg(long, value_name = "WHEN")]
    until: When,
    /// Where the value comes from [default: grant; for old balances paid]
    #[arg(long, value_enum)]
    origin: Option<Origin>,
    /// Who bears it, if not the issuer; they consent as to a payment of the total
    #[arg(long, value_name = "NAME|ADDRESS")]
    funder: Option<String>,
    /// Old balances: the paper by which they and their funds are handed over; its hash is used once
    #[arg(long, value_name = "FILE")]
    handover: Option<PathBuf>,
    /// Old balances: the funder owes what is applied, instead of handing over funds
    #[arg(long, requires = "funder", requires = "handover")]
    owed: bool,
    /// A campaign's number, under which reports group it
    #[arg(long, default_value_t = 0)]
    campaign: u32,
    #[command(flatten)]
    signing: Signing,
}

pub(super) async fn plan(args: ToPlan, session: &mut Session) -> Result<Report, CliError> {
    let (_, decimals) = session.instrument(args.instrument.as_deref()).await?;
    let list = text(read_input(&args.list, RUN_FILE_BYTES_MAX)?)?;
    let plan = match (args.kind, &args.number_key) {
        (Kind::Import, Some(key)) => old_balances(&list, decimals, key, session).await?,
        _ => grants(&list, decimals, session).await?,
    };
    files::create(&args.file, run_file::write(&plan).as_bytes())?;
    let total = table::amount(plan.total(), decimals);
    let (count, file) = (plan.count(), args.file.display());
    let said = format!(
        "{count} lines, {total} in all, in {file}. Keep this file: lines cannot be sent without it."
    );
    let (total, root) = (plan.total(), plan.root());
    Report::new(&json!({ "file": args.file, "count": count, "total": total, "root": root }), said)
}

async fn grants(list: &str, decimals: u8, session: &mut Session) -> Result<RunPlan, CliError> {
    let mut grants = Vec::new();
    for entry in run_file::entries(list)? {
        grants.push(whose(entry.line, (entry.party, entry.amount), decimals, session).await?);
    }
    Ok(run_file::plan(grants)?)
}

async fn old_balances(
    list: &str,
    decimals: u8,
    key: &Path,
    session: &mut Session,
) -> Result<RunPlan, CliError> {
    let entries = old::old_entries(list)?;
    let key = number_key(key)?;
    let mut balances = Vec::new();
    for entry in entries {
        let (party, amount) =
            whose(entry.line, (entry.party, entry.amount), decimals, session).await?;
        let use_expiry = match entry.last_day {
            "" => None,
            day => match day.parse() {
                Ok(When::At(end)) => Some(end),
                _ => {
                    let what = format!("line {}: `{day}` is no day such as 2027-03-31", entry.line);
                    return Err(CliError::usage("bad_run_file", what));
                }
            },
        };
        let reference = key.reference(entry.number);
        balances.push((party, amount, OldBalance { reference, use_expiry }));
    }
    Ok(old::plan_old(balances)?)
}

/// Party and amount of a list's line.
async fn whose(
    line: usize,
    (party, amount): (&str, &str),
    decimals: u8,
    session: &mut Session,
) -> Result<(PartyId, Amount), CliError> {
    let here = |error: CliError| CliError { what: format!("line {line}: {}", error.what), ..error };
    let party = session.party(party).await.map_err(here)?;
    Ok((party, parse_amount(amount, decimals).map_err(here)?))
}

/// The key of a file; a new one where there is none.
fn number_key(file: &Path) -> Result<NumberKey, CliError> {
    if !file.exists() {
        let key = NumberKey::generate();
        files::create(file, key.to_text().as_bytes())?;
        return Ok(key);
    }
    NumberKey::parse(&text(read_input(file, 1_024)?)?).ok_or_else(|| {
        let what = format!("{} holds no key of 64 hexadecimal digits", file.display());
        CliError::usage("bad_number_key", what)
            .next("name the file that the first list was planned with")
    })
}

pub(super) async fn open(args: Open, session: &mut Session) -> Result<Report, CliError> {
    let plan = read(&args.file)?;
    let import = import(&args, &plan)?;
    let (actor, officer) = session.actor_contact()?;
    let (instrument, _) = session.instrument(args.instrument.as_deref()).await?;
    let issuer = session.client()?.instrument(instrument).await?.instrument.terms.issuer;
    let funder = session.party_or(args.funder.as_deref(), issuer).await?;
    let composer = session.composer().await?;
    let manifest = OpenRun {
        instrument,
        origin: match (args.origin, import) {
            (Some(Origin::Free), _) => OriginKind::Free,
            (Some(Origin::Paid), _) | (None, Some(_)) => OriginKind::Paid,
            (Some(Origin::Grant), _) | (None, None) => OriginKind::Grant,
        },
        funder,
        campaign: args.campaign,
        root: plan.root(),
        count: plan.count(),
        total: plan.total(),
        until: args.until.from(composer.now),
        import,
    };
    let draft = composer.open_run(officer.party, manifest);
    let done = format!("Opened. Now `musubi run send {} {}`.", draft.id(), args.file.display());
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

/// What an import rests on, if the file holds old balances.
fn import(args: &Open, plan: &RunPlan) -> Result<Option<Import>, CliError> {
    let wrong = |what: &str, next: &str| Err(CliError::usage("other_run", what).next(next));
    match (&args.handover, run_file::is_import(plan)) {
        (Some(paper), true) => {
            Ok(Some(Import { handover: party::evidence(paper)?, owed: args.owed }))
        }
        (None, true) => wrong(
            "this file holds old balances, which are handed over by a paper",
            "name it by --handover FILE",
        ),
        (Some(_), false) => wrong(
            "this file holds grants, which nobody hands over",
            "leave --handover out, or plan the list with --kind import",
        ),
        (None, false) if args.origin == Some(Origin::Paid) => wrong(
            "grants are free value or a benefit",
            "leave --origin out, or plan the list with --kind import",
        ),
        (None, false) => Ok(None),
    }
}
