//! `musubi run`: bulk grants by a signed manifest.

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use futures::{StreamExt, TryStreamExt, stream};
use musubi_sdk::{
    GatherConfig, Gatherer, InstrumentId, OriginKind, Role, Side, Slot, TxId,
    ledger::{
        limits::RUN_CHUNK_LEVEL_MAX,
        operation::OpenRun,
        run::{Run, plan::RunPlan},
    },
    run_file::{self, RUN_FILE_BYTES_MAX, RunFileError},
};
use serde_json::json;

use super::{
    args::Signing,
    error::CliError,
    files::{self, read_input},
    finish::Plan,
    session::Session,
    slots,
    sums::parse_amount,
    table::{self, Report},
    when::When,
};

/// Chunks under way at a time.
const AT_ONCE: usize = 64;

/// Grant something to many at once
#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// Turn a list of `party,amount` into a run's file, with salts; keep that file until all is done
    Plan {
        /// The list as CSV; - for standard input
        #[arg(value_name = "CSV")]
        list: PathBuf,
        /// Of which instrument the amounts are [default: the profile's, or the only one there is]
        #[arg(long, value_name = "CODE")]
        instrument: Option<String>,
        /// Where to write the run's file
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Open a run: two officers of the issuer sign, and whoever else funds it
    Open(Open),
    /// Bring the lines that are open; again as often as it takes
    Send {
        /// The run
        #[arg(value_name = "NAME|ID")]
        run: String,
        /// Its file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// How far a run is, and which lines are open
    Show {
        /// The run
        #[arg(value_name = "NAME|ID")]
        run: String,
    },
    /// End a run at once: an officer of the issuer, or who funds it
    End {
        /// The run
        #[arg(value_name = "NAME|ID")]
        run: String,
        #[command(flatten)]
        signing: Signing,
    },
}

/// Where what a run gives comes from
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum GrantOrigin {
    /// Given without consideration: points
    Free,
    /// A public benefit
    Grant,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The run's file, as `run plan` wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What is granted [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    instrument: Option<String>,
    /// Until when lines are applied: 60d, or the day whose end it is
    #[arg(long, value_name = "WHEN")]
    until: When,
    /// Where the value comes from
    #[arg(long, value_enum, default_value = "grant")]
    origin: GrantOrigin,
    /// Who bears it, if not the issuer; they consent as to a payment of the total
    #[arg(long, value_name = "NAME|ADDRESS")]
    funder: Option<String>,
    /// A campaign's number, under which reports group it
    #[arg(long, default_value_t = 0)]
    campaign: u32,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(command: RunCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        RunCommand::Plan { list, instrument, file } => {
            let (_, decimals) = session.instrument(instrument.as_deref()).await?;
            let bytes = read_input(&list, RUN_FILE_BYTES_MAX)?;
            plan(&text(bytes)?, decimals, &file, session).await
        }
        RunCommand::Open(args) => open(args, session).await,
        RunCommand::Send { run, file } => {
            let run = session.book().transaction(&run)?;
            send(run, &read(&file)?, session).await
        }
        RunCommand::Show { run } => {
            let run = session.book().transaction(&run)?;
            show(run, session).await
        }
        RunCommand::End { run, signing } => end(&run, &signing, session).await,
    }
}

impl From<RunFileError> for CliError {
    fn from(error: RunFileError) -> Self {
        Self::usage("bad_run_file", error.to_string()).next("docs/RUNS.md says what it looks like")
    }
}

fn text(bytes: Vec<u8>) -> Result<String, CliError> {
    String::from_utf8(bytes).map_err(|_| CliError::usage("bad_run_file", "the file is not UTF-8"))
}

fn read(file: &std::path::Path) -> Result<RunPlan, CliError> {
    Ok(run_file::read(&text(read_input(file, RUN_FILE_BYTES_MAX)?)?)?)
}

async fn plan(
    list: &str,
    decimals: u8,
    file: &std::path::Path,
    session: &mut Session,
) -> Result<Report, CliError> {
    let mut grants = Vec::new();
    for entry in run_file::entries(list)? {
        let here = |error: CliError| CliError {
            what: format!("line {}: {}", entry.line, error.what),
            ..error
        };
        let party = session.party(entry.party).await.map_err(here)?;
        grants.push((party, parse_amount(entry.amount, decimals).map_err(here)?));
    }
    let plan = run_file::plan(grants)?;
    files::create(file, run_file::write(&plan).as_bytes())?;
    let total = table::amount(plan.total(), decimals);
    let said = format!(
        "{} lines, {total} in all, in {}. Keep this file: lines cannot be sent without it.",
        plan.count(),
        file.display()
    );
    let report =
        json!({ "file": file, "count": plan.count(), "total": plan.total(), "root": plan.root() });
    Report::new(&report, said)
}

async fn open(args: Open, session: &mut Session) -> Result<Report, CliError> {
    let plan = read(&args.file)?;
    let (actor, officer) = session.actor_contact()?;
    let (instrument, _) = session.instrument(args.instrument.as_deref()).await?;
    let issuer = session.client()?.instrument(instrument).await?.instrument.terms.issuer;
    let funder = match &args.funder {
        Some(text) => session.party(text).await?,
        None => issuer,
    };
    let composer = session.composer().await?;
    let manifest = OpenRun {
        instrument,
        origin: match args.origin {
            GrantOrigin::Free => OriginKind::Free,
            GrantOrigin::Grant => OriginKind::Grant,
        },
        funder,
        campaign: args.campaign,
        root: plan.root(),
        count: plan.count(),
        total: plan.total(),
        until: args.until.from(composer.now),
    };
    let draft = composer.open_run(officer.party, manifest);
    let done = format!("Opened. Now `musubi run send {} {}`.", draft.id(), args.file.display());
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

/// All stretches of open lines.
async fn state(run: TxId, session: &mut Session) -> Result<(Run, Vec<(u32, u32, bool)>), CliError> {
    let client = session.client()?;
    let (mut open, mut from) = (Vec::new(), 0);
    loop {
        let view = client.run(run, from).await?;
        open.extend(view.open.iter().map(|lines| (lines.first, lines.count, lines.tried)));
        match view.next {
            Some(next) => from = next,
            None => return Ok((view.run, open)),
        }
    }
}

async fn send(id: TxId, plan: &RunPlan, session: &mut Session) -> Result<Report, CliError> {
    let (run, open) = state(id, session).await?;
    if (run.manifest.root, run.manifest.count) != (plan.root(), plan.count()) {
        let what = format!("this file holds other lines than the manifest of run {id}");
        return Err(CliError::usage("other_run", what).next("take the file of that run"));
    }
    let places: BTreeSet<u32> = open
        .iter()
        .flat_map(|(first, count, _)| {
            first >> RUN_CHUNK_LEVEL_MAX..=(first + count - 1) >> RUN_CHUNK_LEVEL_MAX
        })
        .collect();
    let (actor, contact) = session.actor_contact()?;
    let key = session.unlock(&actor)?;
    let composer = session.composer().await?;
    let gatherer = Gatherer::new(session.client()?, GatherConfig::default());
    let slot = Slot::new(Side::Authority, Role::Holder, contact.party);
    let chunks = places.iter().filter_map(|at| plan.chunk(id, RUN_CHUNK_LEVEL_MAX, *at));
    let sent = chunks.map(|chunk| {
        let transaction = composer.run_chunk(contact.party, chunk).sign(slot, &key).complete();
        let gatherer = gatherer.clone();
        async move {
            let status = gatherer.submit(&transaction).await?;
            match status.code {
                Some(musubi_sdk::Code::Applied) | None => Ok(()),
                Some(code) => Err(CliError::verdict(status.id, code)),
            }
        }
    });
    stream::iter(sent).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    show(id, session).await
}

async fn show(id: TxId, session: &mut Session) -> Result<Report, CliError> {
    let (run, open) = state(id, session).await?;
    let decimals = session.decimals().await;
    let manifest = &run.manifest;
    let amount = |amount| {
        let places = decimals.get(&manifest.instrument).copied().unwrap_or(0);
        format!("{} {}", table::amount(amount, places), manifest.instrument)
    };
    let failed: u32 = open.iter().filter(|lines| lines.2).map(|lines| lines.1).sum();
    let unsent: u32 = open.iter().filter(|lines| !lines.2).map(|lines| lines.1).sum();
    let ended = run.ended.map_or_else(|| table::time(manifest.until), table::time);
    let shown = open.iter().take(20).map(|(first, count, tried)| {
        let how = if *tried { "could not be posted" } else { "not sent" };
        match count {
            1 => format!("{first} ({how})"),
            _ => format!("{first} to {} ({how})", first + count - 1),
        }
    });
    let lines = table::fields(&[
        ("Run", id.to_string()),
        ("Given", format!("{} of {}", amount(run.given), amount(manifest.total))),
        ("Lines applied", format!("{} of {}", run.applied, manifest.count)),
        ("Not sent", unsent.to_string()),
        ("Could not be posted", format!("{failed}, {} of them wait for their party", run.waiting)),
        ("Open lines", shown.collect::<Vec<_>>().join(", ")),
        ("Ends", ended),
    ]);
    let stretches: Vec<_> = open
        .iter()
        .map(|(first, count, tried)| json!({ "first": first, "count": count, "tried": tried }))
        .collect();
    Report::new(&json!({ "id": id, "run": run, "open": stretches }), lines)
}

async fn end(text: &str, signing: &Signing, session: &mut Session) -> Result<Report, CliError> {
    let run = session.book().transaction(text)?;
    let (actor, contact) = session.actor_contact()?;
    let client = session.client()?;
    let code: InstrumentId = client.run(run, 0).await?.run.manifest.instrument;
    let issuer = client.instrument(code).await?.instrument.terms.issuer;
    let draft = session.composer().await?.end_run(contact.party, run);
    let wanted = slots::want(Side::Authority, &[Role::Officer], issuer);
    let plan = Plan::new(draft, Some(&actor), "The run is ended.").wanting([wanted]);
    plan.run(session, signing).await
}
