//! `musubi audit`: re-verifies and re-executes the whole log, and names the first bad entry.

use std::{
    io::IsTerminal,
    num::NonZero,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use musubi_sdk::{
    ChainId, Client, Time,
    audit::{self, AuditError, Demands, Findings, Kept, Options, Progress, Resume, Source},
    durable_file,
};
use serde_json::json;

use super::{
    audit_words::words,
    error::{CliError, file_error},
    session::Session,
    table::Report,
    when::Span,
};

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Audit a record that was downloaded before, without any node
    #[arg(long, visible_alias = "from", value_name = "DIR", conflicts_with = "download")]
    dir: Option<PathBuf>,
    /// Audit what a replica serves: as --node, for one node
    #[arg(long, value_name = "URL", conflicts_with_all = ["dir", "node"])]
    replica: Option<String>,
    /// Only download the record into a new folder, to be audited later or elsewhere
    #[arg(long, value_name = "DIR")]
    download: Option<PathBuf>,
    /// The chain that it must be [default: the profile's; without one, the report says so]
    #[arg(long, value_name = "HEX", conflicts_with = "download")]
    chain: Option<ChainId>,
    /// The block up to which validators must have signed at least
    #[arg(long, value_name = "HEIGHT", conflicts_with = "download")]
    min_height: Option<u64>,
    /// How old the newest block that they signed may be: 10m, 12h, 30d
    #[arg(long, value_name = "SPAN", conflicts_with = "download")]
    max_age: Option<Span>,
    /// Demand signatures of all validators, not of a majority alone
    #[arg(long, conflicts_with = "download")]
    all_validators: bool,
    /// Threads that check signatures [default: all]
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// Keep in this file where the audit stands, and go on from there next time
    #[arg(long, value_name = "FILE", conflicts_with = "download")]
    resume: Option<PathBuf>,
    /// Leaves between two writings of the resume file
    #[arg(long, value_name = "LEAVES", requires = "resume", default_value_t = RESUME_EVERY)]
    resume_every: NonZero<u64>,
    /// A checkpoint kept from before, which this log must continue; repeat for several
    #[arg(long, value_name = "FILE", conflicts_with = "download")]
    kept: Vec<PathBuf>,
    /// Write the newest checkpoint that was verified, to be given to the next audit as --kept
    #[arg(long, value_name = "FILE", conflicts_with = "download")]
    keep: Option<PathBuf>,
}

/// Some ten seconds of work on two cores.
const RESUME_EVERY: NonZero<u64> = NonZero::new(500_000).expect("not zero");

pub(crate) async fn run(args: Audit, session: &mut Session) -> Result<Report, CliError> {
    let bar = bar(session.json());
    let result = work(&args, session, &bar).await;
    bar.finish_and_clear();
    result
}

async fn work(args: &Audit, session: &mut Session, bar: &ProgressBar) -> Result<Report, CliError> {
    if let Some(folder) = &args.download {
        let client = one_node(session)?;
        let end = audit::download(&client, folder, |p| show(bar, p)).await?;
        let text = format!(
            "Downloaded {} blocks and {} leaves; audit them with `musubi audit --dir {}`.",
            end.height,
            end.leaves,
            folder.display()
        );
        return Ok(Report::done(text));
    }
    let source = match (&args.dir, &args.replica) {
        (Some(folder), _) => Source::directory(folder)?,
        (None, Some(url)) => Source::node(Client::new(session.config([url]))?),
        (None, None) => Source::node(one_node(session)?),
    };
    let all = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let threads = args.threads.unwrap_or(all);
    let now = now();
    let demands = Demands {
        min_height: args.min_height,
        not_before: args.max_age.map(|span| Time(now.0.saturating_sub(span.0))),
        all_validators: args.all_validators,
    };
    let expected = args.chain.or(session.profile().chain);
    let resume = args.resume.clone().map(|file| Resume { file, every: args.resume_every });
    let kept = args.kept.iter().map(|path| kept(path)).collect::<Result<_, _>>()?;
    let options = Options { threads, expected, demands, kept, now: Some(now), resume };
    let report = audit::run(source, options, |p| show(bar, p)).await?;
    if let Some(path) = &args.keep {
        let written = durable_file::replace(path, report.checkpoint.as_bytes());
        written.map_err(|cause| file_error(path, cause))?;
    }
    // Without a node there is nobody to ask for the places: the genesis document's decide nothing.
    let decimals = match &args.dir {
        Some(_) => std::collections::BTreeMap::new(),
        None => session.decimals().await,
    };
    let mut report = Report::new(&report, words(&report, &decimals, now))?;
    for quorum in ["covered_by_majority", "covered_by_all"] {
        if let Some(time) = report.json[quorum]["time"].as_u64() {
            report.json[quorum]["age_ms"] = now.0.saturating_sub(time).into();
        }
    }
    Ok(report)
}

/// This machine's clock: ages are as good as it is.
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn kept(path: &Path) -> Result<Kept, CliError> {
    let note = std::fs::read_to_string(path).map_err(|cause| file_error(path, cause))?;
    Ok(Kept { name: path.display().to_string(), note })
}

/// One node alone: another one might be behind it in the middle of the download.
fn one_node(session: &Session) -> Result<Client, CliError> {
    Ok(Client::new(session.config(session.nodes().iter().take(1)))?)
}

fn bar(quiet: bool) -> ProgressBar {
    let target = match std::io::stderr().is_terminal() && !quiet {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(1), target);
    let template = "{bar:40} {pos}/{len} blocks, {per_sec}, {msg} ({eta})";
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.target.max(1));
    bar.set_position(progress.height);
    bar.set_message(format!("{} signatures", progress.signatures));
}

impl From<AuditError> for CliError {
    fn from(error: AuditError) -> Self {
        let code = error.code().to_owned();
        match error {
            AuditError::Finding(findings) => Self::new(&code, place(&findings))
                .with("findings", json!(findings.iter().collect::<Vec<_>>()))
                .next("keep this record as evidence; compare with another organisation's node"),
            AuditError::Client(error) => error.into(),
            AuditError::File(error) => Self::new(&code, error.to_string()),
        }
    }
}

/// Where the first fault is, and what.
fn place(findings: &Findings) -> String {
    format!("the record does not hold: {findings}")
}
