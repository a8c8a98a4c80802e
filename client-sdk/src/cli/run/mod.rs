//! `musubi run`: bulk grants, and old balances taken over, by a signed manifest. A run begins in [`open`].

mod open;
mod waiting;

use std::{collections::BTreeSet, path::PathBuf};

use clap::Subcommand;
use futures::{StreamExt, TryStreamExt, stream};
use musubi_sdk::{
    GatherConfig, Gatherer, InstrumentId, PartyId, Role, Side, Slot, TxId,
    ledger::{
        limits::RUN_CHUNK_LEVEL_MAX,
        run::{Run, plan::RunPlan},
    },
    run_file::{self, RUN_FILE_BYTES_MAX, RunFileError},
};
use serde_json::json;

use super::{
    args::Signing,
    error::CliError,
    files::read_input,
    finish::Plan,
    session::Session,
    slots,
    table::{self, Report},
};
use open::{Open, ToPlan};

/// Chunks under way at a time.
const AT_ONCE: usize = 64;

/// Grant something to many at once, or take over balances of another system
#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// Turn a list into a run's file, with salts; keep that file until all is done
    Plan(ToPlan),
    /// Open a run: two officers of the issuer sign, whoever else funds it, and for old balances another organisation
    Open(Open),
    /// Bring the lines that are open; again as often as it takes
    Send {
        /// The run
        #[arg(value_name = "NAME|ID")]
        run: String,
        /// Its file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only this party's lines, each alone, so that whoever sees them learns of nobody else's
        #[arg(long = "for", value_name = "NAME|ADDRESS")]
        party: Option<String>,
    },
    /// What runs keep for a party that was not registered when its lines were sent
    Waiting {
        /// The party, registered or not
        #[arg(value_name = "NAME|ADDRESS")]
        party: String,
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

pub(crate) async fn run(command: RunCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        RunCommand::Plan(args) => open::plan(args, session).await,
        RunCommand::Open(args) => open::open(args, session).await,
        RunCommand::Send { run, file, party } => {
            let run = session.book().transaction(&run)?;
            let party = match party {
                Some(text) => Some(session.party(&text).await?),
                None => None,
            };
            send(run, &read(&file)?, party, session).await
        }
        RunCommand::Waiting { party } => {
            let party = session.party(&party).await?;
            waiting::waiting(party, session).await
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

async fn send(
    id: TxId,
    plan: &RunPlan,
    party: Option<PartyId>,
    session: &mut Session,
) -> Result<Report, CliError> {
    let (run, open) = state(id, session).await?;
    if (run.manifest.root, run.manifest.count) != (plan.root(), plan.count()) {
        let what = format!("this file holds other lines than the manifest of run {id}");
        return Err(CliError::usage("other_run", what).next("take the file of that run"));
    }
    let lines = open.iter().flat_map(|(first, count, _)| *first..first + count);
    let (level, places) = match party {
        Some(party) => {
            let theirs = |at: &u32| plan.lines()[*at as usize].to == party;
            (0, lines.filter(theirs).collect::<BTreeSet<u32>>())
        }
        None => (RUN_CHUNK_LEVEL_MAX, lines.map(|at| at >> RUN_CHUNK_LEVEL_MAX).collect()),
    };
    let (actor, contact) = session.actor_contact()?;
    let key = session.unlock(&actor)?;
    let composer = session.composer().await?;
    let gatherer = Gatherer::new(session.client()?, GatherConfig::default());
    let slot = Slot::new(Side::Authority, Role::Holder, contact.party);
    let chunks = places.iter().filter_map(|at| plan.chunk(id, level, *at));
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
